"""How partners and ways in fit together: what a single section of the file can't see.

As in `checks`, plain values are read, and what is malformed is passed over: the model tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from event_patterns import validate_pattern
from infra.documents.diagnostics import Diagnostics
from infra.documents.yaml_document import Document

MAX_NAME: Final = 64
"""Characters of a Lambda function's, a role's and a rule's name."""

MAX_ARCHIVE_NAME: Final = 48
"""Characters of an archive's name."""

ONE_PARTNER: Final = frozenset({"sqs", "sns-fifo", "partner-bus"})
"""Ways in where nothing in a message tells partners apart."""

BY_SOURCE: Final = frozenset({"custom-bus", "aws-services"})
"""Ways in where the event's `source` tells partners apart."""

KINDS: Final = ONE_PARTNER | BY_SOURCE | {"webhook"}

BUSES: Final = BY_SOURCE | {"partner-bus"}

OPTIONS: Final = {
    "secret_arns": (frozenset({"webhook"}), "a webhook"),
    "throttle": (frozenset({"webhook"}), "a webhook"),
    "authorization": (frozenset({"webhook"}), "a webhook"),
    "require_client_certificate": (frozenset({"webhook"}), "a webhook"),
    "sources": (BUSES, "a bus"),
    "pattern": (BUSES, "a bus"),
}
"""Of a partner's keys those that only some ways in have a use for, and what these are called."""


def ingress_names(partner: Any) -> list[str]:
    """The entries that a partner names."""
    named = partner.get("ingress") if isinstance(partner, Mapping) else None
    if isinstance(named, str):
        return [named]
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def ingress_kinds(ingresses: Mapping[str, Any], partner: Any) -> set[str]:
    """The types of the entries that a partner names and that there are."""
    return {_kind(ingresses[name]) for name in ingress_names(partner) if name in ingresses}


