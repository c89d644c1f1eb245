"""The hops of a deployment before and after a plan, from the names of what they are made of.

A transform's or route's function and queue have its rule's name; an ingress's have the ingress's. The dead-letter queue
adds `-dlq`, a FIFO queue `.fifo`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.changes.plan_document import Plan, Side
from media_events_kit.ops.shared.json_files import object_in

_INGRESS_HANDLERS: Final = {
    "media_events.handlers.webhook.handler": "webhook",
    "media_events.handlers.queue_ingress.handler": "queue",
}

_OWN_TARGETS: Final = {"sqs": "sqs", "events": "api-destination", "logs": "logs"}
"""Types of destinations that a rule itself delivers to, by the service in the target's ARN."""

_NAME_IN_ARN: Final = 5
"""Where the resource stands in an ARN's parts: arn:partition:service:region:account:resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop on one side of a plan.

    ``made_of`` says how events reach it and what does its work, in the operator's words. ``destination`` is the name in
    the idempotency store and ``destination_type`` that of the workflow file, ``target`` the ARN of its rule's target;
    each ``None`` where it is not known when planned. ``takes_new_events`` is false where its rule is disabled, or takes
    what is redriven only. ``idempotency_table`` and ``specifications`` (by partner) are what repeated events are told
    by.
    """

    name: str
    resource_name: str
    made_of: str
    destination: str | None = None
    destination_type: str | None = None
    target: str | None = None
    takes_new_events: bool = True
    idempotency_table: str | None = None
    specifications: Mapping[str, Any] | None = None

    @property
    def queue_names(self) -> tuple[str, ...]:
        """The names that its own queue may have."""
        return self.resource_name, f"{self.resource_name}.fifo"

    @property
    def dead_letter_queue_names(self) -> tuple[str, ...]:
        """The names that its dead-letter queue may have."""
        return f"{self.resource_name}-dlq", f"{self.resource_name}-dlq.fifo"


def hops(plan: Plan, side: Side) -> dict[str, Hop]:
    """The hops before or after a plan, by name: ingresses, transforms, routes."""
    parts = _Parts.of(plan, side)
    found = [*parts.of_rules(), *parts.ingresses()]
    return {hop.name: hop for hop in sorted(found, key=lambda hop: hop.name)}


