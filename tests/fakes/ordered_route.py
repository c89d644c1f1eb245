"""A destination that keeps an order, by the deliverer and the resequencer."""

from __future__ import annotations

import itertools

from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues, DynamoParkedMessages
from media_events.core.failures import PermanentDataError, TransientError
from media_events.delivery.deliverer import Deliverer
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, key_queue_id
from media_events.delivery.ordering.resequencer import Resequencer
from media_events.messaging.message import Message
from tests.fakes.events import make_event
from tests.fakes.hop import FakeIdempotencyTable, FakeReport, bus_event, sqs_record

DOWN = TransientError("http-503", "down")
REFUSED = PermanentDataError("http-422", "no")


class OrderedDestination:
    """A destination with an order, its queue being this one. It refuses the events in ``fails`` by their errors."""

    def __init__(self, clock, policy):
        self.clock, self.policy = clock, policy
        self.idempotency, self.report = FakeIdempotencyTable(clock), FakeReport()
        self.arrived, self.fails, self.requests = [], {}, itertools.count()

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        if event.metadata.id in self.fails:
            raise self.fails[event.metadata.id]
        self.arrived.append(event.metadata.id)
        return {"status": 204}

    def handle(self, messages):
        """The outcomes of the messages, in a sandbox of their own."""
        strict = self.resequencer(f"request-{next(self.requests)}")
        deliverer = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=self,
            idempotency=strict.idempotency,
            report=self.report,
            seconds_left=lambda: 30.0,
            clock=self.clock,
            parallel=1,
            strict=strict,
        )
        return deliverer(messages)

    def resequencer(self, owner):
        key_queues, parked_messages = self.tables()
        return Resequencer(
            destination="cms",
            policy=self.policy,
            key_queues=key_queues,
            parked_messages=parked_messages,
            idempotency=self.idempotency.owned_by(owner),
            waiting=self,
            owner=owner,
            clock=self.clock,
        )


class OrderedRoute(OrderedDestination):
    """With its tables in moto's AWS; ``queue`` has what was put back into it."""

    def __init__(self, dynamodb, clock, policy, *, table="table"):
        super().__init__(clock, policy)
        self.dynamodb, self.table, self.queue, self.copies = dynamodb, table, [], []

    def defer(self, message, seconds, *, prior_attempts, since, copy):  # noqa: ARG002
        self.queue.append(message)
        self.copies.append(copy)
        return True

    def __call__(self, *messages):
        return [None if e is None else getattr(e, "code", repr(e)) for e in self.handle(list(messages))]

    def tables(self):
        """The key queues, and the parked messages."""
        stores = (DynamoKeyQueues, DynamoParkedMessages)
        return tuple(store(self.dynamodb, self.table, clock=self.clock) for store in stores)

    def key_queue(self):
        """The key queue of the key ``k``."""
        key_queues, _ = self.tables()
        return key_queues.read(key_queue_id("partner.mux", "k", "cms"))[0]

    def settled(self, *numbers):
        """Handle these once to write them down, and once more when they have waited."""
        self(*map(message, numbers))
        self.clock.now += 6
        return self(*map(message, numbers))


def message(number, override=None, *, key="k", **metadata):
    metadata.setdefault("sequence", f"{number:03}")
    event = make_event(id=f"e{number}", partitionkey=key, **metadata)
    attributes = {} if override is None else {ORDERING_ATTRIBUTE: {"stringValue": override, "dataType": "String"}}
    return Message.of(sqs_record(bus_event(event), f"m-{number}", attributes=attributes))
