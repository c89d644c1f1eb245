"""CloudWatch's GetMetricData, whose answer comes in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate

QUERIES_A_CALL: Final = 500
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""


def metric_values(
    client: Any, queries: Sequence[Any], *, start: datetime, end: datetime, doing: str
) -> Iterator[tuple[str, list[float]]]:
    """The id of each query that has values, with these, the newest first; an id may come again with older ones.

    Raises:
        ProcessingError: CloudWatch did not answer or refused.
    """
    request = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end, "ScanBy": "TimestampDescending"}
    while True:
        try:
            answer = client.get_metric_data(**request)
        except (BotoCoreError, ClientError) as error:
            translate(error, doing)
        for result in answer.get("MetricDataResults", []):
            if result.get("Values"):
                yield result["Id"], result["Values"]
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def metric_query(  # noqa: PLR0913
    identity: str, namespace: str, metric: str, dimensions: Mapping[str, str], *, period_seconds: int, statistic: str
) -> dict[str, Any]:
    """A query of one metric."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return {
        "Id": identity,
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": period_seconds,
            "Stat": statistic,
        },
    }