def hop_of_queue(name: str, known: Mapping[str, Hop]) -> tuple[str, bool] | None:
    """The hop of a queue, and whether it is the hop's dead-letter queue."""
    for hop in known.values():
        if name in hop.queue_names:
            return hop.name, False
        if name in hop.dead_letter_queue_names:
            return hop.name, True
    return None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the hops of one side are made of, by physical name."""

    functions: Mapping[str, Mapping[str, Any]]
    configurations: Mapping[str, Mapping[str, Any]]
    queues: frozenset[str]
    topics: frozenset[str]
    rules: Mapping[str, Mapping[str, Any]]
    targets: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, plan: Plan, side: Side) -> _Parts:
        by_type: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for change in plan.changes:
            values = change.values(side)
            if values is not None:
                by_type.setdefault(change.type, []).append((change.module, values))
        documents = {module: object_in(text(v.get("content")) or "") for module, v in by_type.get("aws_s3_object", ())}
        functions = by_type.get("aws_lambda_function", [])
        return cls(
            functions={str(values.get("function_name")): values for _, values in functions},
            configurations={str(v.get("function_name")): documents.get(module, {}) for module, v in functions},
            queues=frozenset(str(values.get("name")) for _, values in by_type.get("aws_sqs_queue", ())),
            topics=frozenset(str(values.get("name")) for _, values in by_type.get("aws_sns_topic", ())),
            rules={str(values.get("name")): values for _, values in by_type.get("aws_cloudwatch_event_rule", ())},
            targets={str(v.get("rule")): v for _, v in by_type.get("aws_cloudwatch_event_target", ())},
        )

    def of_rules(self) -> Iterator[Hop]:
        """Transforms and routes: their rules alone name a hop in their pattern."""
        for rule, values in self.rules.items():
            redriven = _redriven(values)
            if redriven is None:
                continue
            name, takes_new = redriven
            kind, own = self._kind(rule)
            destination = {} if own else mapping(self.configurations.get(rule, {}).get("destination"))
            yield Hop(
                name=name,
                resource_name=rule,
                made_of=kind,
                destination=text(destination.get("name")),
                destination_type=own or text(destination.get("type")),
                target=text(self.targets.get(rule, {}).get("arn")),
                takes_new_events=takes_new and values.get("state") != "DISABLED",
                idempotency_table=_table(self.functions.get(rule, {})),
            )

    def ingresses(self) -> Iterator[Hop]:
        for function, values in self.functions.items():
            kind = _INGRESS_HANDLERS.get(str(values.get("handler")))
            if kind is None:
                continue
            partners = mapping(self.configurations.get(function, {}).get("partners"))
            yield Hop(
                name=f"ingress/{function}",
                resource_name=function,
                made_of=kind if kind == "webhook" else self._consumed(function),
                idempotency_table=_table(values),
                specifications={name: mapping(each).get("specification") for name, each in partners.items()} or None,
            )

    def _kind(self, rule: str) -> tuple[str, str | None]:
        """What a hop is made of, and, where the rule itself delivers, the destination's type in the workflow file.

        A target may be unknown when planned. A function or queue that is retired may stand beside it.
        """
        target = self.targets.get(rule, {})
        arn = (text(target.get("arn")) or "").split(":")
        service, name = (arn[2], arn[-1]) if len(arn) > _NAME_IN_ARN else ("", "")
        if name in (rule, f"{rule}.fifo") and service == "sqs":
            return "queue and function", None
        if service == "lambda":
            return "function, invoked by the rule", None
        own = "api-destination" if target.get("http_target") else _OWN_TARGETS.get(service)
        if own is not None or (not service and rule not in self.functions):
            return "rule alone", own or "a target of its own"
        return ("queue and function" if self._own_queue(rule) else "function, invoked by the rule"), None

    def _own_queue(self, name: str) -> str | None:
        return next((queue for queue in (name, f"{name}.fifo") if queue in self.queues), None)

    def _consumed(self, name: str) -> str:
        queue = self._own_queue(name)
        if queue is None:
            return "somebody else's queue"
        kind = "FIFO queue" if queue.endswith(".fifo") else "queue"
        if any(rule.startswith(f"{name}-") and _redriven(values) is None for rule, values in self.rules.items()):
            return f"bus, {kind}"
        return f"topic, {kind}" if {name, f"{name}.fifo"} & self.topics else kind


def _redriven(rule: Mapping[str, Any]) -> tuple[str, bool] | None:
    """The hop that a rule's pattern lets redriven events in for, and whether it lets in others, too."""
    metadata = mapping(mapping(object_in(text(rule.get("event_pattern")) or "").get("detail")).get("metadata"))
    values = mapping(metadata.get("redrive")).get("route")
    names = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    if len(names) != 1 or not isinstance(values, list):
        return None
    return names[0], {"exists": False} in values


def stage_of_rule(rule: Mapping[str, Any] | None) -> str | None:
    """The stage of the events that a rule takes; ``None`` for a rule of no hop, or where it is not known."""
    metadata = mapping(mapping(object_in(text((rule or {}).get("event_pattern")) or "").get("detail")).get("metadata"))
    stages = metadata.get("stage")
    return text(stages[0]) if isinstance(stages, list) and len(stages) == 1 else None


def _table(function: Mapping[str, Any]) -> str | None:
    blocks = function.get("environment")
    block = blocks[0] if isinstance(blocks, list) and blocks else None
    return text(mapping(mapping(block).get("variables")).get("IDEMPOTENCY_TABLE"))


def same(first: Any, second: Any) -> bool:
    """Whether two documents say the same."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
