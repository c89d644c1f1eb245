"""Every role and policy that the modules make, from a plan that uses all that they can do.

The plan's ARNs are those that AWS would give (``tests/terraform/resolved_plan.py``). In them a word in capitals stands
for what the user names: ``REGION``, ``ACCOUNT``, ``NAME`` for a module's ``name``, ``ROUTE-HTTP`` for a route's key.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts.reference.markdown import code, table
from tests.terraform.emitted_policies import policies
from tests.terraform.resolved_plan import ACCOUNT, REGION, ResolvedPlan

ROOT: Final = Path(__file__).resolve().parents[2]
WHY: Final = Path(__file__).with_name("iam_why.json")

_PLACE: Final = f"{REGION}:{ACCOUNT}"
_BUS: Final = f"arn:aws:events:{_PLACE}:event-bus/BUS"
_KEY: Final = {"arn": f"arn:aws:kms:{_PLACE}:key/KEY"}
_BUCKET: Final = {"name": "bucket", "arn": "arn:aws:s3:::BUCKET"}
_WORKFLOW: Final = f"arn:aws:states:{_PLACE}:stateMachine:WORKFLOW"
_TABLE: Final = {"name": "TABLE", "arn": f"arn:aws:dynamodb:{_PLACE}:table/TABLE"}
_QUEUE: Final = {
    "arn": f"arn:aws:sqs:{_PLACE}:QUEUE",
    "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/QUEUE",
}
_DLQ: Final = {
    "arn": f"{_QUEUE['arn']}-dlq",
    "url": f"{_QUEUE['url']}-dlq",
    "kms_key": {"arn": f"arn:aws:kms:{_PLACE}:key/KEY-OF-DLQ"},
}
_SETTINGS: Final = {
    "kms_key": _KEY,
    "bucket": _BUCKET,
    "vpc": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
    "alarms": {"enabled": False},
    "tracing": "Active",
}
_PATTERN: Final = json.dumps({"source": ["partner.mux"]})
_MUX: Final = json.dumps({"preset": "mux"})
_PARTNER: Final = {"partner": "mux", "specification": _MUX}
_SOURCE: Final = {"event_source_name": "aws.partner/example.com/media/1", "bus_arn": _BUS}


def _secret(name: str) -> str:
    return f"arn:aws:secretsmanager:{_PLACE}:secret:{name}"


def _route(**target: Any) -> dict[str, Any]:
    return {"pattern": _PATTERN, "stage": "received", "target": target}


_HTTP: Final = {
    "url": "https://cms.example.com/",
    "auth": {"type": "basic", "secret_arn": _secret("SECRET"), "kms_key": _KEY},
    "tls": {"ca_secret_arn": _secret("CA-SECRET")},
}
_ROUTES: Final[Mapping[str, Any]] = {
    "ROUTE-HTTP": _route(http=_HTTP),
    "ROUTE-SQS": _route(
        sqs={"queue_arn": _QUEUE["arn"], "queue_url": _QUEUE["url"], "mode": "envelope", "kms_key": _KEY}
    ),
    "ROUTE-SNS": _route(sns={"topic_arn": f"arn:aws:sns:{_PLACE}:TOPIC", "kms_key": _KEY}),
    "ROUTE-EVENT-BUS": _route(event_bus={"bus_arn": f"arn:aws:events:{_PLACE}:event-bus/OTHER-BUS"}),
    "ROUTE-LAMBDA": _route(**{"lambda": {"function_arn": f"arn:aws:lambda:{_PLACE}:function:FUNCTION"}}),
    "ROUTE-FIREHOSE": _route(firehose={"stream_arn": f"arn:aws:firehose:{_PLACE}:deliverystream/STREAM"}),
    "ROUTE-STEP-FUNCTIONS": _route(
        step_functions={"state_machine_arn": f"arn:aws:states:{_PLACE}:stateMachine:WORKFLOW"}
    ),
    "ROUTE-TASK-CALLBACK": _route(
        task_callback={"task_callbacks_table": _TABLE, "correlation_key": "data.id", "kms_key": _KEY}
    ),
    "ROUTE-QUEUE": _route(sqs={"queue_arn": _QUEUE["arn"], "queue_url": _QUEUE["url"], "manage_queue_policy": True}),
    "ROUTE-API-DESTINATION": _route(
        api_destination={
            "url": "https://crm.example.com/",
            "auth": {"type": "api-key", "header": "X-Key", "secret_arn": _secret("SECRET")},
        }
    ),
    "ROUTE-LOGS": _route(logs={}),
}
_STEPS: Final = (
    {"lookup": {"dynamodb": {"table_arn": _TABLE["arn"], "key": {"id": "data.id"}, "kms_key": _KEY}, "into": "a"}},
    {"lookup": {"s3": {"bucket": "bucket-name", "prefix": "PREFIX/", "key": "data.id"}, "into": "b"}},
    {
        "lookup": {
            "http": {
                "url": "https://mam.example.com/",
                "auth": {"type": "basic", "secret_arn": _secret("SECRET"), "kms_key": _KEY},
            },
            "into": "c",
        }
    },
    {"call": {"function_arn": f"arn:aws:lambda:{_PLACE}:function:FUNCTION"}},
)
_DEAD_LETTERS: Final = {
    kind: {
        "queue_arn": f"arn:aws:sqs:{_PLACE}:{kind.upper()}-dlq",
        "queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{kind.upper()}-dlq",
        "hop": f"route/{kind}",
        "destination": kind,
        "redrive_target": target,
        "source_queue_arn": f"arn:aws:sqs:{_PLACE}:{kind.upper()}",
        "source_queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{kind.upper()}",
        "function_arn": f"arn:aws:lambda:{_PLACE}:function:{kind.upper()}",
        "consumer_arn": f"arn:aws:lambda:{_PLACE}:function:{kind.upper()}",
        "idempotency_table": {"name": "STORE", "arn": f"arn:aws:dynamodb:{_PLACE}:table/STORE"},
        "ordered": kind == "hop",
    }
    for kind, target in {"hop": "queue"}.items()
}

_REVIEW: Final = {
    "bus_arn": _BUS,
    "dead_letter_queues": _DEAD_LETTERS,
    "archive": {"arn": f"arn:aws:events:{_PLACE}:archive/ARCHIVE"},
    "log_group_names": {"route/hop": "/aws/lambda/HOP"},
    "state_machine_arns": {"WORKFLOW": _WORKFLOW},
}

CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ingress-apigw": {
        "bus_arn": _BUS,
        "secret_key_arns": [f"arn:aws:kms:{_PLACE}:key/KEY-OF-SECRETS"],
        "partners": {
            "partner-name": {"specification": _MUX},
            "iam-partner-name": {
                "specification": _MUX,
                "authorization": {"type": "iam", "principals": [f"arn:aws:iam::{ACCOUNT}:role/SENDER"]},
            },
        },
    },
    "ingress-sqs": _PARTNER | {"bus_arn": _BUS, "senders": {"SENDER": {"account_ids": ["210987654321"]}}},
    "ingress-sqs (existing queues)": _PARTNER
    | {"bus_arn": _BUS, "existing_queue": _QUEUE | {"kms_key": _KEY}, "existing_dlq": _DLQ},
    "ingress-sns-fifo": _PARTNER | {"bus_arn": _BUS, "senders": {"SENDER": {"account_ids": ["210987654321"]}}},
    "ingress-sns-fifo (an existing topic)": _PARTNER
    | {"bus_arn": _BUS, "existing_topic": {"arn": f"arn:aws:sns:{_PLACE}:TOPIC.fifo"}},
    "bus-partner": _SOURCE | _PARTNER,
    "bus-partner (`forward_unmodified`)": _SOURCE | {"forward_unmodified": True},
    "bus-custom": {
        "senders": {"SENDER": {"sources": ["example.studio"], "account_ids": ["210987654321"]}},
        "partners": {"studio": {"sources": ["example.studio"]}},
        "aws_services": {"s3": {"sources": ["aws.s3"], "specification": json.dumps({"preset": "s3"})}},
    },
    "router": {
        "bus_arn": _BUS,
        "transforms": {"TRANSFORM": {"pattern": _PATTERN, "steps": json.dumps(_STEPS)}},
        "routes": _ROUTES,
    },
    "dlq-review": _REVIEW,
    "dlq-review (an existing topic and bucket)": _REVIEW
    | {
        "existing_topic": {
            "arn": f"arn:aws:sns:{_PLACE}:TOPIC",
            "kms_key": {"arn": f"arn:aws:kms:{_PLACE}:key/KEY-OF-TOPIC"},
        },
        "existing_audit_bucket": {
            "name": "audit",
            "arn": "arn:aws:s3:::audit",
            "kms_key": {"arn": f"arn:aws:kms:{_PLACE}:key/KEY-OF-AUDIT"},
        },
    },
    "state-machine": {"definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})},
    "task-callbacks": {},
    "internal/storage-bucket": {"settings": {"kms_key": _KEY}, "name": "name"},
}
"""Every module, in each way that gives a role, or a policy, statements of its own."""

PUT_OUT: Final = (
    ("dlq-review (an existing topic and bucket)", "operator_policies"),
    ("dlq-review (an existing topic and bucket)", "existing_audit_bucket_policy"),
    ("ingress-apigw", "invoke_policies"),
    ("ingress-sqs", "sender_policy"),
    ("ingress-sns-fifo", "sender_policy"),
    ("ingress-sqs (existing queues)", "existing_queue_policy"),
    ("ingress-sns-fifo (an existing topic)", "existing_topic_policy"),
)
"""Policies that a module puts out for somebody to attach."""

KEY_POLICIES: Final = ("ingress-apigw", "router", "dlq-review")
"""Modules whose statements for a key's policy have, together, those of all."""

