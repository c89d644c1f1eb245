"""Calls that go side by side."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

MAX_PARALLEL: Final = 10
"""Calls at a time in one invocation: a whole batch of the usual size."""

T = TypeVar("T")
R = TypeVar("R")


_NAME: Final = "side-by-side"


@functools.cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """Threads that last as long as the sandbox: beginning them costs more than most of what they do."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - nothing to load where nothing goes side by side

    return ThreadPoolExecutor(max_workers=workers, thread_name_prefix=_NAME)


def _alone(workers: int, items: Sequence[object]) -> bool:
    # A thread of a pool that waited for the pool's others could wait for ever.
    return min(workers, len(items)) <= 1 or threading.current_thread().name.startswith(_NAME)


def in_parallel(work: Callable[[T], R], items: Sequence[T], *, workers: int = MAX_PARALLEL) -> list[R]:
    """``work``'s results for ``items``, in their order; it runs in threads where there are several."""
    if _alone(workers, items):
        return [work(item) for item in items]
    return list(_pool(workers).map(work, items))


def finished(
    work: Callable[[T], R],
    items: Sequence[T],
    *,
    workers: int,
    within_seconds: float,
    clock: Callable[[], float],
) -> Iterator[list[tuple[T, R]]]:
    """``work``'s results with their items as they come, in groups: none waits longer than that for the others."""
    if _alone(workers, items):
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
    from concurrent.futures import FIRST_COMPLETED, wait  # noqa: PLC0415 - as above

    pending = {_pool(workers).submit(work, item): item for item in items}
    while pending:
        wait(pending, return_when=FIRST_COMPLETED)
        done = wait(pending, timeout=within_seconds).done
        yield [(pending.pop(future), future.result()) for future in list(pending) if future in done]
