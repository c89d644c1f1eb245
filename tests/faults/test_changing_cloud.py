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
from tests.faults.local_cloud.changing_cloud import RuleWatch
from tests.faults.local_cloud.changing_workflow import CHANGES, DESTINATIONS, workflow


def test_each_change_makes_another_valid_workflow():
    whole = workflow(18_999)
    for change in CHANGES:
        after = change(whole)
        assert after != whole, change.name
        load_text(json.dumps(after), {}, Path("workflow.yaml"))
        whole = after


def test_small_workflow_is_valid_and_keeps_every_destination():
    whole = workflow(18_999, small=True)
    load_text(json.dumps(whole), {}, Path("workflow.yaml"))
    assert whole["destinations"].keys() == {name for names in DESTINATIONS.values() for name in names}


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
