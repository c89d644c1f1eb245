"""An event's trace, and the segments of its hops."""

from __future__ import annotations

import itertools
import json

import pytest

from media_events.core.failures import PermanentDataError, TransientError
from media_events.core.tracing import TraceContext, Tracer
from tests.fakes.events import make_event

ROOT, TRACE = "1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"
OWN = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"
TOLD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"


class Recorder(Tracer):
    """A tracer whose ids count up, and whose segments stay here."""

    def __init__(self, header=OWN):
        self.sent, self.header, self.now = [], header, 100.0
        ids = itertools.count(1)
        super().__init__(
            hop="ingress/webhook",
            invocation=lambda: self.header,
            send=lambda segment: self.sent.append(json.loads(json.dumps(segment))),
            clock=lambda: self.now,
            new_id=lambda: f"{next(ids):016x}",
        )


@pytest.mark.parametrize(
    "text",
    [
        *("", "Root=1-a-b", OWN.replace("5399", "gggg"), "Self=1-67891233-abcdef012345678912345678"),
        OWN.replace("Parent", "Root"),
    ],
)
def test_header_that_is_none_of_x_rays_is_no_trace(text):
    assert TraceContext.of_header(text) is None


@pytest.mark.parametrize(
    "text",
    [None, "x", "ff" + TOLD[2:] + "1", TOLD[:36].replace("00f067aa0ba902b7", "0" * 16), f"00-{'0' * 32}{TOLD[35:]}1"],
)
def test_text_that_is_no_trace_parent_is_no_trace(text):
    assert TraceContext.of_traceparent(text) is None


def test_a_trace_is_the_same_in_both_forms():
    context = TraceContext.of_header(f"Self=1-67891233-abcdef012345678912345678;{OWN};Lineage=a87bd80c:1|68fd508a:5")

    assert TraceContext.of_traceparent(context.traceparent) == context
    assert (context.traceparent, context.header) == (f"00-{TRACE}-53995c3f42cd8ad8-01", OWN)


def test_event_without_a_trace_gets_that_of_the_function_and_its_segment_follows_the_functions():
    tracer = Recorder()

    event = tracer.enter(make_event())
    tracer.now += 0.25
    tracer.published(event, None)

    assert event.metadata.traceparent == f"00-{TRACE}-{1:016x}-01"
    assert tracer.entry_header(event) == f"Root={ROOT};Parent={1:016x};Sampled=1"
    assert tracer.sent == [
        {
            "name": "ingress/webhook",
            "id": f"{1:016x}",
            "trace_id": ROOT,
            "parent_id": "53995c3f42cd8ad8",
            "start_time": 100.0,
            "end_time": 100.25,
            "annotations": {
                "event_id": "evt-1",
                "event_type": "asset.ready",
                "partner": "mux",
                "hop": "ingress/webhook",
            },
        }
    ]


def test_event_keeps_the_trace_that_its_partner_has_told():
    tracer = Recorder()

    event = tracer.enter(make_event(traceparent=TOLD + "0"))
    tracer.published(event, None)

    assert event.metadata.traceparent == f"{TOLD[:36]}{1:016x}-01"
    (segment,) = tracer.sent
    assert (segment["trace_id"], segment["parent_id"]) == ("1-4bf92f35-77b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.mark.parametrize("header", [OWN.replace("Sampled=1", "Sampled=0"), "", "Root=x"])
def test_a_partner_decides_on_no_recording(header):
    tracer = Recorder(header)

    told, untold = tracer.enter(make_event(traceparent=TOLD + "1")), tracer.enter(make_event())
    tracer.published(told, None)

    recorded = TraceContext.of_traceparent(told.metadata.traceparent)
    assert untold.metadata.traceparent is None
    assert recorded.trace_id == TOLD[3:35]
    # W3C: who changes the flag sets a new parent. Without a header of Lambda's nothing decides, and nothing is changed.
    assert recorded.sampled is (header in ("", "Root=x"))
    assert (recorded.parent_id == TOLD[36:52]) is recorded.sampled
    assert tracer.sent == []


def test_duplicate_is_forgotten_with_its_invocation():
    tracer = Recorder()
    duplicate = tracer.enter(make_event())
    tracer.header = OWN.replace("5759", "5760")
    tracer.enter(make_event(id="other"))

    tracer.published(duplicate, None)

    assert tracer.sent == []


@pytest.mark.parametrize("parent", [None, TOLD + "0", "00-forged"])
def test_hop_records_nothing_of_an_event_whose_trace_is_not_recorded(parent):
    assert Recorder().begin(make_event(traceparent=parent)) is None


@pytest.mark.parametrize(
    ("error", "marks"),
    [
        (PermanentDataError("http-422", "no"), {"error": True}),
        (TransientError("http-503", "later"), {"fault": True}),
        (TransientError("http-429", "later"), {"error": True, "throttle": True}),
        (TransientError("aws-ThrottlingException", "later"), {"error": True, "throttle": True}),
        (KeyError("a secret"), {"fault": True}),
    ],
)
def test_failed_attempt_is_marked_and_has_the_reason_without_its_text(error, marks):
    tracer = Recorder()
    call = {"name": "cms.example.com", "namespace": "remote", "http": {"request": {"url": "https://cms.example.com"}}}

    tracer.end(tracer.begin(make_event(traceparent=TOLD + "1")), error, call=call, destination="cms")

    (segment,) = tracer.sent
    (made,) = segment["subsegments"]
    for part in (segment, made):
        assert {name: part[name] for name in ("error", "fault", "throttle") if name in part} == marks
    status = getattr(error, "code", "")[5:]
    assert made["http"].get("response") == ({"status": int(status)} if status.isdecimal() else None)
    assert segment["annotations"]["reason"] in (getattr(error, "code", None), "KeyError")
    assert "secret" not in json.dumps(segment)


def test_call_for_one_event_carries_its_trace_and_the_invocations_lineage():
    tracer = Recorder(OWN + ";Lineage=a87bd80c:1|68fd508a:5")
    event = make_event(traceparent=TOLD + "1")
    span = tracer.begin(event)

    with tracer.calling([span]):
        header, parent = tracer.call_header(), tracer.traceparent(event)
        onward = tracer.carried(event)

    assert header == f"{TraceContext.of_traceparent(parent).header};Lineage=a87bd80c:1|68fd508a:5"
    assert onward.metadata.traceparent == parent == f"{TOLD[:36]}{2:016x}-01"
    assert (tracer.call_header(), tracer.traceparent(event), tracer.carried(event)) == (None, TOLD + "1", event)


def test_no_fault_of_the_sender_reaches_the_event():
    tracer = Recorder()
    tracer._send = lambda _: {}["no daemon"]

    tracer.published(tracer.enter(make_event()), None)
    tracer.end(tracer.begin(make_event(traceparent=TOLD + "1")), None)
