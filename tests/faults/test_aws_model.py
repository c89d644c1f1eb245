"""The model does what AWS documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from tests.faults.aws_model.archive import Archive, Events
from tests.faults.aws_model.clients import S3, StateMachines
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.eventbridge import Bus, Rule
from tests.faults.aws_model.scheduler import CALM, Killed, World
from tests.faults.aws_model.sqs import EventSourceMapping, Queue


@pytest.fixture
def world():
    return World(1, CALM)


def code_of(caught):
    return caught.value.response["Error"]["Code"]


# --- SQS -------------------------------------------------------------------------------------------------------------


def test_a_received_message_is_hidden_until_its_visibility_timeout(world):
    queue = Queue(world, "plain", visibility=30)
    queue.send("evt-000001", {})
    world.now += 3

    assert [m.body for m in queue.receive(10)] == ["evt-000001"]
    assert queue.receive(10) == []
    world.now += 31
    assert [m.receive_count for m in queue.receive(10)] == [2]


def test_what_was_received_too_often_is_moved_with_its_id_and_attributes(world):
    dead = Queue(world, "dead")
    queue = Queue(world, "plain", visibility=1, max_receive_count=2, dead_letters=dead)
    attributes = {"redrivecount": {"dataType": "Number", "stringValue": "1"}}
    identity = queue.send("evt-000001", attributes)
    for _ in range(3):
        world.now += 3
        queue.receive(10)

    (moved,) = dead.receive(10)
    assert (moved.message_id, moved.attributes) == (identity, attributes)
    assert dead.record(moved)["attributes"]["DeadLetterQueueSourceArn"] == queue.arn
    assert not queue.messages


def test_a_fifo_group_waits_for_its_message_in_flight_and_other_groups_do_not(world):
    queue = Queue(world, "ordered.fifo", visibility=30)
    for number, group in enumerate(("a", "a", "b"), start=1):
        queue.send(f"evt-{number:06}", {}, group_id=group, deduplication_id=str(number))

    (first,) = queue.receive(1)
    assert [m.body for m in queue.receive(10)] == ["evt-000003"]
    queue.delete(first)
    assert [m.body for m in queue.receive(10)] == ["evt-000002"]


def test_a_fifo_duplicate_is_dropped_for_five_minutes(world):
    queue = Queue(world, "ordered.fifo")
    queue.send("one", {}, group_id="a", deduplication_id="x")
    queue.send("one", {}, group_id="a", deduplication_id="x")
    assert len(queue.messages) == 1
    world.now += 301
    queue.send("one", {}, group_id="a", deduplication_id="x")
    assert len(queue.messages) == 2


def test_a_fifo_duplicate_of_a_deleted_message_is_dropped_too(world):
    queue = Queue(world, "ordered.fifo")
    queue.send("one", {}, group_id="a", deduplication_id="x")
    queue.delete(*queue.receive(1))
    queue.send("one", {}, group_id="a", deduplication_id="x")
    assert not queue.messages


def test_a_fifo_groups_messages_come_back_in_their_order(world):
    queue = Queue(world, "ordered.fifo", visibility=30)
    for number in range(2):
        queue.send(str(number), {}, group_id="a", deduplication_id=str(number))
    queue.receive(2)
    world.now += 31
    assert [message.body for message in queue.receive(1)] == ["0"]


@pytest.mark.parametrize(
    ("name", "body", "options"),
    [
        ("plain", "x" * 262_145, {}),
        ("plain", "x", {"delay": 901}),
        ("plain", "x", {"group_id": "a", "deduplication_id": "x"}),
        ("ordered.fifo", "x", {}),
        ("ordered.fifo", "x", {"group_id": "a", "deduplication_id": "x", "delay": 1}),
    ],
)
def test_what_sqs_does_not_take_is_refused(world, name, body, options):
    with pytest.raises(ClientError) as caught:
        Queue(world, name).send(body, {}, **options)
    assert code_of(caught) == "InvalidParameterValue"


def test_an_old_receipt_handle_changes_no_visibility(world):
    queue = Queue(world, "plain", visibility=5)
    queue.send("x", {})
    world.now += 3
    old = queue.receive(1)[0].receipt
    world.now += 6
    queue.receive(1)

    with pytest.raises(ClientError):
        queue.set_visibility(old, 60)


def test_a_standard_queue_hands_out_twice_where_chance_wants_it():
    world = World(1, replace(CALM, duplicate=1.0))
    queue = Queue(world, "plain", visibility=600)
    queue.send("evt-000001", {})
    world.now += 3
    queue.receive(1)
    world.now += 3

    assert len(queue.receive(1)) == 1


# --- Lambda ----------------------------------------------------------------------------------------------------------


def test_only_what_the_answer_does_not_name_is_deleted(world):
    queue = Queue(world, "plain", visibility=1000)
    queue.send("good", {})
    bad = queue.send("bad", {})
    EventSourceMapping(queue, "f", lambda _event, _invocation: {"batchItemFailures": [{"itemIdentifier": bad}]}).wake(
        world.now + 3
    )
    world.run(until=world.now + 10)

    assert list(queue.messages) == [bad]


def test_a_crash_leaves_the_whole_batch(world):
    def die(_event, _invocation):
        raise Killed

    queue = Queue(world, "plain", visibility=1000)
    queue.send("one", {})
    queue.send("two", {})
    EventSourceMapping(queue, "f", die).wake(world.now + 3)
    world.run(until=world.now + 10)

    assert len(queue.messages) == 2
    assert all(message.receive_count == 1 for message in queue.messages.values())


def test_a_function_that_runs_out_of_time_is_killed(world):
    with pytest.raises(Killed):
        world.invoke("f", 30, lambda _invocation: world.pause(31))


# --- EventBridge -----------------------------------------------------------------------------------------------------


def entry(**detail):
    return {"Source": "partner.mux", "DetailType": "asset.ready", "Detail": json.dumps(detail)}


def test_an_event_reaches_every_rule_that_it_matches(world):
    bus, queues = Bus(world, "kit"), [Queue(world, name) for name in ("one", "two", "none", "dead")]
    for queue, kind in zip(queues, ("a", "a", "b"), strict=False):
        bus.rules.append(
            Rule(name=queue.name, pattern={"detail": {"kind": [kind]}}, target=queue, dead_letters=queues[3])
        )
    bus.put_events(Entries=[entry(kind="a")])
    world.run()

    assert [len(queue.messages) for queue in queues] == [1, 1, 0, 0]


def test_what_a_target_does_not_take_is_dead_lettered_with_its_rule():
    world = World(1, replace(CALM, undeliverable=1.0))
    bus, target, dead = Bus(world, "kit"), Queue(world, "target"), Queue(world, "dead")
    bus.rules.append(Rule(name="r", pattern={"source": ["partner.mux"]}, target=target, dead_letters=dead))
    bus.put_events(Entries=[entry(kind="a")])
    world.run()

    (dead_letter,) = dead.messages.values()
    assert dead_letter.attributes["RULE_ARN"]["stringValue"].endswith("rule/kit/r")
    assert not target.messages


def test_some_entries_of_a_call_may_be_refused():
    world = World(4, replace(CALM, refuse=0.4))
    bus = Bus(world, "kit")
    answers = []
    for _ in range(20):
        try:
            answers += bus.put_events(Entries=[entry(id=f"evt-{n:06}") for n in range(10)])["Entries"]
        except ClientError:
            continue

    assert {"ErrorCode" in answer for answer in answers} == {True, False}


def test_eleven_entries_are_refused(world):
    with pytest.raises(ClientError) as caught:
        Bus(world, "kit").put_events(Entries=[entry()] * 11)
    assert code_of(caught) == "ValidationException"


# --- DynamoDB --------------------------------------------------------------------------------------------------------


def test_a_conditional_put_decides_between_two(world):
    table = Table(world, "t", "pk")
    world.now = 0.0
    condition = {
        "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now OR (#s = :started AND lease <= :now)",
        "ExpressionAttributeNames": {"#s": "state"},
        "ExpressionAttributeValues": {":now": {"N": "10"}, ":started": {"S": "started"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    item = {"pk": {"S": "k"}, "state": {"S": "started"}, "lease": {"N": "20"}, "expires": {"N": "100"}}
    table.put_item(Item=item, **condition)

    with pytest.raises(ClientError) as caught:
        table.put_item(Item=item, **condition)
    assert code_of(caught) == "ConditionalCheckFailedException"
    assert caught.value.response["Item"] == item

    condition["ExpressionAttributeValues"][":now"] = {"N": "20"}
    table.put_item(Item=item, **condition)


def test_updates_set_add_and_remove(world):
    table = Table(world, "t", "pk")
    table.update_item(
        Key={"pk": {"S": "k"}},
        UpdateExpression="ADD n :two SET #a = :text",
        ExpressionAttributeNames={"#a": "a"},
        ExpressionAttributeValues={":two": {"N": "2"}, ":text": {"S": "x"}},
    )
    found = table.update_item(
        Key={"pk": {"S": "k"}},
        UpdateExpression="ADD n :two REMOVE a",
        ExpressionAttributeValues={":two": {"N": "2"}},
    )
    assert found["Attributes"] == {"pk": {"S": "k"}, "n": {"N": "4"}}


def test_of_a_transaction_all_writes_are_made_or_none(world):
    table = Table(world, "t", "pk")
    condition = "attribute_not_exists(pk)"
    put = {"Put": {"TableName": "t", "Item": {"pk": {"S": "k"}}, "ConditionExpression": condition}}
    count = {
        "Update": {
            "TableName": "t",
            "Key": {"pk": {"S": "count"}},
            "UpdateExpression": "SET first = if_not_exists(first, :text) ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":text": {"S": "x"}},
        }
    }
    table.transact_write_items(TransactItems=[put, count])
    with pytest.raises(ClientError) as caught:
        table.transact_write_items(TransactItems=[put, count])
    assert code_of(caught) == "TransactionCanceledException"
    assert table.items["k"] == {"pk": {"S": "k"}}
    assert table.items["count"] == {"pk": {"S": "count"}, "first": {"S": "x"}, "n": {"N": "1"}}


def test_the_repetition_of_a_transaction_is_known_by_its_token():
    table = Table(World(1, replace(CALM, repeat=1.0)), "t", "pk")
    put = {"Put": {"Item": {"pk": {"S": "k"}}, "ConditionExpression": "attribute_not_exists(pk)"}}
    table.transact_write_items(TransactItems=[put])
    assert "k" in table.items


def test_an_answer_may_be_lost_although_the_write_is_there():
    world = World(1, replace(CALM, lose_answer=1.0))
    table = Table(world, "t", "pk")

    with pytest.raises(Exception, match="Read timeout"):
        table.put_item(Item={"pk": {"S": "k"}})
    assert "k" in table.items


# --- loop detection --------------------------------------------------------------------------------------------------


def looping(world, *, through=None):
    """A function that sends what it receives to its own queue, or by ``through``. Returns the runs, and the queues."""
    dead = Queue(world, "dead")
    queue = Queue(world, "plain", visibility=1, max_receive_count=2, dead_letters=dead)
    runs = []

    def handler(event, _invocation):
        runs.append(event["Records"][0]["body"])
        if len(runs) < 40:
            (through or queue.send)("evt-000001", {})
        return {"batchItemFailures": []}

    EventSourceMapping(queue, "route/cms", handler)
    queue.send("evt-000001", {})
    world.run()
    return runs, queue, dead


def test_a_function_is_stopped_that_a_chain_has_invoked_sixteen_times(world):
    runs, queue, dead = looping(world)

    assert len(runs) == 16
    assert world.dropped == {"route/cms": 2}
    (moved,) = dead.receive(10)
    assert (moved.moved_from, moved.lineage) == (queue.arn, {"route/cms": 16})


def test_a_function_that_may_loop_is_not_stopped(world):
    world.may_loop.add("route/cms")
    runs, _, _ = looping(world)

    assert len(runs) == 40
    assert not world.dropped


def test_a_chain_ends_at_the_bus(world):
    bus = Bus(world, "kit")
    entry = {"Source": "partner.mam", "DetailType": "asset.ready", "Detail": json.dumps({"id": "evt-000001"})}
    runs, queue, dead = looping(world, through=lambda *_: bus.put_events(Entries=[entry]))
    assert len(runs) == 1
    bus.rules.append(Rule(name="cms", pattern={"source": ["partner.mam"]}, target=queue, dead_letters=dead))
    bus.put_events(Entries=[entry])
    world.run()

    assert len(runs) == 40
    assert not world.dropped


# --- what only long or unlucky runs meet ---------------------------------------------------------------------------


def test_two_invocations_interleave_between_their_requests(world):
    table, steps = Table(world, "t", "pk"), []

    def work(name):
        for number in range(3):
            table.put_item(Item={"pk": {"S": f"{name}{number}"}})
            steps.append(name)

    for name in ("a", "b"):
        world.at(world.now, lambda name=name: world.invoke(name, 30, lambda _invocation: work(name), subject=name))
    world.run()

    assert sorted(steps) == ["a"] * 3 + ["b"] * 3
    assert steps not in (["a"] * 3 + ["b"] * 3, ["b"] * 3 + ["a"] * 3)


def test_an_expired_item_is_deleted_within_two_days(world):
    table = Table(world, "t", "pk")
    table.put_item(Item={"pk": {"S": "k"}, "expires": {"N": str(int(world.now))}})
    there = [bool(table.get_item(Key={"pk": {"S": "k"}}))]
    world.now += 2 * 86_400
    there.append(bool(table.get_item(Key={"pk": {"S": "k"}})))

    assert there == [True, False]


def test_a_transaction_that_meets_another_is_cancelled():
    table = Table(World(1, replace(CALM, conflict=1.0)), "t", "pk", transactions=True)
    with pytest.raises(ClientError) as caught:
        table.transact_write_items(TransactItems=[{"Put": {"Item": {"pk": {"S": "k"}}}}])
    assert caught.value.response["CancellationReasons"] == [{"Code": "TransactionConflict"}]


def test_a_message_is_forgotten_two_weeks_after_it_was_first_sent(world):
    dead = Queue(world, "dead")
    queue = Queue(world, "plain", visibility=1, max_receive_count=1, dead_letters=dead)
    queue.send("evt-000001", {})
    world.now += 13 * 86_400
    queue.receive(10)
    world.now += 3
    queue.receive(10)
    assert len(dead.messages) == 1
    world.now += 86_400
    assert dead.receive(10) == []
    assert not dead.messages


def test_an_executions_name_is_taken_for_ninety_days_after_its_end(world):
    began = []
    machines = StateMachines(world, lambda name, _event: began.append(name))
    arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:process"
    machines.start_execution(stateMachineArn=arn, name="one", input="evt-000001")
    world.now += 15 * 86_400
    with pytest.raises(ClientError) as caught:
        machines.start_execution(stateMachineArn=arn, name="one", input="evt-000001")
    assert code_of(caught) == "ExecutionAlreadyExists"
    world.now += 76 * 86_400
    machines.start_execution(stateMachineArn=arn, name="one", input="evt-000001")

    assert began == ["one", "one"]


# --- the archive -----------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(world):
    """An archive with three events of three minutes, and two rules that match them."""
    bus = Bus(world, "kit")
    for name in ("one", "two"):
        target = Queue(world, name)
        bus.rules.append(Rule(name=name, pattern={"source": ["partner.mux"]}, target=target))
    for number in range(3):
        bus.put_events(Entries=[entry(id=f"evt-{number:06}")])
        world.now += 60
    world.now += 3600
    world.run()
    for rule in bus.rules:
        rule.target.messages.clear()
    return Archive(bus)


def replay(archive, world, *rules, since=1_790_000_000.0, until=None, name="again"):
    client = Events(archive, {}, "operator")
    client.start_replay(
        ReplayName=name,
        EventStartTime=datetime.fromtimestamp(since, UTC),
        EventEndTime=datetime.fromtimestamp(world.now if until is None else until, UTC),
        Destination={"FilterArns": [f"arn:aws:events:eu-west-1:123456789012:rule/kit/{rule}" for rule in rules]},
    )
    return client


def ids(queue):
    return [json.loads(message.body)["detail"]["id"] for message in queue.messages.values()]


def test_a_replay_reaches_the_rules_that_it_names_alone_minute_by_minute_with_its_name(archive, world):
    client = replay(archive, world, "one")
    states = [client.describe_replay(ReplayName="again")["State"]]
    while client.describe_replay(ReplayName="again")["State"] == "STARTING":
        world.now += 1
    states.append(client.describe_replay(ReplayName="again")["State"])
    world.run()
    world.now += 3600
    states.append(client.describe_replay(ReplayName="again")["State"])

    one, two = (rule.target for rule in archive.bus.rules)
    assert ids(one) == ["evt-000000", "evt-000001", "evt-000002"]
    assert {json.loads(message.body)["replay-name"] for message in one.messages.values()} == {"again"}
    assert ids(two) == []
    assert states == ["STARTING", "RUNNING", "COMPLETED"]


def test_a_replay_has_the_events_of_its_period_that_are_in_the_archive(archive, world):
    begin = world.now
    replay(archive, world, "one", since=1_790_000_030.0, until=1_790_000_090.0)
    archive.bus.put_events(Entries=[entry(id="evt-000009")])
    replay(archive, world, "two", since=begin - 1, name="too early")
    world.run()

    assert [sorted(ids(rule.target)) for rule in archive.bus.rules] == [["evt-000001", "evt-000009"], ["evt-000009"]]
    world.now += 600
    assert [event["detail"]["id"] for event in archive.events(begin - 1, world.now)] == ["evt-000009"]


def test_a_cancelled_replay_brings_nothing_more(archive, world):
    client = replay(archive, world, "one")
    world.run(until=archive.replays["again"].began + 4.9)
    client.cancel_replay(ReplayName="again")
    world.run()

    assert ids(archive.bus.rules[0].target) == ["evt-000000"]
    with pytest.raises(ClientError) as caught:
        client.cancel_replay(ReplayName="again")
    assert code_of(caught) == "IllegalStatusException"


def test_a_replay_is_refused_whose_name_is_taken_or_whose_rule_is_unknown_or_that_is_one_too_many(archive, world):
    refused = []
    for rule, name in (("one", "0"), ("one", "0"), ("three", "1"), *(("one", str(n)) for n in range(2, 12))):
        try:
            replay(archive, world, rule, name=name)
        except ClientError as error:
            refused.append((name, error.response["Error"]["Code"]))

    assert refused == [
        ("0", "ResourceAlreadyExistsException"),
        ("1", "ResourceNotFoundException"),
        ("11", "LimitExceededException"),
    ]
    world.now += 91 * 86_400
    replay(archive, world, "one", name="0")


def test_a_new_rule_may_miss_events_for_a_moment(world):
    bus, queue = Bus(world, "kit"), Queue(world, "new")
    bus.rules.append(Rule(name="new", pattern={"source": ["partner.mux"]}, target=queue, effective_at=world.now + 9))
    for _ in range(2):
        bus.put_events(Entries=[entry(id="evt-000001")])
        world.now += 10
    world.run()

    assert len(queue.messages) == 1


def test_a_dead_process_sends_nothing_more(world):
    table = Table(world, "t", "pk")
    world.mix = replace(CALM, kill=1.0)

    def work(_invocation):
        try:
            table.put_item(Item={"pk": {"S": "a"}})
        finally:
            world.mix = CALM
            table.put_item(Item={"pk": {"S": "b"}})

    with pytest.raises(Killed):
        world.invoke("f", 30, work)
    assert "b" not in table.items


def test_an_event_body_expires_after_ninety_days(world):
    bodies = S3(world)
    for key in ("bodies/events/a", "bodies/review/a"):
        bodies.put_object(Bucket="kit", Key=key, Body=b"x", ContentType="text/plain")
    world.now += 90 * 86_400

    assert bodies.get_object(Bucket="kit", Key="bodies/review/a")["Body"].read() == b"x"
    with pytest.raises(ClientError) as caught:
        bodies.get_object(Bucket="kit", Key="bodies/events/a")
    assert code_of(caught) == "NoSuchKey"
