"""The text of an event's id and of its optional attributes, from any value that a sender has there.

An id that is no text costs the event, because without one it can't be told from another. An optional attribute never
does: it is cleaned, replaced by its digest, or left out, and noted.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any, Final

from media_events.core.config_fields import kind_of
from media_events.core.envelope import TRACEPARENT
from media_events.core.failures import PermanentDataError
from media_events.partners.notes import Notes
from media_events.partners.value_expressions import scalar_text

OPTIONAL_ATTRIBUTES: Final = ("subject", "partitionkey", "sequence", "correlationid", "causationid", "traceparent")

MAX_ID_CHARACTERS: Final = 512
MAX_ID_BYTES: Final = 1_536
"""A key of the idempotency store has the id, the source and the destination in DynamoDB's 2,048 bytes of a partition
key (DynamoDB developer guide, "Constraints in Amazon DynamoDB")."""

MAX_ATTRIBUTE_BYTES: Final = 2_048
"""The same limit: a correlation key is a partition key by itself."""

_JOINERS: Final = "\u200c\u200d"


def identity_text(value: Any) -> str:
    """The event id of a value that is there; one that is too long for a key becomes its digest.

    Raises:
        PermanentDataError: ``id-invalid``.
    """
    text = scalar_text(value)
    if text is None or not _identifiable(text):
        raise PermanentDataError("id-invalid", "an event id must be text without control characters, or a number")
    if len(text) <= MAX_ID_CHARACTERS and len(text.encode()) <= MAX_ID_BYTES:
        return text
    return digest_of(text)


def _identifiable(text: str) -> bool:
    """Whether a text may be an id: it is printable, also any space and the joiners of letters and emoji."""
    return text.isprintable() or all(
        character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
        for character in text
    )


def optional_attribute(name: str, value: Any, notes: Notes, index: int = 0) -> str | None:
    """The usable text of an optional attribute's value; ``None`` if there is none."""
    if value is None or value == "":
        return None
    text = scalar_text(value)
    if text is None:
        notes.fell_back(name, f"must be a text or a number, not {kind_of(value)}; it is left out", index)
        return None
    if name == "traceparent":
        if TRACEPARENT.fullmatch(text) is None:
            notes.fell_back(name, "is no W3C trace parent; it is left out", index)
            return None
        return text
    clean = text if printable(text) else _clean(text)
    if clean != text:
        notes.fell_back(name, "has control characters; a space takes their place", index)
    if len(clean.encode()) > MAX_ATTRIBUTE_BYTES:
        # A digest would have no order.
        clean, change = ("", "it is left out") if name == "sequence" else (digest_of(clean), "its SHA-256 replaces it")
        notes.fell_back(name, f"has more than {MAX_ATTRIBUTE_BYTES} bytes; {change}", index)
    return clean or None


def digest_of(text: str) -> str:
    """``sha256:`` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _clean(text: str) -> str:
    return "".join(" " if _unprintable(character) else character for character in text).strip()


def printable(text: str) -> bool:
    """Whether a text has no control characters, half surrogates or line separators."""
    return text.isprintable() or not any(_unprintable(character) for character in text)


def _unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
