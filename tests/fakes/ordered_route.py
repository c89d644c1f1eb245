"""A destination that keeps an order, by the deliverer, the resequencer and their tables in moto's AWS."""

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


class OrderedRoute:
    """A destination with an order. Each call is a sandbox of its own; ``queue`` has what was put back into it."""

    def __init__(self, dynamodb, clock, policy, *, table="table"):
        self.table = table
        self.dynamodb, self.clock, self.policy = dynamodb, clock, policy
        self.idempotency, self.report = FakeIdempotencyTable(clock), FakeReport()
        self.arrived, self.fails, self.queue, self.copies = [], {}, [], []
        self.requests = itertools.count()

    def deliver(self, event, *, seconds_left):  # noqa: ARG002
        if event.metadata.id in self.fails:
            raise self.fails[event.metadata.id]
        self.arrived.append(event.metadata.id)
        return {"status": 204}

    def defer(self, message, seconds, *, prior_attempts, since, copy):  # noqa: ARG002
        self.queue.append(message)
        self.copies.append(copy)
        return True

    def __call__(self, *messages):
        owner = f"request-{next(self.requests)}"
        strict = self.resequencer(owner)
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
        return [None if e is None else getattr(e, "code", repr(e)) for e in deliverer(list(messages))]

    def resequencer(self, owner):
        return Resequencer(
            destination="cms",
            policy=self.policy,
            key_queues=DynamoKeyQueues(self.dynamodb, self.table, clock=self.clock),
            parked_messages=DynamoParkedMessages(self.dynamodb, self.table, clock=self.clock),
            idempotency=self.idempotency.owned_by(owner),
            waiting=self,
            owner=owner,
            clock=self.clock,
        )

    def key_queue(self):
        """The key queue of the key ``k``."""
        key_queues = DynamoKeyQueues(self.dynamodb, self.table, clock=self.clock)
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
