"""Events for tests."""

from __future__ import annotations

from typing import Any

from media_events.core.envelope import Event, Metadata


def make_event(data: Any = None, **metadata: Any) -> Event:
    """A valid event; ``metadata`` overrides single attributes."""
    attributes: dict[str, Any] = {
        "id": "evt-1",
        "source": "partner.mux",
        "type": "asset.ready",
        "time": "2026-11-23T12:00:00Z",
        "partner": "mux",
        "ingress": "webhook",
        "nativetype": "video.asset.ready",
        "recordedtime": "2026-11-23T12:00:01Z",
        "partitionkey": "asset-1",
    } | metadata
    return Event(Metadata(**attributes), {"asset": {"id": "asset-1"}} if data is None else data)
