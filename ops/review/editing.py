"""Edit and retry: an event that can't be taken as it is, sent once more with other words.

The edited event is a new one, with an id of its own that links to the original (``editof``, ``causationid``). The
original stays as it was. It is off by default: the deployment says which types may be edited. Whatever says which event
this is, whose and in which order is locked.

The edited event is kept before the item is claimed, and the item says which edit is on its way before anything is sent.
So a crash loses nothing: ``finish`` sends the very same event, and where it had been sent after all, the ledger keeps
its effect from happening twice.
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
from media_events.recovery.redrive_messages import for_route
from media_events.recovery.review_item import ReviewItem, item_id
from ops.review.audit_log import KeptEdit
from ops.review.audited_service import AuditedReviewService
from ops.review.editable_types import schema_problems
from ops.review.service import POLL_SECONDS, confirmable, event_of, state_of

SENSITIVE: Final = ("type", "subject", "dataschema", "datacontenttype")
"""May be changed, but whoever does so should know that the receiver may go by it."""

MAX_BYTES: Final = 240_000
"""An edited event may be as large as one on the bus."""

MAX_CHAIN: Final = 20
_ATTRIBUTES: Final = tuple(Metadata.__dataclass_fields__)

Result = Literal["delivered", "sent", "failed", "unconfirmed", "unknown"]
"""``delivered``: confirmed by the ledger. ``sent``: on its way, and nothing will confirm it. ``failed``: not sent, or
failed. ``unconfirmed``: sent, not confirmed in time. ``unknown``: sent or not, which ``finish`` puts right."""


class EditRefusedError(Exception):
    """This edit can't be made; ``problems`` says why, in an operator's words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Draft:
    """What an operator starts from: ``text`` is the event as it was, ``{"metadata", "data"}``, to be edited."""

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
    """What came of an edit. ``new_item`` is the item of the edited event where that failed as well."""

    event_id: str
    result: Result
    reason: str
    new_item: str | None = None


def draft(review: AuditedReviewService, item_id: str, *, seen: int | None = None) -> Draft:
    """What to edit. It only reads. ``seen`` is the version that the operator looked at.

    Raises:
        EditRefusedError: this item can't be edited, or not now.
        HopError: the table or the body can't be read.
    """
    item = review.service.table.get(item_id)
    if item is None:
        raise EditRefusedError(["there is no such item"])
    if item.pending_edit is not None:
        raise EditRefusedError([f"{state_of(item)}: finish that first (review edit {item_id} --finish)"])
    if item.status != "OPEN":
        raise EditRefusedError([f"{state_of(item)}; only OPEN items can be edited"])
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
        raise EditRefusedError(["its body is no event of ours but a partner's own message, which is theirs to correct"])
    try:
        event = event_of(review.service.body(item))
    except PermanentDataError:
        raise EditRefusedError(["its body is no event in the envelope"]) from None
    if event.metadata.dataref is not None:
        raise EditRefusedError([f"its data is too large for the bus and lies in {event.metadata.dataref}"])
    return Event(replace(event.metadata, redrive=None), event.data)


def _allowed(review: AuditedReviewService, event_type: str) -> Mapping[str, Any] | None:
    types = review.records.editable_types()
    if event_type not in types:
        allowed = f"only {', '.join(sorted(types))} may" if types else "none may"
        why = (
            f"events of type {event_type!r} may not be edited here: {allowed} (editable_types of the module dlq-review)"
        )
        raise EditRefusedError([why])
    return types[event_type]


def check(review: AuditedReviewService, draft: Draft, text: str) -> Edited:
    """What ``text`` would change, checked whole: nothing is recorded or sent.

    Raises:
        EditRefusedError: naming every mistake.
        HopError: the settings can't be read.
    """
    before = draft.event.metadata.to_dict()
    document = _parsed(text)
    given = document["metadata"]
    problems = [f"metadata.{name} is no attribute of the envelope" for name in given if name not in _ATTRIBUTES]
    problems += [
        f"metadata.{name} is locked: it must stay {before.get(name)!r}"
        for name in _ATTRIBUTES
        if name not in SENSITIVE and given.get(name) != before.get(name)
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
        if given.get(name) != before.get(name)
    ]
    diff = difflib.unified_diff(draft.text.splitlines(), _pretty(event).splitlines(), "original", "edited", lineterm="")
    return Edited(draft, new, tuple(diff), changed, tuple(warnings))


def _sendable(event: Event) -> None:
    try:
        size = len(event.to_json().encode())
    except ValueError:
        raise EditRefusedError(["it holds half of a surrogate pair, which can't be written in UTF-8"]) from None
    if size > MAX_BYTES:
        raise EditRefusedError([f"it is larger than {MAX_BYTES} bytes, which is what the bus takes"])


