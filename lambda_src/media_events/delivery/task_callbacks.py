"""Task callbacks: workflows that wait for a partner's event, and the events that resume them, in either order.

A workflow's task registers its token under a correlation key; the partner's later event with that key resumes it. Each
side first stores its record and then looks for the other, so the second one finds the first.

An event resumes the tasks that wait when it arrives, or the first one that asks for it later, and no other task ever:
before anything is sent, the event's record is bound to these tasks, and it outlives every execution. Step Functions
takes one answer for a token, so an answer may be repeated. It refuses the repetition as it refuses an answer to a task
that has timed out (`TaskTimedOut`:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html). Only who knows that nothing
was sent before may take that for "not answered" and open the event to other tasks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, Protocol

from media_events.core.clock import epoch, lease_end
from media_events.core.failures import PermanentDataError, ProcessingError, UnansweredError
from media_events.core.value_classes import dataclass

DEFAULT_WAIT_SECONDS: Final = 90 * 86_400
MAX_WAIT_SECONDS: Final = 366 * 86_400
"""An execution lasts for at most a year."""
MAX_KEY_CHARACTERS: Final = 1024
MAX_TOKEN_CHARACTERS: Final = 2048
MAX_CAUSE_CHARACTERS: Final = 32_768
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html"""

MAX_ENTERED_CHARACTERS: Final = 64
MAX_SOURCE_CHARACTERS: Final = 256

_KNOWN: Final = frozenset({"key", "token", "source", "since", "entered", "expires_in_seconds"})

Answered = Literal["resumed", "unsure", "not-waiting"]
"""``resumed``: the task took the answer. ``not-waiting``: it did not wait (it timed out, was stopped, or was answered
by an earlier call). ``unsure``: it does not wait, perhaps because an earlier request of this call was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCallback:
    """A task that waits for ``key``. ``since`` and ``expires`` are epoch seconds.

    Events before ``since`` belong to an earlier run; after ``expires`` the task no longer waits. ``entered`` is the
    time at which the execution entered the state, as Step Functions wrote it: all attempts of one state share it. Only
    events of ``source`` answer; ``None`` is a wait that any source may end.
    """

    key: str
    token: str
    source: str | None = None
    since: float | None = None
    entered: str | None = None
    expires: float

    @property
    def name(self) -> str:
        """A short, unique name of the task."""
        return hashlib.sha256(self.token.encode(errors="surrogatepass")).hexdigest()[:32]

    def takes(self, arrived: Arrived) -> bool:
        """Whether the event is of a source that may answer."""
        return self.source is None or arrived.source in (None, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """An event's answer to waiting tasks: ``output`` (JSON text) resumes them, or fails them with ``error``."""

    output: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An event that arrived for ``key``. ``event`` names it; ``at`` and ``expires`` are epoch seconds.

    ``waits`` are the names of the tasks that it is bound to; without any, the next task that asks until ``expires`` has
    it. ``entered`` is that of the task that bound it. ``answer`` is ``None`` in a record that no task needs it from,
    ``source`` in one that an older version wrote.
    """

    key: str
    event: str
    source: str | None = None
    answer: TaskResult | None
    at: float
    expires: float
    waits: frozenset[str] = frozenset()
    entered: str | None = None

    def bound_to(self, waiting: Sequence[PendingCallback], *, entered: str | None = None) -> Arrived:
        """This event, for these tasks alone."""
        return replace(self, waits=frozenset(pending.name for pending in waiting), entered=entered)


class TaskCallbackStore(Protocol):
    """Pending callbacks and events, by key. Reads are consistent. Any exception is a :class:`ProcessingError`."""

    def put_callback(self, pending: PendingCallback) -> None:
        """Store a pending callback."""
        ...

    def put_event(self, arrived: Arrived) -> Arrived | None:
        """Store an event that has no record, or whose record has expired; the record that is there instead."""
        ...

    def change_event(self, arrived: Arrived, *, over: Arrived) -> Arrived | None:
        """Write ``arrived`` if the event is still bound as in ``over``; the record that is there instead."""
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


class Tasks(Protocol):
    """Step Functions."""

    def answer(self, token: str, answer: TaskResult) -> Answered:
        """Resume or fail the task.

        Raises:
            UnansweredError: nobody knows whether the task took the answer.
            ProcessingError: Step Functions refused; the task has not taken it.
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
        for arrived in sorted(self.store.events(pending.key), key=lambda arrived: arrived.at):
            if arrived.expires <= now or (pending.since is not None and arrived.at < pending.since):
                continue
            if not pending.takes(arrived):
                continue
            if pending.name in arrived.waits:
                # This call is a repetition, or the event's own function answers us.
                return arrived.answer is None or self._resume(pending, arrived, arrived.answer, repeated=True)
            if arrived.answer is None or (arrived.waits and not _same_state(arrived, pending)):
                continue
            bound = arrived.bound_to([pending], entered=pending.entered)
            if self.store.change_event(bound, over=arrived) is None:
                return self._resume(pending, bound, arrived.answer, repeated=False)
        return False

    def _resume(self, pending: PendingCallback, bound: Arrived, answer: TaskResult, *, repeated: bool) -> bool:
        try:
            answered = self.tasks.answer(pending.token, answer)
        except ProcessingError as error:
            if not repeated and not isinstance(error, UnansweredError):
                self._open(bound)
            raise
        self.store.remove_callback(pending)
        if answered == "not-waiting" and not repeated:
            opened = self._open(bound)
            if opened is not None:
                self._match(opened, answer)
        else:
            self.store.change_event(replace(bound, answer=None), over=bound)
        return True

    def arrive(self, arrived: Arrived) -> Mapping[str, Any]:
        """Answer the tasks that wait for an event; the numbers of resumed ones and of those that no longer waited.

        Raises:
            ProcessingError: the event could not be stored, or a task could not be resumed. The call may be repeated: it
                goes on with the tasks that the event is bound to.
        """
        assert arrived.answer is not None  # noqa: S101 - the caller has the event itself
        waiting, expired = self._waiting(arrived)
        bound = _bound(arrived, waiting)
        recorded = self.store.put_event(bound)
        if recorded is not None:
            matched = self._match(recorded, arrived.answer)
        elif bound.waits:
            matched = self._answer(bound, waiting, arrived.answer, repeated=False)
        else:
            matched = self._match(bound, arrived.answer)
        return {"resumed": matched[0], "not_waiting": matched[1] + expired}

    def _match(self, arrived: Arrived, answer: TaskResult) -> tuple[int, int]:
        """Bind a recorded event, unless it is bound already, and answer; as :meth:`_answer`."""
        if arrived.waits:
            return self._answer(arrived, self.store.callbacks(arrived.key), answer, repeated=True)
        waiting, _ = self._waiting(arrived)
        if not waiting:
            return 0, 0
        bound = _bound(replace(arrived, answer=answer), waiting)
        instead = self.store.change_event(bound, over=arrived)
        if instead is not None:
            return self._answer(instead, waiting, answer, repeated=True)
        return self._answer(bound, waiting, answer, repeated=False)

    def _answer(
        self, bound: Arrived, waiting: Sequence[PendingCallback], answer: TaskResult, *, repeated: bool
    ) -> tuple[int, int]:
        """Answer the tasks of ``waiting`` that the event is bound to: the numbers of resumed ones and of others.

        ``repeated``: an answer may have been sent before, so a task that does not wait has been resumed by it.
        """
        outcomes: list[Answered] = []
        for pending in waiting:
            if pending.name in bound.waits:
                outcomes.append(self.tasks.answer(pending.token, answer))
                self.store.remove_callback(pending)
        gone = 0 if repeated else outcomes.count("not-waiting")
        if gone and gone == len(bound.waits):
            opened = self._open(replace(bound, answer=answer))
            resumed, more = (0, 0) if opened is None else self._match(opened, answer)
            return resumed, gone + more
        return len(outcomes) - gone, gone

    def _open(self, bound: Arrived) -> Arrived | None:
        """The event as open to other tasks, since no task has taken it; ``None`` where somebody else has bound it."""
        opened = bound.bound_to([])
        return opened if self.store.change_event(opened, over=bound) is None else None

    def _waiting(self, arrived: Arrived) -> tuple[list[PendingCallback], int]:
        """The tasks that may wait for the event; and the number of those that no longer do, which are deleted."""
        now, waiting, expired = self.clock(), [], 0
        for pending in self.store.callbacks(arrived.key):
            if pending.expires <= now:
                expired += 1
                self.store.remove_callback(pending)
            elif pending.takes(arrived):
                waiting.append(pending)
        return waiting, expired


