"""Plans made of a few resources, and an AWS that knows what waits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media_events.core.failures import TransientError
from media_events_kit.ops.changes.plan_document import Plan


@dataclass
class Aws:
    """What waits or runs, by queue, hop, archive, bucket and state machine; the secrets scheduled for deletion.

    ``held`` is how many events are parked, by destination.
    """

    queues: dict[str, int] = field(default_factory=dict)
    items: dict[str | None, int] = field(default_factory=dict)
    archives: dict[str, int] = field(default_factory=dict)
    buckets: dict[str, bool] = field(default_factory=dict)
    executions: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    fails: bool = False

    def messages(self, url: str) -> int:
        self._answer()
        return self.queues.get(url.rpartition("/")[2], 0)

    def open_items(self, table: str, hop: str | None = None) -> int:
        self._answer()
        assert table == "media-dev-review-items"
        return self.items.get(hop, 0)

    def parked(self, table: str, destination: str) -> int:
        self._answer()
        assert table == "media-dev-idempotency"
        return self.held.get(destination, 0)

    def archived_events(self, name: str) -> int:
        self._answer()
        return self.archives.get(name, 0)

    def holds_objects(self, bucket: str) -> bool:
        self._answer()
        return self.buckets.get(bucket, False)

    def running_executions(self, arn: str) -> int:
        self._answer()
        return self.executions.get(arn.rpartition(":")[2], 0)

    def deleted_secret(self, name: str) -> str | None:
        self._answer()
        return self.secrets.get(name)

    def _answer(self) -> None:
        if self.fails:
            raise TransientError("timeout", "AWS does not answer")


Resources = Mapping[str, Mapping[str, Any]]
"""Values by address."""


def change(address: str, actions: list[str], before: Any, after: Any) -> dict[str, Any]:
    kind, name = re.findall(r"(aws_\w+)\.(\w+)", address)[0]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "change": {"actions": actions, "before": before, "after": after},
    }


def document(before: Resources, after: Resources, *, replaced: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """What `terraform show -json` says of a plan between two deployments."""
    replaced = replaced or {}
    changes = []
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        actions = ["create"] if old is None else ["delete"] if new is None else ["no-op"] if old == new else ["update"]
        changes.append(change(address, replaced.get(address, actions), old, new))
    return {"format_version": "1.2", "planned_values": {}, "resource_changes": changes}


def plan(before: Resources, after: Resources, **options: Any) -> Plan:
    return Plan.of(document(before, after, **options))


def queue(name: str) -> dict[str, Any]:
    return {"name": name, "url": f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"}


def pattern(hop: str, *, retired: bool = False) -> str:
    redriven: list[Any] = [hop] if retired else [{"exists": False}, hop]
    return json.dumps({"detail": {"metadata": {"redrive": {"route": redriven}}}})


def route(key: str = "ready", *, destination: str = "cms", retired: bool = False, **rule: Any) -> Resources:
    """A route with a queue and a function, as the router makes it."""
    name, module = f"media-dev-{key}", f'module.router.module.hop["{key}"]'
    document = json.dumps({"destination": {"name": destination, "type": "http"}})
    rule = {"name": name, "state": "ENABLED", "event_pattern": pattern(f"route/{key}", retired=retired)} | rule
    variables = {"HOP": f"route/{key}", "IDEMPOTENCY_TABLE": "media-dev-idempotency"}
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    return {
        f'module.router.aws_cloudwatch_event_rule.this["{key}"]': rule,
        f'module.router.aws_cloudwatch_event_target.this["{key}"]': {"rule": name, "target_id": key, "arn": arn},
        f"{module}.aws_sqs_queue.this[0]": queue(name),
        f"{module}.aws_sqs_queue.dlq": queue(f"{name}-dlq"),
        f"{module}.module.function[0].aws_lambda_function.this": {
            "function_name": name,
            "handler": "media_events.handlers.deliver.handler",
            "environment": [{"variables": variables}],
        },
        f"{module}.module.function[0].aws_s3_object.configuration[0]": {"content": document},
    }


def ingress(name: str = "in", *, specification: Any = None, table: str | None = None) -> Resources:
    """An ingress with a queue and a function."""
    full, module = f"media-dev-{name}", f"module.ingress-{name}.module.ingress.module.consumer"
    content = json.dumps({"partners": {"mux": {"specification": specification or {"preset": "mux"}}}})
    return {
        f"{module}.aws_sqs_queue.this[0]": queue(full),
        f"{module}.aws_sqs_queue.dlq": queue(f"{full}-dlq"),
        f"{module}.module.function.aws_lambda_function.this": {
            "function_name": full,
            "handler": "media_events.handlers.queue_ingress.handler",
            "environment": [{"variables": {"IDEMPOTENCY_TABLE": table or f"{full}-idempotency"}}],
        },
        f"{module}.module.function.aws_s3_object.configuration[0]": {"content": content},
    }


def table(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "deletion_protection_enabled": False, "global_secondary_index": []} | values


REVIEW: Resources = {
    "module.review.aws_dynamodb_table.items": table(
        "media-dev-review-items", deletion_protection_enabled=True, global_secondary_index=[{"name": "by-hop"}]
    )
}
