"""Handshakes, redaction of raw bodies, AWS's wrappings, and partners that send the envelope."""

from __future__ import annotations

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.envelope import CONTROL_ATTRIBUTES, Event, Metadata
from media_events.core.failures import PermanentDataError
from media_events.partners.envelope_producers import is_envelope, validate_envelope
from media_events.partners.handshakes import answer_document, answer_query
from media_events.partners.redaction import parse_redacted_path, redact_body
from media_events.partners.specification import parse_specification
from media_events.partners.unwrapping import unwrap_eventbridge, unwrap_sns
from tests.fakes.partners import NOW, RECEIVED, as_bytes, payload, preset, request

BASE = {"id": "body.id", "type": "body.type"}


def paths(*texts):
    return [parse_redacted_path(text) for text in texts]


def handshake(**fields):
    return parse_specification({**BASE, "handshake": fields}).handshake


# Handshakes.


@pytest.mark.parametrize("when", ["body.check", 'headers."x-check"', "query.check", "body.list"])
@pytest.mark.parametrize(("value", "answered"), [("1", True), ("", False)])
def test_handshake_s_condition_sees_headers_and_query_and_takes_any_true_value(when, value, answered):
    shake = handshake(kind="echo_field", when=when, token="body.t")
    document = {"t": "abc", "check": value, "list": [value] if value else []}

    answer = answer_document(shake, document, [], headers={"X-Check": value}, query=f"check={value}")

    assert (answer is not None) is answered


def test_echoed_field_is_answered_as_plain_text():
    answer = answer_document(preset("slack").handshake, {"type": "url_verification", "challenge": "3eZbrw1aBm"}, [])

    assert answer is not None
    assert (answer.status, answer.body) == (200, "3eZbrw1aBm")
    assert answer.content_type.startswith("text/plain")


def test_echoed_field_can_be_answered_as_json():
    shake = handshake(kind="echo_field", when="body.type == 'verify'", token="body.t", response_field="challenge")
    answer = answer_document(shake, {"type": "verify", "t": "abc"}, [])

    assert answer is not None
    assert json.loads(answer.body) == {"challenge": "abc"}


@pytest.mark.parametrize(
    "document",
    [
        {"type": "event_callback", "challenge": "x"},
        {"type": "url_verification"},
        {"type": "url_verification", "challenge": "<script>alert(1)</script>"},
        {"type": "url_verification", "challenge": "a\r\nSet-Cookie: x=1"},
        {"type": "url_verification", "challenge": "x" * 513},
        {"type": "url_verification", "challenge": {"a": 1}},
        [],
        None,
    ],
)
def test_document_that_is_no_handshake_is_not_answered(document):
    assert answer_document(preset("slack").handshake, document, []) is None


def test_token_is_answered_with_its_hmac():
    shake = handshake(
        kind="hmac_token",
        when="body.event == 'endpoint.url_validation'",
        token="body.payload.plainToken",
        response_field="plainToken",
        digest_field="encryptedToken",
    )
    document = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}

    answer = answer_document(shake, document, ["", "current", "previous"])

    assert answer is not None
    expected = hmac.new(b"current", b"qgg8vlvZRS6UYooatFL8Aw", "sha256").hexdigest()
    assert json.loads(answer.body) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": expected}
    assert answer_document(shake, document, [""]) is None


QUERY = handshake(
    kind="query_echo", query="hub.challenge", require_query={"hub.mode": "subscribe"}, secret_query="hub.verify_token"
)


@pytest.mark.parametrize(
    ("query", "answered"),
    [
        ("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=s3cret", True),
        ("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong", False),
        ("hub.mode=subscribe&hub.challenge=1158201444", False),
        ("hub.mode=unsubscribe&hub.challenge=1158201444&hub.verify_token=s3cret", False),
        ("hub.mode=subscribe&hub.challenge=%3Cb%3E&hub.verify_token=s3cret", False),
        ("hub.mode=subscribe&hub.challenge=1&hub.challenge=2&hub.verify_token=s3cret", False),
        ("", False),
    ],
)
def test_query_is_echoed_on_get_to_whoever_has_the_token(query, answered):
    answer = answer_query(QUERY, request(method="GET", url=f"https://h/webhooks/x?{query}"), lambda: ["s3cret", ""])

    assert (answer is not None) is answered
    if answer is not None:
        assert answer.body == "1158201444"


