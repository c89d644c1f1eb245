"""The steps that the recipe of a migration names, done to its workflow file one after the other, reach who they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.ops.route.simulator import as_bus_event, route

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "recipes" / "partner-migration" / "workflow.yaml"
METADATA = {
    "specversion": "1.0",
    "id": "event-1",
    "time": "2026-11-29T12:00:00Z",
    "recordedtime": "2026-11-29T12:00:00Z",
    "ingress": "webhook",
    "partitionkey": "order-1",
    "stage": "received",
    "hops": 1,
}


def step(text: str, number: int) -> str:
    """The workflow file after a step, which changes one line."""
    (line,) = re.findall(rf"^.*\S # {number}$", text, re.MULTILINE)
    changed = {
        2: "",
        3: line.replace("[partner.mux]", "[partner.mux, partner.cloudflare]"),
        4: line.replace("# enabled", "enabled"),
    }[number]
    assert changed != line
    return text.replace(line, changed)


@pytest.mark.parametrize(
    ("steps", "of_each_order", "of_a_tenth", "believed"),
    [
        ((), {"mux"}, {"mux", "cloudflare"}, {"mux"}),
        ((2,), {"mux", "cloudflare"}, {"mux", "cloudflare"}, {"mux"}),
        ((2, 3), {"mux", "cloudflare"}, {"mux", "cloudflare"}, {"mux", "cloudflare"}),
        ((2, 3, 4), {"cloudflare"}, {"cloudflare"}, {"mux", "cloudflare"}),
    ],
)
def test_each_step_of_a_migration_changes_who_gets_orders_and_who_is_believed(
    steps: tuple[int, ...], of_each_order: set[str], of_a_tenth: set[str], believed: set[str], tmp_path: Path
) -> None:
    text = RECIPE.read_text(encoding="utf-8")
    for number in steps:
        text = step(text, number)
    file = tmp_path / "workflow.yaml"
    file.write_text(text, encoding="utf-8")
    workflow = load(file, {}).environments[0].workflow

    def destinations(partner: str, kind: str, data: dict[str, Any]) -> set[str]:
        metadata = {**METADATA, "source": f"partner.{partner}", "partner": partner, "type": kind, "nativetype": kind}
        routing = route(workflow, as_bus_event({"metadata": metadata, "data": data}))
        return {one.destination for one in routing.routes if one.outcome == "taken" and one.destination is not None}

    def ordered(order: str) -> set[str]:
        data = {"order_id": order, "source_url": "https://masters.example.com/a.mxf"}
        return destinations("mam", "transcode.ordered", data)

    results = {
        partner: destinations(partner, "encode.completed", {"order_id": "order-1"}) for partner in ("mux", "cloudflare")
    }

    assert (ordered("order-1"), ordered("order-10")) == (of_each_order, of_a_tenth)
    assert {partner for partner, reached in results.items() if "mam" in reached} == believed
    assert all("comparison" in reached for reached in results.values())
