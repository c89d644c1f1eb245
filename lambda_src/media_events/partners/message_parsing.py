"""Reads a message by its specification: from the bytes to the values that expressions see.

Every refusal is a :class:`PermanentDataError` with a code of the parser of its format (:mod:`body_parsing`,
:mod:`form_parsing`, :mod:`xml_parsing`, :mod:`multipart_parsing`, :mod:`decompression`), or ``token-malformed``,
``unwrap-failed``, ``unwrap-missing``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping
from media_events.core.value_classes import dataclass
from media_events.partners.body_parsing import media_type, parse_json
from media_events.partners.decompression import gunzip, gunzip_beginning
from media_events.partners.expression_functions import DecodingFunctions
from media_events.partners.form_parsing import FORM_TYPE, form_of, parse_form, url_encoded_pairs
from media_events.partners.redaction import RedactedPath, redact, redact_body, redact_document, redact_texts
from media_events.partners.specification import OptionalPath, PartnerSpecification

UNWRAPPED: Final = "[unwrapped]"
"""Takes the place of a text whose content is the message."""

Headers = Sequence[tuple[str, str]] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """A message's ``document``, and its wrapping as ``envelope``: an EventBridge event, or the body around it."""

    document: Any
    envelope: Mapping[str, Any] = field(default_factory=dict)


def read_message(  # noqa: PLR0913 - the parts of a message
    specification: PartnerSpecification,
    body: bytes,
    *,
    headers: Headers = (),
    query: str = "",
    envelope: Mapping[str, Any] | None = None,
    redacted: bool = False,
) -> ParsedMessage:
    """The message in a body. ``redacted``: the body comes from :func:`without_credentials`.

    Raises:
        PermanentDataError: it can't be read.
    """
    parsing = specification.parsing
    again = _read_again(body) if redacted and not parsing.plain else None
    if again is not None:
        return again
    document = parse_body(specification, body, headers=headers, query=query)
    wrapper: Mapping[str, Any] = {}
    if parsing.unwrap is not None:
        document, wrapper = _unwrapped(parsing.unwrap, document)
    if envelope:
        return ParsedMessage(document=document, envelope=envelope)
    if (
        parsing.wrapping == "eventbridge"
        and isinstance(document, dict)
        and isinstance(document.get("detail"), dict)
        and isinstance(document.get("detail-type"), str)
    ):
        around = {name: value for name, value in document.items() if name != "detail"}
        return ParsedMessage(document=document["detail"], envelope=around)
    return ParsedMessage(document=document, envelope=wrapper)


def parse_body(  # noqa: PLR0911 - one for each format
    specification: PartnerSpecification, body: bytes, *, headers: Headers = (), query: str = ""
) -> Any:
    """The body, or the query, in the specification's format.

    Raises:
        PermanentDataError: it can't be read.
    """
    parsing = specification.parsing
    nested = parsing.fields == "nested"
    if parsing.format == "query":
        return query_form(query, nested=nested, without=specification.query_secrets)
    content = gunzip(body, parsing.max_body_bytes) if parsing.compression == "gzip" else body
    if not content and parsing.empty_body:
        return {}
    if parsing.format == "xml":
        from media_events.partners.xml_parsing import parse_xml  # noqa: PLC0415 - few partners need it

        return parse_xml(content, parsing.charset)
    if parsing.format == "jwt":
        return _claims(content)
    charset = parsing.charset or "utf-8"
    if parsing.format == "multipart":
        from media_events.partners.multipart_parsing import parse_multipart  # noqa: PLC0415 - few partners need it

        return parse_multipart(content, charset, nested=nested)
    if parsing.format == "form" or (parsing.format == "json-or-form" and media_type(headers) == FORM_TYPE):
        return parse_form(content, charset, nested=nested)
    return parse_json(content, charset)


def _claims(content: bytes) -> Any:
    """The claims of a token that is the body, such as a security event token (RFC 8417, section 2)."""
    from media_events.partners.json_web_tokens import parse_token  # noqa: PLC0415 - few partners need it

    token = parse_token(content.decode("latin-1").strip("\r\n"))
    if token is None:
        raise PermanentDataError("token-malformed", "the body is no signed JSON Web Token")
    return parse_json(token.payload)