def test_query_is_never_echoed_on_post_nor_without_a_secret_nor_without_a_handshake():
    url = "https://h/x?hub.mode=subscribe&hub.challenge=1&hub.verify_token="

    assert answer_query(QUERY, request(url=url), lambda: ["s3cret"]) is None
    assert answer_query(QUERY, request(method="GET", url=url), lambda: [""]) is None
    assert answer_query(None, request(method="GET", url=url), lambda: [""]) is None
    assert answer_document(QUERY, {}, []) is None


# Redaction of raw bodies.


def test_raw_body_that_is_quarantined_has_no_credentials():
    body = redact_body(payload("iconik-custom_action"), preset("iconik").redact)

    assert b"example-not-a-real-token" not in body
    assert json.loads(body)["action_id"] == "00000000-0000-4000-8000-000000000036"


@pytest.mark.parametrize(
    "body",
    [
        b'{"auth_token": "T0KEN", "broken": ',
        b'{"auth_token":"T0KEN","auth_token":"T0KEN"}',
        b'\xff{"auth_token"  :  "T0KEN"}',
        b"{'auth_token': 'T0KEN'}",
        b"auth_token=T0KEN&a=1",
        b"auth_token=T0KEN&auth_token=T0KEN",
        b'{"a": NaN, "x": [{"auth_token": "T0K\\"EN"}]}',
        b'{"auth_token": "T0KEN',
        b"auth_token: T0KEN",
        b"auth_token: scheme T0KEN",
        b'{"auth_token": {"value": "T0KEN", "more": ["T0KEN", {"a": "T0K}EN"}]}, "n": NaN}',
        b'{"auth_token": ["T0KEN", ["T0K]EN"], "T0KEN"], "n": NaN}',
        b'{"auth_token": {"value": ["T0KEN", "T0KEN"',
        b'{"\\u0061uth_toke\\u006E": "T0KEN", "n": NaN}',
        b'{"text": "{\\"auth_token\\": \\"T0KEN\\"}", "n": NaN}',
        b'{"text": "{\\"a\\": \\"{\\\\\\"auth_token\\\\\\":\\\\\\"T0KEN\\\\\\"}\\"}", "n": NaN}',
        b'{"stray": "x"y", "auth_token": "T0KEN"}',
        b"auth%5ftoken=T0KEN&auth_token=T0KEN",
        b"%61uth_token=T0KEN&a=%",
        '{"auth_token": "T0KEN"}'.encode("utf-16"),
        '{"auth_token": ["T0KEN", "T0KEN"]}'.encode("utf-16-be").join([b"\xfe\xff", b""]),
    ],
)
@pytest.mark.attack("B20")
def test_b20_raw_body_that_does_not_parse_has_no_credentials_either(body):
    kept = redact_body(body, paths("body.**.auth_token"))

    assert b"T0KEN" not in kept.replace(b"\x00", b"")
    assert b"EN" not in kept.replace(b"auth_token", b"").replace(b"\x00", b"")
    assert b"redacted" in kept.replace(b"\x00", b"")


def test_raw_body_of_a_batch_is_redacted_before_it_is_split():
    body = as_bytes({"events": [{"secret": "S1"}, {"a": {"secret": "S2"}}]})

    assert b"S1" not in redact_body(body, paths("body.secret"))
    assert b"S2" not in redact_body(body, paths("body.a.secret"))


def test_raw_body_without_rules_stays_as_it_is():
    assert redact_body(b"\xff{", ()) == b"\xff{"


@given(st.binary(max_size=60))
def test_redaction_of_raw_bodies_never_raises(body):
    redact_body(body, paths("body.a", "body.**.token", "body.x.*.y"))


# AWS's wrappings.


def test_sns_notification_gives_its_message_and_attributes():
    record = json.loads(payload("sqs_fifo-from-sns_fifo-lambda_event"))["Records"][0]
    found = unwrap_sns(record["body"].encode())

    assert found is not None
    assert json.loads(found.body)["id"] == "evt_0003"
    assert found.attributes["TopicArn"].endswith(":partner-events.fifo")


def test_sns_message_attributes_come_by_name_but_never_as_the_topic():
    body = {
        "Type": "Notification",
        "TopicArn": "arn:t",
        "Message": "{}",
        "MessageAttributes": {
            "kind": {"Type": "String", "Value": "k"},
            "TopicArn": {"Type": "String", "Value": "arn:evil"},
        },
    }
    found = unwrap_sns(as_bytes(body))

    assert found is not None
    assert found.attributes == {"kind": "k", "TopicArn": "arn:t"}


