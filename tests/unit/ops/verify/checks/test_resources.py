"""What is deployed is there, and as it should be: functions, event sources, rules, queues, storage, endpoints."""

from __future__ import annotations

import json

import pytest

from media_events_kit.event_patterns import effective_pattern
from media_events_kit.ops.verify.checks import endpoints, event_sources, functions, queues, rules, storage
from media_events_kit.ops.verify.run import CHECKS
from tests.fakes.deployed_account import FUNCTIONS, ROUTE, TOPIC, queue_arn

API = "https://a1b2.execute-api.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_deployment_in_which_all_is_well_passes(check, amiss):
    assert amiss(check) == []


def test_no_check_changes_anything(account):
    for check in CHECKS.values():
        list(check(account.deployed))
    reading = ("get_", "list_", "describe_", "head_", "simulate_")
    assert {name for name, _ in account.calls if not any(f"_{word}" in f"_{name}" for word in reading)} == set()
    # The secrets' values are nobody's business.
    assert "secretsmanager_get_secret_value" not in {name for name, _ in account.calls}


# --- functions -------------------------------------------------------------------------------------------------


def test_a_function_that_is_not_there_fails(account, amiss):
    del account.functions[ROUTE]
    assert ("function media-dev-to-cms", "fail", "is not there") in amiss(functions.check)


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("State", "Failed", "State is Failed: the role is gone"),
        ("LastUpdateStatus", "Failed", "LastUpdateStatus is Failed: AWS gives no reason"),
        ("CodeSha256", "other", "runs another package than the built one"),
    ],
)
def test_a_function_that_does_not_run_what_was_built_fails(account, amiss, field, value, found):
    account.functions[ROUTE] |= {field: value, "StateReason": "the role is gone"}
    assert amiss(functions.check) == [("function media-dev-to-cms", "fail", found)]


def test_a_configuration_that_is_another_one_than_the_function_expects_fails(account, amiss):
    account.documents[ROUTE] = {"destination": {}}
    assert amiss(functions.check) == [(f"configuration of {ROUTE}", "fail", "is not there")]


def test_a_log_group_with_a_longer_name_is_another_one(account, amiss):
    account.logs_describe_log_groups = lambda logGroupNamePrefix: {  # noqa: N803
        "logGroups": [{"logGroupName": f"{logGroupNamePrefix}-2"}]
    }
    assert amiss(functions.check) == [
        (f"log group /aws/lambda/{name}", "fail", "is not there") for name in sorted(FUNCTIONS.values())
    ]


# --- event sources ---------------------------------------------------------------------------------------------


def test_a_disabled_event_source_fails(account, amiss):
    account.sources["media-dev-to-cms"][0]["State"] = "Disabled"
    assert amiss(event_sources.check) == [
        ("media-dev-to-cms → media-dev-to-cms", "fail", "is Disabled, so nothing is taken from the queue")
    ]


def test_a_dead_letter_queue_that_redrive_does_not_consume_fails(account, amiss):
    account.sources["media-dev-review"].pop()
    assert amiss(event_sources.check) == [("media-dev-to-cms-dlq → media-dev-review", "fail", "is not there")]


# --- rules -----------------------------------------------------------------------------------------------------


def test_a_disabled_rule_fails(account, amiss):
    account.rules[0]["State"] = "DISABLED"
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", "is DISABLED, so no event reaches the hop")]


def test_a_rule_that_the_workflow_disables_is_well_when_it_is_disabled(account, amiss):
    account.outputs["archive_replay"]["hops"][ROUTE]["enabled"] = False
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", "is enabled, though the workflow disables it")]
    account.rules[0]["State"] = "DISABLED"
    assert amiss(rules.check) == []


def test_a_rule_that_is_not_there_fails(account, amiss):
    account.rules.pop(0)
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", "is not there")]


def test_a_rule_with_a_pattern_of_somebody_else_fails(account, amiss):
    pattern = effective_pattern({"detail-type": ["asset.deleted"]}, hop=ROUTE, stage="received")
    account.rules[0]["EventPattern"] = json.dumps(pattern)
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", "has another pattern than Terraform's outputs")]


@pytest.mark.parametrize(
    ("dead_letters", "found"),
    [
        ({}, "its target to-cms has no dead-letter queue"),
        ({"Arn": queue_arn("other-dlq")}, "its target to-cms has the dead-letter queue other-dlq"),
    ],
)
def test_a_target_without_the_hop_s_dead_letter_queue_fails(account, amiss, dead_letters, found):
    account.targets["media-dev-to-cms"][0]["DeadLetterConfig"] = dead_letters
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", found)]


def test_a_rule_without_targets_fails(account, amiss):
    account.targets.clear()
    assert amiss(rules.check) == [(f"rule of {ROUTE}", "fail", "has no target, so its events are lost")]


