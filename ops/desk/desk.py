"""What an operator does with review items, apart from how it is shown.

A replay sends the original body to the hop that failed and only there. The item says ``RETRYING`` before anything is
sent, under a version that only one operator can win, and ``RESOLVED`` when the ledger has the effect. Where nothing
could confirm it (a transform, a rule's own target), sent is taken for resolved; should it fail again, the re-drive
function opens the item once more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, Literal, Protocol

from media_events.arrivals import FIRST_FAILED_ATTRIBUTE
from media_events.bodies import Bodies
from media_events.consuming import timestamp
from media_events.delivery.deliverer import destination_key
from media_events.envelope import Event
from media_events.failures import REDRIVE_COUNT_ATTRIBUTE, HopError, PermanentConfigError, PermanentDataError
from media_events.redriver import Events, Functions, Queues, for_route
from media_events.redriving import MAX_ATTRIBUTES, record_of
from media_events.review import ReviewItem, Status

STALE_SECONDS: Final = 15 * 60
"""A replay that has not been confirmed for so long may be made again: the command may have died before it sent."""

POLL_SECONDS: Final = 0.5

IndexName = Literal["by-status", "by-group", "by-event"]
Result = Literal["resolved", "sent", "failed", "unconfirmed", "refused", "missing"]
"""``resolved``: confirmed by the ledger. ``sent``: on its way, and nothing will confirm it. ``failed``: not sent, or
failed again. ``unconfirmed``: sent, and not confirmed in time. ``refused``: not in a state to be replayed."""

GOOD: Final[frozenset[Result]] = frozenset({"resolved", "sent"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item's replay."""

    item_id: str
    result: Result
    reason: str


class _Settled(Exception):  # noqa: N818  # no error: the outcome is known, and nothing is left to do
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Table(Protocol):
    """The review table."""

    def get(self, item_id: str) -> ReviewItem | None:
        """Read an item, consistently."""
        ...

    def update(self, item: ReviewItem, *, expected_version: int) -> bool:
        """Write ``item`` over version ``expected_version``; whether that was still the version."""
        ...

    def query(self, index: IndexName, value: str) -> Iterator[ReviewItem]:
        """The items of one status, group or event, newest failure first."""
        ...


