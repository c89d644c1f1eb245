"""Writes ``lambda_src/media_events/partners/time_zones.json`` from this machine's time zone database.

    python scripts/time_zones.py

The file has the zones' names by the POSIX ``TZ`` text of each. Zones that no such text describes are left out.
"""

from __future__ import annotations

import json
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lambda_src"))

from media_events.partners.time_zones import zone_by_rule  # noqa: E402

TARGET: Final = ROOT / "lambda_src" / "media_events" / "partners" / "time_zones.json"
_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS: Final = 10 * 366


def rules() -> dict[str, list[str]]:
    """The names of all zones by their rule, both sorted."""
    names: dict[str, list[str]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        rule = _rule(name)
        if "/" in name and rule and _describes(rule, name):
            names.setdefault(rule, []).append(name)
    return dict(sorted(names.items()))


def _rule(name: str) -> str:
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
    return ""


def _describes(rule: str, name: str) -> bool:
    """Whether the rule gives the zone's offset on every day of the next ten years."""
    ours, theirs = zone_by_rule(rule), zoneinfo.ZoneInfo(name)
    days = (_FROM + timedelta(days=day) for day in range(_DAYS))
    return all(day.astimezone(ours).utcoffset() == day.astimezone(theirs).utcoffset() for day in days)


if __name__ == "__main__":
    TARGET.write_text(json.dumps(rules(), indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
