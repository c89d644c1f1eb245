"""Latency and throughput on the local cloud, beside a minimal pipeline on the same cloud.

The minimal pipeline is what nobody can do without: a rule and a queue, which the benchmark reads by long polling. It
runs no function, and the workflow's rules are off. So the difference is a function's invocation, the two records of the
idempotency store, and the POST.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.poison import WORKFLOW, Bench, Receiver
from bench.results import Result
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import LocalPaths

RATE: Final = 20.0
"""Events a second: what two busy CPUs sustain with an emulator beside the functions."""
SECONDS: Final = 10.0
BURST: Final = 400


class Minimal:
    """A rule and a queue; a thread reads the queue and tells the arrivals to the receiver."""

    def __init__(self, clients: Clients, bus: str, receiver: Receiver) -> None:
        self._sqs = clients.sqs
        self._receiver = receiver
        self._url = clients.sqs.create_queue(QueueName="minimal")["QueueUrl"]
        attributes: Any = ["QueueArn"]
        arn = clients.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=attributes)["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                }
            ],
        }
        clients.sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        clients.events.put_rule(Name="minimal", EventBusName=bus, EventPattern=json.dumps({"source": ["partner.mux"]}))
        clients.events.put_targets(Rule="minimal", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the reading."""
        self._stopped.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stopped.is_set():
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            now = time.monotonic()
            for message in answer.get("Messages", []):
                event_id = json.loads(message["Body"])["detail"]["metadata"]["id"]
                self._receiver.arrived.setdefault(event_id, now)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def measure() -> Iterator[Result]:
    """Windows at a steady rate, and a burst, of each in turn."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        paths = LocalPaths(Path(folder) / "cloud")
        try:
            variables = {"MEDIA_EVENTS_WORKFLOW": str(WORKFLOW), "RECEIVER_PORT": str(receiver.server_port)}
            up = lifecycle.up(paths, lifecycle.UpOptions(variables=variables))
            clients = Clients(up.record)
            bench = Bench(clients, up.outputs, receiver)
            yield from _pipeline(bench, "route by HTTP")
            for rule in clients.events.list_rules(EventBusName=up.outputs["bus_name"])["Rules"]:
                if "ManagedBy" not in rule:  # an archive's
                    clients.events.disable_rule(Name=rule["Name"], EventBusName=up.outputs["bus_name"])
            other = Receiver()
            minimal = Minimal(clients, up.outputs["bus_name"], other)
            yield from _pipeline(Bench(clients, up.outputs, other), "rule and queue")
            minimal.stop()
            other.shutdown()
        finally:
            lifecycle.down(paths)
            receiver.shutdown()


def _pipeline(bench: Bench, name: str) -> Iterator[Result]:
    bench.window("warm-up", seconds=SECONDS / 2, rate=RATE)
    window = bench.window(name, seconds=SECONDS, rate=RATE)
    for share in (0.5, 0.95, 0.99):
        yield Result(
            name=f"local cloud, {name}, p{share * 100:.0f} at {RATE:.0f} events a second",
            value=window.quantile(share) * 1000,
            unit="ms",
        )
    begun = time.monotonic()
    burst = bench.window(name, seconds=BURST / 10_000, rate=10_000)
    yield Result(
        name=f"local cloud, {name}, a burst of {BURST}",
        value=(burst.sent - burst.lost) / (time.monotonic() - begun),
        unit="events a second",
    )
