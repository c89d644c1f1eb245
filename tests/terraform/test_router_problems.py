"""The router refuses what would fail late or silently on AWS, all at once, and names the route and the attribute.

Most cases are hops of one plan of `hop-definitions`, which has no provider: Terraform starts once for all of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MODULES = Path(__file__).resolve().parents[2] / "modules"
ACCOUNT = "eu-west-1:123456789012"
SECRET = f"arn:aws:secretsmanager:{ACCOUNT}:secret:cms-AbCdEf"
PATTERN = json.dumps({"source": ["partner.mux"]})
STEPS = json.dumps([{"drop": "data.test"}])
TABLE = f"arn:aws:dynamodb:{ACCOUNT}:table/titles"
FUNCTION = f"arn:aws:lambda:{ACCOUNT}:function:classify:live"
LAYER = f"arn:aws:lambda:{ACCOUNT}:layer:acme:7"
URL = "https://api.example.com/{data.id}"

Hops = dict[str, dict[str, Any]]
"""`transforms` and `routes` of a router."""


def router(**hops: Any) -> Hops:
    """A router's transforms and routes."""
    return {"transforms": {}, "routes": {}} | hops


def route(**attributes: Any) -> Hops:
    """A router with one route, valid but for the given attributes."""
    return router(
        routes={"cms": {"pattern": PATTERN, "target": {"http": {"url": "https://cms.example.com/"}}} | attributes}
    )


def http(**attributes: Any) -> Hops:
    """A router with one route to an HTTP endpoint."""
    return route(target={"http": {"url": "https://cms.example.com/"} | attributes})


def sqs(**attributes: Any) -> Hops:
    """A router with one route to a queue."""
    queue = {"queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake", "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/lake"}
    return route(target={"sqs": queue | attributes})


def target(kind: str, **attributes: Any) -> Hops:
    """A router with one route to a target of this kind, valid but for the given attributes."""
    return route(target={kind: TARGETS[kind] | attributes})


TARGETS: dict[str, dict[str, Any]] = {
    "sns": {"topic_arn": f"arn:aws:sns:{ACCOUNT}:notices"},
    "event_bus": {"bus_arn": "arn:aws:events:us-east-1:999999999999:event-bus/shared"},
    "lambda": {"function_arn": f"arn:aws:lambda:{ACCOUNT}:function:on-asset"},
    "firehose": {"stream_arn": f"arn:aws:firehose:{ACCOUNT}:deliverystream/lake"},
    "task_callback": {
        "task_callbacks_table": {"name": "callbacks", "arn": f"arn:aws:dynamodb:{ACCOUNT}:table/callbacks"},
        "correlation_key": "data.job.id",
    },
    "api_destination": {
        "url": "https://crm.example.com/events",
        "auth": {"type": "api-key", "header": "X-Key", "secret_arn": SECRET},
    },
    "logs": {},
}
CONNECTION = f"arn:aws:events:{ACCOUNT}:connection/crm/0f6c3c1e"


def two(**attributes: Any) -> Hops:
    """A router with two routes to one API destination, the second with the given attributes."""
    first = {"pattern": PATTERN, "destination": "crm", "target": {"api_destination": TARGETS["api_destination"]}}
    second = first | {"target": {"api_destination": TARGETS["api_destination"] | attributes}}
    return router(routes={"one": first, "two": second})


def bearer(**attributes: Any) -> Hops:
    """A router with one route to an HTTP endpoint that wants a bearer token."""
    auth = {"type": "oauth2-client-credentials", "secret_arn": SECRET, "token_url": "https://id.example.com/token"}
    return http(auth=auth | attributes)


def transform(**attributes: Any) -> Hops:
    """A router with one transform."""
    return router(transforms={"tidy": {"pattern": PATTERN, "steps": STEPS} | attributes})


def steps(*entries: dict[str, Any]) -> Hops:
    """A router with one transform of these steps."""
    return transform(steps=json.dumps(entries))


VPC = {"subnet_ids": ["subnet-0a"], "security_group_ids": ["sg-0c"]}


def inside(hops: Hops) -> Hops:
    """The same, with each route's function in a VPC."""
    return router(routes={key: value | {"vpc": VPC} for key, value in hops["routes"].items()})


