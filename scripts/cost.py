"""Write the table of docs/reference/cost.md from a plan: what a deployment costs in a month in which no event comes.

terraform show -json plan.tfplan > plan.json
scripts/cost.py plan.json            write it
scripts/cost.py plan.json --check    exit 1 if it is out of date
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.reference.markdown import table  # noqa: E402  # it needs the path above

PAGE: Final = ROOT / "docs" / "reference" / "cost.md"
PRICES_OF: Final = "June 2026"
"""AWS's price lists for us-east-1, in US dollars: https://aws.amazon.com/cloudwatch/pricing,
https://aws.amazon.com/sqs/pricing, https://aws.amazon.com/secrets-manager/pricing."""

HOURS: Final = 730
LONG_POLL_SECONDS: Final = 20
POLLERS: Final = 5
"""With a maximum concurrency; without one Lambda goes down to two
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)."""
POLLERS_UNLIMITED: Final = 2
GAUGES: Final = 1
"""Custom metrics that come though nothing happens: the review maintenance's sign of life."""

_TABLE: Final = re.compile(
    r"(<!-- generated: cost at rest \(scripts/cost\.py\) -->\n).*?(<!-- end generated -->)", re.DOTALL
)


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
        Line("thousand runs of the review maintenance: Lambda, DynamoDB, logs", runs / 1e3, 0.006),
    ]


def alarm_count(plan: Mapping[str, Any]) -> int:
    """How many alarms a plan makes, composite ones included."""
    kinds = {"aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"}
    return sum(
        change["type"] in kinds and "create" in change["change"]["actions"] for change in plan["resource_changes"]
    )


def _metrics(alarm: Mapping[str, Any]) -> list[str]:
    joined = [query["metric"][0]["metric_name"] for query in alarm.get("metric_query") or [] if query.get("metric")]
    return joined or ([alarm["metric_name"]] if alarm.get("metric_name") else [])


def render(plan: Mapping[str, Any]) -> str:
    """The table, and its sums."""
    found = [line for line in lines(plan) if line.count]
    rows = [
        [line.item, f"{line.count:.3g}", f"{line.price:.3g}", f"{line.listed:.2f}", f"{line.free:g}", f"{line.due:.2f}"]
        for line in found
    ]
    sums = (sum(line.listed for line in found), sum(line.due for line in found))
    rows.append(["**sum**", "", "", f"**{sums[0]:.2f}**", "", f"**{sums[1]:.2f}**"])
    head = ["item", "count", "price", "by the price list", "free in every account", "to pay"]
    return f"US dollars a month, us-east-1, prices of {PRICES_OF}.\n\n{table(head, rows)}"


def with_table(page: str, plan: Mapping[str, Any]) -> str:
    """The page with the plan's table."""
    return _TABLE.sub(lambda part: f"{part[1]}\n{render(plan)}\n\n{part[2]}", page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the table."""
    parser = argparse.ArgumentParser(description="Write the table of docs/reference/cost.md from a plan.")
    parser.add_argument("plan", type=Path, help="a plan as JSON")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table is out of date")
    options = parser.parse_args(arguments)
    old = PAGE.read_text(encoding="utf-8")
    new = with_table(old, json.loads(options.plan.read_text(encoding="utf-8")))
    if not options.check:
        PAGE.write_text(new, encoding="utf-8")
    return 1 if options.check and new != old else 0


if __name__ == "__main__":
    sys.exit(main())
