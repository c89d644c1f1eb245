"""The ages of queues' oldest messages, from CloudWatch, because SQS itself does not have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        """The age in seconds of each queue's oldest message, for the queues that have the metric.

        Raises:
            ProcessingError: CloudWatch did not answer or refused.
        """
        batches = (names[start : start + BATCH] for start in range(0, len(names), BATCH))
        return {name: age for batch in batches for name, age in self._read(batch).items()}

    def _read(self, names: Sequence[str]) -> dict[str, float]:
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
                return newest
            request["NextToken"] = answer["NextToken"]


def _query(index: int, name: str) -> dict[str, Any]:
    dimensions = [{"Name": "QueueName", "Value": name}]
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": dimensions}
    return {"Id": f"q{index}", "MetricStat": {"Metric": metric, "Period": PERIOD_SECONDS, "Stat": "Maximum"}}
