"""What the Lambda handlers need of AWS, in moto."""

from __future__ import annotations

import hashlib
import json

import boto3

from tests.fakes.partiql import teach_moto
from tests.fakes.webhook_requests import SECRET

teach_moto()
REGION = "eu-west-1"


class Cloud:
    """The functions' resources, and a queue with all events of the bus. Make it within ``mock_aws``."""

    def __init__(self, monkeypatch):
        self.environment = monkeypatch
        self.sqs, self.s3, self.events = boto3.client("sqs"), boto3.client("s3"), boto3.client("events")
        self.secrets, self.dynamodb = boto3.client("secretsmanager"), boto3.client("dynamodb")
        self.s3.create_bucket(Bucket="kit", CreateBucketConfiguration={"LocationConstraint": REGION})
        bus_arn = self.events.create_event_bus(Name="media")["EventBusArn"]
        self.queue = self.sqs.create_queue(QueueName="seen")["QueueUrl"]
        self.dlq = self.sqs.create_queue(QueueName="hop-dlq")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(
            Name="all", EventBusName="media", EventPattern=json.dumps({"source": [{"prefix": "partner."}]})
        )
        self.events.put_targets(Rule="all", EventBusName="media", Targets=[{"Id": "q", "Arn": arn}])
        self.dynamodb.create_table(
            TableName="idempotency",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.secret_arn = self.secrets.create_secret(Name="mux", SecretString=SECRET)["ARN"]
        self.setenv(
            BUS_ARN=bus_arn,
            DEAD_LETTER_QUEUE_URL=self.dlq,
            IDEMPOTENCY_TABLE="idempotency",
            BODIES_URI="s3://kit/bodies/events/",
            QUEUE_URL=self.queue,
            MAX_RECEIVE_COUNT="5",
        )

    def setenv(self, **variables):
        for name, value in variables.items():
            self.environment.setenv(name, value)

    def configure(self, hop, document):
        content = json.dumps(document).encode()
        digest = hashlib.sha256(content).hexdigest()
        self.s3.put_object(Bucket="kit", Key=f"configuration/f/{digest}.json", Body=content)
        self.setenv(HOP=hop, CONFIGURATION_URI=f"s3://kit/configuration/f/{digest}.json", CONFIGURATION_SHA256=digest)

    def seen(self, url=None):
        answer = self.sqs.receive_message(
            QueueUrl=url or self.queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])
