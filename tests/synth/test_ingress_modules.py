"""What the ingresses of a workflow come to in Terraform's JSON."""

import json
from typing import Any

import pytest

INGRESSES = """\
name: media
ingress:
  webhook: {type: webhook}
  queue: {type: sqs, fifo: true, senders: {Mam: {account_ids: ["210987654321"]}}, failure: {max_receive_count: 9}}
  theirs: {type: sqs, existing_queue: {arn: "arn:aws:sqs:eu-west-1:210987654321:events.fifo", age_alarm: false}}
  topic: {type: sns-fifo, topic_archive_days: 7, replay: {since: "2026-11-23T10:00:00Z"}}
  plain:
    {type: sns-fifo, existing_topic: {arn: "arn:aws:sns:eu-west-1:210987654321:events"}, filter_policy: {kind: [a]}}
  saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events, archive: {retention_days: 5}}
  apps: {type: custom-bus, senders: {Acme: {account_ids: ["210987654321"], sources: [com.acme]}}}
  services: {type: aws-services, enabled: false}
partners:
  mux: {specification: mux, ingress: [queue, webhook]}
  bitmovin: {specification: bitmovin, ingress: theirs}
  one: {specification: &own {id: body.id, type: body.type}, ingress: topic}
  two: {specification: *own, ingress: plain}
  three: {specification: *own, ingress: saas}
  acme: {ingress: apps, sources: [com.acme]}
  mediaconvert:
    specification: mediaconvert
    ingress: services
    sources: [aws.mediaconvert]
    pattern: {detail: {status: [COMPLETE]}}
failure:
  retry: {base_seconds: 2}
environments:
  dev: {region: eu-west-1}
"""


@pytest.fixture(name="stack")
def _stack(synthesise) -> Any:
    return synthesise(INGRESSES)["dev"]


def test_every_ingress_is_a_module(stack):
    modules = {name: module["source"].rsplit("/", 1)[1] for name, module in stack.document["module"].items()}

    assert {name: source for name, source in modules.items() if name.startswith("ingress")} == {
        "ingress": "ingress-apigw",
        "ingress-queue": "ingress-sqs",
        "ingress-theirs": "ingress-sqs",
        "ingress-topic": "ingress-sns-fifo",
        "ingress-plain": "ingress-sns-fifo",
        "ingress-saas": "bus-partner",
        "ingress-apps": "bus-ingress",
        "ingress-services": "bus-ingress",
    }
    assert {stack.module(f"ingress-{name}")["name"] for name in ("queue", "saas")} == {
        "media-dev-queue",
        "media-dev-saas",
    }
    assert {stack.module(name)["settings"]["package"] for name in modules if name.startswith("ingress")} == {
        "${module.package.package}"
    }


def test_queue_of_ours_and_somebody_elses(stack):
    ours, theirs = stack.module("ingress-queue"), stack.module("ingress-theirs")

    assert (ours["fifo"], ours["partner"], ours["specification"]) == (True, "mux", '{"preset":"mux"}')
    assert ours["senders"] == {"Mam": {"account_ids": ["210987654321"], "role_arns": []}}
    assert "existing_queue" not in ours
    assert theirs["fifo"] is True
    assert theirs["existing_queue"] == {
        "arn": "arn:aws:sqs:eu-west-1:210987654321:events.fifo",
        "url": "https://sqs.eu-west-1.amazonaws.com/210987654321/events.fifo",
        "age_alarm": False,
    }


def test_topic_of_ours_and_the_partners(stack):
    ours, theirs = stack.module("ingress-topic"), stack.module("ingress-plain")

    assert (ours["fifo"], ours["topic_archive_days"], ours["replay"]["from"]) == (True, 7, "2026-11-23T10:00:00Z")
    assert (theirs["fifo"], theirs["existing_topic"]) == (False, {"arn": "arn:aws:sns:eu-west-1:210987654321:events"})
    assert json.loads(theirs["filter_policy"]) == {"kind": ["a"]}


