"""The events of a key one after the other, in their order, at one destination.

Every message of the destination passes through here. Its event is written into the lane of its key first of all
(:meth:`Resequencer.enter`), before the breaker is asked or anything is sent. Only the head of a lane is delivered
(:meth:`Resequencer.deliver`), under the lane's lease; all others wait without using up attempts. Where the head can't be
delivered the later ones wait in the queue (``block``), or are parked in the ledger's table (``park``) and called
back when the head has gone.

Whatever is written here can be written twice: a message that comes again after a crash, at whatever place, goes on
where the lane stands, and calls back who should have been called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from media_events.core.envelope import Event
from media_events.core.failures import DeferredError, PermanentConfigError, PermanentDataError, ProcessingError
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS, Outcome
from media_events.delivery.ordering.key_queue import (
    Behind,
    Claimed,
    Gone,
    KeyQueue,
    key_queue_of,
    override_of,
    parked_key,
)
from media_events.delivery.ordering.latest_only import position_of
from media_events.delivery.policies import ResequencerPolicy
from media_events.messaging.idempotency import IdempotencyStore, record_key
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import DeferralQueue

PARKED: Final[Mapping[str, Any]] = {"parked": True}
"""The outcome of an event that waits in the table for its turn."""
SKIPPED: Final[Mapping[str, Any]] = {"skipped": True}
"""The outcome of an event that a person has put away."""

CALLED_AT_ONCE: Final = 10
"""So many of a lane are in the queue at a time, after they were parked: enough to go on without a pause."""
MAX_PARKED_BYTES: Final = 350_000
"""Of a parked message; DynamoDB takes 400 KB. A longer one waits in the queue."""
FULL_SECONDS: Final = 60.0
CHANGES: Final = 10
"""How often a change of a lane is tried when others change it at the same time."""

_ANSWERED: Final = re.compile(r"http-[0-9]{3}\Z")
"""The receiver has said that it did not take the event; of a time-out nobody knows."""

T = TypeVar("T")


class KeyQueues(Protocol):
    """Where lanes are kept. Any exception is a :class:`ProcessingError`."""

    def read(self, key: str) -> tuple[KeyQueue, int]:
        """The lane, consistently, and its version; an empty one of version 0 where there is none."""
        ...

    def write(self, key: str, key_queue: KeyQueue, *, version: int) -> bool:
        """Write ``lane`` over ``version``; whether that was still the version."""
        ...


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that waits outside its queue. ``token`` is of whoever put it there last."""

    message: Message
    token: str


