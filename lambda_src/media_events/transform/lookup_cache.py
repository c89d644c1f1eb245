"""Answers kept for a while, so that many events about one thing ask once."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

MAX_ENTRIES: Final = 1000
MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one step's answers together, in a sandbox that has 256 MB as a rule."""


@dataclass(slots=True)
class LookupCache:
    """The answers of one lookup in one sandbox: the least recently used go first. Threads may share it.

    Answers are kept as JSON text, so that whoever changes one changes only a copy. That nothing was found is not kept:
    it may be there a moment later. Threads that ask for the same at once wait for one answer, also where none is kept
    (``seconds`` 0), since they would have got the same.
    """

    seconds: float = 0.0
    entries: int = MAX_ENTRIES
    max_bytes: int = MAX_BYTES
    _kept: OrderedDict[str, tuple[float, str]] = field(default_factory=OrderedDict)
    _asking: dict[str, Future[str | None]] = field(default_factory=dict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, ask: Callable[[], Any], *, now: float) -> Any:
        """The answer for ``key``, asked for where none is kept that is fresh; ``None`` where there is none.

        Raises:
            HopError: of ``ask``, which every thread that waits for it gets.
        """
        with self._lock:
            kept = self._fresh(key, now)
            if kept is not None:
                return json.loads(kept)
            waiting = self._asking.get(key)
            if waiting is None:
                mine: Future[str | None] = Future()
                self._asking[key] = mine
        if waiting is not None:
            text = waiting.result()
            return None if text is None else json.loads(text)
        try:
            answer = ask()
            text = None if answer is None else json.dumps(answer)
        except BaseException as error:
            with self._lock:
                del self._asking[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._asking[key]
            if text is not None:
                self._keep(key, text, now)
        mine.set_result(text)
        return answer

    def _fresh(self, key: str, now: float) -> str | None:
        kept = self._kept.get(key)
        if kept is None or not 0 <= now - kept[0] < self.seconds:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def _keep(self, key: str, text: str, now: float) -> None:
        if self.seconds <= 0 or len(text) > self.max_bytes:
            return
        self._drop(key)
        self._kept[key] = (now, text)
        self._bytes += len(text)
        while len(self._kept) > self.entries or self._bytes > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept[1])
