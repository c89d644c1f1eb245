"""Events of partner buses and the custom bus: their partners, and those already in the envelope."""

from __future__ import annotations

import json

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.ingress.queue_config import parse_queue_partners
from media_events.partners.attributes import digest_of
from tests.fakes.queue_ingress import SENT_TIME, IngressHarness, aws_event, sqs_record

SPECIFICATION = {
    "types": {"asset.ready": "asset.ready"},
    "id": "envelope.id",
    "type": 'envelope."detail-type"',
    "time": "envelope.time",
    "subject": "body.asset",
}


def partner(*sources, **changes):
    return {"specification": {**SPECIFICATION, **changes}, "sources": list(sources)}


PARTNERS = {
    "acme": partner("com.acme.mam", "com.acme.qc.*"),
    "convert": {"specification": {"preset": "mediaconvert"}, "sources": ["aws.mediaconvert"]},
    "speaks": {"sources": ["com.speaks"]},
}


@pytest.fixture(name="harness")
def _harness(monkeypatch):
    return IngressHarness("custom-bus", PARTNERS).install(monkeypatch)


def enveloped(metadata=None, **changes):
    given = {"specversion": "1.0", "id": "own-1", "type": "asset.ready", "subject": "a-7"}
    return {"metadata": given | (metadata or {}), "data": {"asset": "a-7"}} | changes


# --- whose event it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name"),
    [("com.acme.mam", "acme"), ("com.acme.qc.lab-1", "acme"), ("com.acme.qc.", "acme")],
)
def test_partner_is_found_by_the_events_source(harness, source, name):
    assert harness.take(sqs_record(aws_event(source, {"asset": "a-1"}))) == []

    metadata = harness.bus.events[0].metadata
    assert (metadata.partner, metadata.source, metadata.ingress) == (name, f"partner.{name}", "custom-bus")
    assert (metadata.type, metadata.subject, metadata.recordedtime) == ("Asset State Change", "a-1", SENT_TIME)


@pytest.mark.parametrize(
    "source", ["com.acme", "com.acme.mam.x", "com.acme.qc", "COM.ACME.MAM", "", None, 7, ["com.acme.mam"]]
)
def test_event_of_an_unknown_source_goes_to_review(harness, source):
    assert harness.take(sqs_record(aws_event(source, {}))) == []

    assert [dead.failure.code for dead in harness.queue.dead] == ["unknown-source"]
    assert harness.ids == []


def test_expressions_see_the_detail_as_body_and_the_event_as_envelope(monkeypatch):
    harness = IngressHarness(
        "partner-bus",
        {"acme": partner("aws.partner/acme.com/*", correlationid="envelope.account", causationid="envelope.region")},
    ).install(monkeypatch)

    harness.take(sqs_record(aws_event("aws.partner/acme.com/tenant/1", {"asset": "a-1"})))

    (event,) = harness.bus.events
    assert (event.metadata.correlationid, event.metadata.causationid) == ("111122223333", "eu-west-1")
    assert event.metadata.ingress == "partner-bus"
    assert event.data == {"asset": "a-1"}


def test_event_that_a_rule_delivers_twice_is_one(harness):
    detail = {"jobId": "j", "status": "COMPLETE", "timestamp": 1}
    body = aws_event("aws.mediaconvert", detail, **{"detail-type": "MediaConvert Job State Change"})

    harness.take(sqs_record(body, "m-1"))
    harness.take(sqs_record(body, "m-2"))

    assert [event.metadata.type for event in harness.bus.events] == ["encode.completed"]


@pytest.mark.parametrize(
    "body",
    [
        '{"detail": {}}',
        '{"detail-type": 7, "detail": {}}',
        "[]",
        "null",
        '{"source": "com.acme.mam", "detail-type": "t"}',
    ],
)
def test_body_that_is_no_event_of_a_bus_goes_to_review(harness, body):
    assert harness.take(sqs_record(body)) == []

    assert [dead.failure.code for dead in harness.queue.dead] == ["not-an-event"]


