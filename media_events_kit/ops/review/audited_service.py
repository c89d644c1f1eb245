"""The review service with its audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from media_events_kit.ops.operations.audit import Audit, Entry
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.review.store import DynamoRecords


@dataclass(slots=True, kw_only=True)
class AuditedReviewService:
    """The review service, its operations and edited events, and the audit of what operators do with it."""

    service: ReviewService
    records: DynamoRecords
    audit: Audit

    @property
    def clock(self) -> Callable[[], float]:
        """The service's clock, in epoch seconds."""
        return self.service.clock

    @property
    def sleep(self) -> Callable[[float], None]:
        """The service's way to wait."""
        return self.service.sleep

    def by(self) -> str:
        """The operator's ARN."""
        return self.service.by()

    def now(self) -> str:
        """The time, as items have it."""
        return self.service.now()

    def record(  # noqa: PLR0913
        self, subject: str, action: str, *, result: str, reason: str, allowed: bool = True, operation_id: str = ""
    ) -> None:
        """Add a line to the audit.

        Raises:
            ProcessingError: it could not be written; the caller must not do what was to be recorded.
        """
        self.audit.append(
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