OF_EVERY_FUNCTION: Final = (
    "WriteLog",
    "ReadConfiguration",
    "UseKey",
    "ConnectToVpc",
    "KeepNetworkInterfacesFromCode",
    "WriteTraces",
)


_NO_TLS: Final = "DenyWithoutTls"
_LAMBDA: Final = "`lambda.amazonaws.com`"


@dataclass(frozen=True, slots=True)
class Holder:
    """A role, or a resource with a policy, and the statements of all its policies."""

    title: str
    trust: str | None
    statements: tuple[Mapping[str, Any], ...]


def root() -> dict[str, Any]:
    """A root that calls every module as ``CALLS`` says, in Terraform's JSON syntax."""
    calls = {_identifier(title): {"name": "NAME", "settings": _SETTINGS} | dict(call) for title, call in CALLS.items()}
    for title, call in zip(CALLS, calls.values(), strict=True):
        call["source"] = f"../../modules/{title.partition(' ')[0]}"
    outputs = {
        f"{title.partition(' ')[0]}.{name}": f"${{module.{_identifier(title)}.{name}}}" for title, name in PUT_OUT
    } | {
        f"{name}.key_policy_statements": (
            f'${{jsonencode({{ Version = "2012-10-17", Statement = module.{name}.key_policy_statements }})}}'
        )
        for name in KEY_POLICIES
    }
    return {"provider": {"aws": {}}, "module": calls, "output": {"policies": {"value": outputs}}}


