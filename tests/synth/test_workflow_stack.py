"""What a workflow comes to in Terraform's JSON."""

import json
from pathlib import Path

import pytest

from tests.fakes.workflows import SMALL

ROOT = Path(__file__).resolve().parents[2]

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:assets"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:crm-AbCdEf"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:publish"


# ------------------------------------------------------------------------------------------------ the default workflow


def test_every_environment_is_a_stack(default_stacks):
    assert sorted(default_stacks) == ["dev", "local", "prod"]


@pytest.mark.parametrize("environment", ["dev", "local", "prod"])
def test_sources_of_modules_are_relative_and_exist(default_stacks, environment):
    stack = default_stacks[environment]

    for name, module in stack.document["module"].items():
        assert not Path(module["source"]).is_absolute()
        assert (stack.folder / module["source"] / "main.tf").is_file(), name


def test_nothing_local_is_in_any_stack(default_stacks):
    for environment, stack in default_stacks.items():
        provider = stack.document["provider"]["aws"][0]
        assert sorted(provider) == ["default_tags", "region"]
        assert "endpoint" not in json.dumps(provider)
        assert ("127.0.0.1" in stack.text) == (environment == "local")


def test_provider_may_be_any_that_the_modules_take(default_stacks):
    versions = {path.read_text(encoding="utf-8") for path in (ROOT / "modules").glob("*/versions.tf")}

    assert all('version = ">= 5.100, < 7"' in text for text in versions)
    assert default_stacks["dev"].document["terraform"]["required_providers"] == {
        "aws": {"source": "hashicorp/aws", "version": ">= 5.100, < 7"}
    }


def test_modules_come_from_the_package_that_the_workflow_names_and_a_lock_beside_it_is_kept_to(synthesise, tmp_path):
    (tmp_path / ".terraform.lock.hcl").write_text("# ours\n", encoding="utf-8")
    package = "modules: {source: 'git::https://example.com/kit.git', ref: v0.1.0}\n"

    stack = synthesise(f"{SMALL}{package}")["dev"]

    sources = [module["source"] for module in stack.document["module"].values()]
    assert all(
        source.startswith("git::https://example.com/kit.git//modules/") and source.endswith("?ref=v0.1.0")
        for source in sources
    )
    assert (stack.folder / ".terraform.lock.hcl").read_text(encoding="utf-8") == "# ours\n"


def test_everything_carries_workflow_and_environment_as_tags(default_stacks):
    (provider,) = default_stacks["prod"].document["provider"]["aws"]

    assert provider["default_tags"] == [{"tags": {"workflow": "media", "environment": "prod"}}]


def test_outputs_are_those_that_operators_and_the_command_rely_on(default_stacks):
    assert sorted(default_stacks["local"].document["output"]) == [
        "api_endpoint",
        "archive_replay",
        "bus_name",
        "dead_letter_queues",
        "event_patterns",
        "functions",
        "hops",
        "idempotency_table_names",
        "log_group_names",
        "operator_policies",
        "partner_ingresses",
        "partners",
        "queue_urls",
        "review_table_name",
        "secret_names",
        "state_machine_arns",
        "topic_arn",
        "wait_function_arn",
        "webhook_urls",
    ]


def test_the_commands_are_told_of_every_hop_and_of_the_patterns_that_are_in_force(synthesise):
    stack = synthesise(SMALL.replace("    destination: cms\n", "    destination: cms\n    enabled: false\n"))["dev"]
    outputs = stack.document["output"]

    assert outputs["partners"]["value"] == ["mux"]
    assert outputs["partner_ingresses"]["value"] == {"mux": ["ingress/media-dev-webhook"]}
    assert "destination = queue.destination" in outputs["hops"]["value"]
    assert "contains([], hop)" in outputs["event_patterns"]["value"]
    assert 'contains(["route/ready"], hop)' in synthesise(SMALL)["dev"].document["output"]["event_patterns"]["value"]


def test_operators_may_search_the_logs_and_idempotency_tables_of_every_hop(default_stacks, synthesise):
    review = synthesise(SMALL)["dev"].module("review")

    assert review["log_group_names"] == "${merge(module.ingress.log_group_names, module.router.log_group_names)}"
    assert review["idempotency_tables"] == (
        "${merge(module.ingress.idempotency_tables, module.router.idempotency_tables)}"
    )
    assert default_stacks["local"].module("review")["state_machine_arns"] == {
        "ingest": "${module.machine-ingest.state_machine_arn}"
    }


