"""What has been done, so that it is done once: the protocol of the ledger (contracts, section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

RETENTION_SECONDS: Final = 14 * 86_400
"""As long as SQS keeps a message at most, and longer than any sender known retries (Stripe 3 d, hook0 8 d)."""

State = Literal["owned", "done", "in-progress"]


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The answer of :meth:`IdempotencyStore.begin`.

    ``owned``: go ahead. ``done``: a duplicate, ``result`` is what :meth:`IdempotencyStore.complete` was given.
    ``in-progress``: somebody else's lease runs until ``lease_expires`` (epoch seconds).
    """

    state: State
    result: Mapping[str, Any] | None = None
    lease_expires: float | None = None


class IdempotencyStore(Protocol):
    """Effects by (source, event id, scope). Any exception of an adapter is a :class:`failures.HopError`."""

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:
        """Claim the effect, unless it is done or somebody holds an unexpired lease on it."""

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        """The effect has happened; for ``keep_seconds`` it counts as done."""

    def release(self, key: str) -> None:
        """The effect certainly has not happened: let the next one try."""

    def done(self, key: str) -> bool:
        """Whether the effect is recorded as done; nothing is claimed."""


def record_key(source: str, event_id: str, scope: str) -> str:
    """The key of one effect. Lengths go first, so that no two triples share a key.

    CloudEvents promises the uniqueness of ``id`` only within its ``source``. ``scope`` is ``ingress`` or
    ``destination/<name>``.
    """
    return f"{len(source)}:{source}|{len(event_id)}:{event_id}|{scope}"
