"""How old the oldest messages of queues are, from CloudWatch: SQS itself does not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

BATCH: Final = 500
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""

PERIOD_SECONDS: Final = 60
LOOK_BACK: Final = timedelta(minutes=15)
"""SQS publishes every minute, some minutes late."""


@dataclass(frozen=True, slots=True)
class OldestMessages:
    """Reads ``ApproximateAgeOfOldestMessage``."""

    client: Any
    clock: Callable[[], float]

    def ages(self, names: Sequence[str]) -> Mapping[str, float]:
        """The age in seconds of the oldest message of each queue that the metric is there for.

        Raises:
            HopError: CloudWatch did not answer or refused.
        """
        return {name: age for batch in _batches(names) for name, age in self._read(batch)}

    def _read(self, names: Sequence[str]) -> Iterator[tuple[str, float]]:
        end = datetime.fromtimestamp(self.clock(), UTC)
        request: dict[str, Any] = {
            "MetricDataQueries": [_query(index, name) for index, name in enumerate(names)],
            "StartTime": end - LOOK_BACK,
            "EndTime": end,
            "ScanBy": "TimestampDescending",
        }
        newest: dict[str, float] = {}
        while True:
            try:
                answer = self.client.get_metric_data(**request)
            except (BotoCoreError, ClientError) as error:
                translate(error, "asking for the ages of messages")
            for result in answer.get("MetricDataResults", []):
                if result.get("Values"):
                    newest.setdefault(names[int(result["Id"].removeprefix("q"))], float(result["Values"][0]))
            if not answer.get("NextToken"):
                return iter(newest.items())
            request["NextToken"] = answer["NextToken"]


def _query(index: int, name: str) -> dict[str, Any]:
    dimensions = [{"Name": "QueueName", "Value": name}]
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": dimensions}
    return {"Id": f"q{index}", "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": "Maximum"}}


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))
