"""Starts the kit's own programs, from a checkout and from an installation alike."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("media_events_kit", "media_events")


def media_events(*arguments: str) -> list[str]:
    """The `media-events` command with ``arguments``, run by the Python that runs this."""
    return [sys.executable, "-m", "media_events_kit.ops", *arguments]


def own_packages() -> dict[str, str]:
    """The variable with which another Python process finds the kit's packages where this one has them."""
    specifications = [find_spec(name) for name in PACKAGES]
    found = [str(Path(one.origin).parent.parent) for one in specifications if one is not None and one.origin]
    earlier = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys([*found, *filter(None, earlier)]))}
