"""The map of a workflow file in one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.model.workflow import Partner, Transform, Workflow
from media_events_kit.infra.validation.patterns import stage_of
from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Node

NAMED: Final = 2
"""The most event types, and steps, that a node names."""


def flow_of(environment: Environment) -> Flow:
    """The map of a workflow in one environment; retired hops are not on it."""
    return Flow(
        title=f"{environment.workflow.name} in {environment.name}",
        nodes=tuple(_nodes(environment)),
        edges=tuple(dict.fromkeys(_edges(environment.workflow))),
    )


def _nodes(environment: Environment) -> Iterator[Node]:
    workflow = environment.workflow
    for name, partner in workflow.partners.items():
        content = partner.model_dump_json() + json.dumps(environment.specifications.get(name))
        yield Node(key=f"partner/{name}", kind="partner", name=name, about=_specification(partner), content=content)
    for name, ingress in workflow.ingress.items():
        content = ingress.model_dump_json()
        yield Node(key=f"ingress/{name}", kind="ingress", name=name, about=ingress.type, content=content)
    yield Node(key=BUS, kind="bus", name="event bus")
    for name, transform in workflow.transforms.items():
        about = _switched(transform.enabled, _steps(transform))
        content = transform.model_dump_json()
        yield Node(key=f"transform/{name}", kind="transform", name=name, about=about, content=content)
    for name, route in workflow.routes.items():
        taken = pattern_in_words(route.pattern)
        if stage_of("routes", route.stage or "", has_transforms=bool(workflow.transforms)) == "transformed":
            taken = f"{taken}, transformed"
        about, content = _switched(route.enabled, taken), route.model_dump_json()
        yield Node(key=f"route/{name}", kind="route", name=name, about=about, content=content)
    for name, destination in workflow.destinations.items():
        content = destination.model_dump_json() + environment.definitions.get(name, "")
        yield Node(key=f"destination/{name}", kind="destination", name=name, about=destination.type, content=content)


def _edges(workflow: Workflow) -> Iterator[Edge]:
    for name, partner in workflow.partners.items():
        for ingress in partner.ingresses:
            yield Edge(source=f"partner/{name}", target=f"ingress/{ingress}")
    for name in workflow.ingress:
        yield Edge(source=f"ingress/{name}", target=BUS)
    for name in workflow.transforms:
        yield Edge(source=BUS, target=f"transform/{name}")
        yield Edge(source=f"transform/{name}", target=BUS)
    for name, route in workflow.routes.items():
        yield Edge(source=BUS, target=f"route/{name}")
        yield Edge(source=f"route/{name}", target=f"destination/{route.destination}")


def _specification(partner: Partner) -> str:
    if partner.specification is None:
        return "sends the envelope"
    return partner.specification if isinstance(partner.specification, str) else "its own specification"


def _steps(transform: Transform) -> str:
    return _few([next(iter(step), "") for step in transform.steps])


def _switched(enabled: bool, about: str) -> str:  # noqa: FBT001 - the workflow file's own word
    return about if enabled else f"switched off; {about}"


def pattern_in_words(pattern: Mapping[str, Any]) -> str:
    """The partners and event types that a pattern asks for, in a few words."""
    sources = [value.removeprefix("partner.") for value in _values(pattern.get("source"))]
    types = _values(pattern.get("detail-type"))
    words = " of ".join(part for part in (_few(types), _few(sources)) if part)
    others = pattern.keys() - {"source", "detail-type"}
    return words or ("by content" if others else "every event")


def _values(wanted: Any) -> list[str]:
    return [_value(value) for value in wanted] if isinstance(wanted, list) else []


def _value(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((name, operand),) = list(value.items())[:1] or (("", ""),)
    forms = {"prefix": f"{operand}*", "suffix": f"*{operand}", "wildcard": str(operand)}
    return forms.get(name, str(name))


def _few(values: list[str]) -> str:
    rest = len(values) - NAMED
    return ", ".join(values[:NAMED]) + (f" +{rest}" if rest > 0 else "")