def test_local_environment_has_short_delays(default_stacks):
    route = default_stacks["local"].module("router")["routes"]["comments-to-review-tool"]

    failure = route["failure"]
    assert failure["max_receive_count"] == 2
    assert failure["retry"] == {"base_seconds": 1, "max_seconds": 2}
    assert (failure["redrive"]["max_count"], failure["redrive"]["base_delay_seconds"]) == (1, 2)


def test_synthesis_is_deterministic(default_stacks, synthesise):
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    text = text.replace("workflows/ingest-asset", str(ROOT / "workflows" / "ingest-asset"))

    again = synthesise(text)

    for environment, stack in default_stacks.items():
        other = again[environment]
        for name, module in stack.document["module"].items():
            assert other.module(name) | {"source": ""} == module | {"source": ""}


# ------------------------------------------------------------------------------------------------------------ modules


def test_parts_share_one_bucket_and_one_bus(synthesise):
    stack = synthesise(SMALL)["dev"]

    for name in ("ingress", "router", "review"):
        assert stack.module(name)["settings"]["bucket"] == "${module.storage.bucket}"
        assert stack.module(name)["bus_arn"] == "${module.bus.bus_arn}"


def test_functions_code_is_uploaded_once_for_all_of_them(default_stacks):
    stack = default_stacks["local"]

    assert stack.module("package")["settings"]["bucket"] == "${module.storage.bucket}"
    for name in ("ingress", "ingress-workflows", "router", "task-callbacks", "review"):
        assert stack.module(name)["settings"]["package"] == "${module.package.package}", name


def test_names_begin_with_workflow_and_environment(synthesise):
    stack = synthesise(SMALL)["dev"]

    assert {name: module.get("name") for name, module in stack.document["module"].items()} == {
        "storage": "media-dev",
        "package": None,  # named by its content
        "bus": "media-dev",
        "ingress": "media-dev-webhook",
        "router": "media-dev",
        "review": "media-dev-review",
        "dashboard": "media-dev",
    }


def test_review_attends_to_every_dead_letter_queue(synthesise):
    assert synthesise(SMALL)["dev"].module("review")["dead_letter_queues"] == (
        "${merge(module.ingress.dead_letter_queues, module.router.dead_letter_queues)}"
    )


def test_policies_go_by_the_beginning_of_names_unless_another_environment_shares_it(synthesise):
    stacks = synthesise(SMALL.replace("\n  dev:", "\n  dev-eu: {region: eu-central-1}\n  dev:"))

    assert stacks["dev-eu"].module("review")["name_prefix"] == "media-dev-eu-"
    assert "name_prefix" not in stacks["dev"].module("review")


def test_partner_without_secrets_gets_one_from_the_module(synthesise):
    partners = synthesise(SMALL)["dev"].module("ingress")["partners"]

    assert partners == {"mux": {"specification": '{"preset":"mux"}'}}


def test_partners_secrets_are_passed_by_reference(synthesise):
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mux-AbCdEf"

    options = f"secret_arns: ['{secret}'], previous_secret_seconds: 0"

    stack = synthesise(SMALL.replace("ingress: webhook", f"ingress: webhook, {options}"))["dev"]

    partner = stack.module("ingress")["partners"]["mux"]
    assert (partner["secret_arns"], partner["previous_secret_seconds"]) == ([secret], 0)


ACCESS = """\
name: media
ingress:
  webhook:
    throttle: {rate: 50, burst: 60}
    domain:
      name: hooks.example.com
      certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/a1
      mutual_tls: {truststore_uri: "s3://trust/ca.pem", truststore_version: "7"}
partners:
  mux: {specification: mux, ingress: webhook, throttle: {rate: 3, burst: 4}, require_client_certificate: true}
  acme:
    specification: {id: body.id, type: body.type}
    ingress: webhook
    authorization: {type: iam, principals: ["arn:aws:iam::123456789012:role/acme"]}
  bravo:
    specification: {id: body.id, type: body.type}
    ingress: webhook
    authorization: {type: jwt, issuer: "https://login.example.com/", audiences: [hooks]}
environments:
  dev: {region: eu-west-1}
"""


