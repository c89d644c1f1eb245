"""Where events come in, and the workflows that they start: the HTTP API, topics and state machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.verify.asking import MissingError, Problem, ask, ask_pages, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "endpoints"


def check(deployed: Deployed) -> Iterator[Finding]:
    """The API's stage and routes, each topic and each state machine are there."""
    endpoint = text(deployed.outputs.get("api_endpoint"))
    if endpoint is not None:
        yield judged(CHECK, f"API {endpoint}", "has its stage and the webhooks' routes", _api, deployed, endpoint)
    topics = {text(deployed.outputs.get("topic_arn")), *mapping(deployed.outputs.get("ingress_topic_arns")).values()}
    for topic in sorted(str(arn) for arn in topics if arn is not None):
        yield judged(CHECK, f"topic {topic.rpartition(':')[2]}", "is there", _topic, deployed, topic)
    for destination, arn in sorted(deployed.topology.state_machines.items()):
        yield judged(CHECK, f"state machine of {destination}", "is active", _state_machine, deployed, arn)


def _api(deployed: Deployed, endpoint: str) -> Iterator[Problem]:
    client = deployed.client("apigatewayv2")
    api = _api_id(client, urlsplit(endpoint).hostname or "")
    stages = ask(client.get_stages, "apigateway:GET", ApiId=api).get("Items") or ()
    if not stages:
        yield Problem("has no stage, so it answers nobody", "apply again")
    failures = [
        str(stage["LastDeploymentStatusMessage"])
        for stage in stages
        if "fail" in str(stage.get("LastDeploymentStatusMessage", "")).lower()
    ]
    for message in failures:
        yield Problem(f"was not deployed: {message}", "correct it, and apply again")
    routes = ask_pages(client.get_routes, "apigateway:GET", "Items", ApiId=api)
    if not any("/webhooks/" in str(route.get("RouteKey")) for route in routes):
        yield Problem("has no route to the webhooks", "apply again")


def _api_id(client: Any, host: str) -> str:
    name, _, rest = host.partition(".")
    if rest.startswith("execute-api."):
        return name
    found = ask(client.get_api_mappings, "apigateway:GET", DomainName=host).get("Items") or ()
    if not found:
        raise MissingError
    return str(found[0]["ApiId"])


def _topic(deployed: Deployed, arn: str) -> Iterator[Problem]:
    ask(deployed.client("sns").get_topic_attributes, "sns:GetTopicAttributes", TopicArn=arn)
    yield from ()


def _state_machine(deployed: Deployed, arn: str) -> Iterator[Problem]:
    client = deployed.client("stepfunctions")
    machine = ask(client.describe_state_machine, "states:DescribeStateMachine", stateMachineArn=arn)
    if machine.get("status", "ACTIVE") != "ACTIVE":
        yield Problem(f"is {machine['status']}", "apply again")
