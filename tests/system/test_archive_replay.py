"""Replays from the archive of the deployed bus, by operators with the policies that the kit gives out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import client_environment
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE
from tests.system.polling import SECONDS

Replay = Callable[..., "subprocess.CompletedProcess[str]"]
START = ("start", "--since", "3h", "--settle", "0", "--partner", "frameio")


@pytest.fixture(scope="module", name="replay")
def _replay(demonstration: Any, clients: Clients, outputs: dict[str, Any]) -> Replay:
    """Run `media-events archive-replay` as a user with one of the operators' policies."""
    iam = clients.iam
    keys = {}
    for policy in ("archive_replay", "repeat_effects"):
        iam.create_user(UserName=policy)
        document = outputs["operator_policies"][policy]
        iam.put_user_policy(UserName=policy, PolicyName=policy, PolicyDocument=document)
        keys[policy] = iam.create_access_key(UserName=policy)["AccessKey"]

    def run(policy: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        key = keys[policy]
        environment = client_environment(clients.record, os.environ) | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "PYTHONPATH": f"{KIT / 'lambda_src'}{os.pathsep}{KIT}",
            DIRECTORY_VARIABLE: str(demonstration.paths.directory),
        }
        return subprocess.run(
            [sys.executable, "-m", "media_events_kit.ops", "archive-replay", *arguments, "--json"],
            env=environment,
            cwd=KIT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def requests_of(receiver: Receiver) -> Counter[str]:
    """How often each system was called."""
    return Counter(request.system for request in receiver.requests())


def left_behind(clients: Clients, outputs: dict[str, Any]) -> list[str]:
    rules = [rule["Name"] for rule in clients.events.list_rules(EventBusName=outputs["bus_name"])["Rules"]]
    queues = clients.sqs.list_queues().get("QueueUrls", [])
    return [name for name in [*rules, *queues] if "-replay-" in name]


def test_dry_run_finds_that_the_idempotency_store_has_every_delivery(
    replay: Replay, receiver: Receiver, clients: Clients, outputs: dict[str, Any]
):
    before = requests_of(receiver)

    done = replay("archive_replay", *START, "--dry-run", "--route", "ready-to-cms")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["state"] == "completed"
    assert document["counts"] == {"route/ready-to-cms": {"suppressed": 1}}
    assert document["by"].endswith(":user/archive_replay")
    assert requests_of(receiver) == before
    assert left_behind(clients, outputs) == []


def test_replay_has_no_effect_that_has_happened(replay: Replay, receiver: Receiver, outputs: dict[str, Any]):
    before = requests_of(receiver)

    done = replay("archive_replay", *START)

    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["counts"]
    assert set(counts) == {
        "route/comments-to-review-tool",
        "route/everything-to-lake",
        "route/ready-to-cms",
        "route/ready-to-ingest",
        "route/steps-to-planning",
    }
    assert all(set(kinds) == {"suppressed"} for kinds in counts.values())
    assert requests_of(receiver) == before
    assert outputs["archive_replay"]["archive_arn"]


@pytest.fixture(scope="module", name="long_ago")
def _long_ago(clients: Clients, outputs: dict[str, Any]) -> None:
    """What was delivered was delivered an hour before: within the clocks' skew an effect may be the replay's own."""
    table = outputs["archive_replay"]["hops"]["route/ready-to-cms"]["idempotency_table"]["name"]
    for record in clients.dynamodb.scan(TableName=table)["Items"]:
        if record.get("state") == {"S": "done"} and "at" in record:
            hour_before = str(float(record["at"]["N"]) - 3600)
            clients.dynamodb.put_item(TableName=table, Item={**record, "at": {"N": hour_before}})


@pytest.mark.usefixtures("long_ago")
def test_effects_are_not_repeated_by_who_may_not(
    replay: Replay, receiver: Receiver, clients: Clients, outputs: dict[str, Any]
):
    before = requests_of(receiver)

    done = replay("archive_replay", *START, "--route", "ready-to-cms", "--repeat-effects", "--reason", "a test")

    assert done.returncode == 1
    assert json.loads(done.stdout)["state"] == "stopped"
    assert "access" in done.stdout.lower()
    assert requests_of(receiver) == before
    # What it had collected waits for somebody who may, or for its end.
    assert len(left_behind(clients, outputs)) == 2
    assert replay("archive_replay", "cancel", json.loads(done.stdout)["replay_id"]).returncode == 0
    assert left_behind(clients, outputs) == []


@pytest.mark.usefixtures("long_ago")
def test_effects_are_repeated_at_that_route_alone_by_who_may(replay: Replay, receiver: Receiver):
    before = requests_of(receiver)
    arguments = ("--route", "ready-to-cms", "--repeat-effects", "--reason", "CMS was restored")

    done = replay("repeat_effects", *START, *arguments)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"route/ready-to-cms": {"repeated": 1}}
    deadline = time.monotonic() + SECONDS
    while requests_of(receiver) == before and time.monotonic() < deadline:
        time.sleep(0.3)
    assert requests_of(receiver) - before == Counter({"cms": 1})
    # The receiver can tell that it is the same event.
    taken = [request for request in receiver.requests() if (request.system, request.status) == ("cms", 200)]
    assert 2 in Counter(request.headers["idempotency-key"] for request in taken).values()
