"""Events as CloudEvents 1.0 over HTTP and back, in structured and in binary mode, without loss.

Specifications: the JSON format and the HTTP protocol binding, both at v1.0.2 of
https://github.com/cloudevents/spec. ``redrive``, our one attribute with parts, becomes the two extension attributes
``redriveroute`` and ``redrivecount``, since CloudEvents attributes are scalars.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from media_events.core.envelope import EnvelopeError, Event, Metadata

STRUCTURED_CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
HEADER_PREFIX: Final = "ce-"
_JSON: Final = re.compile(r"(?i)\s*(?:application|text)/(?:[^;\s]+\+)?json\s*(?:;.*)?", re.DOTALL)
_INTEGERS: Final = frozenset({"hops", "redrivecount"})
_PLAIN: Final = frozenset(range(0x21, 0x7F)) - frozenset(b'"%')
_DEFAULT_CONTENT_TYPE: Final = "application/json"


class CloudEventError(ValueError):
    """What came is not a CloudEvent of ours, or an event can't be written as one."""


def to_structured(event: Event) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request in structured mode.

    Raises:
        CloudEventError: ``data`` can't be written as JSON in UTF-8.
    """
    return {"content-type": STRUCTURED_CONTENT_TYPE}, _json({**_attributes(event.metadata), "data": event.data})


def from_structured(body: bytes) -> Event:
    """Read what :func:`to_structured` wrote.

    Raises:
        CloudEventError: saying what is missing or wrong.
    """
    document = _parse(body)
    if not isinstance(document, Mapping):
        raise CloudEventError("a CloudEvent in structured mode must be a JSON object")
    if "data" not in document:
        raise CloudEventError("data is missing")
    return Event(_metadata({k: v for k, v in document.items() if k != "data"}), document["data"])


def to_binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request in binary mode: attributes as ``ce-`` headers, ``data`` as the body.

    Raises:
        CloudEventError: ``data`` can't be written in UTF-8, or is neither text nor JSON.
    """
    attributes = _attributes(event.metadata)
    content_type = str(attributes.pop("datacontenttype", _DEFAULT_CONTENT_TYPE))
    try:
        headers = {HEADER_PREFIX + name: _encode(str(value)) for name, value in attributes.items()}
        content_type.encode("ascii")
    except UnicodeEncodeError:
        raise CloudEventError("an attribute can't be written in UTF-8, or the content type in ASCII") from None
    if _JSON.fullmatch(content_type):
        body = _json(event.data)
    elif isinstance(event.data, str):
        body = _utf8(event.data)
    else:
        raise CloudEventError(f"data is neither text nor JSON, as its content type {content_type!r} says")
    return {"content-type": content_type, **headers}, body


def from_binary(headers: Mapping[str, str], body: bytes) -> Event:
    """Read what :func:`to_binary` wrote; header names may be in any case.

    Raises:
        CloudEventError: saying what is missing or wrong.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    attributes: dict[str, Any] = {}
    for name, value in lowered.items():
        if name.startswith(HEADER_PREFIX):
            attribute = name.removeprefix(HEADER_PREFIX)
            attributes[attribute] = _integer(attribute, _decode(attribute, value))
    content_type = lowered.get("content-type", _DEFAULT_CONTENT_TYPE)
    attributes["datacontenttype"] = content_type
    if _JSON.fullmatch(content_type):
        return Event(_metadata(attributes), _parse(body))
    try:
        return Event(_metadata(attributes), body.decode())
    except UnicodeDecodeError:
        raise CloudEventError("data is not UTF-8") from None


def _attributes(metadata: Metadata) -> dict[str, Any]:
    attributes = metadata.to_dict()
    redrive = attributes.pop("redrive", None)
    if redrive is not None:
        attributes["redriveroute"] = redrive["route"]
        attributes["redrivecount"] = redrive["count"]
    return attributes


def _metadata(attributes: Mapping[str, Any]) -> Metadata:
    own = dict(attributes)
    route, count = own.pop("redriveroute", None), own.pop("redrivecount", None)
    if route is not None or count is not None:
        own["redrive"] = {"route": route, "count": count}
    try:
        return Metadata.from_dict(own)
    except EnvelopeError as error:
        raise CloudEventError("; ".join(error.problems)) from None


def _integer(attribute: str, text: str) -> Any:
    if attribute not in _INTEGERS:
        return text
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise CloudEventError(f"{attribute} must be an integer")
    return int(text)


def _encode(value: str) -> str:
    """Percent-encode what the HTTP binding (section 3.1.3.2) doesn't allow in a header's value."""
    return "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in value.encode())


def _decode(attribute: str, value: str) -> str:
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeError:
        raise CloudEventError(f"{attribute} is not UTF-8") from None


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise CloudEventError("data can't be written as JSON in UTF-8") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise CloudEventError("data can't be written in UTF-8") from None


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise CloudEventError("the body is not JSON") from None