def test_partners_limits_authorisation_and_certificates_reach_the_webhook(synthesise):
    partners = synthesise(ACCESS)["dev"].module("ingress")["partners"]

    assert partners["mux"]["throttle"] == {"rate": 3, "burst": 4}
    assert partners["mux"]["require_client_certificate"] is True
    assert partners["acme"]["authorization"] == {"type": "iam", "principals": ["arn:aws:iam::123456789012:role/acme"]}
    assert partners["bravo"]["authorization"] == {
        "type": "jwt",
        "issuer": "https://login.example.com/",
        "audiences": ["hooks"],
        "scopes": [],
    }
    assert not {"throttle", "require_client_certificate"} & (partners["acme"].keys() | partners["bravo"].keys())


def test_domain_reaches_the_webhook_and_its_target_comes_out(synthesise):
    stack = synthesise(ACCESS)["dev"]

    assert stack.module("ingress")["throttle"] == {"rate": 50, "burst": 60}
    assert stack.module("ingress")["domain"] == {
        "name": "hooks.example.com",
        "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/a1",
        "mutual_tls": {"truststore_uri": "s3://trust/ca.pem", "truststore_version": "7"},
    }
    assert stack.document["output"]["domain_target"]["value"] == "${module.ingress.domain_target}"
    assert stack.document["output"]["invoke_policies"]["value"] == "${module.ingress.invoke_policies}"


def test_workflow_without_such_options_says_nothing_of_them(synthesise):
    stack = synthesise(SMALL)["dev"]

    assert "domain" not in stack.module("ingress")
    assert sorted(stack.module("ingress")["partners"]["mux"]) == ["specification"]
    assert not {"domain_target", "invoke_policies"} & stack.document["output"].keys()


def test_state_machine_is_made_for_a_definition_and_none_for_an_existing_one(synthesise, tmp_path):
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": "${x} %{y}", "End": True}}}
    (tmp_path / "publish.asl.json").write_text(json.dumps(definition), encoding="utf-8")
    http = '{type: http, url: "https://cms.example.com/events"}'

    made = synthesise(SMALL.replace(http, "{type: step-functions, definition: publish.asl.json}"))["dev"]

    assert made.module("machine-cms")["name"] == "media-dev-cms-workflow"
    assert "$${x} %%{y}" in made.module("machine-cms")["definition"]
    assert made.module("router")["routes"]["ready"]["target"] == {
        "step_functions": {"state_machine_arn": "${module.machine-cms.state_machine_arn}"}
    }
    assert made.document["output"]["state_machine_arns"]["value"] == {"cms": "${module.machine-cms.state_machine_arn}"}

    existing = synthesise(SMALL.replace(http, f"{{type: step-functions, state_machine_arn: '{MACHINE}'}}"))["dev"]

    assert "machine-cms" not in existing.document["module"]
    assert "state_machine_arns" not in existing.document["output"]
    assert existing.module("router")["routes"]["ready"]["target"] == {"step_functions": {"state_machine_arn": MACHINE}}


HTTP = '{type: http, url: "https://cms.example.com/events"}'
WAITING = {
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "${WaitFunctionArn}",
                "Payload": {"key.$": "$.id", "token.$": "$$.Task.Token"},
            },
            "Next": "Publish",
        },
        "Publish": {
            "Type": "Task",
            "Resource": "arn:aws:states:::events:putEvents",
            "Parameters": {"Entries": [{"EventBusName": "${BusArn}", "Detail": "${x}"}]},
            "End": True,
        },
    },
}


