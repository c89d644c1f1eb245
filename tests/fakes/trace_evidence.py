"""Log records, idempotency records and queues as an event leaves them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from media_events.adapters.sqs.depths import Depth
from media_events_kit.event_patterns import effective_pattern
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.local.function_logs import LogLine
from media_events_kit.ops.trace.assembler import assemble
from media_events_kit.ops.trace.evidence import Depths, Evidence, IdempotencyRecord, LogRecord
from media_events_kit.ops.trace.model import EventTrace, Reading

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC).timestamp()
START = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
EMPTY = Depths(Depth(0, 0), Depth(0, 0))
SQS = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:publish"


def pattern(hop: str, user: dict[str, Any], stage: str = "transformed") -> str:
    return json.dumps(effective_pattern(user, hop=hop, stage=stage))


OUTPUTS: dict[str, Any] = {
    "hops": {
        "ingress/media-dev-webhook": {
            "destination": "bus",
            "queue_url": None,
            "dead_letter_queue_url": SQS + "media-dev-webhook-dlq",
            "idempotency_table": None,
        },
        "transform/normalise": {
            "destination": "transform/normalise",
            "queue_url": SQS + "media-dev-normalise",
            "dead_letter_queue_url": SQS + "media-dev-normalise-dlq",
            "idempotency_table": None,
        },
        "route/ready-to-cms": {
            "destination": "cms",
            "queue_url": SQS + "media-dev-ready-to-cms",
            "dead_letter_queue_url": SQS + "media-dev-ready-to-cms-dlq",
            "idempotency_table": "deliveries",
        },
        "route/ready-to-publication": {
            "destination": "publish",
            "queue_url": SQS + "media-dev-ready-to-publication",
            "dead_letter_queue_url": SQS + "media-dev-ready-to-publication-dlq",
            "idempotency_table": "deliveries",
        },
        "route/to-lake": {
            "destination": "lake",
            "queue_url": None,
            "dead_letter_queue_url": SQS + "media-dev-to-lake-dlq",
            "idempotency_table": None,
        },
    },
    "log_group_names": {
        "ingress/media-dev-webhook": "/aws/lambda/media-dev-webhook",
        "transform/normalise": "/aws/lambda/media-dev-normalise",
        "route/ready-to-cms": "/aws/lambda/media-dev-ready-to-cms",
        "route/ready-to-publication": "/aws/lambda/media-dev-ready-to-publication",
        "review/media-dev-review": "/aws/lambda/media-dev-review",
    },
    "event_patterns": {
        "transform/normalise": pattern("transform/normalise", {"detail-type": [{"prefix": "asset."}]}, "received"),
        "route/ready-to-cms": pattern("route/ready-to-cms", {"detail-type": ["asset.ready"]}),
        "route/ready-to-publication": pattern(
            "route/ready-to-publication", {"source": ["partner.mux"], "detail-type": ["asset.ready"]}
        ),
        "route/to-lake": pattern("route/to-lake", {"detail-type": ["qc.failed"]}, "received"),
    },
    "partners": ["frameio", "mux"],
    "partner_ingresses": {"frameio": ["ingress/media-dev-webhook"], "mux": ["ingress/media-dev-webhook"]},
    "state_machine_arns": {"publish": MACHINE},
    "idempotency_table_names": ["ingress", "deliveries"],
    "review_table_name": "review",
}
TOPOLOGY = Topology.of(OUTPUTS)

CMS = {"hop": "route/ready-to-cms", "destination": "cms"}
PUBLISH = {"hop": "route/ready-to-publication", "destination": "publish"}


def log_record(message: str, *, seconds: float = 0, by: str = "", event_id: str = "evt-1", **fields: Any) -> LogRecord:
    """A line, ``seconds`` after the start; every event is Mux's, and ready."""
    about = {"event_id": event_id, "partner": "mux", "type": "asset.ready", **fields}
    about = {name: value for name, value in about.items() if value is not None}
    hop = by or fields.get("hop", "ingress/media-dev-webhook")
    line = LogLine("f", int((START + seconds) * 1000), "", {"message": message, "hop": hop, **about})
    return LogRecord(hop, line)


def accepted(**fields: Any) -> LogRecord:
    return log_record("event accepted", hop="ingress/media-dev-webhook", **fields)


def transformed(**fields: Any) -> LogRecord:
    return log_record("event transformed", hop="transform/normalise", seconds=1, **fields)


BEGUN = (accepted(), transformed())


def idempotency_record(scope: str, state: str = "done", *, seconds: float = 2, **changes: Any) -> IdempotencyRecord:
    return IdempotencyRecord(source="partner.mux", scope=scope, state=state, at=START + seconds, **changes)  # type: ignore[arg-type]


def trace(
    *records: LogRecord, topology: Topology = TOPOLOGY, parts_of_it: tuple[str, ...] = (), **evidence: Any
) -> EventTrace:
    """The trace of ``evt-1``: all queues are empty, everything could be read."""
    depths = dict.fromkeys(TOPOLOGY.hops, EMPTY)
    values: dict[str, Any] = {"event_id": "evt-1", "now": NOW, "source": "partner.mux", "depths": depths}
    return assemble(Evidence(log_records=records, parts=parts_of_it, **(values | evidence)), topology, Reading())


def states(event: EventTrace) -> dict[str, str]:
    return {status.destination or status.hop: status.state for status in event.hops}
