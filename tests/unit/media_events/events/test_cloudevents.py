"""Events as CloudEvents: a receiver can read back all of it, in either mode."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.envelope import INGRESSES, STAGES, Event, Metadata, Redrive
from media_events.events.cloudevents import CloudEventError, to_binary, to_structured
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


def event_of(attributes: dict[str, Any], data: Any) -> Event:
    """The event with CloudEvents ``attributes``, as a receiver reads it."""
    route, count = attributes.pop("redriveroute", None), attributes.pop("redrivecount", None)
    redrive = None if route is None else {"route": route, "count": int(count)}
    hops = int(attributes.pop("hops", 0))
    return Event(Metadata.from_dict({**attributes, "hops": hops, "redrive": redrive}), data)


def read_structured(body: bytes) -> Event:
    document = json.loads(body)
    return event_of(document, document.pop("data"))


def read_binary(headers: dict[str, str], body: bytes) -> Event:
    attributes: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value, errors="strict")
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    kind = headers["content-type"]
    data = json.loads(body) if kind == "application/json" else body.decode()
    return event_of({**attributes, "datacontenttype": kind}, data)


@given(EVENTS)
def test_structured_mode_loses_nothing(event):
    _, body = to_structured(event)

    assert read_structured(body) == event


@given(EVENTS)
def test_binary_mode_loses_nothing(event):
    headers, body = to_binary(event)

    assert read_binary(headers, body) == event
    assert all(value.isascii() and value.isprintable() for value in headers.values())


@given(TEXT)
def test_binary_mode_carries_text_that_is_not_json(text):
    event = make_event(text, datacontenttype="text/plain")

    headers, body = to_binary(event)

    assert (headers["content-type"], body) == ("text/plain", text.encode())
    assert read_binary(headers, body) == event


def test_structured_mode_is_a_cloudevent():
    headers, body = to_structured(make_event(redrive=Redrive("route/cms", 2)))

    document = json.loads(body)
    assert headers == {"content-type": "application/cloudevents+json; charset=utf-8"}
    assert {"specversion", "id", "source", "type", "data"} <= document.keys()
    assert (document["redriveroute"], document["redrivecount"]) == ("route/cms", 2)
    assert all(isinstance(value, str | int) for name, value in document.items() if name != "data")
    assert all(name.isalnum() and name == name.lower() and len(name) <= 20 for name in document)


def test_binary_mode_percent_encodes_as_the_http_binding_requires():
    headers, _ = to_binary(make_event(subject='Euro € 😀 "50%"'))

    assert headers["ce-subject"] == "Euro%20%E2%82%AC%20%F0%9F%98%80%20%2250%25%22"


@pytest.mark.parametrize("data", [{"n": float("nan")}, "\ud800"])
def test_data_that_json_can_not_hold_is_refused(data):
    for write in (to_structured, to_binary):
        with pytest.raises(CloudEventError):
            write(make_event(data))


@pytest.mark.parametrize("kind", ["image/png", "text/plain", "jsonish/application"])
def test_object_under_another_content_type_is_refused_in_binary_mode(kind):
    with pytest.raises(CloudEventError, match="neither text nor JSON"):
        to_binary(make_event({"a": 1}, datacontenttype=kind))
