"""The payload formats of an event: a CloudEvent, its envelope, or its data alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final, Literal, cast, get_args

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.events.cloudevents import CloudEventError, to_structured

Form = Literal["structured", "envelope", "data"]
"""``structured``: a CloudEvent in JSON. ``envelope``: ``{"metadata", "data"}``. ``data``: the event's data alone."""

FORMS: Final = cast("tuple[Form, ...]", get_args(Form))


def unmarked(event: Event) -> Event:
    """``event`` without our redrive mark, so that the receiver sees the same event every time."""
    return replace(event, metadata=replace(event.metadata, redrive=None))


def written(event: Event, form: Form) -> str:
    """``event`` as compact JSON text.

    Raises:
        PermanentDataError: ``not-json``; JSON or UTF-8 can't express it.
    """
    plain = unmarked(event)
    try:
        match form:
            case "structured":
                return to_structured(plain)[1].decode()
            case "envelope":
                return checked(plain.to_json())
            case "data":
                return as_json(plain.data)
    except (CloudEventError, ValueError, TypeError, RecursionError) as error:
        raise PermanentDataError("not-json", f"the event can't be sent: {error}") from error


def as_json(value: Any) -> str:
    """``value`` as compact JSON text that UTF-8 can carry.

    Raises:
        ValueError, TypeError, RecursionError: it can't be written so.
    """
    return checked(json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def checked(text: str) -> str:
    """``text``, if UTF-8 can express it; a lone surrogate would otherwise fail inside the AWS client.

    Raises:
        UnicodeEncodeError: it can't.
    """
    text.encode()
    return text