def send(review: AuditedReviewService, edited: Edited, *, reason: str, wait_seconds: float = 0.0) -> EditOutcome:
    """Send the edited event in the original's place.

    Raises:
        EditRefusedError: the item has changed since the draft; it says who was first.
        HopError: it could not be recorded, kept or claimed; nothing was sent.
    """
    item, event_id = edited.draft.item, edited.event.metadata.id
    change = review.service.change_record("edit")
    review.record(item.item_id, "edit asked for", result=_account(edited), reason=reason)
    kept = KeptEdit(
        event_id=event_id,
        item_id=item.item_id,
        version=item.version,
        by=change["by"],
        at=change["at"],
        reason=reason,
        detail=edited.event.to_json(),
    )
    try:
        review.records.keep_edit(kept)
    except PermanentConfigError as error:
        review.record(item.item_id, "edit", result=f"not permitted: {error.code}", reason=reason, allowed=False)
        raise
    claimed = replace(
        item,
        status="RETRYING",
        pending_edit=event_id,
        replayed_at=change["at"],
        change=change,
        version=item.version + 1,
    )
    if not review.service.table.update(claimed, over=item):
        _refuse(review, item.item_id, "edit", review.service.conflict_message(item.item_id), reason)
    try:
        _send(review, claimed, kept)
    except (PermanentConfigError, PermanentDataError) as error:
        # The hop has refused it for good, so nothing was sent.
        why = f"it could not be sent: {error.code}: {error.message}"
        review.service.table.update(
            replace(claimed, status="OPEN", pending_edit=None, version=claimed.version + 1), over=claimed
        )
        return _recorded(review, claimed, EditOutcome(event_id, "failed", why), reason)
    except ProcessingError as error:
        return _recorded(review, claimed, _unknown(claimed, event_id, error), reason)
    return _close(review, claimed, kept, reason=reason, wait_seconds=wait_seconds)


def finish(review: AuditedReviewService, item_id: str, *, reason: str, wait_seconds: float = 0.0) -> EditOutcome:
    """Send an edit whose command was killed or could not tell, the very same event, and close the original.

    Raises:
        EditRefusedError: there is no edit to finish.
        HopError: it could not be read or recorded; nothing was sent.
    """
    item = review.service.table.get(item_id)
    if item is None:
        _refuse(review, item_id, "finish edit", "there is no such item", reason)
    kept = None if item.pending_edit is None else review.records.edit(item.pending_edit)
    if kept is None:
        _refuse(review, item_id, "finish edit", f"there is no edit to finish: {state_of(item)}", reason)
    review.record(item_id, "finish edit asked for", result=f"event {kept.event_id} by {kept.by}", reason=reason)
    try:
        if not review.service.is_done(item):
            _send(review, item, kept)
    except ProcessingError as error:
        # It may have been sent before, whatever refuses it now.
        return _recorded(review, item, _unknown(item, kept.event_id, error), reason)
    return _close(review, item, kept, reason=reason, wait_seconds=wait_seconds)


def abandon(review: AuditedReviewService, item_id: str, *, reason: str) -> None:
    """Open an item again whose edit can't be finished: the operator knows that the edited event was not sent.

    Raises:
        EditRefusedError: there is no edit to abandon, or its event was delivered.
        HopError: it could not be read or recorded.
    """
    action = "abandon edit"
    item = review.service.table.get(item_id)
    if item is None:
        _refuse(review, item_id, action, "there is no such item", reason)
    if item.pending_edit is None:
        _refuse(review, item_id, action, f"there is no edit to abandon: {state_of(item)}", reason)
    if review.service.is_done(item):
        review.service.supersede(item)
        _refuse(review, item_id, action, f"event {item.pending_edit} was delivered; the item is SUPERSEDED now", reason)
    change = review.service.change_record(action)
    review.record(item_id, f"{action} asked for", result=f"event {item.pending_edit}", reason=reason)
    opened = replace(item, status="OPEN", pending_edit=None, change=change, version=item.version + 1)
    if not review.service.table.update(opened, over=item):
        _refuse(review, item_id, action, review.service.conflict_message(item_id), reason)
    review.record(item_id, action, result="it is OPEN again", reason=reason)


def _refuse(review: AuditedReviewService, item_id: str, action: str, why: str, reason: str) -> NoReturn:
    review.record(item_id, action, result=why, reason=reason, allowed=False)
    raise EditRefusedError([why])


def _close(
    review: AuditedReviewService, item: ReviewItem, kept: KeptEdit, *, reason: str, wait_seconds: float
) -> EditOutcome:
    """The edited event is on its way: say so in the original, and wait for what comes of it."""
    try:
        if review.service.supersede(item) is None:
            current = review.service.table.get_summary(item.item_id)
            if current is not None and current.pending_edit == kept.event_id:
                # The original has failed once more meanwhile, which changes nothing about its edit.
                review.service.supersede(current)
    except ProcessingError as error:
        return _recorded(review, item, _unknown(item, kept.event_id, error), reason)
    outcome = _confirmed(review, item, kept.event_id, until=review.clock() + wait_seconds)
    return _recorded(review, item, outcome, reason)