def page(plan: ResolvedPlan) -> str:
    """The page's generated part."""
    why = Reasons(json.loads(WHY.read_text(encoding="utf-8")))
    by_module = _holders(plan)
    shared = _shared(by_module)
    parts = ["## Every function", "", _statements(shared.values(), why).replace("NAME-partners", "FUNCTION"), ""]
    parts += [
        "## Every queue, topic and bucket",
        "",
        f"{why.of(_NO_TLS)} {code(_NO_TLS)}",
        "",
    ]
    for title in CALLS:
        parts += [f"## {title}", ""]
        for holder in by_module.get(_identifier(title), ()):
            common = {*shared} if holder.trust == _LAMBDA else {_NO_TLS}
            own = [each for each in holder.statements if _sid(each) not in common]
            if not own and holder.trust is None:
                continue
            heading = f"**{holder.title}**" + (f", which only {holder.trust} may assume" if holder.trust else "")
            rest = " It may what every function may, and:" if holder.trust == _LAMBDA else ""
            parts += [f"{heading}.{rest}", "", *([_statements(own, why), ""] if own else [])]
    parts += ["## Policies that the modules put out", "", _put_out(plan, why)]
    why.complain_of_unused()
    return "\n".join(parts)


class MissingReasonError(Exception):
    """A statement has no reason in ``iam_why.json``, or a reason there has no statement."""


class Reasons:
    """Why a statement is there, by its Sid."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """``reasons``: by the Sid's pattern, a regular expression."""
        self._reasons = reasons
        self._unused = set(reasons)

    def of(self, sid: str) -> str:
        """The reason of one.

        Raises:
            MissingReasonError: there is none.
        """
        for pattern, reason in self._reasons.items():
            if re.fullmatch(pattern, sid):
                self._unused.discard(pattern)
                return reason
        raise MissingReasonError(f"{WHY.name} does not say why a policy has the statement {sid}")

    def complain_of_unused(self) -> None:
        """Say which reasons are of nothing.

        Raises:
            MissingReasonError: there are some.
        """
        if self._unused:
            raise MissingReasonError(f"{WHY.name}: no policy has {', '.join(sorted(self._unused))}")


