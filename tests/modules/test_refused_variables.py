"""What would fail late or silently on AWS is refused by the modules' variables, with a message that says what to do.

Variables are checked without a provider: a copy of the files that declare them takes a tenth of a second.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.modules.conftest import Terraform

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


def refusals(terraform: Terraform, folder: Path, module: str, variables: dict[str, Any]) -> str:
    """Every message with which the module's variables refuse the values; empty where they take them."""
    for file in (MODULES / module / "variables.tf", *(MODULES / module).glob("interface.*.tf")):
        shutil.copy(file, folder)
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    finished = subprocess.run(
        ["terraform", "plan", "-json", "-input=false", "-refresh=false"],
        cwd=folder,
        env=terraform.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    diagnostics = [json.loads(line).get("diagnostic") for line in finished.stdout.splitlines() if line.startswith("{")]
    said = "\n".join(
        f"{diagnostic['summary']}: {diagnostic.get('detail', '')}"
        for diagnostic in diagnostics
        if diagnostic and diagnostic["severity"] == "error"
    )
    assert (finished.returncode != 0) == bool(said), finished.stdout + finished.stderr
    return said


################################################################################
# router
################################################################################


def router(**variables: Any) -> dict[str, Any]:
    """A router's variables, with the given ones in place of the valid ones."""
    return {
        "name": "media-test",
        "bus_name": "media",
        "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
        "transforms": {},
        "routes": {},
    } | variables


def route(**attributes: Any) -> dict[str, Any]:
    """A router with one route, valid but for the given attributes."""
    return router(
        routes={"cms": {"pattern": PATTERN, "target": {"http": {"url": "https://cms.example.com/"}}} | attributes}
    )


def http(**attributes: Any) -> dict[str, Any]:
    """A router with one route to an HTTP endpoint."""
    return route(target={"http": {"url": "https://cms.example.com/"} | attributes})


def sqs(**attributes: Any) -> dict[str, Any]:
    """A router with one route to a queue."""
    queue = {"queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake", "queue_url": "https://sqs.eu-west-1.amazonaws.com/1/lake"}
    return route(target={"sqs": queue | attributes})


def target(kind: str, **attributes: Any) -> dict[str, Any]:
    """A router with one route to a target of this kind, valid but for the given attributes."""
    return route(target={kind: TARGETS[kind] | attributes})


TARGETS: dict[str, dict[str, Any]] = {
    "sns": {"topic_arn": f"arn:aws:sns:{ACCOUNT}:notices"},
    "event_bus": {"bus_arn": "arn:aws:events:us-east-1:999999999999:event-bus/shared"},
    "lambda": {"function_arn": f"arn:aws:lambda:{ACCOUNT}:function:on-asset"},
    "firehose": {"stream_arn": f"arn:aws:firehose:{ACCOUNT}:deliverystream/lake"},
    "resume": {
        "waits_table_name": "waits",
        "waits_table_arn": f"arn:aws:dynamodb:{ACCOUNT}:table/waits",
        "correlation_key": "data.job.id",
    },
    "api_destination": {
        "url": "https://crm.example.com/events",
        "auth": {"type": "api-key", "header": "X-Key", "secret_arn": SECRET},
    },
    "logs": {},
}
CONNECTION = f"arn:aws:events:{ACCOUNT}:connection/crm/0f6c3c1e"


def two(**attributes: Any) -> dict[str, Any]:
    """A router with two routes to one API destination, the second with the given attributes."""
    first = {"pattern": PATTERN, "destination": "crm", "target": {"api_destination": TARGETS["api_destination"]}}
    second = first | {"target": {"api_destination": TARGETS["api_destination"] | attributes}}
    return router(routes={"one": first, "two": second})


def bearer(**attributes: Any) -> dict[str, Any]:
    """A router with one route to an HTTP endpoint that wants a bearer token."""
    auth = {"type": "oauth2-client-credentials", "secret_arn": SECRET, "token_url": "https://id.example.com/token"}
    return http(auth=auth | attributes)


def transform(**attributes: Any) -> dict[str, Any]:
    """A router with one transform."""
    return router(transforms={"tidy": {"pattern": PATTERN, "steps": STEPS} | attributes})


def steps(*entries: dict[str, Any]) -> dict[str, Any]:
    """A router with one transform of these steps."""
    return transform(steps=json.dumps(entries))


ACCEPTED = {
    "an http route with everything": http(
        mode="binary",
        headers={"x-team": "media"},
        timeout_seconds=29,
        auth={"type": "api-key", "header": "x-api-key", "secret_arn": SECRET},
        allowed_private_cidrs=["10.0.0.0/8", "fd00::/8"],
    ),
    "an unencrypted url that is asked for": http(url="http://10.0.0.7:8080/events", allow_http=True),
    "a url with an at sign in its query": http(url="https://cms.example.com/events?owner=a@example.com"),
    "a fifo queue with each event's own group": sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo", mode="data"),
    **{f"a target {kind}": target(kind) for kind in TARGETS},
    "a bearer token": bearer(scope="a b", audience="cms", client_authentication="body"),
    "a breaker and an ordering": route(ordering="latest", breaker={"failures": 1, "max_delay_seconds": 60}),
    "a strict order": route(ordering="strict", strict={"reorder_seconds": 2, "on_failure": "sideline"}),
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
    "a breaker that is off": route(breaker={"enabled": False}),
    "a fifo queue with a message group": sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo", message_group_id="all"),
    "a state machine's alias": route(
        target={"states": {"state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:ingest:live"}}
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
    "a connection that exists": target("api_destination", auth=None, connection_arn=CONNECTION),
    "an api destination on this machine": target("api_destination", url="http://127.0.0.1:8080/", allow_http=True),
    "two routes to one api destination": two(headers={"X-Other": "value"}),
    "a log group that exists": target("logs", log_group_arn=f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/audit"),
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
        package="steps.zip",
        layers=[LAYER] * 4,
    ),
    "retry policies at their limits": route(rule_retry={"max_age_seconds": 60, "max_attempts": 0}),
    "functions that rules invoke": router(
        transforms=transform(invocation="direct", function_retry={"max_attempts": 0})["transforms"],
        routes={"cms": route(invocation="direct", ordering="latest")["routes"]["cms"]},
    ),
    "names at their limit": router(routes={"c" * 53: route()["routes"]["cms"]}),
    "another partition": router(bus_arn="arn:aws-cn:events:cn-north-1:123456789012:event-bus/media"),
    "a partner's bus": router(
        bus_name="aws.partner/example.com/a/b",
        bus_arn=f"arn:aws:events:{ACCOUNT}:event-bus/aws.partner/example.com/a/b",
    ),
}


@pytest.mark.parametrize("variables", ACCEPTED.values(), ids=ACCEPTED)
def test_router_takes(variables: dict[str, Any], terraform: Terraform, tmp_path: Path) -> None:
    assert refusals(terraform, tmp_path, "router", variables) == ""


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a bus name that is not the arn's": (router(bus_name="other"), "must name the same event bus"),
    "a bus arn in place of its name": (router(bus_name=f"arn:aws:events:{ACCOUNT}:event-bus/media"), "not its ARN"),
    "a bus that is none": (router(bus_arn="media"), "must look like arn:aws:events"),
    "an alias in place of a key": (router(kms_key_arn="alias/aws/sqs"), "must be the ARN of a key"),
    "a name with a slash": (router(name="media/test"), "name must be 1 to 48"),
    "a key with a dot": (router(routes={"cms.main": route()["routes"]["cms"]}), "become parts of names"),
    "a name too long for a rule": (router(routes={"c" * 54: route()["routes"]["cms"]}), "Shorten " + "c" * 54),
    "a transform's name too long for a rule": (
        router(transforms={"t" * 54: transform()["transforms"]["tidy"]}),
        "Shorten " + "t" * 54,
    ),
    "a route called like a transform": (
        router(routes={"tidy": route()["routes"]["cms"]}, transforms=transform()["transforms"]),
        "can't share a key, because keys name queues and functions: tidy",
    ),
    "a route called like another's dead-letter queue": (
        router(routes={"cms": route()["routes"]["cms"], "cms-dlq": route()["routes"]["cms"]}),
        "no other key may be cms-dlq",
    ),
    "a route called like a transform's dead-letter queue": (
        router(routes={"tidy-dlq": route()["routes"]["cms"]}, transforms=transform()["transforms"]),
        "no other key may be tidy-dlq",
    ),
    "a pattern that is no json": (route(pattern="source = mux"), "Not a JSON object: the pattern of cms"),
    "a pattern that is a list": (route(pattern="[]"), "Not a JSON object"),
    "an empty pattern": (route(pattern="{}"), "set match_all = true"),
    "a stage that does not exist": (route(stage="raw"), 'must be "received" or "transformed"'),
    "a destination with a slash": (route(destination="route/cms"), "destination must be 1 to 64"),
    "a destination that is too long": (route(destination="c" * 65), "destination must be 1 to 64"),
    "no target": (route(target={}), "exactly one target"),
    "two targets": (
        route(
            target={
                "http": {"url": "https://cms.example.com/"},
                "states": {"state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:ingest"},
            }
        ),
        "exactly one target",
    ),
    "an unencrypted url": (http(url="http://cms.example.com/"), "needs allow_http"),
    "a url of another kind": (http(url="ftp://cms.example.com/", allow_http=True), "must be an https:// URL"),
    "a url without a host": (http(url="https:///events"), "must be an https:// URL"),
    "a url with credentials": (http(url="https://user:password@cms.example.com/"), "without credentials"),
    "a mode that does not exist": (http(mode="xml"), '"structured", "binary" or "data"'),
    "a call that outlives its function": (http(timeout_seconds=30), "below the route's timeout_seconds"),
    "a credential as a header": (http(headers={"Authorization": "Bearer x"}), "Put it into a secret"),
    "an api key as a header": (http(headers={"X-Api-Key": "x"}), "Put it into a secret"),
    "a header that the delivery sets": (http(headers={"ce-id": "x"}), "set by the delivery itself"),
    "a header with a space in its name": (http(headers={"x team": "x"}), "a name has letters"),
    "a header with a line break": (http(headers={"x-team": "a\r\nb: c"}), "printable ASCII"),
    "an api key without its header": (http(auth={"type": "api-key", "secret_arn": SECRET}), "(with header)"),
    "basic with a header": (http(auth={"type": "basic", "header": "x", "secret_arn": SECRET}), "(without)"),
    "an authentication that does not exist": (http(auth={"type": "digest", "secret_arn": SECRET}), "auth.type must be"),
    "a secret in place of its arn": (http(auth={"type": "basic", "secret_arn": "hunter2"}), "never belongs into"),
    "a network that is none": (http(allowed_private_cidrs=["10.0.0.0"]), "must be networks"),
    "a fifo queue without a message group": (
        sqs(queue_arn=f"arn:aws:sqs:{ACCOUNT}:lake.fifo"),
        "needs either message_group_id",
    ),
    "a message group where a function sends": (sqs(mode="data", message_group_id="all"), "needs either"),
    "an input transformer where a function sends": (
        sqs(mode="data", input_transformer={"template": "x"}),
        "there is no input_transformer",
    ),
    "a mode that is none": (sqs(mode="binary"), 'must be "structured", "envelope" or "data"'),
    "a topic that is none": (target("sns", topic_arn="notices"), "must be the ARN of a topic"),
    "the router's own bus": (
        target("event_bus", bus_arn=f"arn:aws:events:{ACCOUNT}:event-bus/media"),
        "another one than the router's own",
    ),
    "a function that is none": (target("lambda", function_arn="on-asset"), "must be the ARN of a function"),
    "an invocation that is none": (target("lambda", invocation="later"), '"request-response" or "event"'),
    "a function that may outlive its caller": (target("lambda", timeout_seconds=26), "at least 5 more"),
    "a stream that is none": (target("firehose", stream_arn="lake"), "must be the ARN of a Firehose stream"),
    "no correlation key": (target("resume", correlation_key=" "), "needs correlation_key"),
    "a bearer token from nowhere": (bearer(token_url=None), "needs token_url"),
    "a token url for a key": (
        http(auth={"type": "basic", "secret_arn": SECRET, "token_url": "https://id.example.com"}),
        "no other type has token_url",
    ),
    "an ordering that is none": (route(ordering="oldest"), '"none", "latest" or "strict"'),
    "a strict order that is not asked for": (route(strict={}), "strict belongs to ordering"),
    "a strict order with no such policy": (route(ordering="strict", strict={"on_failure": "drop"}), "on_failure"),
    "a strict order on a bus": (
        route(ordering="strict", target={"event_bus": TARGETS["event_bus"]}),
        "keep an order themselves",
    ),
    "a breaker that never opens": (route(breaker={"failures": 0}), "failures must be 1"),
    "a first pause above the longest": (
        route(breaker={"delay_seconds": 60, "max_delay_seconds": 30}),
        "delay_seconds <= max_delay_seconds",
    ),
    "a breaker on the rule's own target": (
        sqs() | {"routes": {"lake": sqs()["routes"]["cms"] | {"breaker": {}}}},
        "are reached by the rule itself",
    ),
    "a breaker on an api destination": (
        route(breaker={}, target={"api_destination": TARGETS["api_destination"]}),
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
    "an api destination by a verb that is none": (target("api_destination", method="SEND"), "method must be POST"),
    "more calls than eventbridge makes": (target("api_destination", rate_limit_per_second=301), "from 1 to 300"),
    "an api destination that nobody knows": (target("api_destination", auth=None), "needs either auth"),
    "an api destination with two connections": (target("api_destination", connection_arn=CONNECTION), "either auth"),
    "a connection by its name": (target("api_destination", auth=None, connection_arn="crm"), "the ARN of one of yours"),
    "a signature by eventbridge": (
        target("api_destination", auth={"type": "standard-webhooks", "secret_arn": SECRET}),
        "a signature takes target.http",
    ),
    "an api destination's key without its header": (
        target("api_destination", auth={"type": "api-key", "secret_arn": SECRET}),
        '"api-key" (with header)',
    ),
    "an api destination's secret in place of its arn": (
        target("api_destination", auth={"type": "basic", "secret_arn": "hunter2"}),
        "never belongs into Terraform",
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
        target("logs", log_group_arn=f"arn:aws:logs:{ACCOUNT}:log-group:/media/events"),
        "begins with /aws/events/",
    ),
    "a log group of another account": (
        target("logs", log_group_arn="arn:aws:logs:eu-west-1:999999999999:log-group:/aws/events/audit"),
        "of the bus's own account",
    ),
    "a log group's streams": (
        target("logs", log_group_arn=f"arn:aws:logs:{ACCOUNT}:log-group:/aws/events/audit:*"),
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
        "allows 100 paths",
    ),
    "a state machine that is none": (route(target={"states": {"state_machine_arn": "ingest"}}), "of a state machine"),
    "an invocation that does not exist": (route(invocation="async"), 'invocation must be "queue" or "direct"'),
    "a transform's invocation that does not exist": (transform(invocation="async"), '"queue" or "direct"'),
    "more retries than lambda makes": (route(function_retry={"max_attempts": 3}), "max_attempts must be 0, 1 or 2"),
    "events older than lambda keeps": (transform(function_retry={"max_age_seconds": 21601}), "60 to 21600"),
    "a strict order without a queue": (route(invocation="direct", ordering="strict"), "where later events wait"),
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
    "retries for less than a minute": (route(rule_retry={"max_age_seconds": 59}), "must be 60 to 86400"),
    "retries for more than a day": (transform(rule_retry={"max_age_seconds": 86401}), "must be 60 to 86400"),
    "more attempts than eventbridge makes": (route(rule_retry={"max_attempts": 186}), "max_attempts 0 to 185"),
    "a delay longer than a message can hide": (route(redrive={"max_delay_seconds": 39601}), "invisible for 12 hours"),
    "a delay that begins above its end": (
        transform(redrive={"base_delay_seconds": 100, "max_delay_seconds": 50}),
        "from base_delay_seconds up",
    ),
    "a transform of everything by accident": (transform(pattern="{}"), "set match_all = true"),
    "steps that are no json": (transform(steps="drop it"), "steps must be a JSON list"),
    "steps that are an object": (transform(steps=json.dumps({"drop": "data.test"})), "steps must be a JSON list"),
    "no steps": (transform(steps="[]"), "that is not empty"),
    "a step of two kinds": (transform(steps=json.dumps([{"drop": "a", "set": {"b": 1}}])), "exactly one key each"),
    "a step that does not exist": (transform(steps=json.dumps([{"lookout": {}}])), "split, lookup, call or python"),
    "a lookup that asks nobody": (steps({"lookup": {"into": "a"}}), "exactly one of dynamodb, http and s3"),
    "a lookup that asks two": (
        steps({"lookup": {"into": "a", "http": {"url": URL}, "s3": {"bucket": "inbox", "key": "data.a"}}}),
        "exactly one of dynamodb, http and s3",
    ),
    "a lookup that leads nowhere": (steps({"lookup": {"http": {"url": URL}}}), "and into: the path"),
    "a table by its name": (
        steps({"lookup": {"into": "a", "dynamodb": {"table_arn": "titles", "key": {"id": "a"}}}}),
        "Steps name what they ask for in full",
    ),
    "every bucket": (
        steps({"lookup": {"into": "a", "s3": {"bucket": "*", "key": "data.a"}}}),
        "Steps name what they ask for in full",
    ),
    "a prefix with a wildcard": (
        steps({"lookup": {"into": "a", "s3": {"bucket": "inbox", "prefix": "*/in", "key": "data.a"}}}),
        "Steps name what they ask for in full",
    ),
    "a lookup's secret in place of its arn": (
        steps({"lookup": {"into": "a", "http": {"url": URL, "auth": {"type": "basic", "secret_arn": "hunter2"}}}}),
        "Steps name what they ask for in full",
    ),
    "a function by its name": (steps({"call": {"function_arn": "classify"}}), "Steps name what they ask for in full"),
    "a lookup that outlives its function": (
        steps({"lookup": {"into": "a", "http": {"url": URL, "timeout_seconds": 29}}}),
        "at least 2 more than that of any of its steps",
    ),
    "a call that outlives its transform": (
        transform(steps=json.dumps([{"call": {"function_arn": FUNCTION}}]), timeout_seconds=11),
        "at least 2 more than that of any of its steps",
    ),
    "a layer without its version": (transform(layers=[LAYER.rpartition(":")[0]]), "layers must be ARNs of layers"),
    "more layers than a function takes": (transform(layers=[LAYER] * 5, package="steps.zip"), "takes 5 layers"),
    "a step that is text": (transform(steps=json.dumps(["drop"])), "steps must be a JSON list"),
}


@pytest.mark.parametrize(("variables", "message"), REFUSED.values(), ids=REFUSED)
def test_router_refuses(variables: dict[str, Any], message: str, terraform: Terraform, tmp_path: Path) -> None:
    assert message in refusals(terraform, tmp_path, "router", variables)


################################################################################
# dlq-review
################################################################################

QUEUE = {
    "queue_arn": f"arn:aws:sqs:{ACCOUNT}:media-cms-dlq",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq",
    "hop": "route/cms",
    "destination": "cms",
    "source_queue_arn": f"arn:aws:sqs:{ACCOUNT}:media-cms",
    "source_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms",
    "redrive_target": "queue",
}


def review(**variables: Any) -> dict[str, Any]:
    """A review's variables, with the given ones in place of the valid ones."""
    return {
        "name": "media-test-review",
        "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
        "dead_letter_queues": {"route/cms": QUEUE},
    } | variables


def queue(**attributes: Any) -> dict[str, Any]:
    """A review of one queue, valid but for the given attributes."""
    return review(dead_letter_queues={"route/cms": QUEUE | attributes})


def test_dlq_review_takes_queues_that_go_back_each_in_its_way(terraform: Terraform, tmp_path: Path) -> None:
    by_bus = QUEUE | {"queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake-dlq", "redrive_target": "bus", "source_queue_arn": None}
    by_function = QUEUE | {
        "queue_arn": f"arn:aws:sqs:{ACCOUNT}:webhook-dlq",
        "redrive_target": "function",
        "function_arn": f"arn:aws:lambda:{ACCOUNT}:function:webhook",
    }
    queues = {"route/cms": QUEUE, "route/lake": by_bus, "ingress/webhook": by_function}
    assert refusals(terraform, tmp_path, "dlq-review", review(dead_letter_queues=queues)) == ""


REVIEWS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no queue": (review(dead_letter_queues={}), "there is nothing to review"),
    "a queue that is a url": (queue(queue_arn=QUEUE["queue_url"]), "queue_arn must be the ARN of a queue"),
    "one queue for two hops": (
        review(dead_letter_queues={"route/cms": QUEUE, "route/dam": QUEUE | {"hop": "route/dam"}}),
        "can't share a dead-letter queue",
    ),
    "a hop without a step": (queue(hop="cms"), "hop must be <step>/<name>"),
    "a target of redrives that does not exist": (queue(redrive_target="topic"), "redrive_target must be"),
    "a redrive to a queue that is not named": (queue(source_queue_url=None), "needs source_queue_arn"),
    "a redrive to a function that is not named": (queue(redrive_target="function"), "needs function_arn"),
    "a fifo queue behind a standard one": (queue(queue_arn=f"arn:aws:sqs:{ACCOUNT}:cms-dlq.fifo"), "both FIFO or both"),
    "a delay longer than a message can hide": (queue(redrive={"max_delay_seconds": 43200}), "invisible for 12 hours"),
    "less concurrency than lambda allows": (review(maximum_concurrency=1), "maximum_concurrency must be 2 to 1000"),
    "batches larger than fifo allows": (review(batch_size=11), "batch_size must be 1 to 10"),
    "any type to be edited": (review(editable_types={"comment.*": {}}), "name each type in full"),
    "a schema that is none": (
        review(editable_types={"comment.created": {"schema": "string"}}),
        "must be a JSON Schema",
    ),
    "a bus that is none": (review(bus_arn="media"), "must look like arn:aws:events"),
    "an idempotency store that is no table": (
        review(idempotency_tables={"ingress/webhook": {"name": "media", "arn": "media"}}),
        "must be the ARN of a table",
    ),
    "an archive that is none": (review(archive={"arn": "media"}), "ARN of an EventBridge archive"),
    "an alias of a key": (
        review(settings={"kms_key": {"arn": f"arn:aws:kms:{ACCOUNT}:alias/media"}}),
        "An alias won't do",
    ),
    "an alias of a state machine": (
        review(state_machine_arns={"publish": f"arn:aws:states:{ACCOUNT}:stateMachine:publish:live"}),
        "without a version or an alias",
    ),
}


@pytest.mark.parametrize(("variables", "message"), REVIEWS_REFUSED.values(), ids=REVIEWS_REFUSED)
def test_dlq_review_refuses(variables: dict[str, Any], message: str, terraform: Terraform, tmp_path: Path) -> None:
    assert message in refusals(terraform, tmp_path, "dlq-review", variables)


################################################################################
# ingress-apigw
################################################################################

CERTIFICATE = f"arn:aws:acm:{ACCOUNT}:certificate/a1"
TRUST = {"truststore_uri": "s3://trust/partners.pem"}
IAM = {"type": "iam", "principals": ["arn:aws:iam::123456789012:role/partners/acme"]}
JWT = {"type": "jwt", "issuer": "https://login.example.com/", "audiences": ["hooks"]}


def webhooks(domain: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """Webhooks of one partner, valid but for its given attributes."""
    return {
        "name": "media-test-webhooks",
        "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
        "partners": {"acme": {"specification": json.dumps({"preset": "mux"})} | attributes},
        "domain": domain,
    }


def domain(**attributes: Any) -> dict[str, Any]:
    """Webhooks at a domain, valid but for its given attributes."""
    return webhooks({"name": "hooks.example.com", "certificate_arn": CERTIFICATE} | attributes)


WEBHOOKS_TAKEN = {
    "limits of a partner's own": webhooks(throttle={"rate": 1, "burst": 1}),
    "roles and users": webhooks(authorization=IAM),
    "tokens": webhooks(authorization=JWT | {"scopes": ["events:send"]}),
    "a domain": domain(),
    "mutual tls with everything": domain(
        mutual_tls=TRUST | {"truststore_version": "7", "ownership_verification_certificate_arn": CERTIFICATE}
    ),
    "a certificate that is required": webhooks(
        {"name": "hooks.example.com", "certificate_arn": CERTIFICATE, "mutual_tls": TRUST},
        require_client_certificate=True,
        authorization=JWT,
    ),
}


@pytest.mark.parametrize("variables", WEBHOOKS_TAKEN.values(), ids=WEBHOOKS_TAKEN)
def test_ingress_apigw_takes(variables: dict[str, Any], terraform: Terraform, tmp_path: Path) -> None:
    assert refusals(terraform, tmp_path, "ingress-apigw", variables) == ""


WEBHOOKS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "limits that refuse everybody": (webhooks(throttle={"rate": 0, "burst": 1}), "0 refuses every call"),
    "limits that are half said": (webhooks(throttle={"rate": 5}), 'attribute "burst" is required'),
    "an authorization that does not exist": (webhooks(authorization={"type": "none"}), '"iam" or "jwt"'),
    "iam for whoever": (webhooks(authorization={"type": "iam"}), "takes principals, at least one"),
    "iam with a token's issuer": (webhooks(authorization=IAM | {"issuer": JWT["issuer"]}), "and nothing else"),
    "a wildcard as principal": (webhooks(authorization=IAM | {"principals": ["*"]}), "each named in full"),
    "wildcards in a principal": (
        webhooks(authorization=IAM | {"principals": ["arn:aws:iam::123456789012:role/*"]}),
        "each named in full",
    ),
    "an account as principal": (
        webhooks(authorization=IAM | {"principals": ["arn:aws:iam::123456789012:root"]}),
        "each named in full",
    ),
    "tokens of whatever issuer": (webhooks(authorization={"type": "jwt", "audiences": ["hooks"]}), "takes an issuer"),
    "tokens for whatever audience": (webhooks(authorization=JWT | {"audiences": []}), "1 to 50 audiences"),
    "an unencrypted issuer": (webhooks(authorization=JWT | {"issuer": "http://login.example.com"}), "takes an issuer"),
    "more scopes than a route takes": (
        webhooks(authorization=JWT | {"scopes": [str(n) for n in range(11)]}),
        "up to 10 scopes",
    ),
    "tokens with principals": (webhooks(authorization=JWT | {"principals": IAM["principals"]}), "and no principals"),
    "a certificate that nobody asks for": (webhooks(require_client_certificate=True), "needs a domain with mutual_tls"),
    "a certificate at a domain without mutual tls": (
        webhooks({"name": "hooks.example.com", "certificate_arn": CERTIFICATE}, require_client_certificate=True),
        "needs a domain with mutual_tls",
    ),
    "a domain with its scheme": (domain(name="https://hooks.example.com"), "without https://"),
    "a domain in capitals": (domain(name="Hooks.example.com"), "lower case"),
    "a wildcard domain": (domain(name="*.example.com"), "wildcard"),
    "a certificate's name": (domain(certificate_arn="hooks.example.com"), "ARNs of certificates"),
    "a certificate of iam": (
        domain(certificate_arn="arn:aws:iam::123456789012:server-certificate/hooks"),
        "ARNs of certificates",
    ),
    "a certificate of ownership that is none": (
        domain(mutual_tls=TRUST | {"ownership_verification_certificate_arn": "x"}),
        "ARNs of certificates",
    ),
    "a truststore that is a file": (domain(mutual_tls={"truststore_uri": "partners.pem"}), "an object in S3"),
    "a truststore that is a bucket": (domain(mutual_tls={"truststore_uri": "s3://trust"}), "an object in S3"),
}


@pytest.mark.parametrize(("variables", "message"), WEBHOOKS_REFUSED.values(), ids=WEBHOOKS_REFUSED)
def test_ingress_apigw_refuses(variables: dict[str, Any], message: str, terraform: Terraform, tmp_path: Path) -> None:
    assert message in refusals(terraform, tmp_path, "ingress-apigw", variables)
