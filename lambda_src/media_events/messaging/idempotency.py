"""The idempotency store: remembers which event has taken effect where (docs/reference/tables.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from media_events.core.failures import ProcessingError
from media_events.core.value_classes import dataclass

RETENTION_SECONDS: Final = 158 * 86_400
"""Longer than a copy of an event may be on its way, with the longest settings. At each of up to three hops (ingress,
transform, route), it may take 52.5 days: a day in EventBridge (``rule_retry``), 14 in the queue, 13.5 until the last
redrive (``redrive.max_age_seconds``), 10 deferred (``hold_seconds``), and 14 in the queue once more."""

WITHDRAWN_SECONDS: Final = 366 * 86_400
"""How long a withdrawn effect stays withdrawn: longer than any message travels (:data:`RETENTION_SECONDS`)."""

State = Literal["owned", "done", "in-progress", "withdrawn"]


Decision = Literal["archived", "edited"]
"""``archived``: the event shall not be delivered. ``edited``: an edited event is delivered in its place."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The outcome of :meth:`IdempotencyStore.acquire`.

    ``owned``: go ahead. ``done``: a duplicate; ``result`` is that of :meth:`IdempotencyStore.complete`.
    ``in-progress``: another invocation's lease runs until ``lease_expires`` (epoch seconds). ``withdrawn``: a person
    has decided that the effect shall not happen; ``result`` says how (:class:`Withdrawals`).
    """

    state: State
    result: Mapping[str, Any] | None = None
    lease_expires: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """An effect that has happened; for ``keep_seconds`` it counts as done."""

    key: str
    result: Mapping[str, Any] | None = None
    keep_seconds: int = RETENTION_SECONDS


class IdempotencyStore(Protocol):
    """Effects by (source, event id, scope). Adapters raise :class:`ProcessingError` only."""

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:
        """Lease the effect, unless it is done or another lease on it has not expired."""

    def acquire_all(self, keys: Sequence[str], *, lease_seconds: float) -> Sequence[Acquisition | ProcessingError]:
        """:meth:`acquire` ``keys``, which are distinct, in few calls; each has its own outcome. Never raises."""

    def complete_all(self, completions: Sequence[Completion]) -> Sequence[ProcessingError | None]:
        """:meth:`complete` effects of distinct keys in few calls; each has its own outcome. Never raises."""

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        """The effect has happened; for ``keep_seconds`` it counts as done."""

    def release(self, key: str) -> None:
        """The effect has certainly not happened: the next attempt may acquire it."""

    def done(self, key: str) -> bool:
        """Whether the effect is recorded as done; acquires nothing."""


class Withdrawals(Protocol):
    """Effects that a person has decided against: an attempt finds them taken, however late it comes.

    The decision is about one version of a review item, and only ever gives way to one about a later version. Adapters
    raise :class:`ProcessingError` only.
    """

    def withdraw(self, key: str, decision: Decision, *, version: int) -> Acquisition:
        """Withdraw the effect. ``withdrawn``: no attempt carries it out any more.

        ``done``: it has happened. ``in-progress``: an attempt is under way, until ``lease_expires`` at most.
        """

    def reinstate(self, key: str, *, version: int) -> None:
        """Let attempts carry the effect out again, unless a decision about a later version has withdrawn it."""


def record_key(source: str, event_id: str, scope: str) -> str:
    """The key of one effect; the lengths keep any two triples from sharing a key.

    CloudEvents promises that ``id`` is unique only within its ``source``. ``scope`` is ``ingress``,
    ``transform/<name>`` or ``destination/<name>``.
    """
    return f"{len(source)}:{source}|{len(event_id)}:{event_id}|{scope}"
