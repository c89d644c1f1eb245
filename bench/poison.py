"""Ten thousand poison messages in one hop's dead-letter queue: does live traffic through the same hop notice?

    .venv/bin/python -m bench.poison

deploys one route to the local cloud and sends live events through it, ``--rate`` a second, twice in one go: with
nothing else to do, and while the hop's dead-letter queue holds ``--letters`` messages that crashed its function, and
whose events the receiver refuses whenever it sees them. Told are the latencies from putting a live event on the bus to
its arrival at the receiver, and their ratio. The state is the benchmark's own, in a temporary folder, and is gone at
the end.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from ops.console import out
from ops.local import cloud
from ops.local.clients import Clients
from ops.local.paths import LocalPaths

WORKFLOW: Final = Path(__file__).with_name("poison.yaml")
POISON: Final = "poison-"
LATE_SECONDS: Final = 120.0
"""How long the last live events of a window are waited for."""


class Receiver(ThreadingHTTPServer):
    """Takes live events and remembers when; answers 503 to what is poison."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arrived: dict[str, float] = {}
        self.refused = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        event_id = self.headers["Idempotency-Key"].partition("/")[2]
        self.rfile.read(int(self.headers["Content-Length"]))
        poison = event_id.startswith(POISON)
        if poison:
            self.server.refused += 1
        else:
            self.server.arrived.setdefault(event_id, time.monotonic())
        self.send_response(503 if poison else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Window:
    """What one window of live traffic came to, in seconds."""

    name: str
    sent: int
    lost: int
    latencies: Sequence[float]

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.name:8} {self.sent} live events, {self.lost} not seen in time: "
            f"p50 {self.quantile(0.5) * 1000:.0f} ms, p90 {self.quantile(0.9) * 1000:.0f} ms, "
            f"p99 {self.quantile(0.99) * 1000:.0f} ms"
        )


def detail(event_id: str) -> str:
    """An event in the kit's envelope, as the bus has it."""
    metadata = {
        "specversion": "1.0",
        "id": event_id,
        "source": "partner.mux",
        "type": "asset.ready",
        "time": "2026-11-23T12:00:00Z",
        "partner": "mux",
        "entry": "webhook",
        "nativetype": "video.asset.ready",
        "recordedtime": "2026-11-23T12:00:01Z",
        "partitionkey": event_id,
        "datacontenttype": "application/json",
        "correlationid": event_id,
        "stage": "received",
        "hops": 0,
    }
    return json.dumps({"metadata": metadata, "data": {"asset": {"id": event_id}}})


class Bench:
    """One deployment under load."""

    def __init__(self, clients: Clients, outputs: dict[str, Any], receiver: Receiver) -> None:
        self.clients = clients
        self.bus = outputs["bus_name"]
        self.receiver = receiver
        name = next(queue for hop, queue in outputs["dead_letter_queues"].items() if hop == "route/to-cms")
        self.dlq: str = clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def window(self, name: str, *, seconds: float, rate: float) -> Window:
        """Send live events for ``seconds``, and wait for them."""
        sent: dict[str, float] = {}
        count, begun = int(seconds * rate), time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            event_id = f"{name}-{begun:.0f}-{number}"
            sent[event_id] = time.monotonic()
            entry: Any = {
                "EventBusName": self.bus,
                "Source": "partner.mux",
                "DetailType": "asset.ready",
                "Detail": detail(event_id),
            }
            self.clients.events.put_events(Entries=[entry])
        deadline = time.monotonic() + LATE_SECONDS
        while time.monotonic() < deadline and not sent.keys() <= self.receiver.arrived.keys():
            time.sleep(0.2)
        arrived = self.receiver.arrived
        latencies = [arrived[event_id] - at for event_id, at in sent.items() if event_id in arrived]
        return Window(name, count, count - len(latencies), latencies)

    def poison(self, letters: int) -> None:
        """Fill the dead-letter queue with what SQS would have moved there: events without a word about why."""
        for start in range(0, letters, 10):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": self._moved(f"{POISON}{number}")}
                for number in range(start, min(start + 10, letters))
            ]
            self.clients.sqs.send_message_batch(QueueUrl=self.dlq, Entries=entries)

    def waiting(self) -> int:
        """About how many messages the dead-letter queue holds."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found: Any = self.clients.sqs.get_queue_attributes(QueueUrl=self.dlq, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())

    def _moved(self, event_id: str) -> str:
        event = {"version": "0", "id": event_id, "detail-type": "asset.ready", "source": "partner.mux"}
        return json.dumps(event | {"detail": json.loads(detail(event_id))})


def measure(bench: Bench, *, letters: int, seconds: float, rate: float) -> tuple[Window, Window]:
    """A window without poison and one with it."""
    bench.window("warm-up", seconds=15, rate=rate)
    calm = bench.window("without", seconds=seconds, rate=rate)
    out.print(str(calm))
    bench.poison(letters)
    before = bench.waiting()
    poisoned = bench.window("with", seconds=seconds, rate=rate)
    out.print(str(poisoned))
    out.print(
        f"dead letters: {before} when the window began, {bench.waiting()} after it; "
        f"the receiver refused poison {bench.receiver.refused} times"
    )
    return calm, poisoned


def main(arguments: list[str] | None = None) -> int:
    """Deploy, measure, tell, and take everything away."""
    parser = argparse.ArgumentParser(prog="python -m bench.poison", description=__doc__)
    parser.add_argument("--letters", type=int, default=10_000, help="dead letters (10000)")
    parser.add_argument("--seconds", type=float, default=60, help="length of each window (60)")
    parser.add_argument("--rate", type=float, default=20, help="live events in a second (20)")
    given = parser.parse_args(arguments)
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        paths = LocalPaths(Path(folder) / "cloud")
        try:
            variables = {"MEDIA_EVENTS_WORKFLOW": str(WORKFLOW), "RECEIVER_PORT": str(receiver.server_port)}
            up = cloud.up(paths, cloud.UpOptions(variables=variables))
            bench = Bench(Clients(up.record), up.outputs, receiver)
            calm, poisoned = measure(bench, letters=given.letters, seconds=given.seconds, rate=given.rate)
        finally:
            cloud.down(paths)
            receiver.shutdown()
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    out.print(f"machine: {os.cpu_count()} CPUs, load average {load}")
    p50, p99 = (poisoned.quantile(share) / calm.quantile(share) for share in (0.5, 0.99))
    mean = statistics.fmean(poisoned.latencies) / statistics.fmean(calm.latencies)
    out.print(f"with / without poison: p50 {p50:.2f} mean {mean:.2f} p99 {p99:.2f} (wanted: p99 at most 1.10)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
