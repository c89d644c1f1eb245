"""The envelope: read back as written, refused with every problem named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.envelope import INGRESSES, STAGES, EnvelopeError, Event, Metadata, Redrive

TEXT = st.text(min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
METADATA = st.builds(
    Metadata,
    id=TEXT,
    source=TEXT,
    type=TEXT,
    time=TEXT,
    partner=TEXT,
    ingress=st.sampled_from(INGRESSES),
    nativetype=TEXT,
    recordedtime=TEXT,
    partitionkey=TEXT,
    subject=st.none() | TEXT,
    sequence=st.none() | TEXT,
    dataref=st.none() | TEXT,
    stage=st.sampled_from(STAGES),
    hops=st.integers(0, 99),
    redrive=st.none() | st.builds(Redrive, route=TEXT, count=st.integers(0, 9)),
)


def metadata(**changes: Any) -> Metadata:
    return replace(
        Metadata(
            id="e-1",
            source="partner.mux",
            type="asset.ready",
            time="2025-03-04T10:15:09Z",
            partner="mux",
            ingress="webhook",
            nativetype="video.asset.ready",
            recordedtime="2025-03-04T10:15:10Z",
            partitionkey="asset-1",
        ),
        **changes,
    )


@given(st.builds(Event, metadata=METADATA, data=JSON))
def test_an_event_reads_back_as_it_was_written(event: Event) -> None:
    assert Event.from_detail(json.loads(event.to_json())) == event


def test_attributes_that_are_not_set_are_not_written() -> None:
    assert "subject" not in metadata().to_dict()
    assert metadata(subject="a").to_dict()["subject"] == "a"


def test_every_problem_is_named_at_once() -> None:
    detail = {
        "metadata": {
            **metadata().to_dict(),
            "id": "",
            "type": None,
            "ingress": "fax",
            "hops": -1,
            "redrive": {"route": "route/cms"},
        },
        "data": {},
    }

    with pytest.raises(EnvelopeError) as caught:
        Event.from_detail(detail)

    assert caught.value.problems == [
        "metadata.id must be text that is not empty",
        "metadata.type is missing",
        "metadata.hops must be an integer of 0 or more",
        'metadata.redrive must be {"route": text, "count": integer}',
        "metadata.ingress must be one of sqs, sns-fifo, webhook, partner-bus, custom-bus",
    ]


@pytest.mark.parametrize(
    ("detail", "problem"),
    [
        ([], "detail must be an object"),
        ({"data": {}}, "detail.metadata must be an object"),
        ({"metadata": {}}, "detail.data is missing"),
    ],
)
def test_malformed_envelope_is_refused(detail: Any, problem: str) -> None:
    with pytest.raises(EnvelopeError, match=problem):
        Event.from_detail(detail)


@given(JSON)
def test_reading_anything_at_all_raises_nothing_else(detail: Any) -> None:
    with pytest.raises(EnvelopeError):
        Event.from_detail(detail)


def test_a_number_that_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        Event(metadata=metadata(), data={"duration": float("nan")}).to_json()


def test_the_next_hop_keeps_the_identity_and_counts() -> None:
    event = Event(metadata=metadata(hops=3), data={"a": 1})

    onward = event.next_hop(stage="transformed")

    assert onward.metadata == metadata(hops=4, stage="transformed")
    assert onward.data == {"a": 1}
