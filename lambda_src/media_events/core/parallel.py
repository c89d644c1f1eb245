"""Calls that go side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Final, TypeVar

MAX_PARALLEL: Final = 10
"""Calls at a time in one invocation: a whole batch of the usual size."""

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], items: Sequence[T], *, workers: int = MAX_PARALLEL) -> list[R]:
    """``work``'s results for ``items``, in their order; it runs in threads where there are several."""
    workers = min(workers, len(items))
    if workers <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return list(pool.map(work, items))


def finished(
    work: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int,
    within_seconds: float,
    clock: Callable[[], float],
) -> Iterator[list[tuple[T, R]]]:
    """``work``'s results with their items as they come, in groups: none waits longer than that for the others."""
    workers = min(workers, len(items))
    if workers <= 1:
        group: list[tuple[T, R]] = []
        since = 0.0
        for item in items:
            group.append((item, work(item)))
            since = since if len(group) > 1 else clock()
            if clock() - since >= within_seconds:
                yield group
                group = []
        if group:
            yield group
        return
    with ThreadPoolExecutor(max_workers=workers) as pool:
        pending = {pool.submit(work, item): item for item in items}
        while pending:
            wait(pending, return_when=FIRST_COMPLETED)
            done = wait(pending, timeout=within_seconds).done
            yield [(pending.pop(future), future.result()) for future in list(pending) if future in done]
