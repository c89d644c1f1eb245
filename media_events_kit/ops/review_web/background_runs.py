"""Operations that this page runs, each in a thread of its own until it is over or the page ends."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Final

from media_events.core.failures import ProcessingError
from media_events_kit.ops.review import use_cases
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.store import Operation
from media_events_kit.ops.shared.console import note
from media_events_kit.ops.shared.contact import CONTACT

CANARY_WAIT_SECONDS: Final = 120.0


@dataclass(slots=True, kw_only=True)
class Runs:
    """Runs operations. When the page ends, each stops before its next item, and can be resumed here or by command."""

    review: AuditedReviewService
    canary_wait_seconds: float = CANARY_WAIT_SECONDS
    _threads: dict[str, threading.Thread] = field(default_factory=dict, repr=False)
    _problems: dict[str, str] = field(default_factory=dict, repr=False)
    _ending: threading.Event = field(default_factory=threading.Event, repr=False)

    def start(self, operation: Operation) -> None:
        """Run ``operation`` in the background; its row has its progress."""
        self._problems.pop(operation.operation_id, None)
        thread = threading.Thread(target=self._run, args=(operation,), name=f"operation-{operation.operation_id}")
        self._threads[operation.operation_id] = thread
        thread.start()

    def here(self, operation_id: str) -> bool:
        """Whether this page is running the operation."""
        thread = self._threads.get(operation_id)
        return thread is not None and thread.is_alive()

    def problem(self, operation_id: str) -> str:
        """The error that ended the operation here; empty if there was none."""
        return self._problems.get(operation_id, "")

    def end(self, *, wait_seconds: float = 30.0) -> bool:
        """Stop every operation before its next item; returns whether all stopped in time."""
        self._ending.set()
        until = time.monotonic() + wait_seconds
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads.values())

    def _run(self, operation: Operation) -> None:
        try:
            use_cases.run_operation(
                self.review,
                operation,
                canary_wait_seconds=self.canary_wait_seconds,
                stopping=self._ending.is_set,
            )
        except ProcessingError as error:
            self._problems[operation.operation_id] = f"{CONTACT.problem(error)}. Correct this and resume."
        except Exception as error:  # noqa: BLE001  # nothing else would report it
            kind = type(error).__name__
            self._problems[operation.operation_id] = f"The page failed ({kind}). Resume the operation."
            note(f"review page: operation {operation.operation_id}: {kind}: {error}")
