"""One trace from webhook to receiver, through the handlers as Lambda calls them."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest
from botocore.endpoint import Endpoint

from media_events.adapters import direct_calls
from media_events.adapters.http_client import PinnedHttpClient
from media_events.adapters.xray import XRayDaemon
from media_events.core.envelope import Event
from media_events.core.tracing import TraceContext
from media_events.handlers import deliver, queue_ingress, transform, webhook
from media_events.outbound_http.client import Response
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event, sqs_record
from tests.fakes.webhook_requests import BODY, Context, WebhookHarness, api_event

OWN = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled={}"
TRACE = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "00-5759e988bd862e3fe1be46a994272793-00f067aa0ba902b7-01"
OPERATIONS = {"sqs": "SendMessageBatch", "event-bus": "PutEvents", "step-functions": "StartExecution"}


@pytest.fixture(name="segments")
def _segments(cloud, monkeypatch):
    """The segments that the functions have sent, all with active tracing."""
    sent = []
    monkeypatch.setattr(XRayDaemon, "send", lambda _, segment: sent.append(json.loads(json.dumps(segment))))
    cloud.setenv(TRACING="Active", _X_AMZN_TRACE_ID=OWN.format(1), AWS_LAMBDA_FUNCTION_NAME="f")
    return sent


@pytest.fixture(name="requests")
def _requests(monkeypatch):
    """What receivers get: URL, headers and body."""
    got = []

    def post(_client, request):
        got.append((request.target.url, dict(request.headers), request.body))
        return Response(503 if len(got) == 1 else 204)

    monkeypatch.setattr(PinnedHttpClient, "post", post)
    return got


@pytest.fixture(name="calls")
def _calls(monkeypatch):
    """The trace header of each AWS call, with its body."""
    made = []
    answered, direct = Endpoint._get_response, direct_calls._DirectCall._send

    def noted(endpoint, request, model, context):
        if model.service_model.service_name != "s3":
            made.append((model.name, request.headers.get("X-Amzn-Trace-Id", b"").decode(), json.loads(request.body)))
        return answered(endpoint, request, model, context)

    def noted_direct(call, body):
        made.append((call.operation, None, json.loads(body)))
        return direct(call, body)

    monkeypatch.setattr(Endpoint, "_get_response", noted)
    monkeypatch.setattr(direct_calls._DirectCall, "_send", noted_direct)
    return made


def take_a_webhook(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )
    headers = WebhookHarness().mux_headers(BODY.encode(), at=time.time())
    return webhook.handler(api_event(BODY.encode(), headers=headers), Context("webhook"))


def on_the_bus(cloud):
    """The next event on the bus, and the record that a rule makes of it."""
    (message,) = cloud.seen()
    cloud.sqs.delete_message(QueueUrl=cloud.queue, ReceiptHandle=message["ReceiptHandle"])
    event = Event.from_detail(json.loads(message["Body"])["detail"])
    return event, sqs_record(message["Body"], "m-1", first_received_ms=int(time.time() * 1000))


def transformed(cloud, record):
    cloud.configure("transform/t", {"steps": [{"set": {"seen": True}}]})
    assert transform.handler({"Records": [record]}, Context("transform")) == {"batchItemFailures": []}
    return on_the_bus(cloud)


def test_every_hop_and_attempt_is_a_segment_of_one_trace_which_the_receiver_continues(cloud, segments, requests):
    assert take_a_webhook(cloud)["statusCode"] == 202
    _, record = on_the_bus(cloud)
    event, record = transformed(cloud, record)
    cloud.configure(
        "route/cms", {"destination": {"name": "cms", "type": "http", "url": "https://cms.example.com/hook/t0ken"}}
    )
    failed = deliver.handler({"Records": [record]}, Context("first"))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert deliver.handler({"Records": [record]}, Context("second")) == {"batchItemFailures": []}

    assert [segment["name"] for segment in segments] == ["ingress/webhook", "transform/t", "route/cms", "route/cms"]
    assert {segment["trace_id"] for segment in segments} == {TRACE}
    ingress, changed, *attempts = segments
    assert ingress["parent_id"] == "53995c3f42cd8ad8"
    assert changed["parent_id"] == ingress["id"]
    assert [segment["parent_id"] for segment in attempts] == [changed["id"]] * 2
    assert [segment.get("fault") for segment in attempts] == [True, None]
    assert attempts[0]["annotations"]["destination"] == "cms"
    for segment, (_, headers, body), status in zip(attempts, requests, (503, 204), strict=True):
        (call,) = segment["subsegments"]
        told = TraceContext.of_traceparent(headers["traceparent"])
        assert (told.root, told.parent_id, told.sampled) == (TRACE, call["id"], True)
        request = {"method": "POST", "url": "https://cms.example.com"}
        assert call["http"] == {"request": request, "response": {"status": status}}
        # The body is the same in each attempt: a receiver may compare it with what the key stood for.
        assert json.loads(body)["traceparent"] == event.metadata.traceparent
    assert requests[0][2] == requests[1][2]
    assert "t0ken" not in json.dumps(segments)


@pytest.mark.parametrize("sampled", [0, 1])
def test_bus_gets_the_header_of_a_recorded_event_alone(cloud, segments, calls, sampled):
    cloud.setenv(_X_AMZN_TRACE_ID=OWN.format(sampled))

    take_a_webhook(cloud)

    ((entry,),) = [parameters["Entries"] for operation, _, parameters in calls if operation == "PutEvents"]
    event, _ = on_the_bus(cloud)
    expected = TraceContext.of_traceparent(event.metadata.traceparent).header if sampled else None
    assert entry.get("TraceHeader") == expected
    assert len(segments) == sampled


def test_queue_ingress_begins_a_trace_for_each_message(cloud, segments):
    cloud.setenv(INGRESS="sqs")
    specification = {"id": "body.id", "type": "body.type", "traceparent": "body.trace"}
    cloud.configure("ingress/mam", {"partners": {"mam": {"specification": specification}}})
    told = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    bodies = [{"id": "a", "type": "t"}, {"id": "b", "type": "t", "trace": told}, {"id": "a", "type": "t"}]

    queue_ingress.handler(
        {"Records": [sqs_record(json.dumps(b), f"m-{n}") for n, b in enumerate(bodies)]}, Context("r")
    )

    assert [(s["annotations"]["event_id"], s["trace_id"]) for s in segments] == [
        ("a", TRACE),
        ("b", "1-4bf92f35-77b34da6a3ce929d0e0e4736"),
    ]


@pytest.mark.parametrize("kind", ["sqs", "event-bus", "step-functions"])
def test_call_of_aws_for_a_recorded_event_is_its_own_and_carries_its_trace(cloud, segments, calls, kind):
    region = "arn:aws:{}:eu-west-1:123456789012:{}"
    target = cloud.sqs.create_queue(QueueName="target")["QueueUrl"]
    destination = {
        "sqs": {"queue_arn": region.format("sqs", "target"), "queue_url": target},
        "event-bus": {"bus_arn": region.format("events", "event-bus/media")},
        "step-functions": {"state_machine_arn": region.format("states", "stateMachine:ingest")},
    }[kind]
    cloud.configure(f"route/{kind}", {"destination": {"name": "there", "type": kind, **destination}})
    parents = [PARENT, None, PARENT, None, None]
    records = [
        sqs_record(bus_event(make_event(id=f"e{n}", partitionkey=f"k{n}", traceparent=parent)), f"m-{n}")
        for n, parent in enumerate(parents)
    ]

    deliver.handler({"Records": records}, Context("r"))

    by_event = {segment["annotations"]["event_id"]: segment for segment in segments}
    assert sorted(by_event) == ["e0", "e2"]
    assert {segment["parent_id"] for segment in segments} == {"00f067aa0ba902b7"}
    first, second = [
        TraceContext(PARENT[3:35], by_event[e]["subsegments"][0]["id"], sampled=True).header for e in ("e0", "e2")
    ]
    made = [(header, parameters) for operation, header, parameters in calls if operation == OPERATIONS[kind]]
    if kind == "event-bus":
        ((_, parameters),) = made
        assert [entry.get("TraceHeader") for entry in parameters["Entries"]] == [first, None, second, None, None]
    elif kind == "sqs":
        sent = [(header, len(parameters["Entries"])) for header, parameters in made]
        assert sent == [(first, 1), (OWN.format(1), 1), (second, 1), (OWN.format(1), 2)]
    else:
        assert Counter(header for header, _ in made) == Counter([first, second, *[OWN.format(1)] * 3])


def test_without_active_tracing_nothing_is_sent_added_or_changed(cloud, segments, requests, calls):
    cloud.setenv(TRACING="")
    take_a_webhook(cloud)
    event, record = on_the_bus(cloud)
    event_of_bus, record = transformed(cloud, record)
    cloud.configure(
        "route/cms", {"destination": {"name": "cms", "type": "http", "url": "https://cms.example.com/hook"}}
    )
    deliver.handler({"Records": [record]}, Context("first"))

    assert segments == []
    assert (event.metadata.traceparent, event_of_bus.metadata.traceparent) == (None, None)
    assert "traceparent" not in requests[0][1]
    assert "TraceHeader" not in json.dumps(calls)
