"""The changes under traffic are valid workflows, and a rule without a target is seen; moto is the cloud."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from media_events_kit.infra.loader.workflow_file import load_text
from media_events_kit.ops.local.function_logs import LogLine
from tests.faults.local_cloud.changes import BY_RULE, in_doubt
from tests.faults.local_cloud.changing_cloud import RuleWatch
from tests.faults.local_cloud.changing_workflow import CHANGES, CONNECTION, KEY, SMALL_DESTINATIONS, Workflow, workflow


def load(whole: Workflow) -> None:
    """Read ``whole`` as the app does, with ARNs in the places of their names."""
    arns = {
        CONNECTION: "arn:aws:events:us-east-1:000000000000:connection/changing-search/6f169a47",
        KEY: "arn:aws:kms:us-east-1:000000000000:key/6f169a47-f263-466c-978f-ab238a9dc888",
    }
    text = json.dumps(whole)
    for name, arn in arns.items():
        text = text.replace(f"<{name}>", arn)
    load_text(text, {}, Path("workflow.yaml"))


def test_each_change_makes_another_valid_workflow():
    whole = workflow(18_999)
    for change in CHANGES:
        after = change(whole)
        assert after != whole, change.name
        load(after)
        whole = after


def test_small_workflow_is_valid_and_keeps_every_destination():
    whole = workflow(18_999, small=True)
    load(whole)
    assert whole["destinations"].keys() == {name for names in SMALL_DESTINATIONS.values() for name in names}


@pytest.fixture(name="events")
def _events() -> Any:
    with mock_aws():
        client = boto3.client("events", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        client.put_rule(Name="cms", EventPattern='{"source": ["partner.mux"]}')
        client.put_targets(Rule="cms", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:cms"}])
        yield client


def watched(events: Any, change: Any) -> dict[str, float]:
    clients: Any = SimpleNamespace(events=events)
    watch = RuleWatch(clients, seconds=0.01)
    watch.start()
    try:
        for step in (lambda: None, change):
            step()
            looks = watch.looks
            while watch.looks < looks + 2:
                time.sleep(0.01)
        return watch.bare()
    finally:
        watch.stop()


def test_rule_that_lost_its_target_is_seen(events: Any):
    assert list(watched(events, lambda: events.remove_targets(Rule="cms", Ids=["1"]))) == ["cms"]


def test_rule_that_is_off_gone_or_new_is_no_finding(events: Any):
    def change() -> None:
        events.put_rule(Name="new", EventPattern='{"source": ["partner.mux"]}')
        events.remove_targets(Rule="cms", Ids=["1"])
        events.delete_rule(Name="cms")

    assert watched(events, change) == {}


@pytest.mark.parametrize(
    ("function", "reason", "places"),
    [
        ("topic", "aws-ReadTimeoutError", {(name, "evt-000007") for name in BY_RULE}),
        ("archive", "aws-ReadTimeoutError", {("archive", "evt-000007")}),
        ("plain", "timeout", {("plain", "evt-000007")}),
        ("topic", "aws-ThrottlingException", set()),
        ("archive", None, set()),
    ],
)
def test_a_repetition_is_explained_only_where_a_function_did_not_learn_of_its_effect(
    function: str, reason: str | None, places: set[tuple[str, str]]
):
    line = LogLine(f"changing-local-{function}", 0, "", {"event_id": "evt-000007", "reason": reason})

    # A second line about it, as of a dead letter, explains no second repetition.
    assert in_doubt([line, line]) == dict.fromkeys(places, 1)
