"""Our fakes of AWS's clients give the adapters what moto gives them, and the lookups understand moto."""

from __future__ import annotations

import json
import time

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.lookup import DynamoTables
from media_events.adapters.s3.lookup import S3Objects
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
    fake.created[arn, "AWSCURRENT"] = time.time()
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
    fake = StepFunctions(StateMachines(World(1, CALM), lambda *_: None))
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


def test_an_item_with_attributes_of_every_type_is_read_by_the_table_s_arn(aws):
    client = aws("dynamodb")
    arn = client.create_table(
        TableName="titles",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "version", "AttributeType": "N"},
        ],
    )["TableDescription"]["TableArn"]
    client.put_item(
        TableName="titles",
        Item={
            "id": {"S": "a"},
            "version": {"N": "2"},
            "f": {"N": "0.5"},
            "t": {"BOOL": True},
            "z": {"NULL": True},
            "b": {"B": b"\x00"},
            "ns": {"NS": ["10", "9"]},
            "bs": {"BS": [b"b", b"a"]},
            "l": {"L": [{"S": "x"}, {"M": {"y": {"N": "1"}}}]},
        },
    )
    tables = DynamoTables(lambda *_: client)
    assert tables.item(arn, {"id": "a", "version": 2}, consistent=True, timeout_seconds=3) == {
        "id": "a",
        "version": 2,
        "f": 0.5,
        "t": True,
        "z": None,
        "b": "AA==",
        "ns": [9, 10],
        "bs": ["YQ==", "Yg=="],
        "l": ["x", {"y": 1}],
    }
    assert tables.item(arn, {"id": "a", "version": 3}, consistent=False, timeout_seconds=3) is None
    gone = outcome(tables.item, f"{arn}-gone", {"id": "a"}, consistent=True, timeout_seconds=3)
    assert gone == ("UnsettledConfigError", "aws-ResourceNotFoundException")


def test_an_object_s_properties_and_its_beginning_are_read(aws):
    client = aws("s3")
    client.create_bucket(Bucket="inbox", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_object(Bucket="inbox", Key="a.xml", Body=b"0123456789", ContentType="text/xml", Metadata={"Reel": "7"})
    objects = S3Objects(lambda _: client)
    found = objects.properties("inbox", "a.xml", timeout_seconds=3)
    assert found is not None
    assert (found["size"], found["content_type"], found["metadata"]) == (10, "text/xml", {"reel": "7"})
    assert objects.content("inbox", "a.xml", max_bytes=4, timeout_seconds=3) == b"0123"
    assert objects.properties("inbox", "b.xml", timeout_seconds=3) is None
    assert objects.content("inbox", "b.xml", max_bytes=4, timeout_seconds=3) is None


def test_a_read_of_the_content_tells_that_there_is_no_bucket(aws):
    # HEAD can't: AWS's answer to it has no body, so no code, while moto's has one.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    objects = S3Objects(lambda _: aws("s3"))
    read = outcome(objects.content, "gone", "a", max_bytes=4, timeout_seconds=3)
    assert read == ("UnsettledConfigError", "aws-NoSuchBucket")
