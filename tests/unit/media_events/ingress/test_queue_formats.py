"""Messages of queues, topics and buses in other formats than JSON, and their dead letters."""

from __future__ import annotations

import base64
import json

import pytest

from tests.fakes.queue_ingress import IngressHarness, aws_event, dead_record, sqs_record

TOKEN = "T0KEN-that-nobody-may-see"
REDACT = {"redact": ["body.**.token"]}
XML = {"id": "body.r.id", "type": {"path": "body.r.type", "allowed": ["t"]}, "parsing": {"format": "xml"}, **REDACT}
WRAPPED = {
    "id": "body.id",
    "type": {"path": "body.type", "allowed": ["t"]},
    "parsing": {"unwrap": "parse_json(base64_decode(body.data))"},
    **REDACT,
}


def xml(kind):
    return f"<r><id>1</id><type>{kind}</type><token>{TOKEN}</token></r>"


def wrapper(kind):
    inner = json.dumps({"id": "1", "type": kind, "token": TOKEN}).encode()
    return {"data": base64.b64encode(inner).decode(), "more": 1}


def by_sns(body):
    return json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:x", "Message": body})


CASES = {
    "xml": ("sqs", XML, xml, {"r": {"id": "1", "type": "t", "token": "[redacted]"}}),
    "xml by SNS": ("sqs", XML, lambda kind: by_sns(xml(kind)), {"r": {"id": "1", "type": "t", "token": "[redacted]"}}),
    "wrapped": (
        "sqs",
        WRAPPED,
        lambda kind: json.dumps(wrapper(kind)),
        {"id": "1", "type": "t", "token": "[redacted]"},
    ),
    "wrapped on a bus": (
        "custom-bus",
        WRAPPED,
        lambda kind: aws_event("com.acme", wrapper(kind)),
        {"id": "1", "type": "t", "token": "[redacted]"},
    ),
}


def harness_of(monkeypatch, ingress, specification):
    partner = {"specification": specification, **({"sources": ["com.acme"]} if ingress == "custom-bus" else {})}
    return IngressHarness(ingress, {"acme": partner}).install(monkeypatch)


@pytest.mark.parametrize("case", CASES)
def test_message_becomes_the_event_that_it_holds(monkeypatch, case):
    ingress, specification, body, data = CASES[case]
    harness = harness_of(monkeypatch, ingress, specification)

    assert harness.take(sqs_record(body("t"))) == []

    (event,) = harness.bus.events
    assert (event.metadata.id, event.data) == ("1", data)


@pytest.mark.attack("B20")
@pytest.mark.parametrize("case", CASES)
def test_b20_dead_letter_has_no_credentials_and_is_the_event_once_the_specification_takes_it(monkeypatch, case):
    ingress, specification, body, data = CASES[case]
    harness = harness_of(monkeypatch, ingress, specification)
    harness.take(sqs_record(body("u")))
    dead = dead_record(harness)
    stored = json.dumps(dead)
    assert TOKEN not in stored
    assert base64.b64encode(TOKEN.encode()).decode()[4:20] not in stored

    later = harness_of(monkeypatch, ingress, {**specification, "type": {**specification["type"], "allowed": ["u"]}})
    assert later.invoke({"record": dead})["ids"] == ["1"]

    (event,) = later.bus.events
    assert event.metadata.id == "1"
    assert event.data == json.loads(json.dumps(data).replace('"type": "t"', '"type": "u"'))
