"""The calls of AWS that a batch costs, and what it logs: counted, so that no change makes them more unseen."""

from __future__ import annotations

import json
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from botocore.client import BaseClient

from media_events.adapters import cloudwatch, direct_calls
from media_events.delivery.circuit_breaker import REMEMBERED_SECONDS
from media_events.handlers import deliver, queue_ingress, webhook
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event, sqs_record
from tests.fakes.webhook_requests import BODY, Context, WebhookHarness, api_event

BATCH = 10


@pytest.fixture(name="calls")
def _calls(monkeypatch):
    """The calls of the functions' clients since the last ``clear``."""
    made = Counter()
    call = BaseClient._make_api_call

    def counted(client, operation, request):
        made[operation] += 1
        return call(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", counted)
    send = direct_calls._DirectCall._send

    def counted_direct(call, body):
        made[call.operation] += 1
        return send(call, body)

    monkeypatch.setattr(direct_calls._DirectCall, "_send", counted_direct)
    return made


@pytest.fixture(name="logged")
def _logged(capsys):
    """The lines of the functions since the last time."""
    cloudwatch.telemetry.cache_clear()
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cloudwatch.telemetry.cache_clear()


def events(first):
    return [sqs_record(bus_event(make_event(id=f"e-{first + n}")), f"m-{first + n}") for n in range(BATCH)]


def test_a_queue_ingress_makes_three_calls_for_a_batch_and_writes_one_line_and_its_metrics(cloud, calls, logged):
    cloud.setenv(INGRESS="sqs")
    specification = {"id": "body.id", "type": "body.type"}
    cloud.configure("ingress/mam", {"partners": {"mam": {"specification": specification}}})

    def invoke(first):
        bodies = [json.dumps({"id": f"e-{first + n}", "type": "asset.ready"}) for n in range(BATCH)]
        records = [sqs_record(body, f"m-{n}") for n, body in enumerate(bodies)]
        return queue_ingress.handler({"Records": records}, Context(f"request-{first}"))

    invoke(0)
    calls.clear()
    logged()
    assert invoke(BATCH) == {"batchItemFailures": []}
    assert calls == {"BatchExecuteStatement": 2, "PutEvents": 1}

    lines = logged()
    (line, metrics) = lines
    assert metrics["EventsAccepted"] == BATCH
    assert (line["events"], line["event_id"].split()) == (BATCH, [f"e-{BATCH + n}" for n in range(BATCH)])

    calls.clear()
    assert invoke(BATCH) == {"batchItemFailures": []}
    # What the batch has found is read alone, side by side: AWS does not promise to tell it.
    assert calls == {"BatchExecuteStatement": 1, "PutItem": BATCH}


@pytest.fixture(name="seconds")
def _seconds(monkeypatch):
    """How many seconds have passed for the delivery's sandbox; only the test lets them."""
    passed, began = [0.0], time.time()
    monkeypatch.setattr(deliver, "time", SimpleNamespace(time=lambda: began + passed[0]))
    return passed


def deliver_batches(*numbers):
    for number in numbers:
        answer = deliver.handler({"Records": events(number * BATCH)}, Context(f"request-{number}"))
        assert answer == {"batchItemFailures": []}


def test_a_route_to_a_queue_makes_three_calls_for_a_batch_and_reads_its_circuit_breaker_once_a_second(
    cloud, calls, seconds
):
    queue = cloud.sqs.create_queue(QueueName="target")["QueueUrl"]
    arn = "arn:aws:sqs:eu-west-1:123456789012:target"
    destination = {"name": "target", "type": "sqs", "queue_arn": arn, "queue_url": queue}
    cloud.configure("route/target", {"destination": destination})

    deliver_batches(0, 1)
    calls.clear()
    deliver_batches(*range(2, 12))
    assert calls == {"BatchExecuteStatement": 20, "SendMessageBatch": 10}

    calls.clear()
    seconds[0] += REMEMBERED_SECONDS
    deliver_batches(12, 13)
    assert calls == {"BatchExecuteStatement": 4, "GetItem": 1, "SendMessageBatch": 2}


def test_a_route_to_an_endpoint_makes_two_calls_for_a_batch_and_reads_its_circuit_breaker_once_a_second(
    cloud, calls, seconds, monkeypatch
):
    sent = []

    class Delivery:
        def deliver(self, event, *, seconds_left):  # noqa: ARG002
            sent.append(event.metadata.id)
            return {"status": 200}

    destination = {"name": "cms", "type": "http", "url": "https://cms.example.com/events", "circuit_breaker": {}}
    cloud.configure("route/cms", {"destination": destination})
    monkeypatch.setattr(deliver, "_delivery", Delivery)

    deliver_batches(0, 1)
    calls.clear()
    deliver_batches(*range(2, 12))
    assert len(set(sent)) == 12 * BATCH
    assert calls == {"BatchExecuteStatement": 20}

    calls.clear()
    seconds[0] += REMEMBERED_SECONDS
    deliver_batches(12, 13)
    assert calls == {"BatchExecuteStatement": 4, "GetItem": 1}


def test_a_webhook_makes_three_calls(cloud, calls):
    partner = {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}
    cloud.configure("ingress/webhook", {"partners": {"mux": partner}})

    def send(name):
        body = BODY.replace("evt-1", name).encode()
        return webhook.handler(api_event(body, headers=WebhookHarness().mux_headers(body, at=time.time())), Context())

    send("evt-1")
    calls.clear()
    assert send("evt-2")["statusCode"] == 202

    assert calls == {"PutItem": 1, "PutEvents": 1, "UpdateItem": 1}
