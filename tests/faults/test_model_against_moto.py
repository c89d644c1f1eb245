"""The model's DynamoDB gives our adapters the answers that moto's gives them, whatever they do in whatever order.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues, DynamoParkedMessages
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.core.failures import ProcessingError
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.delivery.ordering.latest_only import Position
from media_events.delivery.ordering.resequencer import Parked
from media_events.messaging.message import Message
from tests.fakes.hop import FakeClock
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.scheduler import CALM, World

TABLES = {"records": "pk", "limits": "item_id"}
KEYS = ("a", "b")
OWNERS = ("first", "second")


class Adapters:
    """What our functions do to one DynamoDB."""

    def __init__(self, records: Any, limits: Any, clock: FakeClock) -> None:
        self.clock = clock
        self.stores = {owner: DynamoIdempotencyStore(records, "records", owner=owner, clock=clock) for owner in OWNERS}
        self.positions = {
            owner: DynamoLatestPositions(records, "records", owner=owner, clock=clock) for owner in OWNERS
        }
        self.breaker = DynamoCircuitBreaker(records, "records", "cms", clock=clock)
        self.queues = DynamoKeyQueues(records, "records", clock=clock)
        self.parked = DynamoParkedMessages(records, "records", clock=clock)
        self.limiter = DynamoRateLimiter(limits, "limits", clock=clock)

    def answer(self, act: Act) -> Any:
        """The result, or the class and the code of the failure."""
        try:
            return act(self)
        except ProcessingError as error:
            return type(error).__name__, error.code


Act = Callable[[Adapters], Any]

keys, owners = st.sampled_from(KEYS), st.sampled_from(OWNERS)
seconds = st.sampled_from([0.0, 0.5, 10.0, 700.0])
positions = st.builds(Position, time=st.integers(0, 3), sequence=st.sampled_from([None, "1", "2"]))


def acts(call: Callable[..., Any], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Act]:
    return st.tuples(*arguments).map(lambda drawn: functools.partial(_act, call, drawn))


def _act(call: Callable[..., Any], drawn: tuple[Any, ...], on: Adapters) -> Any:
    return call(on, *drawn)


ACTS = st.one_of(
    acts(lambda on, key, owner, lease: on.stores[owner].acquire(f"i{key}", lease_seconds=lease), keys, owners, seconds),
    acts(lambda on, key, owner: on.stores[owner].complete(f"i{key}", result={"n": 1}), keys, owners),
    acts(lambda on, key, owner: on.stores[owner].release(f"i{key}"), keys, owners),
    acts(lambda on, key: on.stores["first"].done(f"i{key}"), keys),
    acts(
        lambda on, key, owner, position: on.positions[owner].claim(f"p{key}", position, lease_seconds=10.0),
        keys,
        owners,
        positions,
    ),
    acts(lambda on, key, owner, position: on.positions[owner].advance(f"p{key}", position), keys, owners, positions),
    acts(lambda on, key, owner: on.positions[owner].release(f"p{key}"), keys, owners),
    acts(lambda on, count: on.breaker.add_failures(count), st.integers(1, 3)),
    acts(lambda on, wait: on.breaker.open(until=on.clock() + wait, opened=1, suspect_only=False), seconds),
    acts(lambda on, wait: on.breaker.claim_probe(now=on.clock(), until=on.clock() + wait), seconds),
    acts(lambda on: on.breaker.close()),
    acts(lambda on: on.breaker.read()),
    acts(lambda on, key, version: on.queues.write(f"q{key}", KeyQueue(), version=version), keys, st.integers(0, 2)),
    acts(lambda on, key: on.queues.read(f"q{key}"), keys),
    acts(
        lambda on, key, token: on.parked.put(
            f"m{key}", Parked(Message(body="{}", message_id="m", receipt_handle="r"), token)
        ),
        keys,
        owners,
    ),
    acts(lambda on, key, token: on.parked.keep(f"m{key}", token), keys, owners),
    acts(lambda on, key, token: on.parked.let_go(f"m{key}", token), keys, owners),
    acts(lambda on, key: on.parked.get(f"m{key}"), keys),
    acts(lambda on, key, within: on.limiter.reserve(key, per_second=1.0, within=within), keys, seconds),
    acts(lambda on, key, burst: on.limiter.try_acquire(key, per_second=2.0, burst=burst), keys, seconds),
    acts(lambda on, wait: on.clock.sleep(wait), seconds),
)


@pytest.fixture(scope="module")
def moto():
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        for table, key in TABLES.items():
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            )
        yield client


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(acts=st.lists(ACTS, min_size=1, max_size=25))
def test_every_adapter_gets_the_same_answers_and_leaves_the_same_items(moto, acts):
    world = World(1, CALM)
    world.now = 0.0  # nothing has expired for long enough to be deleted, which moto never does
    tables = {name: Table(world, name, key) for name, key in TABLES.items()}
    of_model = Adapters(*tables.values(), FakeClock())
    of_moto = Adapters(moto, moto, FakeClock())
    try:
        for act in acts:
            assert of_model.answer(act) == of_moto.answer(act)
        for name, key in TABLES.items():
            kept = {item[key]["S"]: item for item in moto.scan(TableName=name)["Items"]}
            assert _comparable(tables[name].items) == _comparable(kept)
    finally:
        for name, key in TABLES.items():
            for item in moto.scan(TableName=name)["Items"]:
                moto.delete_item(TableName=name, Key={key: item[key]})


def _comparable(items: dict[str, Any]) -> Any:
    """Items with their numbers as numbers: 1.50 and 1.5 are one. The token of their last write is random."""
    known = {key: {name: value for name, value in item.items() if name != "written_by"} for key, item in items.items()}
    return json.loads(
        json.dumps(known), object_hook=lambda pair: {**pair, "N": float(pair["N"])} if "N" in pair else pair
    )
