"""The loops that a plan's functions can run in: who can send to what feeds whom.

An edge leads from a sender to a receiver: a function to what its role's policy lets it send to, a bus to its rules'
targets, a topic to its subscriptions, a queue to its consumers and to its dead-letter queue. Patterns of rules are not
looked at, so there may be fewer loops than are found. Lambda itself follows a chain through SQS, SNS, S3 and functions
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html); the buses are here because a loop through them
is one, too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

REGIONAL: Final = "eu-west-1:123456789012"
SENDING: Final = {"sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "events:PutEvents"}

Resource = Mapping[str, Any]
"""A resource of a plan: ``address``, ``type``, ``values``."""


def computed(kind: str, values: Mapping[str, Any]) -> dict[str, str] | None:
    """What AWS would give a resource with these planned ``values``, as far as others name it by that."""
    name = values.get("name") or values.get("function_name") or "mock"
    match kind:
        case "aws_sqs_queue":
            url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"
            # Terraform makes up the text of what has neither a value nor one here.
            return {"arn": f"arn:aws:sqs:{REGIONAL}:{name}", "id": url, "url": url, "redrive_policy": ""}
        case "aws_s3_bucket":
            return {"arn": "arn:aws:s3:::mock", "bucket": "mock", "id": "mock"}
        case "aws_iam_role":
            return {"arn": f"arn:aws:iam::123456789012:role/{name}"}
    resource = {
        "aws_apigatewayv2_api": None,
        "aws_cloudwatch_event_archive": f"events:{REGIONAL}:archive/{name}",
        "aws_cloudwatch_event_bus": f"events:{REGIONAL}:event-bus/{name}",
        "aws_cloudwatch_log_group": f"logs:{REGIONAL}:log-group:{name}",
        "aws_dynamodb_table": f"dynamodb:{REGIONAL}:table/{name}",
        "aws_lambda_function": f"lambda:{REGIONAL}:function:{name}",
        "aws_secretsmanager_secret": f"secretsmanager:{REGIONAL}:secret:{name}-AbCdEf",
        "aws_sfn_state_machine": f"states:{REGIONAL}:stateMachine:{name}",
        "aws_sns_topic": f"sns:{REGIONAL}:{name}",
    }.get(kind)
    return None if resource is None else {"arn": f"arn:aws:{resource}"}


def functions_in_loops(resources: Sequence[Resource]) -> set[str]:
    """The names of the functions from which a way leads back to themselves."""
    edges = _edges(resources)
    return {
        values["function_name"]
        for values in _of("aws_lambda_function", resources)
        if values["arn"] in _reachable(edges, values["arn"])
    }


def _reachable(edges: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - seen
        seen |= new
        waiting += new
    return seen


def _edges(resources: Sequence[Resource]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = defaultdict(set)
    for sender, receiver in (*_event_sources(resources), *_rules(resources), *_permissions(resources)):
        edges[sender].add(receiver)
    return edges


def _event_sources(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    functions = {values["function_name"]: values["arn"] for values in _of("aws_lambda_function", resources)}
    for values in _of("aws_lambda_event_source_mapping", resources):
        yield values["event_source_arn"], values["function_name"]
    for values in _of("aws_sqs_queue", resources):
        if values.get("redrive_policy"):
            yield values["arn"], json.loads(values["redrive_policy"])["deadLetterTargetArn"]
    for values in _of("aws_sns_topic_subscription", resources):
        yield values["topic_arn"], values["endpoint"]
    for values in _of("aws_lambda_function_event_invoke_config", resources):
        for destinations in values["destination_config"]:
            for destination in (*destinations["on_failure"], *destinations["on_success"]):
                yield functions[values["function_name"]], destination["destination"]


def _rules(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    for values in _of("aws_cloudwatch_event_target", resources):
        bus = f"arn:aws:events:{REGIONAL}:event-bus/{values['event_bus_name'] or 'default'}"
        yield bus, values["arn"]
        for dead_letters in values["dead_letter_config"]:
            yield bus, dead_letters["arn"]


def _permissions(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    receivers = {
        values["arn"]
        for kind in ("aws_sqs_queue", "aws_sns_topic", "aws_lambda_function", "aws_cloudwatch_event_bus")
        for values in _of(kind, resources)
    }
    policies = {values["role"]: json.loads(values["policy"]) for values in _of("aws_iam_role_policy", resources)}
    for values in _of("aws_lambda_function", resources):
        for statement in policies[values["role"].rsplit("/", 1)[1]]["Statement"]:
            if statement["Effect"] == "Allow" and SENDING & set(statement["Action"]):
                for receiver in receivers:
                    if any(fnmatchcase(receiver, pattern) for pattern in statement["Resource"]):
                        yield values["arn"], receiver


def _of(kind: str, resources: Sequence[Resource]) -> Iterator[Mapping[str, Any]]:
    return (resource["values"] for resource in resources if resource["type"] == kind)
