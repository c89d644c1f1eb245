"""Checks of event patterns: those of hops, of partners, and of the archive."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import fields as fields_of
from difflib import get_close_matches
from typing import Any, Final, Literal

from media_events.core.envelope import Metadata
from media_events_kit.event_patterns import Problem, advise, validate_hop_pattern, validate_pattern
from media_events_kit.infra.documents.yaml_document import Path, Report, has_member, members_of, text_of

PATTERN_FIELDS: Final = frozenset(
    {"$or", "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"}
)
"""The fields of an event (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html); an archive
replay adds its name (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html)."""

ENVELOPE_FIELDS: Final = frozenset(
    {"detail.data", "detail.data.*", *(f"detail.metadata.{field.name}" for field in fields_of(Metadata))}
)
"""All that `detail` has in the events of partners."""


def check_patterns(report: Report) -> None:
    """Note patterns that EventBridge would refuse, and those that match nothing or everything."""
    root = report.document.value
    transforms = members_of(root, "transforms")
    sources = [f"partner.{name}" for name in members_of(root, "partners")]
    for section, step in (("transforms", "transform"), ("routes", "route")):
        for name, member in members_of(root, section).items():
            pattern = member.get("pattern") if isinstance(member, dict) else None
            if not isinstance(pattern, dict):
                continue
            problems = validate_hop_pattern(
                pattern,
                hop=f"{step}/{name}",
                stage=stage_of(section, text_of(member, "stage"), has_transforms=bool(transforms)),
                match_all=member.get("match_all") is True,
            )
            note_pattern(report, (section, name, "pattern"), pattern, problems, fields=ENVELOPE_FIELDS, sources=sources)
    pattern = members_of(members_of(root, "bus"), "archive").get("pattern")
    if isinstance(pattern, dict):
        note_pattern(report, ("bus", "archive", "pattern"), pattern, validate_pattern(pattern))


def stage_of(section: str, stage: str, *, has_transforms: bool) -> Literal["received", "transformed"]:
    """The stage of a hop's events: transforms take those received; routes default to those transformed, if any are."""
    if section == "transforms" or stage == "received":
        return "received"
    return "transformed" if has_transforms or stage == "transformed" else "received"


def note_pattern(  # noqa: PLR0913 - keywords
    report: Report,
    path: Path,
    pattern: dict[str, Any],
    problems: list[Problem],
    *,
    fields: Collection[str] = (),
    sources: Collection[str] | None = None,
) -> None:
    """Note the `problems` of a pattern, or else the advice on it; `fields` and `sources` are those of its events."""
    for field in pattern:
        if field.partition(".")[0] not in PATTERN_FIELDS:
            nearest = get_close_matches(field, PATTERN_FIELDS, n=1, cutoff=0.6)
            advice = f'did you mean "{nearest[0]}"?' if nearest else "the partner's own fields are under detail.data"
            report.wrong((*path, field), f"no event has this field, so it never matches: {advice}")
    for problem in problems:
        report.wrong((*path, *_steps_within(pattern, problem.path)), problem.message)
    if not problems and pattern:
        for warning in advise(pattern, fields=fields, sources=sources):
            if warning.path.partition(".")[0] in PATTERN_FIELDS or warning.path.startswith("$or["):
                report.warn((*path, *_steps_within(pattern, warning.path)), warning.message)


def _steps_within(value: Any, inner: str) -> Iterator[str | int]:
    """The steps of the dotted path ``inner`` from ``value``, as far as they exist."""
    for field, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", inner):
        step = int(index) if index else field
        if not has_member(value, step):
            return
        value = value[step]
        yield step
