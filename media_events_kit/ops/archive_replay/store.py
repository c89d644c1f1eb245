"""Replays in the review table: a row each. The audit lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

from media_events_kit.ops.operations.run import Run
from media_events_kit.ops.operations.table import OPERATION, OperationTable

SUBJECT: Final = "archive-replays"
"""The audit has every replay's start under this subject, so that replays can be listed."""

ENDED: Final = ("cancelled", "completed", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Run):
    """One replay and its progress. Times are RFC 3339; its command writes ``seen_at`` every few seconds.

    ``counts`` is by hop. Sent, or in a dry run to be sent: ``new``, ``repeated`` (on request, although done),
    ``unguarded`` (no idempotency store), ``to_transform``. Not sent: ``suppressed`` (done already), ``refused``.
    """

    replay_id: str
    since: str
    until: str
    hops: tuple[str, ...]
    partners: tuple[str, ...] = ()
    repeat_effects: bool = False
    dry_run: bool = False
    rate: float = 50.0
    seen_at: str = ""
    events: int = 0
    unmatched: int = 0
    unreadable: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    replayed_to: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing is left of it but this row."""
        return self.state in ENDED


class DynamoReplays(OperationTable):
    """Replays in the review table. Methods raise ``ProcessingError`` where DynamoDB refuses or does not answer."""

    def get(self, replay_id: str) -> Replay | None:
        """Read a replay, consistently."""
        row = self._read(_key(replay_id), "reading a replay")
        if row is None:
            return None
        values = json.loads(row["replay"]["S"])
        return Replay(**values | {name: tuple(values[name]) for name in ("hops", "partners")})

    def put(self, replay: Replay, *, expected_version: int | None) -> bool:
        """Write ``replay`` over ``expected_version`` (``None``: create it); whether that was still the version."""
        return self._write_version(
            _key(replay.replay_id),
            {"replay": {"S": json.dumps(asdict(replay))}},
            replay.version,
            expected_version=expected_version,
            doing="writing a replay",
        )


def _key(replay_id: str) -> str:
    return f"{OPERATION}{SUBJECT}/{replay_id}"
