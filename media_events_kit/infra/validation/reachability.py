"""Warnings of routes that declared partners' events can't reach.

A transform changes an event's data, never its source or type. So a route that takes transformed events gets those of a
partner's type only where a transform takes them too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from media_events_kit.event_patterns import advise, compile_pattern, validate_pattern
from media_events_kit.event_patterns.json_documents import compact
from media_events_kit.event_patterns.partial_match import KnownFields, PartialPattern
from media_events_kit.infra.documents.yaml_document import Path, Report, members_of, text_of
from media_events_kit.infra.validation.patterns import ENVELOPE_FIELDS, stage_of

NAMED: Final = 3
"""The most events that a warning names."""

Pattern = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PartnerTypes:
    """The event types of a partner: those that its specification names, and whether it may send others.

    ``read``: others are never words of the neutral vocabulary, since they come by a specification.
    """

    named: frozenset[str]
    closed: bool
    read: bool


@dataclass(frozen=True, slots=True)
class _Kind:
    """The events of one partner and type; ``None`` is any type that is not known."""

    partner: str
    type: str | None

    def __str__(self) -> str:
        return f"{self.type or 'events'} of {self.partner}"


def check_reachability(report: Report, specifications: Mapping[str, Mapping[str, Any]]) -> None:
    """Warn of routes that no declared partner's events reach, or that some miss for their stage."""
    root = report.document.value
    partners = {name: partner_types(specifications.get(name)) for name in members_of(root, "partners")}
    transforms = [_compiled(pattern) for _, pattern in _patterns(root, "transforms")]
    reach = _Reach(partners)
    for name, pattern in _patterns(root, "transforms") if partners else ():
        taken = reach.of(pattern)
        _tell_of_natives(report, ("transforms", name), pattern, taken)
    for name, pattern in _patterns(root, "routes"):
        route = members_of(root, "routes")[name]
        if route.get("enabled") is False:
            continue
        taken = reach.of(pattern)
        own_stage = text_of(route, "stage")
        if stage_of("routes", own_stage, has_transforms=bool(transforms)) == "received":
            reached = taken
        else:
            reached = [kind for kind in taken if any(_taken(transform, kind) for transform in transforms)]
        if partners and not reached:
            # A pattern that can match nothing has a warning that says why.
            if taken or not advise(pattern, fields=ENVELOPE_FIELDS, sources=[f"partner.{one}" for one in partners]):
                report.warn(("routes", name), _unreached(taken))
            continue
        if partners:
            _tell_of_natives(report, ("routes", name), pattern, taken)
        if not own_stage and (missed := [k for k in taken if k not in reached and _is_named(k, partners)]):
            report.warn(("routes", name), _missed(missed))


def _tell_of_natives(report: Report, path: Path, pattern: Pattern, taken: list[_Kind]) -> None:
    """Warn of neutral types that a pattern asks for, and that come by their own name from nobody."""
    missing = sorted(filter(_is_neutral, _asked_types(pattern)[0] - {kind.type for kind in taken}))
    if missing:
        own = f"a partner that sends it untranslated has it as native.<partner>.{missing[0]}"
        shown = ", ".join(missing[:NAMED]) + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        report.warn(path, f"no declared partner sends {shown}: {own}, unless its specification names it")


def _unreached(taken: list[_Kind]) -> str:
    if not taken:
        return "no declared partner sends events that this pattern takes: nothing is ever delivered by it"
    return (
        f"it gets nothing: it takes transformed events, and no transform takes {_listed(taken)}. "
        "Set stage: received to have them as they come"
    )


def _missed(missed: list[_Kind]) -> str:
    return (
        f"it does not get {_listed(missed)}, which no transform takes: another route with stage: received would. "
        "If that is meant, write stage: transformed"
    )


def _listed(kinds: list[_Kind]) -> str:
    shown = ", ".join(str(kind) for kind in kinds[:NAMED])
    return shown + (f" and {len(kinds) - NAMED} more" if len(kinds) > NAMED else "")


