"""The pattern of a hop's rule: the user's, with the kit's own conditions.

``modules/router/patterns.tf`` has the same in HCL; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from media_events_kit.event_patterns.errors import Problem, member
from media_events_kit.event_patterns.lint import NORMALISED, decomposed
from media_events_kit.event_patterns.match_all import takes_everything
from media_events_kit.event_patterns.validate import MAX_CHARACTERS, compile_pattern, validate_pattern

Stage = Literal["received", "transformed"]

OWN_FIELDS: Final = ("detail.metadata.stage", "detail.metadata.redrive")
"""Fields of the kit's conditions, which a user's pattern must not have."""

KIT_SOURCE: Final = {"source": [{"prefix": "partner."}]}
"""The sources of events that only the kit puts on the bus."""

_EVERYTHING: Final = "takes every event; where that is meant, set match_all: true"
_OBJECTS: Final = ("detail", "detail.metadata")


def effective_pattern(pattern: Mapping[str, Any], *, hop: str, stage: Stage) -> dict[str, Any]:
    """``pattern`` with the conditions of ``hop``, such as ``route/cms`` (docs/reference/event-patterns.md).

    The event must be of the hop's stage, and must not be redriven to another hop. Where the pattern names no source,
    the kit must have published it: a sender on the bus is free in its events' content, but can't use that source.
    """
    detail = _object(pattern, "detail")
    metadata = _object(detail, "metadata")
    return {
        **pattern,
        **_source_condition(pattern),
        "detail": {
            **detail,
            "metadata": {**metadata, "stage": [stage], "redrive": {"route": [{"exists": False}, hop]}},
        },
    }


def validate_hop_pattern(
    pattern: Mapping[str, Any],
    *,
    hop: str,
    stage: Stage,
    match_all: bool = False,
    max_characters: int = MAX_CHARACTERS,
) -> list[Problem]:
    """Every reason why the rule of ``hop`` can't be made: of the user's pattern, or of the effective one."""
    if not isinstance(pattern, Mapping):
        return validate_pattern(pattern)
    if not pattern:
        return [] if match_all else [Problem("", f"an empty pattern {_EVERYTHING}", "kit")]
    problems = validate_pattern(pattern, max_characters=max_characters)
    if problems := problems or [*_own_fields(pattern), *unstable(pattern), *_deep_sources(pattern)]:
        return problems
    if not match_all and takes_everything(compile_pattern(pattern, max_characters=max_characters)):
        return [Problem("", f"this pattern {_EVERYTHING}", "kit")]
    whole = validate_pattern(effective_pattern(pattern, hop=hop, stage=stage), max_characters=max_characters)
    return [Problem(problem.path, f"{problem.message} (with the kit's own conditions)") for problem in whole]


def _source_condition(pattern: Mapping[str, Any]) -> dict[str, Any]:
    return combined_source(pattern, KIT_SOURCE)


def combined_source(pattern: Mapping[str, Any], condition: Mapping[str, Any]) -> dict[str, Any]:
    """What to add to ``pattern`` so that it asks for ``condition`` wherever it names no source of its own."""
    if "source" in pattern:
        return {}
    alternatives = pattern.get("$or", [])
    if not any(names_source(alternative) for alternative in alternatives):
        return dict(condition)
    # No combination may name a field twice, so the condition goes into the other alternatives.
    return {"$or": [{**alternative, **combined_source(alternative, condition)} for alternative in alternatives]}


def names_source(node: Mapping[str, Any]) -> bool:
    """Whether an alternative, or one within it, names a source."""
    return "source" in node or any(names_source(each) for each in node.get("$or", []))


MAX_SOURCE_DEPTH: Final = 2
"""The levels of ``$or`` in which a source may stand; the modules' HCL, which knows no recursion, combines no deeper."""


def _source_depth(node: Mapping[str, Any]) -> int:
    """The levels of ``$or`` around the deepest source; 0 if there is none in any."""
    depths = [_source_depth(each) for each in node.get("$or", []) if names_source(each)]
    return 1 + max(depths) if depths else 0


def _deep_sources(pattern: Mapping[str, Any]) -> list[Problem]:
    """Whether a source of a valid pattern stands in more levels of ``$or`` than the modules combine."""
    if _source_depth(pattern) <= MAX_SOURCE_DEPTH:
        return []
    return [Problem("$or", f"a source stands at most {MAX_SOURCE_DEPTH} levels of $or deep", "kit")]


def unstable(pattern: Mapping[str, Any]) -> list[Problem]:
    """Texts that Terraform would change on their way to EventBridge."""
    return [Problem(path, NORMALISED, "kit") for path, value in _texts(pattern, "") if decomposed(value)]


def _texts(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every name and text of a pattern, each with its place."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield member(path, key), key
            yield from _texts(value, member(path, key))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _texts(value, f"{path}[{index}]")
    elif isinstance(node, str):
        yield path, node


def _object(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = node.get(key, {})
    return value if isinstance(value, Mapping) else {}


def _own_fields(pattern: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for path, field in _leaves(pattern, "", ""):
        if field in _OBJECTS:
            problems.append(Problem(path, f"{field} is an object in every event: name fields within it", "kit"))
        elif any(field == own or field.startswith(f"{own}.") for own in OWN_FIELDS):
            problems.append(Problem(path, f"{field} is the kit's own: it follows from the hop's stage", "kit"))
    return problems


def _leaves(node: Mapping[str, Any], path: str, field: str) -> list[tuple[str, str]]:
    leaves: list[tuple[str, str]] = []
    for key, value in node.items():
        here = member(path, key)
        if key == "$or":
            for index, alternative in enumerate(value):
                leaves += _leaves(alternative, f"{here}[{index}]", field)
        elif isinstance(value, Mapping):
            leaves += _leaves(value, here, member(field, key))
        else:
            leaves.append((here, member(field, key)))
    return leaves
