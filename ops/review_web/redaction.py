"""Hides values in bodies that look like credentials."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from media_events.core.failures import scrub_all
from media_events.core.secret_text import is_secret_name

HIDDEN: Final = "[hidden]"
_SIGNED_QUERY: Final = re.compile(
    r"(?i)([?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|token|access_token|key|policy|jwt)=)[^&#\s\"']{1,4096}"
)


def redacted(body: str) -> tuple[str, int]:
    """``body``, indented if it is JSON, without values that look like credentials; and the number of hidden values."""
    try:
        document = json.loads(body)
        covered, count = _covered(document)
    except (ValueError, RecursionError):
        text, count = _signed(body)
        whole = scrub_all(text)
        return whole, count + (whole != text)
    return json.dumps(covered, indent=2, ensure_ascii=False), count


def _covered(value: Any) -> tuple[Any, int]:
    if isinstance(value, dict):
        pairs = {name: _field(str(name), inner) for name, inner in value.items()}
        return {name: inner for name, (inner, _) in pairs.items()}, sum(count for _, count in pairs.values())
    if isinstance(value, list):
        items = [_covered(inner) for inner in value]
        return [inner for inner, _ in items], sum(count for _, count in items)
    if isinstance(value, str):
        text, count = _signed(value)
        whole = scrub_all(text) if count == 0 else text
        return whole, count or int(whole != text)
    return value, 0


def _field(name: str, value: Any) -> tuple[Any, int]:
    if is_secret_name(name) and value not in (None, "", False, True, [], {}):
        return HIDDEN, 1
    return _covered(value)


def _signed(text: str) -> tuple[str, int]:
    return _SIGNED_QUERY.subn(rf"\1{HIDDEN}", text)
