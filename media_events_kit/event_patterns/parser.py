"""Reads comparisons from JSON, and refuses those that EventBridge or the kit does not take.

Rules: Event Ruler's ``JsonRuleCompiler``, https://github.com/aws/event-ruler.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from media_events_kit.event_patterns.comparisons import (
    Absent,
    AddressRange,
    AnyCase,
    AnythingBut,
    Equals,
    Exists,
    Matcher,
    NumericRange,
    Position,
    Text,
    Wildcard,
    address_digits,
    read_address,
)
from media_events_kit.event_patterns.errors import Problem
from media_events_kit.event_patterns.json_documents import Number, as_number, compact


class RefusedError(ValueError):
    """The comparison is refused; ``by_kit`` where EventBridge itself would accept it."""

    def __init__(self, message: str, *, by_kit: bool = False) -> None:
        super().__init__(message)
        self.by_kit = by_kit


def read_leaf(entries: list[Any] | tuple[Any, ...], path: str) -> tuple[list[Matcher], list[Problem]]:
    """Read a leaf's whole array: its valid comparisons, and the problems of the others."""
    if not entries:
        return [], [Problem(path, "an empty array is not allowed: it could match nothing")]
    matchers: list[Matcher] = []
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        try:
            matchers.append(read_matcher(entry))
        except RefusedError as error:
            problems.append(Problem(f"{path}[{index}]", str(error), "kit" if error.by_kit else "aws"))
    return matchers, problems


def read_matcher(entry: Any) -> Matcher:
    """Read one entry of a leaf's array.

    Raises:
        RefusedError: EventBridge, or the kit, would not take it; the message says why.
    """
    if isinstance(entry, Mapping):
        return _operator(entry)
    if isinstance(entry, list | tuple):
        raise RefusedError("an array within an array is not allowed")
    number = as_number(entry)
    if number is not None:
        return Equals(number)
    if isinstance(entry, str):
        address = read_address(entry)
        return Equals(entry) if address is None else AddressRange(address_digits(address), address_digits(address))
    if entry is None or isinstance(entry, bool):
        return Equals(entry)
    raise RefusedError(f"{entry!r} is no JSON value")


def _operator(entry: Mapping[str, Any]) -> Matcher:
    if len(entry) != 1:
        raise RefusedError(f"a comparison has exactly one key, this one has {len(entry)}: {_keys(entry)}")
    ((name, operand),) = entry.items()
    reader = _OPERATORS.get(name)
    if reader is None:
        nearest = get_close_matches(str(name).lower().replace("_", "-"), OPERATORS, n=1, cutoff=0.8)
        advice = f"did you mean {nearest[0]!r}?" if nearest else f"there are {', '.join(OPERATORS)}"
        raise RefusedError(f"{name!r} is no comparison; {advice}")
    return reader(operand)


def _keys(entry: Mapping[str, Any]) -> str:
    return ", ".join(repr(key) for key in entry) or "none"


def _string(operand: Any, name: str) -> str:
    if not isinstance(operand, str):
        raise RefusedError(f"the value of {name!r} must be a string")
    return operand


def _exactly(operand: Any) -> Text:
    return Text("whole", _string(operand, "exactly"))


def _prefix(operand: Any) -> Text | AnyCase:
    return _affix(operand, "prefix", "start")


def _suffix(operand: Any) -> Text | AnyCase:
    return _affix(operand, "suffix", "end")


def _affix(operand: Any, name: str, position: Position) -> Text | AnyCase:
    if not isinstance(operand, Mapping):
        return Text(position, _string(operand, name))
    if list(operand) != [_IGNORE_CASE]:
        raise RefusedError(f"{name!r} takes a string or one {_IGNORE_CASE!r}, not {_keys(operand)}")
    return AnyCase.of(position, _string(operand[_IGNORE_CASE], _IGNORE_CASE))


def _equals_ignore_case(operand: Any) -> AnyCase:
    return AnyCase.of("whole", _string(operand, _IGNORE_CASE))


def _wildcard(operand: Any) -> Wildcard:
    text = _string(operand, "wildcard")
    pieces = [""]
    position = 0
    while position < len(text):
        here, following = text[position], text[position + 1 : position + 2]
        if here == "*":
            if following == "*":
                raise RefusedError(f"'wildcard' has two '*' in a row at character {position + 1}")
            pieces.append("")
        elif here == "\\":
            if following not in ("*", "\\"):
                raise RefusedError(
                    f"'wildcard' has a backslash at character {position + 1} that escapes neither '*' nor a backslash"
                )
            pieces[-1] += following
            position += 1
        else:
            pieces[-1] += here
        position += 1
    return Wildcard(tuple(pieces))


