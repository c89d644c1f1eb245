"""The desk with what it records: who works here, and the audit of what they do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from media_events.consuming import timestamp
from ops.desk.desk import Desk
from ops.desk.operations import Oldest
from ops.desk.records import Entry, Records


@dataclass(slots=True, kw_only=True)
class Office:
    """The desk with what it records. ``principal`` is asked once, when something is first recorded."""

    desk: Desk
    oldest: Oldest
    records: Records
    principal: Callable[[], str]
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _by: str = field(default="", repr=False)

    def by(self) -> str:
        """The ARN of who works here."""
        self._by = self._by or self.principal()
        return self._by

    def now(self) -> str:
        """The time, as items have it."""
        return timestamp(self.clock())

    def record(  # noqa: PLR0913
        self, subject: str, action: str, *, result: str, reason: str, allowed: bool = True, operation_id: str = ""
    ) -> None:
        """Add a line to the audit."""
        self.records.append(
            Entry(
                subject=subject,
                at=self.now(),
                by=self.by(),
                action=action,
                allowed=allowed,
                result=result,
                reason=reason,
                operation_id=operation_id,
            )
        )
