"""A workflow so large that what grows with it shows.

60 partners, 100 routes, every kind of ingress, destination and transform step, the longest names, 40 tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

PARTNERS, ROUTES, TAGS = 60, 100, 40

NAME, ENVIRONMENT = "large-media-workflow", "staging-for-all"
"""The longest that the file takes: 20 and 15 characters."""
KEY_LENGTH = 64 - len(f"{NAME}-{ENVIRONMENT}-")
"""Of a hop or destination: with the prefix it names a function, which has 64 characters at most."""

_REGIONAL = "eu-west-1:123456789012"
_OTHERS = "eu-west-1:210987654321"
_KEY = {"arn": f"arn:aws:kms:{_REGIONAL}:key/11111111-2222-3333-4444-555555555555"}

Section = dict[str, Any]


def large_workflow() -> str:
    """The text of the workflow file; JSON is YAML too."""
    ingress = dict(_ingresses())
    destinations = dict(_destinations())
    return json.dumps(
        {
            "name": NAME,
            "ingress": ingress,
            "partners": dict(_partners(ingress)),
            "transforms": dict(_transforms()),
            "destinations": destinations,
            "routes": dict(_routes(destinations)),
            "bus": {"archive": {"retention_days": 0, "pattern": {"source": [{"prefix": "partner."}]}}},
            "tags": {long("tag", 128): "v" * 256} | {f"tag-{number}": "v" for number in range(1, TAGS)},
            "settings": {
                "kms_key": _KEY,
                "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
                "role_path": "/media/events/",
                "vpc": {"subnet_ids": ["subnet-0a", "subnet-0b"], "security_group_ids": ["sg-0a"]},
                "alarms": {"actions": {"critical": [_arn("sns", "on-call")], "warning": [_arn("sns", "team")]}},
            },
            "environments": {ENVIRONMENT: {"region": "eu-west-1"}},
        },
        indent=1,
    )


def long(name: str, length: int = KEY_LENGTH) -> str:
    """``name``, filled up to ``length`` characters."""
    return f"{name}-".ljust(length, "x")[:length]


def _arn(service: str, resource: str, place: str = _REGIONAL) -> str:
    return f"arn:aws:{service}:{place}:{resource}"


def _secret(name: str) -> str:
    return _arn("secretsmanager", f"secret:{name}-AbCdEf")


def _ingresses() -> Iterator[tuple[str, Section]]:
    senders = {f"Sender{number}": {"account_ids": ["210987654321"]} for number in range(5)}
    yield "webhook", {"type": "webhook"}
    yield long("queue"), {"type": "sqs", "senders": senders}
    yield long("queue-fifo"), {"type": "sqs", "fifo": True, "high_throughput": True}
    yield long("queue-theirs"), {"type": "sqs", "existing_queue": {"arn": _arn("sqs", "theirs", _OTHERS)}}
    yield long("topic"), {"type": "sns-fifo", "topic_archive_days": 365, "senders": senders}
    yield long("topic-standard"), {"type": "sns-fifo", "fifo": False, "filter_policy": {"kind": ["asset"]}}
    yield long("topic-theirs"), {"type": "sns-fifo", "existing_topic": {"arn": _arn("sns", "theirs.fifo", _OTHERS)}}
    saas = {"type": "partner-bus", "inactivity_alarm_minutes": 1440}
    yield "saas", saas | {"event_source_name": "aws.partner/acme.example/tenant/events", "archive": {}}
    yield "saas-plain", saas | {"event_source_name": "aws.partner/acme.example/plain", "forward_unmodified": True}
    yield "apps", {"type": "custom-bus", "senders": {n: s | {"sources": ["com.a"]} for n, s in senders.items()}}
    yield "others", {"type": "custom-bus", "existing_bus": {"arn": _arn("events", "event-bus/others")}}
    yield "services", {"type": "aws-services"}


def _partners(ingresses: dict[str, Section]) -> Iterator[tuple[str, Section]]:
    own = {"id": "body.id", "type": "body.type", "time": "body.time", "subject": "body.asset"}
    single = [name for name, ingress in ingresses.items() if ingress["type"] in {"sqs", "sns-fifo", "partner-bus"}]
    for name in single:
        yield f"by-{name}"[:40], {"ingress": name} | ({} if name == "saas-plain" else {"specification": own})
    for number in range(20):
        ingress = ("apps", "others")[number % 2]
        # "<prefix><ingress>-<partner>" names a rule.
        name = long(f"bus-{number:02}", KEY_LENGTH - len(ingress) - 1)
        yield name, {"ingress": ingress, "specification": own, "sources": [f"com.example.{number:02}."]}
    for service in ("mediaconvert", "medialive", "mediapackage", "s3"):
        yield service, {"ingress": "services", "specification": service, "sources": [f"aws.{service}"]}
    jwt = {"type": "jwt", "issuer": "https://id.example.com", "audiences": ["media"]}
    iam = {"type": "iam", "principals": ["arn:aws:iam::210987654321:role/partner"]}
    callers: list[Section] = [
        {"authorization": jwt},
        {"authorization": iam},
        {"secret_arns": [_secret("now"), _secret("before")]},
        {"throttle": {"rate": 10000, "burst": 5000}},
    ]
    webhooks = PARTNERS - len(single) - 24
    for number, options in enumerate(islice([*callers, *({} for _ in range(PARTNERS))], webhooks)):
        yield long(f"webhook-{number:02}", 40), {"ingress": "webhook", "specification": "mux"} | options


def _transforms() -> Iterator[tuple[str, Section]]:
    pattern = {"source": ["partner.mux"], "detail-type": [{"prefix": "asset."}]}
    lookup = {
        "http": {
            "url": "https://api.example.com/files/{data.id}",
            "auth": {"type": "basic", "secret_arn": _secret("api")},
        },
        "into": "file",
    }
    steps: dict[str, Any] = {
        "map": {"map": {"id": "metadata.subject"}},
        "set": {"set": {"enriched": True}},
        "drop": {"drop": "data.kind == 'test'"},
        "split": {"split": {"items": "data.tracks", "id": "item.lang", "into": "track"}},
        "lookup-http": {"lookup": lookup},
        "lookup-table": {
            "lookup": {
                "dynamodb": {"table_arn": _arn("dynamodb", "table/titles"), "key": {"id": "data.id"}},
                "into": "title",
            }
        },
        "lookup-object": {
            "lookup": {
                "s3": {"bucket": "inbox", "prefix": "in/", "key": "join('', ['in/', data.name])"},
                "into": "object",
            }
        },
        "call": {"call": {"function_arn": _arn("lambda", "function:classify")}},
        "python": {"python": {"function": "tidy:tidy"}},
    }
    for name, step in steps.items():
        code = {"layers": [_arn("lambda", "layer:steps:1")]} if name == "python" else {}
        yield long(name), {"pattern": pattern, "steps": [step]} | code
    yield long("direct"), {"pattern": pattern, "steps": [steps["set"]], "invocation": "direct"}


def _destinations() -> Iterator[tuple[str, Section]]:
    http = {"type": "http", "url": "https://" + long("receiver", 50) + ".example.com/" + "p" * 1900}
    secret = _secret("receiver")
    token = {"token_url": "https://id.example.com/token", "scope": "assets"}
    kinds: dict[str, Section] = {
        "http": http,
        "http-api-key": http | {"auth": {"type": "api-key", "header": "X-Key", "secret_arn": secret, "kms_key": _KEY}},
        "http-basic": http | {"auth": {"type": "basic", "secret_arn": secret}},
        "http-oauth2": http | {"auth": {"type": "oauth2-client-credentials", "secret_arn": secret, **token}},
        "http-signed": http | {"auth": {"type": "standard-webhooks", "secret_arn": secret}, "ordering": "latest"},
        "http-strict": http | {"ordering": "strict", "strict": {"on_failure": "park"}},
        "sqs": {"type": "sqs", "queue_arn": _arn("sqs", "queue"), "mode": "structured", "kms_key": _KEY},
        "sqs-strict": {
            "type": "sqs",
            "queue_arn": _arn("sqs", "queue.fifo"),
            "mode": "structured",
            "ordering": "strict",
        },
        "sqs-rule": {"type": "sqs", "queue_arn": _arn("sqs", "by-rule"), "manage_queue_policy": True},
        "sqs-rule-fifo": {"type": "sqs", "queue_arn": _arn("sqs", "by-rule.fifo"), "message_group_id": "all"},
        "sns": {"type": "sns", "topic_arn": _arn("sns", "topic"), "kms_key": _KEY},
        "bus": {"type": "event-bus", "bus_arn": _arn("events", "event-bus/shared", _OTHERS)},
        "lambda": {"type": "lambda", "function_arn": _arn("lambda", "function:on-asset")},
        "firehose": {"type": "firehose", "stream_arn": _arn("firehose", "deliverystream/lake")},
        "callback": {"type": "task-callback", "correlation_key": "metadata.correlationid"},
        "api-key": {
            "type": "api-destination",
            "url": "https://api.example.com/*/events",
            "path_values": ["crm"],
            "auth": {"type": "api-key", "header": "X-Key", "secret_arn": secret},
        },
        "api-basic": {
            "type": "api-destination",
            "url": "https://api.example.com/events",
            "auth": {"type": "basic", "secret_arn": secret},
        },
        "api-oauth2": {
            "type": "api-destination",
            "url": "https://api.example.com/events",
            "auth": {"type": "oauth2-client-credentials", "secret_arn": secret, **token},
        },
        "api-connection": {
            "type": "api-destination",
            "url": "https://api.example.com/events",
            "connection": {"arn": _arn("events", "connection/crm/1")},
        },
        "logs": {"type": "logs"},
        "machine": {"type": "step-functions", "state_machine_arn": _arn("states", "stateMachine:ingest")},
    }
    for name, settings in kinds.items():
        yield long(name), settings
    # The suffix "-workflow" belongs to the machine's name.
    yield (
        long("machine-own", KEY_LENGTH - len("-workflow")),
        {"type": "step-functions", "definition": "workflows/ingest-asset.asl.json"},
    )


def _routes(destinations: dict[str, Section]) -> Iterator[tuple[str, Section]]:
    for number, name in enumerate(islice(cycle(destinations), ROUTES)):
        pattern = {"source": [f"partner.{long('p', 40)}"], "detail-type": [f"asset.{number}", {"prefix": "upload."}]}
        direct = {"invocation": "direct"} if number >= ROUTES - 2 else {}
        transformer = {"paths": {"id": "$$.detail.metadata.id"}, "template": '{"event": "<id>"}'}
        by_rule = name.startswith(("api-", "sqs-rule"))
        yield (
            long(f"to-{number:03}"),
            {"pattern": pattern, "destination": name, **direct}
            | ({"input_transformer": transformer} if by_rule else {}),
        )
