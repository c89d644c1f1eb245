"""An event as a CloudEvent over HTTP: structured and binary content mode.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from media_events.envelope import Event

STRUCTURED_CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"

# Printable ASCII but for space, double quote and percent travels as it is (section 3.1.3.2 of the binding).
_HEADER_SAFE: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def attributes(event: Event) -> dict[str, str | int]:
    """The CloudEvents attributes of ``event``; ``redrive`` stays inside, for it is about us, not about the event."""
    return {name: value for name, value in event.metadata.to_dict().items() if name != "redrive"}


def structured(event: Event) -> tuple[dict[str, str], bytes]:
    """Headers and body of structured content mode."""
    return {"Content-Type": STRUCTURED_CONTENT_TYPE}, dump({**attributes(event), "data": event.data})


def binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Headers (``ce-...``) and body (the data alone) of binary content mode."""
    headers = {
        f"ce-{name}": header_value(str(value)) for name, value in attributes(event).items() if name != "datacontenttype"
    }
    return {"Content-Type": header_value(event.metadata.datacontenttype, safe=" "), **headers}, dump(event.data)


def header_value(text: str, *, safe: str = "") -> str:
    """``text`` as a header can carry it: percent-encoded UTF-8 but for printable ASCII, so never a line break."""
    return quote(text, safe=_HEADER_SAFE + safe, errors="replace")


def dump(value: Any) -> bytes:
    """``value`` as compact JSON in UTF-8; lone surrogates, which UTF-8 can't say, are escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