class ParkedMessages(Protocol):
    """Where messages wait outside their queue. Any exception is a :class:`ProcessingError`."""

    def put(self, key: str, parked: Parked) -> None:
        """Keep ``parked``, in place of what was kept before; for two weeks, until :meth:`keep`."""
        ...

    def keep(self, key: str, token: str) -> bool:
        """Keep it for good; false where somebody else has put it there since."""
        ...

    def get(self, key: str) -> Parked | None:
        """What is kept."""
        ...

    def let_go(self, key: str, token: str) -> None:
        """It is in the queue again, and may be forgotten, unless somebody else has put it there since."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resequencer:
    """Keeps the order at one destination; made per invocation, whose request id is ``owner``.

    ``resumed`` collects the events that were called back, for the log.
    """

    destination: str
    policy: ResequencerPolicy
    key_queues: KeyQueues
    parked_messages: ParkedMessages
    idempotency: IdempotencyStore
    waiting: DeferralQueue
    owner: str
    clock: Callable[[], float]
    resumed: list[tuple[Event, str]] = field(default_factory=list)

    # --- entering ----------------------------------------------------------------------------------------------------

    def enter(self, messages: Mapping[int, Message]) -> tuple[dict[int, Outcome | BaseException], dict[int, Message]]:
        """Write the events of one lane into it: what is known of some already, and the others in their order."""
        try:
            key_queue, found = self._entered(messages)
        except ProcessingError as error:
            return dict.fromkeys(messages, error), {}
        settled = {index: outcome for index, outcome in found.items() if outcome is not None}
        left = [index for index, outcome in found.items() if outcome is None]
        left.sort(key=lambda index: key_queue.place(messages[index].event.metadata.id))
        return settled, {index: messages[index] for index in left}

    def _entered(self, messages: Mapping[int, Message]) -> tuple[KeyQueue, dict[int, Outcome | BaseException | None]]:
        now, new = self.clock(), frozenset[int]()

        def register(key_queue: KeyQueue) -> tuple[KeyQueue, dict[int, str]]:
            verdicts: dict[int, str] = {}
            for index, message in messages.items():
                event_id, override = message.event.metadata.id, override_of(message)
                if override == "skip":
                    key_queue, verdicts[index] = key_queue.skip(event_id, now=now), "skipped"
                elif override is None:
                    if message.event.metadata.editof is not None:
                        key_queue = key_queue.exchange(message.event.metadata.editof, event_id, now=now)
                    place, known = position_of(message.event), index in new
                    key_queue, verdicts[index] = key_queue.register(event_id, place, now=now, new=known)
            return key_queue, verdicts

        key = key_queue_of(next(iter(messages.values())).event, self.destination)
        key_queue, verdicts = self._change(key, register)
        unsure = {index: messages[index].event for index, verdict in verdicts.items() if verdict in ("past", "perhaps")}
        done = {index for index, event in unsure.items() if self._is_done(event.metadata.source, event.metadata.id)}
        new = frozenset(index for index in unsure if verdicts[index] == "perhaps" and index not in done)
        if new:
            key_queue, again = self._change(key, register)
            verdicts |= {index: again[index] for index in new}
        verdicts |= dict.fromkeys(done, "done")
        key_queue = self._call(key, key_queue, next(iter(messages.values())).event)
        return key_queue, {index: self._known(verdicts.get(index)) for index in messages}

    def _known(self, verdict: str | None) -> Outcome | BaseException | None:
        if verdict == "done":
            return Outcome(happened=False, result=None)
        if verdict == "skipped":
            return Outcome(happened=False, result=SKIPPED)
        if verdict == "full":
            return self._wait(FULL_SECONDS, "too many events with the same partitionkey wait already")
        if verdict == "past":
            return PermanentDataError(
                "order-late",
                "a later event of its partitionkey was delivered before this one came: archive it, or have it "
                "delivered all the same with media-events review retry --out-of-order",
            )
        return None

    # --- delivering --------------------------------------------------------------------------------------------------

    def deliver(self, message: Message, effect: Callable[[], Outcome], *, seconds_left: float) -> Outcome:
        """Bring ``effect`` about if it is the event's turn, and let the next one have its turn then.

        Raises:
            DeferredError: ``order-waiting``; it is not its turn yet.
            HopError: the effect's own failure, or the table's.
        """
        event = message.event
        key, event_id = key_queue_of(event, self.destination), event.metadata.id
        if override_of(message) == "ignore":
            outcome = effect()
            self._after(key, event, lambda key_queue: key_queue.leave(event_id, now=self.clock()))
            return outcome
        before = self._claim(key, message, seconds_left)
        if before is not None:
            return before
        try:
            outcome = effect()
        except ProcessingError as error:
            self._release(key, event_id, error)
            raise
        self._after(key, event, lambda key_queue: key_queue.settle(event_id, now=self.clock()))
        return outcome

    def _claim(self, key: str, message: Message, seconds_left: float) -> Outcome | None:
        """``None`` when the lane is ours for this event, else what has become of it."""
        event, lease_seconds = message.event, max(0.0, seconds_left) + LEASE_MARGIN_SECONDS
        source, event_id, window = event.metadata.source, event.metadata.id, self.policy.reorder_seconds
        for _ in range(CHANGES):
            _, turn = self._change(
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
                        seconds, "an earlier event with the same partitionkey may still come, or comes first"
                    )
                case Behind(seconds=seconds, head=head, permanently_failed=permanently_failed):
                    if head is not None and self._is_done(source, head.event_id):
                        done = head.event_id
                        self._after(key, event, lambda key_queue: key_queue.settle(done, now=self.clock()))  # noqa: B023 - at once
                    elif not (permanently_failed and self.policy.on_failure == "park" and _fits(message)):
                        raise self._wait(seconds, "an earlier event with the same partitionkey can't be delivered")
                    elif self._park(key, message):
                        return Outcome(happened=False, result=PARKED)
        raise self._wait(1.0, "the order of its partitionkey is being changed by others")

    def _release(self, key: str, event_id: str, error: ProcessingError) -> None:
        permanently_failed = isinstance(error, PermanentDataError | PermanentConfigError)
        outcome_unknown = not permanently_failed and not _ANSWERED.match(error.code)

        def release(key_queue: KeyQueue) -> tuple[KeyQueue, None]:
            now = self.clock()
            return key_queue.release(
                event_id, self.owner, permanently_failed=permanently_failed, outcome_unknown=outcome_unknown, now=now
            ), None

        try:
            self._change(key, release)
        except ProcessingError:
            # The effect's own failure is what the operator must see; the claim ends with its lease.
            return

    def _after(self, key: str, event: Event, change: Callable[[KeyQueue], KeyQueue]) -> None:
        """Let the next ones have their turn. Nothing is left to try of this event, and yet it must come again."""
        try:
            key_queue, _ = self._change(key, lambda key_queue: (change(key_queue), None))
            self._call(key, key_queue, event)
        except ProcessingError as error:
            raise self._wait(
                LEASE_MARGIN_SECONDS, f"its delivery could not be recorded in its order: {error.code}"
            ) from error

    def _is_done(self, source: str, event_id: str) -> bool:
        return self.idempotency.done(record_key(source, event_id, f"destination/{self.destination}"))

    def _wait(self, seconds: float, why: str) -> DeferredError:
        return DeferredError("order-waiting", why, retry_after=seconds, hold_seconds=self.policy.hold_seconds)

    # --- waiting outside the queue -----------------------------------------------------------------------------------

    def _park(self, key: str, message: Message) -> bool:
        """Park the event; false if its lane has moved on meanwhile. It is there before the lane says so."""
        source, event_id = message.event.metadata.source, message.event.metadata.id
        place, token = parked_key(source, event_id, self.destination), f"{self.owner}/{message.message_id}"
        self.parked_messages.put(place, Parked(message, token))
        _, parked = self._change(
            key, lambda key_queue: key_queue.park(event_id, now=self.clock(), window=self.policy.reorder_seconds)
        )
        return parked and self.parked_messages.keep(place, token)

    def _call(self, key: str, key_queue: KeyQueue, event: Event) -> KeyQueue:
        """Call back the parked events whose turn comes soon; the lane says so only when they are in the queue."""
        now = self.clock()
        resumed = key_queue.resumed(CALLED_AT_ONCE, now=now, window=self.policy.reorder_seconds)
        if not resumed:
            return key_queue
        for event_id in resumed:
            place = parked_key(event.metadata.source, event_id, self.destination)
            parked = self.parked_messages.get(place)
            if parked is not None:
                attempts = parked.message.receive_count - 1
                # Of two messages of an event either may have been parked: the one that goes on is new, so that nobody
                # takes what the other one has left behind for its own copy.
                copy = f"0/{parked.token}"
                if not self.waiting.defer(parked.message, 0, prior_attempts=attempts, since=int(now), copy=copy):
                    raise PermanentConfigError("no-way-back", "the queue takes no message for later: it is FIFO")
                self.parked_messages.let_go(place, parked.token)
                self.resumed.append((event, event_id))
        since = now - self.policy.reorder_seconds
        key_queue, _ = self._change(key, lambda current: (current.with_resumed(resumed, since=since), None))
        return key_queue

    # --- lanes -------------------------------------------------------------------------------------------------------

    def _change(self, key: str, change: Callable[[KeyQueue], tuple[KeyQueue, T]]) -> tuple[KeyQueue, T]:
        for _ in range(CHANGES):
            key_queue, version = self.key_queues.read(key)
            new, result = change(key_queue)
            if new == key_queue or self.key_queues.write(key, new, version=version):
                return new, result
        raise self._wait(1.0, "the order of its partitionkey is being changed by others")


def _fits(message: Message) -> bool:
    return len(message.body.encode()) + len(str(message.message_attributes)) <= MAX_PARKED_BYTES
