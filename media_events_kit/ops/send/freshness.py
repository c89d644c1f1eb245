"""Makes another event of a sample: with an id of its own, and the time of now.

A specification says where an event's id and time are. So a change is tried by what the deployed code would make of it:
the first one that gives another id, and changes neither type nor, if that can be, subject, is taken.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from media_events.core.clock import epoch

MARK: Final = "media-events-sample"
"""A field that makes another event where the id is a digest of the body."""
RECENT_SECONDS: Final = 2.0
MAX_LEAVES: Final = 400

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?")
_SECONDS: Final = range(1_000_000_000, 10_000_000_000)
_MILLISECONDS: Final = range(1_000_000_000_000, 10_000_000_000_000)
_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """What an ingress makes of a body: its first event's id, type, subject and time (RFC 3339)."""

    id: str
    type: str
    subject: str | None
    time: str


Identify = Callable[[Any], Identity | None]
Place = tuple[str | int, ...]


def freshened(document: Any, identify: Identify, *, now: float, random: Callable[[], str]) -> Any:
    """``document`` as another event of ``now``; unchanged where the ingress refuses it anyway.

    ``identify`` says what the ingress makes of a document, ``None`` if it refuses it; ``random`` gives 32 hexadecimal
    digits.
    """
    first = identify(document)
    if first is None:
        return document
    current = _with_time(document, identify, first, now)
    identity = identify(current) or first
    for keeps_subject in (True, False):
        for changed in _changes(current, identity):
            candidate = changed(random())
            found = identify(candidate)
            if found is None or found.id == identity.id or found.type != first.type:
                continue
            if keeps_subject and found.subject != first.subject:
                continue
            # An id that only misses a part now would be the same the next time.
            again = identify(changed(random()))
            if again is not None and again.id != found.id:
                return candidate
    return current


def _with_time(document: Any, identify: Identify, first: Identity, now: float) -> Any:
    for place, leaf in _leaves(document):
        written = _written(leaf, now)
        if written is None:
            continue
        candidate = with_value(document, place, written)
        found = identify(candidate)
        if found is None or found.type != first.type or found.time == first.time:
            continue
        moment = epoch(found.time)
        if moment is not None and abs(moment - now) <= RECENT_SECONDS:
            return candidate
    return document


def _written(leaf: Any, now: float) -> Any:
    """``now`` as ``leaf`` writes a time; ``None`` where it is no time."""
    if isinstance(leaf, str):
        if _ISO.fullmatch(leaf):
            return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        number = (
            _written(int(leaf), now) if leaf.isascii() and leaf.isdigit() and len(leaf) <= _LONGEST_NUMBER else None
        )
        return None if number is None else str(number)
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return None
    if int(leaf) in _SECONDS:
        return int(now) if isinstance(leaf, int) else now
    return int(now * 1000) if int(leaf) in _MILLISECONDS else None


def _changes(document: Any, identity: Identity) -> Iterator[Callable[[str], Any]]:
    """Ways to make another document, each by a random text: the likeliest to be the id first."""
    leaves = [(place, leaf) for place, leaf in _leaves(document) if not isinstance(leaf, bool | None)]
    named = [(place, leaf) for place, leaf in leaves if _in(leaf, identity.id)]
    others = [each for each in leaves if each not in named and _written(each[1], 0.0) is None]
    # A text with digits is more likely an id than a word that means something.
    others.sort(key=lambda each: not any(character.isdigit() for character in str(each[1])))
    for place, leaf in named:
        yield _with_renewed(document, place, leaf)
    if isinstance(document, dict):
        yield lambda random: {**document, MARK: random}
    for place, leaf in others:
        yield _with_renewed(document, place, leaf)


def _with_renewed(document: Any, place: Place, leaf: Any) -> Callable[[str], Any]:
    return lambda random: with_value(document, place, _renewed(leaf, random))


def _in(leaf: Any, identity: str) -> bool:
    return isinstance(leaf, str | int) and len(str(leaf)) > 1 and str(leaf) in identity


def _renewed(leaf: Any, random: str) -> Any:
    """Another value that looks like ``leaf``."""
    if isinstance(leaf, str):
        if _UUID.fullmatch(leaf):
            return str(uuid.UUID(random))
        digits = iter(random)
        return "".join(reversed([_like(c, next(digits, "")) for c in reversed(leaf)])) or random
    size = min(len(str(abs(int(leaf)))), _LONGEST_NUMBER)
    return int(str(int(random, 16))[:size])


def _like(character: str, digit: str) -> str:
    if not digit or not character.isascii() or not character.isalnum():
        return character
    if character.isdigit():
        return str(int(digit, 16) % 10)
    other = digit if character in "abcdefABCDEF" and digit.isalpha() else chr(ord("a") + int(digit, 16) % 6)
    return other.upper() if character.isupper() else other


def _leaves(document: Any) -> Iterator[tuple[Place, Any]]:
    """The places of all values that have none within them, at most :data:`MAX_LEAVES`."""
    found = 0
    waiting: list[tuple[Place, Any]] = [((), document)]
    while waiting and found < MAX_LEAVES:
        at, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [((*at, name), inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*at, index), inner) for index, inner in enumerate(value)]
        elif at:
            found += 1
            yield at, value


def with_value(document: Any, place: Place, value: Any) -> Any:
    """A copy of ``document`` with ``value`` at ``place``; objects on the way are made.

    Raises:
        ValueError: there is no such place.
    """
    changed = copy.deepcopy(document)
    inner = changed
    for index, step in enumerate(place):
        last = index == len(place) - 1
        if isinstance(inner, list) and isinstance(step, int) and step < len(inner):
            if last:
                inner[step] = value
            inner = inner[step]
        elif isinstance(inner, dict) and isinstance(step, str):
            if last:
                inner[step] = value
            elif step not in inner:
                inner[step] = {}
            inner = inner[step]
        else:
            raise ValueError(f"there is no {step!r} in {'.'.join(map(str, place))}")
    return changed


def place_of(path: str) -> Place:
    """The place that ``data.tracks[0].type`` names.

    Raises:
        ValueError: it names none.
    """
    if not re.fullmatch(r"[^.\[\]=]+(\[\d+\])*(\.[^.\[\]=]+(\[\d+\])*)*", path):
        raise ValueError(f"{path!r} is no path such as data.duration or data.tracks[0].type")
    return tuple(int(step) if bracket else step for bracket, step in re.findall(r"(\[?)([^.\[\]]+)", path))
