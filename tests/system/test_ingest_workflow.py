"""The ingest workflow's other ways: what quality control rejects, and transcodes that fail."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from media_events_kit.ops.demo.external_resources import BUCKET
from media_events_kit.ops.demo.fake_systems import TRANSCODER
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.senders import Sender
from media_events_kit.ops.local.clients import Clients
from tests.system.polling import eventually

FILE = {"system": "mam", "has_picture": True, "media_url": "https://storage.example.com/a.mov"}


@pytest.fixture(name="ingest")
def _ingest(clients: Clients, outputs: dict[str, Any]) -> Callable[..., str]:
    """Begin an ingest of an asset with the given facts; the execution's ARN."""

    def begin(**facts: Any) -> str:
        event = {"metadata": {"id": str(uuid.uuid4())}, "data": {"asset_id": str(uuid.uuid4()), **facts}}
        machine = outputs["state_machine_arns"]["ingest"]
        return clients.stepfunctions.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]

    return begin


@pytest.fixture(name="ended")
def _ended(clients: Clients) -> Callable[[str], Any]:
    """An execution, when it has ended."""

    def wait(arn: str) -> Any:
        def look() -> Any:
            found = clients.stepfunctions.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return eventually(look)

    return wait


def told_in_lake(clients: Clients, kind: str, order: str) -> bool:
    prefix = f"events/partner=ingest/type={kind}/"
    listed = clients.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    bodies = [clients.s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read() for entry in listed]
    return any(order.encode() in body for body in bodies)


@pytest.mark.parametrize(
    "facts",
    [
        {"has_picture": False, "playback_id": "p"},
        {"playback_id": "p"},
        {"has_picture": True, "playback_id": "p", "duration_seconds": 0},
        {"has_picture": True},
    ],
    ids=["no picture", "nothing known of a picture", "no length", "nothing to play or to transcode"],
)
def test_asset_that_quality_control_rejects_is_told_of(ingest, ended, clients: Clients, facts: dict[str, Any]):
    arn = ingest(system="mam", **facts)

    assert (ended(arn)["status"], ended(arn)["error"]) == ("FAILED", "QualityControlFailed")
    assert eventually(lambda: told_in_lake(clients, "qc.failed", arn.rpartition(":")[2]))


def test_transcode_that_failed_is_told_of(
    ingest, ended, clients: Clients, receiver: Receiver, senders: dict[str, Sender]
):
    arn = ingest(**FILE)
    order = arn.rpartition(":")[2]
    assert eventually(
        lambda: [each for each in receiver.requests() if each.system == TRANSCODER and order in each.body]
    )
    report = {
        "type": "job.failed",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"order_id": order, "asset_id": "a"},
    }

    assert senders[TRANSCODER].send(json.dumps(report).encode()).status == 202

    assert (ended(arn)["status"], ended(arn)["error"]) == ("FAILED", "NotTranscoded")
    assert eventually(lambda: told_in_lake(clients, "transcode.failed", order))