def _unknown(item: ReviewItem, event_id: str, error: ProcessingError) -> EditOutcome:
    hint = f"finish it with `review edit {item.item_id} --finish`: the same event is sent, and delivered once"
    return EditOutcome(event_id, "unknown", f"{error.code}: {error.message}; {hint}")


def _recorded(review: AuditedReviewService, item: ReviewItem, outcome: EditOutcome, reason: str) -> EditOutcome:
    result = f"{outcome.result}: event {outcome.event_id}: {outcome.reason}"
    review.record(item.item_id, "edit", result=result, reason=reason)
    return outcome


def _send(review: AuditedReviewService, item: ReviewItem, kept: KeptEdit) -> None:
    event, to = Event.from_detail(json.loads(kept.detail)), item.return_to
    if to.kind == "bus":
        (failure,) = review.service.bus(to.bus_arn or "").publish([for_route(event, to.route, 1)])
        if failure is not None:
            raise failure
        return
    own = (REDRIVE_COUNT_ATTRIBUTE, FIRST_FAILED_ATTRIBUTE, ORDERING_ATTRIBUTE)
    attributes = {name: value for name, value in review.service.attributes(item).items() if name not in own}
    # Where the route keeps an order, the event takes the place of the one that it was made of (`Lane.exchange`).
    review.service.queues.send(
        to.queue_url or "",
        _message(review.service.body(item), event),
        attributes,
        group_id=to.group_id,
        deduplication_id=event.metadata.id,
    )


def _message(original: str, event: Event) -> str:
    """The original message with the edited event in it: as a rule sends it, or a bare ``Detail``."""
    document = json.loads(original)
    if "detail" not in document:
        return event.to_json()
    if "detail-type" in document:
        document["detail-type"] = event.metadata.type
    return json.dumps({**document, "detail": event.to_detail()}, separators=(",", ":"), ensure_ascii=False)


def _confirmed(review: AuditedReviewService, item: ReviewItem, event_id: str, *, until: float) -> EditOutcome:
    if not confirmable(item):
        return EditOutcome(event_id, "sent", f"sent to {item.hop}; a new item will tell should it fail")
    new = item_id(item.source, event_id, item.destination)
    while True:
        try:
            if review.service.effects.done(destination_key(item.source, event_id, item.destination)):
                return EditOutcome(event_id, "delivered", f"delivered to {item.destination}")
            failed = review.service.table.get_summary(new)
        except ProcessingError:
            # What can't be read now can be read at the next look; it has been sent.
            failed = None
        if failed is not None and failed.status == "OPEN":
            why = f"it failed too: {failed.error_code}: {failed.error_message}"
            return EditOutcome(event_id, "failed", why, new_item=new)
        if review.clock() >= until:
            return EditOutcome(
                event_id, "unconfirmed", "sent, and not confirmed yet; a new item will tell should it fail"
            )
        review.sleep(POLL_SECONDS)


def ancestry(review: AuditedReviewService, item: ReviewItem) -> list[tuple[str, ReviewItem | None]]:
    """The events that ``item`` is an edit of, the latest first, each with its item at the same destination."""
    found: list[tuple[str, ReviewItem | None]] = []
    current: ReviewItem | None = item
    while current is not None and current.edit_of is not None and len(found) < MAX_CHAIN:
        parent = review.service.table.get_summary(item_id(current.source, current.edit_of, current.destination))
        found.append((current.edit_of, parent))
        current = parent
    return found


# --- the edited text ---------------------------------------------------------------------------------------------


def _pretty(event: Event) -> str:
    return json.dumps(event.to_detail(), indent=2, ensure_ascii=False) + "\n"


def _parsed(text: str) -> dict[str, Any]:
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise EditRefusedError([f"it is larger than {MAX_BYTES} bytes, which is what the bus takes"])
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
        text.encode()
    except EditRefusedError:
        raise
    except (ValueError, RecursionError) as error:
        raise EditRefusedError([f"it is no JSON: {error}"]) from None
    if not isinstance(document, dict) or set(document) != {"metadata", "data"}:
        raise EditRefusedError(['it must be an object with "metadata" and "data", and nothing else'])
    if not isinstance(document["metadata"], dict):
        raise EditRefusedError(["metadata must be an object"])
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = sorted({name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1})
        raise EditRefusedError([f"{', '.join(twice)} is there twice in one object"])
    return found


def _no_number(text: str) -> NoReturn:
    raise EditRefusedError([f"{text} is no number that JSON has"])


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


def _account(edited: Edited) -> str:
    """What the audit keeps of an edit: the new event, what is changed, and both digests; not what is in it."""
    texts = (edited.draft.event.to_json(), edited.event.to_json())
    before, after = (hashlib.sha256(text.encode(errors="replace")).hexdigest() for text in texts)
    more = f" and {len(edited.changed) - 20} more" if len(edited.changed) > 20 else ""  # noqa: PLR2004  # enough to tell
    paths = ", ".join(edited.changed[:20])[:1000]
    return f"event {edited.event.metadata.id}, changed {paths}{more}; SHA-256 {before} before, {after} after"
