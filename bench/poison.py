"""Ten thousand poison messages in one hop's dead-letter queue: does live traffic through the same hop notice?

    .venv/bin/python -m bench.poison

deploys a route to the local cloud and sends live events through it, ``--rate`` a second, in windows of a minute. In
every second window the hop's dead-letter queue holds ``--dead-letters`` messages with events that the receiver always
refuses. They crashed the hop's function, or it gave them up after refusals (``--kind``); the latter go back through the
hop's own queue. The benchmark prints the latencies from putting a live event on the bus to its arrival at the receiver.
Other work of the machine shows in a single window, so the median of each kind counts; the windows without poison show
the spread. The state is in a temporary folder, which is deleted at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.shared.console import out

WORKFLOW: Final = Path(__file__).with_name("poison.yaml")
POISON: Final = "poison-"
HOP: Final = "route/to-cms"
WANTED: Final = 1.1
"""The largest allowed ratio of p99 with poison to p99 without."""
SETTLED_SECONDS: Final = 5.0
"""After this time without poison at the receiver, none is under way."""
WARM_UP_SECONDS: Final = 20.0
LATE_SECONDS: Final = 120.0
"""The longest wait for the last live events of a window."""


class Receiver(ThreadingHTTPServer):
    """Accepts live events and records their time; answers 503 to poison."""

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
    """The result of one window of live traffic, in seconds."""

    name: str
    sent: int
    lost: int
    latencies: Sequence[float]
    refused: int
    busy: float
    """The share of the CPUs' time in use, by any process."""

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.sent} live events, {self.lost} not seen in time: "
            f"p50 {self.quantile(0.5) * 1000:.0f} ms, p90 {self.quantile(0.9) * 1000:.0f} ms, "
            f"p99 {self.quantile(0.99) * 1000:.0f} ms; poison refused {self.refused} times; "
            f"CPUs {self.busy:.0%} busy, load average {os.getloadavg()[0]:.1f}"
        )


def detail(event_id: str) -> str:
    """An event in the kit's envelope, as on the bus."""
    metadata = {
        "specversion": "1.0",
        "id": event_id,
        "source": "partner.mux",
        "type": "asset.ready",
        "time": "2026-11-23T12:00:00Z",
        "partner": "mux",
        "ingress": "webhook",
        "nativetype": "video.asset.ready",
        "recordedtime": "2026-11-23T12:00:01Z",
        "partitionkey": event_id,
        "datacontenttype": "application/json",
        "correlationid": event_id,
        "stage": "received",
        "hops": 0,
    }
    return json.dumps({"metadata": metadata, "data": {"asset": {"id": event_id}}})


def refusal() -> dict[str, str]:
    """The message attribute ``failure`` of an event that a hop has just given up."""
    now = timestamp(time.time())
    failure = {"class": "transient", "code": "http-503", "message": "the destination answered 503", "hop": HOP}
    value = json.dumps(failure | {"receivecount": 2, "firsttime": now, "lasttime": now})
    return {"DataType": "String", "StringValue": value}


