"""The webhook responds to any request: no exception, no 5xx, no unsigned event, no more work than the request is worth.

Calls of functions and what is kept are counted, not measured, against the bytes of the request.
``FUZZ_EXAMPLES`` says how many inputs all these tests share.
"""

from __future__ import annotations

import base64
import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_events.handlers import webhook
from tests.fakes.counted_work import counted
from tests.fakes.webhook_requests import BODY, SECRET, Context, WebhookHarness, api_event

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
SHARE = settings(max_examples=max(1, EXAMPLES // 4), deadline=None, suppress_health_check=list(HealthCheck))

JUNK = st.one_of(
    st.text(max_size=40), st.text("=,v1t0:. \t{}\"'\\\x00\n", max_size=30), st.sampled_from(["", "é", "\ud800"])
)
HEADERS = [
    "mux-signature",
    "x-frameio-signature",
    "x-frameio-request-timestamp",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "content-type",
    "content-encoding",
    "Content-Length",
    "authorization",
    "MUX-SIGNATURE",
    "transfer-encoding",
    "x-forwarded-for",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "type": JSON | st.just("video.asset.ready"),
        "id": JSON | st.text(),
        "object": JSON,
        "data": JSON,
        "created_at": JSON | st.just("2026-11-23T12:00:00Z"),
        "dataref": JSON,
        "metadata": JSON,
    },
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    SHAPED.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.builds(lambda opening, depth: opening * depth, st.sampled_from([b"[", b'{"a":', b"[{}"]), st.integers(0, 3000)),
    st.sampled_from([b"", b"\xef\xbb\xbf{}", b"NaN", b"1e999", b'{"a":1,"a":2}', b"\x1f\x8b\x08", BODY.encode()]),
)
METHODS = st.sampled_from(["POST"] * 8 + ["GET", "HEAD", "OPTIONS", "PUT", "", "P\x00ST"])
PARTNERS = st.sampled_from(["mux", "frameio", "standard", "closed", "nobody", "../mux", ""])
FOUR_XX = {400, 401, 404, 405, 410, 413, 415}
MOST_CALLS, CALLS_PER_BYTE = 2_000, 5
"""A refusal takes a few hundred, an event some more, and each value of a body a few."""
MOST_KEPT, KEPT_PER_BYTE = 6_000, 8
"""Characters on the bus and in the dead-letter queue. A control character takes six in JSON, in its summary too."""


def clear(service):
    for kept in (service.bus.entries, service.bus.calls, service.queue.dead, service.table.items, service.bodies.kept):
        kept.clear()
    service.report.lines.clear()


def worth(call, request):
    """What ``call`` gives, if it is no more work than the ``request`` of API Gateway is worth."""
    result, calls = counted(call)
    assert calls <= MOST_CALLS + CALLS_PER_BYTE * len(json.dumps(request, default=repr))
    return result


@pytest.fixture(name="service", scope="module")
def _service():
    service = WebhookHarness(max_body_bytes=2_000)
    original, webhook.application = webhook.application, service.application
    # What is imported and compiled at first is nobody's work.
    for body in (BODY.encode(), b"", b"NaN", b'{"a":1,"a":2}'):
        service.post(body)
    clear(service)
    yield service
    webhook.application = original


REQUESTS = st.fixed_dictionaries(
    {
        "partner": PARTNERS,
        "method": METHODS,
        "headers": st.lists(st.tuples(st.sampled_from(HEADERS), JUNK), max_size=8),
        "query": JUNK,
        "encoded": st.booleans(),
        "version": st.sampled_from(["1.0", "2.0"]),
    }
)


@pytest.mark.slow
@SHARE
@given(body=BODIES, request=REQUESTS)
def test_fuzz_unsigned_request_is_refused_with_4xx_and_leaves_no_trace(service, body, request):
    text = body if request["encoded"] else body.decode("utf-8", "replace").encode()

    event = api_event(text, **request)
    reply = worth(lambda: service.send(event), event)

    assert reply.status in FOUR_XX
    assert service.nothing_happened()
    assert SECRET not in reply.text


@pytest.mark.slow
@SHARE
@given(body=BODIES, extra=st.lists(st.tuples(st.sampled_from(HEADERS[3:]), JUNK), max_size=4), query=JUNK)
def test_fuzz_signed_request_is_published_or_quarantined(service, body, extra, query):
    headers = {**dict(extra), **service.mux_headers(body)}
    headers = {name: value for name, value in headers.items() if name not in ("MUX-SIGNATURE", "content-encoding")}
    before = (len(service.bus.entries), len(service.queue.dead))
    try:
        request = [body.decode("latin-1"), headers, query]
        reply = worth(lambda: service.post(body, headers=headers, query=query), request)
        kept = [*(entry.detail for entry in service.bus.entries), *(dead.body for dead in service.queue.dead)]
        assert sum(map(len, kept)) <= MOST_KEPT + KEPT_PER_BYTE * len(body)
        after = (len(service.bus.entries), len(service.queue.dead))

        if len(body) > service.max_body_bytes:
            assert reply.status == 413
            assert after == before
        else:
            assert reply.status == 202
            assert sum(after) - sum(before) == (reply.json["status"] == "accepted")
    finally:
        clear(service)


@pytest.mark.slow
@SHARE
@given(
    position=st.integers(0, 10_000),
    octet=st.integers(1, 255),
    part=st.sampled_from(["body", "signature", "time"]),
)
def test_fuzz_one_changed_byte_is_refused(service, position, octet, part):
    body = BODY.encode()
    headers = service.mux_headers(body)

    def changed(octets):
        at = position % len(octets)
        return octets[:at] + bytes([octets[at] ^ octet]) + octets[at + 1 :]

    stamp, mac = headers["mux-signature"].removeprefix("t=").split(",v1=")
    if part == "body":
        body = changed(body)
    elif part == "time":
        stamp = changed(stamp.encode()).decode("latin-1")
    else:
        mac = changed(mac.encode()).decode("latin-1")
        # A hex digit in the other case says the same.
        if mac.lower() == headers["mux-signature"].partition("v1=")[2]:
            return
    reply = service.post(body, headers={**headers, "mux-signature": f"t={stamp},v1={mac}"})

    assert reply.status == 401
    assert service.nothing_happened()


EVENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["version", "headers", "multiValueHeaders", "body", "isBase64Encoded", "rawPath", "path", "rawQueryString"]
FIELDS += ["multiValueQueryStringParameters", "pathParameters", "httpMethod"]
ODD_EVENTS = st.fixed_dictionaries({"requestContext": EVENTS}, optional=dict.fromkeys(FIELDS, EVENTS))
ODD_BODIES = st.builds(
    lambda text, flag: {**api_event(b""), "body": text, "isBase64Encoded": flag},
    EVENTS | st.binary(max_size=20).map(lambda octets: base64.b64encode(octets).decode()),
    EVENTS,
)


@pytest.mark.slow
@SHARE
@given(event=ODD_EVENTS | ODD_BODIES)
def test_fuzz_event_of_any_shape_is_answered(service, event):
    answer = worth(lambda: webhook.handler(event, Context()), event)

    assert answer["statusCode"] in FOUR_XX
    assert service.nothing_happened()
