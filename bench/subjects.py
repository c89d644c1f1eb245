"""The functions that are measured, ours and the peers, each with its environment and its events."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bench.loopback import SECRET

REGION: Final = "eu-west-1"
_ARN: Final = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:mux-abcdef"
_QUEUES: Final = f"https://sqs.{REGION}.amazonaws.com/123456789012"
_SPECIFICATION: Final = {"id": "body.id", "type": "body.type", "time": "body.created_at", "subject": "body.data.id"}

MAX_PACKED: Final = 2048
"""As in modules/internal/lambda-function."""

Document = Mapping[str, Any]
"""A configuration document, as in docs/reference/function-configuration.md."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A function. ``package`` is ``ours`` or ``peers``; ``events`` makes so many of its events, of so many bytes."""

    name: str
    package: str
    handler: str
    events: Callable[[int, int, int], list[Any]]
    environment: Mapping[str, str] = field(default_factory=dict)
    document: Document | None = None

    def variables(self, endpoint: str, documents: Path | None) -> dict[str, str]:
        """The function's environment, as Lambda and Terraform would set it; its document is put into ``documents``."""
        variables = {
            "AWS_LAMBDA_FUNCTION_NAME": f"bench-{self.name}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": "/var/task",
            # Sampled=0: the tracer makes its segments and sends none, as for nine requests in ten.
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
            "POWERTOOLS_SERVICE_NAME": f"bench-{self.name}",
            "POWERTOOLS_METRICS_NAMESPACE": "Bench",
            "BUS_ARN": f"arn:aws:events:{REGION}:123456789012:event-bus/media",
            "IDEMPOTENCY_TABLE": "idempotency",
            "DEAD_LETTER_QUEUE_URL": f"{_QUEUES}/hop-dlq",
            "BODIES_URI": "s3://media/bodies/events/",
            **self.environment,
        }
        if self.document is not None:
            content = json.dumps(self.document).encode()
            digest = hashlib.sha256(content).hexdigest()
            if documents is not None:
                (documents / f"{digest}.json").write_bytes(content)
            packed = base64.b64encode(gzip.compress(content)).decode()
            variables |= {
                "CONFIGURATION": packed if len(packed) <= MAX_PACKED else "",
                "CONFIGURATION_URI": f"s3://media/configuration/{self.name}/{digest}.json",
                "CONFIGURATION_SHA256": digest,
            }
        return variables


