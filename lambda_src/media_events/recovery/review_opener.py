"""From a dead letter that nothing else can help to its review item.

The item is written before the dead letter is completed. Every step may be repeated: an item that is written twice is
recognised by the dead letter's message id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from media_events.core.clock import timestamp
from media_events.core.deferred import pattern
from media_events.core.failures import (
    MAX_FRAME_CHARACTERS,
    MAX_MESSAGE_CHARACTERS,
    MAX_RESPONSE_CHARACTERS,
    SETTLING_SECONDS,
    Failure,
    PermanentConfigError,
    PermanentDataError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
    scrub,
)
from media_events.core.telemetry import Telemetry
from media_events.core.value_classes import dataclass
from media_events.delivery.ordering.key_queue import override_in
from media_events.events.claim_check import Bodies
from media_events.messaging.message import Message
from media_events.recovery.dead_letter import DeadLetter, Identity, with_identity
from media_events.recovery.ports import Functions, Queues, RateLimiter, ReviewTable, Topic
from media_events.recovery.redrive_messages import inspection_payload
from media_events.recovery.redrive_policy import (
    TIMESTAMP,
    DeadLetterQueue,
    first_failed,
    is_nearly_forgotten,
    return_to,
)
from media_events.recovery.review_item import DECIDED, INLINE_BODY_BYTES, Attempt, ReviewItem, group_id, item_id
from media_events.recovery.skipped_events import notify_skipped

GROUP_QUIET_SECONDS: Final = 24 * 3600
"""A failure group is announced again only after it has not been announced for this long."""

WRITE_ATTEMPTS: Final = 5

OPENED: Final = "review item opened"
FAILED_AGAIN: Final = "review item failed again"
"""The item was already open or decided, so no new work was created."""

NOTIFICATIONS: Final = "notices"
"""The rate limit of notifications. Hops have other names: each has a slash."""

INSPECTION_SECONDS: Final = 5.0
"""The timeout of one inspection."""
INSPECTION_ATTEMPTS: Final = 2
"""Two attempts, so that one unrelated crash does not lose the event's identity."""
INSPECTION_WAIT_SECONDS: Final = 86_400.0
"""How long after ``max_age_seconds`` a dead letter may wait for its function to become reachable."""
RESERVED_SECONDS: Final = 5.0
"""Kept back from the redrive function's remaining time, to record the outcome."""

