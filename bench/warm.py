"""Warm work: CPU time for an event, AWS calls, and bytes logged, by handler, batch and size of the event."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from bench.results import Result
from bench.sandboxes import Measured, Sandboxes
from bench.subjects import ours, peers

ROUNDS: Final = 3
BATCHES: Final = (1, 10, 100)
SIZES: Final = (1, 16, 128)
INVOCATIONS: Final = {1: 40, 10: 20, 100: 4}
SETTLING: Final = 2
MAX_BATCH_BYTES: Final = 6 * 1000 * 1000
"""Lambda takes no larger event: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

GOALS: Final = {
    ("queue-ingress", "floor-queue-ingress"): 3.0,
    ("queue-ingress", "textbook-queue-ingress"): 0.2,
    ("webhook", "floor-webhook"): 2.5,
    ("webhook", "textbook-webhook"): 0.6,
    ("deliver-http", "bare-deliver-http"): 3.0,
}
CALLS_GOAL: Final = 0.3


def _each(measured: Measured, batch: int) -> float:
    """Microseconds of CPU for an event."""
    warm = measured.warm[SETTLING:]
    return sum(warm) / len(warm) / batch * 1e6


def _calls(measured: Measured) -> int:
    return sum(count for operation, count in measured.calls.items() if operation != "receiver")


def warm_work(sandboxes: Sandboxes) -> Iterator[Result]:
    """The ratios, with batches of ten events of 1 KB (a webhook has one), then every batch and size."""
    own = ours(sandboxes.endpoint)
    subjects = own | peers(sandboxes.endpoint)
    alternating: dict[str, list[Measured]] = {name: [] for name in subjects}
    for _ in range(ROUNDS):
        for name, subject in subjects.items():
            batch = 1 if "webhook" in name else 10
            alternating[name].append(sandboxes.run(subject, invocations=INVOCATIONS[batch], batch=batch))
    costs = {}
    for name, measured in alternating.items():
        batch = 1 if "webhook" in name else 10
        costs[name] = median(_each(one, batch) for one in measured)
        yield Result(name=f"warm, {name}, batch of {batch}, 1 KB", value=costs[name], unit="µs CPU an event")
        events = (INVOCATIONS[batch] + 1) * batch
        # Those of a busy function: what it asks at its start, and once a second, is no cost of an event.
        settled = sandboxes.run(subjects[name], invocations=SETTLING, batch=batch)
        calls = (_calls(measured[0]) - _calls(settled)) / ((INVOCATIONS[batch] - SETTLING) * batch)
        wanted = CALLS_GOAL if name in ("queue-ingress", "deliver-http", "deliver-sqs") else None
        yield Result(name=f"AWS calls, {name}", value=calls, unit="an event", goal=wanted)
        yield Result(name=f"logged, {name}", value=measured[0].logged_bytes / events, unit="bytes an event")
    for (name, peer), goal in GOALS.items():
        yield Result(name=f"warm, {name} / {peer}", value=costs[name] / costs[peer], unit="times", goal=goal)
    for name, subject in own.items():
        for batch in (1,) if name == "webhook" else BATCHES:
            for size in SIZES:
                if batch * size * 1100 > MAX_BATCH_BYTES or (batch, size) == (1 if name == "webhook" else 10, 1):
                    continue
                measured_once = sandboxes.run(
                    subject, invocations=max(4, INVOCATIONS[batch] // size), batch=batch, size=size * 1000
                )
                yield Result(
                    name=f"warm, {name}, batch of {batch}, {size} KB",
                    value=_each(measured_once, batch),
                    unit="µs CPU an event",
                )
