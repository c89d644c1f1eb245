"""The comparisons that a pattern's leaf may hold, and how each is read from JSON.

Rules are those of AWS's own matcher, https://github.com/aws/event-ruler, and of the page "Comparison operators for
use in event patterns" of the EventBridge user guide. Strings are compared by code point, never normalised.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from infra.patterns.documents import Number, as_number
from infra.patterns.problems import Problem

Scalar = str | Number | bool | None
"""A leaf value of an event."""


class RefusedError(ValueError):
    """This comparison is not one that EventBridge takes."""


class _KitRefusedError(RefusedError):
    """EventBridge would take it, the kit doesn't."""


@dataclass(frozen=True, slots=True)
class Equals:
    """A literal: string, number, boolean or null."""

    value: Scalar

    def accepts(self, actual: Scalar) -> bool:
        """Numbers are equal by value (300 = 300.0 = 3.0e2), IP addresses in whatever way they are spelt."""
        if isinstance(self.value, Number):
            if not isinstance(actual, Number):
                return False
            ours, theirs = self.value.value, actual.value
            return self.value.text == actual.text if ours is None or theirs is None else ours == theirs
        if isinstance(self.value, str):
            if not isinstance(actual, str):
                return False
            if self.value == actual:
                return True
            address = _address(self.value)
            return address is not None and address == _address(actual)
        return actual is self.value


@dataclass(frozen=True, slots=True)
class Text:
    """A comparison of strings alone: prefix, suffix, equals-ignore-case, wildcard."""

    expression: re.Pattern[str] = field(compare=False)

    def accepts(self, actual: Scalar) -> bool:
        """Anything but a string is never accepted."""
        return isinstance(actual, str) and self.expression.fullmatch(actual) is not None


@dataclass(frozen=True, slots=True)
class NumericRange:
    """``low`` and ``high`` are bounds with whether they themselves belong to the range."""

    low: tuple[float, bool] | None
    high: tuple[float, bool] | None

    def accepts(self, actual: Scalar) -> bool:
        """Only JSON numbers are compared: the string "5" never is."""
        value = actual.value if isinstance(actual, Number) else None
        if value is None:
            return False
        if self.low is not None and not (value > self.low[0] or (self.low[1] and value == self.low[0])):
            return False
        return self.high is None or value < self.high[0] or (self.high[1] and value == self.high[0])


@dataclass(frozen=True, slots=True)
class Cidr:
    """A block of IPv4 or IPv6 addresses."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network

    def accepts(self, actual: Scalar) -> bool:
        """Only strings that are one IP address."""
        address = _address(actual) if isinstance(actual, str) else None
        return address is not None and address.version == self.network.version and address in self.network


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """Any value that is there and that none of ``excluded`` accepts, whatever its type."""

    excluded: tuple[Equals | Text, ...]

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


Matcher = Equals | Text | NumericRange | Cidr | AnythingBut | Exists | Absent


def read_matcher(entry: Any) -> Matcher:
    """Read one entry of a leaf's array.

    Raises:
        RefusedError: EventBridge would not take it; the message says why.
    """
    if isinstance(entry, Mapping):
        return _operator(entry)
    if isinstance(entry, list | tuple):
        raise RefusedError("an array within an array is not allowed")
    return Equals(_literal(entry))


def read_leaf(entries: list[Any] | tuple[Any, ...], path: str) -> tuple[list[Matcher], list[Problem]]:
    """Read a leaf's whole array: the comparisons that are right, the problems with those that are not."""
    if not entries:
        return [], [Problem(path, "an empty array is not allowed: it could match nothing")]
    matchers: list[Matcher] = []
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        try:
            matchers.append(read_matcher(entry))
        except RefusedError as error:
            by: Literal["aws", "kit"] = "kit" if isinstance(error, _KitRefusedError) else "aws"
            problems.append(Problem(f"{path}[{index}]", str(error), by))
    return matchers, problems


