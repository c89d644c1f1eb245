"""Checks of what grows with the workflow against AWS's limits, before a plan or an apply meets them.

What AWS raises on request is a warning. Like ``references``, they read plain values, and leave malformed ones to the
model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from media_events_kit.infra.documents.yaml_document import Path, Report, members_of
from media_events_kit.infra.validation.ingress import ingress_kinds, ingress_names

RULES_OF_A_BUS: Final = 300
"""https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html; raised on request."""

BUS_POLICY: Final = 10_000
"""Characters of an event bus's policy, of 10,240 that AWS takes by default (same page)."""

API_ROUTES, API_AUTHORIZERS = 300, 10
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html; raised on request."""

ROLE_POLICIES: Final = 10_240
"""Characters of a role's inline policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

RESERVED: Final = 3_200
"""Characters of such policies that the kit's own statements take at most, with the longest names, a key and a VPC."""

ITEM: Final = 400 * 1024
"""Bytes of an item of DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

QUEUE_POLICY: Final = {"bytes": 8_192, "statements": 20, "principals": 50, "conditions": 10}
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"""

TOPIC_POLICY: Final = {"bytes": 30 * 1024, "statements": 100, "principals": 200}
"""https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html"""

LONGEST_BUS: Final = "arn:aws:events:eu-central-1:123456789012:event-bus/" + "x" * 36
SHORTEST_TOPIC: Final = "arn:aws:sns:eu-west-1:123456789012:x"
"""A policy that is too long with it is so with any name; the modules measure the policy itself in the plan."""

FILTER_KEYS, FILTER_COMBINATIONS = 5, 150
"""https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html"""


