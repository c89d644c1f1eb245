"""The ages of what waits in queues, from CloudWatch, because SQS itself does not have them.

SQS's own metric leaves out messages that were received three times or more, and a delayed copy is a new message to it
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html). Of
these the hop's function tells, whose name is the queue's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from media_events_kit.ops.status.metric_data import QUERIES_A_CALL, metric_query, metric_values

BATCH: Final = QUERIES_A_CALL // 2
"""Two queries for each."""

PERIOD_SECONDS: Final = 60
LOOK_BACK: Final = timedelta(minutes=20)
"""SQS publishes every minute, some minutes late; a deferred event comes back within fifteen."""


@dataclass(frozen=True, slots=True)
class OldestMessages:
    """Reads ``ApproximateAgeOfOldestMessage``, and ``WaitingEventAge`` of the functions."""

    client: Any
    clock: Callable[[], float]

    def ages(self, names: Sequence[str]) -> Mapping[str, float]:
        """The age in seconds of each queue's oldest message, for the queues that have the metric.

        Raises:
            ProcessingError: CloudWatch did not answer or refused.
        """
        batches = (names[start : start + BATCH] for start in range(0, len(names), BATCH))
        return {name: age for batch in batches for name, age in self._read(batch).items()}

    def _read(self, names: Sequence[str]) -> dict[str, float]:
        end = datetime.fromtimestamp(self.clock(), UTC)
        queries = [query for index, name in enumerate(names) for query in _queries(index, name)]
        newest: dict[str, float] = {}
        found = metric_values(self.client, queries, start=end - LOOK_BACK, end=end, doing="asking for ages of messages")
        for query, values in found:
            newest.setdefault(query, float(values[0]))
        ages: dict[str, float] = {}
        for query, age in newest.items():
            name = names[int(query[1:])]
            ages[name] = max(age, ages.get(name, 0.0))
        return ages


def _queries(index: int, name: str) -> Iterator[dict[str, Any]]:
    sources = {
        "q": ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name}),
        "w": ("MediaEvents", "WaitingEventAge", {"service": name.removesuffix(".fifo")}),
    }
    for prefix, source in sources.items():
        yield metric_query(f"{prefix}{index}", *source, period_seconds=PERIOD_SECONDS, statistic="Maximum")
