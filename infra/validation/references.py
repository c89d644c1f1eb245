"""What the model of a single section can't see: references, names that collide, patterns, limits across sections.

These checks read the plain values, not the model, so that they say what they know even where the model refused
something else; what is malformed is the model's business and passed over here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal

from event_patterns import Problem, advise, validate_hop_pattern, validate_pattern
from infra.documents.diagnostics import Diagnostics, Position, did_you_mean
from infra.documents.yaml_document import Document, Path, has_member
from infra.model.destinations import sent_by_rule
from infra.validation.ingress import MAX_NAME, check_ingresses, ingress_kinds, ingress_names

MACHINE_SUFFIX: Final = "-workflow"
"""What follows a destination's name in that of its state machine, whose role would else be named like a function's."""

RESERVED_KEYS: Final = {
    "review": "the review desk's function",
    "waits": "the function with which workflows wait",
}
"""Keys of transforms and routes that would name something else's function."""

PATTERN_FIELDS: Final = frozenset(
    {"$or", "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
)
"""The fields that an event has (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html)."""


def check_references(document: Document, environment: str, diagnostics: Diagnostics) -> None:
    """Note every name that leads nowhere, that is used twice, or that nothing uses."""
    root = document.value
    ingresses, partners = _members(root, "ingress"), _members(root, "partners")
    destinations, routes, transforms = (_members(root, s) for s in ("destinations", "routes", "transforms"))
    known_ingresses = ingresses if isinstance(root, dict) and "ingress" in root else {"webhook": {"type": "webhook"}}

    _check_partners_ingresses(document, partners, known_ingresses, diagnostics)
    for name in ingresses.keys() - {ingress for partner in partners.values() for ingress in ingress_names(partner)}:
        diagnostics.unused(document.position(("ingress", name)), "no partner comes in by this entry: it is not made")
    check_ingresses(document, f"{_text(root, 'name')}-{environment}-", known_ingresses, partners, diagnostics)
    webhooks = [name for name in ingresses if _text(ingresses[name], "type", "webhook") == "webhook"]
    for name in webhooks[1:]:
        diagnostics.wrong(
            document.position(("ingress", name)),
            f'"{webhooks[0]}" is a webhook entry already: one HTTP API serves all partners that call',
        )
    _check_certificates(document, known_ingresses, partners, diagnostics)

    for position, message in _dangling(document, "routes", "destination", destinations):
        diagnostics.wrong(position, message)
    for name in destinations.keys() - {_text(route, "destination") for route in routes.values()}:
        diagnostics.unused(document.position(("destinations", name)), "no route leads to this destination")
    if not routes and not transforms:
        diagnostics.warn(document.position(("routes",)), "there are no routes: events come in and go nowhere")
    _check_keys(document, environment, {"transforms": transforms, "routes": routes}, set(ingresses), diagnostics)
    for name, route in routes.items():
        if _text(route, "stage") == "transformed" and not transforms:
            diagnostics.wrong(
                document.position(("routes", name, "stage")),
                "there are no transforms, so no event is ever transformed: use received, or leave stage out",
            )
        target = destinations.get(_text(route, "destination"))
        if isinstance(route, dict) and isinstance(target, dict) and "input_transformer" in route:
            _check_input_transformer(document, name, target, diagnostics)
        if _text(route, "invocation") == "direct" and isinstance(target, dict):
            _check_direct(document, name, target, diagnostics)


def _check_input_transformer(
    document: Document, name: str, target: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note an input transformer that nobody applies, and one that CloudWatch Logs makes nothing of."""
    path: Path = ("routes", name, "input_transformer")
    if not sent_by_rule(target):
        diagnostics.wrong(
            document.position(path),
            "only what the rule itself sends to takes an input_transformer (api-destination, logs, and sqs without a "
            "mode): use a transform's steps",
        )
        return
    template = _text(document.at(path), "template")
    if _text(target, "type") == "logs" and not all(f'"{key}"' in template for key in ("timestamp", "message")):
        diagnostics.wrong(
            document.position((*path, "template")),
            'a log group takes {"timestamp": …, "message": …} only: EventBridge writes nothing else to it',
        )


def _check_direct(document: Document, name: str, target: Mapping[str, Any], diagnostics: Diagnostics) -> None:
    """Note a route without a queue where there is no function to invoke, or where the queue is what keeps order."""
    position = document.position(("routes", name, "invocation"))
    if sent_by_rule(target):
        diagnostics.wrong(
            position, "the rule itself sends to this destination, without a function: leave invocation out"
        )
    elif _text(target, "ordering") not in ("", "none", "latest"):
        diagnostics.wrong(position, f"ordering {_text(target, 'ordering')} needs the queue, in which later events wait")


def _check_certificates(
    document: Document, ingresses: Mapping[str, Any], partners: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note partners that must show a certificate where nobody is asked for one."""
    for name, partner in partners.items():
        if isinstance(partner, dict) and partner.get("require_client_certificate") is True:
            domains = [_members(ingresses.get(ingress), "domain") for ingress in ingress_names(partner)]
            if "webhook" in ingress_kinds(ingresses, partner) and not any(
                domain.get("mutual_tls") for domain in domains
            ):
                diagnostics.wrong(
                    document.position(("partners", name, "require_client_certificate")),
                    "nobody is asked for a certificate: give the entry a domain with mutual_tls",
                )


def _check_partners_ingresses(
    document: Document, partners: Mapping[str, Any], ingresses: Mapping[str, Any], diagnostics: Diagnostics
) -> None:
    """Note entries that partners name and that there are not."""
    for name, partner in partners.items():
        several = isinstance(partner, dict) and isinstance(partner.get("ingress"), list)
        for index, ingress in enumerate(ingress_names(partner)):
            if ingress not in ingresses:
                path: Path = ("partners", name, "ingress", *((index,) if several else ()))
                diagnostics.wrong(
                    document.position(path), f'there is no entry "{ingress}": {did_you_mean(ingress, ingresses)}'
                )


def _dangling(document: Document, section: str, key: str, targets: Mapping[str, Any]) -> Iterator[tuple[Position, str]]:
    """The members of `section` whose `key` names none of the `targets`."""
    for name, member in _members(document.value, section).items():
        reference = _text(member, key)
        if reference and reference not in targets:
            yield (
                document.position((section, name, key)),
                f'there is no {key} "{reference}": {did_you_mean(reference, targets)}',
            )


def _check_keys(
    document: Document,
    environment: str,
    hops: Mapping[str, Mapping[str, Any]],
    ingresses: set[str],
    diagnostics: Diagnostics,
) -> None:
    root = document.value
    prefix = f"{_text(root, 'name')}-{environment}-"
    machines = {
        f"{name}{MACHINE_SUFFIX}": name
        for name, destination in _members(root, "destinations").items()
        if _text(destination, "definition")
    }
    called = {
        name: name
        for name, destination in _members(root, "destinations").items()
        if _text(destination, "type") == "api-destination"
    }
    for made, name in (machines | called).items():
        if len(prefix + made) > MAX_NAME:
            position = document.position(("destinations", name))
            diagnostics.wrong(position, f"{prefix}{made} has {len(prefix + made)} characters; AWS takes {MAX_NAME}")
    for key in ingresses & RESERVED_KEYS.keys():
        position = document.position(("ingress", key))
        diagnostics.wrong(position, f"{prefix}{key} is {RESERVED_KEYS[key]}: choose another name")
    for key in ingresses & machines.keys():
        position = document.position(("ingress", key))
        diagnostics.wrong(position, f"{prefix}{key} is the state machine of {machines[key]}: choose another name")
    _check_queue_names(document, prefix, hops, ingresses, diagnostics)
    for section, members in hops.items():
        for key in members:
            position = document.position((section, key))
            if key in RESERVED_KEYS:
                diagnostics.wrong(position, f"{prefix}{key} is {RESERVED_KEYS[key]}: choose another name")
            if key in ingresses or (key == "webhook" and not ingresses):
                diagnostics.wrong(position, f"{prefix}{key} is the function of the entry {key}: choose another name")
            if key in machines:
                diagnostics.wrong(
                    position, f"{prefix}{key} is the state machine of {machines[key]}: choose another name"
                )
            if section == "routes" and key in hops["transforms"]:
                diagnostics.wrong(position, "a transform has this name too, and both would name a function: rename one")
            if len(prefix + key) > MAX_NAME:
                diagnostics.wrong(
                    position,
                    f"{prefix}{key} has {len(prefix + key)} characters; AWS takes {MAX_NAME}: shorten the name",
                )


def _check_queue_names(
    document: Document,
    prefix: str,
    hops: Mapping[str, Mapping[str, Any]],
    ingresses: set[str],
    diagnostics: Diagnostics,
) -> None:
    """Note queues that would be called like another's dead-letter queue."""
    places: list[tuple[str, str]] = [(section, key) for section, members in hops.items() for key in members]
    places += [("ingress", key) for key in ingresses]
    keys = {key for _, key in places} | ({"webhook"} if not ingresses else set())
    for section, key in places:
        stem = key.removesuffix("-dlq")
        if stem != key and stem in keys:
            diagnostics.wrong(
                document.position((section, key)),
                f"{prefix}{key} is the dead-letter queue of {stem}: choose another name",
            )


def check_patterns(document: Document, diagnostics: Diagnostics) -> None:
    """Note what EventBridge would refuse in a pattern, and patterns that match nothing or everything."""
    root = document.value
    transforms = _members(root, "transforms")
    for section, step in (("transforms", "transform"), ("routes", "route")):
        for name, member in _members(root, section).items():
            pattern = member.get("pattern") if isinstance(member, dict) else None
            if not isinstance(pattern, dict):
                continue
            problems = validate_hop_pattern(
                pattern,
                hop=f"{step}/{name}",
                stage=stage_of(section, _text(member, "stage"), has_transforms=bool(transforms)),
                match_all=member.get("match_all") is True,
            )
            _note_pattern(document, (section, name, "pattern"), pattern, problems, diagnostics)
    archive = _members(root, "bus").get("archive")
    if isinstance(archive, dict) and isinstance(archive.get("pattern"), dict):
        pattern = archive["pattern"]
        _note_pattern(document, ("bus", "archive", "pattern"), pattern, validate_pattern(pattern), diagnostics)


def stage_of(section: str, stage: str, *, has_transforms: bool) -> Literal["received", "transformed"]:
    """Which events a hop takes: transforms those received; routes what they say, else what transforms leave."""
    if section == "transforms" or stage == "received":
        return "received"
    return "transformed" if has_transforms or stage == "transformed" else "received"


def _note_pattern(
    document: Document, path: Path, pattern: dict[str, Any], problems: list[Problem], diagnostics: Diagnostics
) -> None:
    for field in pattern:
        if field not in PATTERN_FIELDS:
            known = get_close_matches(field, PATTERN_FIELDS, n=1, cutoff=0.6)
            advice = f'did you mean "{known[0]}"?' if known else "the partner's own fields are under detail.data"
            diagnostics.wrong(
                document.position((*path, field)), f"no event has this field, so it never matches: {advice}"
            )
    for problem in problems:
        diagnostics.wrong(_within(document, path, pattern, problem.path), problem.message)
    if not problems and pattern:
        for doubt in advise(pattern):
            if doubt.path not in pattern:
                diagnostics.warn(_within(document, path, pattern, doubt.path), doubt.message)


def _within(document: Document, path: Path, value: Any, inner: str) -> Position:
    """The position of a dotted path within the value at `path`, or of its nearest parent."""
    steps: list[str | int] = []
    for field, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", inner):
        step = int(index) if index else field
        if not has_member(value, step):
            break
        value = value[step]
        steps.append(step)
    return document.position((*path, *steps))


_STEP: Final = re.compile(r"steps\[(\d+)\](?:\.(\w+)(?:\.(.+?))?)?(?:: | (?=must))")
_SETTING: Final = re.compile(r"(\w+(?:\.\w+)*)(?:: | (?=must|needs|is |has ))")


def place_in_steps(document: Document, path: Path, problem: str) -> tuple[Position, str]:
    """Where a problem of the transform at `path` stands that begins like `steps[0].map.title: `, and the rest of it."""
    match = _STEP.match(problem)
    if match is None:
        return document.position((*path, "steps")), problem
    inner: Path = ("steps", int(match[1]), *(part for part in match.groups()[1:] if part is not None))
    return document.position((*path, *inner)), problem[match.end() :]


def place_in_settings(document: Document, path: Path, problem: str) -> tuple[Position, str]:
    """Where a problem of the mapping at `path` stands that begins with a setting's name, and the rest of it."""
    match = _SETTING.match(problem)
    if match is None:
        return document.position(path), problem
    return document.position((*path, *match[1].split("."))), problem[match.end() :]


def _members(root: Any, section: str) -> dict[str, Any]:
    members = root.get(section) if isinstance(root, dict) else None
    return members if isinstance(members, dict) else {}


def _text(member: Any, key: str, default: str = "") -> str:
    value = member.get(key, default) if isinstance(member, dict) else ""
    return value if isinstance(value, str) else ""