def test_buses(stack):
    saas, apps, services = (stack.module(f"ingress-{name}") for name in ("saas", "apps", "services"))

    assert (saas["event_source_name"], saas["partner"]) == ("aws.partner/acme.example/tenant/events", "three")
    assert saas["archive"] == {"retention_days": 5}
    assert apps["source_bus_arn"] == "${module.bus.bus_arn}"
    assert services["source_bus_arn"] == (
        '${join(":", concat(slice(split(":", module.bus.bus_arn), 0, 5), ["event-bus/default"]))}'
    )
    # Without a specification the function takes nothing but the envelope.
    assert apps["partners"] == {"acme": {"sources": ["com.acme"]}}
    assert services["partners"]["mediaconvert"] == {
        "sources": ["aws.mediaconvert"],
        "specification": '{"preset":"mediaconvert"}',
        "pattern": '{"detail":{"status":["COMPLETE"]}}',
    }
    assert services["queue"]["enabled"] is False
    assert stack.module("bus")["senders"] == {
        "Acme": {"account_ids": ["210987654321"], "role_arns": [], "sources": ["com.acme"]}
    }


def test_failures_are_the_workflows_but_for_what_an_ingress_says(stack):
    queue, topic = stack.module("ingress-queue")["failure"], stack.module("ingress-topic")["failure"]

    assert (queue["max_receive_count"], topic["max_receive_count"]) == (9, 5)
    assert (queue["retry"]["base_seconds"], topic["retry"]["base_seconds"]) == (2, 2)
    # An ingress has its queue in any case.
    assert [name for name, module in stack.document["module"].items() if "function_retry" in module] == []


def test_ingresses_of_one_partner_share_the_webhooks_idempotency_table_and_others_have_their_own(stack):
    modules = stack.document["module"]

    assert modules["ingress-queue"]["idempotency_table"] == "${one(values(module.ingress.idempotency_tables))}"
    assert [name for name, module in modules.items() if "idempotency_table" in module] == ["ingress-queue"]


def test_ingresses_without_a_webhook_share_the_firsts_idempotency_table(synthesise):
    text = INGRESSES.replace("ingress: [queue, webhook]", "ingress: [topic, queue]").replace(
        "  one: {specification: &own {id: body.id, type: body.type}, ingress: topic}\n", ""
    )
    text = text.replace(
        "specification: *own, ingress: plain", "specification: &own {id: body.id, type: body.type}, ingress: plain"
    )
    stack = synthesise(text)["dev"]

    assert "ingress" not in stack.document["module"]
    assert stack.module("ingress-topic")["idempotency_table"] == (
        "${one(values(module.ingress-queue.idempotency_tables))}"
    )
    assert "idempotency_table" not in stack.module("ingress-queue")


def test_review_attends_to_the_dead_letters_of_every_ingress(stack):
    queues = stack.module("review")["dead_letter_queues"]

    for name in ("ingress", "ingress-queue", "ingress-theirs", "ingress-topic", "ingress-saas", "ingress-services"):
        assert f"module.{name}.dead_letter_queues" in queues


def test_where_to_send_and_what_senders_need_comes_out(stack):
    outputs = stack.document["output"]

    assert outputs["ingress_queue_urls"]["value"] == {
        "queue": "${module.ingress-queue.queue_url}",
        "theirs": "${module.ingress-theirs.queue_url}",
    }
    assert outputs["ingress_topic_arns"]["value"]["topic"] == "${module.ingress-topic.topic_arn}"
    assert outputs["partner_bus_names"]["value"] == {"saas": '${split(":event-bus/", module.ingress-saas.bus_arn)[1]}'}
    assert outputs["ingress_policies"]["value"] == {
        "queue": "${module.ingress-queue.sender_policy}",
        "theirs": "${module.ingress-theirs.existing_queue_policy}",
        "topic": "${module.ingress-topic.sender_policy}",
        "plain": "${module.ingress-plain.existing_topic_policy}",
    }
    for name in ("ingress", "ingress-queue", "ingress-services"):
        assert f"module.{name}.function_arns" in outputs["functions"]["value"]
        assert f"module.{name}.log_group_names" in outputs["log_group_names"]["value"]