MAX_RECEIVES: Final = 1000
"""Of an SQS queue: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"""
MAX_TEXT_BYTES: Final = 4096
"""Of each text that an event says of itself: an item has to fit into DynamoDB's 400 KB, whatever is in the event."""
_MAX_KEY_BYTES: Final = 1024
_HTTP_STATUS: Final = pattern(r"http-([1-5][0-9]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOpener:
    """Opens review items. ``topic`` is ``None`` where no one is to be notified.

    ``bodies`` gives the store of one item's bodies, so that two items never share a body; ``event_bodies`` holds the
    events' own.
    """

    table: ReviewTable
    bodies: Callable[[str], Bodies]
    event_bodies: Bodies | None
    queues: Queues
    functions: Functions
    topic: Topic | None
    rate_limiter: RateLimiter | None
    notices_per_second: float
    bus_arn: str
    report: Telemetry
    clock: Callable[[], float]
    seconds_left: Callable[[], float]

    def open(self, dead_letter: DeadLetter, failure: Failure, queue: DeadLetterQueue) -> None:
        """Write the review item and announce a new group; returns only after the item is written.

        Raises:
            ProcessingError: it could not be written, or the route of a decided item could not be notified.
        """
        dead_letter = self._inspected(dead_letter, queue)
        item = review_item(dead_letter, failure, queue, bus_arn=self.bus_arn)
        item, nameless = self._of_its_message(item, dead_letter)
        item = self._with_durable_body(item)
        item = self._with_event_body(item, dead_letter)
        change, written = self._write(item, dead_letter)
        self._let_key_go_on(written, dead_letter, queue)
        if nameless is not None:
            self._supersede(nameless, item, dead_letter)
        if dead_letter.has_no_event_id:
            self._require_nameless(item, dead_letter)
        if change is not None:
            self.report.warning(
                change,
                **log_fields(dead_letter, queue),
                reason=item.error_code,
                failure_class=item.failure_class,
                item_id=item.item_id,
                group_id=item.group_id,
            )
        if change == OPENED and nameless is None:
            self.report.count("ReviewItemsOpened")
        self._announce(item)

    # --- which event it is -------------------------------------------------------------------------------------------

    def _inspected(self, dead_letter: DeadLetter, queue: DeadLetterQueue) -> DeadLetter:
        """``dead_letter`` with its event's identity and without credentials, if the hop's function can read it.

        No function has read a message that SQS moved, but reading it is seldom what killed the function. Only with the
        event's identity do all dead letters of one event share one item.

        Raises:
            ProcessingError: the function can't be reached now.
        """
        function_arn = queue.inspector_arn
        if not dead_letter.unidentified or function_arn is None:
            return dead_letter
        try:
            answer = self._inspect(function_arn, inspection_payload(dead_letter))
        except ProcessingError as error:
            age = self.clock() - first_failed(dead_letter)
            passing = (
                isinstance(error, TransientError)
                and age <= queue.policy.max_age_seconds + INSPECTION_WAIT_SECONDS
                and not is_nearly_forgotten(dead_letter, self.clock())
            )
            if passing or self._may_settle(error, dead_letter):
                raise
            self.report.warning("message not inspected", **log_fields(dead_letter, queue), reason=error.code)
            return dead_letter
        return with_identity(dead_letter, answer.body, answer.message_attributes, hop=queue.hop)

    def _inspect(self, function_arn: str, payload: str) -> Message:
        refusal: ProcessingError = TransientError("out-of-time", "no time is left to inspect the message")
        for _ in range(INSPECTION_ATTEMPTS):
            if self.seconds_left() < INSPECTION_SECONDS + RESERVED_SECONDS:
                break
            try:
                return self.functions.inspect(function_arn, payload)
            except (PoisonError, TransientError) as error:
                refusal = error
        raise refusal

    def _of_its_message(self, item: ReviewItem, dead_letter: DeadLetter) -> tuple[ReviewItem, str | None]:
        """``item`` as the one item of its message, and the id under which the message was recorded before its event.

        A function may dead-letter a message with its event's identity and die before it answers. SQS then moves the
        same message without an identity. Both become one item, whichever comes first: the event's, once it is known.
        """
        if dead_letter.first_message_id is None:
            return item, None
        recorded = self.table.item_of(_message(item, dead_letter), item.item_id, lasting=dead_letter.has_no_event_id)
        if recorded == item.item_id:
            return item, None
        nameless = None if dead_letter.has_no_event_id else self.table.get(recorded)
        if dead_letter.has_no_event_id or (nameless is not None and nameless.status == "ARCHIVED"):
            return replace(item, item_id=recorded), None
        return (item if nameless is None else item.with_history_of(nameless)), recorded

    def _supersede(self, nameless: str, item: ReviewItem, dead_letter: DeadLetter) -> None:
        """Close the item of a message whose event is known by now, and name the event's from now on.

        The event's item has been written. Each step may be repeated, and is until the last one is done.
        """
        for _ in range(WRITE_ATTEMPTS):
            existing = self.table.get(nameless)
            if existing is None or existing.status in DECIDED:
                self.table.name_item_of(_message(item, dead_letter), item.item_id)
                return
            self.table.update(existing.superseded(item.event_id), over=existing)
        raise TransientError("review-conflict", "other writers kept changing the review item")

    def _require_nameless(self, item: ReviewItem, dead_letter: DeadLetter) -> None:
        """Require that the message's event has not become known while ``item`` was written.

        Raises:
            TransientError: it has; the dead letter is read again, for the event's item.
        """
        recorded = self.table.item_of(_message(item, dead_letter), item.item_id, lasting=True)
        if recorded == item.item_id:
            return
        named, own = self.table.get(recorded), self.table.get(item.item_id)
        if named is not None and own is not None and own.status not in DECIDED:
            self.table.update(own.superseded(named.event_id), over=own)
        raise TransientError("review-conflict", "the event of the message became known meanwhile")

    # --- its bodies --------------------------------------------------------------------------------------------------

    def _with_durable_body(self, item: ReviewItem) -> ReviewItem:
        bodies = self.bodies(item.item_id)
        if item.body is not None and item.body_size > INLINE_BODY_BYTES:
            item = replace(item, body=None, bodyref=bodies.put(item.body.encode(errors="replace")))
        if item.message_attributes:
            attributes = json.dumps(item.message_attributes, separators=(",", ":")).encode()
            if len(attributes) > INLINE_BODY_BYTES:
                item = replace(item, message_attributes={}, attributesref=bodies.put(attributes))
        return item

    def _with_event_body(self, item: ReviewItem, dead_letter: DeadLetter) -> ReviewItem:
        """``item`` with a copy of the event's own body, whose original may expire while the item is open.

        A reference that is not ours, or whose body is gone, does not keep the item from being opened.
        """
        if dead_letter.bodyref is None or self.event_bodies is None:
            return item
        try:
            content = self.event_bodies.get(dead_letter.bodyref)
        except (PermanentDataError, PermanentConfigError) as error:
            if self._may_settle(error, dead_letter):
                raise
            self.report.warning("body not stored", item_id=item.item_id, hop=item.hop, reason=error.code)
            return item
        copy = self.bodies(item.item_id).put(content, content_type="application/octet-stream")
        return replace(item, retained_bodies={dead_letter.bodyref: copy})

    def _may_settle(self, error: ProcessingError, dead_letter: DeadLetter) -> bool:
        """Whether AWS may refuse only because a change of our permissions spreads; the dead letter then waits."""
        young = self.clock() - dead_letter.sent_at <= SETTLING_SECONDS
        return isinstance(error, UnsettledConfigError) and young

    # --- the write, and the notification -----------------------------------------------------------------------------

    def _write(self, item: ReviewItem, dead_letter: DeadLetter) -> tuple[str | None, ReviewItem]:
        """Create the item or add its failure to it.

        The change for the log, ``None`` if the failure was added before; and the item as it is in the table.
        """
        for _ in range(WRITE_ATTEMPTS):
            if self.table.create(item):
                return OPENED, item
            existing = self.table.get(item.item_id)
            if existing is None:
                continue
            later = existing.with_failure_of(item) if dead_letter.has_no_event_id else item
            # A notice that was not taken leaves the key waiting for the event: a person has to archive it again.
            merged = existing.failed_again(later, reopen=override_in(dead_letter.message_attributes) == "skip")
            if merged is None:
                return None, existing
            if self.table.update(merged, over=existing):
                opened = merged.status == "OPEN" and existing.status != "OPEN"
                return OPENED if opened else FAILED_AGAIN, merged
        raise TransientError("review-conflict", "other writers kept changing the review item")

    def _let_key_go_on(self, item: ReviewItem, dead_letter: DeadLetter, queue: DeadLetterQueue) -> None:
        """Take the event of a decided item out of its key queue, where it waited and no message of it is left.

        It entered after the decision, as by an archive replay. Nobody looks at a decided item, so nobody would know
        that the later events of its key wait for it.
        """
        if item.status in DECIDED and queue.ordered and item.return_to.kind == "queue":
            notify_skipped(self.queues, item, dead_letter.body)

    def _announce(self, item: ReviewItem) -> None:
        """Notify of a new group. A failure here must not keep the dead letter: the item is written."""
        if self.topic is None:
            return
        try:
            if not self.table.announce(item.group_id, now=self.clock(), quiet_seconds=GROUP_QUIET_SECONDS):
                return
            try:
                if self._may_notify():
                    self.topic.publish(*announcement(item))
                    return
            except ProcessingError:
                self.table.unannounce(item.group_id)
                raise
            # The group's next dead letter may announce it. A flood of new groups raises the alarms anyway.
            self.table.unannounce(item.group_id)
            self.report.warning("notification held back", group_id=item.group_id)
        except ProcessingError as error:
            self.report.warning("notification not sent", group_id=item.group_id, reason=error.code)

    def _may_notify(self) -> bool:
        """Whether the hourly limit allows one more; the limit of a whole hour may be used at once."""
        if self.rate_limiter is None:
            return True
        return self.rate_limiter.try_acquire(NOTIFICATIONS, per_second=self.notices_per_second, burst=3600.0)


def _message(item: ReviewItem, dead_letter: DeadLetter) -> str:
    return f"{len(item.hop)}:{item.hop}|{dead_letter.first_message_id}"


def review_item(dead_letter: DeadLetter, failure: Failure, queue: DeadLetterQueue, *, bus_arn: str) -> ReviewItem:
    """The review item of ``dead_letter``, with its body inline whatever its size.

    Anyone who may write to the dead-letter queue has written ``failure``, so everything in keys and tables is bounded.
    """
    identity = _bounded(dead_letter.identity)
    sent = timestamp(dead_letter.sent_at)
    first = failure.firsttime if TIMESTAMP.match(failure.firsttime) else sent
    last = failure.lasttime if TIMESTAMP.match(failure.lasttime) else sent
    code = failure.code[:128] or "unknown"
    message = scrub(failure.message)[:MAX_MESSAGE_CHARACTERS]
    event_id = _key(identity.event_id)
    body = dead_letter.body.encode(errors="replace")
    attempt = Attempt(
        time=last,
        failure_class=failure.failure_class,
        code=code,
        message=message,
        redrivecount=dead_letter.redrive_count,
        message_id=dead_letter.message_id,
        request_id=failure.requestid,
        receives=min(max(failure.receivecount, 1), MAX_RECEIVES),
    )
    group = group_id(
        failure.failure_class,
        code,
        message,
        hop=queue.hop,
        destination=queue.destination,
        stack_top=failure.stack_top,
    )
    return ReviewItem(
        item_id=item_id(dead_letter.identity.source, event_id, queue.destination),
        event_id=event_id,
        source=identity.source,
        hop=queue.hop,
        destination=queue.destination,
        status="OPEN",
        failure_class=failure.failure_class,
        error_code=code,
        error_message=message,
        attempts=(attempt,),
        redrive_count=dead_letter.redrive_count,
        first_failed_at=min(first, timestamp(first_failed(dead_letter))),
        last_failed_at=last,
        group_id=group,
        http_status=_http_status(code),
        stack_top=None if failure.stack_top is None else failure.stack_top[:MAX_FRAME_CHARACTERS],
        kind=dead_letter.kind,
        body=dead_letter.body,
        body_sha256=hashlib.sha256(body).hexdigest(),
        body_size=len(body),
        return_to=return_to(dead_letter, queue, bus_arn=bus_arn),
        correlation_id=identity.correlation_id,
        type=identity.type,
        partner=identity.partner,
        partition_key=identity.partition_key,
        response=None if failure.response is None else scrub(failure.response)[:MAX_RESPONSE_CHARACTERS],
        message_attributes=dead_letter.message_attributes,
        edit_of=None if dead_letter.event is None else _cut(dead_letter.event.metadata.editof),
    )


def _bounded(identity: Identity) -> Identity:
    """``identity`` with texts that leave room for the rest of the item; the body has them whole."""
    return replace(
        identity,
        source=_cut(identity.source) or "",
        type=_cut(identity.type),
        partner=_cut(identity.partner),
        correlation_id=_cut(identity.correlation_id),
        partition_key=_cut(identity.partition_key),
    )


def _cut(text: str | None) -> str | None:
    octets = (text or "").encode(errors="replace")
    if text is None or len(octets) <= MAX_TEXT_BYTES:
        return text
    return octets[:MAX_TEXT_BYTES].decode(errors="ignore") + "… (cut)"


def _http_status(code: str) -> int | None:
    match = _HTTP_STATUS.fullmatch(code)
    return None if match is None else int(match[1])


def _key(text: str) -> str:
    """``text``, or a digest where it is too long for an index."""
    octets = text.encode(errors="replace")
    return text if len(octets) <= _MAX_KEY_BYTES else "long-" + hashlib.sha256(octets).hexdigest()


def announcement(item: ReviewItem) -> tuple[str, str]:
    """Subject and text of the notification of a new group, without any of the event's data."""
    # A subject may have 100 ASCII characters and no line breaks.
    subject = f"Review needed: {item.hop}: {item.error_code}"
    plain = "".join(c if " " <= c <= "~" else "?" for c in subject)[:100]
    text = json.dumps(
        {
            "group_id": item.group_id,
            "hop": item.hop,
            "destination": item.destination,
            "failure_class": item.failure_class,
            "error_code": item.error_code,
            "error_message": item.error_message,
            "first_item": item.item_id,
            "event_id": item.event_id,
            "see": f"media-events review list --group {item.group_id}",
            "open": f"media-events review serve --open {item.group_id}",
        },
        indent=2,
    )
    return plain, text


def log_fields(dead_letter: DeadLetter, queue: DeadLetterQueue) -> Mapping[str, Any]:
    """The fields of a log line about ``dead_letter``."""
    identity = dead_letter.identity
    return {
        "event_id": identity.event_id,
        "partner": identity.partner,
        "type": identity.type,
        "hop": queue.hop,
        "destination": queue.destination,
        "redrive_count": dead_letter.redrive_count,
        "kind": dead_letter.kind,
    }
