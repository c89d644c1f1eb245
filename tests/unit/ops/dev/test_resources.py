"""What stands in for other people's resources, made in moto's AWS."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from media_events_kit.ops.dev.resources import ensure, ensure_connections, ensure_secrets
from media_events_kit.ops.shared.console import OperatorError

HERE = "us-east-1:000000000000"
RESOURCES = {
    f"arn:aws:sqs:{HERE}:theirs": "sqs",
    f"arn:aws:sqs:{HERE}:theirs.fifo": "sqs",
    f"arn:aws:sns:{HERE}:notices": "sns",
    f"arn:aws:events:{HERE}:event-bus/shared": "event_bus",
    f"arn:aws:firehose:{HERE}:deliverystream/lake": "firehose",
    f"arn:aws:lambda:{HERE}:function:on-asset": "lambda",
    f"arn:aws:states:{HERE}:stateMachine:publish": "step_functions",
}
SERVICES = {"lambda_": "lambda", "stepfunctions": "stepfunctions"} | {
    name: name for name in ("sqs", "sns", "events", "firehose", "iam", "s3", "secretsmanager")
}


@pytest.fixture(name="clients")
def _clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        yield SimpleNamespace(**{name: session.client(service) for name, service in SERVICES.items()})


def test_each_resource_is_made_once(clients: Any) -> None:
    for _ in range(2):
        ensure(clients, RESOURCES)

    assert len(clients.sqs.list_queues()["QueueUrls"]) == 2
    assert len(clients.sns.list_topics()["Topics"]) == 1
    assert clients.events.describe_event_bus(Name="shared")["Name"] == "shared"
    assert clients.firehose.list_delivery_streams()["DeliveryStreamNames"] == ["lake"]
    assert [one["FunctionName"] for one in clients.lambda_.list_functions()["Functions"]] == ["on-asset"]
    assert [one["name"] for one in clients.stepfunctions.list_state_machines()["stateMachines"]] == ["publish"]


def test_resource_that_is_refused_is_named(clients: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InvalidParameterValue", "Message": "no"}}, "CreateQueue")  # type: ignore[misc]

    monkeypatch.setattr(clients.sqs, "create_queue", refuse)

    with pytest.raises(OperatorError, match="arn:aws:sqs:us-east-1:000000000000:theirs can't be made"):
        ensure(clients, RESOURCES)


def test_connection_and_secret_are_made_once(clients: Any) -> None:
    connection, secret = "arn:aws:events:x:1:connection/one", "arn:aws:secretsmanager:x:1:secret:cms-AbCdEf"

    first = (ensure_connections(clients, [connection]), ensure_secrets(clients, {secret: "basic"}))

    assert (ensure_connections(clients, [connection]), ensure_secrets(clients, {secret: "basic"})) == first
    assert clients.events.describe_connection(Name="one")["ConnectionArn"] == first[0][connection]
