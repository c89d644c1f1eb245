"""The model gives the answers that moto gives, whatever is asked in whatever order.

AWS's pages judge both. Where moto says something else than they do, nothing is compared, and ``test_aws_model`` holds
the model to the page alone:

- DynamoDB: moto deletes no expired item (…/amazondynamodb/latest/developerguide/TTL.html), has no other transaction
  that one could meet (``TransactionConflict``, …/transaction-apis.html), and refuses the repetition of a transaction by
  its own conditions where DynamoDB knows its token for ten minutes (…/APIReference/API_TransactWriteItems.html).
- SQS: moto forgets a deduplication id with its message; SQS keeps it for five minutes, also after the message was
  deleted (…/SQSDeveloperGuide/using-messagededuplicationid-property.html). Of several messages of a group that come
  back at once, it hands out the second one first (…/FIFO-queues-understanding-logic.html). It repeats and reorders no
  message of a standard queue.
- EventBridge: moto takes a request of any size (…/APIReference/API_PutEvents.html). It replays at once, whatever was
  archived and not the period alone, to every rule and not to those of ``FilterArns``, lets ten and more run, and
  cancels a completed replay (…/APIReference/API_StartReplay.html, API_CancelReplay.html).
- Step Functions: a name is taken for good in moto, in AWS for 90 days after the end (…/API_StartExecution.html).
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.sqs import models as sqs_models

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues, DynamoParkedMessages
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.adapters.eventbridge import EventBus
from media_events.core.failures import ProcessingError
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.delivery.ordering.latest_only import Position
from media_events.delivery.ordering.resequencer import Parked
from media_events.events.publisher import Publisher
from media_events.messaging.idempotency import Completion
from media_events.messaging.message import Message
from media_events_kit.ops.archive_replay import plan
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.shared.console import OperatorError
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock
from tests.fakes.partiql import teach_moto
from tests.faults.aws_model.archive import ARCHIVE_ARN, Archive, Events, StagingQueues
from tests.faults.aws_model.clients import StateMachines
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.eventbridge import Bus
from tests.faults.aws_model.scheduler import CALM, World
from tests.faults.aws_model.sqs import Queue

teach_moto()
TABLES = {"records": "pk", "limits": "item_id"}
REGION = "eu-west-1"
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


def _comparable_all(outcomes: Iterable[Any]) -> list[Any]:
    """Failures by class and code."""
    return [(type(one), one.code) if isinstance(one, ProcessingError) else one for one in outcomes]


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
    acts(
        lambda on, owner, lease: _comparable_all(on.stores[owner].acquire_all(["ia", "ib"], lease_seconds=lease)),
        owners,
        seconds,
    ),
    acts(
        lambda on, owner: _comparable_all(
            on.stores[owner].complete_all([Completion(key=f"i{key}", result={"n": 2}) for key in KEYS])
        ),
        owners,
    ),
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
def client():
    """One client of each service for all tests, in moto's AWS."""
    with mock_aws():
        yield functools.cache(
            lambda service: boto3.client(
                service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
            )
        )


@pytest.fixture(scope="module")
def moto(client):
    dynamodb = client("dynamodb")
    for table, key in TABLES.items():
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        )
    return dynamodb


# --- DynamoDB --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(acts=st.lists(ACTS, min_size=1, max_size=25))
def test_every_adapter_gets_the_same_answers_and_leaves_the_same_items(moto, acts):
    tables = _tables()
    of_model = Adapters(*tables.values(), FakeClock())
    of_moto = Adapters(moto, moto, FakeClock())
    with _same_items(tables, moto):
        for act in acts:
            assert of_model.answer(act) == of_moto.answer(act)


def _tables() -> dict[str, Table]:
    world = World(1, CALM)
    world.now = 0.0  # nothing has expired for long enough to be deleted, which moto never does
    return {name: Table(world, name, key) for name, key in TABLES.items()}


@contextlib.contextmanager
def _same_items(tables: dict[str, Table], moto: Any) -> Iterator[None]:
    """In the end both have the same items; moto's are deleted."""
    try:
        yield
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


conditions = st.sampled_from(
    [
        None,
        "attribute_not_exists(pk)",
        "version = :version",
        "attribute_exists(pk) AND version < :version",
        "attribute_not_exists(pk) OR version >= :version",
    ]
)


