"""Task callbacks: workflows that wait for a partner's event, and the events that resume them, in either order.

A workflow's task registers its token under a correlation key; the partner's later event with that key resumes it. Each
side first stores its record and then looks for the other, so the second one finds the first. If both arrive at the same
time, both find each other; Step Functions takes one answer and refuses the other, which is the same. There is no lock,
and no event misses its task. An event without a waiting task is kept for a while; an event that resumed one is deleted.
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
"""An execution lasts for at most a year."""
MAX_KEY_CHARACTERS: Final = 1024
MAX_TOKEN_CHARACTERS: Final = 2048
MAX_CAUSE_CHARACTERS: Final = 32_768
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html"""

_KNOWN: Final = frozenset({"key", "token", "since", "expires_in_seconds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCallback:
    """A task that waits for ``key``. ``since`` and ``expires`` are epoch seconds.

    Events before ``since`` belong to an earlier run; after ``expires`` the task no longer waits.
    """

    key: str
    token: str
    since: float | None = None
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """An event's answer to waiting tasks: ``output`` (JSON text) resumes them, or fails them with ``error``."""

    output: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An event that arrived for ``key``. ``event`` names it; ``at`` and ``expires`` are epoch seconds."""

    key: str
    event: str
    answer: TaskResult
    at: float
    expires: float


class TaskCallbackStore(Protocol):
    """Pending callbacks and events, by key. Reads are consistent. Any exception is a :class:`ProcessingError`."""

    def put_callback(self, pending: PendingCallback) -> None:
        """Store a pending callback."""
        ...

    def put_event(self, arrived: Arrived) -> None:
        """Store an event."""
        ...

    def callbacks(self, key: str) -> Sequence[PendingCallback]:
        """The pending callbacks for ``key``; some may no longer wait."""
        ...

    def events(self, key: str) -> Sequence[Arrived]:
        """The events that arrived for ``key``; some may have expired."""
        ...

    def remove_callback(self, pending: PendingCallback) -> None:
        """Delete a pending callback."""
        ...

    def remove_event(self, arrived: Arrived) -> None:
        """Delete an event."""
        ...


class Tasks(Protocol):
    """Step Functions."""

    def answer(self, token: str, answer: TaskResult) -> bool:
        """Resume or fail the task; false if it no longer waits (resumed before, timed out, stopped).

        Raises:
            ProcessingError: Step Functions did not answer or refused.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCallbacks:
    """Matches pending callbacks and events. ``clock`` is epoch seconds."""

    store: TaskCallbackStore
    tasks: Tasks
    clock: Callable[[], float]

    def enter(self, pending: PendingCallback) -> bool:
        """Register a task; whether an event had arrived before, so that the task is resumed already.

        Raises:
            ProcessingError: the callback could not be stored, or the task could not be resumed.
        """
        self.store.put_callback(pending)
        now = self.clock()
        in_time = [
            arrived
            for arrived in self.store.events(pending.key)
            if arrived.expires > now and (pending.since is None or arrived.at >= pending.since)
        ]
        if not in_time:
            return False
        first = min(in_time, key=lambda arrived: arrived.at)
        resumed = self.tasks.answer(pending.token, first.answer)
        self.store.remove_callback(pending)
        if resumed:
            self.store.remove_event(first)
        return True

    def arrive(self, arrived: Arrived) -> Mapping[str, Any]:
        """Answer the tasks that wait for an event; the numbers of resumed ones and of those that no longer waited.

        Raises:
            ProcessingError: the event could not be stored, or a task could not be resumed. The call may be repeated:
                the callbacks of resumed tasks are deleted.
        """
        self.store.put_event(arrived)
        now = self.clock()
        resumed = gone = 0
        for pending in self.store.callbacks(arrived.key):
            if pending.expires > now and self.tasks.answer(pending.token, arrived.answer):
                resumed += 1
            else:
                gone += 1
            self.store.remove_callback(pending)
        if resumed:
            self.store.remove_event(arrived)
        return {"resumed": resumed, "not_waiting": gone}


def event_name(source: str, event_id: str) -> str:
    """A short, unique name of an event."""
    return hashlib.sha256(f"{len(source)}:{source}|{event_id}".encode(errors="surrogatepass")).hexdigest()[:32]


def key_of(value: Any) -> str | None:
    """A correlation key as text, from text or a whole number; ``None`` for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_KEY_CHARACTERS:
        return None
    return value


def read_callback(document: Any, *, now: float) -> PendingCallback:
    """Read ``{"key", "token", "since"?, "expires_in_seconds"?}``, the input of a workflow's task.

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
