"""The review item: an event that failed for good at one destination and needs a person."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Final, Literal, Self, cast, get_args

from media_events.core.deferred import pattern
from media_events.core.failures import FailureClass
from media_events.core.value_classes import dataclass

Status = Literal["OPEN", "RETRYING", "RESOLVED", "ARCHIVED", "SUPERSEDED"]
"""``SUPERSEDED``: another event took its place (``superseded_by``): an operator's edited event, or the event of a
message that was not known when the item was opened."""
STATUSES: Final = cast("tuple[Status, ...]", get_args(Status))
DECIDED: Final[frozenset[Status]] = frozenset({"ARCHIVED", "SUPERSEDED"})
"""The status stays even if the event fails again: a person has decided, or another item is about it."""
WAITING: Final[frozenset[Status]] = frozenset({"OPEN", "RETRYING"})
"""Waiting for a person, or for the outcome of a person's retry."""

CLOSED: Final[frozenset[Status]] = frozenset({"RESOLVED", "ARCHIVED", "SUPERSEDED"})
"""No more work: the item is deleted after the retention time."""

Grouping = Literal["error", "type", "partner", "hop", "destination"]
"""The common property of a group's items. ``error``: they failed in the same way at the same place, so one fix helps
all (:func:`group_id`); else the event's type, partner, hop or destination."""
GROUPINGS: Final = cast("tuple[Grouping, ...]", get_args(Grouping))
ValueGrouping = Literal["type", "partner", "hop", "destination"]
VALUE_GROUPINGS: Final = cast("tuple[ValueGrouping, ...]", get_args(ValueGrouping))
"""The groupings by an item's attribute of the same name."""
_VALUE_BYTES: Final = 512
"""A longer value would not fit an index's key."""

MAX_ATTEMPTS_KEPT: Final = 50
"""The first one and the latest ones: an item must fit DynamoDB's 400 KB."""
INLINE_BODY_BYTES: Final = 32 * 1024

_OF_THE_FAILURE: Final = (
    "failure_class",
    "error_code",
    "error_message",
    "attempts",
    "redrive_count",
    "first_failed_at",
    "last_failed_at",
    "group_id",
    "kind",
    "response",
    "http_status",
    "stack_top",
)
"""The attributes of an item about its latest failure rather than its event."""

