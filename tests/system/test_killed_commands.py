"""Two operators at one group, and commands that are killed: real processes, on the local cloud.

tests/unit/ops/review/test_bulk_operations.py has ten thousand items, on a model; here the processes are real.
`bench/review_group.py` does it with ten thousand.

Nothing is deployed but the tables and a queue. The command is the operator's own, with AWS's SDK behind it; a thread
plays the destination, which writes the idempotency record.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest

from media_events.adapters.dynamodb.group_counts import GROUPS
from media_events.adapters.dynamodb.review_items import DynamoReviewTable, _stored, _to_dynamo
from media_events.delivery.deliverer import destination_key
from media_events.recovery.review_item import ReturnTo
from media_events_kit.kit_files import KIT
from media_events_kit.ops.local import endpoint, lifecycle, process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.review import bulk_operations
from media_events_kit.ops.review.queries import Query, walk
from media_events_kit.ops.review.store import DynamoRecords
from tests.fakes.audit_log import create_audit
from tests.fakes.dynamodb import create_review_table
from tests.fakes.review_items import make_item
from tests.system.polling import SECONDS

ITEMS = 400
RATE = "20"
"""Slow enough for a command to be met in the middle, however busy the machine is."""


class Place:
    """A review table with many open items of one group, their queue, and the destination behind it."""

    def __init__(self, record, count=ITEMS):
        self.environment = {
            **record.variables(),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{KIT / 'lambda_src'}:{KIT}",
        }
        clients = Clients(record)
        self.dynamodb, self.sqs = clients.dynamodb, clients.sqs
        create_review_table(self.dynamodb, "review")
        create_audit(clients.s3, self.dynamodb, "review")
        self.dynamodb.create_table(
            TableName="idempotency",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        self.queue = self.sqs.create_queue(QueueName="cms")["QueueUrl"]
        self.table = DynamoReviewTable(self.dynamodb, "review")
        self.records = DynamoRecords(self.dynamodb, "review")
        self._fill(count)
        self.sent = Counter()
        self.over = threading.Event()
        self.destination = threading.Thread(target=self._deliver)
        self.destination.start()

    def _fill(self, count):
        template = make_item(return_to=ReturnTo(kind="queue", queue_url=self.queue), body=None)
        body = make_item("evt-#").body
        rows = []
        for number in range(count):
            moment = f"2026-11-22T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
            item = replace(
                template,
                item_id=f"{number:020x}",
                event_id=f"evt-{number}",
                body=body.replace("evt-#", f"evt-{number}"),
                last_failed_at=moment,
            )
            rows.append({name: _to_dynamo(value) for name, value in _stored(item).items()})
        counts = dict.fromkeys(("items_open", "waiting", "opened"), str(count))
        texts = {"item_id": "group/g-1", "register": GROUPS, "last_opened_at": moment, "first_opened_at": moment}
        rows.append({name: {"N": number} for name, number in counts.items()} | {n: {"S": t} for n, t in texts.items()})
        for start in range(0, len(rows), 25):
            puts = [{"PutRequest": {"Item": row}} for row in rows[start : start + 25]]
            assert not self.dynamodb.batch_write_item(RequestItems={"review": puts}).get("UnprocessedItems")

    def _deliver(self):
        """The destination: takes what is sent, once per event, and confirms it in the idempotency store."""
        while not self.over.is_set():
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                event_id = json.loads(message["Body"])["detail"]["metadata"]["id"]
                self.sent[event_id] += 1
                expires = str(int(time.time()) + 3600)
                entry = {"state": {"S": "done"}, "expires": {"N": expires}}
                key = destination_key("partner.mux", event_id, "cms")
                self.dynamodb.put_item(TableName="idempotency", Item={"pk": {"S": key}, **entry})

    def command(self, *arguments, idempotency=True):
        idempotency_stores = ["--idempotency-table", "idempotency"] if idempotency else []
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "media_events_kit.ops",
                "review",
                *arguments,
                "--table",
                "review",
                *idempotency_stores,
                "--json",
            ],
            env=self.environment,
            cwd=KIT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def retrying(self, limit):
        return self.command("retry", "--group", "g-1", "--limit", str(limit), "--rate", RATE, "--canary", "5")

    def operation(self, running):
        """The id of the operation that a command has begun: its first line tells."""
        line = running.stderr.readline()
        while not line.startswith("operation "):
            assert line, running.communicate()
            line = running.stderr.readline()
        return line.split()[1].rstrip(":")

    def until(self, check):
        deadline = time.monotonic() + SECONDS
        while not check():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def end(self):
        self.until(lambda: self.waiting() == 0)
        self.over.set()
        self.destination.join()

    def waiting(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        depth = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(map(int, depth.values()))


@pytest.fixture(name="place")
def _place(tmp_path):
    paths = LocalPaths(tmp_path / "cloud")
    paths.root.mkdir(parents=True)
    place = None
    try:
        place = Place(endpoint.start(paths, region="eu-west-1", port=None))
        yield place
    finally:
        if place is not None:
            place.over.set()
            place.destination.join()
        lifecycle.down(paths)


def test_two_operators_a_kill_and_a_cancel_and_none_is_sent_twice(place):
    # One operator's command is killed in the middle, after its canaries; another one works at the same group meanwhile.
    first = place.retrying(40)
    operation = place.operation(first)
    # It stands still until the other one is at work, however long that takes to start.
    first.send_signal(signal.SIGSTOP)
    second = place.retrying(25)
    place.operation(second)
    first.send_signal(signal.SIGCONT)
    place.until(lambda: place.records.operation(operation).taken >= 12)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert place.records.operation(operation).state == "running"

    # It is resumed, cancelled by somebody else, and resumed once more.
    before = place.records.operation(operation).taken
    resumed = place.command("resume", operation)
    place.until(lambda: place.records.operation(operation).taken > before or resumed.poll() is not None)
    cancelled = bulk_operations.cancel(place.records, operation)
    output, problem = resumed.communicate()
    assert json.loads(output)["state"] == ("completed" if cancelled is None else "cancelled"), problem
    last, problem = place.command("resume", operation).communicate()
    assert cancelled is None or json.loads(last)["state"] == "completed", problem
    assert json.loads(second.communicate()[0])["state"] == "completed"
    place.end()

    assert set(place.sent.values()) == {1}
    # Of what was taken when the command was killed, up to eight may not have gone out.
    assert 65 - 8 <= len(place.sent) <= 65
    # The canaries, oldest first.
    assert {f"evt-{number}" for number in range(5)} <= set(place.sent)
    group = place.table.group("g-1")
    assert sum(group.counts.values()) == ITEMS
    assert group.counts["OPEN"] == len(list(walk(place.table, Query(statuses=("OPEN",), group="g-1"))))


def test_a_local_cloud_that_is_killed_leaves_nothing_on_its_port(tmp_path):
    paths = LocalPaths(tmp_path / "cloud")
    paths.root.mkdir(parents=True)
    record = endpoint.start(paths, region="eu-west-1", port=None)
    try:
        os.kill(record.pid, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while not process.port_is_free(record.port) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.port_is_free(record.port)
        assert endpoint.health(record) is None
    finally:
        lifecycle.down(paths)