class Bench:
    """One deployment under load."""

    def __init__(self, clients: Clients, outputs: dict[str, Any], receiver: Receiver) -> None:
        self.clients = clients
        self.bus = outputs["bus_name"]
        self.receiver = receiver
        self.queue: str = outputs["queue_urls"][HOP]
        self.dead = clients.sqs.get_queue_url(QueueName=outputs["dead_letter_queues"][HOP])["QueueUrl"]

    def window(self, name: str, *, seconds: float, rate: float) -> Window:
        """Send live events for ``seconds``, and wait for them."""
        sent: dict[str, float] = {}
        refused, used = self.receiver.refused, _cpu_seconds()
        count, begun = int(seconds * rate), time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            event_id = f"live-{begun:.0f}-{number}"
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
        busy = tuple(now - before for now, before in zip(_cpu_seconds(), used, strict=True))
        return Window(
            name=name,
            sent=count,
            lost=count - len(latencies),
            latencies=latencies,
            refused=self.receiver.refused - refused,
            busy=busy[0] / max(sum(busy), 1e-9),
        )

    def poison(self, dead_letters: int, kind: str) -> None:
        """Fill the dead-letter queue with messages that SQS moved there without a failure, or that the hop sent."""
        begun = time.monotonic()
        attributes: Any = {"MessageAttributes": {"failure": refusal()}} if kind == "refused" else {}
        for start in range(0, dead_letters, 10):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": self._moved(f"{POISON}{begun:.0f}-{number}"), **attributes}
                for number in range(start, min(start + 10, dead_letters))
            ]
            self.clients.sqs.send_message_batch(QueueUrl=self.dead, Entries=entries)

    def waiting(self) -> int:
        """About how many messages the dead-letter queue holds."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes: Any = self.clients.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in attributes.values())

    def clear(self) -> None:
        """Remove the poison, wherever it is."""
        refused = -1
        while refused != self.receiver.refused:
            refused = self.receiver.refused
            for url in (self.dead, self.queue):
                self.clients.sqs.purge_queue(QueueUrl=url)
            time.sleep(SETTLED_SECONDS)

    def _moved(self, event_id: str) -> str:
        event = {"version": "0", "id": event_id, "detail-type": "asset.ready", "source": "partner.mux"}
        return json.dumps(event | {"detail": json.loads(detail(event_id))})


def _cpu_seconds() -> tuple[float, float]:
    """The time that all CPUs have been in use, and idle, since the machine started (Linux)."""
    numbers = [float(number) for number in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    idle = numbers[3] + numbers[4]
    return sum(numbers[:8]) - idle, idle


def measure(bench: Bench, load: argparse.Namespace) -> tuple[list[Window], list[Window]]:
    """The windows without poison, one more than those with, and these. Prints each as it ends."""

    def window(name: str) -> Window:
        # The function instances for this load start before the measurement.
        bench.window("warm-up", seconds=WARM_UP_SECONDS, rate=load.rate)
        measured = bench.window(name, seconds=load.seconds, rate=load.rate)
        out.print(str(measured))
        return measured

    without, poisoned = [window("without")], []
    for _ in range(load.rounds):
        bench.poison(load.dead_letters, load.kind)
        before = bench.waiting()
        poisoned.append(window("with"))
        out.print(f"  dead letters: {before} when the window began, {bench.waiting()} after it")
        bench.clear()
        without.append(window("without"))
    return without, poisoned


def middle(windows: Sequence[Window], share: float) -> float:
    """The median of the windows' quantiles, in seconds."""
    return median(window.quantile(share) for window in windows)


def main(arguments: list[str] | None = None) -> int:
    """Deploy, measure, print, and clean up; 1 if live events were lost or waited too long."""
    parser = argparse.ArgumentParser(prog="python -m bench.poison", description=__doc__)
    parser.add_argument("--dead-letters", type=int, default=10_000, help="dead letters (10000)")
    parser.add_argument("--kind", choices=("crashed", "refused"), default="crashed", help="of dead letters (crashed)")
    parser.add_argument("--seconds", type=float, default=60, help="length of each window (60)")
    parser.add_argument("--rate", type=float, default=20, help="live events in a second (20)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="windows with dead letters (5); there is one more without"
    )
    load = parser.parse_args(arguments)
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        paths = LocalPaths(Path(folder) / "cloud")
        try:
            variables = {"MEDIA_EVENTS_WORKFLOW": str(WORKFLOW), "RECEIVER_PORT": str(receiver.server_port)}
            up = lifecycle.up(paths, lifecycle.UpOptions(variables=variables))
            bench = Bench(Clients(up.record), up.outputs, receiver)
            without, poisoned = measure(bench, load)
        finally:
            lifecycle.down(paths)
            receiver.shutdown()
    calm = [window.quantile(0.99) for window in without]
    out.print(f"without: p99 {min(calm) * 1000:.0f} to {max(calm) * 1000:.0f} ms, from window to window")
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
        one, other = middle(without, share), middle(poisoned, share)
        out.print(f"{name}: without {one * 1000:.0f} ms, with {other * 1000:.0f} ms: {other / one:.2f} times")
    ratio, lost = middle(poisoned, 0.99) / middle(without, 0.99), sum(window.lost for window in (*without, *poisoned))
    out.print(f"wanted: p99 at most {WANTED:.2f} times, and it is {ratio:.2f}; lost {lost}")
    return 0 if ratio <= WANTED and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