def check_limits(report: Report) -> None:
    """Note whatever would be more or longer than AWS takes."""
    root = report.document.value
    if not isinstance(root, dict):
        return
    partners, ingresses = members_of(root, "partners"), members_of(root, "ingress") or {"webhook": {"type": "webhook"}}
    _check_rules(report, root, partners, ingresses)
    _check_webhook(report, {n: p for n, p in partners.items() if "webhook" in ingress_kinds(ingresses, p)})
    for name, ingress in ingresses.items():
        if isinstance(ingress, dict):
            _check_ingress(report, ("ingress", name), ingress)
    for name, destination in members_of(root, "destinations").items():
        statements = members_of(destination, "policy_statements")
        size = _size(list(statements.values()))
        if size > ROLE_POLICIES - RESERVED:
            _note(report, ("destinations", name, "policy_statements"), "characters", size, ROLE_POLICIES - RESERVED)
    types = members_of(members_of(root, "review"), "editable_types")
    size = len(json.dumps(types, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > ITEM:
        _note(report, ("review", "editable_types"), "bytes with their schemas", size, ITEM)


def _check_rules(report: Report, root: Any, partners: Mapping[str, Any], ingresses: Mapping[str, Any]) -> None:
    """Note more rules on one bus than there may be: one for each transform and route, and for each partner of a bus."""
    by_bus: dict[str, int] = {"": len(members_of(root, "transforms")) + len(members_of(root, "routes"))}
    for partner in partners.values():
        for name in ingress_names(partner):
            ingress = ingresses.get(name)
            if isinstance(ingress, dict) and ingress.get("type") in ("custom-bus", "aws-services"):
                own = "" if ingress["type"] == "custom-bus" else "default"
                bus = str(members_of(ingress, "existing_bus").get("arn", own))
                by_bus[bus] = by_bus.get(bus, 0) + 1
    for bus, rules in by_bus.items():
        if rules > RULES_OF_A_BUS:
            place = "the workflow's bus" if bus == "" else f"the bus {bus.rpartition('/')[2]}"
            report.warn(
                ("routes",) if bus == "" else ("partners",),
                f"{place} gets {rules} rules, one for each transform, route and partner on it; AWS allows "
                f"{RULES_OF_A_BUS}, and more on request (Service Quotas, EventBridge)",
            )


def _check_webhook(report: Report, callers: Mapping[str, Any]) -> None:
    # One for each partner, and one for unknown names.
    routes = len(callers) + 1
    if routes > API_ROUTES:
        report.warn(
            ("partners", list(callers)[API_ROUTES - 1]),
            f"the HTTP API gets {routes} routes, one for each partner; AWS allows {API_ROUTES}, and more on request "
            "(Service Quotas, API Gateway)",
        )
    tokens = [name for name, partner in callers.items() if members_of(partner, "authorization").get("type") == "jwt"]
    if len(tokens) > API_AUTHORIZERS:
        report.warn(
            ("partners", tokens[API_AUTHORIZERS], "authorization"),
            f"the HTTP API gets {len(tokens)} authorizers, one for each partner with tokens; AWS allows "
            f"{API_AUTHORIZERS}, and more on request (AWS Support)",
        )
    size = 0
    for name, partner in callers.items():
        arns = partner.get("secret_arns") if isinstance(partner, dict) else None
        size += _size(arns) if isinstance(arns, list) else 0
        if size > ROLE_POLICIES - RESERVED:
            _note(
                report,
                ("partners", name, "secret_arns"),
                "characters of secrets' ARNs with those before",
                size,
                ROLE_POLICIES - RESERVED,
            )
            return


def _check_ingress(report: Report, path: Path, ingress: dict[str, Any]) -> None:
    kind, place = ingress.get("type"), (*path, "senders")
    senders = {sid: sender for sid, sender in members_of(ingress, "senders").items() if isinstance(sender, dict)}
    principals = sum(
        max(1, len(_list(sender, "account_ids")) + len(_list(sender, "role_arns"))) for sender in senders.values()
    )
    # Each policy refuses everybody without TLS, too.
    refusal = {"Principal": "*", "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    counts = {
        "bytes": _size(
            [_statement("", refusal), *(_statement(sid, _allowed(sender)) for sid, sender in senders.items())]
        ),
        "statements": 1 + len(senders),
        "principals": 1 + principals,
        "conditions": 1 + sum("organization_id" in sender for sender in senders.values()),
    }
    for part, most in {"sqs": QUEUE_POLICY, "sns-fifo": TOPIC_POLICY}.get(str(kind), {}).items():
        if counts[part] > most:
            _note(
                report,
                place,
                f"{part} in the policy of the {'queue' if kind == 'sqs' else 'topic'}",
                counts[part],
                most,
            )
    if kind == "custom-bus":
        parts = [_allowed(sender, {"events:source": _list(sender, "sources")}) for sender in senders.values()]
        size = _size([_statement("x" * 64, part | {"Action": "events:PutEvents"}, LONGEST_BUS) for part in parts])
        if size > BUS_POLICY:
            _note(report, place, "characters in the bus's policy", size, BUS_POLICY)
    filters = ingress.get("filter_policy")
    if isinstance(filters, dict):
        _check_filter_policy(report, (*path, "filter_policy"), filters)


def _check_filter_policy(report: Report, path: Path, filters: dict[str, Any]) -> None:
    keys, combinations = _keys_and_combinations(filters, 1)
    if keys > FILTER_KEYS:
        _note(report, path, "keys", keys, FILTER_KEYS)
    if combinations > FILTER_COMBINATIONS:
        _note(report, path, "combinations of values", combinations, FILTER_COMBINATIONS)


def _keys_and_combinations(filters: dict[str, Any], level: int) -> tuple[int, int]:
    """Keys with values, and the product of the numbers of values, each times the level of its key."""
    keys, product = 0, 1
    for value in filters.values():
        if isinstance(value, dict):
            inner_keys, inner = _keys_and_combinations(value, level + 1)
            keys, product = keys + inner_keys, product * inner
        else:
            keys, product = keys + 1, product * level * max(1, len(value) if isinstance(value, list) else 1)
    return keys, product


def _allowed(sender: dict[str, Any], conditions: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The part of a policy's statement that grows with its sender."""
    accounts = [f"arn:aws:iam::{account}:root" for account in _list(sender, "account_ids")]
    organization = {"aws:PrincipalOrgID": sender["organization_id"]} if "organization_id" in sender else {}
    equal = {**(conditions or {}), **organization}
    return {
        "Effect": "Allow",
        "Principal": {"AWS": [*accounts, *_list(sender, "role_arns")]},
        **({"Condition": {"StringEquals": equal}} if equal else {}),
    }


def _statement(sid: str, part: dict[str, Any], resource: str = SHORTEST_TOPIC) -> dict[str, Any]:
    """``part`` with the text that every statement has."""
    return {"Sid": sid, "Action": "sns:Publish", "Resource": resource, **part}


def _note(report: Report, path: Path, what: str, size: int, most: int) -> None:
    report.wrong(path, f"comes to {size:,} {what}; AWS leaves room for {most:,}")


def _size(values: Iterable[Any]) -> int:
    """Characters of the values in a policy."""
    return len(json.dumps(list(values), separators=(",", ":"), ensure_ascii=False))


def _list(section: dict[str, Any], name: str) -> list[Any]:
    values = section.get(name)
    return values if isinstance(values, list) else []
