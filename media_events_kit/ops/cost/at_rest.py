"""What costs money in a month in which no event comes: read off a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events_kit.ops.cost import prices

HOURS: Final = 730
LONG_POLL_SECONDS: Final = 20
POLLERS: Final = 5
"""With a maximum concurrency; without one Lambda goes down to two
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)."""
POLLERS_UNLIMITED: Final = 2
STARTS_AN_HOUR: Final = 1
"""Assumed. Nobody can know it: Lambda says neither how long a sandbox lives, nor how many it keeps."""
GAUGES: Final = 1
"""Custom metrics that come though nothing happens: the review maintenance's sign of life."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of an item, at a price in dollars for each; ``free`` of them cost nothing in every account."""

    item: str
    count: float
    price: float
    free: float = 0

    @property
    def listed(self) -> float:
        """Dollars a month by the price list."""
        return self.count * self.price

    @property
    def due(self) -> float:
        """Dollars a month if the account has nothing else."""
        return max(0.0, self.count - self.free) * self.price


def lines(plan: Mapping[str, Any]) -> list[Line]:
    """What costs money at rest in a plan, as `terraform show -json` tells it."""
    made: dict[str, list[Mapping[str, Any]]] = {}
    for change in plan["resource_changes"]:
        if "create" in change["change"]["actions"]:
            made.setdefault(change["type"], []).append(change["change"]["after"])
    alarms = made.get("aws_cloudwatch_metric_alarm", [])
    metrics = sum(len(_metrics(alarm)) for alarm in alarms)
    queries = sum(not _metrics(alarm) for alarm in alarms)
    mappings = made.get("aws_lambda_event_source_mapping", [])
    pollers = sum(POLLERS if mapping.get("scaling_config") else POLLERS_UNLIMITED for mapping in mappings)
    runs = HOURS * 60 / 5
    snapshots = [one["memory_size"] / 1024 for one in made.get("aws_lambda_function", []) if one.get("snap_start")]
    queues = len(mappings)  # the maintenance asks each
    requests = pollers * HOURS * 3600 / LONG_POLL_SECONDS + runs * queues
    return [
        Line("metrics in alarms", metrics, 0.10, free=10),
        Line("queries in alarms, one metric in each", queries, 0.10),
        Line("composite alarms", len(made.get("aws_cloudwatch_composite_alarm", [])), 0.50),
        Line("custom metrics", GAUGES, 0.30, free=10),
        Line("dashboards", len(made.get("aws_cloudwatch_dashboard", [])), 3.00, free=3),
        Line("partners' secrets", len(made.get("aws_secretsmanager_secret", [])), 0.40),
        Line("keys", len(made.get("aws_kms_key", [])), 1.00),
        Line(
            f"millions of SQS requests: {pollers} idle pollers of {len(mappings)} queues", requests / 1e6, 0.40, free=1
        ),
        Line(
            f"GB-hours of SnapStart's snapshots, one version each: {len(snapshots)} functions",
            sum(snapshots) * HOURS,
            prices.SNAPSHOT_GB_HOUR,
        ),
        Line(
            "GB restored of them, if each function starts once an hour",
            sum(snapshots) * HOURS * STARTS_AN_HOUR,
            prices.RESTORED_GB,
        ),
        Line("thousand runs of the review maintenance: Lambda, DynamoDB, logs", runs / 1e3, 0.006),
    ]


def _metrics(alarm: Mapping[str, Any]) -> list[str]:
    joined = [query["metric"][0]["metric_name"] for query in alarm.get("metric_query") or [] if query.get("metric")]
    return joined or ([alarm["metric_name"]] if alarm.get("metric_name") else [])
