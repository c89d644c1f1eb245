"""The objects that requests use: the review service of one deployment, and the operations that the page runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from flask import Flask, current_app

from media_events.core.failures import ProcessingError
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review_web.background_runs import Runs
from media_events_kit.ops.review_web.live_hops import LiveHops
from media_events_kit.ops.review_web.route_preview import Matching
from media_events_kit.ops.trace.model import EventTrace

_KEY: Final = "media-events-review"


@dataclass(slots=True, kw_only=True)
class PageContext:
    """The objects of one deployment. ``trace`` finds events by an id; the page shows ``environment`` and ``region``.

    ``live`` reads the hops for the map; without it there is no map. ``deployed`` knows when a hop's function was last
    changed, in epoch seconds.
    """

    review: AuditedReviewService
    runs: Runs
    matching: Matching
    trace: Callable[[str], list[EventTrace]]
    environment: str
    region: str
    live: LiveHops | None = None
    deployed: Callable[[str], float | None] = lambda _hop: None
    clock: Callable[[], float] = time.time
    revealed: set[str] = field(default_factory=set)
    """The items whose hidden values an edit has shown, as the audit says."""
    _who: str = field(default="", repr=False)

    def who(self) -> str:
        """The operator's ARN; empty while STS does not answer."""
        try:
            self._who = self._who or self.review.by()
        except ProcessingError:
            return ""
        return self._who


def install(app: Flask, context: PageContext) -> None:
    """Have ``app`` serve ``context``."""
    app.extensions[_KEY] = context


def current_context() -> PageContext:
    """The context of the current request."""
    return cast("PageContext", current_app.extensions[_KEY])
