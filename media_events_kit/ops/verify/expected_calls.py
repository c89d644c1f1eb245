"""The calls that a function will make, by its own settings: its environment, its handler, its configuration document.

They are read from there and not from its policy, so that a policy that lost a statement is found. Each handler's calls
are those of its adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.json_fields import mapping
from media_events_kit.ops.verify.checks.secrets import secrets_in
from media_events_kit.ops.verify.deployed import Deployed

RECORDS: Final = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
BATCHES_OF_RECORDS: Final = ("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")
CONSUMES: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
_OF_TASKS: Final = ("states:SendTaskFailure", "states:SendTaskSuccess")


@dataclass(frozen=True, slots=True)
class Calls:
    """Actions on one resource. ``context`` are the keys that conditions of our policies ask for."""

    actions: tuple[str, ...]
    resource: str
    context: tuple[tuple[str, str], ...] = ()


def calls_of(deployed: Deployed, hop: str) -> Iterator[Calls]:
    """The calls of a hop's function.

    Raises:
        MissingError: the function or its configuration is not there.
        NotToldError: the operator may not read them.
    """
    function, environment, document = deployed.function(hop), deployed.environment(hop), deployed.document(hop)
    handler = str(function.get("Handler")).removesuffix(".handler").rpartition(".")[2]
    group = mapping(function.get("LoggingConfig")).get("LogGroup") or f"/aws/lambda/{deployed.functions[hop]}"
    yield Calls(
        ("logs:CreateLogStream", "logs:PutLogEvents"), deployed.arn("logs", f"log-group:{group}:log-stream:verify")
    )
    if function.get("KMSKeyArn"):
        yield Calls(("kms:Decrypt",), str(function["KMSKeyArn"]))
    for variable, calls in _BY_VARIABLE.items():
        if variable in environment:
            yield from calls(deployed, environment[variable], handler)
    for arn in sorted(set(secrets_in(document))):
        yield Calls(("secretsmanager:GetSecretValue",), arn)
    yield from _of_destination(deployed, mapping(document.get("destination")))
    yield from _of_steps(deployed, document.get("steps"))
    yield from _of_dead_letter_queues(deployed, mapping(document.get("dead_letter_queues")))


def _object(deployed: Deployed, uri: str, actions: tuple[str, ...], name: str = "") -> Calls:
    return Calls(actions, f"arn:{deployed.partition}:s3:::{uri.removeprefix('s3://')}{name}")


def _absence(deployed: Deployed, uri: str) -> Calls:
    """Without it S3 answers 403 for what is not there; of a read, ``s3:prefix`` is the object's key."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Calls(("s3:ListBucket",), f"arn:{deployed.partition}:s3:::{bucket}", (("s3:prefix", f"{prefix}verify"),))


def _table(deployed: Deployed, name: str) -> str:
    return deployed.arn("dynamodb", f"table/{name}")


def _queue(deployed: Deployed, url: str, handler: str) -> Iterator[Calls]:
    # A route's function puts a copy back while deliveries pause.
    actions = (*CONSUMES, "sqs:SendMessage") if handler == "deliver" else CONSUMES
    yield Calls(actions, deployed.queue_arn(url))


def _bodies(deployed: Deployed, uri: str, handler: str) -> Iterator[Calls]:
    if handler == "redrive":
        yield _object(deployed, uri, ("s3:PutObject", "s3:DeleteObject"), "verify")
    else:
        yield _object(deployed, uri, ("s3:GetObject", "s3:PutObject"), "verify")
        yield _absence(deployed, uri)


