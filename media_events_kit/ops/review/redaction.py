"""Hides values in bodies that look like credentials. An operator reveals them by a step that the audit has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.failures import scrub_all
from media_events.core.secret_text import is_secret_name
from media_events_kit.ops.review.audited_service import AuditedReviewService

HIDDEN: Final = "[hidden]"
_SIGNED_QUERY: Final = re.compile(
    r"(?i)([?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|token|access_token|key|policy|jwt)=)[^&#\s\"']{1,4096}+"
)
_NAMES: Final = ("name", "key", "header")
"""Fields that name the field beside them, as in lists of headers: ``{"name": "Authorization", "value": …}``."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The beginning of a body as it is shown, the number of hidden values in all of it, and whether there is more."""

    text: str
    hidden: int
    cut: bool


def reveal(review: AuditedReviewService, item_id: str, *, purpose: str = "") -> None:
    """Record that the hidden values of an item are shown.

    Raises:
        ProcessingError: it could not be recorded; nothing may be shown.
    """
    review.record(item_id, "hidden values shown", result=purpose, reason="")


def shown(body: str, *, limit: int, revealed: bool = False) -> Shown:
    """The first ``limit`` characters of ``body``, indented if it is JSON. ``revealed``: nothing is hidden."""
    document, text, hidden = _covered_body(body)
    if revealed:
        document, text = _parsed(body), body
    # Indented as a whole, a megabyte of nested brackets would be a gigabyte.
    beginning = text if document is _NO_JSON else _indented(document, limit)
    return Shown(beginning[:limit], hidden, len(beginning) > limit)


def redacted(body: str) -> tuple[str, int]:
    """``body`` without values that look like credentials, and their number. Without any it is ``body`` itself."""
    document, text, hidden = _covered_body(body)
    if not hidden:
        return body, 0
    return text if document is _NO_JSON else json.dumps(document, ensure_ascii=False), hidden


def redacted_attributes(attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
    """Message attributes without values that look like credentials, and their number."""
    cover = _Cover()
    return cover.value(dict(attributes)), cover.hidden


def hidden_values(body: str) -> int:
    """The number of values in ``body`` that look like credentials."""
    return _covered_body(body)[2]


_NO_JSON: Final = object()


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _NO_JSON


def _covered_body(body: str) -> tuple[Any, str, int]:
    """The body covered: as JSON, or else as text; and the number of hidden values."""
    document = _parsed(body)
    if document is not _NO_JSON:
        cover = _Cover()
        try:
            return cover.value(document), "", cover.hidden
        except RecursionError:
            pass
    text, count = _SIGNED_QUERY.subn(rf"\1{HIDDEN}", body)
    whole = scrub_all(text)
    return _NO_JSON, whole, count + (whole != text)


def _indented(document: Any, limit: int) -> str:
    """At least ``limit`` characters of ``document``, if it has so many."""
    parts, length = [], 0
    try:
        for part in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(document):
            parts.append(part)
            length += len(part)
            if length > limit:
                break
    except RecursionError:
        return json.dumps(document, ensure_ascii=False)
    return "".join(parts)


@dataclass(slots=True)
class _Cover:
    """Covers values, and counts what it hides."""

    hidden: int = 0

    def value(self, value: Any) -> Any:
        if isinstance(value, dict):
            named = any(isinstance(value.get(name), str) and is_secret_name(value[name]) for name in _NAMES)
            return {name: self._field(name, inner, named and name == "value") for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def _field(self, name: str, value: Any, secret: bool) -> Any:  # noqa: FBT001
        if (secret or is_secret_name(name)) and value not in (None, "", False, True, [], {}):
            self.hidden += 1
            return HIDDEN
        return self.value(value)

    def text(self, text: str) -> str:
        """``text`` without signatures in addresses, or else without anything that looks like a credential."""
        signed, count = _SIGNED_QUERY.subn(rf"\1{HIDDEN}", text)
        covered = signed if count else scrub_all(text)
        self.hidden += count or (covered != text)
        return covered