def _holders(plan: ResolvedPlan) -> dict[str, list[Holder]]:
    """The roles and the resources with policies, by module call, in the plan's order."""
    trusts: dict[tuple[str, str], str] = {}
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    names = {resource.address: resource.values for resource in plan.resources}
    for policy in policies(plan):
        call = re.match(r"module\.([\w-]+)\.", policy.name)
        if call is None:
            continue
        values = names[policy.name]
        if policy.kind == "trust":
            title = f"Role {code(values['name'])}"
            (statement,) = policy.document["Statement"]
            trusts[call[1], title] = _who(statement) + "".join(f", for {text}" for text in _conditions(statement))
            found[call[1]].setdefault(title, [])
        elif policy.kind == "identity":
            found[call[1]][f"Role {code(values['role'])}"] += policy.document["Statement"]
        else:
            title = f"{_KINDS[policy.name.split('.')[-2]]} {code(_resource(policy.document))}"
            found[call[1]][title] += policy.document["Statement"]
    return {
        call: [Holder(title, trusts.get((call, title)), tuple(statements)) for title, statements in holders.items()]
        for call, holders in found.items()
    }


_KINDS: Final = {
    "aws_cloudwatch_event_bus_policy": "Policy of the bus",
    "aws_cloudwatch_log_resource_policy": "Policy of CloudWatch Logs for",
    "aws_kms_key": "Policy of the key",
    "aws_s3_bucket_policy": "Policy of the bucket",
    "aws_sns_topic_policy": "Policy of the topic",
    "aws_sqs_queue": "Policy of the queue",
    "aws_sqs_queue_policy": "Policy of the queue",
}


def _resource(document: Mapping[str, Any]) -> str:
    resource = document["Statement"][0]["Resource"]
    return _general(resource if isinstance(resource, str) else resource[0])


def _shared(by_module: Mapping[str, list[Holder]]) -> dict[str, Mapping[str, Any]]:
    """The statements of every function, from the first that has each."""
    everywhere = [
        each
        for holders in by_module.values()
        for holder in holders
        if holder.trust == _LAMBDA
        for each in holder.statements
    ]
    return {sid: next(each for each in everywhere if _sid(each) == sid) for sid in OF_EVERY_FUNCTION}


def _put_out(plan: ResolvedPlan, why: Reasons) -> str:
    """One row for each statement, with all policies that have it."""
    having: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for policy in policies(plan):
        if policy.name.startswith("output "):
            for statement in policy.document["Statement"]:
                _, names = having.setdefault(json.dumps(statement), (statement, []))
                names.append(policy.name.removeprefix("output policies."))
    columns = ["in", *_COLUMNS]
    return table(columns, ((", ".join(map(code, sorted(names))), *_row(each, why)) for each, names in having.values()))


_COLUMNS: Final = ("may", "on", "if", "why")


def _statements(statements: Iterable[Mapping[str, Any]], why: Reasons) -> str:
    return table(_COLUMNS, (_row(each, why) for each in statements))


def _row(statement: Mapping[str, Any], why: Reasons) -> tuple[str, ...]:
    denied = "**denied:** " if statement["Effect"] == "Deny" else ""
    return (
        denied + _one_of("Action", statement),
        _one_of("Resource", statement),
        "; ".join(filter(None, [_who(statement), *_conditions(statement)])),
        f"{why.of(_sid(statement))} {code(_sid(statement))}".removesuffix(" ``"),
    )


def _one_of(key: str, statement: Mapping[str, Any]) -> str:
    """The values of ``key``, or those of its opposite."""
    values = statement[key] if key in statement else statement[f"Not{key}"]
    listed = ", ".join(code(_general(text)) for text in _texts(values))
    return listed if key in statement else f"all but {listed}"


def _who(statement: Mapping[str, Any]) -> str:
    principal = statement.get("Principal")
    if principal is None:
        return ""
    if isinstance(principal, str):
        return "anybody"
    return ", ".join(code(_general(name)) for names in principal.values() for name in _texts(names))


def _conditions(statement: Mapping[str, Any]) -> Iterator[str]:
    for test, variables in statement.get("Condition", {}).items():
        for variable, values in variables.items():
            listed = ", ".join(code(_general(value)) for value in _texts(values))
            yield f"{code(variable)} {test} {listed}"


def _sid(statement: Mapping[str, Any]) -> str:
    return str(statement.get("Sid", ""))


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


_GENERAL: Final = (
    (r"name-?\d{26}", "BUCKET"),
    (REGION, "REGION"),
    (ACCOUNT, "ACCOUNT"),
    ("210987654321", "SENDERS-ACCOUNT"),
    ("bucket-name", "BUCKET"),
    ("iam-partner-name", "IAM-PARTNER"),
    ("partner-name", "PARTNER"),
)
"""Where names must be in small letters, or are numbers."""


def _general(text: str) -> str:
    """``text`` with the plan's region, account and so on as words in capitals."""
    for pattern, word in _GENERAL:
        text = re.sub(pattern, word, text)
    return text


def _identifier(title: str) -> str:
    """A module call's name."""
    return re.sub(r"\W+", "_", title.replace("-", "__dash__")).strip("_").replace("__dash__", "-")
