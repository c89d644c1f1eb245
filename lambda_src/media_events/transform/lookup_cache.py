"""A cache of answers, so that many events about one object ask once."""

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
"""The limit for all answers of one step; most sandboxes have 256 MB."""


@dataclass(slots=True)
class LookupCache:
    """The answers of one lookup in one sandbox; the least recently used go first. Safe for threads.

    Answers are stored as JSON text, so that a change of one changes only a copy. A missing answer is not stored: it may
    exist a moment later. Threads with the same question at the same time wait for one answer, even without a cache
    (``seconds`` 0).
    """

    seconds: float = 0.0
    entries: int = MAX_ENTRIES
    max_bytes: int = MAX_BYTES
    _stored: OrderedDict[str, tuple[float, str]] = field(default_factory=OrderedDict)
    _asking: dict[str, Future[str | None]] = field(default_factory=dict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str, ask: Callable[[], Any], *, now: float) -> Any:
        """The answer for ``key``, from ``ask`` if none is fresh; ``None`` if there is none.

        Raises:
            ProcessingError: of ``ask``, in every thread that waits for it.
        """
        with self._lock:
            fresh = self._fresh(key, now)
            if fresh is not None:
                return json.loads(fresh)
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
                self._store(key, text, now)
        mine.set_result(text)
        return answer

    def _fresh(self, key: str, now: float) -> str | None:
        entry = self._stored.get(key)
        if entry is None or not 0 <= now - entry[0] < self.seconds:
            return None
        self._stored.move_to_end(key)
        return entry[1]

    def _store(self, key: str, text: str, now: float) -> None:
        if self.seconds <= 0 or len(text) > self.max_bytes:
            return
        self._drop(key)
        self._stored[key] = (now, text)
        self._bytes += len(text)
        while len(self._stored) > self.entries or self._bytes > self.max_bytes:
            self._drop(next(iter(self._stored)))

    def _drop(self, key: str) -> None:
        entry = self._stored.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])