def _literal(value: Any) -> Scalar:
    number = as_number(value)
    if number is not None:
        return number
    if value is None or isinstance(value, str | bool):
        return value
    raise RefusedError(f"{value!r} is no JSON value")


def _operator(entry: Mapping[str, Any]) -> Matcher:
    if len(entry) != 1:
        raise RefusedError(f"a comparison has exactly one key, this one has {len(entry)}: {_keys(entry)}")
    ((name, operand),) = entry.items()
    reader = _OPERATORS.get(name)
    if reader is None:
        raise RefusedError(f"{name!r} is no comparison; EventBridge knows {', '.join(OPERATORS)}")
    return reader(operand)


def _keys(entry: Mapping[str, Any]) -> str:
    return ", ".join(repr(key) for key in entry) or "none"


def _string(operand: Any, what: str) -> str:
    if not isinstance(operand, str):
        raise RefusedError(f"{what} must be a string")
    return operand


def _exactly(operand: Any) -> Equals:
    return Equals(_string(operand, "the value of 'exactly'"))


def _prefix(operand: Any) -> Text:
    if isinstance(operand, Mapping):
        return _text(f"{_any_case(_only_ignore_case('prefix', operand))}.*")
    return _text(re.escape(_string(operand, "the value of 'prefix'")) + ".*")


def _suffix(operand: Any) -> Text:
    if isinstance(operand, Mapping):
        return _text(f".*{_any_case(_only_ignore_case('suffix', operand))}")
    return _text(".*" + re.escape(_string(operand, "the value of 'suffix'")))


def _only_ignore_case(name: str, operand: Mapping[str, Any]) -> str:
    if list(operand) != ["equals-ignore-case"]:
        raise RefusedError(f"{name!r} takes a string or {{'equals-ignore-case': string}}, not keys {_keys(operand)}")
    return _string(operand["equals-ignore-case"], "the value of 'equals-ignore-case'")


def _equals_ignore_case(operand: Any) -> Text:
    return _text(_any_case(_string(operand, "the value of 'equals-ignore-case'")))


def _wildcard(operand: Any) -> Text:
    return _text("".join(_wildcard_parts(_string(operand, "the value of 'wildcard'"))))


def _wildcard_parts(text: str) -> list[str]:
    parts: list[str] = []
    position = 0
    while position < len(text):
        here, following = text[position], text[position + 1 : position + 2]
        if here == "*":
            if following == "*":
                raise RefusedError(f"'wildcard' has two '*' in a row at character {position + 1}")
            parts.append(".*")
        elif here == "\\":
            if following not in ("*", "\\"):
                raise RefusedError(
                    f"'wildcard' has a backslash at character {position + 1} that escapes neither '*' nor a backslash"
                )
            parts.append(re.escape(following))
            position += 1
        else:
            parts.append(re.escape(here))
        position += 1
    return parts


def _numeric(operand: Any) -> NumericRange:
    if not isinstance(operand, list | tuple) or not operand:
        raise RefusedError('the value of \'numeric\' must be an array such as [">", 0, "<=", 5]')
    terms = list(operand)
    low: tuple[float, bool] | None = None
    high: tuple[float, bool] | None = None
    operator = terms[0]
    if operator not in ("=", "<", "<=", ">", ">="):
        raise RefusedError(f"{operator!r} is no numeric comparison; there are =, <, <=, > and >=")
    value = _comparable(terms[1:2], operator)
    rest = terms[2:]
    if operator == "=":
        low = high = (value, True)
    elif operator in ("<", "<="):
        high = (value, operator == "<=")
    else:
        low = (value, operator == ">=")
        if rest:
            upper = rest[0]
            if upper not in ("<", "<="):
                raise RefusedError(f"a range goes from > or >= to < or <=; {upper!r} can't close it")
            high = (_comparable(rest[1:2], upper), upper == "<=")
            if low[0] >= high[0]:
                raise RefusedError("the lower end of the range must be less than the upper one")
            rest = rest[2:]
    if rest:
        raise RefusedError("'numeric' has more terms than one comparison or one range")
    return NumericRange(low, high)