class Effects(Protocol):
    """What the ledgers know."""

    def done(self, key: str) -> bool:
        """Whether the effect is recorded as done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The review desk of one deployment."""

    table: Table
    effects: Effects
    queues: Queues
    bus: Callable[[str], Events]
    functions: Functions
    bodies: Callable[[str], Bodies]
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def find(
        self, *, statuses: Sequence[Status], group: str | None = None, event: str | None = None, limit: int
    ) -> list[ReviewItem]:
        """Up to ``limit`` items, newest failure first. Replays that were confirmed meanwhile are settled on the way."""
        return list(islice(self._settled(statuses, group, event), limit))

    def _settled(self, statuses: Sequence[Status], group: str | None, event: str | None) -> Iterator[ReviewItem]:
        if group is not None or event is not None:
            found = (
                self.table.query("by-group", group) if group is not None else self.table.query("by-event", event or "")
            )
        else:
            found = (item for status in statuses for item in self.table.query("by-status", status))
        for item in found:
            current = self.settle(item)
            if current.status in statuses and (event is None or current.event_id == event):
                yield current

    def settle(self, item: ReviewItem) -> ReviewItem:
        """``item``, resolved if it is being retried and the ledger has its effect by now."""
        if item.status != "RETRYING" or not self._is_done(item):
            return item
        try:
            return self._resolve(item) or self.table.get(item.item_id) or item
        except PermanentConfigError:
            # Who may only read sees what the table has.
            return item

    def body(self, item: ReviewItem) -> str:
        """The item's whole body.

        Raises:
            HopError: it can't be read, or is not the one that was stored.
        """
        if item.bodyref is None:
            return item.body or ""
        return self.bodies(item.bodyref).get(item.bodyref).decode("utf-8", "replace")

    def replay(self, item_ids: Sequence[str], *, wait_seconds: float) -> Iterator[Outcome]:
        """Replay each item once, then wait for all of them together; outcomes come as they are known."""
        waiting: list[ReviewItem] = []
        for item_id in dict.fromkeys(item_ids):
            outcome = self._begin(item_id)
            if isinstance(outcome, Outcome):
                yield outcome
            else:
                waiting.append(outcome)
        yield from self._await(waiting, until=self.clock() + wait_seconds)

    def _begin(self, item_id: str) -> Outcome | ReviewItem:
        """Send one item back; the item if its outcome has to be waited for."""
        try:
            item = self._replayable(item_id)
            send = self._sender(item)
            claimed = replace(item, status="RETRYING", replayed_at=timestamp(self.clock()), version=item.version + 1)
            if not self.table.update(claimed, expected_version=item.version):
                return Outcome(item_id, "refused", "somebody else has changed it just now; look at it again")
            self._send(send, claimed)
        except _Settled as settled:
            return settled.outcome
        except HopError as error:
            return Outcome(item_id, "failed", f"{error.code}: {error.message}")
        if confirmable(claimed):
            return claimed
        self._resolve(claimed)
        return Outcome(item_id, "sent", f"sent to {item.hop}; it will be open again should it fail")

    def _replayable(self, item_id: str) -> ReviewItem:
        item = self.table.get(item_id)
        if item is None:
            raise _Settled(Outcome(item_id, "missing", "there is no such item"))
        refusal = self._refusal(item)
        if refusal is not None:
            raise _Settled(Outcome(item_id, "refused", refusal))
        if self._is_done(item):
            self._resolve(item)
            raise _Settled(Outcome(item_id, "resolved", "it had been delivered already; nothing was sent"))
        return item

    def _send(self, send: Callable[[], None], claimed: ReviewItem) -> None:
        try:
            send()
        except HopError as error:
            opened = replace(claimed, status="OPEN", version=claimed.version + 1)
            self.table.update(opened, expected_version=claimed.version)
            reason = f"it could not be sent: {error.code}: {error.message}"
            raise _Settled(Outcome(claimed.item_id, "failed", reason)) from error

    def _refusal(self, item: ReviewItem) -> str | None:
        if item.return_to.kind == "none":
            return "its dead letter holds no event that could be sent again"
        if item.status == "RETRYING":
            since = _epoch(item.replayed_at)
            if since is None or self.clock() - since < STALE_SECONDS:
                return f"it is being retried since {item.replayed_at}; wait for the outcome"
        elif item.status != "OPEN":
            return f"it is {item.status}"
        return None

    def _sender(self, item: ReviewItem) -> Callable[[], None]:
        """All that is needed to send ``item`` is read here, before the item says that it is being retried.

        Raises:
            HopError: the body can't be read or is no event.
        """
        to, count = item.return_to, item.redrive_count + 1
        body = self.body(item)
        if to.kind == "queue" and to.queue_url is not None:
            url, attributes = to.queue_url, attributes_to_send(self._attributes(item), count)
            unique = f"{item.item_id}-{item.version + 1}"
            return lambda: self.queues.send(url, body, attributes, group_id=to.group_id, deduplication_id=unique)
        if to.kind == "function" and to.function_arn is not None:
            function_arn = to.function_arn
            return lambda: self.functions.invoke(function_arn, body)
        if to.kind == "record" and to.function_arn is not None:
            record_arn = to.function_arn
            record = record_of(body, attributes_to_send(self._attributes(item), count), item.attempts[-1].message_id)
            return lambda: self.functions.invoke(record_arn, record)
        event = for_route(event_of(body), to.route, count)
        bus = self.bus(to.bus_arn or "")

        def publish() -> None:
            outcome = bus.publish([event])[0]
            if outcome is not None:
                raise outcome

        return publish

    def _attributes(self, item: ReviewItem) -> Mapping[str, Mapping[str, Any]]:
        if item.attributesref is None:
            return item.message_attributes
        content = self.bodies(item.attributesref).get(item.attributesref)
        attributes: Mapping[str, Mapping[str, Any]] = json.loads(content)
        return attributes

    def _await(self, items: Sequence[ReviewItem], *, until: float) -> Iterator[Outcome]:
        waiting = list(items)
        while waiting:
            for item in list(waiting):
                outcome = self._outcome(item)
                if outcome is not None:
                    waiting.remove(item)
                    yield outcome
            if not waiting or self.clock() >= until:
                break
            self.sleep(POLL_SECONDS)
        for item in waiting:
            yield Outcome(item.item_id, "unconfirmed", "sent, and not confirmed yet; `review list` will tell")

    def _outcome(self, item: ReviewItem) -> Outcome | None:
        try:
            if self._is_done(item):
                self._resolve(item)
                return Outcome(item.item_id, "resolved", f"delivered to {item.destination}")
            current = self.table.get(item.item_id)
        except HopError:
            # What can't be read now can be read at the next look.
            return None
        if current is None or current.version == item.version:
            return None
        if current.status == "RESOLVED":
            return Outcome(item.item_id, "resolved", f"delivered to {item.destination}")
        return Outcome(item.item_id, "failed", f"it failed again: {current.error_code}: {current.error_message}")

    def _is_done(self, item: ReviewItem) -> bool:
        return confirmable(item) and self.effects.done(destination_key(item.source, item.event_id, item.destination))

    def _resolve(self, item: ReviewItem) -> ReviewItem | None:
        """``item`` as resolved; ``None`` if somebody else has changed it."""
        resolved = replace(item, status="RESOLVED", resolved_at=timestamp(self.clock()), version=item.version + 1)
        return resolved if self.table.update(resolved, expected_version=item.version) else None


def confirmable(item: ReviewItem) -> bool:
    """Whether a ledger will tell of the item's effect: the routes that a function of ours delivers."""
    return item.hop.startswith("route/") and item.return_to.kind == "queue"


def attributes_to_send(received: Mapping[str, Mapping[str, Any]], count: int) -> dict[str, Mapping[str, Any]]:
    """Message attributes for a replay. When the event first failed stays behind: a person has given it a new chance."""
    own = {REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)}}
    others = {name: value for name, value in received.items() if name not in own and name != FIRST_FAILED_ATTRIBUTE}
    return {**dict(list(others.items())[: MAX_ATTRIBUTES - len(own)]), **own}


def event_of(body: str) -> Event:
    """The event in a body: an EventBridge event's, or a bare ``Detail``.

    Raises:
        PermanentDataError: there is none.
    """
    try:
        document = json.loads(body)
        return Event.from_detail(document.get("detail", document) if isinstance(document, Mapping) else document)
    except (ValueError, RecursionError):
        raise PermanentDataError("not-an-event", "the body is no event that could go back on the bus") from None


def _epoch(text: str | None) -> float | None:
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