@st.composite
def writes(draw: st.DrawFn, key: str | None = None) -> tuple[str, dict[str, Any]]:
    """A kind of write, and its request."""
    kind = draw(st.sampled_from(["Put", "Update", "Delete"]))
    pk, version = {"S": key or draw(keys)}, {"N": str(draw(st.integers(0, 2)))}
    options: dict[str, Any] = {"TableName": "records"}
    if kind == "Put":
        options["Item"] = {"pk": pk, "version": version}
    else:
        options["Key"] = {"pk": pk}
    values = {}
    if kind == "Update":
        options["UpdateExpression"] = "SET version = :version ADD written :one"
        values = {":version": version, ":one": {"N": "1"}}
    if (condition := draw(conditions)) is not None:
        options["ConditionExpression"] = condition
        values |= {":version": version} if ":version" in condition else {}
    if values:
        options["ExpressionAttributeValues"] = values
    if draw(st.booleans()):
        options["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return kind, options


def _refusal(work: Callable[[], Any]) -> Any:
    """The code of a refusal, the item and the reasons that it tells; ``None`` if there was none."""
    try:
        work()
    except ClientError as error:
        answer: Any = error.response
        reasons = [reason["Code"] for reason in answer.get("CancellationReasons", [])]
        item = answer.get("Item")
        return answer["Error"]["Code"], item if item is None else _comparable(item), reasons
    return None


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(requests=st.lists(st.tuples(writes(), st.booleans()), min_size=1, max_size=12))
def test_a_conditional_write_and_its_repetition_fail_alike_and_tell_the_same_item(moto, requests):
    tables = _tables()
    with _same_items(tables, moto):
        for (kind, options), repeated in requests:
            # As botocore repeats a request whose answer was lost.
            for _ in range(2 if repeated else 1):
                answers = [
                    _refusal(functools.partial(getattr(service, f"{kind.lower()}_item"), **options))
                    for service in (tables["records"], moto)
                ]
                assert answers[0] == answers[1]


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(
    transactions=st.lists(
        st.tuples(writes("a"), writes("b"), writes()).flatmap(lambda drawn: st.sampled_from([drawn[:2], drawn])),
        min_size=1,
        max_size=6,
    )
)
def test_a_transaction_writes_all_or_nothing_for_the_same_reasons(moto, transactions):
    tables = _tables()
    with _same_items(tables, moto):
        for requests in transactions:
            items = [{kind: options} for kind, options in requests]
            answers = [
                _refusal(functools.partial(service.transact_write_items, TransactItems=items))
                for service in (tables["records"], moto)
            ]
            assert answers[0] == answers[1]


# --- SQS -------------------------------------------------------------------------------------------------------------

fifo_acts = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(["g", "h"]), st.sampled_from(["1", "2", "3"])),
    st.tuples(st.just("receive")),
    st.tuples(st.just("wait"), st.sampled_from([1, 31, 301])),
)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(acts=st.lists(fifo_acts, min_size=2, max_size=12))
def test_a_fifo_queue_drops_the_same_duplicates_and_holds_the_same_groups_back(client, acts):
    sqs, world = client("sqs"), World(1, CALM)
    queue = Queue(world, "model.fifo", visibility=30)
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "30"}
    url = sqs.create_queue(QueueName="moto.fifo", Attributes=attributes)["QueueUrl"]
    now = mock.patch.multiple(sqs_models, unix_time_millis=lambda: world.now * 1000, unix_time=lambda: world.now)
    try:
        with now:
            for number, (act, *given_) in enumerate(acts):
                if act == "wait":
                    world.now += given_[0]
                elif act == "send":
                    group, deduplication_id = given_
                    queue.send(str(number), {}, group_id=group, deduplication_id=deduplication_id)
                    sqs.send_message(
                        QueueUrl=url,
                        MessageBody=str(number),
                        MessageGroupId=group,
                        MessageDeduplicationId=deduplication_id,
                    )
                else:
                    of_moto = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", [])
                    of_model = queue.receive(1)
                    assert [message.body for message in of_model] == [message["Body"] for message in of_moto]
    finally:
        sqs.delete_queue(QueueUrl=url)


# --- EventBridge -----------------------------------------------------------------------------------------------------


@pytest.fixture
def buses(client):
    """The model's bus and moto's, each behind ``events`` and ``sqs``, with an archive."""
    events = client("events")
    arn = events.create_event_bus(Name="kit")["EventBusArn"]
    archive_arn = events.create_archive(ArchiveName="kit", EventSourceArn=arn)["ArchiveArn"]
    world, queues = World(1, CALM), {}
    model = Bus(world, "kit")
    yield {
        "model": (Events(Archive(model), queues, "operator"), StagingQueues(world, queues), model.arn, ARCHIVE_ARN),
        "moto": (events, client("sqs"), arn, archive_arn),
    }
    events.delete_archive(ArchiveName="kit")
    events.delete_event_bus(Name="kit")