def _patterns(root: Any, section: str) -> Iterator[tuple[str, Pattern]]:
    for name, member in members_of(root, section).items():
        pattern = member.get("pattern") if isinstance(member, dict) else None
        if isinstance(pattern, dict) and (not pattern or not validate_pattern(pattern)):
            yield name, pattern


@dataclass(frozen=True, slots=True)
class _Reach:
    """The partners' events that patterns take; each pattern is tried once, however many routes have it."""

    partners: Mapping[str, PartnerTypes]
    found: dict[str, list[_Kind]] = field(default_factory=dict)

    def of(self, pattern: Pattern) -> list[_Kind]:
        text = compact(pattern)
        if text not in self.found:
            compiled = _compiled(pattern)
            self.found[text] = [kind for kind in _kinds(pattern, self.partners) if _taken(compiled, kind)]
        return self.found[text]


def _compiled(pattern: Pattern) -> PartialPattern | None:
    """``None`` for a pattern that takes everything."""
    return PartialPattern.of(pattern) if pattern else None


def _taken(pattern: PartialPattern | None, kind: _Kind) -> bool:
    return pattern is None or pattern.takes(_known(kind)) != "no"


@functools.lru_cache(maxsize=16_384)
def _known(kind: _Kind) -> KnownFields:
    source = f"partner.{kind.partner}"
    known = {"source": source, "detail.metadata.source": source, "detail.metadata.partner": kind.partner}
    if kind.type is not None:
        known |= {"detail-type": kind.type, "detail.metadata.type": kind.type}
    return KnownFields.of(known)


def _kinds(pattern: Pattern, partners: Mapping[str, PartnerTypes]) -> list[_Kind]:
    """The events that could come, as far as ``pattern`` tells them apart."""
    literals, others = _asked_types(pattern)
    kinds: list[_Kind] = []
    for partner, types in partners.items():
        possible: list[str | None] = sorted(types.named)  # type: ignore[assignment]  # a wider type
        if not types.closed:
            possible += sorted(name for name in literals - types.named if not (types.read and _is_neutral(name)))
            possible += [None] if others else []
        kinds += [_Kind(partner, name) for name in possible]
    return kinds


def _asked_types(pattern: Pattern) -> tuple[set[str], bool]:
    """The types that the pattern names, and whether it may take others."""
    literals: set[str] = set()
    others = not pattern
    for branch in compile_pattern(pattern) if pattern else ():
        condition = branch.get("detail-type") or branch.get("detail.metadata.type")
        wanted = [None] if condition is None else condition.wanted
        literals |= {value for value in wanted if isinstance(value, str)}
        others = others or any(not isinstance(value, str) for value in wanted)
    return literals, others


def _is_neutral(name: str) -> bool:
    from media_events.partners.neutral_types import VOCABULARY  # noqa: PLC0415 - only where there is a workflow to read

    return name in VOCABULARY


def _is_named(kind: _Kind, partners: Mapping[str, PartnerTypes]) -> bool:
    return kind.type in partners[kind.partner].named


def partner_types(document: Mapping[str, Any] | None) -> PartnerTypes:
    """The event types of a partner with this specification; without one, or with a wrong one, any."""
    from media_events.partners.neutral_types import VOCABULARY  # noqa: PLC0415
    from media_events.partners.specification import SpecificationError, parse_specification  # noqa: PLC0415
    from media_events.partners.value_expressions import Constant  # noqa: PLC0415

    try:
        specification = None if document is None else parse_specification(document)
    except SpecificationError:
        specification = None
    if specification is None:
        return PartnerTypes(frozenset(), closed=False, read=False)
    rule, translations = specification.type, specification.types
    own = set(rule.allowed)
    if isinstance(rule.source, Constant):
        own |= {str(rule.source.value)}
    named = {translations.get(name, name) for name in own} | set(translations.values())
    named |= {name for name in VOCABULARY if rule.names(name) and name not in translations}
    return PartnerTypes(frozenset(named), closed=bool(own) and rule.qualifier is None, read=True)
