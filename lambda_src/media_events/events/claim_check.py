"""The claim check: bodies too large for the bus or a table, kept elsewhere under a pointer that we minted."""

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
    """Content-addressed storage. Any exception of an adapter is a :class:`failures.HopError`."""

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        """Store ``content`` and return its ``s3://`` URI; the same content has the same URI."""

    def get(self, uri: str) -> bytes:
        """Read what :meth:`put` stored.

        Raises:
            PermanentDataError: ``uri`` is not a pointer that we minted (``foreign-dataref``), its content is gone
                (``body-missing``) or has changed (``body-changed``).
        """


def digest(content: bytes) -> str:
    """SHA-256 as lower-case hex: the name under which a body is kept."""
    return hashlib.sha256(content).hexdigest()


def check_in(event: Event, bodies: Bodies) -> Event:
    """Store the event's ``data`` and leave a summary and a pointer (``dataref``) in its place.

    Raises:
        PermanentDataError: ``data`` can't be written as JSON.
        HopError: the body could not be stored.
    """
    try:
        content = json.dumps(event.data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise PermanentDataError("not-json", "the event holds what JSON in UTF-8 can't say") from None
    return Event(replace(event.metadata, dataref=bodies.put(content)), summary(event.data))


def check_out(event: Event, bodies: Bodies | None) -> Event:
    """The event with its whole ``data`` inline again and no pointer; an event without ``dataref`` as it is.

    Raises:
        PermanentConfigError: there is a pointer and nowhere to follow it (``no-bodies``).
        HopError: the body could not be read, or the pointer is not ours.
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


def restore(kept: Mapping[str, str], bodies: Callable[[str], Bodies]) -> None:
    """Put copies back to where events point at, whether they are gone there or not; ``bodies`` by address.

    Raises:
        HopError: a copy can't be read, or not be put back.
    """
    for address, copy in kept.items():
        content = bodies(copy).get(copy)
        bodies(address).put(content, content_type="application/octet-stream")


def summary(data: object) -> dict[str, object]:
    """The small scalars at the top of ``data``: enough for rules to route by and for people to recognise it."""
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