def check_ingresses(
    document: Document, prefix: str, ingresses: Mapping[str, Any], partners: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note what can't be about the ways in and who takes them. `prefix` begins the names of their resources."""
    for name, partner in partners.items():
        if isinstance(partner, dict):
            _check_partner(document, name, partner, ingresses, diagnostics)
    for name, ingress in ingresses.items():
        users = [partner for partner, settings in partners.items() if name in ingress_names(settings)]
        if users:
            _check_ingress(document, (name, ingress, users), prefix, diagnostics)
    _check_overlaps(document, ingresses, partners, diagnostics)
    _check_straight(document, ingresses, partners, diagnostics)


def goes_straight(ingress: Any) -> bool:
    """Whether a partner's events go from its bus straight to the workflow's, and no function takes them."""
    return (
        isinstance(ingress, Mapping) and _kind(ingress) == "partner-bus" and ingress.get("forward_unmodified") is True
    )


def _check_straight(
    document: Document, ingresses: Mapping[str, Any], partners: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note events that come to the workflow's bus as they are, and that nothing in the file takes from there."""
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
        if not goes_straight(ingress) or not users:
            continue
        sources = _sources(users[0]) or [str(ingress.get("event_source_name"))]
        if not any(_overlap(source, other) for source in sources for other in taken):
            diagnostics.warn(
                document.position(("ingress", name, "forward_unmodified")),
                "its events come to the bus as they are, where transforms and routes take only the envelope: a "
                "custom-bus entry whose partner has this source takes them into it; else they are for rules of "
                "your own",
            )


def _check_partner(
    document: Document, name: str, partner: dict[str, Any], ingresses: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    kinds = ingress_kinds(ingresses, partner)
    names = ingress_names(partner)
    if len(set(names)) < len(names):
        diagnostics.wrong(document.position(("partners", name, "ingress")), "names an entry twice: once is enough")
    if not kinds or not kinds <= KINDS:
        return
    unspecific = partner.get("specification") is None
    read = {_kind(ingresses[name]) for name in names if name in ingresses and not goes_straight(ingresses[name])}
    if not unspecific and not read:
        diagnostics.warn(
            document.position(("partners", name, "specification")), "nobody reads it: its events go straight to the bus"
        )
    if unspecific and not read <= {"custom-bus"}:
        diagnostics.wrong(
            document.position(("partners", name, "specification")),
            "is missing: the name of a preset, a specification file, or a specification itself"
            + (" (only a producer on a custom bus may do without)" if "custom-bus" in kinds else ""),
        )
    if partner.get("sources") is None and kinds & BY_SOURCE:
        diagnostics.wrong(
            document.position(("partners", name, "sources")),
            "is missing: on a bus that many share, events are told apart by their `source`, such as [com.acme.mam]",
        )
    for option, (fitting, described) in OPTIONS.items():
        if partner.get(option) not in (None, False) and not kinds & fitting:
            diagnostics.wrong(
                document.position(("partners", name, option)),
                f"is for {described}; {name} comes in by {', '.join(sorted(kinds))}: leave it out",
            )
    _check_sources(document, name, partner, kinds, diagnostics)


def _check_sources(
    document: Document, name: str, partner: dict[str, Any], kinds: set[str], diagnostics: Diagnostics
) -> None:
    for index, source in enumerate(_sources(partner)):
        place = document.position(("partners", name, "sources", index))
        if _overlap(source, "partner.*"):
            diagnostics.wrong(
                place, f'"{source}" takes what the kit itself publishes (partner.…): events would go round in a loop'
            )
        elif source.startswith("aws.") and not source.startswith("aws.partner/") and kinds == {"custom-bus"}:
            diagnostics.wrong(
                place, "AWS services put their events on the account's default bus: use an entry of type aws-services"
            )
    pattern = partner.get("pattern")
    if not isinstance(pattern, dict) or not kinds & BUSES:
        return
    path = ("partners", name, "pattern")
    if "source" in pattern:
        diagnostics.wrong(document.position((*path, "source")), "belongs into the partner's sources")
    others = {key: value for key, value in pattern.items() if key != "source"}
    for problem in validate_pattern(others) if others else ():
        diagnostics.wrong(
            document.position(path), f"{problem.path}: {problem.message}" if problem.path else problem.message
        )


def _check_ingress(document: Document, used: tuple[str, Any, list[str]], prefix: str, diagnostics: Diagnostics) -> None:
    name, ingress, users = used
    kind, place = _kind(ingress), document.position(("ingress", name))
    if kind in ONE_PARTNER and len(users) > 1:
        diagnostics.wrong(
            document.position(("partners", users[1], "ingress")),
            f"{users[0]} comes in by {name} already, and nothing tells their messages apart: give each an entry",
        )
    full = f"{prefix}{name}"
    for text, what in ((full, "function"), *((f"{full}-{user}", "rule") for user in users if kind in BUSES)):
        if len(text) > MAX_NAME:
            diagnostics.wrong(
                place, f"{text}, its {what}, has {len(text)} characters; AWS takes {MAX_NAME}: shorten it"
            )
    archived = kind == "partner-bus" and isinstance(ingress, dict) and ingress.get("archive") is not None
    if archived and len(full) > MAX_ARCHIVE_NAME:
        diagnostics.wrong(
            place, f"{full}, its archive, has {len(full)} characters; AWS takes {MAX_ARCHIVE_NAME}: shorten the name"
        )
    senders = ingress.get("senders") if isinstance(ingress, dict) else None
    for key, sender in senders.items() if isinstance(senders, dict) else ():
        for index, source in enumerate(_sources(sender)):
            if source.endswith("*") or source.startswith(("aws.", "partner.")):
                diagnostics.wrong(
                    document.position(("ingress", name, "senders", key, "sources", index)),
                    "a producer's sources are exact, and begin with neither aws. nor partner.",
                )


def _check_overlaps(
    document: Document, ingresses: Mapping[str, Any], partners: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note partners of one bus whose events couldn't be told apart."""
    buses: dict[str, list[tuple[str, int, str]]] = {}
    for name, partner in partners.items():
        for ingress in ingress_names(partner):
            if _kind(ingresses.get(ingress)) in BY_SOURCE:
                found = [(name, index, source) for index, source in enumerate(_sources(partner))]
                buses.setdefault(_bus_of(ingresses[ingress]), []).extend(found)
    for (first, _, one), (second, index, other) in _pairs(buses):
        if _overlap(one, other):
            diagnostics.wrong(
                document.position(("partners", second, "sources", index)),
                f'"{other}" is {"also" if first != second else "already"} {first}\'s "{one}": an event can be one '
                "partner's only, and once",
            )


def _pairs(
    buses: Mapping[str, list[tuple[str, int, str]]],
) -> Iterator[tuple[tuple[str, int, str], tuple[str, int, str]]]:
    for found in buses.values():
        yield from combinations(found, 2)


def _bus_of(ingress: Any) -> str:
    if _kind(ingress) == "aws-services":
        return "default"
    existing = ingress.get("existing_bus") if isinstance(ingress, dict) else None
    return str(existing.get("arn") or "") if isinstance(existing, dict) else ""


def _overlap(one: str, other: str) -> bool:
    """Whether some source is taken by both."""
    if one.endswith("*") and other.endswith("*"):
        return one[:-1].startswith(other[:-1]) or other[:-1].startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one.startswith(other[:-1]) if other.endswith("*") else one == other


def _sources(section: Any) -> list[str]:
    sources = section.get("sources") if isinstance(section, Mapping) else None
    return [source for source in sources if isinstance(source, str)] if isinstance(sources, list) else []


def _kind(ingress: Any) -> str:
    kind = ingress.get("type", "webhook") if isinstance(ingress, Mapping) else None
    return kind if isinstance(kind, str) else ""
