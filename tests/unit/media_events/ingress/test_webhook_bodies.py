"""Rows B of the attack catalogue: bodies that are too large, too deep or mislabelled."""

from __future__ import annotations

import base64
import json

import pytest

from media_events.core.failures import PermanentDataError, TransientError
from media_events.handlers import webhook
from tests.fakes.webhook_requests import BODY, SECRET, Context, api_event


def quarantined(service, reply):
    """The one quarantined request, after a 202 for its sender."""
    assert reply.status == 202
    assert reply.json["status"] == "accepted"
    assert not service.bus.entries
    (dead,) = service.queue.dead
    request = json.loads(dead.body)["request"]
    assert reply.json["id"] == request["id"]
    return dead, request


@pytest.mark.attack("B1")
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_b1_deep_nesting_without_a_signature_is_refused_with_401(service, opening):
    assert service.post(opening * 30_000, headers={"content-type": "application/json"}).status == 401
    assert service.nothing_happened()


@pytest.mark.attack("B1")
@pytest.mark.parametrize("depth", [65, 1_100, 30_000])
def test_b1_deep_nesting_with_a_signature_is_quarantined(service, depth):
    dead, _ = quarantined(service, service.post(b'{"a":' * depth + b"1" + b"}" * depth))

    assert dead.failure.code == "json-too-deep"


@pytest.mark.attack("B2")
@pytest.mark.parametrize("body", ["[]", '"text"', "12", "null", "true", "[{}]"])
def test_b2_json_that_is_no_object_is_quarantined(service, body):
    dead, _ = quarantined(service, service.post(body))

    assert dead.failure.failure_class == "permanent-data"


@pytest.mark.attack("B3")
@pytest.mark.parametrize("body", ["", "{", "not json", '{"a": 1,}', "{'a': 1}"])
def test_b3_invalid_json_is_quarantined(service, body):
    _, request = quarantined(service, service.post(body))

    assert base64.b64decode(request["body_base64"]) == body.encode()


@pytest.mark.attack("B4")
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", r'"\ud800"'])
def test_b4_value_that_json_or_the_bus_can_not_hold_is_quarantined(service, value):
    quarantined(service, service.post(BODY.replace('"data": {}', f'"data": {{"n": {value}}}')))


@pytest.mark.attack("B4")
def test_b4_large_integers_reach_the_bus_as_text(service):
    number = "92233720368547758089223372036854775808"

    assert service.post(BODY.replace('"data": {}', f'"data": {{"n": {number}}}')).status == 202
    assert service.bus.events[0].data["data"]["n"] == number


@pytest.mark.attack("B5")
def test_b5_duplicate_keys_are_quarantined(service):
    dead, _ = quarantined(service, service.post(BODY.replace('"type": "video', '"type": "evil", "type": "video')))

    assert dead.failure.code == "json-duplicate-key"


@pytest.mark.attack("B6")
@pytest.mark.parametrize("kind", [None, [], {}, "x" * 10_240, "a\nb", "\x1b[31mred", ""])
def test_b6_type_that_is_no_short_printable_text_is_quarantined(service, kind):
    quarantined(service, service.post(json.dumps(json.loads(BODY) | {"type": kind})))


@pytest.mark.attack("B7")
def test_b7_body_that_is_not_utf_8_is_quarantined_byte_by_byte(service):
    body = BODY.encode().replace(b"asset-1", b"\xff\xfe\x80")

    _, request = quarantined(service, service.post(body))

    assert base64.b64decode(request["body_base64"]) == body


@pytest.mark.attack("B8")
@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + BODY.encode(), b"\xc0\xaf", BODY.encode() + b"\x00"])
def test_b8_mark_overlong_form_and_nul_are_quarantined(service, body):
    quarantined(service, service.post(body))


@pytest.mark.attack("B9")
def test_b9_body_above_the_bus_s_limit_is_checked_in_and_accepted(service):
    body = json.dumps(json.loads(BODY) | {"note": "n" * 150_000})

    reply = service.post(body)

    assert reply.status == 202
    (event,) = service.bus.events
    assert json.loads(service.bodies.kept[event.metadata.dataref]) == json.loads(body)
    assert event.data == {"type": "video.asset.ready", "id": "evt-1"}
    assert service.bus.entries[0].size < service.max_entry_bytes


