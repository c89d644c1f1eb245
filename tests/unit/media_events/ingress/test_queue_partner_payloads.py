"""Every sample payload, through its sender's ingress."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops.send.samples import SAMPLES
from tests.fakes.queue_ingress import SENT_TIME, IngressHarness, aws_event, sqs_record, text_attributes

DATA = Path(__file__).resolve().parents[3] / "data"
EXPECTED: dict[str, Any] = json.loads((DATA / "expected_events.json").read_text(encoding="utf-8"))
AWS = [name for name in EXPECTED if name.startswith("aws_")]
WEBHOOKS = [name for name in EXPECTED if name not in AWS]
OWN = {"id": "body.id", "type": {"first": ["body.type", 'envelope."detail-type"']}, "time": "body.occurredAt"} | {
    "types": {"asset.ready": "asset.ready"},
    "subject": "body.assetId",
    "sequence": "body.version",
}


def payload(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8")


def check(event: Any, expected: dict[str, Any], entry: str) -> None:
    metadata = event.metadata
    assert metadata.id == expected["id"] or (expected["id"] is None and metadata.id.startswith("sha256:"))
    for attribute in ("nativetype", "type", "subject", "partitionkey", "sequence", "correlationid"):
        assert getattr(metadata, attribute) == expected[attribute], attribute
    assert metadata.time == (expected["time"] or SENT_TIME)
    assert (metadata.recordedtime, metadata.partner, metadata.source) == (SENT_TIME, "acme", "partner.acme")
    assert (metadata.ingress, metadata.stage, metadata.hops) == (entry, "received", 0)


@pytest.mark.parametrize("name", WEBHOOKS)
def test_payload_of_a_webhook_is_the_same_event_from_a_queue(monkeypatch, name):
    expected = EXPECTED[name]
    harness = IngressHarness(partners={"acme": {"specification": {"preset": expected["preset"]}}}).install(monkeypatch)
    # A webhook's headers become message attributes.
    record = sqs_record(payload(name), attributes=text_attributes({"X-Frameio-Request-Timestamp": "1741083330"}))

    assert harness.take(record) == []

    (event,) = harness.bus.events
    check(event, expected["metadata"], "sqs")


@pytest.mark.parametrize("name", AWS)
def test_payload_of_an_aws_service_comes_off_the_bus(monkeypatch, name):
    expected = EXPECTED[name]
    source = json.loads(payload(name))["source"]
    harness = IngressHarness(
        "custom-bus", {"acme": {"specification": {"preset": expected["preset"]}, "sources": [source]}}
    ).install(monkeypatch)

    assert harness.take(sqs_record(payload(name))) == []

    (event,) = harness.bus.events
    check(event, expected["metadata"], "custom-bus")
    assert event.data == json.loads(payload(name))["detail"]


@pytest.mark.parametrize(("state", "neutral"), [("Stream Start", "live.started"), ("Stream Failure", "live.failed")])
def test_ivs_event_comes_off_the_bus(monkeypatch, state, neutral):
    harness = IngressHarness(
        "custom-bus", {"ivs": {"specification": {"preset": "ivs"}, "sources": ["aws.ivs"]}}
    ).install(monkeypatch)
    detail = {"event_name": state, "channel_name": "Channel", "stream_id": "st-1"}
    body = aws_event("aws.ivs", detail, **{"detail-type": "IVS Stream State Change"})

    assert harness.take(sqs_record(body)) == []

    (event,) = harness.bus.events
    assert (event.metadata.type, event.metadata.partitionkey) == (neutral, "st-1")
    assert event.metadata.subject == "Channel"


@pytest.mark.parametrize(
    ("name", "entry", "sources", "expected"),
    [
        (
            "eventbridge_partner-generic",
            "partner-bus",
            ["aws.partner/media-partner.example.com/*"],
            ("evt_0001", "asset.ready", None),
        ),
        (
            "eventbridge_custom-partner-asset-approved",
            "custom-bus",
            ["media.partner.example"],
            ("evt_0002", "asset.approved", "00000000000000000003"),
        ),
    ],
)
def test_unknown_partner_is_received_from_a_bus(monkeypatch, name, entry, sources, expected):
    harness = IngressHarness(entry, {"acme": {"specification": OWN, "sources": sources}}).install(monkeypatch)

    assert harness.take(sqs_record(payload(name))) == []

    metadata = harness.bus.events[0].metadata
    assert (metadata.id, metadata.type, metadata.sequence) == expected
    assert (metadata.time, metadata.subject, metadata.ingress) == ("2025-03-04T10:15:29Z", "house-id-0001", entry)
    assert metadata.partitionkey == "house-id-0001"


def test_notification_from_a_fifo_topic_keeps_group_and_order(monkeypatch):
    harness = IngressHarness("sns-fifo", {"acme": {"specification": OWN}}).install(monkeypatch)

    answer = harness.invoke(json.loads(payload("sqs_fifo-from-sns_fifo-lambda_event")))

    assert answer == {"batchItemFailures": []}
    metadata = harness.bus.events[0].metadata
    assert (metadata.id, metadata.type, metadata.ingress) == ("evt_0003", "asset.ready", "sns-fifo")
    assert (metadata.partitionkey, metadata.sequence) == ("house-id-0001", "18873177232222703872")
    assert (metadata.time, metadata.recordedtime) == ("2025-03-04T10:15:29Z", "2025-03-04T10:15:30.442Z")


def test_every_payload_goes_through_an_ingress():
    own = {"eventbridge_partner-generic", "eventbridge_custom-partner-asset-approved"}
    sns = {"sqs_fifo-from-sns_fifo-lambda_event"}

    assert {path.stem for path in SAMPLES.iterdir()} == {*WEBHOOKS, *AWS, *own, *sns}
