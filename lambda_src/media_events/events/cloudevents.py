"""Events as CloudEvents 1.0 over HTTP, in structured and in binary mode, without loss.

Specifications: the JSON format and the HTTP protocol binding, both at v1.0.2 of
https://github.com/cloudevents/spec. ``redrive``, our one attribute with parts, becomes the two extension attributes
``redriveroute`` and ``redrivecount``, since CloudEvents attributes are scalars.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from media_events.core.deferred import pattern
from media_events.core.envelope import Event, Metadata

STRUCTURED_CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
HEADER_PREFIX: Final = "ce-"
_JSON: Final = pattern(r"(?i)\s*(?:application|text)/(?:[^;\s]+\+)?json\s*(?:;.*)?", re.DOTALL)
_PLAIN: Final = frozenset(range(0x21, 0x7F)) - frozenset(b'"%')
_DEFAULT_CONTENT_TYPE: Final = "application/json"


class CloudEventError(ValueError):
    """The event can't be written as a CloudEvent."""


def to_structured(event: Event) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request in structured mode.

    Raises:
        CloudEventError: ``data`` can't be written as JSON in UTF-8.
    """
    return {"content-type": STRUCTURED_CONTENT_TYPE}, _json({**_attributes(event.metadata), "data": event.data})


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


def _attributes(metadata: Metadata) -> dict[str, Any]:
    attributes = metadata.to_dict()
    redrive = attributes.pop("redrive", None)
    if redrive is not None:
        attributes["redriveroute"] = redrive["route"]
        attributes["redrivecount"] = redrive["count"]
    return attributes


def _encode(value: str) -> str:
    """Percent-encode as section 3.1.3.2 of the HTTP binding says for header values."""
    return "".join(chr(octet) if octet in _PLAIN else f"%{octet:02X}" for octet in value.encode())


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