def test_workflow_that_waits_gets_the_function_and_the_bus_that_its_definition_names(synthesise, tmp_path):
    (tmp_path / "ingest.asl.json").write_text(json.dumps(WAITING), encoding="utf-8")
    text = SMALL.replace(
        HTTP,
        "{type: step-functions, definition: ingest.asl.json}\n"
        "  transcodes: {type: task-callback, correlation_key: data.job, error: Bad}",
    ).replace(
        "    destination: cms\n",
        "    destination: cms\n  done: {pattern: {detail-type: [a]}, destination: transcodes}\n",
    )

    stack = synthesise(text)["dev"]

    machine = stack.module("machine-cms")
    states = json.loads(machine["definition"])["States"]
    assert states["Wait"]["Parameters"]["FunctionName"] == "${module.task-callbacks.function_arn}"
    assert states["Publish"]["Parameters"]["Entries"] == [{"EventBusName": "${module.bus.bus_arn}", "Detail": "$${x}"}]
    assert machine["policy_statements"] == {
        "PublishResults": {"actions": ["events:PutEvents"], "resources": ["${module.bus.bus_arn}"]},
        "WaitForEvents": {"actions": ["lambda:InvokeFunction"], "resources": ["${module.task-callbacks.function_arn}"]},
    }
    assert stack.module("task-callbacks")["name"] == "media-dev-task-callbacks"
    assert stack.document["output"]["wait_function_arn"]["value"] == "${module.task-callbacks.function_arn}"
    assert stack.module("router")["routes"]["done"]["target"]["task_callback"] == {
        "correlation_key": "data.job",
        "error": "Bad",
        "early_seconds": 86400,
        "task_callbacks_table": "${module.task-callbacks.task_callbacks_table}",
    }


def test_workflow_that_does_not_wait_brings_nothing_to_wait_with(synthesise):
    assert "task-callbacks" not in synthesise(SMALL)["dev"].document["module"]


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        (
            f"type: sqs, queue_arn: '{QUEUE}.fifo', mode: data",
            {
                "sqs": {
                    "queue_arn": f"{QUEUE}.fifo",
                    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/assets.fifo",
                    "mode": "data",
                    "manage_queue_policy": False,
                }
            },
        ),
        (
            "type: sns, topic_arn: 'arn:aws:sns:eu-west-1:123456789012:notices'",
            {"sns": {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:notices", "mode": "structured"}},
        ),
        (
            "type: event-bus, bus_arn: 'arn:aws:events:us-east-1:999999999999:event-bus/shared'",
            {"event_bus": {"bus_arn": "arn:aws:events:us-east-1:999999999999:event-bus/shared"}},
        ),
        (
            "type: lambda, function_arn: 'arn:aws:lambda:eu-west-1:123456789012:function:on-asset:live'",
            {
                "lambda": {
                    "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:on-asset:live",
                    "invocation": "request-response",
                    "mode": "envelope",
                    "timeout_seconds": 20,
                }
            },
        ),
        (
            "type: firehose, stream_arn: 'arn:aws:firehose:eu-west-1:123456789012:deliverystream/lake'",
            {"firehose": {"stream_arn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/lake"}},
        ),
        (
            (
                "type: api-destination, url: 'https://crm.example.com/*', path_values: [$$.id], "
                f"rate_limit_per_second: 5, auth: {{type: api-key, header: X-Key, secret_arn: '{SECRET}'}}"
            ),
            {
                "api_destination": {
                    "url": "https://crm.example.com/*",
                    "method": "POST",
                    "rate_limit_per_second": 5,
                    "auth": {"type": "api-key", "header": "X-Key", "secret_arn": SECRET},
                    "headers": {},
                    "query": {},
                    "path_values": ["$.id"],
                    "allow_http": False,
                }
            },
        ),
        ("type: logs", {"logs": {}}),
    ],
)
def test_target_is_what_the_router_takes(synthesise, settings, target):
    route = synthesise(SMALL.replace(HTTP, f"{{{settings}}}"))["dev"].module("router")["routes"]["ready"]

    assert route["target"] == target
    assert not {"circuit_breaker", "ordering"} & route.keys()


def test_breaker_and_ordering_of_a_destination_hold_for_its_routes(synthesise):
    text = SMALL.replace('/events"}', '/events", ordering: latest, circuit_breaker: {failures: 3}}')

    route = synthesise(text)["dev"].module("router")["routes"]["ready"]

    assert route["ordering"] == "latest"
    assert route["circuit_breaker"] == {
        "enabled": True,
        "failures": 3,
        "delay_seconds": 30,
        "max_delay_seconds": 900,
        "hold_seconds": 172800,
    }


