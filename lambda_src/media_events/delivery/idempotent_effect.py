"""One effect per event and destination, guarded by the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.failures import ProcessingError, TransientError
from media_events.messaging.idempotency import IdempotencyStore

LEASE_MARGIN_SECONDS: Final = 5.0
"""What a lease outlives its function by, so that no second attempt starts while the first may still be running."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``happened``: the effect was brought about now; otherwise it had been before, with this ``result``."""

    happened: bool
    result: Mapping[str, Any] | None


def deliver_once(
    idempotency: IdempotencyStore,
    key: str,
    effect: Callable[[], Mapping[str, Any]],
    *,
    seconds_left: float,
    clock: Callable[[], float],
) -> Outcome:
    """Bring ``effect`` about unless the ledger says that it has happened.

    A :class:`ProcessingError` of the effect means that this attempt is over and a repeat is safe: the receiver answered, or
    the repeat carries the same idempotency key or execution name. The claim is given back. Whatever else ends an
    attempt (a crash, the function's timeout, a ledger that can't be written) leaves the claim, and nobody tries again
    until its lease has run out.

    Raises:
        TransientError: ``idempotency-in-progress``; another attempt holds the claim.
        HopError: the effect's own failure, or the ledger's.
    """
    before = claim(idempotency, key, seconds_left=seconds_left, clock=clock)
    if before is not None:
        return before
    try:
        result = effect()
    except ProcessingError:
        release(idempotency, key)
        raise
    return confirm(idempotency, key, result)


def claim(
    idempotency: IdempotencyStore, key: str, *, seconds_left: float, clock: Callable[[], float]
) -> Outcome | None:
    """Claim an effect: ``None`` if it is ours to bring about, else what came of it before.

    Raises:
        TransientError: ``idempotency-in-progress``.
        HopError: the ledger's own failure.
    """
    acquired = idempotency.acquire(key, lease_seconds=max(0.0, seconds_left) + LEASE_MARGIN_SECONDS)
    if acquired.state == "done":
        return Outcome(happened=False, result=acquired.result)
    if acquired.state == "in-progress":
        wait = 1.0 if acquired.lease_expires is None else max(1.0, acquired.lease_expires - clock())
        raise TransientError(
            "idempotency-in-progress", "another attempt has begun and is not confirmed yet", retry_after=wait
        )
    return None


def confirm(idempotency: IdempotencyStore, key: str, result: Mapping[str, Any]) -> Outcome:
    """Record that the claimed effect has happened.

    Raises:
        HopError: it can't be recorded; the claim stays until its lease has run out.
    """
    idempotency.complete(key, result=result)
    return Outcome(happened=True, result=result)


def release(idempotency: IdempotencyStore, key: str) -> None:
    """Give a claim back whose effect has not happened, or may safely be repeated."""
    try:
        idempotency.release(key)
    except ProcessingError:
        # The effect's own failure is what the operator must see; the claim ends with its lease.
        return
