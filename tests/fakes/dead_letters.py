"""The recorded dead letters, one of each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from media_events.messaging.message import Message
from media_events.recovery.dead_letter import DeadLetter, parse

FOLDER = Path(__file__).resolve().parents[1] / "data" / "dead_letters"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
NOW = 1_795_435_260.0


def record(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def dead_letters(name: str, *, hop: str = "route/cms") -> tuple[DeadLetter, ...]:
    return parse(Message.of(record(name)), hop=hop, now=NOW)


def dead_letter(name: str, *, hop: str = "route/cms") -> DeadLetter:
    (only,) = dead_letters(name, hop=hop)
    return only
