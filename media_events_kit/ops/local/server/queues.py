"""SQS and its topics: sequence numbers from FIFO topic to FIFO queue, and quick receives.

In MiniStack a message from a FIFO topic gets no SequenceNumber in a FIFO queue, and each receive completes all messages
of the queue first, which takes 20 ms for ten thousand and blocks everything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from media_events_kit.ops.local.server.corrections import replace


def correct(sqs: Any, sns: Any) -> None:
    """Correct ``ministack.services.sqs`` and ``ministack.services.sns``."""
    numbered = threading.local()

    def numbering(delivery_of_ministack: Callable[..., None]) -> Callable[..., None]:
        def deliver_to_sqs(endpoint: str, *arguments: Any, **named: Any) -> None:
            queue = vars(sqs)["_queue_by_arn"](endpoint) or {}
            if queue.get("is_fifo"):
                queue["fifo_seq"] = queue.get("fifo_seq", 0) + 1
                numbered.next = str(queue["fifo_seq"]).zfill(20)
            try:
                delivery_of_ministack(endpoint, *arguments, **named)
            finally:
                numbered.next = None

        return deliver_to_sqs

    def with_number(fields_of_ministack: Callable[..., None]) -> Callable[..., None]:
        def ensure_msg_fields(message: dict[str, Any]) -> None:
            number = getattr(numbered, "next", None)
            if number is not None:
                message.setdefault("seq", number)
            fields_of_ministack(message)

        return ensure_msg_fields

    replace(sns, "_deliver_to_sqs", numbering)
    replace(sqs, "_ensure_msg_fields", with_number)
    replace(sqs, "_collect_msgs", _no_more_than_taken)


def _no_more_than_taken(collected_by_ministack: Callable[..., list[dict[str, Any]]]) -> Any:
    def collect_msgs(queue: Mapping[str, Any], most: int, visibility_timeout: int) -> list[dict[str, Any]]:
        """MiniStack's, which sees only as many messages of a standard queue as it may take."""
        if queue["is_fifo"]:
            return collected_by_ministack(queue, most, visibility_timeout)
        now = time.time()
        visible = (message for message in queue["messages"] if message.get("visible_at", now) <= now)
        first = {**queue, "messages": list(islice(visible, most))}
        return collected_by_ministack(first, most, visibility_timeout)

    return collect_msgs