@pytest.mark.attack("B10")
def test_b10_body_above_the_hard_limit_is_refused_with_413_before_all_else(service):
    reply = service.post(b"x" * 200_001, headers={})

    assert reply.status == 413
    assert reply.headers["connection"] == "close"
    assert service.nothing_happened()


@pytest.mark.attack("B10")
def test_b10_body_at_the_hard_limit_is_read(service):
    assert service.post(b"x" * 200_000, headers={}).status == 401


@pytest.mark.attack("B11")
def test_b11_chunked_body_is_counted_whole_and_never_cut(service):
    chunked = {"transfer-encoding": "chunked"}

    assert service.post(headers=service.mux_headers(BODY.encode()) | chunked).status == 202
    assert service.post(b"x" * 200_001, headers=chunked).status == 413
    assert len(service.bus.events) == 1


@pytest.mark.attack("B12")
@pytest.mark.parametrize("length", ["0", "1", "999999999", "-1", "abc"])
def test_b12_content_length_is_not_believed(service, length):
    small = service.mux_headers(BODY.encode()) | {"content-length": length}

    assert service.post(headers=small).status == 202
    assert service.post(b"x" * 200_001, headers={"content-length": length}).status == 413


@pytest.mark.attack("B13")
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "zstd", "GZIP", "é"])
def test_b13_content_encoding_is_refused_with_415(service, encoding):
    reply = service.post(headers=service.mux_headers(BODY.encode()) | {"content-encoding": encoding})

    assert reply.status == 415
    assert service.nothing_happened()


@pytest.mark.attack("B13")
def test_b13_identity_is_no_encoding(service):
    assert service.post(headers=service.mux_headers(BODY.encode()) | {"content-encoding": "Identity"}).status == 202


@pytest.mark.attack("B14")
@pytest.mark.parametrize("kind", ["Application/JSON", "application/json; charset=UTF-8", "application/vnd.mux+json"])
def test_b14_content_type_counts_in_any_case_and_with_parameters(service, kind):
    assert service.post(headers=service.mux_headers(BODY.encode()) | {"content-type": kind}).status == 202


@pytest.mark.attack("B14", "B15")
@pytest.mark.parametrize(
    "kind",
    ["text/html", "application/xml", "", "json", "multipart/form-data; boundary=x", "application/json, text/html"],
)
def test_b14_b15_another_content_type_is_refused_with_415(service, kind):
    reply = service.post(headers=service.mux_headers(BODY.encode()) | {"content-type": kind})

    assert reply.status == 415
    assert service.nothing_happened()


@pytest.mark.attack("B14")
def test_b14_missing_content_type_is_refused_with_415(service):
    headers = service.mux_headers(BODY.encode())
    del headers["content-type"]

    assert service.post(headers=headers).status == 415


@pytest.mark.attack("B16")
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("encoded", [True, False])
def test_b16_body_is_read_in_both_payload_formats_encoded_or_not(service, version, encoded):
    body = BODY.replace("asset-1", "ässet-1 ✓")

    assert service.post(body, version=version, encoded=encoded).status == 202
    assert service.bus.events[0].metadata.subject == "ässet-1 ✓"


@pytest.mark.attack("B16")
@pytest.mark.parametrize("text", ["not base64!", "e30", "é", "e30=\n"])
def test_b16_body_that_is_no_base64_is_refused_with_400(service, text):
    event = api_event(b"", headers=service.mux_headers(b""))
    event["body"] = text

    assert service.send(event).status == 400
    assert service.nothing_happened()


def test_quarantined_request_has_no_credentials(service):
    headers = service.mux_headers(b"junk") | {
        "authorization": "Bearer live-bearer",
        "cookie": "session=live-cookie",
        "x-api-key": "live-key",
        "x-amz-security-token": "live-token",
        "x-kept": "kept",
    }

    dead, request = quarantined(service, service.post("junk", headers=headers, query="a=1&access_token=live-query"))

    assert request["headers"] == {"content-type": "application/json", "x-kept": "kept"}
    assert request["query"] == "a=1&access_token=%5Bredacted%5D"
    for planted in ("live-", SECRET, headers["mux-signature"]):
        assert planted not in dead.body + dead.failure.to_json() + service.report.text()


