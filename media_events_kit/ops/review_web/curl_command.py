"""A `curl` command that sends an item's event to its HTTP destination, to see the receiver's answer.

Hidden values stay hidden in it, and it has no credentials: the operator adds their own.
"""

from __future__ import annotations

import shlex
from typing import Final

from media_events.core.failures import ProcessingError
from media_events.delivery.payload_formats import as_json, unmarked
from media_events.events.cloudevents import CloudEventError, to_binary, to_structured
from media_events_kit.infra.model.destinations import HttpDestination
from media_events_kit.ops.review.places import event_of
from media_events_kit.ops.review.redaction import redacted

MAX_CHARACTERS: Final = 64 * 1024


def curl_command(body: str, destination: object) -> str:
    """The command; empty where the destination takes no HTTP, the body holds no event, or it is too long to paste."""
    if not isinstance(destination, HttpDestination) or len(body) > MAX_CHARACTERS:
        return ""
    try:
        event = unmarked(event_of(redacted(body)[0]))
        if destination.mode == "data":
            headers, data = {"content-type": "application/json"}, as_json(event.data).encode()
        else:
            headers, data = (to_structured if destination.mode == "structured" else to_binary)(event)
        text = data.decode()
    except (ProcessingError, CloudEventError, ValueError, TypeError, RecursionError):
        return ""
    named = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    # --data would read a file that a text after @ names.
    command = shlex.join(["curl", "--include", *named, "--data-raw", text, destination.url])
    return command if len(command) <= MAX_CHARACTERS else ""
