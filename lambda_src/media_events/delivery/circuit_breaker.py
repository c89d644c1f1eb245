"""A breaker per destination: where a receiver is down, its events wait, and don't use up their attempts on it.

Its state is one entry in the ledger's table, so that all instances of a function share it. ``failures`` counts
attempts that failed in a row, whoever made them. At the policy's number the breaker opens: nothing is sent until
``open_until``. Then one attempt is made, by whoever claims it first, until ``probe_until`` at most. If it succeeds the
breaker closes; if it fails the breaker opens for twice as long.

What has failed before may be at fault itself. A breaker that nothing else has opened is ``suspect_only``: it holds back such
events alone, and is tried by the first one that has not failed yet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from media_events.core.failures import DeferredError, ProcessingError, TransientError
from media_events.core.telemetry import Telemetry
from media_events.delivery.policies import CircuitBreakerPolicy

Signal = Literal["alive", "down", "doubtful"]
"""What an attempt says about the receiver. ``doubtful``: down, but the event has failed before, and may be at fault."""

PROBE_SECONDS: Final = 60.0
"""A claimed attempt that was never confirmed (the function was killed) is given up after this."""
SPREAD: Final = 0.25
"""Waiting events come back over this share of the pause, so that they don't come all at once."""
MIN_WAIT_SECONDS: Final = 1.0
ALIVE_SECONDS: Final = 30.0
"""For so long after a success what is doubtful counts for nothing: ten thousand poison events don't even pause others
that have failed before."""
ALIVE_NOTED_SECONDS: Final = 10.0
"""A success is noted no more often than this."""

_OWN_AFFAIRS: Final = frozenset({"no-time-left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreakerState:
    """What the table knows. Times are epoch seconds. ``opened`` counts how often in a row it has been opened."""

    failures: int = 0
    opened: int = 0
    suspect_only: bool = False
    open_until: float | None = None
    probe_until: float | None = None
    alive_at: float | None = field(default=None, compare=False)
    """When the receiver was last known to be well, about."""


class CircuitBreakerStore(Protocol):
    """The state of one destination's breaker. Any exception is a :class:`ProcessingError`."""

    def read(self) -> CircuitBreakerState:
        """The state as it is."""
        ...

    def add_failures(self, count: int) -> CircuitBreakerState:
        """Count ``count`` failures more; returns the state after that."""
        ...

    def open(self, *, until: float, opened: int, suspect_only: bool) -> None:
        """Open it until ``until``, for the ``opened``-th time in a row; a claimed attempt ends."""
        ...

    def claim_probe(self, *, now: float, until: float) -> bool:
        """Claim the one attempt, if the pause is over at ``now`` and nobody holds a claim; whether it is ours."""
        ...

    def close(self) -> None:
        """Forget everything but that the receiver is well now."""
        ...


Passage = Literal["free", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """Decides for one destination whether deliveries may be tried. A store that can't be reached never stops one."""

    destination: str
    policy: CircuitBreakerPolicy
    store: CircuitBreakerStore
    report: Telemetry
    clock: Callable[[], float]
    rng: random.Random = field(default_factory=random.SystemRandom)

    def before_delivery(self, *, fresh: bool) -> tuple[Passage | DeferredError, CircuitBreakerState]:
        """Whether a batch may be delivered, only one of it may (``probe``), or none; and the state that says so.

        ``fresh``: it has an event that has not failed before.
        """
        try:
            state = self.store.read()
            if state.open_until is None:
                return "free", state
            if state.suspect_only and fresh:
                return "probe", state
            now = self.clock()
            if now < state.open_until:
                return self._wait(state.open_until - now), state
            if self.store.claim_probe(now=now, until=now + PROBE_SECONDS):
                return "probe", state
        except ProcessingError as error:
            self._warn(error)
            return "free", CircuitBreakerState()
        left = PROBE_SECONDS if state.probe_until is None else state.probe_until - now
        return self._wait(min(self.policy.delay_seconds, max(MIN_WAIT_SECONDS, left))), state

    def record(self, state: CircuitBreakerState, signals: Iterable[Signal]) -> None:
        """Take note of what a batch's attempts came to. ``state`` is what :meth:`enter` gave."""
        found = list(signals)
        now = self.clock()
        try:
            if "alive" in found:
                if state != CircuitBreakerState() or _past(state.alive_at, now, ALIVE_NOTED_SECONDS):
                    self.store.close()
                return
            suspect_only = found.count("doubtful") if _past(state.alive_at, now, ALIVE_SECONDS) else 0
            failures = found.count("down") + suspect_only
            if failures:
                self._failed(self.store.add_failures(failures), suspect_only="down" not in found)
        except ProcessingError as error:
            self._warn(error)

    def record_half_open(self, state: CircuitBreakerState, signal: Signal | None) -> None:
        """Take note of what the one attempt came to; without a ``signal`` the next one may try at once."""
        try:
            if signal == "alive":
                self.store.close()
                self.report.info("circuit breaker closed", destination=self.destination)
            elif signal in ("down", "doubtful"):
                self._open(state.opened + 1, suspect_only=signal == "doubtful")
            else:
                self.store.open(until=self.clock(), opened=state.opened, suspect_only=state.suspect_only)
        except ProcessingError as error:
            self._warn(error)

    def wait(self, trial: ProcessingError | None = None) -> DeferredError:
        """What becomes of the others while the one attempt has failed; and of that one, for which ``trial`` is why."""
        return self._wait(self.policy.delay_seconds, trial)

    def _failed(self, state: CircuitBreakerState, *, suspect_only: bool) -> None:
        if state.open_until is None and state.failures >= self.policy.failures:
            self._open(1, suspect_only=suspect_only)

    def _open(self, opened: int, *, suspect_only: bool) -> None:
        delay = min(self.policy.max_delay_seconds, self.policy.delay_seconds * 2.0 ** min(opened - 1, 30))
        self.store.open(until=self.clock() + delay, opened=opened, suspect_only=suspect_only)
        about = {"destination": self.destination, "seconds": int(delay), "opened": opened, "doubted": suspect_only}
        self.report.warning("circuit breaker opened", **about)
        self.report.count("BreakersOpened")

    def _wait(self, seconds: float, trial: ProcessingError | None = None) -> DeferredError:
        spread = self.rng.uniform(0, SPREAD * max(seconds, self.policy.delay_seconds))
        why = "" if trial is None else f"; the latest trial failed: {trial.code}: {trial.message}"
        return DeferredError(
            "breaker-open",
            f"the destination has failed too often in a row: deliveries to it pause{why}",
            retry_after=seconds + spread,
            hold_seconds=self.policy.hold_seconds,
            response=None if trial is None else trial.response,
        )

    def _warn(self, error: ProcessingError) -> None:
        self.report.warning("circuit breaker not saved", destination=self.destination, reason=error.code)


def _past(moment: float | None, now: float, seconds: float) -> bool:
    return moment is None or now - moment > seconds


def signal_of(error: ProcessingError, *, failed_before: bool = False) -> Signal | None:
    """What a failed attempt says about the receiver: a refusal by HTTP status came from one that is alive."""
    if isinstance(error, DeferredError) or error.code in _OWN_AFFAIRS:
        return None
    if isinstance(error, TransientError):
        return "doubtful" if failed_before else "down"
    return "alive" if error.code.startswith("http-") else None


def circuit_breaker_key(destination: str) -> str:
    """The key of a destination's breaker in the ledger's table; an effect's begins with a digit."""
    return f"breaker|{destination}"
