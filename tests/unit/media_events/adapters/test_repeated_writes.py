"""Conditional writes whose answer is lost: botocore repeats them by itself, here against moto's DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.delivery.ordering.latest_only import Position
from media_events.messaging.idempotency import Completion
from tests.fakes import dynamodb
from tests.fakes.review_items import make_item

NOW = 1_790_000_000.0


class LostAnswers:
    """Loses the first answer to each write, whether it says yes or no."""

    def __init__(self) -> None:
        self.repeated: list[str] = []

    def __call__(self, *, operation: Any, attempts: int, **_: Any) -> float | None:
        if attempts > 1 or operation.name in ("GetItem", "Query"):
            return None
        self.repeated.append(operation.name)
        return 0


@pytest.fixture
def lost() -> LostAnswers:
    return LostAnswers()


@pytest.fixture
def client(lost: LostAnswers) -> Iterator[Any]:
    with dynamodb.table("pk") as client:
        client.meta.events.register_first("needs-retry.dynamodb", lost)
        yield client


def clock() -> float:
    return NOW


def test_claim_is_known_as_our_own_and_another_attempt_is_told_that_it_is_in_progress(client, lost):
    ours, theirs = (DynamoIdempotencyStore(client, "table", owner=owner, clock=clock) for owner in ("a", "b"))

    assert ours.acquire("key", lease_seconds=60).state == "owned"
    assert lost.repeated == ["PutItem"]
    assert theirs.acquire("key", lease_seconds=60).state == "in-progress"


def test_second_claim_of_the_same_attempt_is_no_repetition_of_the_first(client):
    ours = DynamoIdempotencyStore(client, "table", owner="a", clock=clock)
    ours.acquire("key", lease_seconds=60)

    assert ours.acquire("key", lease_seconds=60).state == "in-progress"


def test_completion_and_release_are_no_failures(client):
    ours = DynamoIdempotencyStore(client, "table", owner="a", clock=clock)
    for key in ("done", "released"):
        ours.acquire(key, lease_seconds=60)

    ours.complete("done")
    ours.release("released")

    assert ours.acquire("done", lease_seconds=60).state == "done"
    assert ours.acquire("released", lease_seconds=60).state == "owned"


def test_claims_of_a_batch_are_known_as_our_own(client, lost):
    ours, theirs = (DynamoIdempotencyStore(client, "table", owner=owner, clock=clock) for owner in ("a", "b"))
    keys = ("first", "second")

    assert [one.state for one in ours.acquire_all(keys, lease_seconds=60)] == ["owned", "owned"]  # type: ignore[union-attr]
    assert lost.repeated[0] == "BatchExecuteStatement"
    assert [one.state for one in theirs.acquire_all(keys, lease_seconds=60)] == ["in-progress"] * 2  # type: ignore[union-attr]

    assert ours.complete_all([Completion(key=key) for key in keys]) == [None, None]
    assert [one.state for one in theirs.acquire_all(keys, lease_seconds=60)] == ["done"] * 2  # type: ignore[union-attr]


def test_probe_of_a_half_open_circuit_breaker_is_held_by_the_one_who_claimed_it(client):
    breaker = DynamoCircuitBreaker(client, "table", "cms", clock=clock)
    breaker.open(until=NOW - 1, opened=1, suspect_only=False)

    assert breaker.claim_probe(now=NOW, until=NOW + 60)
    assert not breaker.claim_probe(now=NOW, until=NOW + 60)


def test_write_of_a_key_queue_is_no_conflict_with_itself(client):
    key_queues = DynamoKeyQueues(client, "table", clock=clock)

    assert key_queues.write("key", KeyQueue(), version=0)
    assert key_queues.write("key", KeyQueue(), version=1)
    assert not key_queues.write("key", KeyQueue(), version=1)


def test_delivered_position_is_recorded_and_its_key_free_again(client):
    ours, theirs = (DynamoLatestPositions(client, "table", owner=owner, clock=clock) for owner in ("a", "b"))
    first, second = Position(time=1, sequence=None), Position(time=2, sequence=None)

    assert ours.claim("key", second, lease_seconds=60) == "claimed"
    ours.advance("key", second)

    assert theirs.claim("key", first, lease_seconds=60) == "superseded"
    assert theirs.claim("key", second, lease_seconds=60) == "claimed"
    theirs.release("key")
    assert ours.claim("key", second, lease_seconds=60) == "claimed"


def test_writes_to_the_review_table_are_transactions_which_dynamodb_knows_again_by_their_token():
    sent: list[dict[str, Any]] = []
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        dynamodb.create_review_table(client, "table")
        client.meta.events.register(
            "before-call.dynamodb", lambda model, params, **_: sent.append({model.name: json.loads(params["body"])})
        )
        table = DynamoReviewTable(client, "table")
        item = make_item()
        table.create(item)
        table.update(replace(item, version=2), over=item)
        table.announce("group", now=NOW, quiet_seconds=60)

    tokens = [body["TransactWriteItems"].get("ClientRequestToken") for body in sent if "TransactWriteItems" in body]
    assert len(set(tokens)) == 3
    assert None not in tokens
