"""A circuit breaker per destination: while a receiver is down, its events wait without using up their attempts.

Its state is one record of the idempotency table, which all instances of a function share. ``failures`` counts failed
attempts in a row, of all instances. At the policy's number the circuit breaker opens: nothing is sent until
``open_until``. Then it is half-open: the first to claim it makes one attempt, until ``probe_until`` at most. Success
closes the circuit breaker; failure opens it for twice as long.

A busy function reads the record about once a second, not for each batch (:class:`Remembered`).

Machines' clocks may differ: a pause is shorter or longer by as much, and a probe is claimed with a margin.

An event that failed before is suspect: it may be at fault itself. A circuit breaker that only suspects have opened is
``suspect_only``: it holds back suspects alone, and the first event that is not suspect probes it.

Few events never fail so often in a row. So the last attempt of an event opens the circuit breaker for suspects, too, if
the receiver has given no sign of life since the event's first attempt. Nobody can tell then which of them is at fault.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Final, Literal, Protocol

from media_events.core.clock import lease_end
from media_events.core.failures import DeferredError, ProcessingError, TransientError
from media_events.core.telemetry import Measuring
from media_events.core.value_classes import dataclass
from media_events.delivery.policies import CircuitBreakerPolicy

Signal = Literal["alive", "down", "suspect"]
"""An attempt's evidence about the receiver. ``suspect``: down, but the event failed before and may be at fault."""

PROBE_SECONDS: Final = 60.0
"""A claimed probe that was never confirmed (the function was killed) ends after this."""
SPREAD: Final = 0.25
"""Jitter, as a share of the delay: waiting events don't all come back at once."""
MIN_WAIT_SECONDS: Final = 1.0
ALIVE_SECONDS: Final = 30.0
"""Suspects don't count for this long after a success: ten thousand poison events hold back not even suspects."""
ALIVE_NOTED_SECONDS: Final = 10.0
"""A success is recorded no more often than this."""
REMEMBERED_SECONDS: Final = 1.0
"""What a sandbox knows of a closed circuit breaker may be so old: it reads no more often while all is well."""
CALM_SECONDS: Final = 10.0
"""For so long after it has read of failures, a sandbox reads for each batch."""

