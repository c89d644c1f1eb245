"""The resequencer: delivers the events of an ordering key in their order, at one destination.

Every message of the destination passes through here. Its event is first added to its key queue
(:meth:`Resequencer.enter`), before the circuit breaker is asked or anything is sent. Only the head of a key queue is
delivered (:meth:`Resequencer.deliver`), under a lease; all others wait without using up attempts. While the head can't
be delivered, later events wait in the queue (``block``), or are parked in the idempotency table (``park``) and resumed
when the head has left. Events far behind the head are always parked, so that no event costs more because many wait.

Every write may be repeated: a message that is received again after a crash continues from the stored key queue, and
resumes the events that are due.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Protocol, TypeVar

from media_events.core.deferred import pattern
from media_events.core.envelope import Metadata
from media_events.core.failures import DeferredError, PermanentConfigError, PermanentDataError, ProcessingError
from media_events.core.value_classes import dataclass
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS, Outcome
from media_events.delivery.ordering.key_queue import (
    Behind,
    Claimed,
    Entry,
    Gone,
    KeyQueue,
    key_queue_of,
    override_of,
    parked_key,
)
from media_events.delivery.ordering.key_queue_pages import NO_PAGES, Pages
from media_events.delivery.ordering.latest_only import position_of
from media_events.delivery.policies import ResequencerPolicy
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import DeferralQueue

PARKED: Final[Mapping[str, Any]] = {"parked": True}
"""The outcome of a parked event."""
SKIPPED: Final[Mapping[str, Any]] = {"skipped": True}
"""The outcome of an event that a person archived."""

RESUMED_AT_ONCE: Final = 10
"""So many events of a key queue are resumed at a time: enough to go on without a pause."""
MAX_PARKED_BYTES: Final = 350_000
"""Of a parked message; a longer one waits in the queue. DynamoDB takes 400 KB."""
FULL_SECONDS: Final = 60.0
CHANGE_ATTEMPTS: Final = 10
"""How often a change of a key queue is tried while others change it."""

_ANSWERED: Final = pattern(r"http-[0-9]{3}\Z")
"""Codes of failures after which the event is certainly not delivered; after a timeout it may be."""

_WAITS: Final = {
    "leased": (LEASE_MARGIN_SECONDS, "the archived event is just being delivered"),
    "again": (1.0, "another message of the event is just being parked"),
    "full": (FULL_SECONDS, "too many events with the same partitionkey are waiting"),
}

T = TypeVar("T")


class KeyQueues(Protocol):
    """The store of key queues. Any exception is a :class:`ProcessingError`."""

    def read(self, key: str) -> tuple[KeyQueue, int]:
        """The key queue, read consistently, and its version; an empty one of version 0 where there is none."""
        ...

    def read_page(self, key: str, number: int) -> tuple[Entry, ...]:
        """A page of it, read consistently; empty where there is none."""
        ...

    def write(
        self, key: str, key_queue: KeyQueue, *, version: int, pages: Mapping[int, Sequence[Entry]] = NO_PAGES
    ) -> bool:
        """Write ``key_queue`` over ``version``, and ``pages`` with it; whether the table still had that version."""
        ...


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that waits outside its queue. ``token`` names the attempt that parked it last.

    ``number`` is its entry's; ``None`` in what earlier code has written.
    """

    message: Message
    token: str
    number: int | None = None


