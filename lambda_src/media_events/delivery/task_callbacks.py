"""Workflows that wait for a partner's event, and events that resume them, in whatever order they come.

A workflow's task hands over its token and a correlation key; the partner's later event with that key resumes it. Both
sides write down what they have and then look for the other: whoever comes second finds the first, and if they come at
the same time both find each other, in which case Step Functions takes one answer and refuses the other, the same one.
So there is no lock, and no moment in which an event and its waiter miss each other. An event that nobody waits for is
kept for a while; one that resumed somebody is used up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from media_events.core.clock import epoch
from media_events.core.failures import PermanentDataError

DEFAULT_WAIT_SECONDS: Final = 90 * 86_400
MAX_WAIT_SECONDS: Final = 366 * 86_400
"""An execution lasts a year at most."""
MAX_KEY_CHARACTERS: Final = 1024
MAX_TOKEN_CHARACTERS: Final = 2048
MAX_CAUSE_CHARACTERS: Final = 32_768
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html"""

_KNOWN: Final = frozenset({"key", "token", "since", "expires_in_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCallback:
    """A task that waits for ``key``. ``since`` and ``expires`` are epoch seconds.

    Events that came before ``since`` belong to an earlier run; after ``expires`` nobody waits any more.
    """

    key: str
    token: str
    since: float | None = None
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """What an event means to those who wait: ``output`` (JSON text) resumes them, or fails them with ``error``."""

    output: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An event that has come for ``key``. ``event`` names it, ``at`` and ``expires`` are epoch seconds."""

    key: str
    event: str
    answer: TaskResult
    at: float
    expires: float


class TaskCallbackStore(Protocol):
    """Waiters and events, by key. Reads are consistent. Any exception is a :class:`failures.HopError`."""

    def put_callback(self, wait: PendingCallback) -> None:
        """Write a waiter down."""
        ...

    def put_event(self, arrived: Arrived) -> None:
        """Write an event down."""
        ...

    def callbacks(self, key: str) -> Sequence[PendingCallback]:
        """Who waits for ``key``; possibly some who don't any more."""
        ...

    def events(self, key: str) -> Sequence[Arrived]:
        """What has come for ``key``; possibly some that have expired."""
        ...

    def remove_callback(self, wait: PendingCallback) -> None:
        """Forget a waiter."""
        ...

    def remove_event(self, arrived: Arrived) -> None:
        """Forget an event."""
        ...


class Tasks(Protocol):
    """Step Functions."""

    def answer(self, token: str, answer: TaskResult) -> bool:
        """Resume or fail the task; false if it doesn't wait any more (resumed before, timed out, stopped).

        Raises:
            HopError: Step Functions did not answer, or refused.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCallbacks:
    """Where waiters and events meet. ``clock`` is epoch seconds."""

    store: TaskCallbackStore
    tasks: Tasks
    clock: Callable[[], float]

    def enter(self, wait: PendingCallback) -> bool:
        """A task begins to wait; whether an event had come for it, so that it is resumed already.

        Raises:
            HopError: the wait could not be written down, or the task could not be resumed.
        """
        self.store.put_callback(wait)
        now = self.clock()
        in_time = [
            arrived
            for arrived in self.store.events(wait.key)
            if arrived.expires > now and (wait.since is None or arrived.at >= wait.since)
        ]
        if not in_time:
            return False
        first = min(in_time, key=lambda arrived: arrived.at)
        resumed = self.tasks.answer(wait.token, first.answer)
        self.store.remove_callback(wait)
        if resumed:
            self.store.remove_event(first)
        return True

    def arrive(self, arrived: Arrived) -> Mapping[str, Any]:
        """An event comes; how many it resumed, and how many did not wait any more.

        Raises:
            HopError: the event could not be written down, or somebody could not be resumed; then all of it may be
                done again, for who was resumed is not among the waiters any more.
        """
        self.store.put_event(arrived)
        now = self.clock()
        resumed = gone = 0
        for wait in self.store.callbacks(arrived.key):
            if wait.expires > now and self.tasks.answer(wait.token, arrived.answer):
                resumed += 1
            else:
                gone += 1
            self.store.remove_callback(wait)
        if resumed:
            self.store.remove_event(arrived)
        return {"resumed": resumed, "not_waiting": gone}


def event_name(source: str, event_id: str) -> str:
    """A short name of an event, which no other has."""
    return hashlib.sha256(f"{len(source)}:{source}|{event_id}".encode(errors="surrogatepass")).hexdigest()[:32]


def key_of(value: Any) -> str | None:
    """A correlation key as text, from text or a whole number; ``None`` where ``value`` is neither, or empty."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY_CHARACTERS:
        return None
    return value


def read_callback(document: Any, *, now: float) -> PendingCallback:
    """Read ``{"key", "token", "since"?, "expires_in_seconds"?}``, as a workflow's task sends it.

    Raises:
        PermanentDataError: ``bad-wait``, naming every mistake.
    """
    if not isinstance(document, Mapping):
        raise PermanentDataError("bad-wait", 'a task must send {"key": …, "token": …}')
    problems = [f"{key!s} is unknown (known: {', '.join(sorted(_KNOWN))})" for key in document if key not in _KNOWN]
    key, token = key_of(document.get("key")), document.get("token")
    if key is None:
        problems.append(f"key must be text of 1 to {MAX_KEY_CHARACTERS} characters, or a whole number")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARACTERS:
        problems.append("token must be the task's token: $$.Task.Token, or {% $states.context.Task.Token %}")
    since = document.get("since")
    begun = epoch(since)
    if since is not None and begun is None:
        problems.append("since must be a time as Step Functions writes it, such as $$.Execution.StartTime")
    seconds = document.get("expires_in_seconds", DEFAULT_WAIT_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_WAIT_SECONDS:
        problems.append(f"expires_in_seconds must be a number above 0 and up to {MAX_WAIT_SECONDS}")
        seconds = DEFAULT_WAIT_SECONDS
    if problems:
        raise PermanentDataError("bad-wait", "; ".join(problems))
    return PendingCallback(key=str(key), token=str(token), since=begun, expires=now + seconds)