def _bound(arrived: Arrived, waiting: Sequence[PendingCallback]) -> Arrived:
    """``arrived`` as bound to ``waiting``; its message has the answer, so that the record need not."""
    return replace(arrived.bound_to(waiting), answer=None) if waiting else arrived


def _same_state(arrived: Arrived, pending: PendingCallback) -> bool:
    """Whether the event is bound to an earlier attempt of the same state, which has failed without it.

    Step Functions starts another attempt only after the one before has failed
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html), so that one was not resumed.
    AWS does not document whether a state's attempts share its time of entry; where they don't, the event stays bound.
    """
    return pending.entered is not None and arrived.entered == pending.entered


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
    """Read ``{"key", "token", "source"?, "since"?, "entered"?, "expires_in_seconds"?}``, the input of a task.

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
    source = document.get("source")
    if source is not None and (not isinstance(source, str) or not 0 < len(source) <= MAX_SOURCE_CHARACTERS):
        problems.append("source must be the source of the events that may answer, such as partner.mux")
    since = document.get("since")
    begun = epoch(since)
    if since is not None and begun is None:
        problems.append("since must be a time as Step Functions writes it, such as $$.Execution.StartTime")
    entered = document.get("entered")
    if entered is not None and (not isinstance(entered, str) or not 0 < len(entered) <= MAX_ENTERED_CHARACTERS):
        problems.append("entered must be a time as Step Functions writes it, such as $$.State.EnteredTime")
    seconds = document.get("expires_in_seconds", DEFAULT_WAIT_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_WAIT_SECONDS:
        problems.append(f"expires_in_seconds must be a number above 0 and up to {MAX_WAIT_SECONDS}")
        seconds = DEFAULT_WAIT_SECONDS
    if problems:
        raise PermanentDataError("bad-wait", "; ".join(problems))
    return PendingCallback(
        key=str(key),
        token=str(token),
        source=source,
        since=begun,
        entered=entered,
        expires=lease_end(now, seconds),
    )
