"""Probes, by which `media-events verify --send` sees that a partner's webhook reaches the bus.

A probe is a request whose body names itself one, signed as the partner signs. The signature covers the body, so nobody
can make a probe of a partner's event, which would then be lost; and who can send a probe can send any event. It takes
an event's way through authentication, idempotency store and bus; only its body is not read as the partner's events are.
On the bus it has a stage of its own. The pattern of every transform and route demands another one
(modules/internal/hop-definitions/patterns.tf), so none takes it, catch-all routes included.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from media_events.core.clock import timestamp
from media_events.core.deferred import pattern
from media_events.core.envelope import Event, Metadata
from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import parse_json

PROBE_TYPE: Final = "media-events.probe"
PROBE_FIELD: Final = "media-events-probe"
"""The field, of a JSON object or a form, whose value is the probe's number: 32 hexadecimal digits."""

MAX_PROBE_BYTES: Final = 1024
PROBE_KEEP_SECONDS: Final = 300
"""How long the idempotency store remembers a probe."""

_NUMBER: Final = pattern(r"[0-9a-f]{32}")


def probe_number(body: bytes) -> str | None:
    """The number of the probe that ``body`` is; ``None`` for every other body."""
    if len(body) > MAX_PROBE_BYTES or PROBE_FIELD.encode() not in body:
        return None
    value = _fields(body).get(PROBE_FIELD)
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _fields(body: bytes) -> dict[str, object]:
    if not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        document = parse_json(body)
    except PermanentDataError:
        return {}
    return document if isinstance(document, dict) else {}


def probe_event(partner: str, number: str, now: float) -> Event:
    """The event of a probe, received at ``now`` (epoch seconds)."""
    received, identity = timestamp(now), f"probe-{number}"
    return Event(
        Metadata(
            id=identity,
            source=f"partner.{partner}",
            type=PROBE_TYPE,
            time=received,
            partner=partner,
            ingress="webhook",
            nativetype=PROBE_TYPE,
            recordedtime=received,
            partitionkey=identity,
            stage="probe",
        )
    )
