"""Our fakes of AWS's clients give the adapters what moto gives them."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.secrets_manager import SecretsManager
from media_events.adapters.sns import SnsTopic
from media_events.adapters.sqs.redrive import SqsQueues
from media_events.adapters.step_functions.executions import StepFunctions
from media_events.core.failures import ProcessingError
from tests.faults.aws_model.clients import Sqs, StateMachines
from tests.faults.aws_model.scheduler import CALM, World
from tests.faults.aws_model.sqs import Queue
from tests.unit.media_events.adapters.test_secrets_manager import FakeStore

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/machine"
WAITS = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}})


@pytest.fixture(name="aws", autouse=True)
def _aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def outcome(call, *arguments, **named):
    """What a call gives, or the class and the code of its failure."""
    try:
        return call(*arguments, **named)
    except ProcessingError as error:
        return type(error).__name__, error.code


@pytest.mark.parametrize(
    "values",
    [(), ("only",), ("old", "new"), ("oldest", "old", "new"), (b"binary",), (b"\xff",), ('{"secrets": ["a", "b"]}',)],
    ids=["none", "one", "rotated", "twice", "binary", "no-text", "several"],
)
def test_a_secret_has_the_versions_that_the_fake_has(aws, values):
    client = aws("secretsmanager")
    arn = client.create_secret(Name="partner")["ARN"]
    for value in values:
        client.put_secret_value(SecretId=arn, **{"SecretBinary" if isinstance(value, bytes) else "SecretString": value})
    stages = dict(zip(("AWSCURRENT", "AWSPREVIOUS"), reversed(values), strict=False))
    fake = FakeStore(**{arn: stages})
    assert outcome(SecretsManager(client).values, [arn]) == outcome(SecretsManager(fake).values, [arn])


def test_a_secret_that_is_not_there_is_one_without_value(aws):
    arn = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:gone-AbCdEf"
    assert outcome(SecretsManager(aws("secretsmanager")).values, [arn]) == outcome(
        SecretsManager(FakeStore()).values, [arn]
    )


def test_an_execution_starts_once_under_its_name(aws):
    client = aws("stepfunctions")
    arn = client.create_state_machine(name="ingest", definition=WAITS, roleArn=ROLE)["stateMachineArn"]
    real = StepFunctions(client)
    fake = StepFunctions(StateMachines(World(1, CALM), lambda _: None))
    for name, text in (("evt", "{}"), ("evt", "{}"), ("evt", '{"other": 1}'), ("evt-2", "{}")):
        answers = [outcome(machines.start, arn, name, text) for machines in (real, fake)]
        assert answers == [f"arn:aws:states:{REGION}:123456789012:execution:ingest:{name}"] * 2
    assert len(client.list_executions(stateMachineArn=arn)["executions"]) == 2


@pytest.mark.parametrize(
    ("name", "body", "attributes"),
    [
        ("plain", "{}", {"redrivecount": {"dataType": "Number", "stringValue": "1"}}),
        ("plain", "x" * 262_145, {}),
        ("ordered.fifo", "{}", {}),
        ("absent", "{}", {}),
    ],
    ids=["plain", "large", "fifo", "absent"],
)
def test_a_dead_letter_goes_back_to_its_queue_or_is_refused_alike(aws, name, body, attributes):
    client, url = aws("sqs"), f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}"
    world = World(1, CALM)
    queues = {}
    if name != "absent":
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        client.create_queue(QueueName=name, Attributes={"MaximumMessageSize": "262144", **fifo})
        queues[url] = Queue(world, name)
    # moto takes an empty body and eleven attributes, which AWS and the model refuse.
    answers = [
        outcome(SqsQueues(sqs).send, url, body, attributes, group_id="a", deduplication_id="1")
        for sqs in (client, Sqs(world, queues))
    ]
    assert answers[0] == answers[1]


def test_a_notification_reaches_the_topic_and_an_absent_topic_is_a_failure(aws):
    sns, sqs = aws("sns"), aws("sqs")
    topic = sns.create_topic(Name="review")["TopicArn"]
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:told")
    SnsTopic(sns, topic).publish("A new item", "text")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert {k: json.loads(message["Body"])[k] for k in ("Subject", "Message")} == {
        "Subject": "A new item",
        "Message": "text",
    }
    assert outcome(SnsTopic(sns, f"{topic}-gone").publish, "A new item", "text") == (
        "UnsettledConfigError",
        "aws-NotFound",
    )
