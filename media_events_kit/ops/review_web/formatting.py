"""Times, sizes, bodies and foreign text on the page."""

from __future__ import annotations

import re
from typing import Any, Final

from markupsafe import Markup, escape

from media_events.core.clock import epoch
from media_events_kit.ops.shared.times import span

MAX_HIGHLIGHTED: Final = 64 * 1024
_JSON_TOKEN: Final = re.compile(
    # A string without an end is one too, and every quantifier is possessive: no character is read twice.
    r'(?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|\\?))(?P<colon>\s{0,8}+:)?+'
    r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?+\b\d[\d.eE+-]*+)"
)


def clean(value: Any) -> Any:
    """A value for a page, without characters that are invisible or change the direction of text."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def visible(text: str) -> str:
    """``text`` with a mark for every character that can't be seen."""
    if text.isprintable():
        return text
    # Browsers end the lines of a text field with CRLF.
    text = text.replace("\r\n", "\n")
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def ago(text: str | None, now: float) -> str:
    """How long ago a time was; any other text as it is."""
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


def highlighted(text: str) -> Markup:
    """A JSON text with marked keys, strings and numbers. All of it is escaped."""
    text = visible(text)
    if len(text) > MAX_HIGHLIGHTED:
        return escape(text)
    parts: list[Markup] = []
    end = 0
    for match in _JSON_TOKEN.finditer(text):
        parts.append(escape(text[end : match.start()]))
        kind = "key" if match["colon"] is not None else match.lastgroup or ""
        token = match["string"] or match["word"] or match["number"]
        # Every part is escaped; Markup.format would take most of the page's time.
        parts.append(Markup(f'<span class="j-{kind}">{escape(token)}</span>{match["colon"] or ""}'))  # noqa: S704
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)
