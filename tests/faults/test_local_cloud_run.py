"""How a run on the local cloud counts, with moto's tables, queues and logs in place of the local cloud's."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from tests.fakes.eventbridge_archive import ArchiveCloud
from tests.fakes.events import make_event
from tests.fakes.hop import bus_event
from tests.fakes.review_items import make_item
from tests.faults.conservation import Tally
from tests.faults.local_cloud.receivers import Receivers
from tests.faults.local_cloud.run import Mix, Run
from tests.faults.senders import Sent

RAW = Sent(1, "webhook", "raw", 1, 0.0)
WAITING = Sent(2, "sqs", "raw", 1, 0.0)
LOST = Sent(3, "custom-bus", "raw", 1, 0.0)


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        cloud = ArchiveCloud()
        logs = boto3.client("logs", region_name="eu-west-1")
        receivers = Receivers(0, seed=1, flap=0, fated=0, lose_answer=0)
        clients: Any = SimpleNamespace(dynamodb=cloud.dynamodb, sqs=cloud.sqs, logs=logs, stepfunctions=Machines())
        run = Run(
            clients=clients,
            outputs={
                "review_table_name": "review",
                "state_machine_arns": {"chaos-process": "arn:process"},
                "functions": {"route/chaos-search": "ways-local-chaos-search"},
            },
            receivers=receivers,
            addresses=None,  # type: ignore[arg-type]
            seed=1,
            mix=Mix(),
            events=(RAW, WAITING, LOST),
        )
        run._arrivals = cloud.sqs.create_queue(QueueName="arrivals")["QueueUrl"]
        run._archive = cloud.sqs.create_queue(QueueName="archive")["QueueUrl"]
        run._state = {"disturbed": [], "unconfirmed": []}
        yield run
        receivers.go_away()


class Machines:
    """No workflow has run."""

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"executions": []}])


def counted(run: Run, *accepted: Sent) -> Tally:
    tally = Tally()
    run._count(SimpleNamespace(accepted={event.mark for event in accepted}), tally)  # type: ignore[arg-type]
    return tally


def test_events_are_delivered_in_review_or_lost(run: Run):
    run.receivers.taken["chaos-search", RAW.mark] = [100.0]
    run.receivers.keys["chaos-search", RAW.mark] = {"k"}
    item = make_item(WAITING.mark, destination="chaos-search")
    DynamoReviewTable(run.clients.dynamodb, "review").create(item)

    tally = counted(run, RAW, WAITING, LOST)

    assert str(tally) == "accepted 3 delivered 1 review 1 lost 1 doubled 0 stuck 0"
    assert tally.problems == [f"{LOST.mark} (custom-bus, raw) is lost: chaos-search"]


def test_item_that_is_retried_while_nothing_is_on_its_way_is_stuck(run: Run):
    run.events = (RAW, WAITING)
    run.receivers.taken["chaos-search", RAW.mark] = [100.0]
    run.receivers.keys["chaos-search", RAW.mark] = {"k"}
    for event in run.events:
        item = make_item(event.mark, destination="chaos-search", status="RETRYING")
        DynamoReviewTable(run.clients.dynamodb, "review").create(item)

    tally = counted(run, *run.events)

    assert tally.stuck == 1
    assert tally.problems[-1] == f"{WAITING.mark} is being retried at chaos-search for good, and nobody is told"


def test_event_that_nobody_took_is_a_problem(run: Run):
    run.receivers.taken["chaos-search", RAW.mark] = [100.0]
    run.receivers.keys["chaos-search", RAW.mark] = {"k"}
    run.events = (RAW, LOST)
    assert counted(run, RAW).problems == [f"{LOST.mark} (custom-bus) was refused until its sender gave up"]


@pytest.mark.parametrize(
    ("state", "doubled"),
    [
        ({"disturbed": [], "unconfirmed": []}, 1),
        ({"disturbed": [("ways-local-chaos-search", RAW.mark, 90.0, 101.0)], "unconfirmed": []}, 0),
        ({"disturbed": [("ways-local-chaos-search", RAW.mark, 10.0, 20.0)], "unconfirmed": []}, 1),
        ({"disturbed": [("ways-local-chaos-cms", RAW.mark, 90.0, 101.0)], "unconfirmed": []}, 1),
        ({"disturbed": [], "unconfirmed": [("chaos-search", RAW.mark, 110.0)]}, 0),
        ({"disturbed": [], "unconfirmed": [("chaos-search", RAW.mark, 90.0)]}, 1),
    ],
)
def test_second_request_is_explained_only_by_a_fault_around_the_first(run: Run, state: Any, doubled: int):
    run.events = (RAW,)
    run.receivers.taken["chaos-search", RAW.mark] = [100.0, 200.0]
    run.receivers.keys["chaos-search", RAW.mark] = {"k"}
    run._state = state
    assert counted(run, RAW).doubled == doubled


def test_second_request_is_explained_by_a_deliverer_that_got_no_answer_in_time(run: Run):
    # CloudWatch Logs takes nothing from long ago.
    now = time.time()
    run.events = (RAW,)
    run.receivers.taken["chaos-search", RAW.mark] = [now - 100, now - 20]
    run.receivers.keys["chaos-search", RAW.mark] = {"k"}
    group = {"logGroupName": "/aws/lambda/ways-local-chaos-search"}
    run.clients.logs.create_log_group(**group)
    run.clients.logs.create_log_stream(**group, logStreamName="one")
    line = json.dumps({"message": "hop failed", "event_id": RAW.mark, "reason": "timeout"})
    run.clients.logs.put_log_events(
        **group, logStreamName="one", logEvents=[{"timestamp": int(now - 60) * 1000, "message": line}]
    )

    tally = counted(run, RAW)

    assert (tally.repeated, tally.doubled) == (1, 0)
    assert [line.partition(" ")[2] for line in run.story(RAW.mark)] == [
        "chaos-search took it",
        "ways-local-chaos-search: hop failed timeout",
        "chaos-search took it",
    ]


def test_events_of_a_fifo_ingress_must_be_on_the_bus_in_order(run: Run):
    run.events = tuple(Sent(number, "sns-fifo", "raw", 1, 0.0) for number in (1, 2))
    for event in reversed(run.events):
        place = ("chaos-search", event.mark)
        run.receivers.taken[place], run.receivers.keys[place] = [100.0], {"k"}
        run.clients.sqs.send_message(QueueUrl=run._arrivals, MessageBody=bus_event(make_event(id=event.mark)))
        assert run._collect()
    assert not run._collect()
    (problem,) = counted(run, *run.events).problems
    assert "was published after" in problem
