"""Batches whose items are grouped: a wave has at most one item of each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def waves(items: Iterable[T], group_of: Callable[[T], Hashable | None]) -> list[list[T]]:
    """The first item of every group, then the second of every group, …; items without a group are in the first wave."""
    result: list[list[T]] = []
    seen: Counter[Hashable] = Counter()
    for item in items:
        group = group_of(item)
        index = 0 if group is None else seen[group]
        if group is not None:
            seen[group] += 1
        if index == len(result):
            result.append([])
        result[index].append(item)
    return result
