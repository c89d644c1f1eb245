"""In-memory bus, queues, idempotency store, bodies and secrets, behind the domain's protocols.

A test can make each of them fail. They are safe for threads.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_events.core.clock import CLOCK_SKEW_SECONDS, lease_end
from media_events.core.envelope import Event
from media_events.core.failures import FAILURE_ATTRIBUTE, Failure, PermanentDataError, ProcessingError, TransientError
from media_events.events.claim_check import digest
from media_events.events.publisher import MAX_ENTRIES, Entry
from media_events.messaging.idempotency import RETENTION_SECONDS, Acquisition, Completion
from media_events.messaging.message import Message
from media_events.partners.secrets import PartnerSecrets


class FakeClock:
    """A clock that only the test and ``sleep`` move."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeReport:
    """Collects log lines and counts."""

    lines: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    counts: dict[tuple[str, tuple[tuple[str, str], ...]], int] = field(default_factory=dict)
    gauges: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[float, str]] = field(default_factory=dict)

    def info(self, message: str, /, **fields: object) -> None:
        self.lines.append(("info", message, fields))

    def warning(self, message: str, /, **fields: object) -> None:
        self.lines.append(("warning", message, fields))

    def error(self, message: str, /, **fields: object) -> None:
        self.lines.append(("error", message, fields))

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        key = (metric, tuple(sorted(dimensions.items())))
        self.counts[key] = self.counts.get(key, 0) + value

    def measure(self, metric: str, value: float, /, *, unit: str = "Count", **dimensions: str) -> None:
        key = (metric, tuple(sorted(dimensions.items())))
        self.gauges[key] = (max(value, self.gauges.get(key, (value, unit))[0]), unit)

    def gauge(self, metric: str, **dimensions: str) -> float | None:
        """The gauge's value; ``None`` where it was not set."""
        return self.gauges.get((metric, tuple(sorted(dimensions.items()))), (None, ""))[0]

    def messages(self) -> list[str]:
        return [message for _, message, _ in self.lines]

    def fields(self, message: str) -> list[dict[str, object]]:
        return [fields for _, said, fields in self.lines if said == message]

    def text(self) -> str:
        """All log lines, as one text."""
        return json.dumps(self.lines, default=str) + json.dumps(list(self.counts), default=str)


class FakeBus:
    """Collects accepted entries. ``refuse(entry)`` returns the refusal of one entry, ``failing`` fails whole calls."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.calls: list[list[Entry]] = []
        self.failing: ProcessingError | None = None
        self.refuse: Callable[[Entry], ProcessingError | None] = lambda _entry: None
        self._lock = threading.Lock()

    def put(self, entries: Sequence[Entry]) -> list[ProcessingError | None]:
        assert 0 < len(entries) <= MAX_ENTRIES
        with self._lock:
            self.calls.append(list(entries))
            if self.failing is not None:
                raise self.failing
            outcomes = [self.refuse(entry) for entry in entries]
            self.entries += [entry for entry, outcome in zip(entries, outcomes, strict=True) if outcome is None]
            return outcomes

    @property
    def events(self) -> list[Event]:
        return [Event.from_detail(json.loads(entry.detail)) for entry in self.entries]


@dataclass(frozen=True)
class DeadLetter:
    """A message in the dead-letter queue."""

    body: str
    failure: Failure
    attributes: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None


class FakeQueue:
    """A hop's queue and dead-letter queue."""

    def __init__(self) -> None:
        self.dead: list[DeadLetter] = []
        self.visibility: dict[str, int] = {}
        self.failing: Exception | None = None
        self._lock = threading.Lock()

    def dead_letter(self, message: Message, failure: Failure) -> None:
        self.send(message.body, failure, attributes=message.message_attributes, group_id=message.group_id)

    def send(
        self,
        body: str,
        failure: Failure,
        *,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,  # noqa: ARG002
    ) -> None:
        with self._lock:
            if self.failing is not None:
                raise self.failing
            self.dead.append(DeadLetter(body, failure, attributes or {}, group_id))

    def set_visibility(self, receipt_handle: str, seconds: int) -> None:
        if self.failing is not None:
            raise self.failing
        self.visibility[receipt_handle] = seconds


