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
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from media_events_kit.ops.cost.at_rest import lines  # noqa: E402  # it needs the path above
from media_events_kit.ops.cost.prices import PRICES_OF, REGION  # noqa: E402
from scripts.reference.markdown import table  # noqa: E402

PAGE: Final = ROOT / "docs" / "reference" / "cost.md"
_TABLE: Final = re.compile(
    r"(<!-- generated: cost at rest \(scripts/cost\.py\) -->\n).*?(<!-- end generated -->)", re.DOTALL
)


def alarm_count(plan: Mapping[str, Any]) -> int:
    """How many alarms a plan makes, composite ones included."""
    kinds = {"aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"}
    return sum(
        change["type"] in kinds and "create" in change["change"]["actions"] for change in plan["resource_changes"]
    )


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
    return f"US dollars a month, {REGION}, prices of {PRICES_OF}.\n\n{table(head, rows)}"


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