def body(number: int, size: int) -> dict[str, Any]:
    """An event of Mux's, of about ``size`` bytes."""
    known = {
        "type": "video.asset.ready",
        "id": f"evt-{number:08}",
        "created_at": "2026-11-29T12:00:00.000000Z",
        "object": {"type": "asset", "id": f"asset-{number}"},
        "data": {"id": f"asset-{number}", "status": "ready", "duration": 23.8, "tracks": []},
    }
    tracks = known["data"]["tracks"]  # type: ignore[index]
    track = {"type": "video", "max_width": 1920, "max_height": 800, "max_frame_rate": 23.976, "id": "t" * 40}
    while len(json.dumps(known)) + 130 < size:
        tracks.extend([track] * max(1, (size - len(json.dumps(known))) // 140))
    return known


def detail(number: int, size: int) -> dict[str, Any]:
    """The same in our envelope, as on the bus."""
    metadata = {
        "specversion": "1.0",
        "id": f"evt-{number:08}",
        "source": "partner.mux",
        "type": "asset.ready",
        "time": "2026-11-29T12:00:00Z",
        "subject": f"asset-{number}",
        "partner": "mux",
        "ingress": "webhook",
        "nativetype": "video.asset.ready",
        "recordedtime": "2026-11-29T12:00:01Z",
        "partitionkey": f"asset-{number}",
        "datacontenttype": "application/json",
        "correlationid": f"evt-{number:08}",
        "stage": "received",
        "hops": 0,
    }
    return {"metadata": metadata, "data": body(number, size)}


def _signed(number: int, size: int) -> dict[str, Any]:
    text = json.dumps(body(number, size))
    now = str(int(time.time()))
    proof = hmac.new(SECRET.encode(), f"{now}.{text}".encode(), hashlib.sha256).hexdigest()
    path = "/webhooks/mux"
    return {
        "version": "2.0",
        "routeKey": f"ANY {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "mux-signature": f"t={now},v1={proof}",
            "content-length": str(len(text)),
        },
        "requestContext": {
            "accountId": "123456789012",
            "domainName": f"abcdef.execute-api.{REGION}.amazonaws.com",
            "http": {"method": "POST", "path": path, "sourceIp": "192.0.2.1", "userAgent": "mux"},
            "requestId": f"r{number}",
            "stage": "$default",
        },
        "body": text,
        "isBase64Encoded": False,
    }


def requests(count: int, _batch: int, size: int) -> list[Any]:
    """Signed webhooks."""
    return [_signed(number, size) for number in range(count)]


def _batches(count: int, batch: int, text: Callable[[int], str]) -> list[Any]:
    return [
        {
            "Records": [
                {
                    "messageId": f"m{number}",
                    "receiptHandle": "r",
                    "body": text(number),
                    "attributes": {
                        "ApproximateReceiveCount": "1",
                        "SentTimestamp": "1764417600000",
                        "ApproximateFirstReceiveTimestamp": "1764417600100",
                        "SenderId": "123456789012",
                    },
                    "messageAttributes": {},
                    "md5OfBody": "0" * 32,
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:hop",
                    "awsRegion": REGION,
                }
                for number in range(first, first + batch)
            ]
        }
        for first in range(0, count * batch, batch)
    ]


def records(count: int, batch: int, size: int) -> list[Any]:
    """Batches of a sender's own messages."""
    return _batches(count, batch, lambda number: json.dumps(body(number, size)))


def envelopes(count: int, batch: int, size: int) -> list[Any]:
    """Batches of what a rule put into a hop's queue."""

    def text(number: int) -> str:
        event = {
            "version": "0",
            "id": f"b{number}",
            "detail-type": "asset.ready",
            "source": "partner.mux",
            "account": "123456789012",
            "time": "2026-11-29T12:00:02Z",
            "region": REGION,
            "resources": [],
            "detail": detail(number, size),
        }
        return json.dumps(event)

    return _batches(count, batch, text)


_QUEUE: Final = {"QUEUE_URL": f"{_QUEUES}/hop", "MAX_RECEIVE_COUNT": "5"}


def ours(receiver: str = "") -> dict[str, Subject]:
    """Our functions, by name; ``receiver`` is the base URL of HTTP deliveries."""
    subjects = (
        Subject(
            name="webhook",
            package="ours",
            handler="media_events.handlers.webhook.handler",
            events=requests,
            environment={"HOP": "ingress/webhook"},
            document={"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [_ARN]}}},
        ),
        Subject(
            name="queue-ingress",
            package="ours",
            handler="media_events.handlers.queue_ingress.handler",
            events=records,
            environment={"HOP": "ingress/sqs", "INGRESS": "sqs", **_QUEUE},
            document={"partners": {"mux": {"specification": _SPECIFICATION}}},
        ),
        Subject(
            name="transform",
            package="ours",
            handler="media_events.handlers.transform.handler",
            events=envelopes,
            environment={"HOP": "transform/enrich", "ROUTER": "media", **_QUEUE},
            document={"steps": [{"set": {"reviewed": True}}]},
        ),
        Subject(
            name="deliver-http",
            package="ours",
            handler="media_events.handlers.deliver.handler",
            events=envelopes,
            environment={"HOP": "route/cms", "ROUTER": "media", **_QUEUE},
            document={
                "destination": {
                    "name": "cms",
                    "type": "http",
                    "url": f"{receiver}/receiver",
                    "allow_http": True,
                    "allowed_private_cidrs": ["127.0.0.0/8"],
                }
            },
        ),
        Subject(
            name="deliver-sqs",
            package="ours",
            handler="media_events.handlers.deliver.handler",
            events=envelopes,
            environment={"HOP": "route/archive", "ROUTER": "media", **_QUEUE},
            document={
                "destination": {
                    "name": "archive",
                    "type": "sqs",
                    "queue_arn": f"arn:aws:sqs:{REGION}:123456789012:archive",
                    "queue_url": f"{_QUEUES}/archive",
                }
            },
        ),
    )
    return {subject.name: subject for subject in subjects}


def with_partners(webhook: Subject, count: int) -> Subject:
    """The webhook with ``count`` partners, each with a specification and a secret of its own."""
    partners = {
        f"partner-{number}": {
            "specification": _SPECIFICATION
            | {
                "types": {f"native.{number}.{kind}": f"neutral.{kind}" for kind in range(10)},
                "verification": {
                    "method": "hmac",
                    "algorithm": "sha256",
                    "encoding": "hex",
                    "signature_header": f"x-partner-{number}-signature",
                },
            },
            "secret_arns": [f"{_ARN}{number}"],
        }
        for number in range(count - 1)
    }
    return replace(webhook, document={"partners": {**(webhook.document or {})["partners"], **partners}})


def peers(receiver: str = "") -> dict[str, Subject]:
    """The peers, by name."""
    environment = {"SECRET": SECRET, "SECRET_ARN": _ARN, "RECEIVER": f"{receiver}/receiver"}
    handlers = {
        "floor-webhook": ("floor.webhook", requests),
        "floor-queue-ingress": ("floor.queue", records),
        "textbook-webhook": ("textbook.webhook", requests),
        "textbook-queue-ingress": ("textbook.queue", records),
        "bare-deliver-http": ("bare.deliver", envelopes),
    }
    return {
        name: Subject(name=name, package="peers", handler=handler, events=events, environment=environment)
        for name, (handler, events) in handlers.items()
    }