def test_strict_order_of_a_destination_holds_for_its_routes(synthesise):
    text = SMALL.replace('/events"}', '/events", ordering: strict, strict: {on_failure: park}}')

    route = synthesise(text)["dev"].module("router")["routes"]["ready"]

    assert route["ordering"] == "strict"
    assert route["strict"] == {"reorder_seconds": 5, "on_failure": "park", "hold_seconds": 172800}


def test_input_transformer_goes_with_what_the_rule_itself_sends_to(synthesise):
    text = SMALL.replace(HTTP, "{type: logs}").replace(
        "    destination: cms\n",
        '    destination: cms\n    input_transformer: {template: \'{"timestamp": 0, "message": "x"}\'}\n',
    )

    target = synthesise(text)["dev"].module("router")["routes"]["ready"]["target"]

    assert target == {
        "logs": {"input_transformer": {"paths": {}, "template": '{"timestamp": 0, "message": "x"}'}},
    }


def test_queue_is_a_target_by_its_arn(synthesise):
    http = '{type: http, url: "https://cms.example.com/events"}'
    text = SMALL.replace(http, f"{{type: sqs, queue_arn: '{QUEUE}'}}").replace(
        "    destination: cms",
        "    destination: cms\n    input_transformer: {paths: {id: $$.id}, template: '{\"id\": <id>}'}",
    )

    route = synthesise(text)["dev"].module("router")["routes"]["ready"]

    assert route["target"] == {
        "sqs": {
            "queue_arn": QUEUE,
            "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/assets",
            "manage_queue_policy": False,
            "input_transformer": {"paths": {"id": "$.id"}, "template": '{"id": <id>}'},
        }
    }


def test_a_queues_policy_is_managed_by_the_first_of_its_routes(synthesise):
    text = SMALL.replace(HTTP, f"{{type: sqs, queue_arn: '{QUEUE}', manage_queue_policy: true}}").replace(
        "    destination: cms\n", "    destination: cms\n  new: {pattern: {detail-type: [a]}, destination: cms}\n"
    )

    routes = synthesise(text)["dev"].module("router")["routes"]

    managed = {name: route["target"]["sqs"]["manage_queue_policy"] for name, route in routes.items()}
    assert managed == {"ready": True, "new": False}


def test_hop_without_a_queue_says_so_and_others_say_nothing(synthesise):
    text = SMALL.replace(
        "routes:",
        "transforms: {shape: {pattern: {source: [a]}, steps: [{set: {a: 1}}], invocation: direct}}\n"
        "failure: {function_retry: {max_attempts: 1}}\nroutes:\n"
        "  narrow: {pattern: {source: [c]}, destination: cms, invocation: direct, maximum_concurrency: 7}\n"
        "  direct: {pattern: {source: [b]}, destination: cms, invocation: direct}",
    )

    router = synthesise(text)["dev"].module("router")

    said = {"invocation": "direct", "function_retry": {"max_attempts": 1, "max_age_seconds": 21600}}
    assert said.items() <= router["transforms"]["shape"].items()
    assert said.items() <= router["routes"]["direct"].items()
    assert not said.keys() & router["routes"]["ready"].keys()
    # Only what the workflow asks for is reserved: AWS refuses any reservation in an account with few instances.
    assert router["routes"]["narrow"]["function"]["reserved_concurrency"] == 7
    assert "reserved_concurrency" not in router["routes"]["direct"]["function"]
    assert router["routes"]["ready"]["queue"]["maximum_concurrency"] == 10


def test_webhooks_reserve_instances_only_if_the_workflow_says_so(synthesise):
    reserving = "ingress: {webhook: {type: webhook, reserved_concurrency: 100}}\nroutes:"

    functions = [
        synthesise(text)["dev"].module("ingress")["function"] for text in (SMALL, SMALL.replace("routes:", reserving))
    ]

    assert functions == [{}, {"reserved_concurrency": 100}]


