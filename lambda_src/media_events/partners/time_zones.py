"""Time zones by their IANA names, with daylight saving.

Lambda promises no time zone database: ``provided.al2023`` came without one, says
https://github.com/aws/aws-lambda-dotnet/issues/1620 , and no page of AWS's says that Python's image has one. So the
package brings the rules that hold today, as the POSIX ``TZ`` texts at the end of each file of the database (RFC 9636,
section 3.3). Zones whose offset follows the moon (Morocco, Western Sahara) have no such rule and are not known.
``scripts/time_zones.py`` writes the rules.
"""

from __future__ import annotations

import io
import json
import struct
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_RULES: Final = "time_zones.json"
# A file of the database without a transition, so that the rule after it always holds (RFC 9636, sections 3.1 and 3.2).
_BLOCK: Final = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4) + struct.pack(">lBB", 0, 0, 0) + b"UTC\0"


@cache
def _rules() -> dict[str, str]:
    from importlib import resources  # noqa: PLC0415 - costs import time, and few partners need it

    text = resources.files("media_events.partners").joinpath(_RULES).read_text(encoding="utf-8")
    return {name: rule for rule, names in json.loads(text).items() for name in names}


@cache
def named_zone(name: str) -> ZoneInfo | None:
    """The zone, such as ``Europe/Berlin``, by its rule of today; ``None`` if it is not known."""
    rule = _rules().get(name)
    return None if rule is None else zone_by_rule(rule)


def zone_by_rule(rule: str) -> ZoneInfo:
    """The zone of a POSIX ``TZ`` text, such as ``CET-1CEST,M3.5.0,M10.5.0/3``."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - as above

    return ZoneInfo.from_file(io.BytesIO(_BLOCK + _BLOCK + b"\n" + rule.encode() + b"\n"))


def zone_names() -> tuple[str, ...]:
    """The name of every zone that is known, sorted."""
    return tuple(sorted(_rules()))