def test_quarantined_request_keeps_the_sources_of_its_events_ids(service):
    headers = service.standard_headers(b"junk", message_id="msg_keep")

    _, request = quarantined(service, service.post("junk", partner="standard", headers=headers))

    assert request["headers"]["webhook-id"] == "msg_keep"
    assert "webhook-signature" not in request["headers"]


def test_same_request_has_the_same_id_for_review_and_another_has_another(service):
    headers = service.mux_headers(b"junk")
    first, second = (service.post("junk", headers=headers).json["id"] for _ in range(2))

    assert first == second
    assert service.post("other junk").json["id"] != first


@pytest.mark.parametrize("paths", [["body.data.auth_token"], ["body.**.auth_token"]])
@pytest.mark.parametrize(
    "template", ['{"data": {"auth_token": "live-token"}, "type": []}', '{"data": {"auth_token": "live-token"']
)
def test_redacted_fields_are_not_stored_even_of_a_body_that_does_not_parse(service_of, paths, template):
    service = service_of(
        partners={"mux": {"specification": {"preset": "mux", "redact": paths}, "secret_arns": ["arn:mux"]}}
    )

    dead, request = quarantined(service, service.post(template))

    kept = base64.b64decode(request["body_base64"]).decode()
    assert "live-token" not in kept + dead.body + service.report.text()
    assert "auth_token" in kept


def test_large_quarantined_request_is_in_the_bucket(service):
    body = b"j" * 150_000

    _, request = quarantined(service, service.post(body))

    assert "body_base64" not in request
    assert service.bodies.kept[request["bodyref"]] == body


def test_request_that_can_not_be_quarantined_is_answered_503(service):
    service.queue.failing = TransientError("aws-unavailable", "down")

    reply = service.post("junk")

    assert (reply.status, reply.headers["retry-after"]) == (503, "30")


def test_quarantined_request_comes_back_and_is_published_once(service):
    """A wrong specification is corrected, and the request is sent to the function twice."""
    body = json.dumps({"type": "asset.ready", "timestamp": "2026-09-21T14:13:20Z", "data": {"id": "a"}}).encode()
    _, request = quarantined(
        service, service.post("junk", partner="standard", headers=service.standard_headers(b"junk"))
    )
    request["body_base64"] = base64.b64encode(body).decode()
    service.clock.now += 86_400

    answers = [replayed(service, request) for _ in range(2)]

    assert [answer["status"] for answer in answers] == ["accepted", "duplicate"]
    assert [event.metadata.id for event in service.bus.events] == ["msg_1"]
    assert service.bus.events[0].metadata.recordedtime == "2026-09-21T14:13:20Z"


def replayed(service, request):
    service.requests += 1
    return webhook.handler({"request": request}, Context(f"replay-{service.requests}"))


def test_quarantined_request_that_still_fails_raises(service):
    _, request = quarantined(service, service.post("junk"))

    with pytest.raises(PermanentDataError, match="not JSON"):
        replayed(service, request)


def test_quarantined_request_raises_when_the_bus_refuses_it_and_is_free_for_the_next_try(service):
    _, request = quarantined(service, service.post("junk"))
    request["body_base64"] = base64.b64encode(BODY.encode()).decode()
    service.bus.failing = TransientError("aws-ThrottlingException", "slow down")

    with pytest.raises(TransientError):
        replayed(service, request)
    service.bus.failing = None

    assert replayed(service, request)["status"] == "accepted"


def test_quarantined_large_request_comes_back_from_the_bucket(service):
    body = json.dumps(json.loads(BODY) | {"type": [], "note": "n" * 150_000})
    _, request = quarantined(service, service.post(body))
    good = json.dumps(json.loads(BODY) | {"note": "n"}).encode()
    service.bodies.kept[request["bodyref"]] = good

    assert replayed(service, request)["id"] == "evt-1"