def query_form(query: str, *, nested: bool, without: frozenset[str]) -> dict[str, Any]:
    """The parameters of a URL's query as a form's fields, ``without`` those that prove the sender.

    Raises:
        PermanentDataError: it can't be read.
    """
    pairs = url_encoded_pairs(query)
    return form_of([(name, value) for name, value in pairs if name not in without], nested=nested)


def _unwrapped(place: OptionalPath, document: Any) -> tuple[Any, Mapping[str, Any]]:
    functions = DecodingFunctions()
    names = {"body": document, "document": document}
    try:
        message = place.path.compiled.search(names, jmespath.Options(custom_functions=functions))
    except JMESPathError as error:
        raise PermanentDataError("unwrap-failed", f"{place.path.expression} does not fit: {error}") from None
    except Exception:  # noqa: BLE001 - no data of a sender may make a library's exception ours
        raise PermanentDataError("unwrap-failed", f"{place.path.expression} does not fit") from None
    if message is None:
        if not place.optional:
            raise PermanentDataError("unwrap-missing", f"there is no message at {place.path.expression}")
        return document, {}
    return message, mapping(_without_texts(document, functions.decoded))


def _without_texts(value: Any, texts: set[str]) -> Any:
    """The wrapper without the message, of which no path of ``redact`` would find the credentials."""
    if isinstance(value, str):
        return UNWRAPPED if value in texts else value
    if isinstance(value, dict):
        return {name: _without_texts(item, texts) for name, item in value.items()}
    return [_without_texts(item, texts) for item in value] if isinstance(value, list) else value


_AGAIN: Final = {"document", "envelope"}


def without_credentials(
    specification: PartnerSpecification, body: bytes, *, headers: Headers = (), query: str = ""
) -> bytes:
    """The body without the fields that the specification redacts, for a message that can't be normalised.

    One that is not plain JSON becomes ``{"document", "envelope"}``, as far as it can be read: in no other form could
    all of its credentials be found.
    """
    paths = [path for path in specification.redact if path.root != "headers"]
    if not paths or specification.parsing.plain:
        return redact_body(body, paths)
    try:
        message = read_message(specification, body, headers=headers, query=query)
    except PermanentDataError:
        return _without_readable_credentials(specification, body, paths, headers=headers, query=query)
    clean = {
        "document": redact_document(message.document, paths),
        "envelope": redact_document(message.envelope, paths),
    }
    return json.dumps(clean, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _without_readable_credentials(
    specification: PartnerSpecification, body: bytes, paths: Sequence[RedactedPath], *, headers: Headers, query: str
) -> bytes:
    """The same for a body that can't be read to its end: its wrapper can, or what gzip or a charset has in it."""
    parsing = specification.parsing
    try:
        around = parse_body(specification, body, headers=headers, query=query)
        clean = redact_texts(redact_document(around, paths), paths)
        return json.dumps(clean, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except PermanentDataError:
        content = gunzip_beginning(body, parsing.max_body_bytes) if parsing.compression == "gzip" else body
        return redact_body(content, paths, parsing.charset)


def _read_again(body: bytes) -> ParsedMessage | None:
    """What :func:`without_credentials` made of a message; ``None`` if it could not read it."""
    try:
        again = parse_json(body)
    except PermanentDataError:
        return None
    if not isinstance(again, dict) or again.keys() != _AGAIN:
        return None
    return ParsedMessage(document=again["document"], envelope=mapping(again["envelope"]))


_TOKENS: Final = ("static_token", "basic", "jwt_body", "jwt")
"""What these methods send proves the sender of any message, not of this one alone."""


def clean_headers(specification: PartnerSpecification, headers: Mapping[str, Any]) -> dict[str, Any]:
    """Headers for an event's data: without credentials, and without a secret that proves the sender."""
    schemes = () if specification.verification is None else specification.verification.schemes
    secret = {scheme.signature_header or "authorization" for scheme in schemes if scheme.method in _TOKENS}
    clean: dict[str, Any] = redact(
        {n: v for n, v in headers.items() if n not in secret}, specification.redact, "headers"
    )
    return clean