@pytest.mark.parametrize("count", [1, 10, 11])
def test_put_events_takes_ten_entries(buses, count):
    entry = {"Source": "partner.mux", "DetailType": "asset.ready", "Detail": "{}", "EventBusName": "kit"}
    codes = []
    for events, *_ in buses.values():
        try:
            answer = events.put_events(Entries=[entry] * count)
            codes.append((answer["FailedEntryCount"], len(answer["Entries"])))
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes[0] == codes[1] == ((0, count) if count <= 10 else "ValidationException")


def test_every_chunk_of_the_publisher_is_taken_and_what_a_replay_collects_is_the_same(buses):
    collected = {}
    for name, (events, sqs, arn, archive_arn) in buses.items():
        publisher = Publisher(bus=EventBus(events, arn), max_entry_bytes=100_000)
        sizes = [10, 90_000, 90_000, 90_000, *[10] * 21]
        published = [
            make_event({"text": "x" * size}, id=f"evt-{number:06}", stage="transformed", source="partner.mux")
            for number, size in enumerate(sizes)
        ]
        assert publisher.publish(published) == [None] * len(sizes)
        collected[name] = sorted(_collected(events, sqs, arn, archive_arn))

    assert len(collected["model"]) == 25
    assert collected["model"] == collected["moto"]


def _collected(events: Any, sqs: Any, arn: str, archive_arn: str) -> Iterator[tuple[str, ...]]:
    """What the staging queue of a replay gets, and what StartReplay and its fellows refuse."""
    staging = Staging(
        events=events, sqs=sqs, bus=plan.Bus(bus_arn=arn, archive_arn=archive_arn, hops={}), replay_id="1"
    )
    now = events.archive.bus.world.now if isinstance(events, Events) else time.time()
    if isinstance(events, Events):
        events.archive.bus.world.now = now = now + 600  # every event is in the archive by then
    staging.prepare({"source": [{"prefix": "partner."}], "replay-name": [staging.name]})
    url = staging.queue_url()
    if isinstance(events, Events):
        events.archive.bus.world.now += 30
    staging.start(since=now - 3600, until=now + 5)
    if isinstance(events, Events):
        events.archive.bus.world.run()
        events.archive.bus.world.now += 300
    while messages := staging.receive(url):
        for message in messages:
            document = json.loads(message.body)
            yield document["replay-name"], document["source"], document["detail"]["metadata"]["id"]
        staging.delete(url, messages)
    assert staging.state().state == "COMPLETED"
    with pytest.raises(ProcessingError, match="ResourceAlreadyExistsException"):
        staging.start(since=now - 3600, until=now)
    unknown = replace(staging, replay_id="2")
    assert unknown.state().state == "FAILED"
    unknown.cancel()  # what is not there needs no cancelling
    with pytest.raises(ProcessingError, match="ValidationException"):
        staging.start(since=now, until=now - 1)
    staging.remove()
    with pytest.raises(OperatorError, match="is gone"):
        staging.queue_url()


# --- Step Functions --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["start", "end"]), st.sampled_from(["n", "m"]), st.sampled_from(['{"a":1}', "{}"])),
        min_size=1,
        max_size=10,
    )
)
def test_an_executions_name_finds_it_while_it_runs_and_is_refused_afterwards(client, acts):
    states, world = client("stepfunctions"), World(1, CALM)
    machine = states.create_state_machine(
        name="process",
        definition='{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/states",
    )["stateMachineArn"]
    model = StateMachines(world, lambda _name, _event: None)
    try:
        for act, name, text in acts:
            if act == "start":
                starts = [
                    functools.partial(service.start_execution, stateMachineArn=machine, name=name, input=text)
                    for service in (model, states)
                ]
                of_model, of_moto = map(_started, starts)
                assert of_model == of_moto
            elif name in model.executions:
                model.executions[name] = replace(model.executions[name], ends=world.now)
                states.stop_execution(executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
    finally:
        states.delete_state_machine(stateMachineArn=machine)


def _started(work: Callable[[], Any]) -> str:
    try:
        return str(work()["executionArn"])
    except ClientError as error:
        return str(error.response["Error"]["Code"])
