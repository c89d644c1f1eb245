"""One effect per event and destination, guarded by the idempotency store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from media_events.core.failures import ProcessingError, TransientError
from media_events.core.value_classes import dataclass
from media_events.messaging.idempotency import Acquisition, Completion, IdempotencyStore

LEASE_MARGIN_SECONDS: Final = 5.0
"""A lease ends this long after its function, and by ``core.clock.CLOCK_SKEW_SECONDS`` more in the store, so no second
attempt starts while the first may still run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``happened``: the effect took place now; otherwise it had taken place before, with this ``result``.

    If a person has decided against it, ``result`` is ``{"withdrawn": <decision>}``.
    """

    happened: bool
    result: Mapping[str, Any] | None

    @property
    def withdrawn(self) -> str | None:
        """The decision of a person against the effect (``messaging.idempotency.Decision``)."""
        return None if self.happened or self.result is None else self.result.get("withdrawn")


def deliver_once(
    idempotency: IdempotencyStore,
    key: str,
    effect: Callable[[], Mapping[str, Any]],
    *,
    seconds_left: float,
    clock: Callable[[], float],
) -> Outcome:
    """Carry out ``effect`` unless the idempotency store has it already.

    A :class:`ProcessingError` of the effect means that this attempt is over and a repeat is safe: the receiver
    answered, or the repeat carries the same idempotency key or execution name. The claim is released. Any other end of
    an attempt (a crash, the function's timeout, a store that can't be written) leaves the claim until its lease ends.

    Raises:
        TransientError: ``idempotency-in-progress``; another attempt holds the claim.
        ProcessingError: the effect failed, or the store did.
    """
    before = claim(idempotency, key, seconds_left=seconds_left, clock=clock)
    if before is not None:
        return before
    try:
        result = effect()
    except ProcessingError:
        release(idempotency, key)
        raise
    idempotency.complete(key, result=result)
    return Outcome(happened=True, result=result)


def claim(
    idempotency: IdempotencyStore, key: str, *, seconds_left: float, clock: Callable[[], float]
) -> Outcome | None:
    """Claim an effect: ``None`` if this attempt may carry it out, else its earlier outcome, or a person's decision.

    Raises:
        TransientError: ``idempotency-in-progress``.
        ProcessingError: the store failed.
    """
    return _unless_ours(idempotency.acquire(key, lease_seconds=_lease_seconds(seconds_left)), clock)


def claim_all(
    idempotency: IdempotencyStore, keys: Sequence[str], *, seconds_left: float, clock: Callable[[], float]
) -> list[Outcome | ProcessingError | None]:
    """:func:`claim` several effects in few calls; each has its own outcome, or the error that :func:`claim` raises."""
    if not keys:
        return []
    outcomes: list[Outcome | ProcessingError | None] = []
    for acquired in idempotency.acquire_all(keys, lease_seconds=_lease_seconds(seconds_left)):
        try:
            outcomes.append(acquired if isinstance(acquired, ProcessingError) else _unless_ours(acquired, clock))
        except ProcessingError as error:
            outcomes.append(error)
    return outcomes


def _lease_seconds(seconds_left: float) -> float:
    return max(0.0, seconds_left) + LEASE_MARGIN_SECONDS


def _unless_ours(acquired: Acquisition, clock: Callable[[], float]) -> Outcome | None:
    if acquired.state in ("done", "withdrawn"):
        return Outcome(happened=False, result=acquired.result)
    if acquired.state == "in-progress":
        wait = 1.0 if acquired.lease_expires is None else max(1.0, acquired.lease_expires - clock())
        raise TransientError(
            "idempotency-in-progress", "another attempt has begun and is not confirmed yet", retry_after=wait
        )
    return None


def confirm_all(
    idempotency: IdempotencyStore, results: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[Outcome | ProcessingError]:
    """Record that claimed effects have happened, by their keys.

    The error of each that can't be recorded: its claim stays until its lease has run out.
    """
    if not results:
        return []
    errors = idempotency.complete_all([Completion(key=key, result=result) for key, result in results])
    return [error or Outcome(happened=True, result=result) for error, (_, result) in zip(errors, results, strict=True)]


def release(idempotency: IdempotencyStore, key: str) -> None:
    """Release the claim of an effect that has not happened, or may safely be repeated."""
    try:
        idempotency.release(key)
    except ProcessingError:
        # The operator must see the effect's own failure; the claim ends with its lease.
        return
