"""Events as CloudEvents and back: nothing is lost, in either mode."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.envelope import INGRESSES, STAGES, Event, Metadata, Redrive
from media_events.events.cloudevents import CloudEventError, from_binary, from_structured, to_binary, to_structured
from tests.fakes.events import make_event

UTF8 = st.characters(codec="utf-8")
TEXT = st.text(UTF8, max_size=30)
NAME = st.text(UTF8, min_size=1, max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)
METADATA = st.builds(
    Metadata,
    id=NAME,
    source=NAME,
    type=NAME,
    time=NAME,
    partner=NAME,
    ingress=st.sampled_from(INGRESSES),
    nativetype=NAME,
    recordedtime=NAME,
    partitionkey=NAME,
    subject=st.none() | TEXT,
    dataschema=st.none() | TEXT,
    sequence=st.none() | TEXT,
    correlationid=st.none() | TEXT,
    causationid=st.none() | TEXT,
    traceparent=st.none() | TEXT,
    dataref=st.none() | TEXT,
    stage=st.sampled_from(STAGES),
    hops=st.integers(0, 99),
    redrive=st.none() | st.builds(Redrive, route=NAME, count=st.integers(-9, 99)),
)
EVENTS = st.builds(Event, metadata=METADATA, data=JSON)


@given(EVENTS)
def test_structured_mode_loses_nothing(event):
    _, body = to_structured(event)

    assert from_structured(body) == event


@given(EVENTS)
def test_binary_mode_loses_nothing(event):
    headers, body = to_binary(event)

    assert from_binary({name.upper(): value for name, value in headers.items()}, body) == event
    assert all(value.isascii() and value.isprintable() for value in headers.values())


@given(TEXT)
def test_binary_mode_carries_text_that_is_not_json(text):
    event = make_event(text, datacontenttype="text/plain")

    headers, body = to_binary(event)

    assert (headers["content-type"], body) == ("text/plain", text.encode())
    assert from_binary(headers, body) == event


def test_structured_mode_is_a_cloudevent():
    headers, body = to_structured(make_event(redrive=Redrive("route/cms", 2)))

    document = json.loads(body)
    assert headers == {"content-type": "application/cloudevents+json; charset=utf-8"}
    assert {"specversion", "id", "source", "type", "data"} <= document.keys()
    assert (document["redriveroute"], document["redrivecount"]) == ("route/cms", 2)
    assert all(isinstance(value, str | int) for name, value in document.items() if name != "data")
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in document)


def test_binary_mode_percent_encodes_as_the_binding_says():
    headers, _ = to_binary(make_event(subject='Euro € 😀 "50%"'))

    assert headers["ce-subject"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20%2250%25%22"


@pytest.mark.parametrize("data", [{"n": float("nan")}, "\ud800"])
def test_data_that_json_can_not_say_is_refused(data):
    for write in (to_structured, to_binary):
        with pytest.raises(CloudEventError):
            write(make_event(data))


@pytest.mark.parametrize("kind", ["image/png", "text/plain", "jsonish/application"])
def test_object_under_another_content_type_is_refused_in_binary_mode(kind):
    with pytest.raises(CloudEventError, match="neither text nor JSON"):
        to_binary(make_event({"a": 1}, datacontenttype=kind))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"data": 1}', b"\xff", b"[" * 100_000, b'{"id": "a"}'])
def test_what_is_no_structured_event_is_refused(body):
    with pytest.raises(CloudEventError):
        from_structured(body)


@pytest.mark.parametrize(
    ("change", "body"),
    [({"ce-hops": "many"}, b"{}"), ({"ce-id": "%FF"}, b"{}"), ({"ce-id": ""}, b"{}"), ({}, b"{")],
)
def test_what_is_no_binary_event_is_refused(change, body):
    headers, _ = to_binary(make_event())

    with pytest.raises(CloudEventError):
        from_binary(headers | change, body)


@given(st.dictionaries(st.sampled_from(["ce-id", "ce-hops", "content-type", "ce-x"]), TEXT), st.binary(max_size=50))
def test_reading_raises_nothing_else(headers, body):
    for read in (lambda: from_binary(headers, body), lambda: from_structured(body)):
        try:
            read()
        except CloudEventError:
            continue