def test_ingress_that_no_partner_takes_is_not_made(synthesise):
    stack = synthesise(INGRESSES.replace("  bitmovin: {specification: bitmovin, ingress: theirs}\n", ""))["dev"]

    assert "ingress-theirs" not in stack.document["module"]


UNMODIFIED = """\
name: media
ingress:
  saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events, forward_unmodified: true}
  apps: {type: custom-bus}
partners:
  acme:
    specification: {id: body.id, type: body.type}
    ingress: [saas, apps]
    sources: [aws.partner/acme.example/tenant/events]
environments:
  dev: {region: eu-west-1}
"""


def test_partners_events_may_be_forwarded_unmodified_and_be_taken_into_the_envelope_on_the_bus(synthesise):
    stack = synthesise(UNMODIFIED)["dev"]

    saas, apps = stack.module("ingress-saas"), stack.module("ingress-apps")
    assert saas["forward_unmodified"] is True
    assert (saas["bus_arn"], saas["sources"]) == ("${module.bus.bus_arn}", ["aws.partner/acme.example/tenant/events"])
    assert not {"partner", "specification", "idempotency_table"} & saas.keys()
    assert apps["partners"]["acme"]["sources"] == ["aws.partner/acme.example/tenant/events"]
    assert "idempotency_table" not in apps


def test_ingress_without_a_function_has_no_function_log_or_idempotency_table_but_dead_letters(synthesise):
    stack = synthesise(UNMODIFIED)["dev"]

    outputs = json.dumps({name: stack.document["output"][name] for name in ("functions", "log_group_names")})
    assert "ingress-saas" not in outputs
    assert "ingress-apps" in outputs
    assert stack.document["output"]["idempotency_table_names"]["value"] == (
        "${distinct(values(merge(module.ingress-apps.idempotency_tables))[*].name)}"
    )
    assert "module.ingress-saas.dead_letter_queues" in stack.module("review")["dead_letter_queues"]
    assert stack.document["output"]["partner_bus_names"]["value"] == {
        "saas": '${split(":event-bus/", module.ingress-saas.bus_arn)[1]}'
    }


CLOUDFRONT = """\
name: media
ingress:
  webhook:
    type: webhook
    cloudfront:
      requests_per_5_minutes: 5000
      domain: {name: hooks.example.com, certificate_arn: "arn:aws:acm:us-east-1:123456789012:certificate/1"}
partners:
  mux: {specification: mux, ingress: webhook}
environments:
  dev: {region: eu-west-1}
"""


def test_cloudfront_is_in_front_with_a_provider_of_its_region_and_partners_get_its_address(synthesise):
    stack = synthesise(CLOUDFRONT)["dev"]

    assert stack.module("ingress")["behind_cloudfront"] is True
    front = stack.module("cloudfront")
    assert front["source"].endswith("/modules/internal/cloudfront")
    assert front["providers"] == {"aws": "aws.us_east_1"}
    assert front["api_endpoint"] == "${module.ingress.api_endpoint}"
    assert (front["name"], front["requests_per_5_minutes"]) == ("media-dev-webhooks", 5000)
    assert front["domain"]["name"] == "hooks.example.com"
    provider = next(each for each in stack.document["provider"]["aws"] if each.get("alias"))
    assert (provider["alias"], provider["region"]) == ("us_east_1", "us-east-1")
    outputs = {name: output["value"] for name, output in stack.document["output"].items()}
    assert outputs["webhook_urls"] == "${module.cloudfront.webhook_urls}"
    assert outputs["domain_target"] == "${module.cloudfront.domain_target}"
    assert outputs["origin_secret_name"] == "${module.ingress.origin_secret_name}"
    assert outputs["key_value_store_arn"] == "${module.cloudfront.key_value_store_arn}"


def test_without_cloudfront_there_is_one_provider_and_no_module_of_it(stack):
    assert "cloudfront" not in stack.document["module"]
    assert len(stack.document["provider"]["aws"]) == 1
