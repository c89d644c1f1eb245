"""Checks of partners against their ingresses.

As in ``references``, they read plain values, and leave malformed ones to the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from media_events_kit.event_patterns import Problem, unstable, validate_pattern
from media_events_kit.infra.documents.yaml_document import Path, Report
from media_events_kit.infra.validation.patterns import note_pattern

MAX_NAME: Final = 64
"""Characters of a Lambda function's, a role's and a rule's name."""

MAX_ARCHIVE_NAME: Final = 48
"""Characters of an archive's name."""

ONE_PARTNER: Final = frozenset({"sqs", "sns-fifo", "partner-bus"})
"""Types of ingress that can't tell partners apart by a message."""

BY_SOURCE: Final = frozenset({"custom-bus", "aws-services"})
"""Types of ingress that tell partners apart by the event's `source`."""

KINDS: Final = ONE_PARTNER | BY_SOURCE | {"webhook"}

BUSES: Final = BY_SOURCE | {"partner-bus"}

OPTIONS: Final = {
    **dict.fromkeys(
        ("secret_arns", "previous_secret_seconds", "throttle", "authorization", "require_client_certificate"),
        (frozenset({"webhook"}), "a webhook"),
    ),
    **dict.fromkeys(("sources", "pattern"), (BUSES, "a bus")),
}
"""A partner's keys that only some types of ingress use, with these types and a word for them."""


def ingress_names(partner: Any) -> list[str]:
    """The ingresses that a partner names."""
    named = partner.get("ingress") if isinstance(partner, Mapping) else None
    return _texts([named] if isinstance(named, str) else named)


def ingress_kinds(ingresses: Mapping[str, Any], partner: Any) -> set[str]:
    """The types of a partner's ingresses, as far as these exist."""
    return {_kind(ingresses[name]) for name in ingress_names(partner) if name in ingresses}


def check_ingresses(report: Report, prefix: str, ingresses: Mapping[str, Any], partners: Mapping[str, Any]) -> None:
    """Note ingresses and partners that do not fit together. `prefix` begins the names of their resources."""
    for name, partner in partners.items():
        if isinstance(partner, dict):
            _check_partner(report, name, partner, ingresses)
    for name, ingress in ingresses.items():
        users = [partner for partner, settings in partners.items() if name in ingress_names(settings)]
        if users:
            _check_ingress(report, name, ingress, users, prefix)
    _check_overlaps(report, ingresses, partners)
    _check_unmodified(report, ingresses, partners)


def forwards_unmodified(ingress: Any) -> bool:
    """Whether a partner's events go from its bus to the workflow's without a function."""
    return _kind(ingress) == "partner-bus" and ingress.get("forward_unmodified") is True


def _check_unmodified(report: Report, ingresses: Mapping[str, Any], partners: Mapping[str, Any]) -> None:
    """Note unmodified events on the workflow's bus that nothing in the file takes from there."""
    taken = [
        source
        for partner in partners.values()
        if any(
            _kind(ingresses.get(name)) == "custom-bus" and not _bus_of(ingresses[name])
            for name in ingress_names(partner)
        )
        for source in _sources(partner)
    ]
    for name, ingress in ingresses.items():
        users = [partner for partner in partners.values() if name in ingress_names(partner)]
        if not forwards_unmodified(ingress) or not users:
            continue
        sources = _sources(users[0]) or [str(ingress.get("event_source_name"))]
        if not any(_overlap(source, other) for source in sources for other in taken):
            report.warn(
                ("ingress", name, "forward_unmodified"),
                "its events reach the bus unmodified, where transforms and routes take only the envelope. Add a "
                "custom-bus ingress with a partner of this source, or take them with rules of your own",
            )


def _check_partner(report: Report, name: str, partner: dict[str, Any], ingresses: Mapping[str, Any]) -> None:
    kinds, names = ingress_kinds(ingresses, partner), ingress_names(partner)
    path: Path = ("partners", name)
    if len(set(names)) < len(names):
        report.wrong((*path, "ingress"), "names an ingress twice: once is enough")
    if not kinds or not kinds <= KINDS:
        return
    has_specification = partner.get("specification") is not None
    read = {_kind(ingresses[name]) for name in names if name in ingresses and not forwards_unmodified(ingresses[name])}
    if has_specification and not read:
        report.warn((*path, "specification"), "has no effect: its events reach the bus unmodified")
    if not has_specification and not read <= {"custom-bus"}:
        message = "is missing: the name of a preset, a specification file, or a specification itself"
        message += " (only a sender on a custom bus may do without)" if "custom-bus" in kinds else ""
        report.wrong((*path, "specification"), message)
    if partner.get("sources") is None and kinds & BY_SOURCE:
        message = "is missing: on a shared bus, events are told apart by their `source`, such as [com.acme.mam]"
        report.wrong((*path, "sources"), message)
    for option, (fitting, described) in OPTIONS.items():
        if partner.get(option) not in (None, False) and not kinds & fitting:
            message = f"is for {described}, and the ingress of {name} is {', '.join(sorted(kinds))}: leave it out"
            report.wrong((*path, option), message)
    _check_sources(report, path, partner, kinds)