def test_an_ingress_s_own_rule_is_looked_at_too(account, amiss):
    account.rules.append(
        {"Name": "media-dev-workflows-ingest", "State": "DISABLED", "EventPattern": '{"source": ["a"]}'}
    )
    ((subject, verdict, found),) = amiss(rules.check)
    assert (subject, verdict) == ("rule media-dev-workflows-ingest", "fail")
    assert "DISABLED" in found
    assert "no target" in found


def test_an_ingress_s_target_without_a_dead_letter_queue_fails(account, amiss):
    name = "media-dev-workflows-ingest"
    account.rules.append({"Name": name, "State": "ENABLED", "EventPattern": '{"source": ["a"]}'})
    account.targets[name] = [{"Id": "ingest", "Arn": queue_arn("media-dev-workflows")}]
    assert amiss(rules.check) == [(f"rule {name}", "fail", "its target ingest has no dead-letter queue")]
    account.targets[name][0]["DeadLetterConfig"] = {"Arn": queue_arn("media-dev-workflows-dlq")}
    assert amiss(rules.check) == []


def test_a_connection_that_is_not_authorized_fails(account, amiss):
    account.targets["media-dev-to-cms"][0]["Arn"] = "arn:aws:events:eu-west-1:123456789012:api-destination/crm/0a"
    assert amiss(rules.check) == []
    account.connection["ConnectionState"] = "DEAUTHORIZED"
    assert amiss(rules.check) == [
        (f"rule of {ROUTE}", "fail", "the connection crm is DEAUTHORIZED: AWS gives no reason")
    ]


def test_a_bus_with_a_key_and_no_dead_letter_queue_fails(account, amiss):
    account.bus["KmsKeyIdentifier"] = "arn:aws:kms:eu-west-1:123456789012:key/1"
    ((subject, verdict, found),) = amiss(rules.check)
    assert (subject, verdict) == ("bus media-dev", "fail")
    assert "events are lost" in found
    account.bus["DeadLetterConfig"] = {"Arn": queue_arn("media-dev-bus-dlq")}
    assert amiss(rules.check) == []


def test_a_disabled_archive_fails(account, amiss):
    account.archive |= {"State": "CREATE_FAILED", "StateReason": "no permission"}
    assert amiss(rules.check) == [("archive media-dev", "fail", "is CREATE_FAILED: no permission")]


# --- queues and storage ----------------------------------------------------------------------------------------


def test_a_queue_without_its_dead_letter_queue_fails(account, amiss):
    account.queues["media-dev-to-cms"] = {}
    assert amiss(queues.check) == [
        ("queue media-dev-to-cms", "fail", "has no redrive policy: what fails stays until it expires")
    ]
    account.queues["media-dev-to-cms"] = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue_arn("other")})}
    assert amiss(queues.check) == [("queue media-dev-to-cms", "fail", "sends dead letters to other")]


def test_a_dead_letter_queue_that_forgets_early_fails(account, amiss):
    account.queues["media-dev-to-cms-dlq"]["MessageRetentionPeriod"] = "345600"
    assert amiss(queues.check) == [("queue media-dev-to-cms-dlq", "fail", "keeps messages for 345600 s only")]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("status", "ARCHIVED", "is ARCHIVED"),
        ("expiry", "DISABLED", "expires nothing, so it grows for ever"),
        ("recovery", "DISABLED", "has no point-in-time recovery"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_fails(account, amiss, field, value, found):
    account.tables["media-dev-review"][field] = value
    assert amiss(storage.check) == [("table media-dev-review", "fail", found)]


def test_tables_and_buckets_that_are_not_there_fail(account, amiss):
    del account.tables["media-dev-idempotency"]
    account.buckets.clear()
    assert amiss(storage.check) == [
        ("table media-dev-idempotency", "fail", "is not there"),
        ("bucket media-dev", "fail", "is not there"),
    ]


# --- endpoints -------------------------------------------------------------------------------------------------


def test_an_api_without_its_stage_or_routes_fails(account, amiss):
    account.stages.clear()
    account.routes.clear()
    assert amiss(endpoints.check) == [
        (f"API {API}", "fail", "has no stage, so it answers nobody; has no route to the webhooks")
    ]


def test_the_api_behind_a_domain_is_found_by_its_mapping(account, amiss):
    account.outputs["api_endpoint"] = "https://hooks.example.com"
    assert amiss(endpoints.check) == []
    account.outputs["api_endpoint"] = "https://other.example.com"
    assert amiss(endpoints.check) == [("API https://other.example.com", "fail", "is not there")]


def test_a_topic_that_is_not_there_and_a_state_machine_that_goes_fail(account, amiss):
    account.topics.clear()
    account.state_machine["status"] = "DELETING"
    assert amiss(endpoints.check) == [
        (f"topic {TOPIC.rpartition(':')[2]}", "fail", "is not there"),
        ("state machine of ingest", "fail", "is DELETING"),
    ]
