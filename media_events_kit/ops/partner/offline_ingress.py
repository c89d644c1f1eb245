"""The deployed ingress functions, wired without AWS: what they do with one message is seen, and nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

from media_events.core.failures import Failure, PermanentDataError, ProcessingError
from media_events.events.claim_check import digest
from media_events.events.publisher import Entry, Publisher
from media_events.ingress.http import AuthorizedCaller, WebhookRequest, WebhookResponse
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.queue import QueueReceiver
from media_events.ingress.queue_config import QueueIngress, QueuePartner
from media_events.ingress.webhook import WebhookPartner, WebhookReceiver
from media_events.messaging.idempotency import RETENTION_SECONDS, Acquisition, Completion
from media_events.messaging.message import Message
from media_events.messaging.message_origin import LASTING_ATTRIBUTES
from media_events.partners.key_sources import KeyRequest
from media_events.partners.notes import Notes
from media_events.partners.remote_keys import document_keys
from media_events.partners.secrets import PartnerSecrets
from media_events.partners.specification import PartnerSpecification

HOP: Final = "ingress/check"
_SECONDS: Final = 25.0
_ARN: Final = "arn:aws:secretsmanager:given:on:the:command-line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The effect of one message: ``events`` as they go on the bus, and ``response`` if it was a webhook's.

    ``error`` has the code and message of a refusal or a quarantine.
    """

    events: Sequence[Mapping[str, Any]] = ()
    response: WebhookResponse | None = None
    error: tuple[str, str] | None = None
    handshake: bool = False


@dataclass(slots=True)
class _Account:
    """Every port of the functions: bus, dead-letter queue, storage, idempotency store, secrets and log."""

    secrets: Sequence[str] = ()
    entries: list[Entry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def put(self, entries: Sequence[Entry]) -> Sequence[ProcessingError | None]:
        self.entries.extend(entries)
        return [None] * len(entries)

    def send(self, body: str, failure: Failure, **_: Any) -> None:  # noqa: ARG002
        self.failures.append(failure)

    def verifying(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets:  # noqa: ARG002
        return PartnerSecrets(accepted=self.secrets)

    def find(self, request: KeyRequest) -> Sequence[str]:
        """The given keys, in the place of those at the URL."""
        return document_keys(request, self.secrets)

    def confirm(self, url: str) -> None:
        """Nobody subscribes here."""

    def reread(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets | None:  # noqa: ARG002
        return None

    def info(self, message: str, /, **fields: object) -> None:
        self.lines.append((message, fields))

    warning = error = info

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None:
        """Nobody looks at metrics here."""

    def events(self) -> list[dict[str, Any]]:
        return [
            {"source": entry.source, "detail-type": entry.detail_type, "detail": json.loads(entry.detail)}
            for entry in self.entries
        ]


@dataclass(frozen=True, slots=True)
class _Bodies:
    kept: dict[str, bytes]

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:  # noqa: ARG002
        uri = f"s3://bodies/{digest(content)}"
        self.kept[uri] = content
        return uri

    def get(self, uri: str) -> bytes:
        if uri not in self.kept:
            raise PermanentDataError("foreign-dataref", "there is no such body here")
        return self.kept[uri]


class _NothingYet:
    """An idempotency store that has seen no event."""

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:  # noqa: ARG002
        return Acquisition("owned")

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        """The next message is the first one again."""

    release = complete

    def acquire_all(self, keys: Sequence[str], *, lease_seconds: float) -> list[Acquisition]:
        return [self.acquire(key, lease_seconds=lease_seconds) for key in keys]

    def complete_all(self, completions: Sequence[Completion]) -> list[None]:
        return [None] * len(completions)

    def done(self, key: str) -> bool:  # noqa: ARG002
        return False


def _publisher(account: _Account, now: float) -> IdempotentPublisher:
    bodies = _Bodies(account.bodies)
    return IdempotentPublisher(
        publisher=Publisher(bus=account, bodies=bodies),
        dead_letters=account,
        hop=HOP,
        report=account,
        bodies=bodies,
        clock=lambda: now,
    )


def post(  # noqa: PLR0913 - the parts of a request
    specification: PartnerSpecification,
    *,
    partner: str,
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    secrets: Sequence[str],
    now: float,
    notes: Notes,
    address: str = "",
) -> Outcome:
    """The effect of a webhook's request from an address."""
    account = _Account(secrets)
    receiver = WebhookReceiver(
        partners={partner: WebhookPartner(name=partner, specification=specification, secret_arns=(_ARN,))},
        secrets=account,
        public_keys=account,
        idempotent_publisher=_publisher(account, now),
        report=account,
        hop=HOP,
        clock=lambda: now,
        new_notes=lambda: notes,
    )
    parts = urlsplit(url)
    request = WebhookRequest(
        partner=partner,
        method=method.upper(),
        host=parts.netloc,
        path=parts.path or "/",
        query=parts.query,
        headers=tuple(headers),
        body=body,
        caller=AuthorizedCaller(address=address),
    )
    response = receiver.receive(request, _NothingYet(), remaining=lambda: _SECONDS)
    return Outcome(
        events=account.events(),
        response=response,
        error=_error(account),
        handshake=any(message == "handshake answered" for message, _ in account.lines),
    )


def _error(account: _Account) -> tuple[str, str] | None:
    for failure in account.failures:
        return failure.code, failure.message
    for message, fields in account.lines:
        if message in ("request refused", "hop failed"):
            reason = str(fields.get("reason") or fields.get("error"))
            return reason, f"the request is answered {fields.get('status', 503)}: {reason}"
    return None


def take(  # noqa: PLR0913 - the parts of a message
    specification: PartnerSpecification | None,
    *,
    partner: str,
    ingress: str,
    attributes: Mapping[str, str],
    body: bytes,
    now: float,
    notes: Notes,
    message_id: str = "check",
) -> Outcome:
    """The effect of a message of a queue, a topic or a bus; a partner without specification sends envelopes."""
    account = _Account()
    receiver = QueueReceiver(
        ingress=cast("QueueIngress", ingress),
        partners=[QueuePartner(name=partner, specification=specification, sources=("*",))],
        idempotent_publisher=_publisher(account, now),
        clock=lambda: now,
        new_notes=lambda: notes,
    )
    system = {name: value for name, value in attributes.items() if name in LASTING_ATTRIBUTES}
    message = Message(
        # SQS takes only text; other bytes stay what they are, no UTF-8.
        body=body.decode("utf-8", "surrogateescape"),
        message_id=message_id,
        receipt_handle="check",
        attributes={"SentTimestamp": str(round(now * 1000)), **system},
        message_attributes={
            name: {"dataType": "String", "stringValue": value}
            for name, value in attributes.items()
            if name not in system
        },
    )
    (error,) = receiver.receive([message], _NothingYet(), remaining=lambda: _SECONDS)
    if error is None:
        return Outcome(events=account.events())
    if not isinstance(error, ProcessingError):
        raise error
    return Outcome(events=account.events(), error=(error.code, error.message))