def _check_sources(report: Report, path: Path, partner: dict[str, Any], kinds: set[str]) -> None:
    for index, source in enumerate(_sources(partner)):
        if _overlap(source, "partner.*"):
            message = f'"{source}" takes the events that the kit itself publishes (partner.…), in an endless loop'
            report.wrong((*path, "sources", index), message)
        elif source.startswith("aws.") and not source.startswith("aws.partner/") and kinds == {"custom-bus"}:
            message = "AWS services put their events on the account's default bus: use an ingress of type aws-services"
            report.wrong((*path, "sources", index), message)
    pattern = partner.get("pattern")
    if not isinstance(pattern, dict) or not kinds & BUSES:
        return
    if "source" in pattern:
        report.wrong((*path, "pattern", "source"), "belongs in the partner's sources")
    others = {key: value for key, value in pattern.items() if key != "source"}
    if others:
        problems = validate_pattern(others) or [*_foreign_sources(others, _sources(partner)), *unstable(others)]
        note_pattern(report, (*path, "pattern"), others, problems)


def _foreign_sources(pattern: Mapping[str, Any], sources: list[str], path: str = "") -> Iterator[Problem]:
    """Sources in alternatives that are not the partner's own: the rule asks for one of those elsewhere only."""
    for index, alternative in enumerate(pattern.get("$or", ())):
        here = f"{path}$or[{index}]"
        for source in alternative.get("source", ()):
            if not isinstance(source, str) or not any(_overlap(source, own) for own in sources):
                message = f"{source} is none of the partner's sources ({', '.join(sources)}); name one in full"
                yield Problem(f"{here}.source", message, "kit")
        yield from _foreign_sources(alternative, sources, f"{here}.")


def _check_ingress(report: Report, name: str, ingress: Any, users: list[str], prefix: str) -> None:
    kind, path = _kind(ingress), ("ingress", name)
    if kind in ONE_PARTNER and len(users) > 1:
        message = f"{users[0]} uses {name} already, and nothing tells their messages apart: give each an ingress"
        report.wrong(("partners", users[1], "ingress"), message)
    full = f"{prefix}{name}"
    for text, what in ((full, "function"), *((f"{full}-{user}", "rule") for user in users if kind in BUSES)):
        if len(text) > MAX_NAME:
            report.wrong(path, f"{text}, its {what}, has {len(text)} characters; AWS takes {MAX_NAME}: shorten it")
    if kind == "partner-bus" and ingress.get("archive") is not None and len(full) > MAX_ARCHIVE_NAME:
        message = f"{full}, its archive, has {len(full)} characters; AWS takes {MAX_ARCHIVE_NAME}: shorten the name"
        report.wrong(path, message)
    senders = ingress.get("senders") if isinstance(ingress, dict) else None
    for key, sender in senders.items() if isinstance(senders, dict) else ():
        for index, source in enumerate(_sources(sender)):
            if source.endswith("*") or source.startswith(("aws.", "partner.")):
                message = "a sender's sources are exact, and begin with neither aws. nor partner."
                report.wrong((*path, "senders", key, "sources", index), message)


def _check_overlaps(report: Report, ingresses: Mapping[str, Any], partners: Mapping[str, Any]) -> None:
    """Note partners of one bus whose events can't be told apart."""
    buses: dict[str, list[tuple[str, int, str]]] = {}
    for name, partner in partners.items():
        for ingress in ingress_names(partner):
            if _kind(ingresses.get(ingress)) in BY_SOURCE:
                sources = [(name, index, source) for index, source in enumerate(_sources(partner))]
                buses.setdefault(_bus_of(ingresses[ingress]), []).extend(sources)
    for sources in buses.values():
        for (first, _, one), (second, index, other) in combinations(sources, 2):
            if _overlap(one, other):
                report.wrong(
                    ("partners", second, "sources", index),
                    f'"{other}" is {"also" if first != second else "already"} {first}\'s "{one}": an event can have '
                    "one partner only, and be taken once",
                )


def _bus_of(ingress: Any) -> str:
    if _kind(ingress) == "aws-services":
        return "default"
    existing = ingress.get("existing_bus") if isinstance(ingress, dict) else None
    return str(existing.get("arn") or "") if isinstance(existing, dict) else ""


def _overlap(one: str, other: str) -> bool:
    """Whether both take some source."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one.startswith(other[:-1]) if other.endswith("*") else one == other


def _sources(section: Any) -> list[str]:
    return _texts(section.get("sources") if isinstance(section, Mapping) else None)


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _kind(ingress: Any) -> str:
    kind = ingress.get("type", "webhook") if isinstance(ingress, Mapping) else None
    return kind if isinstance(kind, str) else ""
