"""The claim check: a body too large for the bus or a table is stored elsewhere, and a reference takes its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError

MAX_SUMMARY_FIELDS: Final = 32
MAX_SUMMARY_TEXT: Final = 256
"""Characters of a name or a text that still counts as small."""


class Bodies(Protocol):
    """Content-addressed storage. Adapters raise :class:`ProcessingError` only."""

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        """Store ``content`` and return its ``s3://`` URI; the same content has the same URI."""

    def get(self, uri: str) -> bytes:
        """Read what :meth:`put` stored.

        Raises:
            PermanentDataError: ``uri`` is not one of this storage (``foreign-dataref``), its content is gone
                (``body-missing``) or has changed (``body-changed``).
        """


def digest(content: bytes) -> str:
    """SHA-256 as lower-case hex: the name of a stored body."""
    return hashlib.sha256(content).hexdigest()


def check_in(event: Event, bodies: Bodies) -> Event:
    """Store the event's ``data``; a summary and a reference (``dataref``) take its place.

    Raises:
        PermanentDataError: ``data`` can't be written as JSON.
        ProcessingError: the body could not be stored.
    """
    try:
        content = json.dumps(event.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise PermanentDataError("not-json", "the event holds a value that JSON in UTF-8 can't express") from None
    return Event(replace(event.metadata, dataref=bodies.put(content)), summary(event.data))


def check_out(event: Event, bodies: Bodies | None) -> Event:
    """The event with its whole ``data`` and without ``dataref``; an event without one is unchanged.

    Raises:
        PermanentConfigError: there is a reference, and no storage is configured (``no-bodies``).
        ProcessingError: the body could not be read, or the reference is foreign.
    """
    if event.metadata.dataref is None:
        return event
    if bodies is None:
        raise PermanentConfigError("no-bodies", "the event's body is in a bucket, and BODIES_URI is not set")
    content = bodies.get(event.metadata.dataref)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise PermanentDataError("body-changed", "the body in the bucket is not JSON") from None
    return Event(replace(event.metadata, dataref=None), data)


def restore(copies: Mapping[str, str], bodies: Callable[[str], Bodies]) -> None:
    """Write copies back to the addresses that events refer to; ``copies`` is by address, ``bodies`` finds the storage.

    Raises:
        ProcessingError: a copy can't be read or written.
    """
    for address, copy in copies.items():
        content = bodies(copy).get(copy)
        bodies(address).put(content, content_type="application/octet-stream")


def summary(data: object) -> dict[str, object]:
    """The small scalars at the top of ``data``: enough for rules to match and for people to recognise the event."""
    if not isinstance(data, Mapping):
        return {}
    small = {
        name: value
        for name, value in data.items()
        if len(name) <= MAX_SUMMARY_TEXT
        and (
            value is None
            or isinstance(value, bool | int | float)
            or (isinstance(value, str) and len(value) <= MAX_SUMMARY_TEXT)
        )
    }
    return dict(list(small.items())[:MAX_SUMMARY_FIELDS])
