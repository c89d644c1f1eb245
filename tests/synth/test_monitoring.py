"""What shows a stack as a whole: the alarms that notify for all others, the dashboard, the resource group."""

import json
from typing import Any

import pytest

from tests.fakes.workflows import SMALL
from tests.synth.offline_terraform import plan

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"


def composite_alarms(stack: Any) -> dict[str, Any]:
    alarms: dict[str, Any] = stack.document["resource"].get("aws_cloudwatch_composite_alarm", {})
    return alarms


# -------------------------------------------------------------------------------------------------------------- alarms


def test_alarm_that_a_person_is_needed_tells_the_review_topic_by_default(synthesise):
    alarms = composite_alarms(synthesise(SMALL)["dev"])

    assert {name: (alarm["alarm_name"], alarm.get("alarm_actions")) for name, alarm in alarms.items()} == {
        "person-needed": ("media-dev-person-needed", ["${module.review.topic_arn}"]),
        "person-needed-part": ("media-dev-person-needed-${count.index + 1}", None),
    }
    assert [name for name, alarm in alarms.items() if alarm.get("ok_actions")] == []


@pytest.mark.parametrize("address", ["docs/reference/runbook.md", "https://wiki.example.com/runbook"])
def test_alarms_that_tell_of_others_lead_to_the_runbook_wherever_it_is(synthesise, address):
    settings = f"settings: {{alarms: {{runbook_url: '{address}', actions: {{warning: [w]}}}}}}\n"

    alarms = composite_alarms(synthesise(SMALL + settings)["dev"])

    ends = {alarm["alarm_description"].rpartition(" Runbook: ")[2] for alarm in alarms.values()}
    assert len(alarms) == 4
    assert ends == {f"{address}#person-needed"}


def test_alarms_tell_whom_the_workflow_names_of_the_states_that_it_names(synthesise):
    settings = f"settings: {{alarms: {{notify_on: [ALARM, OK], actions: {{critical: ['{TOPIC}'], warning: [w]}}}}}}\n"

    alarms = composite_alarms(synthesise(SMALL + settings)["dev"])

    assert (alarms["person-needed"]["alarm_actions"], alarms["person-needed"]["ok_actions"]) == ([TOPIC], [TOPIC])
    assert (alarms["slow"]["alarm_actions"], alarms["slow"]["ok_actions"]) == (["w"], ["w"])


def test_alarms_of_each_module_are_named_once_though_a_bus_with_a_key_has_dead_letters_too(synthesise):
    key = "settings: {kms_key: {arn: 'arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000'}}\n"

    alarms = composite_alarms(synthesise(SMALL + key)["dev"])

    assert sorted(alarms["person-needed"]["depends_on"]) == [
        "module.bus",
        "module.ingress",
        "module.review",
        "module.router",
    ]


@pytest.mark.parametrize(
    ("states", "left"),
    [("", ["INSUFFICIENT_DATA"]), ("settings: {alarms: {notify_on: [ALARM, OK]}}\n", [])],
    ids=["by default", "without lack of data"],
)
def test_modules_alarms_notify_of_nothing_but_a_lack_of_data(synthesise, states, left):
    modules = synthesise(SMALL + states)["dev"].document["module"]

    with_alarms = {name: module for name, module in modules.items() if name not in {"storage", "package", "dashboard"}}
    assert {name: module["settings"]["alarms"]["notify_on"] for name, module in with_alarms.items()} == dict.fromkeys(
        ("bus", "ingress", "router", "review"), left
    )


@pytest.mark.parametrize(
    ("alarms", "made"),
    [("{enabled: false}", set()), ("{severities: [critical]}", {"person-needed", "person-needed-part"})],
)
def test_only_alarms_of_the_selected_severities_are_made(synthesise, alarms, made):
    assert composite_alarms(synthesise(f"{SMALL}settings: {{alarms: {alarms}}}\n")["dev"]).keys() == made


# ----------------------------------------------------------------------------------------------------------- dashboard


