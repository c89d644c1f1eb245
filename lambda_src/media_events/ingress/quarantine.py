"""Quarantine for authentic requests that can't be processed: their form in the dead-letter queue, and back."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from media_events.core.clock import epoch, timestamp
from media_events.core.failures import PermanentConfigError, PermanentDataError
from media_events.core.json_fields import is_whole
from media_events.core.secret_text import mentions_secret
from media_events.core.value_classes import dataclass
from media_events.events.claim_check import Bodies
from media_events.ingress.http import WebhookRequest
from media_events.partners.form_parsing import MAX_FORM_FIELDS
from media_events.partners.message_parsing import without_credentials
from media_events.partners.redaction import REDACTED, redact
from media_events.partners.sns_messages import rewrap_sns
from media_events.partners.specification import PartnerSpecification

INLINE_BYTES: Final = 128 * 1024
"""A larger body goes to the bucket: a dead letter must fit into 256 KiB, and base64 adds a third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRequest:
    """A request without credentials and signatures. ``received`` is in epoch seconds.

    ``withheld`` are the places of the events in a batch that are still to be published; empty for all.
    """

    id: str
    partner: str
    method: str
    path: str
    headers: Mapping[str, str]
    query: str
    body: bytes
    received: float
    withheld: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        specification: PartnerSpecification,
        incoming: WebhookRequest,
        body: bytes,
        received: float,
        withheld: tuple[int, ...] = (),
    ) -> Self:
        """Remove credentials, signatures and the fields that the specification redacts.

        A verbatim repetition has the same id, so that a request that is sent again is one review item.
        """
        verification = specification.verification
        proofs = {"authorization"}
        needed: set[str] = set()
        if verification is not None:
            proofs = proofs.union(*(scheme.proof_headers() for scheme in verification.schemes))
            # The event's id may be made of signed headers.
            needed = set().union(*(scheme.signed_headers() for scheme in verification.schemes)) - proofs
        headers: dict[str, str] = {}
        for name, value in incoming.headers:
            lowered = name.lower()
            if lowered in proofs or (mentions_secret(lowered) and lowered not in needed):
                continue
            headers[lowered] = f"{headers[lowered]}, {value}" if lowered in headers else value
        query = _clean_query(incoming.query, specification)
        signed = sorted((name, value) for name, value in incoming.headers if name.lower() in needed)
        parts = [incoming.partner, incoming.method, incoming.path, query, repr(signed)]
        digest = hashlib.sha256(b"".join(b"%d:%s" % (len(p), p) for p in (*_encoded(parts), body)))
        return cls(
            id=f"request-{digest.hexdigest()[:32]}",
            partner=incoming.partner,
            method=incoming.method,
            path=incoming.path,
            headers=redact(headers, specification.redact, "headers"),
            query=query,
            body=_redacted(body, incoming, specification),
            received=received,
            withheld=withheld,
        )

    def to_dict(self, bodies: Bodies | None) -> dict[str, Any]:
        """The ``request`` object of a dead letter (docs/reference/messages.md); a large body goes to ``bodies``.

        Raises:
            ProcessingError: the body could not be stored.
        """
        request: dict[str, Any] = {
            "id": self.id,
            "partner": self.partner,
            "ingress": "webhook",
            "method": self.method,
            "path": self.path,
            "headers": dict(self.headers),
            "query": self.query,
            "receivedtime": timestamp(self.received),
        }
        if self.withheld:
            request["withheld"] = list(self.withheld)
        if len(self.body) > INLINE_BYTES and bodies is not None:
            request["bodyref"] = bodies.put(self.body, content_type="application/octet-stream")
        else:
            request["body_base64"] = base64.b64encode(self.body).decode()
        return request

    @classmethod
    def from_dict(cls, request: Any, bodies: Bodies | None) -> Self:
        """Read what :meth:`to_dict` wrote.

        Raises:
            PermanentDataError: it is not such an object (``not-a-request``), or its body is not in the storage.
            ProcessingError: the body could not be read.
        """
        if not isinstance(request, Mapping):
            raise PermanentDataError("not-a-request", "request must be an object")
        names = ("partner", "method", "path", "query", "receivedtime")
        wrong = [name for name in names if not isinstance(request.get(name), str)]
        headers = request.get("headers")
        if not isinstance(headers, Mapping) or not all(isinstance(v, str) for v in headers.values()):
            wrong.append("headers")
        withheld = request.get("withheld", [])
        if not isinstance(withheld, list) or not all(is_whole(place) for place in withheld):
            wrong.append("withheld")
        if wrong:
            raise PermanentDataError("not-a-request", f"request lacks or has wrong: {', '.join(wrong)}")
        received = epoch(request["receivedtime"])
        if received is None:
            raise PermanentDataError("not-a-request", "request.receivedtime must be an RFC 3339 time")
        return cls(
            id=str(request.get("id") or ""),
            partner=request["partner"],
            method=request["method"],
            path=request["path"],
            headers={str(name): value for name, value in request["headers"].items()},
            query=request["query"],
            body=_body(request, bodies),
            received=received,
            withheld=tuple(withheld),
        )


def _redacted(body: bytes, incoming: WebhookRequest, specification: PartnerSpecification) -> bytes:
    def redacted(content: bytes) -> bytes:
        return without_credentials(specification, content, headers=incoming.headers, query=incoming.query)

    verification = specification.verification
    # The partner's credentials are in the message of a topic, not in its frame.
    sns = verification is not None and verification.method == "sns"
    return rewrap_sns(body, redacted) if sns else redacted(body)


def _body(request: Mapping[str, Any], bodies: Bodies | None) -> bytes:
    reference, inline = request.get("bodyref"), request.get("body_base64")
    if isinstance(reference, str):
        if bodies is None:
            raise PermanentConfigError("no-bodies", "the request's body is in a bucket, and BODIES_URI is not set")
        return bodies.get(reference)
    try:
        return base64.b64decode(inline.encode("ascii") if isinstance(inline, str) else "!", validate=True)
    except (binascii.Error, ValueError):
        raise PermanentDataError("not-a-request", "request needs body_base64 or bodyref") from None


def _clean_query(query: str, specification: PartnerSpecification) -> str:
    verification, handshake = specification.verification, specification.handshake
    secret = {
        name
        for name in (
            *(scheme.signature_query for scheme in (verification.schemes if verification else ())),
            handshake.secret_query if handshake else None,
        )
        if name
    }
    if specification.parsing.format == "query":
        secret |= {path.steps[-1] for path in specification.redact if path.root != "headers"}
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        return ""
    return urlencode(
        [(name, REDACTED if name in secret or mentions_secret(name) else value) for name, value in fields],
        errors="replace",
    )


def _encoded(texts: Sequence[str]) -> list[bytes]:
    return [text.encode("utf-8", "backslashreplace") for text in texts]
