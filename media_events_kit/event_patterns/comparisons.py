"""The comparisons in a pattern's leaf.

Rules are those of AWS's own matcher, https://github.com/aws/event-ruler, and of the page "Comparison operators for
use in event patterns" of the EventBridge user guide. Strings are compared by code point, never normalised.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal

from media_events_kit.event_patterns.json_documents import Number

Scalar = str | Number | bool | None
"""A leaf value of an event."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

Position = Literal["whole", "start", "end"]


@dataclass(frozen=True, slots=True)
class Equals:
    """A literal: string, number, boolean or null."""

    value: Scalar

    def accepts(self, actual: Scalar) -> bool:
        """Numbers are equal by value: 300 = 300.0 = 3.0e2. Those without an exact double are equal by text."""
        if isinstance(self.value, Number):
            if not isinstance(actual, Number):
                return False
            ours, theirs = self.value.value, actual.value
            return self.value.text == actual.text if ours is None or theirs is None else ours == theirs
        return type(actual) is type(self.value) and actual == self.value


@dataclass(frozen=True, slots=True)
class AddressRange:
    """IP addresses from ``low`` to ``high``, both in hexadecimal digits: a CIDR block, or a literal address."""

    low: str
    high: str

    def accepts(self, actual: Scalar) -> bool:
        """Only strings that are one IP address, in any spelling.

        Event Ruler compares digit by digit from the left, stops as soon as it is sure, and ignores the number of
        digits. So a wide IPv6 block (``::/0``) takes IPv4 addresses as well, here too.
        """
        address = read_address(actual) if isinstance(actual, str) else None
        if address is None:
            return False
        at_low = at_high = True
        for digit, low, high in zip(address_digits(address), self.low, self.high, strict=False):
            if (at_low and digit < low) or (at_high and digit > high):
                return False
            at_low, at_high = at_low and digit == low, at_high and digit == high
            if not at_low and not at_high:
                return True
        return address.max_prefixlen >= len(self.low) * 4


@dataclass(frozen=True, slots=True)
class Text:
    """``text`` is the whole string, or its start or end."""

    position: Position
    text: str

    def accepts(self, actual: Scalar) -> bool:
        """Only strings."""
        if not isinstance(actual, str):
            return False
        if self.position == "start":
            return actual.startswith(self.text)
        return actual.endswith(self.text) if self.position == "end" else actual == self.text


@dataclass(frozen=True, slots=True)
class AnyCase:
    """Text in any case: each character stands for its lower and its upper form, as in Event Ruler."""

    position: Position
    expression: re.Pattern[str]

    @classmethod
    def of(cls, position: Position, text: str) -> AnyCase:
        """The comparison with ``text``."""
        expression = "".join(_either(char) for char in text)
        return cls(position, re.compile(expression + (r"\Z" if position == "end" else "")))

    def accepts(self, actual: Scalar) -> bool:
        """Only strings."""
        if not isinstance(actual, str):
            return False
        if self.position == "start":
            return self.expression.match(actual) is not None
        match = self.expression.search(actual) if self.position == "end" else self.expression.fullmatch(actual)
        return match is not None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The pieces of text between the ``*``s; a single piece has no ``*``."""

    pieces: tuple[str, ...]

    def accepts(self, actual: Scalar) -> bool:
        """Only strings. The time is proportional to the string, for any number of ``*``."""
        if not isinstance(actual, str):
            return False
        first, *middle = self.pieces
        if not middle:
            return actual == first
        last = middle.pop()
        end = len(actual) - len(last)
        position = len(first)
        if position > end or not actual.startswith(first) or not actual.endswith(last):
            return False
        for piece in middle:
            start = actual.find(piece, position, end)
            if start < 0:
                return False
            position = start + len(piece)
        return True


@dataclass(frozen=True, slots=True)
class NumericRange:
    """``low`` and ``high`` are bounds, each with whether it belongs to the range."""

    low: tuple[float, bool] | None
    high: tuple[float, bool] | None

    def accepts(self, actual: Scalar) -> bool:
        """Only JSON numbers, not the string "5"."""
        value = actual.value if isinstance(actual, Number) else None
        if value is None:
            return False
        if self.low is not None and not (value > self.low[0] or (self.low[1] and value == self.low[0])):
            return False
        return self.high is None or value < self.high[0] or (self.high[1] and value == self.high[0])


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """Any existing value, of any type, that none of ``excluded`` accepts."""

    excluded: tuple[Equals | Text | AnyCase | Wildcard, ...]

    def accepts(self, actual: Scalar) -> bool:
        """True for values of another type as well: null is anything but "x"."""
        return not any(matcher.accepts(actual) for matcher in self.excluded)


@dataclass(frozen=True, slots=True)
class Exists:
    """``{"exists": true}``: any leaf value, null too. Objects and empty arrays are no leaf values."""

    def accepts(self, actual: Scalar) -> bool:  # noqa: ARG002 - the value does not matter
        """There is a value, so it exists."""
        return True


@dataclass(frozen=True, slots=True)
class Absent:
    """``{"exists": false}``: there is no leaf value at the path."""

    def accepts(self, actual: Scalar) -> bool:  # noqa: ARG002 - the value does not matter
        """There is a value, so it is not absent."""
        return False


Matcher = Equals | AddressRange | Text | AnyCase | Wildcard | NumericRange | AnythingBut | Exists | Absent


def read_address(text: str) -> Address | None:
    """The IP address in ``text``, or ``None``. An IPv4-mapped IPv6 address is the IPv4 address, as in Java."""
    if _ADDRESS.fullmatch(text) is None:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def address_digits(address: Address) -> str:
    """The address in hexadecimal digits: 8 of IPv4, 32 of IPv6."""
    return address.packed.hex()


def _either(char: str) -> str:
    # Java sees halves of surrogate pairs here, so characters beyond the basic plane have no case.
    lower, upper = (char, char) if ord(char) > _BASIC_PLANE else (char.lower(), char.upper())
    return re.escape(lower) if lower == upper else f"(?:{re.escape(lower)}|{re.escape(upper)})"


_BASIC_PLANE: Final = 0xFFFF
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]{2,39}")