class FakeIdempotencyTable:
    """The table that the :class:`FakeIdempotencyStore` of every request shares, and as operators' commands use it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.items: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.failing: dict[str, Exception] = {}
        self.tables = ["table"]

    def owned_by(self, owner: str) -> FakeIdempotencyStore:
        return FakeIdempotencyStore(self, owner)

    def at(self, destination: str) -> FakeIdempotencyTable:  # noqa: ARG002
        return self

    def done(self, key: str) -> bool:
        return self.items.get(key, {}).get("state") == "done"

    def withdrawn(self, key: str) -> bool:
        return self.items.get(key, {}).get("state") == "withdrawn"

    def withdraw(self, key: str, decision: str, *, version: int) -> Acquisition:
        item = self.items.get(key, {})
        if item.get("state") == "done":
            return Acquisition("done")
        if item.get("state") == "started" and item["lease_expires"] > self.clock():
            return Acquisition("in-progress", lease_expires=item["lease_expires"])
        if not (self.withdrawn(key) and item["version"] > version):
            record = {"state": "withdrawn", "result": {"withdrawn": decision}, "version": version}
            self.items[key] = {**record, "expires": float("inf")}
        return Acquisition("withdrawn")

    def reinstate(self, key: str, *, version: int) -> None:
        if self.withdrawn(key) and self.items[key]["version"] <= version:
            del self.items[key]


class FakeIdempotencyStore:
    """One owner's idempotency store. ``table.failing["complete"] = error`` makes that operation fail."""

    def __init__(self, table: FakeIdempotencyTable, owner: str) -> None:
        self.table = table
        self.owner = owner

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:
        self._fail("begin")
        now = self.table.clock()
        with self.table.lock:
            item = self.table.items.get(key)
            if item is not None and item["expires"] > now:
                if item["state"] in ("done", "withdrawn"):
                    return Acquisition(item["state"], result=item.get("result"))
                if item["lease_expires"] > now:
                    return Acquisition("in-progress", lease_expires=item["lease_expires"])
            self.table.items[key] = {
                "state": "started",
                "owner": self.owner,
                "lease_expires": lease_end(now, lease_seconds),
                "expires": now + RETENTION_SECONDS + CLOCK_SKEW_SECONDS,
            }
            return Acquisition("owned")

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        self._fail("complete")
        with self.table.lock:
            item = self.table.items.get(key)
            if item is None or item["owner"] != self.owner:
                raise TransientError("aws-ConditionalCheckFailedException", "the entry is somebody else's")
            item.update(state="done", result=result, expires=self.table.clock() + keep_seconds + CLOCK_SKEW_SECONDS)

    def acquire_all(self, keys: Sequence[str], *, lease_seconds: float) -> list[Acquisition | ProcessingError]:
        return [_outcome(self.acquire, key, lease_seconds=lease_seconds) for key in keys]

    def complete_all(self, completions: Sequence[Completion]) -> list[ProcessingError | None]:
        return [
            _outcome(self.complete, one.key, result=one.result, keep_seconds=one.keep_seconds) for one in completions
        ]

    def release(self, key: str) -> None:
        self._fail("release")
        with self.table.lock:
            item = self.table.items.get(key)
            if item is not None and item["owner"] == self.owner and item["state"] == "started":
                del self.table.items[key]

    def done(self, key: str) -> bool:
        self._fail("done")
        item = self.table.items.get(key)
        return item is not None and item["state"] == "done" and item["expires"] > self.table.clock()

    def _fail(self, operation: str) -> None:
        error = self.table.failing.get(operation)
        if error is not None:
            raise error


def _outcome(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return work(*arguments, **options)
    except ProcessingError as error:
        return error


class FakeBodies:
    """Bodies in memory."""

    base = "s3://bodies/kept/"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.failing: ProcessingError | None = None

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:  # noqa: ARG002
        if self.failing is not None:
            raise self.failing
        uri = self.base + digest(content)
        self.kept[uri] = content
        return uri

    def get(self, uri: str) -> bytes:
        if self.failing is not None:
            raise self.failing
        if not uri.startswith(self.base):
            raise PermanentDataError("foreign-dataref", "not minted here")
        if uri not in self.kept:
            raise PermanentDataError("body-missing", "gone")
        return self.kept[uri]


class FakeSecrets:
    """Secrets by ARN; ``stored`` has the accepted ones, ``cached`` those of the last read, ``outdated`` the others."""

    def __init__(self, **stored: Sequence[str]) -> None:
        self.stored = dict(stored)
        self.outdated: dict[str, list[str]] = {}
        self.cached: dict[str, list[str]] = {}
        self.failing: ProcessingError | None = None
        self.rereads = 0

    def verifying(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets:  # noqa: ARG002
        for arn in arns:
            if arn not in self.cached:
                if self.failing is not None:
                    raise self.failing
                self.cached[arn] = list(self.stored[arn])
        return PartnerSecrets(
            [value for arn in arns for value in self.cached[arn]],
            [value for arn in arns for value in self.outdated.get(arn, [])],
        )

    def reread(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets | None:
        self.rereads += 1
        if self.failing is not None:
            raise self.failing
        for arn in arns:
            self.cached.pop(arn, None)
        return self.verifying(arns, previous_seconds=previous_seconds)


def sqs_record(
    body: str,
    message_id: str = "m-1",
    *,
    receive_count: int = 1,
    group_id: str | None = None,
    fifo: bool | None = None,
    attributes: Mapping[str, Mapping[str, Any]] | None = None,
    first_received_ms: int = 1_789_999_000_000,
    sender_id: str = "AIDAEXAMPLE",
) -> dict[str, Any]:
    """One element of a Lambda event's ``Records``; a ``group_id`` makes it a FIFO queue's unless ``fifo`` is false."""
    system = {
        "ApproximateReceiveCount": str(receive_count),
        "SentTimestamp": str(first_received_ms),
        "SenderId": sender_id,
        "ApproximateFirstReceiveTimestamp": str(first_received_ms),
    }
    if group_id is not None:
        system["MessageGroupId"] = group_id
    if fifo if fifo is not None else group_id is not None:
        system["SequenceNumber"] = "18849496460467696128"
        system["MessageDeduplicationId"] = message_id
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-{message_id}",
        "body": body,
        "attributes": system,
        "messageAttributes": {
            name: {"stringListValues": [], "binaryListValues": [], "dataType": "String", **value}
            for name, value in (attributes or {}).items()
        },
        "md5OfBody": "00000000000000000000000000000000",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:queue",
        "awsRegion": "eu-west-1",
    }


def bus_event(event: Event) -> str:
    """``event`` as a rule sends it to a queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "11111111-2222-3333-4444-555555555555",
            "detail-type": event.metadata.type,
            "source": event.metadata.source,
            "account": "123456789012",
            "time": "2026-11-23T12:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": event.to_detail(),
        }
    )


def failure_attribute(failure: Failure) -> dict[str, dict[str, str]]:
    """``failure`` as a message attribute, in Lambda's spelling."""
    return {FAILURE_ATTRIBUTE: {"stringValue": failure.to_json(), "dataType": "String"}}