def _idempotency(deployed: Deployed, name: str, handler: str) -> Iterator[Calls]:
    # A transform asks for a person's decision, event by event; it completes no record.
    completes = ("dynamodb:UpdateItem", *BATCHES_OF_RECORDS) if handler != "transform" else ()
    yield Calls(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", *completes), _table(deployed, name))


def _review_table(deployed: Deployed, name: str, _handler: str) -> Iterator[Calls]:
    table = _table(deployed, name)
    # Terraform's entries and the audit's old ones alone may not be changed.
    yield Calls((*RECORDS, "dynamodb:DeleteItem"), table, (("dynamodb:LeadingKeys", "item/verify"),))
    yield Calls(("dynamodb:Query",), f"{table}/index/by-status")


def _task_callbacks(deployed: Deployed, name: str, _handler: str) -> Iterator[Calls]:
    yield Calls(("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"), _table(deployed, name))
    yield Calls(_OF_TASKS, "*")


_BY_VARIABLE: Final[Mapping[str, Callable[[Deployed, str, str], Iterator[Calls]]]] = {
    "CONFIGURATION_URI": lambda d, uri, _: iter([_object(d, uri, ("s3:GetObject",))]),
    "QUEUE_URL": _queue,
    "DEAD_LETTER_QUEUE_URL": lambda d, url, _: iter([Calls(("sqs:SendMessage",), d.queue_arn(url))]),
    "BUS_ARN": lambda _d, arn, _: iter([Calls(("events:PutEvents",), arn)]),
    "IDEMPOTENCY_TABLE": _idempotency,
    "BODIES_URI": _bodies,
    "EVENT_BODIES_URI": lambda d, uri, _: iter([_object(d, uri, ("s3:GetObject",), "verify"), _absence(d, uri)]),
    "REVIEW_TABLE": _review_table,
    "TOPIC_ARN": lambda _d, arn, _: iter([Calls(("sns:Publish",), arn)]),
    "TASK_CALLBACKS_TABLE": _task_callbacks,
}

_TARGETS: Final[Mapping[str, tuple[str, str]]] = {
    "step-functions": ("states:StartExecution", "state_machine_arn"),
    "sqs": ("sqs:SendMessage", "queue_arn"),
    "sns": ("sns:Publish", "topic_arn"),
    "event-bus": ("events:PutEvents", "bus_arn"),
    "lambda": ("lambda:InvokeFunction", "function_arn"),
    "firehose": ("firehose:PutRecordBatch", "stream_arn"),
}


def _of_destination(deployed: Deployed, destination: Mapping[str, Any]) -> Iterator[Calls]:
    kind = str(destination.get("type"))
    if kind in _TARGETS:
        action, field = _TARGETS[kind]
        yield Calls((action,), str(destination.get(field)))
    elif kind == "task-callback":
        yield from _task_callbacks(deployed, str(destination.get("task_callbacks_table")), "deliver")


def _of_steps(deployed: Deployed, steps: Any) -> Iterator[Calls]:
    for step in steps if isinstance(steps, list) else ():
        lookup, call = mapping(mapping(step).get("lookup")), mapping(mapping(step).get("call"))
        if "dynamodb" in lookup:
            yield Calls(("dynamodb:GetItem",), str(mapping(lookup["dynamodb"]).get("table_arn")))
        if "s3" in lookup:
            source = mapping(lookup["s3"])
            objects = f"s3://{source.get('bucket')}/{source.get('prefix') or ''}"
            yield _object(deployed, objects, ("s3:GetObject",), "verify")
            yield _absence(deployed, objects)
        if "function_arn" in call:
            yield Calls(("lambda:InvokeFunction",), str(call["function_arn"]))


def _of_dead_letter_queues(deployed: Deployed, queues: Mapping[str, Any]) -> Iterator[Calls]:
    for arn, settings in queues.items():
        yield Calls(CONSUMES, arn)
        if mapping(settings).get("redrive_target") == "queue":
            yield Calls(
                ("sqs:GetQueueAttributes", "sqs:SendMessage"), deployed.queue_arn(str(settings.get("queue_url")))
            )
    fields = [mapping(settings) for settings in queues.values()]
    for table in sorted({str(one["idempotency_table"]) for one in fields if one.get("idempotency_table")}):
        yield Calls(("dynamodb:GetItem",), _table(deployed, table))
    for rule in sorted({str(one["rule_arn"]) for one in fields if one.get("rule_arn")}):
        yield Calls(("events:DescribeRule",), rule)
    if any(one.get("rule_arn") for one in fields):
        yield Calls(("events:TestEventPattern",), "*")
    for function in sorted(
        {str(one[name]) for one in fields for name in ("function_arn", "consumer_arn") if one.get(name)}
    ):
        yield Calls(("lambda:InvokeFunction",), function)
