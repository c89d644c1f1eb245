"""What AWS is asked, on an emulator of it."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from media_events.core.failures import ProcessingError
from media_events_kit.ops.changes.deployed import AwsDeployed, region_of
from media_events_kit.ops.deployment.discovery import Cloud

REGION = "eu-west-1"


@pytest.fixture(name="deployed")
def _deployed(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield AwsDeployed(Cloud(region=REGION))


def test_messages_are_counted_and_a_queue_that_is_not_there_is_a_failure(deployed):
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="media-dev-ready")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="1")
    sqs.send_message(QueueUrl=url, MessageBody="2", DelaySeconds=60)

    assert deployed.messages(url) == 2
    with pytest.raises(ProcessingError):
        deployed.messages(f"{url}-other")


def test_only_a_secret_that_is_scheduled_for_deletion_is_one_to_restore(deployed):
    secrets = boto3.client("secretsmanager", region_name=REGION)
    arn = secrets.create_secret(Name="media-dev-webhook/mux")["ARN"]

    assert deployed.deleted_secret("media-dev-webhook/mux") is None
    assert deployed.deleted_secret("media-dev-webhook/other") is None
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=30)
    assert deployed.deleted_secret("media-dev-webhook/mux") == arn


def test_a_bucket_holds_objects_also_as_old_versions(deployed):
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="media-dev-1", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="media-dev-1", VersioningConfiguration={"Status": "Enabled"})

    assert not deployed.holds_objects("media-dev-1")
    s3.put_object(Bucket="media-dev-1", Key="configuration/a.json", Body=b"{}")
    s3.delete_object(Bucket="media-dev-1", Key="configuration/a.json")
    assert deployed.holds_objects("media-dev-1")


def test_the_region_is_that_of_the_resources():
    assert region_of({"arn": "arn:aws-us-gov:sqs:us-gov-west-1:1:q"}) == "us-gov-west-1"
    assert region_of({}) is None


def test_the_executions_that_run_are_counted(deployed):
    iam = boto3.client("iam", region_name=REGION)
    role = iam.create_role(RoleName="m", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    states = boto3.client("stepfunctions", region_name=REGION)
    arn = states.create_state_machine(name="m", definition='{"StartAt": "A"}', roleArn=role)["stateMachineArn"]
    running = [states.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(3)]
    states.stop_execution(executionArn=running[0])

    assert deployed.running_executions(arn) == 2
