"""Responds to the request by which a sender checks that an endpoint wants its events.

Nothing else is echoed: a token must have a token's form, and the response is JSON or plain text.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from media_events.partners.normalization import Headers, message_names
from media_events.partners.signature_schemes import Handshake
from media_events.partners.signature_verification import Request
from media_events.partners.value_expressions import Context, is_true

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=:-]{1,512}")


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    """The response, in place of processing the request."""

    status: int
    body: str
    content_type: str


def answer_query(handshake: Handshake | None, request: Request, secrets: Sequence[str]) -> HandshakeResponse | None:
    """The response to a GET with a query parameter to echo; ``None`` if it is no handshake. Never raises.

    If ``secret_query`` is configured, that parameter must be one of ``secrets``: a GET has no signature.
    """
    if handshake is None or handshake.kind != "query_echo" or request.method.upper() != "GET":
        return None
    try:
        fields = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    query = dict(fields)
    if len(query) != len(fields) or any(query.get(name) != value for name, value in handshake.require_query.items()):
        return None
    if handshake.secret_query is not None:
        presented = query.get(handshake.secret_query, "").encode("utf-8", "backslashreplace")
        encoded = [secret.encode("utf-8", "backslashreplace") for secret in secrets if secret]
        if not sum(hmac.compare_digest(presented, secret) for secret in encoded):
            return None
    token = query.get(handshake.query or "")
    return _text(token) if _is_token(token) else None


def answer_document(
    handshake: Handshake | None, document: Any, secrets: Sequence[str], *, headers: Headers = (), query: str = ""
) -> HandshakeResponse | None:
    """The response to a POST whose verified body has a token to echo; ``None`` if it has none."""
    if handshake is None or handshake.kind == "query_echo" or handshake.when is None or handshake.token is None:
        return None
    context = Context({**message_names(document, headers=headers, query=query), "body": document, "index": 0}, 0.0)
    token = handshake.token.find(context)
    if not is_true(handshake.when.find(context)) or not _is_token(token):
        return None
    if handshake.kind == "echo_field":
        return _text(token) if handshake.response_field is None else _json({handshake.response_field: token})
    secret = next((secret for secret in secrets if secret), None)
    if secret is None or handshake.response_field is None or handshake.digest_field is None:
        return None
    digest = hmac.digest(secret.encode("utf-8", "backslashreplace"), token.encode(), handshake.algorithm)
    shown = digest.hex() if handshake.encoding == "hex" else base64.b64encode(digest).decode()
    return _json({handshake.response_field: token, handshake.digest_field: shown})


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _text(token: str | None) -> HandshakeResponse:
    return HandshakeResponse(200, token or "", "text/plain; charset=utf-8")


def _json(fields: dict[str, str]) -> HandshakeResponse:
    return HandshakeResponse(200, json.dumps(fields), "application/json")
