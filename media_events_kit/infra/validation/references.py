"""Checks across the sections of a workflow: references, names that collide, and limits.

They read the plain values, not the model, so that they work even where the model refuses another part. Malformed values
are left to the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from media_events_kit.infra.documents.diagnostics import did_you_mean
from media_events_kit.infra.documents.yaml_document import Path, Report, members_of, text_of
from media_events_kit.infra.model.destinations import sent_by_rule
from media_events_kit.infra.model.renames import deployed_name
from media_events_kit.infra.validation.ingress import MAX_NAME, check_ingresses, ingress_kinds, ingress_names
from media_events_kit.infra.validation.input_transformers import transformer_problems
from media_events_kit.infra.validation.renames import check_renames

MACHINE_SUFFIX: Final = "-workflow"
"""Ends the name of a destination's state machine, whose role would otherwise have the name of a function's role."""

RESERVED_KEYS: Final = {
    "review": "the review function",
    "task-callbacks": "the function that registers task tokens",
}
"""Keys of transforms and routes that would name another function."""

DASHBOARD_HOPS: Final = 240
"""A CloudWatch dashboard shows 2,500 metrics, ours ten of each hop and a few more
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html)."""


_Deployed = Mapping[str, tuple[str, Any]]
"""Members of a section by their names in AWS, each with its name in the file."""


def check_references(report: Report, environment: str) -> None:
    """Note every reference to nothing, every name that is used twice, and every member that nothing uses."""
    root = report.document.value
    prefix = f"{text_of(root, 'name')}-{environment}-"
    declared, partners = members_of(root, "ingress"), members_of(root, "partners")
    destinations, routes, transforms = (members_of(root, s) for s in ("destinations", "routes", "transforms"))
    ingresses = declared if isinstance(root, dict) and "ingress" in root else {"webhook": {"type": "webhook"}}

    _check_ingress_names(report, partners, ingresses)
    for name in declared.keys() - {ingress for partner in partners.values() for ingress in ingress_names(partner)}:
        report.unused(("ingress", name), "no partner uses this ingress: it is not made")
    check_ingresses(report, prefix, ingresses, partners)
    webhooks = [name for name in declared if text_of(declared[name], "type", "webhook") == "webhook"]
    for name in webhooks[1:]:
        message = f'"{webhooks[0]}" is a webhook ingress already: one HTTP API serves all partners that call'
        report.wrong(("ingress", name), message)
    _check_certificates(report, ingresses, partners)
    _check_cloudfront(report, ingresses, partners)

    for name, route in routes.items():
        reference = text_of(route, "destination")
        if reference and reference not in destinations:
            message = f'there is no destination "{reference}": {did_you_mean(reference, destinations)}'
            report.wrong(("routes", name, "destination"), message)
    for name in destinations.keys() - {text_of(route, "destination") for route in routes.values()}:
        report.unused(("destinations", name), "no route leads to this destination")
    if not routes and not transforms:
        report.warn(("routes",), "there are no routes: no event is delivered anywhere")
    _check_alarms(report)
    _check_dashboard(report, len(ingresses) + len(transforms) + len(routes))
    check_renames(report)
    _check_keys(report, prefix, {"transforms": transforms, "routes": routes}, declared)
    for name, route in routes.items():
        if text_of(route, "stage") == "transformed" and not transforms:
            message = "there are no transforms, so no event is ever transformed: use received, or leave stage out"
            report.wrong(("routes", name, "stage"), message)
        target = destinations.get(text_of(route, "destination"))
        if isinstance(route, dict) and isinstance(target, dict):
            if "input_transformer" in route:
                _check_input_transformer(report, name, target)
            if text_of(route, "invocation") == "direct":
                _check_direct(report, name, target)


def _check_alarms(report: Report) -> None:
    """Note that the gravest alarms that are made reach nobody in particular."""
    alarms = members_of(members_of(report.document.value, "settings"), "alarms")
    severities = alarms.get("severities", ["critical"])
    severity = "critical" if isinstance(severities, list) and "critical" in severities else "warning"
    if alarms.get("enabled") is not False and not members_of(alarms, "actions").get(severity):
        message = f"alarms.actions.{severity} is empty: only who subscribes to the review topic is told of alarms"
        report.warn(("settings",), message)


def _check_dashboard(report: Report, hops: int) -> None:
    root = report.document.value
    if hops > DASHBOARD_HOPS and isinstance(root, dict) and root.get("dashboard", True) is True:
        message = f"a dashboard shows at most {DASHBOARD_HOPS} hops, and these are {hops}: set dashboard: false"
        report.wrong(("routes",), message)


def _check_input_transformer(report: Report, name: str, target: Mapping[str, Any]) -> None:
    """Note an input transformer without effect, and one with a form that CloudWatch Logs does not take."""
    path: Path = ("routes", name, "input_transformer")
    transformer = report.document.at(path)
    template = text_of(transformer, "template")
    for key, problem in transformer_problems(members_of(transformer, "paths"), template):
        report.wrong((*path, key), problem)
    if not sent_by_rule(target):
        report.wrong(
            path,
            "only targets that the rule itself sends to take an input_transformer (api-destination, logs, and sqs "
            "without a mode): use a transform's steps",
        )
    elif text_of(target, "type") == "logs" and not all(f'"{key}"' in template for key in ("timestamp", "message")):
        message = 'a log group takes {"timestamp": …, "message": …} only: EventBridge writes nothing else to it'
        report.wrong((*path, "template"), message)


def _check_direct(report: Report, name: str, target: Mapping[str, Any]) -> None:
    """Note a route without a queue that has no function to invoke, or that needs the queue for its order."""
    path: Path = ("routes", name, "invocation")
    if sent_by_rule(target):
        report.wrong(path, "the rule itself sends to this destination, without a function: leave invocation out")
    elif text_of(target, "ordering") not in ("", "none", "latest"):
        report.wrong(path, f"ordering {text_of(target, 'ordering')} needs the queue, in which later events wait")


def _check_certificates(report: Report, ingresses: Mapping[str, Any], partners: Mapping[str, Any]) -> None:
    """Note partners that need a client certificate at an ingress without mutual TLS."""
    for name, partner in partners.items():
        if isinstance(partner, dict) and partner.get("require_client_certificate") is True:
            domains = [members_of(ingresses.get(ingress), "domain") for ingress in ingress_names(partner)]
            has_mutual_tls = any(domain.get("mutual_tls") for domain in domains)
            if "webhook" in ingress_kinds(ingresses, partner) and not has_mutual_tls:
                message = "no ingress asks for a certificate: give the ingress a domain with mutual_tls"
                report.wrong(("partners", name, "require_client_certificate"), message)


def _check_cloudfront(report: Report, ingresses: Mapping[str, Any], partners: Mapping[str, Any]) -> None:
    """Note partners with AWS's signature, which covers the host, behind CloudFront, which has another one."""
    for name, partner in partners.items():
        serving = [ingresses.get(ingress) for ingress in ingress_names(partner)]
        behind = any("cloudfront" in ingress for ingress in serving if isinstance(ingress, dict))
        if behind and text_of(members_of(partner, "authorization"), "type") == "iam":
            message = "iam does not work behind cloudfront: AWS's signature covers the host, which is another one there"
            report.wrong(("partners", name, "authorization", "type"), message)


