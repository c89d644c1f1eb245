"""Shrinks a failing scenario to a small one that still fails, and reports it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from tests.faults.run import Run, Scenario, Tally

T = TypeVar("T")
STORY_LINES: Final = 60


def smaller(items: Sequence[T], fails: Callable[[Sequence[T]], bool], *, until: float) -> list[T]:
    """Leave out items that the failure does not need: halves first, then ever smaller pieces (delta debugging)."""
    kept = list(items)
    size = max(1, len(kept) // 2)
    while kept and time.monotonic() < until:
        shorter = False
        for start in range(0, len(kept), size):
            candidate = kept[:start] + kept[start + size :]
            if fails(candidate):
                kept, shorter = candidate, True
                break
            if time.monotonic() >= until:
                break
        if not shorter:
            if size == 1:
                break
            size = max(1, size // 2)
    return kept


def shrink(scenario: Scenario, tally: Tally, *, seconds: float = 60.0) -> Scenario:
    """A failing scenario with fewer events and faults, found within ``seconds``."""
    until = time.monotonic() + seconds
    suspects = tuple(event for event in scenario.events if event.mark in tally.suspects)
    if suspects and _fails(replace(scenario, events=suspects)):
        scenario = replace(scenario, events=suspects)
    events = smaller(scenario.events, lambda found: _fails(replace(scenario, events=tuple(found))), until=until)
    scenario = replace(scenario, events=tuple(events))
    # The faults of the smaller run are recorded, so they can be left out one by one.
    faults = Run(scenario).live().faults
    needed = smaller(faults, lambda found: _fails(replace(scenario, allowed=frozenset(found))), until=until)
    return replace(scenario, allowed=frozenset(needed))


def _fails(scenario: Scenario) -> bool:
    return bool(scenario.events) and bool(Run(scenario).live().problems)


def report(scenario: Scenario) -> str:
    """The scenario, its faults and its steps, as text."""
    run = Run(scenario)
    tally = run.live()
    begin = run.world.story[0][0] if run.world.story else run.world.now
    marks = {event.mark for event in scenario.events}
    story = [(when, what, about) for when, what, about in run.world.story if not about or about in marks]
    shown = story if len(story) <= STORY_LINES else [*story[: STORY_LINES // 2], *story[-STORY_LINES // 2 :]]
    lines = [f"seed {scenario.seed}; {len(scenario.events)} events, {len(tally.faults)} faults"]
    lines += [f"  {event}" for event in scenario.events[:20]]
    lines += [f"  fault {site} of {subject or 'all'}, number {number}" for site, subject, number in tally.faults[:40]]
    lines += [f"  {when - begin:10.2f} s  {what}  {about}" for when, what, about in shown]
    lines += [f"  {problem}" for problem in tally.problems]
    return "\n".join(lines)