def _numeric(operand: Any) -> NumericRange:
    if not isinstance(operand, list | tuple) or not operand:
        raise RefusedError('the value of \'numeric\' must be an array such as [">", 0, "<=", 5]')
    operator, value, rest = _term(list(operand), ("=", "<", "<=", ">", ">="))
    if operator == "=":
        numeric = NumericRange((value, True), (value, True))
    elif operator in ("<", "<="):
        numeric = NumericRange(None, (value, operator == "<="))
    elif rest:
        upper, top, rest = _term(rest, ("<", "<="))
        if value >= top:
            raise RefusedError("the lower end of the range must be less than the upper one")
        numeric = NumericRange((value, operator == ">="), (top, upper == "<="))
    else:
        numeric = NumericRange((value, operator == ">="), None)
    if rest:
        raise RefusedError("'numeric' has more terms than one comparison, or one range from > or >= to < or <=")
    return numeric


def _term(terms: list[Any], operators: tuple[str, ...]) -> tuple[str, float, list[Any]]:
    operator, *rest = terms
    if operator not in operators:
        raise RefusedError(f"{_shown(operator)} is no numeric comparison here; allowed are {', '.join(operators)}")
    number = as_number(rest[0]) if rest else None
    if number is None:
        raise RefusedError(f"{operator!r} must be followed by a number")
    return operator, _comparable(number), rest[1:]


def _comparable(number: Number) -> float:
    if number.value is None:
        raise RefusedError(f"{number.text} can't be compared: a double does not hold it exactly")
    return number.value


def _anything_but(operand: Any) -> AnythingBut:
    if isinstance(operand, Mapping):
        return _anything_but_text(operand)
    values = list(operand) if isinstance(operand, list | tuple) else [operand]
    if not values:
        raise RefusedError("'anything-but' needs at least one value")
    literals = [_excludable(value) for value in values]
    if len({isinstance(value, Number) for value in literals}) > 1:
        raise RefusedError("the values of 'anything-but' must be all strings or all numbers")
    return AnythingBut(tuple(Equals(value) for value in literals))


def _excludable(value: Any) -> str | Number:
    if isinstance(value, str):
        return value
    number = as_number(value)
    if number is None:
        raise RefusedError("'anything-but' takes strings and numbers, no booleans, null, objects or arrays")
    _comparable(number)
    return number


def _anything_but_text(operand: Mapping[str, Any]) -> AnythingBut:
    if len(operand) != 1:
        raise RefusedError(f"a comparison within 'anything-but' has exactly one key, not {_keys(operand)}")
    ((name, inner),) = operand.items()
    reader = _EXCLUDABLE.get(name)
    if reader is None:
        raise RefusedError(f"'anything-but' can't be applied to {name!r}, only to {', '.join(_EXCLUDABLE)}")
    values = list(inner) if isinstance(inner, list | tuple) else [inner]
    if not values:
        raise RefusedError(f"'anything-but' with an empty list of {name!r} excludes nothing", by_kit=True)
    for value in values:
        _string(value, name)
        if value == "" and name in ("prefix", "suffix"):
            raise RefusedError(f"an empty {name!r} within 'anything-but' is not allowed: it excludes every string")
    return AnythingBut(tuple(reader(value) for value in values))


def _exists(operand: Any) -> Exists | Absent:
    if not isinstance(operand, bool):
        raise RefusedError("the value of 'exists' must be true or false")
    return Exists() if operand else Absent()


def _cidr(operand: Any) -> AddressRange:
    text = _string(operand, "cidr")
    base, _, bits = text.partition("/")
    address = read_address(base)
    if address is None or _BITS.fullmatch(bits) is None:
        raise RefusedError(f"{text!r} is no block of IP addresses such as 10.0.0.0/8 or 2001:db8::/32")
    if int(bits) >= address.max_prefixlen:
        raise RefusedError(
            f"the prefix length of an IPv{address.version} block must be less than {address.max_prefixlen}; "
            f"for a single address write {compact(base)} without 'cidr'"
        )
    network = ipaddress.ip_network(f"{address}/{int(bits)}", strict=False)
    return AddressRange(address_digits(network[0]), address_digits(network[-1]))


def _shown(value: Any) -> str:
    try:
        return compact(value)
    except (TypeError, RecursionError):
        return "that"


_IGNORE_CASE: Final = "equals-ignore-case"
_BITS: Final = re.compile(r"\+?[0-9]{1,4}")
_EXCLUDABLE: Final[Mapping[str, Callable[[Any], Text | AnyCase | Wildcard]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    _IGNORE_CASE: _equals_ignore_case,
    "wildcard": _wildcard,
}
_OPERATORS: Final[Mapping[str, Callable[[Any], Matcher]]] = {
    **_EXCLUDABLE,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "exactly": _exactly,
}
OPERATORS: Final = tuple(_OPERATORS)
"""Names of the comparisons. ``exactly`` is Event Ruler's, which the user guide does not list."""
