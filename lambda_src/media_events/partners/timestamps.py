"""Times as senders write them, and as the envelope has them: RFC 3339 in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.core.json_fields import is_scalar
from media_events.partners.time_zones import named_zone, zone_names

MILLISECONDS_FROM: Final = 10**11
"""The least number that is milliseconds: as seconds it would be the year 5138. Each smaller unit begins 1,000 later."""

UNITS: Final = ("s", "ms", "us", "ns")
PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

# ISO 8601, extended or basic, with or without seconds. An offset may be an hour alone. RFC 9557 and Java add a zone.
_ISO: Final = pattern(
    r"(\d{4})-?(\d\d)-?(\d\d)[Tt_ ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,12}))?)?"
    r"\s?([Zz]|[+-]\d\d(?::?\d\d)?|UTC|GMT)?(?:\[([\w+/-]{1,64})\])?",
    re.ASCII,
)
# RFC 2822, section 3.3, which RFC 1123 and HTTP's dates follow. Its obsolete zones are those of section 4.3.
_MAIL: Final = pattern(
    r"(?:[A-Za-z]{3},\s?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))?"
    r"(?: ([+-]\d{4}|[A-Za-z]{1,3}))?(?: \([A-Za-z ]{1,32}\))?",
    re.ASCII,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAIL_ZONES: Final = {
    **dict.fromkeys(("UT", "GMT", "UTC", "Z"), "Z"),
    **{
        f"{zone}{kind}T": f"-{hours + (kind == 'S'):02d}"
        for zone, hours in zip("ECMP", (4, 5, 6, 7), strict=True)
        for kind in "SD"
    },
}
_DIGITS: Final = pattern(r"\d{1,20}(?:\.\d{1,9})?", re.ASCII)
_LONGEST: Final = 100


def parse_time(value: Any, *, unit: str = "auto", zone: str | None = None) -> datetime | None:
    """Read ISO 8601, RFC 2822 (so also RFC 1123), or a number since the epoch.

    A time without an offset is in ``zone`` (``UTC``, ``+01:00``, ``Europe/Berlin``); without a ``zone`` it is no time.
    In a zone with daylight saving, an hour that comes twice is the first; one that is skipped has the offset before.
    ``unit`` is one of ``UNITS``, ``iso`` for text, or ``auto`` for all of these: a number's unit follows from its
    magnitude. Returns ``None`` if ``value`` is no time; never raises.
    """
    if not is_scalar(value):
        return None
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST:
            return None
        if unit == "iso" or not _DIGITS.fullmatch(value):
            return _from_text(value, zone) if unit in ("auto", "iso") else None
        value = float(value) if "." in value else int(value)
    return None if unit == "iso" else _from_number(value, unit)


def _from_number(value: float, unit: str) -> datetime | None:
    if unit == "auto":
        unit = UNITS[sum(abs(value) >= MILLISECONDS_FROM * 1_000**step for step in range(3))]
    try:
        scale = PER_SECOND[unit]
        microseconds = value * 10**6 // scale if isinstance(value, int) else round(value * 10**6 / scale)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    except (OverflowError, ValueError):
        return None


def _from_text(text: str, zone: str | None) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is not None:
        *parts, fraction, offset, name = match.groups()
        return _moment([int(part or 0) for part in parts], fraction, offset or name or zone)
    match = _MAIL.fullmatch(text)
    if match is None or match[2].lower() not in _MONTHS:
        return None
    day, month, year, hour, minute, second, offset = match.groups()
    if offset is not None and offset[0] not in "+-":
        offset = _MAIL_ZONES.get(offset.upper(), "unknown")
    parts = [year, _MONTHS.index(month.lower()) + 1, day, hour, minute, second]
    return _moment([int(part or 0) for part in parts], None, offset or zone)


def _moment(parts: Sequence[int], fraction: str | None, zone: str | None) -> datetime | None:
    tz = parse_zone(zone)
    if tz is None:
        return None
    try:
        moment = datetime(*parts, tzinfo=tz)  # type: ignore[misc,arg-type]
        return moment.astimezone(UTC) + timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
    except (OverflowError, ValueError):
        return None


def parse_zone(text: str | None) -> tzinfo | None:
    """``UTC``, ``Z``, an offset such as ``+01:00``, or a zone such as ``Europe/Berlin``; ``None`` for anything else."""
    if text is None:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    match = re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", text, re.ASCII)
    if match is None:
        return named_zone(text)
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if minutes >= 24 * 60 or int(match[3] or 0) >= 60:  # noqa: PLR2004
        return None
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


ZONE_HINT: Final = "UTC, an offset such as +01:00, or a zone such as Europe/Berlin"


def read_zone(fields: Fields) -> str | None:
    """The ``zone`` of a configuration's table: text that :func:`parse_zone` can read."""
    zone = fields.text("zone", hint=ZONE_HINT)
    if zone is not None and parse_zone(zone) is None:
        from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

        near = get_close_matches(zone, zone_names(), n=1)
        fields.problem("zone", f"{zone!r} must be {ZONE_HINT}" + (f"; did you mean {near[0]}?" if near else ""))
    return zone


def rfc3339(moment: datetime) -> str:
    """RFC 3339 text in UTC with as many fractional digits (0, 3 or 6) as the time has.

    >>> rfc3339(datetime(2025, 3, 4, 10, 15, 9, tzinfo=UTC))
    '2025-03-04T10:15:09Z'
    """
    moment = moment.astimezone(UTC)
    if moment.microsecond == 0:
        precision = "seconds"
    else:
        precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