ACCEPTED = {
    "an http route with everything": inside(
        http(
            mode="binary",
            headers={"x-team": "media"},
            timeout_seconds=29,
            auth={"type": "api-key", "header": "x-api-key", "secret_arn": SECRET},
            allowed_private_cidrs=["10.0.0.0/8", "fd00::/8"],
        )
    ),
    "an unencrypted url that is asked for": inside(
        http(url="http://10.0.0.7:8080/events", allow_http=True, allowed_private_cidrs=["10.0.0.0/8"])
    ),
    "a local cloud's receiver without a vpc": http(
        url="http://127.0.0.1:8080/", allow_http=True, allowed_private_cidrs=["127.0.0.0/8", "::1/128"]
    ),
    "a url with an at sign in its query": http(url="https://cms.example.com/events?owner=a@example.com"),
    "a fifo queue with each event's own group": sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo", mode="data"),
    **{f"a target {kind}": target(kind) for kind in TARGETS},
    "a bearer token": bearer(scope="a b", audience="cms", client_authentication="body"),
    "a breaker and an ordering": route(ordering="latest", circuit_breaker={"failures": 1, "max_delay_seconds": 60}),
    "a strict order": route(ordering="strict", strict={"reorder_seconds": 2, "on_failure": "park"}),
    "a strict order in a fifo queue": route(
        ordering="strict",
        target={
            "sqs": {
                "queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake.fifo",
                "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/lake.fifo",
                "mode": "data",
            }
        },
    ),
    "a breaker whose longest pause is below the default of the first": route(circuit_breaker={"max_delay_seconds": 10}),
    "a breaker that is off": route(circuit_breaker={"enabled": False}),
    "a fifo queue with a message group": sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo", message_group_id="all"),
    "a state machine's alias": route(
        target={"step_functions": {"state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:ingest:live"}}
    ),
    "an api destination with everything": target(
        "api_destination",
        url="https://crm.example.com/assets/*/events",
        method="PUT",
        rate_limit_per_second=1,
        auth={
            "type": "oauth2-client-credentials",
            "secret_arn": SECRET,
            "secret_version_id": "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1",
            "token_url": "https://id.example.com/token",
            "scope": "events",
            "audience": "crm",
        },
        headers={"X-Asset": "$.detail.metadata.subject"},
        query={"kind": "$.detail-type"},
        path_values=["$.detail.metadata.subject"],
        input_transformer={"template": "<x>"},
    ),
    "a connection that exists": target("api_destination", auth=None, connection={"arn": CONNECTION}),
    "an api destination on this machine": target("api_destination", url="http://127.0.0.1:8080/", allow_http=True),
    "two routes to one api destination": two(headers={"X-Other": "value"}),
    "a log group that exists": target("logs", log_group={"arn": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/audit"}),
    "an empty pattern that is asked for": route(pattern="{}", match_all=True),
    "steps of every kind": transform(
        steps=json.dumps(
            [
                {"map": {"a": "data.a"}},
                {"set": {"b.c": 1}},
                {"enrich": {"d": "data.d"}},
                {"drop": "data.e"},
                {"split": {"items": "data.f"}},
                {"lookup": {"into": "g", "dynamodb": {"table_arn": TABLE, "key": {"id": "data.g"}}}},
                {"lookup": {"into": "h", "s3": {"bucket": "media-inbox", "key": "data.h", "prefix": "in/"}}},
                {"lookup": {"into": "i", "http": {"url": "https://api.example.com/{data.i}", "timeout_seconds": 28}}},
                {"lookup": {"into": "j", "http": {"url": URL, "auth": {"type": "basic", "secret_arn": SECRET}}}},
                {"call": {"function_arn": FUNCTION}},
                {"python": {"function": "acme_steps:tidy"}},
            ]
        ),
        package=__file__,
        layers=[LAYER] * 4,
    ),
    "retry policies at their limits": route(rule_retry={"max_age_seconds": 60, "max_attempts": 0}),
    "functions that rules invoke": router(
        transforms=transform(invocation="direct", function_retry={"max_attempts": 0})["transforms"],
        routes={"cms": route(invocation="direct", ordering="latest")["routes"]["cms"]},
    ),
    "names at their limit": router(routes={"c" * 53: route()["routes"]["cms"]}),
    "a size of the hop's own": transform(
        function={"memory_mb": 512, "timeout_seconds": 60, "architecture": "x86_64"},
        queue={
            "batch_size": 100,
            "batch_window_seconds": 5,
            "maximum_concurrency": 2,
            "visibility_timeout_seconds": 365,
        },
        failure={"max_receive_count": 3, "retry": {"base_seconds": 1}, "redrive": {"max_delay_seconds": 39600}},
        vpc={"subnet_ids": ["subnet-0a", "subnet-0b"], "security_group_ids": ["sg-0c"]},
    ),
    "what is left out as null": route(
        stage=None, destination=None, vpc=None, function=None, failure={"retry": None}, strict=None, match_all=None
    ),
}


REFUSED: dict[str, tuple[Hops, str]] = {
    "a key with a dot": (router(routes={"cms.main": route()["routes"]["cms"]}), "becomes a part of names"),
    "a name too long for a rule": (
        router(routes={"c" * 54: route()["routes"]["cms"]}),
        f'media-test-{"c" * 54}" names a rule',
    ),
    "a transform's name too long for a rule": (
        router(transforms={"t" * 54: transform()["transforms"]["tidy"]}),
        f'media-test-{"t" * 54}" names a rule',
    ),
    "a route called like a transform": (
        router(routes={"tidy": route()["routes"]["cms"]}, transforms=transform()["transforms"]),
        "can't share a key, because keys name queues and functions",
    ),
    "a route called like another's dead-letter queue": (
        router(routes={"cms": route()["routes"]["cms"], "cms-dlq": route()["routes"]["cms"]}),
        "cms-dlq is the name of its dead-letter queue",
    ),
    "a route called like a transform's dead-letter queue": (
        router(routes={"tidy-dlq": route()["routes"]["cms"]}, transforms=transform()["transforms"]),
        "tidy-dlq is the name of its dead-letter queue",
    ),
    "a pattern that is no json": (route(pattern="source = mux"), "pattern must be a JSON object"),
    "a pattern that is a list": (route(pattern="[]"), "pattern must be a JSON object"),
    "an empty pattern": (route(pattern="{}"), "set match_all = true"),
    "a stage that does not exist": (route(stage="raw"), 'stage must be "received" or "transformed"'),
    "a destination with a slash": (route(destination="route/cms"), "destination must be 1 to 64"),
    "a destination that is too long": (route(destination="c" * 65), "destination must be 1 to 64"),
    "no target": (route(target={}), "exactly one of api_destination, event_bus"),
    "two targets": (
        route(
            target={
                "http": {"url": "https://cms.example.com/"},
                "step_functions": {"state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:ingest"},
            }
        ),
        "exactly one of api_destination, event_bus",
    ),
    "an unencrypted url": (http(url="http://cms.example.com/"), "needs allow_http"),
    "a url of another kind": (http(url="ftp://cms.example.com/", allow_http=True), "must be an https:// URL"),
    "a url without a host": (http(url="https:///events"), "must be an https:// URL"),
    "a url with credentials": (http(url="https://user:password@cms.example.com/"), "without credentials"),
    "a mode that does not exist": (http(mode="xml"), 'target.http.mode must be "structured" or "binary" or "data"'),
    "a call that outlives its function": (http(timeout_seconds=30), "must be below function.timeout_seconds (30)"),
    "a credential as a header": (http(headers={"Authorization": "Bearer x"}), "Put it into a secret"),
    "an api key as a header": (http(headers={"X-Api-Key": "x"}), "Put it into a secret"),
    "a header that the delivery sets": (http(headers={"ce-id": "x"}), "set by the delivery itself"),
    "a header with a space in its name": (http(headers={"x team": "x"}), "is no header's name"),
    "a header with a line break": (http(headers={"x-team": "a\r\nb: c"}), "printable ASCII"),
    "an api key without its header": (
        http(auth={"type": "api-key", "secret_arn": SECRET}),
        "target.http.auth.header belongs to type",
    ),
    "basic with a header": (
        http(auth={"type": "basic", "header": "x", "secret_arn": SECRET}),
        "target.http.auth.header belongs to type",
    ),
    "an authentication that does not exist": (
        http(auth={"type": "digest", "secret_arn": SECRET}),
        "target.http.auth.type must be",
    ),
    "an authority in place of its secret": (
        http(tls={"ca_secret_arn": "-----BEGIN CERTIFICATE-----"}),
        "never belongs into",
    ),
    "tls with nothing": (http(tls={}), "target.http.tls must name ca_secret_arn or client_certificate_secret_arn"),
    "a secret in place of its arn": (http(auth={"type": "basic", "secret_arn": "hunter2"}), "never belongs into"),
    "a private network without a vpc": (
        http(allowed_private_cidrs=["127.0.0.0/8", "10.0.0.0/8"]),
        "allowed_private_cidrs: 10.0.0.0/8 leads into a private network, which no function outside a VPC reaches",
    ),
    "a lookup in a private network without a vpc": (
        steps({"lookup": {"http": {"url": URL, "allowed_private_cidrs": ["fd00::/8"]}, "into": "a"}}),
        "allowed_private_cidrs of a lookup: fd00::/8 leads into a private network",
    ),
    "a network that is none": (http(allowed_private_cidrs=["10.0.0.0"]), "10.0.0.0 is no network"),
    "a fifo queue without a message group": (
        sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo"),
        "needs either message_group_id",
    ),
    "a message group where a function sends": (
        sqs(mode="data", message_group_id="all"),
        "target.sqs with mode has no message_group_id",
    ),
    "an input transformer where a function sends": (
        sqs(mode="data", input_transformer={"template": "x"}),
        "no input_transformer",
    ),
    "a mode that is none": (sqs(mode="binary"), 'target.sqs.mode must be "structured" or "envelope" or "data"'),
    "a topic that is none": (target("sns", topic_arn="notices"), "must be the ARN of a topic"),
    "the router's own bus": (
        target("event_bus", bus_arn=f"arn:aws:events:{ACCOUNT}:event-bus/media"),
        "another event bus than the router's own",
    ),
    "a function that is none": (target("lambda", function_arn="on-asset"), "must be the ARN of a function"),
    "an invocation that is none": (
        target("lambda", invocation="later"),
        'target.lambda.invocation must be "request-response" or "event"',
    ),
    "a function that may outlive its caller": (target("lambda", timeout_seconds=26), "at least 5 more"),
    "a stream that is none": (target("firehose", stream_arn="lake"), "must be the ARN of a Firehose stream"),
    "no correlation key": (
        target("task_callback", correlation_key=" "),
        "correlation_key must be a JMESPath expression",
    ),
    "a bearer token from nowhere": (bearer(token_url=None), "needs token_url, a URL"),
    "a token url for a key": (
        http(auth={"type": "basic", "secret_arn": SECRET, "token_url": "https://id.example.com"}),
        "target.http.auth.token_url belongs to type",
    ),
    "an ordering that is none": (route(ordering="oldest"), 'ordering must be "none" or "latest" or "strict"'),
    "a strict order that is not asked for": (route(strict={}), "strict belongs to ordering"),
    "a strict order with no such policy": (
        route(ordering="strict", strict={"on_failure": "drop"}),
        'strict.on_failure must be "block" or "park"',
    ),
    "a strict order on a bus": (
        route(ordering="strict", target={"event_bus": TARGETS["event_bus"]}),
        "keep an order themselves",
    ),
    "a breaker that never opens": (
        route(circuit_breaker={"failures": 0}),
        "circuit_breaker.failures must be a whole number from 1 to 10000",
    ),
    "a first pause above the longest": (
        route(circuit_breaker={"delay_seconds": 60, "max_delay_seconds": 30}),
        "delay_seconds must not be above circuit_breaker.max_delay_seconds",
    ),
    "a breaker on the rule's own target": (
        sqs() | {"routes": {"lake": sqs()["routes"]["cms"] | {"circuit_breaker": {}}}},
        "are reached by the rule itself",
    ),
    "a breaker on an api destination": (
        route(circuit_breaker={}, target={"api_destination": TARGETS["api_destination"]}),
        "are reached by the rule itself",
    ),
    "an ordering on a log group": (route(ordering="latest", target={"logs": {}}), "are reached by the rule itself"),
    "an unencrypted api destination": (
        target("api_destination", url="http://crm.example.com/"),
        "EventBridge takes no others",
    ),
    "an api destination with a password": (
        target("api_destination", url="https://user:password@crm.example.com/"),
        "without credentials in it",
    ),
    "an api destination by a verb that is none": (target("api_destination", method="SEND"), 'method must be "POST" or'),
    "more calls than eventbridge makes": (
        target("api_destination", rate_limit_per_second=301),
        "rate_limit_per_second must be a whole number from 1 to 300",
    ),
    "an api destination that nobody knows": (target("api_destination", auth=None), "needs either auth"),
    "an api destination with two connections": (
        target("api_destination", connection={"arn": CONNECTION}),
        "needs either auth",
    ),
    "a connection by its name": (
        target("api_destination", auth=None, connection={"arn": "crm"}),
        "connection.arn must be the ARN of an EventBridge connection",
    ),
    "a signature by eventbridge": (
        target("api_destination", auth={"type": "standard-webhooks", "secret_arn": SECRET}),
        "target.api_destination.auth.type must be",
    ),
    "an api destination's key without its header": (
        target("api_destination", auth={"type": "api-key", "secret_arn": SECRET}),
        "target.api_destination.auth.header belongs to type",
    ),
    "an api destination's secret in place of its arn": (
        target("api_destination", auth={"type": "basic", "secret_arn": "hunter2"}),
        "never belongs into configuration",
    ),
    "an api destination's token from nowhere": (
        target("api_destination", auth={"type": "oauth2-client-credentials", "secret_arn": SECRET}),
        "needs token_url",
    ),
    "an api destination's credential as a header": (
        target("api_destination", headers={"Authorization": "Bearer x"}),
        "credentials belong into a secret",
    ),
    "a path without its value": (target("api_destination", url="https://a.example.com/*"), "one value for each *"),
    "an api destination's name that is too long": (
        route(destination="d" * 54, target={"api_destination": TARGETS["api_destination"]}),
        "names an API destination and its connection",
    ),
    "two limits for one api destination": (two(rate_limit_per_second=5), "share one API destination"),
    "a log group that eventbridge does not write to": (
        target("logs", log_group={"arn": f"arn:aws:logs:{ACCOUNT}:log-group:/media/events"}),
        "begins with /aws/events/",
    ),
    "a log group of another account": (
        target("logs", log_group={"arn": "arn:aws:logs:eu-west-1:999999999999:log-group:/aws/events/audit"}),
        "in the bus's own account",
    ),
    "a log group's streams": (
        target("logs", log_group={"arn": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/audit:*"}),
        "without :* at its end",
    ),
    "what a log group can't take": (
        target("logs", input_transformer={"template": '{"id": <id>}'}),
        "of the form",
    ),
    "a message group for a standard queue": (sqs(message_group_id="all"), "needs either message_group_id"),
    "a url in place of a queue's arn": (sqs(queue_arn="https://sqs.eu-west-1.amazonaws.com/1/lake"), "ARN of a queue"),
    "an arn in place of a queue's url": (sqs(queue_url=f"arn:aws:sqs:{ACCOUNT}:lake"), "URL of the queue"),
    "more input paths than a target takes": (
        sqs(input_transformer={"paths": {f"p{i}": "$.id" for i in range(101)}, "template": "<p0>"}),
        "target.sqs.input_transformer.paths must have 100 entries or fewer",
    ),
    "a state machine that is none": (
        route(target={"step_functions": {"state_machine_arn": "ingest"}}),
        "of a state machine",
    ),
    "an invocation that does not exist": (route(invocation="async"), 'invocation must be "queue" or "direct"'),
    "a transform's invocation that does not exist": (transform(invocation="async"), '"queue" or "direct"'),
    "more retries than lambda makes": (
        route(function_retry={"max_attempts": 3}),
        "function_retry.max_attempts must be a whole number from 0 to 2",
    ),
    "events older than lambda keeps": (
        transform(function_retry={"max_age_seconds": 21601}),
        "function_retry.max_age_seconds must be a whole number from 60 to 21600",
    ),
    "a strict order without a queue": (route(invocation="direct", ordering="strict"), "later events wait in the queue"),
    "a rule's own target by a function": (
        route(invocation="direct", target={"logs": {}}),
        "is for what a function delivers",
    ),
    "strict order without a queue to wait in": (
        route(invocation="direct", ordering="strict"),
        "later events wait in the queue",
    ),
    "a queue of yours by a function": (
        sqs() | {"routes": {"lake": sqs()["routes"]["cms"] | {"invocation": "direct"}}},
        "is for what a function delivers",
    ),
    "attempts that last longer than a queue keeps a message": (
        route(failure={"max_receive_count": 1000, "retry": {"max_seconds": 1167}}),
        "SQS deletes a message after 14 days",
    ),
    "redrives for longer than a queue keeps a message": (
        route(failure={"redrive": {"max_age_seconds": 1166401}}),
        "max_age_seconds",
    ),
    "retries for less than a minute": (
        route(rule_retry={"max_age_seconds": 59}),
        "rule_retry.max_age_seconds must be a whole number from 60 to 86400",
    ),
    "retries for more than a day": (
        transform(rule_retry={"max_age_seconds": 86401}),
        "rule_retry.max_age_seconds must be a whole number from 60 to 86400",
    ),
    "more attempts than eventbridge makes": (
        route(rule_retry={"max_attempts": 186}),
        "rule_retry.max_attempts must be a whole number from 0 to 185",
    ),
    "a delay longer than a message can hide": (
        route(failure={"redrive": {"max_delay_seconds": 39601}}),
        "max_delay_seconds must be a number from 0 to 39600",
    ),
    "a delay that begins above its end": (
        transform(failure={"redrive": {"base_delay_seconds": 100, "max_delay_seconds": 50}}),
        "base_delay_seconds must not be above failure.redrive.max_delay_seconds",
    ),
    "a transform of everything by accident": (transform(pattern="{}"), "set match_all = true"),
    "steps that are no json": (transform(steps="drop it"), "steps must be a JSON list"),
    "steps that are an object": (transform(steps=json.dumps({"drop": "data.test"})), "steps must be a JSON list"),
    "no steps": (transform(steps="[]"), "that is not empty"),
    "a step of two kinds": (transform(steps=json.dumps([{"drop": "a", "set": {"b": 1}}])), "exactly one key each"),
    "a step that does not exist": (
        transform(steps=json.dumps([{"lookout": {}}])),
        "call, drop, enrich, lookup, map, python, set, split",
    ),
    "a lookup that asks nobody": (steps({"lookup": {"into": "a"}}), "exactly one of dynamodb, http and s3"),
    "a lookup that asks two": (
        steps({"lookup": {"into": "a", "http": {"url": URL}, "s3": {"bucket": "inbox", "key": "data.a"}}}),
        "exactly one of dynamodb, http and s3",
    ),
    "a lookup that leads nowhere": (steps({"lookup": {"http": {"url": URL}}}), "and into: the path"),
    "a table by its name": (
        steps({"lookup": {"into": "a", "dynamodb": {"table_arn": "titles", "key": {"id": "a"}}}}),
        "must name what it asks for in full",
    ),
    "every bucket": (
        steps({"lookup": {"into": "a", "s3": {"bucket": "*", "key": "data.a"}}}),
        "must name what it asks for in full",
    ),
    "a prefix with a wildcard": (
        steps({"lookup": {"into": "a", "s3": {"bucket": "inbox", "prefix": "*/in", "key": "data.a"}}}),
        "must name what it asks for in full",
    ),
    "a lookup's secret in place of its arn": (
        steps({"lookup": {"into": "a", "http": {"url": URL, "auth": {"type": "basic", "secret_arn": "hunter2"}}}}),
        "must name what it asks for in full",
    ),
    "a lookup's authority in place of its secret": (
        steps({"lookup": {"into": "a", "http": {"url": URL, "tls": {"ca_secret_arn": "-----BEGIN CERTIFICATE-----"}}}}),
        "must name what it asks for in full",
    ),
    "a function by its name": (steps({"call": {"function_arn": "classify"}}), "must name what it asks for in full"),
    "a lookup that outlives its function": (
        steps({"lookup": {"into": "a", "http": {"url": URL, "timeout_seconds": 29}}}),
        "at least 2 more than that of steps[0]",
    ),
    "a call that outlives its transform": (
        transform(steps=json.dumps([{"call": {"function_arn": FUNCTION}}]), function={"timeout_seconds": 11}),
        "at least 2 more than that of steps[0]",
    ),
    "a layer without its version": (
        transform(layers=[LAYER.rpartition(":")[0]]),
        "layers[0] must be the ARN of a layer",
    ),
    "more layers than a function takes": (transform(layers=[LAYER] * 5, package=__file__), "takes 5 layers"),
    "a step that is text": (transform(steps=json.dumps(["drop"])), "steps must be a JSON list"),
    "a package that is not there": (transform(package="none.zip"), "package: there is no file none.zip"),
    "an input transformer of bare text": (
        route(target={"logs": {"input_transformer": {"template": 'a "timestamp" and a "message"'}}}),
        "target.logs.input_transformer.template must be JSON once its placeholders have values",
    ),
    "an input transformer that is not closed": (
        route(target={"logs": {"input_transformer": {"template": '{"timestamp": <id>, "message": "x"'}}}),
        "target.logs.input_transformer.template must be JSON once its placeholders have values",
    ),
    "an input transformer with a placeholder as a key": (
        route(target={"logs": {"input_transformer": {"template": '{"<id>": 1, "timestamp": 1, "message": "x"}'}}}),
        "has a placeholder in a key",
    ),
    "a pattern with a list at detail": (
        route(pattern=json.dumps({"detail": ["x"]})),
        "pattern: detail is an object in every event",
    ),
    "a pattern with a source that is too deep": (
        route(pattern=json.dumps({"$or": [{"$or": [{"$or": [{"source": ["a"]}, {}]}, {"id": ["2"]}]}, {"id": ["3"]}]})),
        "pattern names a source more than two $or deep",
    ),
    "a pattern with the stage": (
        route(pattern=json.dumps({"detail": {"metadata": {"stage": ["received"]}}})),
        "pattern names detail.metadata.stage",
    ),
    "an address of a private network": (http(url="https://10.0.0.7/events"), "target leads to https://10.0.0.7/events"),
    "one queue whose policy two routes set": (
        router(routes={name: sqs(manage_queue_policy=True)["routes"]["cms"] for name in ("one", "two")}),
        "is set for this queue by several routes",
    ),
    "a key of a queue to which the rule sends": (
        sqs(kms_key={"arn": f"arn:aws:kms:{ACCOUNT}:key/1"}),
        "target.sqs.kms_key is for a function that sends",
    ),
    "an alias in place of a key": (
        target("sns", kms_key={"arn": f"arn:aws:kms:{ACCOUNT}:alias/media"}),
        "target.sns.kms_key.arn must be the ARN of a key",
    ),
    "a header given twice": (
        http(headers={"X-Key": "x"}, auth={"type": "api-key", "header": "x-key", "secret_arn": SECRET}),
        "target.http.auth.header is set by headers as well",
    ),
    "less memory than lambda has": (transform(function={"memory_mb": 64}), "memory_mb must be a whole number from 128"),
    "a timeout longer than lambda's": (route(function={"timeout_seconds": 901}), "a whole number from 1 to 900"),
    "half a second": (route(function={"timeout_seconds": 1.5}), "function.timeout_seconds must be a whole number"),
    "an architecture that is none": (transform(function={"architecture": "arm"}), '"arm64" or "x86_64"'),
    "large batches without a window": (
        route(queue={"batch_size": 11}),
        "queue.batch_window_seconds must be at least 1",
    ),
    "batches larger than lambda takes": (route(queue={"batch_size": 10001}), "queue.batch_size must be"),
    "a queue that shows messages too early": (
        route(queue={"visibility_timeout_seconds": 179}),
        "visibility_timeout_seconds must be at least 6 x function.timeout_seconds",
    ),
    "less concurrency than lambda allows": (
        route(queue={"maximum_concurrency": 1}),
        "queue.maximum_concurrency must be",
    ),
    "no attempt at all": (route(failure={"max_receive_count": 0}), "failure.max_receive_count must be"),
    "a first wait above the longest": (
        route(failure={"retry": {"base_seconds": 60, "max_seconds": 30}}),
        "failure.retry.base_seconds must not be above",
    ),
    "a network without subnets": (
        route(vpc={"subnet_ids": [], "security_group_ids": ["sg-0c"]}),
        "vpc.subnet_ids must have 1",
    ),
    "a subnet by its name": (
        transform(vpc={"subnet_ids": ["private"], "security_group_ids": ["sg-0c"]}),
        "vpc.subnet_ids[0] must be the id of a subnet",
    ),
    "a network without its groups": (route(vpc={"subnet_ids": ["subnet-0a"]}), "vpc.security_group_ids is missing"),
    "no pattern": (router(transforms={"tidy": {"steps": STEPS}}), "pattern is missing"),
    "a pattern that is null": (route(pattern=None), "pattern is missing"),
    "no url": (route(target={"http": {}}), "target.http.url is missing"),
    "a number that is text": (
        http(timeout_seconds="soon"),
        "target.http.timeout_seconds must be a number from 1 to 300",
    ),
    "a switch that is text": (route(enabled="maybe"), "enabled must be true or false"),
    "a target that is text": (route(target="https://cms.example.com/"), "target must be an object"),
    "headers that are a list": (http(headers=["x-team"]), "target.http.headers must be an object"),
    "a list that is text": (
        http(allowed_private_cidrs="10.0.0.0/8"),
        "target.http.allowed_private_cidrs must be a list",
    ),
    "a route that is text": (router(routes={"cms": "https://cms.example.com/"}), "must be an object"),
    "a hop's misspelt attribute": (route(traget={}), "traget is unknown; a route has"),
    "a transform's attribute on a route": (route(steps=STEPS), "steps is unknown; a route has"),
    "a misspelt attribute of its size": (
        transform(failure={"max_recieve_count": 3}),
        "failure.max_recieve_count is unknown; failure has",
    ),
    "a misspelt attribute two levels down": (
        route(failure={"redrive": {"max_delay": 60}}),
        "failure.redrive.max_delay is unknown; failure.redrive has",
    ),
    "a misspelt target": (route(target={"htpp": {"url": "https://cms.example.com/"}}), "target.htpp is unknown"),
    "a target's misspelt attribute": (http(timout_seconds=5), "target.http.timout_seconds is unknown; target.http has"),
    "a misspelt attribute three levels down": (
        bearer(token_uri="https://id.example.com/token"),
        "target.http.auth.token_uri is unknown; target.http.auth has",
    ),
    "a misspelt attribute four levels down": (
        bearer(kms_key={"arn": f"arn:aws:kms:{ACCOUNT}:key/1", "alias": "media"}),
        "target.http.auth.kms_key.alias is unknown; target.http.auth.kms_key has arn",
    ),
}


PROBLEMS = """
output "problems" {
  value = concat(local.all_known_problems, local.all_text_problems)
}
"""
MODULE_DEFAULTS = {
    "name": "media-test",
    "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
    "function": {"memory_mb": 256, "timeout_seconds": 30},
    "queue": {"batch_size": 10, "batch_window_seconds": 0, "visibility_timeout_seconds": None},
    "failure": {
        "max_receive_count": 5,
        "retry": {"base_seconds": 5, "max_seconds": 900},
        "redrive": {"base_delay_seconds": 60, "max_delay_seconds": 3600},
    },
}


@pytest.fixture(scope="module", name="definitions")
def _definitions(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module, but with the problems as an output in place of what it refuses to give."""
    root = tmp_path_factory.mktemp("hops")
    for part in ("limits", "hop-definitions"):
        shutil.copytree(MODULES / "internal" / part, root / part, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    folder = root / "hop-definitions"
    (folder / "outputs.tf").write_text(PROBLEMS, encoding="utf-8")
    terraform.init(folder)
    return folder


def problems(terraform: Terraform, folder: Path, hops: Hops) -> list[str]:
    """Everything that is wrong with the hops."""
    (folder / "terraform.tfvars.json").write_text(json.dumps(MODULE_DEFAULTS | hops), encoding="utf-8")
    terraform.run(folder, "plan", "-input=false", "-no-color", "-out=plan.tfplan")
    plan = json.loads(terraform.run(folder, "show", "-json", "plan.tfplan"))
    found: list[str] = plan["planned_values"]["outputs"]["problems"]["value"]
    return found


def _of_one_hop(cases: dict[str, Hops]) -> dict[str, tuple[str, str]]:
    """By case: the collection and the key of its hop among those of all cases. Cases of several hops are not there."""
    single = {
        case: next(kind for kind in hops if hops[kind])
        for case, hops in cases.items()
        if sum(map(len, hops.values())) == 1 and {"cms", "tidy"} & {key for each in hops.values() for key in each}
    }
    return {case: (kind, f"h{number}") for number, (case, kind) in enumerate(single.items())}


CASES = ACCEPTED | {case: hops for case, (hops, _) in REFUSED.items()}
TOGETHER = _of_one_hop(CASES)


@pytest.fixture(scope="module", name="found")
def _found(terraform: Terraform, definitions: Path) -> list[str]:
    """The problems of all cases that have one hop, in one plan."""
    together: Hops = {"transforms": {}, "routes": {}}
    for case, (kind, key) in TOGETHER.items():
        together[kind][key] = next(iter(CASES[case][kind].values()))
    return problems(terraform, definitions, together)


def of_case(case: str, found: list[str], terraform: Terraform, definitions: Path) -> list[str]:
    """One case's problems, without the hop's name in front where it is among others."""
    if case not in TOGETHER:
        return problems(terraform, definitions, CASES[case])
    prefix = ".".join(TOGETHER[case]) + ": "
    return [problem.removeprefix(prefix) for problem in found if problem.startswith(prefix)]


@pytest.mark.parametrize("case", ACCEPTED)
def test_router_takes(case: str, found: list[str], terraform: Terraform, definitions: Path) -> None:
    assert of_case(case, found, terraform, definitions) == []


@pytest.mark.parametrize("case", REFUSED)
def test_router_refuses(case: str, found: list[str], terraform: Terraform, definitions: Path) -> None:
    reported = of_case(case, found, terraform, definitions)

    assert [problem for problem in reported if REFUSED[case][1] in problem] != [], reported


ROOT = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {
        "aws": {
            "region": "eu-west-1",
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "skip_region_validation": True,
            "skip_requesting_account_id": True,
        }
    },
    "resource": {"terraform_data": {"made": {"input": "value"}}},
    "module": {
        "router": {
            "source": "../../modules/router",
            "name": "media-test",
            "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
            "transforms": {"tidy": {"pattern": PATTERN, "stpes": STEPS}},
            "routes": {
                "ready-to-cms": {
                    "pattern": PATTERN,
                    "target": {"http": {"url": "http://cms.example.com/", "timeout_seconds": 300}},
                    "failure": {"max_recieve_count": 2},
                },
                "ready-to-mam": {"pattern": PATTERN, "traget": {"sns": {"topic_arn": "notices"}}},
                # Made in the same plan: whether it is an ARN is not known yet, and hides nothing of the others.
                "ready-to-dam": {
                    "pattern": PATTERN,
                    "target": {"sns": {"topic_arn": "${terraform_data.made.output}"}},
                    "function": {"memory_mb": 1},
                },
            },
        }
    },
}

URL_REFUSED = "must be an https:// URL without credentials in it (they belong into a secret, see auth)"
ALL_TARGETS = ", ".join(sorted([*TARGETS, "http", "sqs", "step_functions"]))


def refused(terraform: Terraform, folder: Path, root: dict[str, Any]) -> list[str]:
    """The details of every error of a plan of ``root``."""
    folder.mkdir(exist_ok=True)
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    terraform.init(folder)
    finished = subprocess.run(
        ["terraform", "plan", "-json", "-input=false", "-refresh=false"],
        cwd=folder,
        env=terraform.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 1, finished.stdout + finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    return [line["diagnostic"]["detail"] for line in lines if line.get("diagnostic", {}).get("severity") == "error"]


def test_all_mistakes_of_all_hops_are_told_at_once_each_with_its_path(terraform: Terraform, working_copy: Path) -> None:
    root = json.loads(json.dumps(ROOT))
    del root["module"]["router"]["routes"]["ready-to-dam"]

    reported = refused(terraform, working_copy / "examples" / "router-mistakes", root)

    lines = sorted(
        line.partition(";")[0].partition(", so that")[0] for detail in reported for line in detail.splitlines()
    )
    assert [line.partition(". ")[0] for line in lines] == [
        "routes.ready-to-cms: failure.max_recieve_count is unknown",
        "routes.ready-to-cms: target.http.timeout_seconds must be below function.timeout_seconds (30)",
        f"routes.ready-to-cms: target.http.url {URL_REFUSED}",
        "routes.ready-to-mam: target is missing",
        f"routes.ready-to-mam: target must be exactly one of {ALL_TARGETS}",
        "routes.ready-to-mam: traget is unknown",
        "transforms.tidy: steps is missing",
        "transforms.tidy: stpes is unknown",
    ]


def test_what_is_unknown_of_one_hop_hides_no_misspelt_attribute_or_limit(
    terraform: Terraform, working_copy: Path
) -> None:
    reported = "\n".join(refused(terraform, working_copy / "examples" / "router-unknown", ROOT))

    assert "routes.ready-to-dam: function.memory_mb must be a whole number from 128 to 10240" in reported
    assert "routes.ready-to-cms: failure.max_recieve_count is unknown" in reported
    assert "routes.ready-to-mam: traget is unknown" in reported


def test_what_is_unknown_of_one_hop_hides_no_wrong_text_of_another(terraform: Terraform, working_copy: Path) -> None:
    root = json.loads(json.dumps(ROOT))
    root["module"]["router"]["transforms"] = {}
    root["module"]["router"]["routes"] = {
        "ready-to-dam": {"pattern": PATTERN, "target": {"sns": {"topic_arn": "${terraform_data.made.output}"}}},
        "ready-to-mam": {"pattern": PATTERN, "target": {"sns": {"topic_arn": "notices"}}},
    }

    reported = refused(terraform, working_copy / "examples" / "router-unknown-text", root)

    assert "routes.ready-to-mam: target.sns.topic_arn must be the ARN of a topic" in reported
