"""What would lower the bill, most first: each change is tried on the workflow itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.ops.cost.bill import Traffic, bill

ENOUGH: float = 0.01
"""Dollars that are worth a line."""


def savings(workflow: Workflow, traffic: Traffic) -> list[tuple[str, float]]:
    """Each change in words, and the dollars a month that it saves."""
    before = _sum(workflow, traffic)
    saved = [(change, before - _sum(changed, under)) for change, changed, under in _changes(workflow, traffic)]
    return sorted((each for each in saved if each[1] >= ENOUGH), key=lambda each: -each[1])


def _changes(workflow: Workflow, traffic: Traffic) -> Iterator[tuple[str, Workflow, Traffic]]:
    if traffic.batch < 10:  # noqa: PLR2004 - a queue's default
        yield "batch_window_seconds, until ten events come together", workflow, replace(traffic, batch=10)
    for section in ("transforms", "routes"):
        hops: dict[str, Any] = getattr(workflow, section)
        queued = [name for name, hop in hops.items() if hop.invocation == "queue"]
        for name in queued:
            direct = hops[name].model_copy(update={"invocation": "direct"})
            changed = workflow.model_copy(update={section: hops | {name: direct}})
            yield f"{section}.{name}.invocation: direct, which needs no queue", changed, traffic
    if workflow.bus.archive is not None:
        bus = workflow.bus.model_copy(update={"archive": None})
        yield "bus.archive: null, and no replay", workflow.model_copy(update={"bus": bus}), traffic


def _sum(workflow: Workflow, traffic: Traffic) -> float:
    return sum(line.dollars for line in bill(workflow, traffic))
