"""Times as senders write them, and as the envelope has them: RFC 3339 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from media_events.core.config_fields import Fields
from media_events.core.json_fields import is_scalar

MILLISECONDS_FROM: Final = 100_000_000_000
"""Larger numbers are milliseconds: as seconds they would be after the year 5138."""

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d\d:?\d\d|UTC)?", re.ASCII
)
_DIGITS: Final = re.compile(r"\d{1,17}(?:\.\d{1,9})?", re.ASCII)
_LONGEST: Final = 40


def parse_time(value: Any, *, unit: str = "auto", zone: str | None = None) -> datetime | None:
    """Read ISO 8601 with an offset, ``YYYY-MM-DD HH:MM:SS.ffffff``, or epoch seconds or milliseconds.

    A time without an offset is in ``zone`` (``UTC`` or ``+01:00``); without a ``zone`` it is no time. ``unit`` is
    ``auto``, ``s``, ``ms`` or ``iso``. Returns ``None`` if ``value`` is no time; never raises.
    """
    if not is_scalar(value):
        return None
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return None
        if not _DIGITS.fullmatch(value):
            return _from_iso(value, zone) if unit in ("auto", "iso") else None
        value = float(value) if "." in value else int(value)
    if unit == "iso":
        return None
    try:
        milliseconds = unit == "ms" or (unit == "auto" and abs(value) >= MILLISECONDS_FROM)
        microseconds = round(value * (1_000 if milliseconds else 1_000_000))
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    except (OverflowError, ValueError):
        return None


def _from_iso(text: str, zone: str | None) -> datetime | None:
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    *parts, fraction, offset = match.groups()
    tz = parse_zone(offset or zone)
    if tz is None:
        return None
    try:
        moment = datetime(*(int(part) for part in parts), tzinfo=tz)  # type: ignore[misc,arg-type]
        return (moment + timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def parse_zone(text: str | None) -> timezone | None:
    """``UTC``, ``Z`` or an offset such as ``+01:00``; ``None`` for anything else."""
    if text is None:
        return None
    if text.upper() in ("Z", "UTC"):
        return UTC
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text, re.ASCII)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes >= 24 * 60 or int(match[3]) >= 60:  # noqa: PLR2004
        return None
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def read_zone(fields: Fields) -> str | None:
    """The ``zone`` of a configuration's table: text that :func:`parse_zone` can read."""
    zone = fields.text("zone", hint="UTC or an offset such as +01:00")
    if zone is not None and parse_zone(zone) is None:
        fields.problem("zone", f"{zone!r} must be UTC or an offset such as +01:00")
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
