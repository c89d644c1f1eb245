"""Cold starts: loading and the first call, in CPU time of the process, and memory after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.results import Result
from bench.sandboxes import Measured, Sandboxes
from bench.subjects import Subject, ours, peers, with_partners

ROUNDS: Final = 7
LIMITED_ROUNDS: Final = 3
FULL_CPU_MB: Final = 1769
"""A function has one vCPU with so much memory, and less in proportion:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
MEMORIES: Final = (256, 512, 1024)
GOALS: Final = {
    "webhook": {"floor": 1.25, "textbook": 0.55},
    "queue-ingress": {"floor": 1.25, "textbook": 0.7},
}
MEMORY_GOAL: Final = 1.2


def cold_starts(sandboxes: Sandboxes) -> Iterator[Result]:
    """Each subject's best of seven, in alternation."""
    subjects = peers(sandboxes.endpoint) | ours(sandboxes.endpoint)
    runs: dict[str, list[Measured]] = {name: [] for name in subjects}
    for _ in range(ROUNDS):
        for name, subject in subjects.items():
            runs[name].append(sandboxes.run(subject))
    best = {name: min(one.cold for one in measured) for name, measured in runs.items()}
    resident = {name: min(one.resident_kb for one in measured) for name, measured in runs.items()}
    for name, seconds in best.items():
        yield Result(name=f"cold start, {name}", value=seconds * 1000, unit="ms CPU")
        yield Result(name=f"memory after the first call, {name}", value=resident[name] / 1024, unit="MB")
        own = [module for module in runs[name][0].modules if module.startswith("media_events.")]
        if own:
            yield Result(name=f"modules of ours loaded, {name}", value=len(own), unit="modules")
    for name, goals in GOALS.items():
        for peer, goal in goals.items():
            ratio = best[name] / best[f"{peer}-{name}"]
            yield Result(name=f"cold start, {name} / {peer}", value=ratio, unit="times", goal=goal)
        memory = resident[name] / resident[f"floor-{name}"]
        yield Result(name=f"memory, {name} / floor", value=memory, unit="times", goal=MEMORY_GOAL)


def limited(sandboxes: Sandboxes) -> Iterator[Result]:
    """The wall time of loading and the first call with a function's share of a CPU, as `bench.limited` gives it."""
    every = peers(sandboxes.endpoint) | ours(sandboxes.endpoint)
    names = [f"{peer}{kind}" for kind in ("webhook", "queue-ingress") for peer in ("floor-", "textbook-", "")]
    for memory in MEMORIES:
        share = memory / FULL_CPU_MB
        wall: dict[str, float] = {}
        for _ in range(LIMITED_ROUNDS):
            for name in names:
                seconds = sandboxes.run(every[name], share=share).wall
                wall[name] = min(seconds, wall.get(name, seconds))
        for kind in ("webhook", "queue-ingress"):
            yield Result(name=f"cold start at {memory} MB, {kind}", value=wall[kind] * 1000, unit="ms")
            for peer in ("floor", "textbook"):
                ratio = wall[kind] / wall[f"{peer}-{kind}"]
                yield Result(name=f"cold start at {memory} MB, {kind} / {peer}", value=ratio, unit="times")


def growth(sandboxes: Sandboxes) -> Iterator[Result]:
    """What partners with specifications of their own cost a webhook's cold start."""
    webhook = ours(sandboxes.endpoint)["webhook"]

    def best(subject: Subject) -> Measured:
        return min((sandboxes.run(subject) for _ in range(LIMITED_ROUNDS)), key=lambda one: one.cold)

    one = best(webhook)
    for count in (10, 100):
        many = best(with_partners(webhook, count))
        yield Result(name=f"cold start, webhook, {count} partners / 1", value=many.cold / one.cold, unit="times")
        memory = many.resident_kb / one.resident_kb
        yield Result(name=f"memory, webhook, {count} partners / 1", value=memory, unit="times")


def package(zip_file: Path) -> Iterator[Result]:
    """The size of the zip."""
    yield Result(name="zip", value=zip_file.stat().st_size / 1000, unit="KB", goal=400)
