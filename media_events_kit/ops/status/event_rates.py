"""Events a minute, by hop and by partner, from the functions' own metrics in CloudWatch.

A hop without a function has none. The local cloud keeps no metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.status.metric_data import QUERIES_A_CALL, metric_query, metric_values

PERIOD_SECONDS: Final = 60
MINUTES: Final = 5
LATE: Final = timedelta(minutes=1)
"""The metrics of the last minute are not all there yet."""

Dimensions = Mapping[str, str]
_OF_KIND: Final = {"transform": "EventsTransformed", "route": "EventsDelivered"}


@dataclass(frozen=True, slots=True)
class EventRates:
    """Reads the rates of a deployment's hops and partners."""

    client: Any
    clock: Callable[[], float]

    def read(self, topology: Topology) -> Mapping[str, float]:
        """Events a minute of the last five minutes, by hop (``route/cms``) and partner (``partner/mux``).

        A request has 500 metrics, so the number of requests grows with the hops by a 500th.

        Raises:
            ProcessingError: CloudWatch did not answer or refused.
        """
        wanted = list(_metrics(topology))
        sums: Counter[str] = Counter()
        for start in range(0, len(wanted), QUERIES_A_CALL):
            part = wanted[start : start + QUERIES_A_CALL]
            for index, total in self._totals([(metric, dimensions) for _, metric, dimensions in part]):
                for key in part[index][0]:
                    sums[key] += total  # type: ignore[assignment]  # a number
        return {key: total / MINUTES for key, total in sums.items()}

    def _totals(self, metrics: Sequence[tuple[str, Dimensions]]) -> Iterator[tuple[int, float]]:
        end = datetime.fromtimestamp(self.clock() // PERIOD_SECONDS * PERIOD_SECONDS, UTC) - LATE
        queries = [
            metric_query(f"r{index}", "MediaEvents", *metric, period_seconds=PERIOD_SECONDS, statistic="Sum")
            for index, metric in enumerate(metrics)
        ]
        start, doing = end - timedelta(minutes=MINUTES), "asking for the rates of events"
        for query, values in metric_values(self.client, queries, start=start, end=end, doing=doing):
            yield int(query[1:]), float(sum(values))


def _metrics(topology: Topology) -> Iterator[tuple[tuple[str, ...], str, Dimensions]]:
    """Each metric to read, with the keys that it counts for."""
    for hop in topology.hops.values():
        function = None if hop.log_group is None else hop.log_group.rpartition("/")[2]
        if function is not None and hop.kind in _OF_KIND:
            yield (hop.name,), _OF_KIND[hop.kind], {"service": function}
    for partner, ingresses in topology.partner_ingresses.items():
        for name in ingresses:
            ingress = topology.hops.get(name)
            if ingress is not None and ingress.log_group is not None:
                function = ingress.log_group.rpartition("/")[2]
                yield (name, f"partner/{partner}"), "EventsAccepted", {"service": function, "partner": partner}