def test_snap_start_is_said_where_it_is_on_and_nowhere_else(synthesise):
    on = SMALL.replace(
        "routes:",
        "settings: {snap_start: true}\nroutes:\n  cold: {pattern: {source: [b]}, destination: cms, snap_start: false}",
    )

    off, on = (synthesise(text)["dev"] for text in (SMALL, on))

    assert "snap_start" not in json.dumps(off.document)
    assert (on.module("ingress")["function"], on.module("review")["function"]) == ({"snap_start": True},) * 2
    routes = on.module("router")["routes"]
    assert {name: route["function"].get("snap_start") for name, route in routes.items()} == {
        "ready": True,
        "cold": None,
    }
    assert "snap_start" not in on.module("router")["settings"]


def test_one_function_may_have_snap_start_alone(synthesise):
    text = SMALL.replace("routes:", "ingress: {webhook: {type: webhook, snap_start: true}}\nroutes:")

    stack = synthesise(text)["dev"]

    assert stack.module("ingress")["function"] == {"snap_start": True}
    assert json.dumps(stack.document).count("snap_start") == 1


def test_steps_and_patterns_are_json_text(synthesise):
    transform = (
        'transforms: {shape: {pattern: {source: [{prefix: "partner."}]}, steps: [{set: {a.b: "$${x}"}}]}}\nroutes:'
    )

    stack = synthesise(SMALL.replace("routes:", transform))["dev"]

    shape = stack.module("router")["transforms"]["shape"]
    assert json.loads(shape["pattern"]) == {"source": [{"prefix": "partner."}]}
    # Terraform reads $${ as ${.
    assert shape["steps"] == '[{"set":{"a.b":"$${x}"}}]'


def test_stage_is_left_to_the_router_unless_given(synthesise):
    assert "stage" not in synthesise(SMALL)["dev"].module("router")["routes"]["ready"]

    text = SMALL.replace("    destination: cms", "    destination: cms\n    stage: received")
    assert synthesise(text)["dev"].module("router")["routes"]["ready"]["stage"] == "received"


def test_review_attends_to_the_dead_letters_of_a_bus_with_a_key(synthesise):
    key = 'settings: {kms_key: {arn: "arn:aws:kms:eu-west-1:123456789012:key/0"}}\nroutes:'

    review = synthesise(SMALL.replace("routes:", key))["dev"].module("review")

    assert "module.bus.dead_letter_queues" in review["dead_letter_queues"]


def test_workflow_without_routes_still_receives_and_archives(synthesise):
    text = SMALL[: SMALL.index("destinations:")] + SMALL[SMALL.index("environments:") :]

    stack = synthesise(text)["dev"]

    assert sorted(stack.document["module"]) == ["bus", "dashboard", "ingress", "package", "review", "storage"]
    assert stack.module("review")["dead_letter_queues"] == "${merge(module.ingress.dead_letter_queues)}"


def test_environment_without_protection_can_be_destroyed_with_its_data(synthesise):
    both = "dev: {region: eu-west-1, deletion_protection: false}\n  prod: {region: eu-west-1}"
    stacks = synthesise(SMALL.replace("dev: {region: eu-west-1}", both))

    dev, prod = stacks["dev"], stacks["prod"]
    assert dev.module("storage")["force_destroy"] is True
    assert dev.module("ingress")["secret_recovery_window_days"] == 0
    assert dev.module("review")["deletion_protection"] is False
    assert "force_destroy" not in prod.module("storage")
    assert "secret_recovery_window_days" not in prod.module("ingress")
    assert prod.module("review")["deletion_protection"] is True


SETTINGS = """\
settings:
  kms_key: {arn: "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"}
  permissions_boundary_arn: arn:aws:iam::123456789012:policy/boundary
  role_path: /media/
  vpc: {subnet_ids: [subnet-0a, subnet-0b], security_group_ids: [sg-0a]}
  logs: {retention_days: 90}
  alarms:
    actions:
      critical: ["arn:aws:sns:eu-west-1:123456789012:page"]
      warning: ["arn:aws:sns:eu-west-1:123456789012:mail"]
"""
SHARED = {
    "kms_key": {"arn": "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"},
    "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
    "role_path": "/media/",
    "vpc": {"subnet_ids": ["subnet-0a", "subnet-0b"], "security_group_ids": ["sg-0a"]},
    "logs": {"retention_days": 90},
    "alarms": {
        "actions": {
            "critical": ["arn:aws:sns:eu-west-1:123456789012:page"],
            "warning": ["arn:aws:sns:eu-west-1:123456789012:mail"],
        }
    },
}
# dlq-review reads every dead-letter queue of a stack.
ALARMS = {"reviewed": True, "notify_on": ["INSUFFICIENT_DATA"]}