class ParkedMessages(Protocol):
    """The store of parked messages. Any exception is a :class:`ProcessingError`."""

    def put(self, key: str, parked: Parked) -> None:
        """Store ``parked`` in place of an older one; it expires with the retention, unless :meth:`keep` is called."""
        ...

    def keep(self, key: str, token: str) -> bool:
        """Store it for good; false where another attempt has parked it since."""
        ...

    def get(self, key: str) -> Parked | None:
        """The parked message."""
        ...

    def let_go(self, key: str, token: str) -> None:
        """Let it expire: it is in the queue again, unless another attempt has parked it since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resequencer:
    """Keeps the order at one destination. It is made for each invocation; ``owner`` is the request id.

    ``resumed`` collects the metadata of resumed events, for the log.
    """

    destination: str
    policy: ResequencerPolicy
    key_queues: KeyQueues
    parked_messages: ParkedMessages
    idempotency: IdempotencyStore
    waiting: DeferralQueue
    owner: str
    clock: Callable[[], float]
    resumed: list[Metadata] = field(default_factory=list)

    # --- entering ----------------------------------------------------------------------------------------------------

    def enter(self, messages: Mapping[int, Message]) -> tuple[dict[int, Outcome | BaseException], dict[int, Message]]:
        """Add the events of one key to its key queue; returns the known outcomes, and the other messages in order."""
        try:
            key_queue, outcomes = self._entered(messages)
        except ProcessingError as error:
            return dict.fromkeys(messages, error), {}
        settled = {index: outcome for index, outcome in outcomes.items() if outcome is not None}
        remaining = [index for index, outcome in outcomes.items() if outcome is None]
        remaining.sort(key=lambda index: key_queue.place(messages[index].event.metadata.id))
        return settled, {index: messages[index] for index in remaining}

    def _entered(self, messages: Mapping[int, Message]) -> tuple[KeyQueue, dict[int, Outcome | BaseException | None]]:
        now, new = self.clock(), frozenset[int]()

        source = next(iter(messages.values())).event.metadata.source

        def register(key_queue: KeyQueue, pages: Pages) -> tuple[KeyQueue, dict[int, str]]:
            verdicts: dict[int, str] = {}
            for index, message in messages.items():
                event_id, override = message.event.metadata.id, override_of(message)
                if override == "skip":
                    key_queue, verdicts[index] = self._skipped(key_queue, pages, event_id), "skipped"
                elif override is None:
                    key_queue = self._exchanged(key_queue, pages, message)
                    position = position_of(message.event)
                    key_queue, verdicts[index] = key_queue.register(event_id, position, now=now, new=index in new)
                    if verdicts[index] == "behind":
                        key_queue, verdicts[index] = self._parked_behind(key_queue, pages, message)
            for index in [index for index, verdict in verdicts.items() if verdict == "waiting"]:
                key_queue, verdicts[index] = self._parked_far(key_queue, messages[index])
            if key_queue.entries:
                key_queue = replace(key_queue, source=source)
            return key_queue, verdicts

        key = key_queue_of(next(iter(messages.values())).event, self.destination)
        key_queue, verdicts = self._change_paged(key, register)
        unsure = {index: messages[index].event for index, verdict in verdicts.items() if verdict in ("past", "perhaps")}
        done = {index for index, event in unsure.items() if self._is_done(event.metadata.source, event.metadata.id)}
        new = frozenset(index for index in unsure if verdicts[index] == "perhaps" and index not in done)
        if new:
            key_queue, again = self._change_paged(key, register)
            verdicts |= {index: again[index] for index in new}
        verdicts |= dict.fromkeys(done, "done")
        for index in [index for index, verdict in verdicts.items() if verdict == "parked"]:
            if not self._keep(messages[index]):
                verdicts[index] = "again"
        # A skipped head leaves only when the lease on it has ended, and then somebody has to come for it.
        held = {index for index in verdicts if key_queue.holds_up(messages[index].event.metadata.id)}
        verdicts |= {index: "leased" for index in held if verdicts[index] == "skipped"}
        key_queue = self._resume(key, key_queue, source)
        return key_queue, {index: self._outcome(verdicts.get(index)) for index in messages}

    def _outcome(self, verdict: str | None) -> Outcome | BaseException | None:
        if verdict in _WAITS:
            return self._wait(*_WAITS[verdict])
        if verdict == "past":
            return PermanentDataError(
                "order-late",
                "a later event with the same partitionkey was already delivered: archive this one, or deliver it "
                "out of order with media-events review retry --out-of-order",
            )
        results = {"done": None, "skipped": SKIPPED, "parked": PARKED}
        return Outcome(happened=False, result=results[verdict]) if verdict in results else None

    def _skipped(self, key_queue: KeyQueue, pages: Pages, event_id: str) -> KeyQueue:
        now = self.clock()
        if key_queue.entry(event_id) is None:
            return pages.take(key_queue, event_id)[0]
        return key_queue.skip(event_id, now=now).with_turn(now)

    def _exchanged(self, key_queue: KeyQueue, pages: Pages, message: Message) -> KeyQueue:
        """The key queue with an operator's edited event in the place of the original, if that waits."""
        original, event_id = message.event.metadata.editof, message.event.metadata.id
        if original is None:
            return key_queue
        if key_queue.entry(original) is None:
            key_queue, entry = pages.take(key_queue, original)
            if entry is not None:
                key_queue = key_queue.ordered((*key_queue.entries, entry))
        return key_queue.exchange(original, event_id, now=self.clock())

    def _parked_behind(self, key_queue: KeyQueue, pages: Pages, message: Message) -> tuple[KeyQueue, str]:
        """Park an event whose place is in a page. One that can't be parked waits without a place, and may be late."""
        if not _may_park(message):
            return key_queue, "full"
        place, entry = self._parked_at(message), None
        new = Entry(event_id=message.event.metadata.id, position=position_of(message.event), since=self.clock())
        before = self.parked_messages.get(place)
        if before is not None:
            number = before.number
            at = None if number is None else key_queue.place_of(replace(new, number=number))
            key_queue, entry = pages.take(key_queue, new.event_id, at)
        entry = replace(new, number=key_queue.next_number) if entry is None else entry
        self.parked_messages.put(place, Parked(message, self._token(message), entry.number))
        entry = replace(entry, parked=True, parkings=entry.parkings + 1)
        if not key_queue.pages:  # it was alone in the last one
            return key_queue.ordered((*key_queue.entries, entry)), "parked"
        return pages.add(key_queue, entry), "parked"

    def _parked_far(self, key_queue: KeyQueue, message: Message) -> tuple[KeyQueue, str]:
        """Park an event far behind the head, before it has looked even once."""
        event_id = message.event.metadata.id
        entry = key_queue.entry(event_id)
        if entry is None or not key_queue.is_far(event_id) or not _may_park(message):
            return key_queue, "waiting"
        self.parked_messages.put(self._parked_at(message), Parked(message, self._token(message), entry.number))
        return key_queue.parked_far(event_id), "parked"

    # --- delivering --------------------------------------------------------------------------------------------------

    def deliver(self, message: Message, effect: Callable[[], Outcome], *, seconds_left: float) -> Outcome:
        """Carry out ``effect`` if the event is the head, and let the next one follow.

        Raises:
            DeferredError: ``order-waiting``; the event is not the head.
            ProcessingError: the effect failed, or the table can't be reached.
        """
        event = message.event
        key, source, event_id = key_queue_of(event, self.destination), event.metadata.source, event.metadata.id
        if override_of(message) == "ignore":
            outcome = effect()
            if outcome.withdrawn == "edited":
                return outcome
            self._after(key, source, lambda key_queue, pages: self._left(key_queue, pages, event_id))
            return outcome
        before = self._claim(key, message, seconds_left)
        if before is not None:
            return before
        try:
            outcome = effect()
        except ProcessingError as error:
            self._release(key, event_id, error)
            raise
        if outcome.withdrawn == "edited":
            # It keeps its place for the edited event, which is on its way.
            self._release(key, event_id, PermanentDataError("edited", "an edited event takes its place"))
            return outcome
        self._after(key, source, lambda key_queue, _pages: key_queue.settle(event_id, now=self.clock()))
        return outcome

    def _claim(self, key: str, message: Message, seconds_left: float) -> Outcome | None:
        """``None`` if this attempt may deliver the event, else the event's outcome."""
        event, lease_seconds = message.event, max(0.0, seconds_left) + LEASE_MARGIN_SECONDS
        source, event_id, window = event.metadata.source, event.metadata.id, self.policy.reorder_seconds
        for _ in range(CHANGE_ATTEMPTS):
            key_queue, turn = self._change(
                key,
                lambda key_queue: key_queue.claim(
                    event_id, self.owner, now=self.clock(), window=window, lease_seconds=lease_seconds
                ),
            )
            match turn:
                case Claimed():
                    return None
                case Gone():
                    if self._is_done(source, event_id):
                        return Outcome(happened=False, result=None)
                    break
                case Behind(seconds=seconds, head=None):
                    raise self._wait(
                        seconds, "an earlier event with the same partitionkey may still arrive, or is delivered first"
                    )
                case Behind(seconds=seconds, head=head, permanently_failed=permanently_failed):
                    if head is not None and self._is_done(source, head.event_id):
                        done = head.event_id
                        self._after(key, source, lambda key_queue, _pages: key_queue.settle(done, now=self.clock()))  # noqa: B023 - called at once
                    elif not (permanently_failed and self.policy.on_failure == "park" and _may_park(message)):
                        raise self._wait(seconds, "an earlier event with the same partitionkey can't be delivered")
                    elif self._park(key, message, key_queue.entry(event_id)):
                        return Outcome(happened=False, result=PARKED)
        raise self._wait(1.0, "other messages with the same partitionkey kept changing its order")

    def _release(self, key: str, event_id: str, error: ProcessingError) -> None:
        permanently_failed = not error.retry_may_help
        known = isinstance(error, PermanentDataError | PermanentConfigError) or _ANSWERED.match(error.code)

        def release(key_queue: KeyQueue) -> tuple[KeyQueue, None]:
            now = self.clock()
            return key_queue.release(
                event_id, self.owner, permanently_failed=permanently_failed, outcome_unknown=not known, now=now
            ), None

        try:
            self._change(key, release)
        except ProcessingError:
            # The operator must see the effect's own failure; the claim ends with its lease.
            return

    def _left(self, key_queue: KeyQueue, pages: Pages, event_id: str) -> KeyQueue:
        if key_queue.entry(event_id) is None:
            return pages.take(key_queue, event_id)[0]
        return key_queue.leave(event_id, now=self.clock())

    def _after(self, key: str, source: str, change: Callable[[KeyQueue, Pages], KeyQueue]) -> None:
        """Record the delivery and resume the next events. If that fails, the message must come again for it."""
        try:
            key_queue, _ = self._change_paged(
                key, lambda key_queue, pages: (change(key_queue, pages).with_turn(self.clock()), None)
            )
            self._resume(key, key_queue, source)
        except ProcessingError as error:
            raise self._wait(
                LEASE_MARGIN_SECONDS, f"its delivery could not be recorded in its key queue: {error.code}"
            ) from error

    def _is_done(self, source: str, event_id: str) -> bool:
        return self.idempotency.done(record_key(source, event_id, f"destination/{self.destination}"))

    def _wait(self, seconds: float, why: str) -> DeferredError:
        return DeferredError("order-waiting", why, retry_after=seconds, hold_seconds=self.policy.hold_seconds)

    # --- waiting outside the queue -----------------------------------------------------------------------------------

    def _parked_at(self, message: Message) -> str:
        return parked_key(message.event.metadata.source, message.event.metadata.id, self.destination)

    def _token(self, message: Message) -> str:
        return f"{self.owner}/{message.message_id}"

    def _keep(self, message: Message) -> bool:
        return self.parked_messages.keep(self._parked_at(message), self._token(message))

    def _park(self, key: str, message: Message, entry: Entry | None) -> bool:
        """Park the event; false if its key queue has moved on. The message is stored before the key queue says so."""
        event_id, number = message.event.metadata.id, None if entry is None else entry.number
        self.parked_messages.put(self._parked_at(message), Parked(message, self._token(message), number))
        _, parked = self._change(
            key, lambda key_queue: key_queue.park(event_id, now=self.clock(), window=self.policy.reorder_seconds)
        )
        return parked and self._keep(message)

    def _resume(self, key: str, key_queue: KeyQueue, source: str) -> KeyQueue:
        """Resume the parked events that are due soon. The key queue records it after they are in the queue."""
        now = self.clock()
        resumed = key_queue.resumed(RESUMED_AT_ONCE, now=now, window=self.policy.reorder_seconds)
        if not resumed:
            return key_queue
        self._send_back(resumed, source, now)
        since = now - self.policy.reorder_seconds
        key_queue, _ = self._change(key, lambda current: (current.with_resumed(resumed, since=since), None))
        return key_queue

    def _send_back(self, resumed: Iterable[str], source: str, now: float) -> None:
        for event_id in resumed:
            place = parked_key(source, event_id, self.destination)
            parked = self.parked_messages.get(place)
            if parked is not None:
                attempts = parked.message.receive_count - 1
                # Either of two messages of an event may have been parked. The resumed copy gets a new number, so it is
                # not mistaken for a copy of the other message.
                copy = f"0/{parked.token}"
                if not self.waiting.defer(parked.message, 0, prior_attempts=attempts, since=int(now), copy=copy):
                    raise PermanentConfigError("no-way-back", "the queue is FIFO and delays no single message")
                self.parked_messages.let_go(place, parked.token)
                self.resumed.append(parked.message.event.metadata)

    def release(self, key: str, source: str) -> bool:
        """Send the next parked events of a key back to the queue, for a route that keeps no order any more.

        Whether there may be more. What is not parked is in the queue or in review, and loses its place.

        Raises:
            ProcessingError: the table or the queue did not answer or refused.
        """
        now = self.clock()
        key_queue, _ = self.key_queues.read(key)
        parked = {entry.event_id: entry.parkings for entry in key_queue.entries if entry.parked}
        resumed = dict(itertools.islice(parked.items(), RESUMED_AT_ONCE))
        self._send_back(resumed, source, now)
        key_queue, _ = self._change(key, lambda current: (current.released(resumed), None))
        return bool(key_queue.entries)

    def go_on(self, key: str, source: str, *, without: str | None) -> None:
        """Take the head out of its key queue if it is ``without``, and resume the parked events that follow.

        It is for a head that nobody will deliver any more.

        Raises:
            ProcessingError: the table or the queue did not answer or refused.
        """
        now = self.clock()

        def settle(key_queue: KeyQueue) -> tuple[KeyQueue, None]:
            is_head = key_queue.head is not None and key_queue.head.event_id == without
            if without is None or not is_head or key_queue.is_leased(now):
                return key_queue, None
            return key_queue.settle(without, now=now).with_turn(now), None

        key_queue, _ = self._change(key, settle)
        self._resume(key, key_queue, source)

    # --- changes -----------------------------------------------------------------------------------------------------

    def _change(self, key: str, change: Callable[[KeyQueue], tuple[KeyQueue, T]]) -> tuple[KeyQueue, T]:
        return self._change_paged(key, lambda key_queue, _pages: change(key_queue))

    def _change_paged(self, key: str, change: Callable[[KeyQueue, Pages], tuple[KeyQueue, T]]) -> tuple[KeyQueue, T]:
        for _ in range(CHANGE_ATTEMPTS):
            key_queue, version = self.key_queues.read(key)
            pages = Pages(functools.partial(self.key_queues.read_page, key))
            new, result = change(key_queue, pages)
            new = pages.fit(new)
            unchanged = new == key_queue and not pages.changed
            if unchanged or self.key_queues.write(key, new, version=version, pages=pages.changed):
                return new, result
        raise self._wait(1.0, "other messages with the same partitionkey kept changing its order")


def _may_park(message: Message) -> bool:
    """Whether it fits; an isolated one would be resumed in the hop's queue, where it must not go."""
    return (
        not message.is_isolated
        and len(message.body.encode()) + len(str(message.message_attributes)) <= MAX_PARKED_BYTES
    )