_LINE: Final = pattern(r":[0-9]{1,9}")
_ITEM_ID_CHARACTERS: Final = 20
_SIGNATURE_CHARACTERS: Final = 1024
# The parts that differ between two failures of one kind. Every alternative is a single run of a bounded class or has a
# fixed length, so matching takes linear time on any text.
_VARIABLE: Final = pattern(
    r"(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<arn>\barn:[a-z0-9-]{1,16}:[^\s,;\"')\]}]{1,512})"
    r"|(?P<query>\?[^\s\"'<>]{1,512})"
    r"|(?P<time>\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{5,32}(?:Z|[+-][0-9:]{4,6})?)"
    r"|(?P<hex>\b(?:0x[0-9a-f]{1,64}|(?=[0-9a-f]{0,63}[0-9])[0-9a-f]{8,64})\b)"
    r"|(?P<number>[0-9]{1,64})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failure of the event at this destination.

    ``message_id`` is the dead letter's. Where known, ``request_id`` is Lambda's of the attempt, and ``receives`` how
    often the hop had received the event by then.
    """

    time: str
    failure_class: FailureClass
    code: str
    message: str
    redrivecount: int
    message_id: str
    request_id: str | None = None
    receives: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The form in the table."""
        values = {
            "time": self.time,
            "class": self.failure_class,
            "code": self.code,
            "message": self.message,
            "redrivecount": self.redrivecount,
            "message_id": self.message_id,
            "request_id": self.request_id,
            "receives": self.receives,
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        return cls(
            time=str(values.get("time", "")),
            failure_class=cast("FailureClass", values.get("class", "transient")),
            code=str(values.get("code", "")),
            message=str(values.get("message", "")),
            redrivecount=int(values.get("redrivecount", 0)),
            message_id=str(values.get("message_id", "")),
            request_id=None if values.get("request_id") is None else str(values["request_id"]),
            receives=None if values.get("receives") is None else int(values["receives"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTo:
    """The place that a retry sends the body to.

    ``kind`` is ``queue``, ``bus`` (for ``route`` alone, or for every rule), ``function`` (which gets the body),
    ``record`` (a function that gets ``{"record": …}``), or ``none``.
    """

    kind: Literal["queue", "bus", "function", "record", "none"] = "none"
    queue_url: str | None = None
    bus_arn: str | None = None
    route: str | None = None
    function_arn: str | None = None
    group_id: str | None = None

    def to_dict(self) -> dict[str, str]:
        """The form in the table."""
        pairs = ((n, getattr(self, n)) for n in ("kind", "queue_url", "bus_arn", "route", "function_arn", "group_id"))
        return {name: value for name, value in pairs if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote."""
        names = ("kind", "queue_url", "bus_arn", "route", "function_arn", "group_id")
        return cls(**{name: values[name] for name in names if isinstance(values.get(name), str)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One event that failed at one destination. Times are RFC 3339 text in UTC; ``version`` is the optimistic lock.

    The body is inline up to :data:`INLINE_BODY_BYTES`, else at ``bodyref``; the message attributes likewise, else as
    JSON at ``attributesref``. ``retained_bodies`` maps the URI of the event's claim check, which expires, to the
    item's own copy (both ``s3://``).

    ``closed_at`` is the time at which the item was closed; the table sets it. ``edit_of`` is the id of the original, if
    this is an operator's edited event. ``pending_edit`` is the id of an edited event that may not have been sent yet;
    once it was sent it is ``superseded_by``. ``change`` is the latest change by a person: ``action``, ``by``, ``at``.
    """

    item_id: str
    event_id: str
    source: str
    hop: str
    destination: str
    status: Status
    failure_class: FailureClass
    error_code: str
    error_message: str
    attempts: tuple[Attempt, ...]
    redrive_count: int
    first_failed_at: str
    last_failed_at: str
    group_id: str
    kind: str
    body_sha256: str
    body_size: int
    return_to: ReturnTo
    body: str | None = None
    bodyref: str | None = None
    correlation_id: str | None = None
    type: str | None = None
    partner: str | None = None
    partition_key: str | None = None
    response: str | None = None
    http_status: int | None = None
    stack_top: str | None = None
    message_attributes: Mapping[str, Any] = field(default_factory=dict)
    attributesref: str | None = None
    retained_bodies: Mapping[str, str] = field(default_factory=dict)
    retried_at: str | None = None
    resolved_at: str | None = None
    closed_at: str | None = None
    edit_of: str | None = None
    pending_edit: str | None = None
    superseded_by: str | None = None
    change: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def is_by_function(self) -> bool:
        """Whether one of our functions handled it: behind a queue, or invoked by the rule.

        The dead letter of a rule that invokes the function is the function's own.
        """
        return self.return_to.kind == "queue" or self.kind in ("consumer", "function")

    @property
    def on_its_way_since(self) -> str | None:
        """When an open item was retried, if the retry has neither failed nor been confirmed since."""
        travels = self.status == "OPEN" and self.pending_edit is None and (self.retried_at or "") > self.last_failed_at
        return self.retried_at if travels else None

    @property
    def group_ids(self) -> dict[Grouping, str]:
        """The item's groups: one of each grouping for which it has a value."""
        groups: dict[Grouping, str] = {"error": self.group_id}
        for grouping in VALUE_GROUPINGS:
            value: str | None = getattr(self, grouping)
            if value:
                groups[grouping] = group_of(grouping, value)
        return groups

    def to_dict(self) -> dict[str, Any]:
        """The form in the table."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values["attempts"] = [attempt.to_dict() for attempt in self.attempts]
        values["return_to"] = self.return_to.to_dict()
        values["message_attributes"] = dict(self.message_attributes)
        values["change"] = dict(self.change)
        values["retained_bodies"] = dict(self.retained_bodies)
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote; unknown attributes are ignored."""
        attributes: dict[str, Any] = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        attributes["attempts"] = tuple(Attempt.from_dict(attempt) for attempt in attributes.get("attempts", ()))
        attributes["return_to"] = ReturnTo.from_dict(attributes.get("return_to", {}))
        return cls(**attributes)

    def confirmed(self, at: str) -> ReviewItem:
        """This item once the idempotency store has the effect of its retry, or of the edited event in its place."""
        if self.pending_edit is None:
            return replace(self, status="RESOLVED", resolved_at=at, version=self.version + 1)
        superseded = replace(self, status="SUPERSEDED", superseded_by=self.pending_edit, pending_edit=None)
        return replace(superseded, resolved_at=at, version=self.version + 1)

    def failed_again(self, later: ReviewItem, *, reopen: bool = False) -> ReviewItem | None:
        """This item with the failure of ``later``; ``None`` if it has that failure already.

        A retrying or resolved item is open again. An archived or superseded item keeps its status, which a person
        decided, unless it is to ``reopen``; so does an item with an unfinished edit, so that the edit can be finished.
        """
        seen = {attempt.message_id for attempt in self.attempts}
        new = tuple(attempt for attempt in later.attempts if attempt.message_id not in seen)
        if not new:
            return None
        attempts = (*self.attempts, *new)
        if len(attempts) > MAX_ATTEMPTS_KEPT:
            attempts = (attempts[0], *attempts[-(MAX_ATTEMPTS_KEPT - 1) :])
        keeps_status = self.pending_edit is not None or (self.status in DECIDED and not reopen)
        return replace(
            later,
            status=self.status if keeps_status else "OPEN",
            attempts=attempts,
            redrive_count=max(self.redrive_count, later.redrive_count),
            first_failed_at=min(self.first_failed_at, later.first_failed_at),
            last_failed_at=max(self.last_failed_at, later.last_failed_at),
            retried_at=self.retried_at,
            resolved_at=None,
            edit_of=later.edit_of or self.edit_of,
            pending_edit=self.pending_edit,
            superseded_by=self.superseded_by,
            change=self.change,
            version=self.version + 1,
        )

    def with_history_of(self, nameless: ReviewItem) -> ReviewItem:
        """This item with the failures of ``nameless``, the item of its message from before its event was known."""
        own = {attempt.message_id for attempt in self.attempts}
        earlier = tuple(attempt for attempt in nameless.attempts if attempt.message_id not in own)
        return replace(
            self,
            attempts=(*earlier, *self.attempts)[-MAX_ATTEMPTS_KEPT:],
            first_failed_at=min(self.first_failed_at, nameless.first_failed_at),
            retried_at=nameless.retried_at,
        )

    def superseded(self, event_id: str) -> ReviewItem:
        """This item of a message, closed in favour of the item of its event."""
        return replace(self, status="SUPERSEDED", superseded_by=event_id, version=self.version + 1)

    def with_failure_of(self, later: ReviewItem) -> ReviewItem:
        """``later``'s failure recorded on this item, whose event id is known."""
        return replace(self, **{name: getattr(later, name) for name in _OF_THE_FAILURE})


IndexName = Literal["by-status", "by-group", "by-event", "by-type", "by-partner", "by-hop", "by-destination"]
INDEX_OF: Final[Mapping[Grouping, IndexName]] = {
    "error": "by-group",
    "type": "by-type",
    "partner": "by-partner",
    "hop": "by-hop",
    "destination": "by-destination",
}
"""The index that has the items of a group, by the group's grouping."""
Position = tuple[str, str]
"""A place in a list: the value of its sort key, and the item's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The items that one index has under ``value``, and their order.

    ``by-status`` has them under their status and ``by-group`` under :func:`group_status`, both sorted by
    ``last_failed_at``; so have the indexes of :data:`VALUE_GROUPINGS`, under the status of the item's group there.
    ``by-event`` has them under the event's id, sorted by ``first_failed_at``. ``since`` and ``until`` (both included)
    bound the sort key; ``where`` requires further attributes to have these values, ``parts`` others to contain these.
    ``answers`` reads the receivers' answers as well.
    """

    index: IndexName
    value: str
    since: str | None = None
    until: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    oldest_first: bool = False
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a selection's items, without body, response and message attributes.

    ``after`` is the start of the next page, ``None`` at the end.
    """

    items: tuple[ReviewItem, ...]
    after: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items with a common property (:data:`Grouping`), counted by status; the texts are the latest item's.

    ``opened`` counts all openings of items in the group.
    """

    group_id: str
    hop: str
    destination: str
    failure_class: str
    error_code: str
    error_message: str
    counts: Mapping[Status, int]
    opened: int
    first_opened_at: str
    last_opened_at: str

    @property
    def grouping(self) -> Grouping:
        """The property that its items have in common."""
        return grouping_of(self.group_id)

    @property
    def value(self) -> str:
        """The common value, such as the partner's name; empty for an error group."""
        return "" if self.grouping == "error" else self.group_id.partition(":")[2]

    @property
    def waiting(self) -> int:
        """The number of open and retrying items."""
        return sum(count for status, count in self.counts.items() if status in WAITING)


def group_status(group_id: str, status: Status) -> str:
    """The index key of a group's items with one status."""
    return f"{group_id}/{status}"


def group_of(grouping: ValueGrouping, value: str) -> str:
    """The id of a value's group: ``partner:mux``; a digest takes the place of a value that is too long."""
    octets = value.encode(errors="replace")
    return f"{grouping}:{octets.decode() if len(octets) <= _VALUE_BYTES else hashlib.sha256(octets).hexdigest()}"


def grouping_of(group_id: str) -> Grouping:
    """The grouping of a group's id."""
    name = group_id.partition(":")[0]
    return next((grouping for grouping in VALUE_GROUPINGS if grouping == name), "error")


def item_id(source: str, event_id: str, destination: str) -> str:
    """The id of an event's item at a destination. With the lengths in front, no two triples share an id."""
    key = f"{len(source)}:{source}|{len(event_id)}:{event_id}|{destination}"
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:_ITEM_ID_CHARACTERS]


def signature(message: str) -> str:
    """``message`` without its variable parts: ids, numbers, times, ARNs, query strings."""
    return _VARIABLE.sub(lambda match: f"<{match.lastgroup}>", message[:_SIGNATURE_CHARACTERS])


def group_id(  # noqa: PLR0913  # the parts of a failure
    failure_class: str, code: str, message: str, *, hop: str, destination: str, stack_top: str | None = None
) -> str:
    """The failure group: same hop, destination, class, code, message pattern and stack frame.

    The frame counts without its line number, which may change with the next deployment.
    """
    parts: tuple[str, ...] = (hop, destination, failure_class, code, signature(message))
    if stack_top is not None:
        parts = (*parts, _LINE.sub("", stack_top))
    key = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:_ITEM_ID_CHARACTERS]