@pytest.mark.parametrize("attributes", [None, [], "x", {"kind": "k"}, {"kind": {}}, {"kind": {"Value": 1}}])
def test_malformed_sns_message_attributes_are_left_out(attributes):
    body = {"Type": "Notification", "TopicArn": "arn:t", "Message": "{}", "MessageAttributes": attributes}
    found = unwrap_sns(as_bytes(body))

    assert found is not None
    assert found.attributes == {"TopicArn": "arn:t"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"TopicArn":"a","Message":"b"}',
        b'{"Type":"Notification","TopicArn":1,"Message":"b"}',
        b'["TopicArn","Message"]',
        b'{"id":1}',
    ],
)
def test_raw_delivery_is_no_notification(body):
    assert unwrap_sns(body) is None


@pytest.mark.parametrize(
    "event", [None, [], {}, {"detail": {}}, {"detail-type": "x"}, {"detail": {}, "detail-type": 1}]
)
def test_body_that_is_no_eventbridge_event_is_not_unwrapped(event):
    assert unwrap_eventbridge(event) is None


# Partners that send the envelope.


def detail(**changes):
    metadata = {
        "specversion": "1.0",
        "id": "e1",
        "source": "aws.s3",
        "type": "asset.ready",
        "time": "2025-03-04T11:15:30+01:00",
        "subject": "a1",
        **changes,
    }
    return {"metadata": {name: value for name, value in metadata.items() if value is not None}, "data": {"x": 1}}


def admitted(**changes) -> Event:
    return validate_envelope(detail(**changes), partner="acme", ingress="custom-bus", now=NOW)


def test_envelope_of_a_producer_passes_under_its_configured_name():
    metadata = admitted(sequence="0001", correlationid="c").metadata

    assert metadata == Metadata(
        id="e1",
        source="partner.acme",
        type="asset.ready",
        time="2025-03-04T10:15:30Z",
        partner="acme",
        ingress="custom-bus",
        nativetype="asset.ready",
        recordedtime=RECEIVED,
        partitionkey="a1",
        subject="a1",
        sequence="0001",
        correlationid="c",
    )
    assert admitted().data == {"x": 1}


def test_forged_control_attributes_of_a_producer_are_dropped():
    forged = {
        "dataref": "s3://ours/bodies/1",
        "editof": "evt-0",
        "redrive": {"route": "route/cms", "count": 0},
        "hops": 15,
        "stage": "transformed",
        "ingress": "webhook",
        "partner": "another",
        "recordedtime": "1999-01-01T00:00:00Z",
    }
    assert set(forged) == CONTROL_ATTRIBUTES

    assert admitted(**forged) == admitted()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": None}, "metadata.id"),
        ({"id": "a\nb"}, "metadata.id"),
        ({"type": 7}, "metadata.type"),
        ({"type": "x" * 129}, "metadata.type"),
        ({"time": "yesterday"}, "metadata.time"),
        ({"time": "1741083330"}, "metadata.time"),
        ({"specversion": "2.0"}, "metadata.specversion"),
    ],
)
def test_malformed_envelope_is_refused_naming_the_attribute(changes, named):
    with pytest.raises(PermanentDataError) as caught:
        admitted(**changes)
    assert caught.value.code == "envelope-invalid"
    assert named in caught.value.message


@pytest.mark.parametrize(
    "value", [None, [], {}, {"metadata": []}, {"metadata": {"id": "x"}}, {"metadata": detail()["metadata"]}]
)
def test_detail_without_an_envelope_is_no_envelope(value):
    assert not is_envelope(value)
    with pytest.raises(PermanentDataError):
        validate_envelope(value, partner="acme", ingress="custom-bus", now=NOW)


def test_envelope_is_recognised():
    assert is_envelope(detail())


@given(st.text(alphabet='abcdocumentheaders.*[]"01²٣\\ ', max_size=24) | st.text(max_size=24))
def test_any_path_to_redact_is_read_or_refused_and_then_applied(text):
    try:
        path = parse_redacted_path(text)
    except ValueError:
        return
    names = {"body": {"a": [{"b": 1}], "²": [1]}, "document": {}, "headers": {"a": "b"}}
    assert isinstance(path.is_in(names), bool)
    redact_body(b'{"a":[{"b":1}],"c":[[1]]}', [path])