_NOT_THE_RECEIVER: Final = frozenset({"no-time-left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreakerState:
    """The state in the table. Times are epoch seconds. ``opened`` counts how often in a row it was opened."""

    failures: int = 0
    opened: int = 0
    suspect_only: bool = False
    opened_at: float | None = field(default=None, compare=False)
    """When it was opened first, since it was closed last."""
    open_until: float | None = None
    probe_until: float | None = None
    alive_at: float | None = field(default=None, compare=False)
    """The time of a recent success."""


class CircuitBreakerStore(Protocol):
    """The state of one destination's circuit breaker. Any exception is a :class:`ProcessingError`."""

    def read(self) -> CircuitBreakerState:
        """The current state."""
        ...

    def add_failures(self, count: int) -> CircuitBreakerState:
        """Count ``count`` more failures; returns the state afterwards."""
        ...

    def open(self, *, until: float, opened: int, suspect_only: bool) -> None:
        """Open it until ``until``, for the ``opened``-th time in a row; a claimed probe ends."""
        ...

    def claim_probe(self, *, now: float, until: float) -> bool:
        """Claim the probe if the circuit breaker is half-open at ``now``; whether it is ours."""
        ...

    def close(self) -> None:
        """Forget everything except the time of this success."""
        ...


class Remembered:
    """What a sandbox knows, from batch to batch, of a circuit breaker that is closed, without failures, and alive.

    Whoever goes by it doesn't see what others record meanwhile. So it may deliver one batch that another sandbox's
    opening would have held back: if that fails, it reads again. And a success resets no count that it doesn't know of:
    at a receiver with scattered failures these would soon add up, hence ``CALM_SECONDS``.

    A state whose success is to be noted anew is read first, or each sandbox would note its own.
    """

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._state = CircuitBreakerState()
        self._calm_from = float("-inf")

    def at(self, now: float) -> CircuitBreakerState | None:
        """The state, where it need not be read.

        A sandbox may have been frozen, or restored from a snapshot, in between: the wall clock tells. It may also have
        been set back.
        """
        recent = 0 <= now - self._read_at < REMEMBERED_SECONDS
        return self._state if recent and not _past(self._state.alive_at, now, ALIVE_NOTED_SECONDS) else None

    def learn(self, state: CircuitBreakerState, now: float) -> None:
        """``state`` was read, not before ``now``."""
        calm = state == CircuitBreakerState()
        if not calm:
            self._calm_from = now + CALM_SECONDS
        self._state, self._read_at = state, now if calm and now >= self._calm_from else float("-inf")

    def forget(self) -> None:
        """Read for the next batch."""
        self._read_at = float("-inf")


Passage = Literal["free", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """Decides whether deliveries to one destination may be tried; if the store can't be reached, they may."""

    destination: str
    policy: CircuitBreakerPolicy
    store: CircuitBreakerStore
    table: str
    """The idempotency table, of which all circuit breakers report together how long they have been open."""
    report: Measuring
    clock: Callable[[], float]
    rng: random.Random = field(default_factory=random.SystemRandom)
    remembered: Remembered = field(default_factory=Remembered)

    def before_delivery(self, *, fresh: bool) -> tuple[Passage | DeferredError, CircuitBreakerState]:
        """Whether all of a batch may be delivered (``free``), one event (``probe``) or none; and the state.

        ``fresh``: the batch has an event that is not suspect.
        """
        try:
            state = self._state()
            if state.open_until is None:
                return "free", state
            if state.suspect_only and fresh:
                return "probe", state
            now = self.clock()
            report_open(self.report, state, now=now, table=self.table)
            if now < state.open_until:
                return self._wait(state.open_until - now), state
            if self.store.claim_probe(now=now, until=lease_end(now, PROBE_SECONDS)):
                return "probe", state
        except ProcessingError as error:
            self._warn(error)
            return "free", CircuitBreakerState()
        remaining = PROBE_SECONDS if state.probe_until is None else state.probe_until - now
        return self._wait(min(self.policy.delay_seconds, max(MIN_WAIT_SECONDS, remaining))), state

    def record(self, state: CircuitBreakerState, signals: Iterable[Signal]) -> None:
        """Record the outcome of a batch's attempts. ``state`` is the one from :meth:`before_delivery`."""
        evidence = list(signals)
        now = self.clock()
        if evidence.count("alive") < len(evidence):
            self.remembered.forget()
        try:
            if "alive" in evidence:
                if state != CircuitBreakerState() or _past(state.alive_at, now, ALIVE_NOTED_SECONDS):
                    self.store.close()
                return
            suspects = evidence.count("suspect") if _past(state.alive_at, now, ALIVE_SECONDS) else 0
            failures = evidence.count("down") + suspects
            if failures:
                self._failed(self.store.add_failures(failures), suspect_only="down" not in evidence)
        except ProcessingError as error:
            self._warn(error)

    def record_half_open(self, state: CircuitBreakerState, signal: Signal | None) -> None:
        """Record the outcome of the probe; without a ``signal`` the next event may probe at once."""
        try:
            if signal == "alive":
                self.store.close()
                self.report.info("circuit breaker closed", destination=self.destination)
            elif signal in ("down", "suspect"):
                self._open(state.opened + 1, suspect_only=signal == "suspect")
            else:
                self.store.open(until=self.clock(), opened=state.opened, suspect_only=state.suspect_only)
        except ProcessingError as error:
            self._warn(error)

    def hold(self, error: ProcessingError, *, since: float | None) -> DeferredError | None:
        """The deferral in place of ``error``, the failure of an event's last attempt; ``since`` is its first attempt.

        ``None`` if the receiver has given a sign of life since, or if the store can't tell. A sign of life is noted at
        once where failures are counted. One within ``REMEMBERED_SECONDS`` of the first failure may be missed: then the
        event waits for the next one.
        """
        try:
            state = self.store.read()
            if since is None or (state.alive_at is not None and state.alive_at >= since):
                return None
            if state.open_until is None:
                self._open(1, suspect_only=True)
        except ProcessingError as unreadable:
            self._warn(unreadable)
            return None
        return self.wait(error)

    def wait(self, trial: ProcessingError | None = None) -> DeferredError:
        """The deferral of the other events after a failed probe; of the probe itself where ``trial`` is its failure."""
        return self._wait(self.policy.delay_seconds, trial)

    def _state(self) -> CircuitBreakerState:
        now = self.clock()
        state = self.remembered.at(now)
        if state is None:
            state = self.store.read()
            self.remembered.learn(state, now)
        return state

    def _failed(self, state: CircuitBreakerState, *, suspect_only: bool) -> None:
        if state.open_until is None and state.failures >= self.policy.failures:
            self._open(1, suspect_only=suspect_only)

    def _open(self, opened: int, *, suspect_only: bool) -> None:
        delay = min(self.policy.max_delay_seconds, self.policy.delay_seconds * 2.0 ** min(opened - 1, 30))
        self.store.open(until=self.clock() + delay, opened=opened, suspect_only=suspect_only)
        about = {"destination": self.destination, "seconds": int(delay), "opened": opened, "suspect_only": suspect_only}
        self.report.warning("circuit breaker opened", **about)
        self.report.count("CircuitBreakersOpened")

    def _wait(self, seconds: float, trial: ProcessingError | None = None) -> DeferredError:
        spread = self.rng.uniform(0, SPREAD * max(seconds, self.policy.delay_seconds))
        why = "" if trial is None else f"; the latest trial failed: {trial.code}: {trial.message}"
        return DeferredError(
            "breaker-open",
            f"the destination failed too often in a row, so deliveries to it pause{why}",
            retry_after=seconds + spread,
            hold_seconds=self.policy.hold_seconds,
            response=None if trial is None else trial.response,
        )

    def _warn(self, error: ProcessingError) -> None:
        self.report.warning("circuit breaker not saved", destination=self.destination, reason=error.code)


def _past(moment: float | None, now: float, seconds: float) -> bool:
    return moment is None or now - moment > seconds


def signal_of(error: ProcessingError, *, failed_before: bool = False) -> Signal | None:
    """A failed attempt's evidence about the receiver. An HTTP status that refuses the event comes from a live one."""
    if isinstance(error, DeferredError) or error.code in _NOT_THE_RECEIVER:
        return None
    if isinstance(error, TransientError):
        return "suspect" if failed_before else "down"
    return "alive" if error.code.startswith("http-") else None


def report_open(report: Measuring, state: CircuitBreakerState, *, now: float, table: str) -> None:
    """Report how long events, or suspects alone, have waited for an open circuit breaker.

    Whoever makes an event wait reports: an open circuit breaker that nothing waits for needs nobody.
    """
    if state.opened_at is not None and state.open_until is not None:
        report.measure(
            "CircuitBreakerOpenAge", max(0.0, now - state.opened_at), unit="Seconds", idempotency_table=table
        )


def circuit_breaker_key(destination: str) -> str:
    """A circuit breaker's key in the idempotency table; an effect's key begins with a digit."""
    return f"circuit-breaker|{destination}"
