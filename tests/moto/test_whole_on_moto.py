"""A second emulator judges what we deploy: moto, which shares no code with the local cloud.

No function runs here: moto would need Docker. So this is about configuration, and about where events go.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.event_patterns import matches
from tests.moto.conftest import Applied
from tests.moto.whole import STATE, changed_attributes, resources

ROOT = Path(__file__).resolve().parents[2]

FORGOTTEN = {
    ("aws_lambda_function", "logging_config"): (
        "https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"
    ),
    ("aws_sns_topic", "archive_policy"): "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html",
    (
        "aws_sns_topic",
        "fifo_throughput_scope",
    ): "https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html",
}
"""What moto takes and doesn't give back, with AWS's page that has it."""


@pytest.fixture(scope="session")
def second_plan(applied: Applied) -> dict[str, Any]:
    return applied.terraform.second_plan(lambda _: None)


def test_the_stack_and_every_example_are_made(applied: Applied, second_plan: dict[str, Any]) -> None:
    state = second_plan["prior_state"]["values"]["root_module"]
    made = {
        child["address"].removeprefix("module."): sum(1 for _ in resources(child)) for child in state["child_modules"]
    }
    assert set(made) == set(applied.modules)
    assert min(made.values()) > 0
    assert made["dev"] > 200


def test_a_second_plan_changes_exactly_what_moto_forgets(second_plan: dict[str, Any]) -> None:
    changes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for resource in second_plan["resource_changes"]:
        for attribute in changed_attributes(resource["change"]):
            changes[resource["type"], attribute].append(resource["address"])
    assert set(changes) == set(FORGOTTEN), dict(changes)


def test_the_table_of_differences_names_the_page_of_each() -> None:
    table = (ROOT / "docs/explanation/local-cloud-differences.md").read_text(encoding="utf-8")
    server = (Path(__file__).with_name("server.py")).read_text(encoding="utf-8")
    pages = {*FORGOTTEN.values(), *re.findall(r"https://docs\.aws\.amazon\.com/\S+?\.html", server)}
    assert [page for page in sorted(pages) if page not in table] == []


def event(source: str, kind: str, stage: str = "received", **detail: Any) -> dict[str, Any]:
    metadata = {"source": source, "type": kind, "stage": stage, **detail.pop("metadata", {})}
    return {"source": source, "detail-type": kind, "detail": {"metadata": metadata, "data": detail.get("data", {})}}


MUX_READY = "partner.mux", "asset.ready"
EVENTS = {
    "as Mux says it": (
        event(*MUX_READY),
        {"normalise-asset", "steps-to-planning", "everything-to-lake"},
        {"tidy", "search-index", "audit"},
    ),
    "transformed": (
        event(*MUX_READY, "transformed", data={"duration_seconds": 12.5}),
        {"ready-to-cms", "ready-to-ingest"},
        {"catalogue", "ingest"},
    ),
    "without duration": (
        event(*MUX_READY, "transformed", data={"duration_seconds": 0}),
        {"ready-to-cms", "ready-to-ingest"},
        {"catalogue"},
    ),
    "a duration as text": (
        event(*MUX_READY, "transformed", data={"duration_seconds": "12"}),
        {"ready-to-cms", "ready-to-ingest"},
        {"catalogue"},
    ),
    "as Frame.io says it": (
        event("partner.frameio", "asset.ready"),
        {"complete-file", "steps-to-planning", "everything-to-lake"},
        {"search-index", "audit"},
    ),
    "a comment": (
        event("partner.frameio", "comment.created"),
        {"comments-to-review-tool", "everything-to-lake"},
        {"audit"},
    ),
    "a failed transcode": (
        event("partner.transcoder", "encode.failed"),
        {"transcodes-to-ingest", "everything-to-lake"},
        {"audit"},
    ),
    "an order": (
        event("partner.ingest", "transcode.ordered"),
        {"orders-to-transcoder", "everything-to-lake"},
        {"audit"},
    ),
    "deleted": (event("partner.mux", "asset.deleted", "transformed"), set(), {"catalogue"}),
    "redriven to one route": (
        event(*MUX_READY, "transformed", metadata={"redrive": {"route": "route/ready-to-cms", "count": 1}}),
        {"ready-to-cms"},
        set(),
    ),
    "redriven to one transform": (
        event(*MUX_READY, metadata={"redrive": {"route": "transform/tidy", "count": 1}}),
        set(),
        {"tidy"},
    ),
    "a probe": (event(*MUX_READY, "probe"), set(), set()),
    "a stranger's envelope": (event("example.mam", "asset.ready"), set(), set()),
    "a source that only resembles ours": (event("partners.mux", "asset.ready"), set(), set()),
}
"""Events, and the hops of the `dev` stack and of examples/router that they go to."""
BUSES = ("media-dev", "router")
PROTECTED = ("complete-review-items", "dlq-review-review-items")
"""The tables that a person has to let go before Terraform can delete them."""


@pytest.fixture(scope="session")
def rules(applied: Applied) -> Rules:
    """The rules of hops, by bus and hop; no function takes what comes to their queues."""
    for mapping in applied.clients.lambda_.list_event_source_mappings()["EventSourceMappings"]:
        applied.clients.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    return {bus: {rule.hop: rule for rule in Rule.read(applied, bus)} for bus in BUSES}


class Rule:
    """A rule and its only target."""

    def __init__(self, applied: Applied, bus: str, rule: Mapping[str, Any]) -> None:
        events = applied.clients.events
        [target] = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
        self.clients = applied.clients
        self.hop = rule["Name"].removeprefix(f"{bus}-")
        self.pattern = rule["EventPattern"]
        self.service, self.target = target["Arn"].split(":")[2], target["Arn"]

    @classmethod
    def read(cls, applied: Applied, bus: str) -> Iterator[Rule]:
        for rule in applied.clients.events.list_rules(EventBusName=bus)["Rules"]:
            # The archive's own rule has no target of ours, and a partner's plain events are no envelopes.
            if not rule.get("ManagedBy") and '"stage"' in rule["EventPattern"]:
                yield cls(applied, bus, rule)

    def takes(self, event: Mapping[str, Any]) -> bool:
        return matches(json.loads(self.pattern), event)

    def received(self) -> list[dict[str, Any]]:
        """What the target has got."""
        if self.service == "logs":
            group = self.target.partition(":log-group:")[2].removesuffix(":*")
            found = self.clients.logs.filter_log_events(logGroupName=group)["events"]
            return [json.loads(line["message"]) for line in found]
        name = self.target.rpartition(":")[2]
        url = self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        messages = self.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


Rules = dict[str, dict[str, Rule]]


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("bus", BUSES)
def test_an_event_goes_to_the_hops_it_is_for(
    applied: Applied, rules: dict[str, dict[str, Rule]], name: str, bus: str
) -> None:
    sent, *expected = EVENTS[name]
    hops = expected[0] if bus == "media-dev" else expected[1]
    detail = sent["detail"] | {"metadata": sent["detail"]["metadata"] | {"id": f"{name} on {bus}"}}
    entry = {
        "Source": sent["source"],
        "DetailType": sent["detail-type"],
        "Detail": json.dumps(detail),
        "EventBusName": bus,
    }
    assert applied.clients.events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    # EventBridge itself calls an API destination, and moto doesn't.
    observable = {hop: rule for hop, rule in rules[bus].items() if rule.service in {"sqs", "logs"}}
    arrived = {hop for hop, rule in observable.items() if detail in [event["detail"] for event in rule.received()]}
    assert arrived == hops
    assert {hop for hop, rule in observable.items() if rule.takes(sent | {"detail": detail})} == hops


def test_destroy_leaves_nothing(applied: Applied) -> None:
    tables = [applied.clients.dynamodb.describe_table(TableName=name)["Table"] for name in PROTECTED]
    assert all(table["DeletionProtectionEnabled"] for table in tables)
    for name in PROTECTED:
        applied.clients.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    applied.terraform.destroy(lambda _: None)
    state = applied.clients.s3.get_object(Bucket=str(STATE["bucket"]), Key=str(STATE["key"]))
    assert json.load(state["Body"])["resources"] == []
    assert applied.clients.sqs.list_queues().get("QueueUrls", []) == []
    assert [bucket["Name"] for bucket in applied.clients.s3.list_buckets()["Buckets"]] == [STATE["bucket"]]
    assert applied.clients.events.list_event_buses()["EventBuses"][1:] == []
    assert applied.clients.lambda_.list_functions()["Functions"] == []
