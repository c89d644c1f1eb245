"""A queue ingress behind its Lambda handler, with an in-memory environment, and its records."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_events.events.publisher import Publisher
from media_events.handlers import queue_ingress
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.queue import QueueReceiver
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from media_events.messaging.queue_consumer import Consumer, RetryPolicy
from tests.fakes.hop import FakeBodies, FakeBus, FakeClock, FakeIdempotencyTable, FakeQueue, FakeReport, sqs_record
from tests.fakes.recovery import FUNCTION_ROLE_ID
from tests.fakes.webhook_requests import Context

HOP = "ingress/mam"
SPECIFICATION: dict[str, Any] = {
    "id": "body.id",
    "type": "body.type",
    "time": "body.at",
    "subject": "body.asset",
    "types": {"asset.ready": "asset.ready"},
}
SENT = 1_789_999_000.0
"""The ``SentTimestamp`` of ``sqs_record``, in epoch seconds."""

SENT_TIME = "2026-09-21T13:56:40Z"


@dataclass(frozen=True)
class _Settings:
    hop: str = HOP
    retry_policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(max_receive_count=5, base_seconds=4))


@dataclass
class IngressHarness:
    """The ingress under test."""

    ingress: str = "sqs"
    partners: Mapping[str, Any] = field(default_factory=lambda: {"mam": {"specification": SPECIFICATION}})
    max_entry_bytes: int = 100_000

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.report = FakeReport()
        self.bus = FakeBus()
        self.queue = FakeQueue()
        self.bodies = FakeBodies()
        self.table = FakeIdempotencyTable(self.clock)
        self.settings = _Settings()
        self.invocations = itertools.count(1)
        entry = parse_queue_ingress(self.ingress)
        publisher = Publisher(
            bus=self.bus, bodies=self.bodies, max_entry_bytes=self.max_entry_bytes, sleep=self.clock.sleep
        )
        self.receiver = QueueReceiver(
            ingress=entry,
            partners=parse_queue_partners(self.partners, entry),
            idempotent_publisher=IdempotentPublisher(
                publisher=publisher,
                dead_letters=self.queue,
                hop=HOP,
                report=self.report,
                clock=self.clock,
                sleep=self.clock.sleep,
            ),
            bodies=self.bodies,
            clock=self.clock,
        )

    def install(self, monkeypatch: Any) -> IngressHarness:
        monkeypatch.setattr(queue_ingress, "receiver", lambda: self.receiver)
        monkeypatch.setattr(queue_ingress, "settings", lambda: self.settings)
        monkeypatch.setattr(queue_ingress, "dead_letters", lambda: self.queue)
        monkeypatch.setattr(queue_ingress, "idempotency", self.table.owned_by)
        monkeypatch.setattr(queue_ingress, "telemetry", lambda: self.report)
        monkeypatch.setattr(queue_ingress, "Consumer", functools.partial(Consumer, clock=self.clock))
        return self

    def invoke(self, event: Mapping[str, Any], *, context: Context | None = None) -> Any:
        return queue_ingress.handler(dict(event), context or Context(f"invocation-{next(self.invocations)}"))

    def take(self, *records: Mapping[str, Any], context: Context | None = None) -> list[str]:
        """Process a batch; the ids of the records that stay in the queue."""
        answer = self.invoke({"Records": list(records)}, context=context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    @property
    def ids(self) -> list[str]:
        """The ids of the events on the bus, in order."""
        return [event.metadata.id for event in self.bus.events]


def text_attributes(values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Message attributes as senders set them."""
    return {name: {"stringValue": value, "dataType": "String"} for name, value in values.items()}


def mam_event(identity: str = "e-1", **changes: Any) -> str:
    return json.dumps({"id": identity, "type": "asset.ready", "asset": "a-1", "at": "2026-11-23T12:00:00Z", **changes})


def aws_event(source: str, detail: Any, **changes: Any) -> str:
    """An EventBridge event as a rule sends it to a queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "00000000-0000-4000-8000-00000000aaaa",
            "detail-type": "Asset State Change",
            "source": source,
            "account": "111122223333",
            "time": "2026-11-23T12:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": detail,
            **changes,
        }
    )


def dead_record(harness: IngressHarness, index: int = -1, message_id: str = "dead-1") -> dict[str, Any]:
    """A dead letter of the harness, as the redrive function receives it."""
    dead_letter = harness.queue.dead[index]
    failure = {"failure": {"stringValue": dead_letter.failure.to_json(), "dataType": "String"}}
    return sqs_record(
        dead_letter.body,
        message_id,
        attributes={**dead_letter.attributes, **failure},
        group_id=dead_letter.group_id,
        first_received_ms=1_790_000_000_000,
        sender_id=f"{FUNCTION_ROLE_ID}:media-dev-mam",
    )


def names(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return [record["messageId"] for record in records]