# --- producers that speak the envelope ---------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "name"), [("com.speaks", "speaks"), ("com.acme.mam", "acme")])
def test_enveloped_event_is_validated_and_passes(harness, source, name):
    detail = enveloped({"time": "2026-11-23T13:00:00+01:00", "correlationid": "c-1", "nativetype": "Ready"})

    assert harness.take(sqs_record(aws_event(source, detail))) == []

    (event,) = harness.bus.events
    metadata = event.metadata
    assert (metadata.id, metadata.type, metadata.nativetype, metadata.subject) == (
        "own-1",
        "asset.ready",
        "Ready",
        "a-7",
    )
    assert (metadata.time, metadata.correlationid, metadata.partitionkey) == ("2026-11-23T12:00:00Z", "c-1", "a-7")
    assert (metadata.partner, metadata.source, metadata.ingress) == (name, f"partner.{name}", "custom-bus")
    assert (metadata.stage, metadata.hops, metadata.recordedtime) == ("received", 0, SENT_TIME)
    assert event.data == {"asset": "a-7"}


def test_forged_control_attributes_are_ignored(harness):
    forged = {
        "partner": "mux",
        "source": "partner.mux",
        "ingress": "webhook",
        "stage": "transformed",
        "hops": 15,
        "dataref": "s3://bodies/kept/" + "0" * 64,
        "redrive": {"route": "route/cms", "count": 1},
        "recordedtime": "1999-01-01T00:00:00Z",
    }

    harness.take(sqs_record(aws_event("com.speaks", enveloped(forged))))

    metadata = harness.bus.events[0].metadata
    assert (metadata.partner, metadata.source, metadata.ingress) == ("speaks", "partner.speaks", "custom-bus")
    assert (metadata.stage, metadata.hops, metadata.dataref, metadata.redrive) == ("received", 0, None, None)
    assert metadata.recordedtime == SENT_TIME


def test_enveloped_event_comes_once(harness):
    for message_id in ("m-1", "m-2"):
        harness.take(sqs_record(aws_event("com.speaks", enveloped(), id=message_id), message_id))

    assert harness.ids == ["own-1"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"id": ""},
        {"id": 7},
        {"type": None},
        {"time": "yesterday"},
        {"id": "a\nb"},
    ],
)
def test_envelope_with_a_mistake_goes_to_review(harness, metadata):
    assert harness.take(sqs_record(aws_event("com.speaks", enveloped(metadata)))) == []

    assert [dead.failure.code for dead in harness.queue.dead] == ["envelope-invalid"]
    assert harness.ids == []


def test_envelope_with_an_unusable_optional_attribute_is_taken_without_it(harness):
    metadata = {"id": "x" * 513, "subject": "a\nb", "traceparent": "00-forged", "sequence": [7]}

    assert harness.take(sqs_record(aws_event("com.speaks", enveloped(metadata)))) == []

    (event,) = harness.bus.events
    assert event.metadata.id == digest_of("x" * 513)
    assert (event.metadata.subject, event.metadata.traceparent, event.metadata.sequence) == ("a b", None, None)


@pytest.mark.parametrize(
    "detail", [{"asset": "a-1"}, {"metadata": {"id": "x"}, "data": {}}, {"metadata": 7}, [1], None]
)
def test_partner_without_a_specification_must_send_the_envelope(harness, detail):
    assert harness.take(sqs_record(aws_event("com.speaks", detail))) == []

    assert [dead.failure.code for dead in harness.queue.dead] == ["not-in-envelope"]


def test_envelope_on_a_partner_bus_is_only_data(monkeypatch):
    harness = IngressHarness("partner-bus", {"acme": partner("aws.partner/acme.com/*")}).install(monkeypatch)

    harness.take(sqs_record(aws_event("aws.partner/acme.com/1", enveloped())))

    (event,) = harness.bus.events
    assert event.metadata.id == "00000000-0000-4000-8000-00000000aaaa"
    assert event.data == enveloped()


LISTED = {
    "type": {"path": "body.type", "allowed": ["ready", "failed", "kept"]},
    "types": {"ready": "asset.ready", "failed/encode": "encode.failed", "gone": "asset.deleted"},
}


