"""What the page works with: the desk of one deployment, what it runs, and where it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from flask import Flask, current_app

from media_events.core.failures import ProcessingError
from ops.review.audited_service import AuditedReviewService
from ops.review_web.background_runs import Runs
from ops.review_web.route_preview import Matching
from ops.trace.model import EventTrace

_KEY: Final = "media-events-desk"


@dataclass(slots=True, kw_only=True)
class PageContext:
    """One deployment's desk as the page sees it. ``environment`` and ``region`` are shown on every page."""

    review: AuditedReviewService
    runs: Runs
    matching: Matching
    trace: Callable[[str], list[EventTrace]]
    """The stories of the events of an id."""
    environment: str
    region: str
    clock: Callable[[], float] = time.time
    _who: str = field(default="", repr=False)

    def who(self) -> str:
        """The ARN of the operator, or nothing while STS does not say."""
        try:
            self._who = self._who or self.review.by()
        except ProcessingError:
            return ""
        return self._who


def put(app: Flask, current_context: PageContext) -> None:
    """Have ``app`` work at ``current_context``."""
    app.extensions[_KEY] = current_context


def current_context() -> PageContext:
    """Where the request in hand is served."""
    return cast("PageContext", current_app.extensions[_KEY])
