"""Warnings about parts of a pattern that EventBridge accepts, but that are probably not meant."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from media_events_kit.event_patterns.comparisons import (
    AnyCase,
    AnythingBut,
    Equals,
    Exists,
    Matcher,
    NumericRange,
    Text,
    Wildcard,
)
from media_events_kit.event_patterns.errors import Problem
from media_events_kit.event_patterns.json_documents import Number, compact
from media_events_kit.event_patterns.normal_form import Branch, Condition
from media_events_kit.event_patterns.parser import OPERATORS
from media_events_kit.event_patterns.validate import compile_pattern
from media_events_kit.event_patterns.wildcard_complexity import REFUSED_FROM, TAKEN_TO, complexities

EVENT_FIELDS: Final = frozenset(
    {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"}
)
"""Top-level fields of events on a bus (user guide, "Event structure"; an archive replay adds its name)."""

TEXT_FIELDS: Final = EVENT_FIELDS - {"detail", "resources"}

DOCUMENTED_RANGE: Final = 5e9
"""The user guide promises numeric matching between plus and minus this number."""

EXACT_INTEGERS: Final = 2**53
"""Every integer up to here is a double of its own."""


def advise(
    pattern: Mapping[str, Any], *, fields: Collection[str] = (), sources: Collection[str] | None = None
) -> list[Problem]:
    """The warnings, each once.

    ``fields`` are all that ``detail`` has in the events that come, if that is known: ``detail.metadata.id``, or
    ``detail.data.*`` for whatever is below. ``sources`` are all sources that come.

    Raises:
        PatternError: the pattern is refused altogether.
    """
    branches = compile_pattern(pattern)
    advice: dict[tuple[str, str], Problem] = {}
    for condition in (condition for branch in branches for condition in branch.values()):
        warnings = [*_warnings(condition), *_unknown_field(condition, fields)]
        if sources is not None and condition.field == "source":
            warnings += _unknown_sources(condition.matchers, sources)
        for message in warnings:
            advice.setdefault((condition.path, message), Problem(condition.path, message, "kit"))
    return [*advice.values(), *_complex(branches)]


def _complex(branches: Sequence[Branch]) -> Iterator[Problem]:
    for field, complexity in complexities(branches).items():
        if TAKEN_TO < complexity < REFUSED_FROM:
            path = next(branch[field].path for branch in branches if field in branch)
            message = (
                f"its wildcards have a complexity of {complexity}; EventBridge has taken {TAKEN_TO} and refused "
                f"{REFUSED_FROM} (it publishes no limit): use prefix and suffix where they do"
            )
            yield Problem(path, message, "kit")


def _warnings(condition: Condition) -> list[str]:
    warnings: list[str] = []
    matchers = condition.matchers
    top = condition.field.split(".", 1)[0]
    if top not in EVENT_FIELDS:
        warnings.append(f"events have no field {top!r} at the top: an event's own content is within 'detail'")
    warnings += _missing_brackets(condition)
    if sum(isinstance(matcher, AnythingBut) for matcher in matchers) > 1:
        warnings.append(
            "several 'anything-but' in one array exclude nothing, since a value has to pass one of them only; "
            "put the values in one 'anything-but' list"
        )
    if any(isinstance(matcher, Exists) for matcher in matchers) and len(matchers) > 1:
        every = "every event" if condition.takes_absence else "every value"
        warnings.append(f"{{'exists': true}} takes {every} here, so the rest of the array makes no difference")
    if any(abs(number) > DOCUMENTED_RANGE for number in _numbers(matchers)):
        warnings.append("the user guide promises numeric matching from -5.0e9 to 5.0e9 only")
    warnings += [text for entry in condition.wanted for text in _literal(entry)]
    if any(decomposed(text) for text in (condition.field, compact(condition.wanted))):
        warnings.append(NORMALISED)
    return warnings


NORMALISED: Final = (
    "has text in decomposed Unicode, which Terraform composes (NFC) and EventBridge compares as it is: the deployed "
    "rule would not match what this pattern matches; write the composed form"
)


def decomposed(text: str) -> bool:
    """Whether Terraform would change a text: it keeps every string in NFC (https://github.com/zclconf/go-cty)."""
    return not text.isascii() and unicodedata.normalize("NFC", text) != text


def _literal(entry: Any) -> Iterator[str]:
    if isinstance(entry, str) and "*" in entry:
        yield f"a * in plain text is that character; for any text write {compact({'wildcard': entry})}"
    text = entry.text if isinstance(entry, Number) else str(entry) if isinstance(entry, int) else ""
    if text.lstrip("-").isdigit() and abs(int(text[:400])) > EXACT_INTEGERS:
        yield (
            f"{text} is beyond 2^53, where EventBridge compares digits and many senders round: match text or a range"
        )


def _missing_brackets(condition: Condition) -> Iterator[str]:
    parent, _, last = condition.field.rpartition(".")
    if not parent:
        return
    top = parent.split(".")[0]
    if last in OPERATORS and _fits(last, condition.wanted):
        operand: Any = condition.wanted
        if last not in ("numeric", "anything-but") and len(condition.wanted) == 1:
            operand = condition.wanted[0]
        yield (
            f"{last!r} is a field's name here; a comparison stands in an array: "
            f"{parent.rpartition('.')[2]}: {compact([{last: operand}])}"
        )
    elif top in TEXT_FIELDS:
        yield f"{top} is text in every event and has no fields, so this never matches"


def _fits(operator: str, wanted: Sequence[Any]) -> bool:
    """Whether an array could be the operand of a comparison that lacks its own array."""
    if operator == "numeric":
        return bool(wanted) and wanted[0] in ("=", "<", "<=", ">", ">=")
    if operator == "exists":
        return all(isinstance(entry, bool) for entry in wanted)
    return all(isinstance(entry, str) or operator == "anything-but" for entry in wanted)


def _unknown_field(condition: Condition, fields: Collection[str]) -> Iterator[str]:
    field = condition.field
    if not fields or not field.startswith("detail.") or condition.takes_absence or field in fields:
        return
    if any(known.endswith(".*") and field.startswith(known[:-1]) for known in fields):
        return
    nearest = get_close_matches(field, [known for known in fields if not known.endswith("*")], n=1, cutoff=0.7)
    advice = f"did you mean {nearest[0]}?" if nearest else "the partner's own fields are under detail.data"
    yield f"no event has {field}, so this never matches: {advice}"


def _unknown_sources(matchers: Sequence[Matcher], sources: Collection[str]) -> Iterator[str]:
    for matcher in matchers:
        if isinstance(matcher, Equals) and isinstance(matcher.value, str):
            text, comes = matcher.value, matcher.value in sources
        elif isinstance(matcher, Text | AnyCase | Wildcard):
            text, comes = "", any(matcher.accepts(source) for source in sources)
        else:
            continue
        if not comes:
            nearest = get_close_matches(text, sources, n=1)
            known = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(sorted(sources)) or 'none'}"
            yield f"no event has {'the source ' + text if text else 'such a source'}: {known}"


def _numbers(matchers: Sequence[Matcher]) -> list[float]:
    numbers: list[float] = []
    for matcher in matchers:
        if isinstance(matcher, NumericRange):
            numbers += [bound[0] for bound in (matcher.low, matcher.high) if bound is not None]
        elif isinstance(matcher, AnythingBut):
            literals = [literal.value for literal in matcher.excluded if isinstance(literal, Equals)]
            numbers += [number.value or 0 for number in literals if isinstance(number, Number)]
    return numbers
