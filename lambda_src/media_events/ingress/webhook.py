"""The webhook, from a request to its response.

The steps are: method, partner, size, raw bytes, signature and time, parse, normalise, deduplicate, publish, respond.
Nothing in a request is trusted before its signature has been verified over the raw bytes, or API Gateway has authorised
it (if configured so); and no request is acknowledged before its events are on the bus or in the dead-letter queue. A
4xx means that a retry can't help; a 503 is a fault of our own.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Protocol

from media_events.core.config_fields import Fields
from media_events.core.configuration import ConfigurationError
from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError, ProcessingError
from media_events.core.telemetry import Telemetry, error_location
from media_events.core.value_classes import dataclass
from media_events.ingress.authorization import WebhookAuthorization, parse_authorization
from media_events.ingress.cloudfront import as_viewed, origin_secret
from media_events.ingress.http import WebhookRequest, WebhookResponse
from media_events.ingress.idempotent_publish import IdempotentPublisher, Outcome
from media_events.ingress.partner_config import parse_partner_objects, read_specification
from media_events.ingress.probe import PROBE_KEEP_SECONDS, probe_event, probe_number
from media_events.ingress.quarantine import QuarantinedRequest
from media_events.messaging.idempotency import IdempotencyStore
from media_events.partners.body_parsing import MAX_BODY_BYTES, media_type, type_accepted
from media_events.partners.handshakes import HandshakeResponse, signed_answer, unsigned_answer
from media_events.partners.key_sources import KeyRequest
from media_events.partners.normalization import PartialBatchError, normalise
from media_events.partners.notes import Notes, report_notes
from media_events.partners.proof_parts import Request
from media_events.partners.secrets import DEFAULT_PREVIOUS_SECONDS, MAX_PREVIOUS_SECONDS, PartnerSecrets
from media_events.partners.signature_verification import (
    MALFORMED_REASONS,
    UNSUPPORTED_REASONS,
    Proof,
    Verdict,
)
from media_events.partners.sns_messages import CONFIRMATION, NOTIFICATION, SnsMessage, read_sns
from media_events.partners.specification import PartnerSpecification

RETRY_AFTER_SECONDS: Final = 30
_MAYBE_OUTDATED_SECRET: Final = frozenset(
    {"signature-mismatch", "token-mismatch", "credentials-mismatch", "secret-unusable", "secret-outdated"}
)
_OUR_FAULT: Final = frozenset({"secret-unusable", "verifier-fault", "verification-not-configured"})


class Secrets(Protocol):
    """Partners' secrets (``adapters.secrets_manager.SecretsManager``). Raises :class:`ProcessingError` only."""

    def verifying(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets:
        """Current secrets, and previous ones for so long after that; they may come from a cache."""

    def reread(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets | None:
        """The same, past the cache; ``None`` if they were read a moment ago."""


class PublicKeys(Protocol):
    """Keys at URLs (``partners.remote_keys.RemoteKeys``). Raises :class:`ProcessingError` only."""

    def find(self, request: KeyRequest) -> Sequence[str]:
        """The keys, as PEM or JWK; none if there is no such key."""

    def confirm(self, url: str) -> None:
        """Confirm a subscription of SNS, at a URL of its own host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPartner:
    """A partner that may send webhooks."""

    name: str
    specification: PartnerSpecification
    secret_arns: tuple[str, ...] = ()
    previous_secret_seconds: int = DEFAULT_PREVIOUS_SECONDS
    enabled: bool = True
    authentication: WebhookAuthorization = field(default_factory=WebhookAuthorization)


def parse_partners(document: Any, *, max_body_bytes: int = MAX_BODY_BYTES) -> dict[str, WebhookPartner]:
    """Read ``partners`` of the webhook's configuration document. ``max_body_bytes`` limits unpacked bodies.

    Raises:
        ConfigurationError: naming every partner and field that is wrong.
    """
    problems: list[str] = []
    partners = parse_partner_objects(document, _parse_partner, problems)
    if problems:
        raise ConfigurationError(problems)
    return {partner.name: _limited(partner, max_body_bytes) for partner in partners}


def _limited(partner: WebhookPartner, max_body_bytes: int) -> WebhookPartner:
    specification = partner.specification.limited_to(max_body_bytes)
    return partner if specification is partner.specification else replace(partner, specification=specification)


def _parse_partner(name: str, fields: Fields) -> WebhookPartner | None:
    arns = fields.texts("secret_arns", hint="a list of ARNs")
    previous_seconds = fields.integer(
        "previous_secret_seconds", default=DEFAULT_PREVIOUS_SECONDS, low=0, high=MAX_PREVIOUS_SECONDS
    )
    enabled = fields.boolean("enabled", default=True)
    authentication = parse_authorization(fields)
    specification = read_specification(fields)
    if specification is None:
        return None
    authorised = not authentication.by_signature
    webhook_problems = specification.webhook_problems(authorised=authorised, secrets=bool(arns))
    fields.problems.extend(f"{fields.at('specification')}.{problem}" for problem in webhook_problems)
    if (
        specification.verification is not None
        and specification.verification.needs_secret
        and not arns
        and not authorised
    ):
        fields.problem("secret_arns", "is empty, and the specification verifies signatures")
    return WebhookPartner(
        name=name,
        specification=specification,
        secret_arns=arns,
        previous_secret_seconds=previous_seconds,
        enabled=enabled,
        authentication=authentication,
    )


class _RefusedError(Exception):
    """The request ends here, with a 4xx."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


class _UnavailableError(Exception):
    """The request can't be processed now; its sender must try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_REFUSALS: Final = {
    400: "malformed request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    410: "gone",
    413: "body too large",
    415: "unsupported media type",
    422: "unprocessable",
    429: "try again later",
}
"""The response to a refused sender: never the reason, which would help a forger, and never its own input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """The webhook, wired. ``clock`` gives epoch seconds.

    With ``origin_secret_arn`` only requests that CloudFront passes on are taken.
    """

    partners: Mapping[str, WebhookPartner]
    secrets: Secrets
    public_keys: PublicKeys
    idempotent_publisher: IdempotentPublisher
    report: Telemetry
    hop: str
    max_body_bytes: int = MAX_BODY_BYTES
    origin_secret_arn: str | None = None
    clock: Callable[[], float] = time.time
    new_notes: Callable[[], Notes] = Notes

    def receive(
        self, incoming: WebhookRequest, idempotency: IdempotencyStore, *, remaining: Callable[[], float]
    ) -> WebhookResponse:
        """Process one request within the ``remaining`` seconds. Never raises."""
        partner: WebhookPartner | None = None
        try:
            incoming = self._passed_on(incoming)
            self._check_method(incoming)
            partner = self._partner(incoming)
            return self._process(partner, incoming, idempotency, remaining)
        except _RefusedError as refused:
            return self._refuse(incoming, partner, refused)
        except _UnavailableError as unavailable:
            return self._unavailable(partner, unavailable.reason)
        except Exception as error:  # noqa: BLE001  # the last resort: no input may ever cause a 500
            self.report.error(
                "hop failed", hop=self.hop, partner=partner.name if partner else None, **error_location(error)
            )
            return self._unavailable(partner, "internal")

    def replay(self, request: Any, idempotency: IdempotencyStore, *, remaining: Callable[[], float]) -> dict[str, Any]:
        """Process a quarantined request; it was verified when it came.

        Raises:
            ProcessingError: it still can't be processed, or not all of its events could be published.
        """
        quarantined = QuarantinedRequest.from_dict(request, self.idempotent_publisher.bodies)
        partner = self.partners.get(quarantined.partner)
        if partner is None:
            raise PermanentConfigError("unknown-partner", "the request's partner is not configured any more")
        message = _sns_message(partner.specification, quarantined.body)
        # The time of receipt, so that ids that depend on it are the same.
        events = normalise(
            partner.specification,
            partner=partner.name,
            ingress="webhook",
            body=quarantined.body if message is None else message.body,
            headers=quarantined.headers,
            query=quarantined.query,
            attributes=None if message is None else message.attributes,
            now=quarantined.received,
            only=quarantined.withheld or None,
            redacted=True,
        )
        outcome = self.idempotent_publisher.accept(events, idempotency, remaining=remaining, dead_letter=False)
        if outcome.error is not None:
            raise outcome.error
        return _summary(outcome, quarantined.id)

    def _passed_on(self, incoming: WebhookRequest) -> WebhookRequest:
        """The request as the sender sent it, before CloudFront passed it on: nobody gets past that."""
        if self.origin_secret_arn is None:
            return incoming
        given = origin_secret(incoming)
        # Without one it costs no call of the secret store.
        if given is None or not self._is_origin_secret(given, self.origin_secret_arn):
            raise _RefusedError(403, "not-by-cloudfront")
        return as_viewed(incoming)

    def _is_origin_secret(self, given: str, arn: str) -> bool:
        def among(known: Sequence[str]) -> bool:
            return any(hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in known)

        try:
            secrets = self.secrets.verifying((arn,), previous_seconds=DEFAULT_PREVIOUS_SECONDS)
            if among(secrets.accepted):
                return True
            secrets = self.secrets.reread((arn,), previous_seconds=DEFAULT_PREVIOUS_SECONDS) or secrets
        except ProcessingError as error:
            raise _UnavailableError(f"secret-store:{error.code}") from error
        if among(secrets.outdated):
            self.report.count("OutdatedSecretUsed")
        return among(secrets.accepted)

    def _check_method(self, incoming: WebhookRequest) -> None:
        named = self.partners.get(incoming.partner)
        allowed = named.specification.methods if named is not None and named.enabled else ("POST",)
        if incoming.method not in allowed:
            raise _RefusedError(405, "method-not-allowed", {"allow": ", ".join(allowed)})

    def _partner(self, incoming: WebhookRequest) -> WebhookPartner:
        partner = self.partners.get(incoming.partner)
        if partner is None:
            raise _RefusedError(404, "unknown-partner")
        if not partner.enabled:
            raise _RefusedError(410, "partner-disabled")
        return partner

    def _process(  # noqa: PLR0911 - one for each kind of request
        self,
        partner: WebhookPartner,
        incoming: WebhookRequest,
        idempotency: IdempotencyStore,
        remaining: Callable[[], float],
    ) -> WebhookResponse:
        specification = partner.specification
        body = incoming.body
        if body is None:
            raise _RefusedError(specification.answers.malformed, "body-not-base64")
        if len(body) > self.max_body_bytes:
            raise _RefusedError(413, "body-too-large", {"connection": "close"})
        refusal = partner.authentication.refusal(incoming.caller, partner.name)
        if refusal is not None:
            raise _RefusedError(specification.answers.unauthenticated, refusal)
        request = Request(incoming.method, incoming.url, tuple(incoming.headers), body, incoming.caller.address)
        answer = self._unsigned_answer(partner, incoming, request)
        if answer is not None:
            return self._handshake(partner, answer)
        if incoming.method not in specification.parsing.methods:
            raise _RefusedError(specification.answers.unauthenticated, "handshake-mismatch")
        secrets = self._authenticate(partner, request)
        self._check_form(specification, request)
        received = self.clock()
        number = probe_number(body)
        if number is not None:
            # Never to the dead-letter queue: who sends a probe waits for it, and must know that the bus refuses it.
            probe = probe_event(partner.name, number, received)
            return self._accept(partner, [probe], idempotency, remaining, PROBE_KEEP_SECONDS, dead_letter=False)
        message = _sns_message(specification, body)
        if message is not None and message.kind != NOTIFICATION:
            return self._subscription(partner, message)
        notes = self.new_notes()
        try:
            if specification.handshake is not None and specification.handshake.signed:
                answer = signed_answer(specification, request, secrets, query=incoming.query)
                if answer is not None:
                    return self._handshake(partner, answer)
            events = normalise(
                specification,
                partner=partner.name,
                ingress="webhook",
                body=body if message is None else message.body,
                headers=request.headers,
                query=incoming.query,
                attributes=None if message is None else message.attributes,
                now=received,
                notes=notes,
            )
        except PartialBatchError as error:
            # Quarantined only once the others are safe: the sender repeats the request after any other answer.
            self._accept(partner, error.events, idempotency, remaining, specification.dedup_window_seconds)
            return self._quarantine(partner, incoming, body, received, error)
        except PermanentDataError as error:
            return self._quarantine(partner, incoming, body, received, error)
        finally:
            report_notes(notes, self.report, hop=self.hop, partner=partner.name)
        return self._accept(partner, events, idempotency, remaining, specification.dedup_window_seconds)

    def _accept(  # noqa: PLR0913 - what one request has
        self,
        partner: WebhookPartner,
        events: Sequence[Event],
        idempotency: IdempotencyStore,
        remaining: Callable[[], float],
        keep_seconds: int,
        *,
        dead_letter: bool = True,
    ) -> WebhookResponse:
        outcome = self.idempotent_publisher.accept(
            events, idempotency, remaining=remaining, keep_seconds=keep_seconds, dead_letter=dead_letter
        )
        if outcome.error is not None:
            raise _UnavailableError(outcome.error.code)
        answers = partner.specification.answers
        repeated = outcome.duplicates and not outcome.accepted
        return _json(answers.duplicate if repeated else answers.accepted, _summary(outcome, ""))

    def _unsigned_answer(
        self, partner: WebhookPartner, incoming: WebhookRequest, request: Request
    ) -> HandshakeResponse | None:
        """The answer to a check of the endpoint that nobody signs; ``None`` if the request is none."""
        handshake = partner.specification.handshake
        if handshake is None or handshake.signed or request.method != handshake.method:
            return None
        # Read only for a request that asks for them: a stranger's costs no call of the secret store.
        return unsigned_answer(
            partner.specification, request, lambda: self._secrets(partner).accepted, query=incoming.query
        )

    def _handshake(self, partner: WebhookPartner, answer: HandshakeResponse) -> WebhookResponse:
        self.report.info("handshake answered", partner=partner.name, hop=self.hop)
        headers = {"content-type": answer.content_type, "x-content-type-options": "nosniff", **answer.headers}
        return WebhookResponse(answer.status, answer.body, headers)

    def _authenticate(self, partner: WebhookPartner, request: Request) -> Sequence[str]:
        """The partner's secrets, after one of them, or API Gateway, has proved the request."""
        if not partner.authentication.by_signature:
            handshake = partner.specification.handshake
            needed = handshake is not None and handshake.signed and handshake.kind == "hmac_token"
            return self._secrets(partner).accepted if needed else ()
        proof = Proof(partner.specification.verification, request, self.clock())
        # First without secrets: a request with a wrong form or time costs no call of the secret store.
        verdict = proof.verdict(())
        secrets = PartnerSecrets()
        if verdict.reason == "secret-unusable":
            secrets = self._secrets(partner)
            verdict = proof.verdict(secrets.accepted, outdated=secrets.outdated)
            if verdict.reason in _MAYBE_OUTDATED_SECRET:
                fresh = self._reread(partner)
                if fresh is not None:
                    secrets = fresh
                    verdict = proof.verdict(secrets.accepted, outdated=secrets.outdated)
        wanted = [] if verdict.valid else proof.key_requests()
        if wanted:
            found = self._public_keys(wanted)
            verdict = proof.verdict(secrets.accepted, outdated=secrets.outdated, found=found)
        self._judge(partner, verdict)
        return secrets.accepted

    def _public_keys(self, wanted: Sequence[KeyRequest]) -> Mapping[KeyRequest, Sequence[str]]:
        try:
            return {request: self.public_keys.find(request) for request in wanted}
        except ProcessingError as error:
            raise _UnavailableError(f"key-store:{error.code}") from error

    def _subscription(self, partner: WebhookPartner, message: SnsMessage) -> WebhookResponse:
        """Confirm the subscription of a configured topic; the end of one is only logged."""
        if message.kind == CONFIRMATION and message.confirmation_url is not None:
            try:
                self.public_keys.confirm(message.confirmation_url)
            except ProcessingError as error:
                raise _UnavailableError(f"subscription:{error.code}") from error
        self.report.info("subscription changed", partner=partner.name, hop=self.hop, kind=message.kind)
        return _json(partner.specification.answers.accepted, {"id": "", "status": "accepted"})

    def _judge(self, partner: WebhookPartner, verdict: Verdict) -> None:
        answers = partner.specification.answers
        if verdict.valid is False:
            if verdict.reason == "secret-outdated":
                # Without the partner, so that one alarm is enough; the log names it.
                self.report.count("OutdatedSecretUsed")
            if verdict.reason in _OUR_FAULT:
                raise _UnavailableError(verdict.reason)
            if verdict.reason in MALFORMED_REASONS:
                raise _RefusedError(answers.malformed, verdict.reason)
            if verdict.reason in UNSUPPORTED_REASONS:
                raise _RefusedError(415, verdict.reason)
            raise _RefusedError(answers.unauthenticated, verdict.reason)
        if verdict.secret_index:
            # A rotation is over when the old secret is no longer used.
            self.report.count("OlderSecretUsed", partner=partner.name)

    def _secrets(self, partner: WebhookPartner) -> PartnerSecrets:
        try:
            return self.secrets.verifying(partner.secret_arns, previous_seconds=partner.previous_secret_seconds)
        except ProcessingError as error:
            raise _UnavailableError(f"secret-store:{error.code}") from error

    def _reread(self, partner: WebhookPartner) -> PartnerSecrets | None:
        try:
            return self.secrets.reread(partner.secret_arns, previous_seconds=partner.previous_secret_seconds)
        except ProcessingError as error:
            # The verdict by the cached secrets stands.
            self.report.warning("secrets not re-read", hop=self.hop, partner=partner.name, reason=error.code)
            return None

    def _check_form(self, specification: PartnerSpecification, request: Request) -> None:
        parsing = specification.parsing
        encodings = [value.strip().lower() for value in request.values("content-encoding")]
        if any(encoding not in ("", "identity", parsing.compression) for encoding in encodings):
            raise _RefusedError(415, "content-encoding-unsupported")
        if request.method == "GET" or (parsing.empty_body and not request.body):
            return
        if not type_accepted(media_type(request.headers), parsing.content_types):
            raise _RefusedError(415, "content-type-unsupported")

    def _quarantine(
        self, partner: WebhookPartner, incoming: WebhookRequest, body: bytes, received: float, error: PermanentDataError
    ) -> WebhookResponse:
        """Store an authentic request that can't be processed: it must not be lost, and its sender can't correct it."""
        withheld = error.withheld if isinstance(error, PartialBatchError) else ()
        quarantined = QuarantinedRequest.of(partner.specification, incoming, body, received, withheld)
        publisher = self.idempotent_publisher
        try:
            text = json.dumps({"request": quarantined.to_dict(publisher.bodies)}, separators=(",", ":"))
            publisher.dead_letters.send(text, publisher.failure(error), deduplication_id=quarantined.id)
        except ProcessingError as refusal:
            raise _UnavailableError(f"quarantine:{refusal.code}") from refusal
        self.report.warning(
            "request quarantined", event_id=quarantined.id, partner=partner.name, hop=self.hop, reason=error.code
        )
        self.report.count("RequestsQuarantined", partner=partner.name)
        return _json(partner.specification.answers.unprocessable, {"id": quarantined.id, "status": "accepted"})

    def _refuse(
        self, incoming: WebhookRequest, partner: WebhookPartner | None, refused: _RefusedError
    ) -> WebhookResponse:
        self.report.warning(
            "request refused",
            hop=self.hop,
            partner=partner.name if partner else None,
            method=incoming.method if incoming.method in _METHODS else "other",
            reason=refused.reason,
            status=refused.status,
        )
        self.report.count("RequestsRefused", reason=refused.reason)
        return _json(refused.status, {"error": _REFUSALS.get(refused.status, "refused")}, refused.headers)

    def _unavailable(self, partner: WebhookPartner | None, reason: str) -> WebhookResponse:
        status, seconds = 503, RETRY_AFTER_SECONDS
        if partner is not None:
            status = partner.specification.answers.unavailable
            seconds = partner.specification.answers.retry_after_seconds
        self.report.error(
            "request refused", hop=self.hop, partner=partner.name if partner else None, reason=reason, status=status
        )
        self.report.count("RequestsRefused", reason=reason.partition(":")[0])
        return unavailable(status, seconds)


def _sns_message(specification: PartnerSpecification, body: bytes) -> SnsMessage | None:
    """The message of a topic, if the partner's requests are SNS's."""
    verification = specification.verification
    return read_sns(body) if verification is not None and verification.method == "sns" else None


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def unavailable(status: int = 503, retry_after_seconds: int = RETRY_AFTER_SECONDS) -> WebhookResponse:
    """The response to a request that can't be processed now."""
    return _json(status, {"error": "try again later"}, {"retry-after": str(retry_after_seconds)})


def _summary(outcome: Outcome, otherwise: str) -> dict[str, Any]:
    """``{"id", "status"}``, and ``ids`` if a request had several events."""
    events = [*outcome.accepted, *outcome.duplicates]
    ids = [event.metadata.id for event in events]
    summary: dict[str, Any] = {
        "id": ids[0] if ids else otherwise,
        "status": "accepted" if outcome.accepted or not ids else "duplicate",
    }
    return {**summary, "ids": ids} if len(ids) > 1 else summary


def _json(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> WebhookResponse:
    return WebhookResponse(
        status,
        json.dumps(document, separators=(",", ":")),
        {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
    )
