"""The model's runs that look for a mutant, by name: each has a seed, and returns the broken promises that it found.

The names are in the order in which they are tried where the one that is known to notice no longer does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tests.faults.aws_model.scheduler import CALM, Mix
from tests.faults.run import Run, Scenario, events_of
from tests.faults.senders import ENTRY_NAMES, Sent
from tests.faults.system_under_test import ORDERED

Schedule = Callable[[int], Sequence[str]]
_HARSH: Final = replace(Mix(), kill=0.04, refuse=0.06, lose_answer=0.04, duplicate=0.06, resurrect=0.03)


def _mixed(events: int, mix: Mix | None = None) -> Schedule:
    """Events of all kinds by all ingresses, under faults of all kinds."""
    return lambda seed: Run(Scenario(seed=seed, events=events_of(seed, events), mix=mix or Mix())).live().problems


def _repeated(seed: int) -> Sequence[str]:
    """SQS hands out most messages twice, and every fifth answer is lost."""
    mix = replace(CALM, duplicate=0.5, resurrect=0.2, repeat=0.2, lose_answer=0.1)
    return Run(Scenario(seed=seed, events=events_of(seed, 60), mix=mix)).live().problems


def _refusing(seed: int) -> Sequence[str]:
    """Services that refuse two calls of five: the bus an event, and then the dead-letter queue, too."""
    events = tuple(replace(event, kind="raw") if event.kind == "ready" else event for event in events_of(seed, 60))
    return Run(Scenario(seed=seed, events=events, mix=replace(CALM, refuse=0.4, kill=0.1))).live().problems


def _dying(seed: int) -> Sequence[str]:
    """Functions that seldom live to the end of a message."""
    entries = [entry for entry in ENTRY_NAMES if entry != "webhook"]
    events = tuple(Sent(number, entries[number % 4], "raw", number, float(number)) for number in range(1, 81))
    return Run(Scenario(seed=seed, events=events, mix=replace(CALM, kill=0.3, lose_answer=0.3))).live().problems


def _one_key(seed: int) -> Sequence[str]:
    """Three keys, of which heads fail at ordered destinations; people put away, replay and deliver out of order."""
    events = tuple(Sent(n, "sns-fifo", "ready", asset=n % 3, after=n // 3 * 0.7) for n in range(36))
    run = Run(Scenario(seed=seed, events=events, mix=replace(Mix(), kill=0.02, refuse=0.03)))
    for name in ORDERED:
        run.kit.receivers[name].refused = {event.mark for event in events if (event.number * 7 + seed) % 11 == 0}
    return run.live().problems


def _replayed(seed: int) -> Sequence[str]:
    """Operators replay the archive all the time, and half a year later."""
    mix = replace(Mix(), replays=0.1, long_after=1.0, operators=0.0, flap=0.05, late=0.0, duplicate=0.1)
    return Run(Scenario(seed=seed, events=events_of(seed, 100), mix=mix)).live().problems


SCHEDULES: Final[Mapping[str, Schedule]] = {
    "small": _mixed(100),
    "harsh": _mixed(80, _HARSH),
    "repeated": _repeated,
    "refusing": _refusing,
    "dying": _dying,
    "one key": _one_key,
    "replayed": _replayed,
    "large": _mixed(500),
}
"""``large`` is a run of ``make chaos-model``."""
