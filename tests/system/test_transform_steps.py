"""Transforms of every kind of step, deployed with IAM enforced: what they may do is what their steps say.

They are deployed by `cdktf deploy`, all others by Terraform alone.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops.local import endpoint, lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.send.samples import SAMPLES
from tests.fakes.events import make_event
from tests.fakes.frameio_api import CREDENTIALS, FrameIo
from tests.system.cdktf_deployment import Deployment
from tests.system.polling import eventually

HERE = Path(__file__).parent
THIN = json.loads((SAMPLES / "frameio-v4-file.ready.json").read_text(encoding="utf-8"))
CLASSIFY = """\
def handler(event, context):
    if event["data"]["file"]["name"] == "bad.mov":
        return "not a film"
    return {**event["data"], "kind": "film", "tracks": [{"lang": "en"}, {"lang": "de"}]}
"""
QUEUE = "steps-seen"


@dataclass(frozen=True)
class Steps:
    """The workflow, deployed, and what its steps ask."""

    clients: Clients
    outputs: dict[str, Any]
    api: FrameIo
    queue_url: str
    deployment: Deployment

    def publish(self, identity: str, file: str) -> None:
        """Put a thin event on the bus, as if it had come in."""
        data = {**THIN, "resource": {"id": file, "type": "file"}}
        event = make_event(data, id=identity, source="partner.frameio", partner="frameio")
        entry = {"EventBusName": self.outputs["bus_name"], "Source": "partner.frameio", "DetailType": "asset.ready"}
        answer = self.clients.events.put_events(Entries=[{**entry, "Detail": event.to_json()}])
        assert answer["FailedEntryCount"] == 0

    def seen(self, count: int) -> list[dict[str, Any]]:
        """The next events that come out, their ids in order."""
        found: dict[str, dict[str, Any]] = {}

        def receive() -> bool:
            answer = self.clients.sqs.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                detail = json.loads(message["Body"])["detail"]
                found[detail["metadata"]["id"]] = detail
                self.clients.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        eventually(receive)
        return [found[name] for name in sorted(found)]


@pytest.fixture(name="steps", scope="module")
def _steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    paths = LocalPaths(tmp_path_factory.mktemp("transform-steps"))
    api = FrameIo(THIN["account"]["id"])
    paths.root.mkdir(parents=True)
    try:
        # The secret's ARN is known only once it is made, so the cloud is there before the workflow.
        record = endpoint.start(paths, region="us-east-1", port=None)
        clients = Clients(record)
        secret = clients.secretsmanager.create_secret(Name="frameio-api", SecretString=json.dumps(CREDENTIALS))
        variables = {
            "MEDIA_EVENTS_WORKFLOW": str(HERE / "workflows" / "transform-steps.yaml"),
            "STEPS_API_PORT": str(api.server_port),
            "STEPS_SECRET_ARN": secret["ARN"],
        }
        deployment = Deployment.of(paths.root / "project", "steps-local", record, variables)
        outputs = deployment.deploy()
        yield Steps(clients, outputs, api, _surroundings(clients, outputs), deployment)
    finally:
        lifecycle.down(paths)
        api.go_away()


def _surroundings(clients: Clients, outputs: dict[str, Any]) -> str:
    """A table, a bucket, a function and a queue that are not the kit's; the queue's URL."""
    clients.dynamodb.create_table(
        TableName="titles",
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    clients.dynamodb.put_item(TableName="titles", Item={"name": {"S": "reel-7.mov"}, "season": {"N": "3"}})
    clients.s3.create_bucket(Bucket="steps-inbox")
    clients.s3.put_object(Bucket="steps-inbox", Key="in/reel-7.mov", Body=b"mov", Metadata={"reel": "7"})
    clients.s3.put_object(Bucket="steps-inbox", Key="in/reel-7.json", Body=b'{"grade": "log"}')
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("classify.py", CLASSIFY)
    role = clients.lambda_.get_function(FunctionName=outputs["functions"]["transform/complete"])
    clients.lambda_.create_function(
        FunctionName="steps-classify",
        Runtime="python3.13",
        Handler="classify.handler",
        Role=role["Configuration"]["Role"],
        Code={"ZipFile": package.getvalue()},
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
            }
        ],
    }
    return clients.sqs.create_queue(QueueName=QUEUE, Attributes={"Policy": json.dumps(policy)})["QueueUrl"]


def test_plan_after_cdktf_deploy_has_nothing_to_change(steps: Steps) -> None:
    assert "No changes. Your infrastructure matches the configuration." in steps.deployment.plan()


def test_event_is_completed_by_all_that_its_steps_ask(steps: Steps) -> None:
    steps.api.files["f-7"] = {"id": "f-7", "name": "reel-7.mov"}

    steps.publish("e-7", "f-7")

    german, english = steps.seen(2)
    completed = {
        "name": "reel-7.mov",
        "title": {"name": "reel-7.mov", "season": 3},
        "object": {"bytes": 3, "reel": "7"},
        "sidecar": {"grade": "log"},
        "kind": "film",
        "tracks": [{"lang": "en"}, {"lang": "de"}],
    }
    assert german["data"] == {**completed, "track": {"lang": "de"}}
    assert english["data"] == {**completed, "track": {"lang": "en"}}
    assert [part["metadata"]["id"] for part in (german, english)] == ["e-7/de", "e-7/en"]
    for part in (german, english):
        assert (part["metadata"]["causationid"], part["metadata"]["stage"]) == ("e-7", "transformed")


def test_what_is_not_found_is_defaulted_or_passed_by(steps: Steps) -> None:
    steps.api.files["f-8"] = {"id": "f-8", "name": "new.mov"}

    steps.publish("e-8", "f-8")

    part, _ = steps.seen(2)
    assert part["data"]["title"] == {"title": "unknown"}
    assert not {"object", "sidecar"} & part["data"].keys()


def test_event_that_the_api_or_the_function_refuses_waits_in_review(steps: Steps) -> None:
    steps.api.files["f-9"] = {"id": "f-9", "name": "bad.mov"}

    steps.publish("e-9", "f-9")
    steps.publish("e-10", "nobody-knows")

    def items() -> dict[str, Any] | None:
        found = {item.event_id: item for item in open_review_items(steps.clients, steps.outputs["review_table_name"])}
        return found if {"e-9", "e-10"} <= found.keys() else None

    found = eventually(items)
    assert found["e-9"].reason.startswith("call-answer: steps[4].call: it must return an object")
    assert found["e-10"].reason.startswith("lookup-missing: steps[0].lookup: ")
