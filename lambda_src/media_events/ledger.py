"""Each effect once: what has been started and what is done, per event id and scope.

A scope is ``ingress`` (this event has been published) or ``destination/<name>`` (this event has been delivered
there). The same key serves first deliveries, retries, re-drives and replays, so none of them repeats an effect.

An effect goes through three steps: ``begin`` claims it for the length of a lease, the effect happens, ``complete``
records it for :data:`RETENTION_SECONDS`. ``release`` gives a claim back when the attempt is over and failed. A
function that dies in between leaves a started entry; after its lease the effect is attempted again, and what makes
that harmless differs by target: the ``Idempotency-Key`` header for HTTP, the execution name for Step Functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from media_events.failures import HopError, TransientError

RETENTION_SECONDS: Final = 14 * 24 * 3600
"""As long as SQS can keep a message, and longer than any known sender retries."""

INGRESS_SCOPE: Final = "ingress"

ClaimState = Literal["owned", "done", "in-progress"]


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to ``begin``: ours (``owned``), ``done`` before (with its ``result``), or another's (``in-progress``).

    ``lease_seconds`` is how long the other's lease still runs.
    """

    state: ClaimState
    result: Mapping[str, Any] | None = None
    lease_seconds: float = 0.0


class Ledger(Protocol):
    """Where claims are kept. Every method raises :class:`TransientError` when the store can't be reached."""

    def begin(self, event_id: str, scope: str) -> Claim:
        """Claim the effect: new, expired, or started by somebody whose lease has ended, and it is ours."""
        ...

    def complete(self, event_id: str, scope: str, result: Mapping[str, Any] | None = None) -> None:
        """Record that the effect happened, whoever holds the claim by now."""
        ...

    def release(self, event_id: str, scope: str) -> None:
        """Give our own started claim back; nothing happens if it is no longer ours."""
        ...


def destination_scope(destination: str) -> str:
    """The scope of an effect at a destination."""
    return f"destination/{destination}"


def ledger_key(event_id: str, scope: str) -> str:
    """The key of an entry; the length in front keeps two different pairs from meeting in one key."""
    return f"{len(event_id)}:{event_id}|{scope}"


def once(
    ledger: Ledger, event_id: str, scope: str, effect: Callable[[], Mapping[str, Any] | None]
) -> tuple[bool, Mapping[str, Any] | None]:
    """Run ``effect`` unless it has happened before.

    Returns:
        Whether it ran now, and its result (the recorded one where it ran before).

    Raises:
        TransientError: somebody else is at it (``ledger-in-progress``, to be retried after their lease), or the
            ledger can't be reached.
        HopError: the effect's own failure; the claim has been given back.
    """
    claim = ledger.begin(event_id, scope)
    if claim.state == "done":
        return False, claim.result
    if claim.state == "in-progress":
        raise TransientError(
            "ledger-in-progress",
            "another attempt at this effect has started and is not confirmed yet",
            retry_after=max(1.0, claim.lease_seconds),
        )
    try:
        result = effect()
    except HopError:
        _give_back(ledger, event_id, scope)
        raise
    ledger.complete(event_id, scope, result)
    return True, result


def _give_back(ledger: Ledger, event_id: str, scope: str) -> None:
    try:
        ledger.release(event_id, scope)
    except TransientError:
        # The effect's own failure is what the operator must see; the claim ends with its lease.
        return