@pytest.mark.parametrize(
    "change",
    [
        {"partner": 7},
        {"headers": None},
        {"receivedtime": "yesterday"},
        {"body_base64": "###"},
        {"body_base64": None},
        {"body_base64": None, "bodyref": "s3://somebody/else"},
    ],
)
def test_forged_or_broken_quarantined_request_is_refused(service, change):
    _, request = quarantined(service, service.post("junk"))

    with pytest.raises(PermanentDataError):
        replayed(service, {**request, **change})


@pytest.mark.parametrize("request_object", [None, [], "text", {}])
def test_malformed_quarantined_request_is_refused(service, request_object):
    with pytest.raises(PermanentDataError):
        replayed(service, request_object)


def test_a_sender_can_not_use_the_way_back(service):
    event = api_event(BODY.encode(), headers={}) | {"request": {"partner": "mux"}}

    assert service.send(event).status == 401
    assert service.nothing_happened()


# Batches with a bad event.

BATCH = {
    "id": "body.id",
    "type": "body.type",
    "time": "body.at",
    "split": "body.events",
    "verification": {"method": "static_token", "signature_header": "x-key"},
    "redact": ["headers.x-house"],
}
SENT = {"x-key": SECRET, "x-house": "h0use", "content-type": "application/json"}


@pytest.fixture(name="batches")
def _batches(service_of):
    return service_of(partners={"acme": {"specification": BATCH, "secret_arns": ["arn:mux"]}})


def posted(service, *kinds):
    items = [{"id": f"e{n}", "type": kind, "at": "soon"} for n, kind in enumerate(kinds)]
    return service.post(json.dumps({"events": items}), partner="acme", headers=SENT)


def test_bad_event_of_a_batch_is_quarantined_alone_and_its_retry_publishes_nothing_twice(batches):
    reply = posted(batches, "t", None, "t")

    assert reply.status == 202
    assert [event.metadata.id for event in batches.bus.events] == ["e0", "e2"]
    (dead,) = batches.queue.dead
    request = json.loads(dead.body)["request"]
    assert (dead.failure.code, request["withheld"], reply.json["id"]) == ("type-missing", [1], request["id"])
    assert dead.failure.message.startswith("event 1 of 3")
    assert request["headers"]["x-house"] == "[redacted]"

    # The records of the events that were published may be gone by now.
    batches.table.items.clear()
    request["body_base64"] = base64.b64encode(
        json.dumps({"events": [{"id": f"e{n}", "type": "t"} for n in range(3)]}).encode()
    ).decode()

    assert replayed(batches, request)["id"] == "e1"
    assert [event.metadata.id for event in batches.bus.events] == ["e0", "e2", "e1"]


def test_batch_whose_good_events_can_not_be_published_is_not_quarantined_but_sent_again(batches):
    batches.bus.refuse = lambda _: TransientError("bus-ThrottlingException", "slow down")
    batches.queue.failing = TransientError("queue-down", "the queue is down")

    assert posted(batches, "t", None).status == 503
    batches.bus.refuse, batches.queue.failing = (lambda _: None), None
    assert posted(batches, "t", None).status == 202
    assert [event.metadata.id for event in batches.bus.events] == ["e0"]
    assert len(batches.queue.dead) == 1


def test_fields_that_fell_back_are_counted_by_partner_and_field(batches):
    posted(batches, "t", "t")

    assert batches.report.counts["FieldsFellBack", (("field", "time"), ("partner", "acme"))] == 2
    assert batches.report.fields("fields fell back") == [
        {"hop": "ingress/webhook", "partner": "acme", "fields": {"time": 2}}
    ]


@pytest.mark.parametrize("withheld", ["1", [None], [True], {"1": 2}])
def test_quarantined_request_with_places_that_are_no_numbers_is_refused(batches, withheld):
    posted(batches, None, None)
    request = json.loads(batches.queue.dead[0].body)["request"]

    with pytest.raises(PermanentDataError, match="withheld"):
        replayed(batches, request | {"withheld": withheld})
