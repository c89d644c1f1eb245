"""Edits: a refused event is corrected and sent in place of the original.

The edited event has an id of its own and links to the original (``editof``, ``causationid``), which is not changed.
Editing is off by default: the deployment names the types that may be edited. The attributes for identity, origin and
order are locked.

The edited event is stored before the item is claimed, and the item names its pending edit before anything is sent. So
a crash loses nothing: ``finish`` sends the same event again, and the idempotency store prevents a second effect.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NoReturn

from media_events.core.envelope import EnvelopeError, Event, Metadata
from media_events.core.failures import (
    REDRIVE_COUNT_ATTRIBUTE,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
)
from media_events.delivery.deliverer import destination_key
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.recovery.redrive_messages import RedriveMessage, send_to_hop
from media_events.recovery.review_item import ReviewItem, item_id
from media_events_kit.ops.review.abandoned_edits import ABANDON, is_being_abandoned, item_of_edit, original_in_its_place
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review.editable_types import schema_problems
from media_events_kit.ops.review.places import NoPlaceError, event_of
from media_events_kit.ops.review.service import POLL_SECONDS, confirmable, state_of
from media_events_kit.ops.review.store import StoredEdit
from media_events_kit.ops.review.withdrawal import reinstate, withdraw, withdraw_edited

SENSITIVE: Final = ("type", "subject", "dataschema", "datacontenttype")
"""Attributes that may be changed, with a warning, since the receiver may depend on them."""

MAX_BYTES: Final = 240_000
"""The limit of an event on the bus."""

MAX_CHAIN: Final = 20
_ATTRIBUTES: Final = tuple(Metadata.__dataclass_fields__)

Result = Literal["delivered", "sent", "failed", "unconfirmed", "unknown"]
"""``delivered``: confirmed by the idempotency store. ``sent``: nothing will confirm it. ``failed``: not sent, or
failed. ``unconfirmed``: sent, not confirmed in time. ``unknown``: perhaps sent; ``finish`` sends it again."""


class EditRefusedError(Exception):
    """The edit can't be made; ``problems`` are sentences for the operator."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Draft:
    """The start of an edit: ``text`` is the event, ``{"metadata", "data"}``, as JSON."""

    item: ReviewItem
    event: Event
    text: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A checked edit, not sent yet. ``changed`` are the paths that differ, ``diff`` the lines of a unified diff."""

    draft: Draft
    event: Event
    diff: tuple[str, ...]
    changed: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """The outcome of an edit. ``new_item`` is the item of the edited event if that failed too."""

    event_id: str
    result: Result
    reason: str
    new_item: str | None = None


def draft(review: AuditedReviewService, item_id: str, *, seen: int | None = None) -> Draft:
    """The event to edit. It only reads. ``seen`` is the version that the operator looked at.

    Raises:
        EditRefusedError: this item can't be edited, or not now.
        ProcessingError: the table or the body can't be read.
    """
    item = review.service.table.get(item_id)
    if item is None:
        raise EditRefusedError(["there is no such item"])
    if item.pending_edit is not None:
        raise EditRefusedError([f"{state_of(item)}: finish that first (review edit {item_id} --finish)"])
    if item.status != "OPEN":
        raise EditRefusedError([f"{state_of(item)}; only OPEN items can be edited"])
    if (against := original_in_its_place(review.service, item)) is not None:
        raise EditRefusedError([against])
    if seen not in (None, item.version):
        raise EditRefusedError([f"it has changed since you looked at it (version {seen}): {state_of(item)}"])
    event = _original(review, item)
    _allowed(review, event.metadata.type)
    if review.service.is_done(item):
        review.service.resolve(item)
        raise EditRefusedError(["it had been delivered already; it is RESOLVED now"])
    return Draft(item, event, _pretty(event))


def _original(review: AuditedReviewService, item: ReviewItem) -> Event:
    if item.return_to.kind not in ("queue", "bus") or (
        item.hop.startswith("ingress/") and item.return_to.kind != "bus"
    ):
        raise EditRefusedError(["its body is a partner's own message, not an event: the partner must correct it"])
    try:
        review.service.placed(item)
    except NoPlaceError as error:
        raise EditRefusedError([error.message]) from None
    try:
        event = event_of(review.service.body(item))
    except PermanentDataError:
        raise EditRefusedError(["its body is no event in the envelope"]) from None
    if event.metadata.dataref is not None:
        raise EditRefusedError([f"its data is too large for the bus: it is stored at {event.metadata.dataref}"])
    return Event(replace(event.metadata, redrive=None), event.data)


def _allowed(review: AuditedReviewService, event_type: str) -> Mapping[str, Any] | None:
    types = review.records.editable_types()
    if event_type not in types:
        allowed = f"only {', '.join(sorted(types))} may" if types else "none may"
        rule = f"{allowed} (editable_types of the module dlq-review)"
        raise EditRefusedError([f"events of type {event_type!r} may not be edited here: {rule}"])
    return types[event_type]


def check(review: AuditedReviewService, draft: Draft, text: str) -> Edited:
    """Check ``text`` as an edit of ``draft``; nothing is recorded or sent.

    Raises:
        EditRefusedError: it names every mistake.
        ProcessingError: the settings can't be read.
    """
    before = draft.event.metadata.to_dict()
    document = _parsed(text)
    after = document["metadata"]
    problems = [f"metadata.{name} is no attribute of the envelope" for name in after if name not in _ATTRIBUTES]
    problems += [
        f"metadata.{name} is locked: it must stay {before.get(name)!r}"
        for name in _ATTRIBUTES
        if name not in SENSITIVE and after.get(name) != before.get(name)
    ]
    if problems:
        raise EditRefusedError(problems)
    try:
        event = Event.from_detail(document)
    except EnvelopeError as error:
        raise EditRefusedError(error.problems) from None
    schema = _allowed(review, event.metadata.type)
    problems = [] if schema is None else schema_problems(schema, event.data)
    if problems:
        raise EditRefusedError(problems)
    changed = tuple(_differences(draft.event.to_detail(), event.to_detail(), ""))
    if not changed:
        raise EditRefusedError(["nothing is changed: `review retry` sends the event as it is"])
    metadata = replace(
        event.metadata,
        id=f"edit-{uuid.uuid4().hex}",
        causationid=draft.event.metadata.id,
        editof=draft.event.metadata.id,
    )
    new = Event(metadata, event.data)
    _sendable(new)
    warnings = [
        f"metadata.{name} is changed: the receiver may go by it"
        for name in SENSITIVE
        if after.get(name) != before.get(name)
    ]
    diff = difflib.unified_diff(draft.text.splitlines(), _pretty(event).splitlines(), "original", "edited", lineterm="")
    return Edited(draft, new, tuple(diff), changed, tuple(warnings))


def _sendable(event: Event) -> None:
    try:
        size = len(event.to_json().encode())
    except ValueError:
        raise EditRefusedError(["it holds half of a surrogate pair, which UTF-8 can't encode"]) from None
    if size > MAX_BYTES:
        raise EditRefusedError([f"it is larger than {MAX_BYTES} bytes, the limit of the bus"])


def send(review: AuditedReviewService, edited: Edited, *, reason: str, wait_seconds: float = 0.0) -> EditOutcome:
    """Send the edited event in the original's place.

    Raises:
        EditRefusedError: the item has changed since the draft.
        ProcessingError: it could not be recorded, stored or claimed; nothing was sent.
    """
    item, event_id = edited.draft.item, edited.event.metadata.id
    change = review.service.change_record("edit")
    review.record(item.item_id, "edit asked for", result=_audit_text(edited), reason=reason)
    stored = StoredEdit(
        event_id=event_id,
        item_id=item.item_id,
        version=item.version,
        by=change["by"],
        at=change["at"],
        reason=reason,
        detail=edited.event.to_json(),
    )
    try:
        review.records.store_edit(stored)
    except PermanentConfigError as error:
        review.record(item.item_id, "edit", result=f"not permitted: {error.code}", reason=reason, allowed=False)
        raise
    claimed = replace(
        item,
        status="RETRYING",
        pending_edit=event_id,
        retried_at=change["at"],
        change=change,
        version=item.version + 1,
    )
    if not review.service.table.update(claimed, over=item):
        _refuse(review, item.item_id, "edit", review.service.conflict_message(item.item_id), reason)
    try:
        refusal = withdraw(review.service, claimed, "edited")
    except ProcessingError as error:
        return _not_sent(review, claimed, item, stored, error, reason=reason)
    if refusal is not None:
        _open_again(review, claimed, item)
        _refuse(review, item.item_id, "edit", refusal, reason)
    try:
        _send(review, claimed, stored)
    except (PermanentConfigError, PermanentDataError) as error:
        return _not_sent(review, claimed, item, stored, error, reason=reason)
    except ProcessingError as error:
        return _recorded(review, claimed, _unknown(claimed, event_id, error), reason)
    return _close(review, claimed, stored, reason=reason, wait_seconds=wait_seconds)


def _not_sent(  # noqa: PLR0913
    review: AuditedReviewService,
    claimed: ReviewItem,
    before: ReviewItem,
    stored: StoredEdit,
    error: ProcessingError,
    *,
    reason: str,
) -> EditOutcome:
    """Open the item again, whose edited event was certainly not sent."""
    _open_again(review, claimed, before)
    why = f"it could not be sent: {error.code}: {error.message}"
    return _recorded(review, claimed, EditOutcome(stored.event_id, "failed", why), reason)


def _open_again(review: AuditedReviewService, claimed: ReviewItem, before: ReviewItem) -> None:
    opened = replace(
        claimed, status="OPEN", pending_edit=None, retried_at=before.retried_at, version=claimed.version + 1
    )
    try:
        if review.service.table.update(opened, over=claimed):
            reinstate(review.service, opened)
    except ProcessingError:
        # A retry reinstates it, too; a pending edit can be finished or abandoned.
        return


def finish(review: AuditedReviewService, item_id: str, *, reason: str, wait_seconds: float = 0.0) -> EditOutcome:
    """Send the same event of an unfinished edit again, and close the original.

    Raises:
        EditRefusedError: there is no edit to finish.
        ProcessingError: it could not be read or recorded; nothing was sent.
    """
    item = review.service.table.get(item_id)
    if item is None:
        _refuse(review, item_id, "finish edit", "there is no such item", reason)
    stored = None if item.pending_edit is None else review.records.edit(item.pending_edit)
    if stored is None:
        _refuse(review, item_id, "finish edit", f"there is no edit to finish: {state_of(item)}", reason)
    if is_being_abandoned(item):
        _refuse(review, item_id, "finish edit", "abandoning it was begun: abandon it again, which ends that", reason)
    review.record(item_id, "finish edit asked for", result=f"event {stored.event_id} by {stored.by}", reason=reason)
    try:
        if not review.service.is_done(item):
            refusal = withdraw(review.service, item, "edited")
            if refusal is not None:
                _refuse(review, item_id, "finish edit", refusal, reason)
            _send(review, item, stored)
    except ProcessingError as error:
        # It may have been sent before, although it is refused now.
        return _recorded(review, item, _unknown(item, stored.event_id, error), reason)
    return _close(review, item, stored, reason=reason, wait_seconds=wait_seconds)


def abandon(review: AuditedReviewService, item_id: str, *, reason: str) -> None:
    """Open an item again whose edited event was not sent. If it was sent after all, it is not delivered any more.

    The item says so first: an edited event that found its effect withdrawn is gone, so nobody may take the edit for
    sent any more.

    Raises:
        EditRefusedError: there is no edit to abandon, or its event was delivered or is in review itself.
        ProcessingError: it could not be read or recorded.
    """
    action = ABANDON
    item = review.service.table.get(item_id)
    if item is None:
        _refuse(review, item_id, action, "there is no such item", reason)
    if item.pending_edit is None:
        _refuse(review, item_id, action, f"there is no edit to abandon: {state_of(item)}", reason)
    change = review.service.change_record(action)
    review.record(item_id, f"{action} asked for", result=f"event {item.pending_edit}", reason=reason)
    begun = replace(item, change=change, version=item.version + 1)
    if not review.service.table.update(begun, over=item):
        _refuse(review, item_id, action, review.service.conflict_message(item_id), reason)
    sent = item_of_edit(review.service, begun)
    if sent is not None:
        kept = replace(begun, change=review.service.change_record("keep edit"), version=begun.version + 1)
        review.service.table.update(kept, over=begun)
        why = f"its event was sent, and is in review itself ({sent.item_id})"
        _refuse(review, item_id, action, f"{why}: finish it (review edit {item_id} --finish)", reason)
    refusal = withdraw_edited(review.service, begun)
    if refusal is not None:
        _refuse(review, item_id, action, refusal, reason)
    opened = replace(begun, status="OPEN", pending_edit=None, retried_at=None, version=begun.version + 1)
    if not review.service.table.update(opened, over=begun):
        reinstate(review.service, begun, event_id=item.pending_edit)
        _refuse(review, item_id, action, review.service.conflict_message(item_id), reason)
    reinstate(review.service, opened)
    review.record(item_id, action, result="it is OPEN again", reason=reason)


def _refuse(review: AuditedReviewService, item_id: str, action: str, why: str, reason: str) -> NoReturn:
    review.record(item_id, action, result=why, reason=reason, allowed=False)
    raise EditRefusedError([why])


def _close(
    review: AuditedReviewService, item: ReviewItem, stored: StoredEdit, *, reason: str, wait_seconds: float
) -> EditOutcome:
    """Set the original to superseded, and wait for the outcome of the edited event."""
    try:
        if review.service.supersede(item) is None:
            current = review.service.table.get_summary(item.item_id)
            if current is not None and is_being_abandoned(current):
                why = f"somebody abandons it at this moment: {state_of(current)}"
                return _recorded(review, item, EditOutcome(stored.event_id, "unknown", why), reason)
            if current is not None and current.pending_edit == stored.event_id:
                # Meanwhile the original failed again, which does not concern its edit.
                review.service.supersede(current)
    except ProcessingError as error:
        return _recorded(review, item, _unknown(item, stored.event_id, error), reason)
    outcome = _confirmed(review, item, stored.event_id, until=review.clock() + wait_seconds)
    return _recorded(review, item, outcome, reason)


def _unknown(item: ReviewItem, event_id: str, error: ProcessingError) -> EditOutcome:
    hint = f"finish it with `review edit {item.item_id} --finish`: the same event is sent, and delivered once"
    return EditOutcome(event_id, "unknown", f"{error.code}: {error.message}; {hint}")


def _recorded(review: AuditedReviewService, item: ReviewItem, outcome: EditOutcome, reason: str) -> EditOutcome:
    result = f"{outcome.result}: event {outcome.event_id}: {outcome.reason}"
    review.record(item.item_id, "edit", result=result, reason=reason)
    return outcome


def _send(review: AuditedReviewService, item: ReviewItem, stored: StoredEdit) -> None:
    event, service = Event.from_detail(json.loads(stored.detail)), review.service
    dropped = (REDRIVE_COUNT_ATTRIBUTE, FIRST_FAILED_ATTRIBUTE, ORDERING_ATTRIBUTE)
    to = service.placed(item).return_to
    by_bus = to.kind == "bus"
    message = RedriveMessage(
        to=to,
        body="" if by_bus else _message(service.body(item), event),
        attributes={} if by_bus else {n: v for n, v in service.attributes(item).items() if n not in dropped},
        count=1,
        message_id=item.attempts[-1].message_id,
        # In a key queue the edited event takes the original's place (`KeyQueue.exchange`).
        deduplication_id=event.metadata.id,
        event=event,
    )
    send_to_hop(message, queues=service.queues, functions=service.functions, bus=service.bus)


def _message(original: str, event: Event) -> str:
    """The original message, an EventBridge event or a bare ``Detail``, with the edited event in it."""
    document = json.loads(original)
    if "detail" not in document:
        return event.to_json()
    if "detail-type" in document:
        document["detail-type"] = event.metadata.type
    return json.dumps({**document, "detail": event.to_detail()}, separators=(",", ":"), ensure_ascii=False)


def _confirmed(review: AuditedReviewService, item: ReviewItem, event_id: str, *, until: float) -> EditOutcome:
    if not confirmable(item):
        return EditOutcome(event_id, "sent", f"sent to {item.hop}; if it fails, there will be a new item")
    new = item_id(item.source, event_id, item.destination)
    while True:
        try:
            if review.service.delivery_records.done(destination_key(item.source, event_id, item.destination)):
                return EditOutcome(event_id, "delivered", f"delivered to {item.destination}")
            failed = review.service.table.get_summary(new)
        except ProcessingError:
            # It has been sent; the outcome is read again at the next poll.
            failed = None
        if failed is not None and failed.status == "OPEN":
            why = f"it failed too: {failed.error_code}: {failed.error_message}"
            return EditOutcome(event_id, "failed", why, new_item=new)
        if review.clock() >= until:
            why = "sent, and not confirmed yet; if it fails, there will be a new item"
            return EditOutcome(event_id, "unconfirmed", why)
        review.sleep(POLL_SECONDS)


def ancestry(review: AuditedReviewService, item: ReviewItem) -> list[tuple[str, ReviewItem | None]]:
    """The events that ``item`` is an edit of, the latest first, each with its item at the same destination."""
    originals: list[tuple[str, ReviewItem | None]] = []
    current: ReviewItem | None = item
    while current is not None and current.edit_of is not None and len(originals) < MAX_CHAIN:
        parent = review.service.table.get_summary(item_id(current.source, current.edit_of, current.destination))
        originals.append((current.edit_of, parent))
        current = parent
    return originals


# --- the edited text ---------------------------------------------------------------------------------------------


def _pretty(event: Event) -> str:
    return json.dumps(event.to_detail(), indent=2, ensure_ascii=False) + "\n"


def _parsed(text: str) -> dict[str, Any]:
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise EditRefusedError([f"it is larger than {MAX_BYTES} bytes, the limit of the bus"])
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
        text.encode()
    except EditRefusedError:
        raise
    except (ValueError, RecursionError) as error:
        raise EditRefusedError([f"it is not JSON: {error}"]) from None
    if not isinstance(document, dict) or set(document) != {"metadata", "data"}:
        raise EditRefusedError(['it must be an object with "metadata" and "data", and nothing else'])
    if not isinstance(document["metadata"], dict):
        raise EditRefusedError(["metadata must be an object"])
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
        raise EditRefusedError([f"{', '.join(twice)} is there twice in one object"])
    return unique


def _no_number(text: str) -> NoReturn:
    raise EditRefusedError([f"{text} is no number of JSON"])


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    """The paths at which two documents differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}" if path else name
            if name in before and name in after:
                yield from _differences(before[name], after[name], inner)
            else:
                yield inner
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif type(before) is not type(after) or before != after:
        yield path


def _audit_text(edited: Edited) -> str:
    """The audit's text about an edit: the new event, the changed paths and both digests, but no content."""
    texts = (edited.draft.event.to_json(), edited.event.to_json())
    before, after = (hashlib.sha256(text.encode(errors="replace")).hexdigest() for text in texts)
    more = f" and {len(edited.changed) - 20} more" if len(edited.changed) > 20 else ""  # noqa: PLR2004  # enough to tell
    paths = ", ".join(edited.changed[:20])[:1000]
    return f"event {edited.event.metadata.id}, changed {paths}{more}; SHA-256 {before} before, {after} after"
