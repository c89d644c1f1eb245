"""The desk with what it records: who works here, and the audit of what they do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from media_events.core.clock import timestamp
from ops.review.audit_log import Entry, Records
from ops.review.service import ReviewService


@dataclass(slots=True, kw_only=True)
class AuditedReviewService:
    """The desk, and where it records what is done there."""

    service: ReviewService
    records: Records
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def by(self) -> str:
        """The ARN of who works here."""
        return self.service.by()

    def now(self) -> str:
        """The time, as items have it."""
        return timestamp(self.clock())

    def record(  # noqa: PLR0913
        self, subject: str, action: str, *, result: str, reason: str, allowed: bool = True, operation_id: str = ""
    ) -> None:
        """Add a line to the audit.

        Raises:
            HopError: it could not be written; what was to be recorded must not be done.
        """
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