@pytest.mark.attack("C16")
@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"type": "asset.ready"}, None),
        ({"type": "asset.ready", "nativetype": "ready"}, None),
        ({"type": "encode.failed", "nativetype": "failed"}, None),
        ({"type": "kept"}, None),
        ({"type": "asset.deleted"}, "type-not-allowed"),
        ({"type": "asset.deleted", "nativetype": "ready"}, "type-not-allowed"),
        ({"type": "asset.ready", "nativetype": "gone"}, "type-not-allowed"),
        ({"type": "ready"}, "type-not-allowed"),
        ({"type": "asset.ready\u200b"}, "envelope-invalid"),
    ],
)
def test_c16_envelope_has_only_the_types_that_its_partners_own_messages_may_have(monkeypatch, metadata, code):
    harness = IngressHarness("custom-bus", {"acme": partner("com.acme", **LISTED)}).install(monkeypatch)

    harness.take(sqs_record(aws_event("com.acme", enveloped(metadata))))

    assert [dead.failure.code for dead in harness.queue.dead] == ([] if code is None else [code])
    assert [event.metadata.type for event in harness.bus.events] == ([metadata["type"]] if code is None else [])


def test_credentials_of_an_enveloped_event_are_redacted(monkeypatch):
    harness = IngressHarness("custom-bus", {"acme": partner("com.acme", redact=["body.**.token"])}).install(monkeypatch)

    harness.take(sqs_record(aws_event("com.acme", enveloped(data={"a": {"token": "live-token"}}))))

    assert harness.bus.events[0].data == {"a": {"token": "[redacted]"}}


def test_failed_event_is_logged_with_its_real_partner(harness):
    harness.table.failing["begin"] = RuntimeError("no")

    harness.take(sqs_record(aws_event("com.speaks", enveloped({"partner": "mux"}))))

    (line,) = harness.report.fields("hop failed")
    assert (line["partner"], line["event_id"]) == ("speaks", "own-1")
    assert json.dumps(line).find("mux") < 0


# --- configuration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        ({"a": ["com.acme"], "b": ["com.acme"]}, "overlap"),
        ({"a": ["com.acme.*"], "b": ["com.acme.mam"]}, "overlap"),
        ({"a": ["com.acme.mam"], "b": ["com.*"]}, "overlap"),
        ({"a": ["com.acme.*"], "b": ["com.acme.mam.*"]}, "overlap"),
        ({"a": ["*"], "b": ["com.acme"]}, "round in a loop"),
        ({"a": ["partner.mux"]}, "round in a loop"),
        ({"a": ["partner.*"]}, "round in a loop"),
        ({"a": ["part*"]}, "round in a loop"),
        ({"a": ["com.*.mam"]}, "prefix of several followed by"),
        ({"a": [""]}, "must be a source"),
        ({"a": [7]}, "must be a source"),
        ({"a": []}, "must be a list"),
        ({"a": "com.acme"}, "must be a list"),
        ({"a": None}, "must be a list"),
    ],
)
def test_sources_that_would_be_ambiguous_or_circular_are_refused(sources, problem):
    document = {name: {"specification": SPECIFICATION, "sources": value} for name, value in sources.items()}

    with pytest.raises(ConfigurationError, match=problem):
        parse_queue_partners(document, "custom-bus")


@pytest.mark.parametrize(
    "sources",
    [
        {"a": ["com.acme", "com.acme.*"], "b": ["com.acmes"]},
        {"a": ["com.acme"], "b": ["com.acme.mam", "com.acme.qc.*"]},
        {"a": ["com.acme", "com.*"]},
        {"a": ["partners.acme"]},
    ],
)
def test_sources_that_do_not_meet_are_taken(sources):
    document = {name: {"specification": SPECIFICATION, "sources": value} for name, value in sources.items()}

    assert [partner.name for partner in parse_queue_partners(document, "custom-bus")] == list(sources)


def test_partner_bus_needs_a_specification_and_may_take_every_source():
    with pytest.raises(ConfigurationError, match="specification: must be an object"):
        parse_queue_partners({"a": {"sources": ["aws.partner/a.com/*"]}}, "partner-bus")

    (partner,) = parse_queue_partners({"a": {"specification": SPECIFICATION, "sources": ["*"]}}, "partner-bus")
    assert partner.sources == ("*",)
