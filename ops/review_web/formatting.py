"""How the page says things: times, sizes, bodies, and text that may come from an attacker."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

MAX_HIGHLIGHTED: Final = 64 * 1024
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_JSON_TOKEN: Final = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*")(?P<colon>\s{0,8}:)?|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\b\d[\d.eE+-]*)'
)


def clean(value: Any) -> Any:
    """A value on its way into a page: without characters that nobody sees, or that turn the direction of writing."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def visible(text: str) -> str:
    """``text`` with a mark for every character that can't be seen."""
    if text.isprintable():
        return text
    # Browsers send the lines of a text field with the ends that HTTP wants.
    text = text.replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def epoch(text: str | None) -> float | None:
    """The seconds of an RFC 3339 time; ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def moment(text: str | None) -> str:
    """A time to the second, in UTC, as people write it; what is no time as it is."""
    seconds = epoch(text)
    if seconds is None:
        return text or ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """A duration in its largest unit: ``8 s``, ``3 min``, ``2 h``, ``5 days``."""
    seconds = max(0.0, seconds)
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def ago(text: str | None, now: float) -> str:
    """How long ago a time was; what is no time as it is."""
    seconds = epoch(text)
    if seconds is None:
        return text or ""
    return "just now" if now - seconds < 1 else f"{span(now - seconds)} ago"


def size(count: int) -> str:
    """A number of bytes."""
    if count < 1024:  # noqa: PLR2004
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def number(count: int) -> str:
    """``12345`` as ``12,345``."""
    return f"{count:,}"


def pretty(text: str) -> str:
    """A JSON text indented; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def highlighted(text: str) -> Markup:
    """A JSON text with its keys, strings and numbers told apart. Everything in it is escaped."""
    text = visible(text)
    if len(text) > MAX_HIGHLIGHTED:
        return escape(text)
    parts: list[Markup] = []
    end = 0
    for found in _JSON_TOKEN.finditer(text):
        parts.append(escape(text[end : found.start()]))
        kind = "key" if found["colon"] is not None else found.lastgroup or ""
        token = found["string"] or found["word"] or found["number"]
        parts.append(Markup('<span class="j-{}">{}</span>{}').format(kind, token, found["colon"] or ""))
        end = found.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)
