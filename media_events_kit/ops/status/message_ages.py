"""The ages of what waits in queues, from CloudWatch, because SQS itself does not have them.

SQS's own metric leaves out messages that were received three times or more, and a delayed copy is a new message to it
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html). Of
these the hop's function tells, whose name is the queue's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

BATCH: Final = 250
"""Two queries for each: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""

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
        request: dict[str, Any] = {
            "MetricDataQueries": [query for index, name in enumerate(names) for query in _queries(index, name)],
            "StartTime": end - LOOK_BACK,
            "EndTime": end,
            "ScanBy": "TimestampDescending",
        }
        newest: dict[str, float] = {}
        ages: dict[str, float] = {}
        while True:
            try:
                answer = self.client.get_metric_data(**request)
            except (BotoCoreError, ClientError) as error:
                translate(error, "asking for the ages of messages")
            for result in answer.get("MetricDataResults", []):
                if result.get("Values"):
                    newest.setdefault(result["Id"], float(result["Values"][0]))
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
        for query, age in newest.items():
            name = names[int(query[1:])]
            ages[name] = max(age, ages.get(name, 0.0))
        return ages


def _queries(index: int, name: str) -> list[dict[str, Any]]:
    sources = {
        "q": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name),
        "w": ("MediaEvents", "WaitingEventAge", "service", name.removesuffix(".fifo")),
    }
    return [
        {
            "Id": f"{prefix}{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": PERIOD_SECONDS,
                "Stat": "Maximum",
            },
        }
        for prefix, (namespace, metric, dimension, value) in sources.items()
    ]
