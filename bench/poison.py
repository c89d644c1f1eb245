"""Ten thousand poison messages in one hop's dead-letter queue: does live traffic through the same hop notice?

    .venv/bin/python -m bench.poison

deploys two routes alike to the local cloud and sends live events through one of them, ``--rate`` a second, in four
windows: with nothing else to do, while the dead-letter queue of the *other* route holds ``--letters`` messages that
crashed its function and whose events the receiver refuses whenever it sees them, while that of the live route does, and
with nothing else to do again. Told are the latencies from putting a live event on the bus to its arrival at the
receiver. The second window costs the machine what the third does, but no hop's queue or function is shared: what the
third has beyond it is the hop's doing. The state is the benchmark's own, in a temporary folder, and is gone at the end.
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
from typing import Any, Final

from ops.console import out
from ops.local import cloud
from ops.local.clients import Clients
from ops.local.paths import LocalPaths

WORKFLOW: Final = Path(__file__).with_name("poison.yaml")
POISON: Final = "poison-"
LIVE, OTHER = "route/to-cms", "route/to-other"
SETTLED_SECONDS: Final = 5.0
"""When no poison has reached the receiver for so long, none is on its way any more."""
WARM_UP_SECONDS: Final = 20.0
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
    refused: int
    busy: float
    """What share of the CPUs' time was used, by whomever."""

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
        self.dead = {
            hop: clients.sqs.get_queue_url(QueueName=outputs["dead_letter_queues"][hop])["QueueUrl"]
            for hop in (LIVE, OTHER)
        }
        self.queues: dict[str, str] = outputs["queue_urls"]

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

    def poison(self, hop: str, letters: int) -> None:
        """Fill a dead-letter queue with what SQS would have moved there: events without a word about why."""
        for start in range(0, letters, 10):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": self._moved(f"{POISON}{hop.rpartition('/')[2]}-{number}")}
                for number in range(start, min(start + 10, letters))
            ]
            self.clients.sqs.send_message_batch(QueueUrl=self.dead[hop], Entries=entries)

    def waiting(self, hop: str) -> int:
        """About how many messages a dead-letter queue holds."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found: Any = self.clients.sqs.get_queue_attributes(QueueUrl=self.dead[hop], AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())

    def clear(self, hop: str) -> None:
        """Take the poison away, wherever it is on its way round."""
        refused = -1
        while refused != self.receiver.refused:
            refused = self.receiver.refused
            for url in (self.dead[hop], self.queues[hop]):
                self.clients.sqs.purge_queue(QueueUrl=url)
            time.sleep(SETTLED_SECONDS)

    def _moved(self, event_id: str) -> str:
        event = {"version": "0", "id": event_id, "detail-type": "asset.ready", "source": "partner.mux"}
        return json.dumps(event | {"detail": json.loads(detail(event_id))})


def _cpu_seconds() -> tuple[float, float]:
    """What all CPUs have been used, and what they have been idle, since the machine started (Linux)."""
    numbers = [float(number) for number in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    idle = numbers[3] + numbers[4]
    return sum(numbers[:8]) - idle, idle


def measure(bench: Bench, *, letters: int, seconds: float, rate: float) -> list[Window]:
    """The four windows, told as they end."""
    windows: list[Window] = []

    def window(name: str) -> None:
        # The instances that the load of this window needs are started before it is measured.
        bench.window("warm-up", seconds=WARM_UP_SECONDS, rate=rate)
        windows.append(bench.window(name, seconds=seconds, rate=rate))
        out.print(str(windows[-1]))

    window("without")
    for hop, name in ((OTHER, "another hop's"), (LIVE, "its own hop's")):
        bench.poison(hop, letters)
        before = bench.waiting(hop)
        window(name)
        out.print(f"  dead letters: {before} when the window began, {bench.waiting(hop)} after it")
        bench.clear(hop)
    window("without again")
    return windows


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
            calm, elsewhere, here, again = measure(bench, letters=given.letters, seconds=given.seconds, rate=given.rate)
        finally:
            cloud.down(paths)
            receiver.shutdown()
    for one, other, goal in ((here, calm, " (wanted: p99 at most 1.10)"), (here, elsewhere, ""), (again, calm, "")):
        p50, p99 = (one.quantile(share) / other.quantile(share) for share in (0.5, 0.99))
        out.print(f"{one.name} / {other.name}: p50 {p50:.2f}, p99 {p99:.2f}{goal}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
