"""Responds to the request by which a sender checks that an endpoint wants its events.

Nothing else is echoed: a token must have a token's form, and the response is JSON or plain text.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.core.value_classes import dataclass
from media_events.partners.handshake_schemes import Handshake
from media_events.partners.message_parsing import Headers, read_message
from media_events.partners.normalization import message_names
from media_events.partners.proof_parts import Request
from media_events.partners.specification import PartnerSpecification
from media_events.partners.value_expressions import Context, is_true

MAX_UNSIGNED_BYTES: Final = 4_096
"""A larger body is no handshake: a stranger's is parsed before anything proves it."""

_TOKEN: Final = pattern(r"[A-Za-z0-9._~+/=:-]{1,512}")
_SPACED_TOKEN: Final = pattern(r"[A-Za-z0-9._~+/=: -]{1,512}")
"""A parameter of the query may be a sentence, as Microsoft Graph's is. It can hold no markup, and is plain text."""

_DIGESTED_TOKEN: Final = pattern(r"[A-Za-z0-9_-]{1,256}={0,2}")
_TEXT_TYPE: Final = "text/plain; charset=utf-8"
_JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    """The response, in place of processing the request."""

    status: int
    body: str
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def unsigned_answer(
    specification: PartnerSpecification, request: Request, secrets: Callable[[], Sequence[str]], *, query: str = ""
) -> HandshakeResponse | None:
    """The response to a handshake that nobody signs; ``None`` if the request is none.

    ``secrets`` are read only for a request that needs them. A stranger's request costs a query of 64 parameters, or a
    body of :data:`MAX_UNSIGNED_BYTES`.
    """
    handshake = specification.handshake
    if handshake is None or handshake.signed or request.method != handshake.method:
        return None
    if handshake.query is not None:
        return answer_query(handshake, request, secrets)
    if handshake.header is not None:
        return _answer_header(handshake.header, request)
    if handshake.when is None:
        return _fixed(handshake)
    return None if len(request.body) > MAX_UNSIGNED_BYTES else _answer_stranger(specification, request, query)


def _answer_stranger(specification: PartnerSpecification, request: Request, query: str) -> HandshakeResponse | None:
    try:
        return signed_answer(specification, request, (), query=query)
    except PermanentDataError:
        return None


def signed_answer(
    specification: PartnerSpecification, request: Request, secrets: Sequence[str], *, query: str = ""
) -> HandshakeResponse | None:
    """The response to a verified request that is a handshake; ``None`` if it is none.

    Raises:
        PermanentDataError: its body can't be read.
    """
    message = read_message(specification, request.body, headers=request.headers, query=query)
    return answer_document(specification.handshake, message.document, secrets, headers=request.headers, query=query)


def answer_query(
    handshake: Handshake | None, request: Request, secrets: Callable[[], Sequence[str]]
) -> HandshakeResponse | None:
    """The response to a request with a query parameter to echo, or to sign; ``None`` if it is no handshake.

    If ``secret_query`` is configured, that parameter must be one of ``secrets``: such a request has no signature.
    """
    if handshake is None or handshake.query is None or request.method.upper() != handshake.method:
        return None
    try:
        fields = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    query = dict(fields)
    if len(query) != len(fields) or any(query.get(name) != value for name, value in handshake.require_query.items()):
        return None
    token = query.get(handshake.query, "")
    if handshake.kind == "hmac_token":
        return _digested(handshake, token, secrets()) if _may_be_digested(token) else None
    if not _SPACED_TOKEN.fullmatch(token) or not _knows_secret(handshake, query, secrets):
        return None
    return HandshakeResponse(200, token, _TEXT_TYPE)


def _may_be_digested(token: str) -> bool:
    """Whoever asks gets the token's HMAC, so it must be no body that a signature with the same secret could be of.

    XML and multipart bodies begin with other characters; a number or a word could be JSON. Forms are refused in the
    specification.
    """
    if not _DIGESTED_TOKEN.fullmatch(token):
        return False
    try:
        json.loads(token)
    except ValueError:
        return True
    return False


def _knows_secret(handshake: Handshake, query: Mapping[str, str], secrets: Callable[[], Sequence[str]]) -> bool:
    if handshake.secret_query is None:
        return True
    presented = query.get(handshake.secret_query, "").encode("utf-8", "backslashreplace")
    encoded = [secret.encode("utf-8", "backslashreplace") for secret in secrets() if secret]
    return bool(sum(hmac.compare_digest(presented, secret) for secret in encoded))


def answer_document(
    handshake: Handshake | None, document: Any, secrets: Sequence[str], *, headers: Headers = (), query: str = ""
) -> HandshakeResponse | None:
    """The response to a request whose body asks for one; ``None`` if it does not."""
    if handshake is None or handshake.when is None:
        return None
    context = Context({**message_names(document, headers=headers, query=query), "body": document, "index": 0}, 0.0)
    if not is_true(handshake.when.find(context)):
        return None
    if handshake.kind == "fixed":
        return _fixed(handshake)
    token = None if handshake.token is None else handshake.token.find(context)
    return _echoed(handshake, token, secrets) if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _echoed(handshake: Handshake, token: str, secrets: Sequence[str]) -> HandshakeResponse | None:
    if handshake.kind == "hmac_token":
        return _digested(handshake, token, secrets)
    if handshake.response_field is None:
        return HandshakeResponse(200, token, _TEXT_TYPE)
    return _json({handshake.response_field: token})


def _answer_header(name: str, request: Request) -> HandshakeResponse | None:
    values = request.values(name)
    echoed = len(values) == 1 and _TOKEN.fullmatch(values[0])
    return HandshakeResponse(200, "", _TEXT_TYPE, {name: values[0]}) if echoed else None


def _digested(handshake: Handshake, token: str, secrets: Sequence[str]) -> HandshakeResponse | None:
    secret = next((secret for secret in secrets if secret), None)
    if secret is None or handshake.digest_field is None:
        return None
    digest = hmac.digest(secret.encode("utf-8", "backslashreplace"), token.encode(), handshake.algorithm)
    shown = digest.hex() if handshake.encoding == "hex" else base64.b64encode(digest).decode()
    answer = {handshake.digest_field: handshake.digest_prefix + shown}
    return _json(answer if handshake.response_field is None else {handshake.response_field: token, **answer})


def _fixed(handshake: Handshake) -> HandshakeResponse:
    if handshake.response is not None:
        return _json(handshake.response)
    return HandshakeResponse(handshake.status, "", _JSON_TYPE)


def _json(fields: Mapping[str, Any]) -> HandshakeResponse:
    return HandshakeResponse(200, json.dumps(fields), _JSON_TYPE)