def _check_ingress_names(report: Report, partners: Mapping[str, Any], ingresses: Mapping[str, Any]) -> None:
    for name, partner in partners.items():
        several = isinstance(partner, dict) and isinstance(partner.get("ingress"), list)
        for index, ingress in enumerate(ingress_names(partner)):
            if ingress not in ingresses:
                path: Path = ("partners", name, "ingress", *((index,) if several else ()))
                report.wrong(path, f'there is no ingress "{ingress}": {did_you_mean(ingress, ingresses)}')


def _check_keys(
    report: Report, prefix: str, sections: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Any]
) -> None:
    """Note keys that would give two resources one name, or a name that is too long for AWS."""
    destinations = _by_deployed_name(members_of(report.document.value, "destinations"))
    hops = {section: _by_deployed_name(members) for section, members in sections.items()}
    ingresses = _by_deployed_name(declared)
    machines = {f"{key}{MACHINE_SUFFIX}": name for key, (name, d) in destinations.items() if text_of(d, "definition")}
    connections = {key: name for key, (name, d) in destinations.items() if text_of(d, "type") == "api-destination"}
    owners = RESERVED_KEYS | {key: f"the state machine of {name}" for key, name in machines.items()}
    for key, name in (machines | connections).items():
        _check_length(report, ("destinations", name), prefix + key)
    for key in ingresses.keys() & owners.keys():
        report.wrong(("ingress", ingresses[key][0]), f"{prefix}{key} is {owners[key]}: choose another name")
    owners = {key: f"the function of the ingress {key}" for key in ingresses or {"webhook"}} | owners
    for section, members in hops.items():
        for key, (name, _) in members.items():
            if key in owners:
                report.wrong((section, name), f"{prefix}{key} is {owners[key]}: choose another name")
            if section == "routes" and key in hops["transforms"]:
                message = "a transform has this name too, and both would name a function: rename one"
                report.wrong((section, name), message)
            _check_length(report, (section, name), prefix + key)
    _check_queue_names(report, prefix, hops, ingresses)


def _check_length(report: Report, path: Path, name: str) -> None:
    if len(name) > MAX_NAME:
        report.wrong(path, f"{name} has {len(name)} characters; AWS takes {MAX_NAME}: shorten the name")


def _by_deployed_name(members: Mapping[str, Any]) -> _Deployed:
    """The members by their names in AWS, each with its name in the file."""
    return {deployed_name(name, member): (name, member) for name, member in members.items()}


def _check_queue_names(report: Report, prefix: str, hops: Mapping[str, _Deployed], ingresses: _Deployed) -> None:
    """Note queues with the name of another hop's dead-letter queue."""
    sections = [*hops.items(), ("ingress", ingresses)]
    places = [(section, key, name) for section, members in sections for key, (name, _) in members.items()]
    keys = {key for _, key, _ in places} | ({"webhook"} if not ingresses else set())
    for section, key, name in places:
        stem = key.removesuffix("-dlq")
        if stem != key and stem in keys:
            report.wrong((section, name), f"{prefix}{key} is the dead-letter queue of {stem}: choose another name")


_STEP: Final = re.compile(r"steps\[(\d+)\](?:\.(\w+)(?:\.(.+?))?)?(?:: | (?=must))")
_SETTING: Final = re.compile(r"(\w+(?:\.\w+)*)(?:: | (?=must|needs|is |has ))")


def place_in_steps(path: Path, problem: str) -> tuple[Path, str]:
    """The place of a problem of the transform at `path` that begins like `steps[0].map.title: `, and its rest."""
    match = _STEP.match(problem)
    if match is None:
        return (*path, "steps"), problem
    inner: Path = ("steps", int(match[1]), *(part for part in match.groups()[1:] if part is not None))
    return (*path, *inner), problem[match.end() :]


def place_in_settings(path: Path, problem: str) -> tuple[Path, str]:
    """The place of a problem of the mapping at `path` that begins with a setting's name, and its rest."""
    match = _SETTING.match(problem)
    if match is None:
        return path, problem
    return (*path, *match[1].split(".")), problem[match.end() :]