def test_dashboard_shows_what_the_modules_put_out(synthesise):
    dashboard = synthesise(SMALL)["dev"].module("dashboard")

    functions = "merge(module.ingress.{0}, module.router.{0}, module.review.{0})"
    assert dashboard | {"//": None, "source": None} == {
        "//": None,
        "source": None,
        "name": "media-dev",
        "bus_arn": "${module.bus.bus_arn}",
        "function_arns": f"${{{functions.format('function_arns')}}}",
        "dead_letter_queues": "${merge(module.ingress.dead_letter_queues, module.router.dead_letter_queues)}",
        "log_group_names": f"${{{functions.format('log_group_names')}}}",
        "alarm_arns": "${concat(aws_cloudwatch_composite_alarm.person-needed[*].arn)}",
    }
    assert "alarm_arns" not in synthesise(f"{SMALL}settings: {{alarms: {{enabled: false}}}}\n")["dev"].module(
        "dashboard"
    )


def test_dashboard_that_the_stack_had_itself_is_moved_and_not_made_anew(synthesise):
    """Terraform may delete the former after it has made the new one, and both have one name."""
    moved = synthesise(SMALL)["dev"].document["moved"]

    assert {
        "from": "aws_cloudwatch_dashboard.dashboard",
        "to": "module.dashboard.aws_cloudwatch_dashboard.this",
    } in moved


def test_dashboard_may_be_left_out(synthesise):
    document = synthesise(SMALL + "dashboard: false\n")["dev"].document

    assert "dashboard" not in document["module"]
    assert not any("dashboard" in move["from"] for move in document["moved"])


def test_resource_group_finds_what_has_the_stacks_tags(synthesise):
    group = synthesise(SMALL + "tags: {team: ingest}\n")["dev"].document["resource"]["aws_resourcegroups_group"]

    assert group["resources"]["name"] == "media-dev"
    assert json.loads(group["resources"]["resource_query"]["query"])["TagFilters"] == [
        {"Key": "workflow", "Values": ["media"]},
        {"Key": "environment", "Values": ["dev"]},
    ]


# -------------------------------------------------------------------------------------------------- Terraform's answers

FACTS = {
    "person-needed-alarms": [f"media-dev-{number}" for number in range(120)],
    "slow-alarms": ["media-dev-age"],
}


@pytest.fixture(name="planned", scope="module")
def _planned(tmp_path_factory: pytest.TempPathFactory, default_stacks: dict[str, Any]) -> dict[str, Any]:
    """What Terraform makes of the dev stack's own resources where the modules put out ``FACTS``, by address."""
    folder = tmp_path_factory.mktemp("monitoring")
    document = default_stacks["dev"].document
    resources = {kind: dict(members) for kind, members in document["resource"].items()}
    # The workflow names somebody for warnings in this environment alone.
    resources["aws_cloudwatch_composite_alarm"] |= {
        name: alarm for name, alarm in composite_alarms(default_stacks["local"]).items() if name.startswith("slow")
    }
    for members in resources.values():
        for name, resource in members.items():
            members[name] = {key: value for key, value in resource.items() if key != "depends_on"}
    resources["aws_cloudwatch_composite_alarm"]["person-needed"]["alarm_actions"] = [TOPIC]
    stack = {"terraform": document["terraform"], "locals": FACTS, "resource": resources}
    (folder / "cdk.tf.json").write_text(json.dumps(stack), encoding="utf-8")
    changes = plan(folder, "eu-west-1")["resource_changes"]
    return {change["address"]: change["change"]["after"] for change in changes}


@pytest.mark.terraform
def test_more_alarms_than_a_rule_may_name_are_told_by_parts(planned):
    parts = [planned[f"aws_cloudwatch_composite_alarm.person-needed-part[{number}]"] for number in range(3)]
    (whole,) = (planned[address] for address in planned if "composite_alarm.person-needed[" in address)

    named = " OR ".join(part["alarm_rule"] for part in parts)
    assert named == " OR ".join(f'ALARM("media-dev-{number}")' for number in range(120))
    assert max(part["alarm_rule"].count("ALARM") for part in parts) == 50
    assert whole["alarm_rule"] == " OR ".join(f'ALARM("media-dev-person-needed-{number}")' for number in (1, 2, 3))
    assert (whole["alarm_actions"], [part["alarm_actions"] for part in parts]) == ([TOPIC], [None] * 3)
    assert planned["aws_cloudwatch_composite_alarm.slow[0]"]["alarm_rule"] == 'ALARM("media-dev-age")'
    assert "aws_cloudwatch_composite_alarm.slow-part[0]" not in planned