def test_settings_reach_every_module(synthesise, tmp_path):
    (tmp_path / "ingest.asl.json").write_text(json.dumps(WAITING), encoding="utf-8")
    text = SMALL.replace(HTTP, "{type: step-functions, definition: ingest.asl.json}").replace(
        "partners:", "ingress: {webhook: {type: webhook}, queue: {type: sqs}}\npartners:"
    )
    text = text.replace("ingress: webhook}", "ingress: [webhook, queue]}").replace("routes:", f"{SETTINGS}routes:")

    modules = synthesise(text)["dev"].document["module"]

    assert modules["storage"]["settings"] == SHARED
    made_once = {"bucket": "${module.storage.bucket}", "package": "${module.package.package}"}
    assert modules["package"]["settings"] == SHARED | {"bucket": made_once["bucket"]}
    others = modules.keys() - {"storage", "package", "dashboard"}
    assert others == {"bus", "ingress", "ingress-queue", "machine-cms", "review", "router", "task-callbacks"}
    for name in others:
        assert modules[name]["settings"] == SHARED | made_once | {"alarms": SHARED["alarms"] | ALARMS}, name


def test_settings_are_the_modules_defaults_unless_given(synthesise):
    modules = synthesise(SMALL)["dev"].document["module"]

    assert "settings" not in modules["storage"]
    assert modules["router"]["settings"].keys() == {"bucket", "package", "alarms"}
    assert modules["router"]["settings"]["alarms"] == ALARMS


def test_vpc_of_a_transform_or_route_stands_in_place_of_that_of_the_settings(synthesise):
    transform = (
        "{pattern: {source: [a]}, steps: [{set: {a: 1}}], vpc: {subnet_ids: [subnet-1a], security_group_ids: [sg-1a]}}"
    )
    text = SMALL.replace("routes:", f"{SETTINGS}transforms: {{shape: {transform}}}\nroutes:").replace(
        "    destination: cms\n",
        "    destination: cms\n    vpc: {subnet_ids: [subnet-2a, subnet-2b], security_group_ids: [sg-2a]}\n"
        "  other: {pattern: {source: [b]}, destination: cms}\n",
    )

    router = synthesise(text)["dev"].module("router")

    assert router["transforms"]["shape"]["vpc"] == {"subnet_ids": ["subnet-1a"], "security_group_ids": ["sg-1a"]}
    assert router["routes"]["ready"]["vpc"] == {
        "subnet_ids": ["subnet-2a", "subnet-2b"],
        "security_group_ids": ["sg-2a"],
    }
    assert "vpc" not in router["routes"]["other"]
    assert router["settings"]["vpc"] == SHARED["vpc"]


def test_key_of_the_settings_reaches_the_task_callbacks_table(synthesise):
    text = SMALL.replace(HTTP, "{type: task-callback, correlation_key: data.job}").replace(
        "routes:", f"{SETTINGS}routes:"
    )

    target = synthesise(text)["dev"].module("router")["routes"]["ready"]["target"]

    assert target["task_callback"]["kms_key"] == SHARED["kms_key"]


# -------------------------------------------------------------------------------------------------------------- state


def test_state_is_a_file_beside_the_workflow_file(synthesise, tmp_path):
    stack = synthesise(SMALL)["dev"]

    path = Path(stack.document["terraform"]["backend"]["local"]["path"])
    assert not path.is_absolute()
    assert (stack.folder / path).resolve() == tmp_path / "state" / "media-dev.tfstate"


def test_state_in_s3_is_encrypted_and_locked(synthesise):
    text = SMALL.replace(
        "region: eu-west-1}", "region: eu-west-1, state: {type: s3, bucket: states, region: eu-west-3}}"
    )

    assert synthesise(text)["dev"].document["terraform"]["backend"] == {
        "s3": {
            "bucket": "states",
            "key": "media-events/media/dev.tfstate",
            "region": "eu-west-3",
            "encrypt": True,
            "use_lockfile": True,
        }
    }
