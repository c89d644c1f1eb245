"""A webhook with an in-memory environment, and its partners' requests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media_events.events.publisher import Publisher
from media_events.handlers import webhook
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.webhook import WebhookReceiver, parse_partners
from media_events.partners.key_sources import KeyRequest
from media_events.partners.remote_keys import document_keys
from tests.fakes.hop import FakeBodies, FakeBus, FakeClock, FakeIdempotencyTable, FakeQueue, FakeReport, FakeSecrets

SECRET = "the-partner-s-signing-secret"
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOP = "ingress/webhook"

PARTNERS: dict[str, Any] = {
    "mux": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]},
    "frameio": {"specification": {"preset": "frameio-v4"}, "secret_arns": ["arn:frameio"]},
    "standard": {"specification": {"preset": "standard-webhooks"}, "secret_arns": ["arn:standard"]},
    "closed": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"], "enabled": False},
}

BODY = json.dumps(
    {"type": "video.asset.ready", "id": "evt-1", "object": {"type": "asset", "id": "asset-1"}, "data": {}}
)


class Context:
    """Lambda's context object."""

    def __init__(self, request_id: str = "request-1", milliseconds: int = 25_000) -> None:
        self.aws_request_id = request_id
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class FakePublicKeys:
    """Keys at URLs: JWK Sets and PEM texts; ``confirmed`` are the subscriptions."""

    documents: dict[str, str] = field(default_factory=dict)
    asked: list[KeyRequest] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)

    def find(self, request: KeyRequest) -> Sequence[str]:
        self.asked.append(request)
        document = self.documents.get(request.url)
        return [] if document is None else document_keys(request, [document])

    def confirm(self, url: str) -> None:
        self.confirmed.append(url)


@dataclass
class WebhookHarness:
    """The webhook under test; ``post`` calls the Lambda handler with an event of API Gateway."""

    partners: Mapping[str, Any] = field(default_factory=lambda: PARTNERS)
    max_body_bytes: int = 200_000
    max_entry_bytes: int = 100_000
    origin_secret_arn: str | None = None

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.report = FakeReport()
        self.bus = FakeBus()
        self.queue = FakeQueue()
        self.bodies = FakeBodies()
        self.table = FakeIdempotencyTable(self.clock)
        self.secrets = FakeSecrets(
            **{"arn:mux": [SECRET], "arn:frameio": [SECRET], "arn:standard": [STANDARD_SECRET], "arn:other": [SECRET]}
        )
        self.public_keys = FakePublicKeys()
        self.requests = 0
        self.receiver = WebhookReceiver(
            partners=parse_partners(self.partners, max_body_bytes=self.max_body_bytes),
            secrets=self.secrets,
            public_keys=self.public_keys,
            idempotent_publisher=IdempotentPublisher(
                publisher=Publisher(
                    bus=self.bus, bodies=self.bodies, max_entry_bytes=self.max_entry_bytes, sleep=self.clock.sleep
                ),
                dead_letters=self.queue,
                hop=HOP,
                report=self.report,
                bodies=self.bodies,
                inline_bytes=self.max_entry_bytes,
                clock=self.clock,
                sleep=self.clock.sleep,
            ),
            report=self.report,
            hop=HOP,
            max_body_bytes=self.max_body_bytes,
            origin_secret_arn=self.origin_secret_arn,
            clock=self.clock,
        )

    def application(self) -> webhook.Application:
        return webhook.Application(receiver=self.receiver, idempotency=self.table.owned_by)

    def send(self, event: Mapping[str, Any], *, context: Context | None = None) -> Reply:
        self.requests += 1
        answer = webhook.handler(dict(event), context or Context(f"request-{self.requests}"))
        return Reply(answer)

    def post(
        self,
        body: str | bytes = BODY,
        *,
        partner: str = "mux",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        **changes: Any,
    ) -> Reply:
        """Post ``body``, by default with the headers of Mux."""
        raw = body if isinstance(body, bytes) else body.encode()
        return self.send(
            api_event(raw, partner=partner, headers=self.mux_headers(raw) if headers is None else headers, **changes)
        )

    def mux_headers(self, body: bytes, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
        stamp = str(int(self.clock() if at is None else at))
        signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"mux-signature": f"t={stamp},v1={signature}", "content-type": "application/json"}

    def standard_headers(self, body: bytes, *, message_id: str = "msg_1", at: float | None = None) -> dict[str, str]:
        stamp = str(int(self.clock() if at is None else at))
        key = base64.b64decode(STANDARD_SECRET.removeprefix("whsec_"))
        mac = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
            "content-type": "application/json",
        }

    def nothing_happened(self) -> bool:
        """Nothing is on the bus, in the queue, in the bucket or in the idempotency store."""
        return not (self.bus.calls or self.queue.dead or self.bodies.kept or self.table.items)


class Reply:
    """The response to the sender."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.status: int = answer["statusCode"]
        self.headers: Mapping[str, str] = answer["headers"]
        self.text: str = answer["body"]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def api_event(
    body: bytes,
    *,
    partner: str = "mux",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    method: str = "POST",
    query: str = "",
    encoded: bool = True,
    version: str = "2.0",
) -> dict[str, Any]:
    """An event of an HTTP API (2.0) or of a REST API (1.0). Repeated headers are joined by commas in 2.0."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    text = base64.b64encode(body).decode() if encoded else body.decode("utf-8", "surrogatepass")
    path = f"/webhooks/{partner}"
    common = {"pathParameters": {"partner": partner}, "body": text, "isBase64Encoded": encoded}
    if version == "1.0":
        several: dict[str, list[str]] = {}
        for name, value in pairs:
            several.setdefault(name, []).append(value)
        return common | {
            "version": "1.0",
            "resource": "/webhooks/{partner}",
            "path": path,
            "httpMethod": method,
            "headers": dict(pairs),
            "multiValueHeaders": several,
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"domainName": "hooks.example.com", "httpMethod": method, "path": path},
        }
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return common | {
        "version": "2.0",
        "routeKey": "ANY /webhooks/{partner}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": {
            "domainName": "hooks.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
            "requestId": "gateway-1",
            "stage": "$default",
        },
    }
