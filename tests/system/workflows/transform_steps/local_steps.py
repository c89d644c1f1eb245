"""A Python step of a user's, as it comes by a layer."""

from __future__ import annotations

from typing import Any


def tidy(event: dict[str, Any]) -> dict[str, Any]:
    """Take the fields that are wanted."""
    data = event["data"]
    wanted = ("title", "object", "sidecar", "kind", "tracks")
    return {"name": data["file"]["name"], **{name: data[name] for name in wanted if name in data}}
