"""The hops of the deployment, read in the background while somebody looks at the map.

SQS and DynamoDB answer for one queue or table at a time, so a reading takes as long as the deployment is large. A page
shows the last one and never waits long. Depths come from SQS itself and not from its metrics in CloudWatch: these are
minutes old, and cost a hundred times as much for a page that is open all day
(https://aws.amazon.com/cloudwatch/pricing/, https://aws.amazon.com/sqs/pricing/).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from media_events.core.failures import ProcessingError
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.status.event_rates import EventRates
from media_events_kit.ops.status.model import HopReading

REFRESH_SECONDS: Final = 10.0
RATES_SECONDS: Final = 60.0
"""CloudWatch has a value a minute, and each costs."""
PATIENCE_SECONDS: Final = 0.2
"""The first page waits so long for the first reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The deployment as it was last read. ``rates`` are events a minute by hop and partner, if they are known."""

    topology: Topology
    reading: HopReading
    rates: Mapping[str, float]


@dataclass(slots=True, kw_only=True)
class LiveHops:
    """Reads the hops again when the last reading is old and somebody asks."""

    topology: Callable[[], Topology]
    hops: Callable[[], HopReading]
    rates: Callable[[Topology], Mapping[str, float]]
    clock: Callable[[], float] = time.monotonic
    problem: str = ""
    _live: Live | None = None
    _read_at: float = float("-inf")
    _rates_at: float = float("-inf")
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def latest(self, *, wait: float = PATIENCE_SECONDS) -> Live | None:
        """The last reading; ``None`` while there is none, and ``problem`` says why if one failed."""
        with self._lock:
            if self._thread is None and self.clock() - self._read_at >= REFRESH_SECONDS:
                self._thread = threading.Thread(target=self._refresh, name="live-hops", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None and self._live is None:
            thread.join(wait)
        return self._live

    def _refresh(self) -> None:
        try:
            topology = self.topology()
            self._live = Live(topology=topology, reading=self.hops(), rates=self._known_rates(topology))
            self.problem = ""
        except (OperatorError, ProcessingError) as error:
            self.problem = error.message
        finally:
            with self._lock:
                self._read_at, self._thread = self.clock(), None

    def _known_rates(self, topology: Topology) -> Mapping[str, float]:
        if self._live is not None and self.clock() - self._rates_at < RATES_SECONDS:
            return self._live.rates
        self._rates_at = self.clock()
        try:
            return self.rates(topology)
        except ProcessingError:
            return {}


def live_hops(deployment: Deployment) -> LiveHops:
    """The hops of ``deployment``."""
    from media_events_kit.ops.status.bootstrap import collector  # noqa: PLC0415 - it has Terraform read its outputs

    return LiveHops(
        topology=lambda: deployment.topology,
        hops=lambda: collector(deployment).hops(),
        rates=EventRates(deployment.cloud.lazy("cloudwatch"), time.time).read,
    )