def _comparable(terms: list[Any], operator: str) -> float:
    number = as_number(terms[0]) if terms else None
    if number is None:
        raise RefusedError(f"{operator!r} must be followed by a number")
    value = number.value
    if value is None:
        raise RefusedError(f"{number.text} can't be compared: a double does not hold it exactly")
    return value


def _anything_but(operand: Any) -> AnythingBut:
    if isinstance(operand, Mapping):
        return _anything_but_text(operand)
    if isinstance(operand, list | tuple):
        if not operand:
            raise RefusedError("'anything-but' needs at least one value")
        literals = [_excludable(value) for value in operand]
        if len({isinstance(value, Number) for value in literals}) > 1:
            raise RefusedError("the values of 'anything-but' must be all strings or all numbers")
    else:
        literals = [_excludable(operand)]
    return AnythingBut(tuple(Equals(value) for value in literals))


def _excludable(value: Any) -> str | Number:
    if isinstance(value, str):
        return value
    number = as_number(value)
    if number is None:
        raise RefusedError("'anything-but' takes strings and numbers, no booleans, null, objects or arrays")
    if number.value is None:
        raise RefusedError(f"{number.text} can't be compared: a double does not hold it exactly")
    return number


def _anything_but_text(operand: Mapping[str, Any]) -> AnythingBut:
    if len(operand) != 1:
        raise RefusedError(f"within 'anything-but' a comparison has exactly one key, not {_keys(operand)}")
    ((name, inner),) = operand.items()
    reader = _EXCLUDABLE.get(name)
    if reader is None:
        raise RefusedError(f"'anything-but' can't be applied to {name!r}, only to {', '.join(_EXCLUDABLE)}")
    values = list(inner) if isinstance(inner, list | tuple) else [inner]
    if not values:
        raise _KitRefusedError(f"'anything-but' with an empty list of {name!r} excludes nothing")
    for value in values:
        _string(value, f"a value of {name!r} within 'anything-but'")
        if value == "" and name in ("prefix", "suffix"):
            raise RefusedError(f"within 'anything-but' an empty {name!r} is not allowed: it excludes every string")
    return AnythingBut(tuple(reader(value) for value in values))


def _exists(operand: Any) -> Exists | Absent:
    if not isinstance(operand, bool):
        raise RefusedError("the value of 'exists' must be true or false")
    return Exists() if operand else Absent()


def _cidr(operand: Any) -> Cidr:
    text = _string(operand, "the value of 'cidr'")
    base, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise RefusedError(f"{text!r} is no CIDR block: it needs exactly one '/'")
    address = _address(base)
    if address is None:
        raise RefusedError(f"{base!r} is no IP address")
    if re.fullmatch(r"[0-9]{1,4}", bits) is None or int(bits) >= address.max_prefixlen:
        raise RefusedError(
            f"the prefix length of an IPv{address.version} block must be from 0 to {address.max_prefixlen - 1}; "
            "for a single address write the address as a literal"
        )
    return Cidr(ipaddress.ip_network(f"{address}/{int(bits)}", strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if _ADDRESS.fullmatch(text) is None:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _text(expression: str) -> Text:
    return Text(re.compile(expression, re.DOTALL))


def _any_case(text: str) -> str:
    # Event Ruler's EqualsIgnoreCaseParser: each character stands for its lower and its upper form, no other.
    return "".join(_either(char) for char in text)


def _either(char: str) -> str:
    lower, upper = (char, char) if ord(char) > _BMP else (char.lower(), char.upper())
    return re.escape(lower) if lower == upper else f"(?:{re.escape(lower)}|{re.escape(upper)})"


_BMP: Final = 0xFFFF
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_OPERATORS: Final[Mapping[str, Callable[[Any], Matcher]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "exactly": _exactly,
}
_EXCLUDABLE: Final[Mapping[str, Callable[[Any], Text]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
}
OPERATORS: Final = tuple(_OPERATORS)
"""Names of the comparisons."""
