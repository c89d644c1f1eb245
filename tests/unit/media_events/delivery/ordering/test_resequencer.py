"""The events of a key in their order, by the deliverer and its tables: both policies, copies, people's decisions."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from media_events.adapters.dynamodb.key_queues import DynamoKeyQueues, DynamoParkedMessages
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import TransientError
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.delivery.ordering import key_queue
from media_events.delivery.ordering.key_queue import ACTIVE, Entry, KeyQueue, parked_key
from media_events.delivery.ordering.key_queue_pages import WINDOW, Pages
from media_events.delivery.ordering.latest_only import Position
from media_events.delivery.ordering.resequencer import MAX_PARKED_BYTES, Parked
from media_events.delivery.policies import ResequencerPolicy
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.messaging.message import Message
from tests.fakes.dynamodb import idempotency_table
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, bus_event, sqs_record
from tests.fakes.ordered_route import DOWN, REFUSED, OrderedRoute, message


@pytest.fixture(name="dynamodb")
def _dynamodb():
    with idempotency_table("table") as client:
        yield client


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="block")
def _block(dynamodb, clock):
    return OrderedRoute(dynamodb, clock, ResequencerPolicy())


@pytest.fixture(name="park")
def _sideline(dynamodb, clock):
    return OrderedRoute(dynamodb, clock, ResequencerPolicy(on_failure="park"))


def test_events_wait_for_earlier_ones_and_arrive_in_their_order(block):
    assert block(message(3), message(1)) == ["order-waiting"] * 2
    assert block(message(2)) == ["order-waiting"]
    block.clock.now += 6
    assert block(message(3)) == ["order-waiting"]
    assert block(message(2), message(1), message(3)) == [None] * 3
    assert block.arrived == ["e1", "e2", "e3"]
    assert block.key_queue().entries == ()


def test_without_a_sequence_the_time_is_the_order(block):
    times = ["2026-11-23T12:00:02Z", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"]
    messages = [message(n, sequence=None, time=time) for n, time in enumerate(times)]
    block(*messages)
    block.clock.now += 6
    assert block(*messages) == [None] * 3
    assert block.arrived == ["e1", "e2", "e0"]


def test_a_failed_event_blocks_its_key_alone(block):
    block.fails["e1"] = DOWN
    block(message(7, key="other"))
    assert block.settled(1, 2) == ["http-503", "order-waiting"]
    assert block(message(7, key="other")) == [None]
    block.fails.clear()
    assert block(message(2), message(1)) == [None, None]
    assert block.arrived == ["e7", "e1", "e2"]


def test_an_event_that_comes_too_late_goes_to_review_and_blocks_nobody(block):
    block.settled(2)
    assert block(message(1)) == ["order-late"]
    assert block.settled(3) == [None]
    assert block.arrived == ["e2", "e3"]


def test_a_copy_of_what_was_delivered_is_a_duplicate_and_never_late(block):
    block.settled(1)
    block.settled(2)
    assert block(message(1), message(2)) == [None, None]
    assert block.arrived == ["e1", "e2"]
    assert block.key_queue().entries == ()


def test_copies_at_the_same_time_arrive_once(block):
    block(message(1), message(1))
    block.clock.now += 6
    assert block(message(1), message(1)) == [None, None]
    assert block.arrived == ["e1"]


def test_behind_a_permanently_failed_head_later_events_are_parked_and_resumed_in_order(park):
    park.fails["e1"] = REFUSED
    numbers = list(range(1, 16))
    outcomes = park.settled(*numbers)
    assert outcomes == ["http-422"] + [None] * 14
    assert [entry.parked for entry in park.key_queue().entries] == [False] + [True] * 14
    assert park.report.counts["EventsParked", ()] == 14
    # More come meanwhile, and copies of those that are parked.
    assert park(message(16), message(3)) == [None, None]
    park.fails.clear()
    assert park(message(1)) == [None]
    for _ in range(20):
        batch, park.queue = park.queue, []
        random.Random(5).shuffle(batch)
        outcomes = park(*batch)
        park.queue += [m for m, outcome in zip(batch, outcomes, strict=True) if outcome == "order-waiting"]
    assert park.arrived == [f"e{n}" for n in range(1, 17)]
    assert park.key_queue().entries == ()


def test_a_resumed_message_is_a_copy_of_none_of_the_parked_messages(park):
    park.fails["e1"] = REFUSED
    park.settled(1, 2, 3)
    assert park(message(2)) == [None]  # SQS had it twice
    park.fails.clear()
    assert park(message(1)) == [None]
    numbers, origins = zip(*(copy.split("/", 1) for copy in park.copies), strict=True)
    assert numbers == ("0", "0")
    assert len({*origins, message(2).copy[1], message(3).copy[1]}) == 4


def test_who_is_too_long_to_be_parked_waits_in_the_queue(park):
    park.fails["e1"] = REFUSED
    long = make_event({"text": "x" * MAX_PARKED_BYTES}, id="e2", partitionkey="k", sequence="002")
    attributes = {"note": {"stringValue": "x" * MAX_PARKED_BYTES}}
    messages = [message(1), Message.of(sqs_record(bus_event(long), "m-2"))]
    messages.append(Message.of(sqs_record(message(3).body, "m-3", attributes=attributes)))
    park(*messages)
    park.clock.now += 6
    assert park(*messages) == ["http-422", "order-waiting", "order-waiting"]


def test_a_message_is_delivered_and_not_parked_where_its_head_was_delivered_meanwhile(park, monkeypatch):
    park.fails["e1"] = REFUSED
    park(message(1), message(2))
    park.clock.now += 6
    assert park(message(1)) == ["http-422"]
    put = DynamoParkedMessages.put

    def put_while_the_head_is_delivered(self, key, parked):
        monkeypatch.undo()
        put(self, key, parked)
        park.fails.clear()
        assert park(message(1)) == [None]

    monkeypatch.setattr(DynamoParkedMessages, "put", put_while_the_head_is_delivered)
    assert park(message(2)) == [None]
    assert park.arrived == ["e1", "e2"]


def test_an_event_that_timed_out_may_have_been_delivered_and_stays_before_earlier_ones(block):
    block.fails["e2"] = TransientError("timeout", "no answer came in time")
    assert block.settled(2) == ["timeout"]
    block.fails.clear()
    assert block.settled(1) == ["order-waiting"]
    assert block(message(2)) == [None]
    assert block(message(1)) == ["order-late"]
    assert block.arrived == ["e2"]


@pytest.mark.parametrize("answer", [DOWN, REFUSED])
def test_an_event_that_its_receiver_refused_was_not_delivered_and_an_earlier_one_goes_first(block, answer):
    block.fails["e2"] = answer
    assert block.settled(2) == [answer.code]
    block.fails.clear()
    assert block.settled(1) == [None]
    assert block(message(2)) == [None]
    assert block.arrived == ["e1", "e2"]


def test_an_event_for_which_its_key_queue_has_no_room_waits_in_the_queue(block, monkeypatch):
    monkeypatch.setattr(key_queue, "MAX_BYTES", 150)
    block.fails["e1"] = DOWN
    assert block.settled(1, 2, 3, 4) == ["http-503"] + ["order-waiting"] * 3
    assert len(block.key_queue().entries) < 4
    block.fails.clear()
    for _ in range(6):
        block(*[message(number) for number in range(1, 5) if f"e{number}" not in block.arrived])
        block.clock.now += 6
    assert block.arrived == ["e1", "e2", "e3", "e4"]


def test_key_goes_on_without_what_a_person_puts_away(park):
    park.fails["e1"] = REFUSED
    park.settled(1, 2)
    assert park(message(1, "skip")) == [None]
    assert [m.event.metadata.id for m in park.queue] == ["e2"]
    assert park(*park.queue) == [None]
    assert park.arrived == ["e2"]
    assert park.report.fields("delivery skipped")[0]["reason"] == "archived"


def test_archiving_the_head_while_its_function_is_killed_waits_for_the_end_of_the_lease(park):
    park.fails["e1"] = REFUSED
    park.settled(1, 2)
    park.fails["e1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        park(message(1))
    assert park(message(1, "skip")) == ["order-waiting"]
    assert park.queue == []
    park.clock.now += 60 + CLOCK_SKEW_SECONDS
    assert park(message(1, "skip")) == [None]
    assert [m.event.metadata.id for m in park.queue] == ["e2"]


def test_a_person_may_have_a_late_event_delivered_out_of_order(block):
    block.settled(2)
    assert block(message(1, "ignore")) == [None]
    assert block(message(1, "ignore")) == [None]
    assert block.arrived == ["e2", "e1"]


def test_who_calls_back_and_dies_leaves_it_to_the_next_one(park):
    park.fails["e1"] = REFUSED
    park.settled(1, 2, 3)
    park.fails.clear()
    park.defer, whole = (
        lambda *_args, **_options: (_ for _ in ()).throw(TransientError("aws", "down")),
        park.defer,
    )
    # It was delivered; it comes again until those behind it are called back.
    assert park(message(1)) == ["order-waiting"]
    park.defer = whole
    assert park(message(1)) == [None]
    assert park.arrived == ["e1"]
    assert sorted(m.event.metadata.id for m in park.queue) == ["e2", "e3"]


def test_an_effect_that_was_not_written_down_in_its_order_is_found_by_those_behind_it(block):
    block.fails["e1"] = DOWN
    block.settled(1, 2)
    key = destination_key("partner.mux", "e1", "cms")
    other = block.idempotency.owned_by("other")
    other.acquire(key, lease_seconds=1)
    other.complete(key, result={})
    assert block(message(2)) == [None]
    assert block.arrived == ["e2"]


def test_who_finds_the_head_delivered_calls_the_parked_events_back(park):
    park.fails["e1"] = REFUSED
    assert park.settled(1, 2, 3) == ["http-422", None, None]
    key = destination_key("partner.mux", "e1", "cms")
    other = park.idempotency.owned_by("other")
    other.acquire(key, lease_seconds=1)
    other.complete(key, result={})
    park(message(2))  # SQS had it twice
    assert sorted(m.event.metadata.id for m in park.queue) == ["e2", "e3"]


def test_where_the_table_is_away_nothing_is_sent(block, monkeypatch):
    def away(_self, _key):
        raise TransientError("aws-throttled", "slow down")

    monkeypatch.setattr(DynamoKeyQueues, "read", away)
    assert block(message(1)) == ["aws-throttled"]
    assert block.arrived == []


def test_what_is_no_event_blocks_nobody(block):
    nothing = Message.of(sqs_record("{}", "m-9"))
    block(message(1))
    block.clock.now += 6
    assert block(nothing, message(1)) == ["not-an-event", None]


def test_without_an_order_what_a_person_puts_away_is_not_sent(dynamodb, clock):
    route = OrderedRoute(dynamodb, clock, ResequencerPolicy())
    deliverer = Deliverer(
        destination="cms",
        hop="route/cms",
        delivery=route,
        idempotency=route.idempotency.owned_by("one"),
        report=route.report,
        seconds_left=lambda: 30.0,
        clock=clock,
    )
    assert deliverer([message(1, "skip"), message(2)]) == [None, None]
    assert route.arrived == ["e2"]


# --- tables ----------------------------------------------------------------------------------------------------------


def test_of_two_changes_at_a_time_one_begins_anew(dynamodb, clock):
    key_queues = DynamoKeyQueues(dynamodb, "table", clock=clock)
    key_queue, version = key_queues.read("key-queue|x")
    assert (key_queue, version) == (KeyQueue(), 0)
    one, _ = key_queue.register("e1", Position(time=1), now=0)
    assert key_queues.write("key-queue|x", one, version=0)
    assert not key_queues.write("key-queue|x", key_queue, version=0)
    assert key_queues.write("key-queue|x", key_queue, version=1)
    assert not key_queues.write("key-queue|x", one, version=1)


def test_only_an_empty_key_queue_is_ever_forgotten(dynamodb, clock):
    key_queues = DynamoKeyQueues(dynamodb, "table", clock=clock)
    waiting, _ = KeyQueue().register("e1", Position(time=1), now=0)
    key_queues.write("key-queue|x", waiting, version=0)
    assert "expires" not in dynamodb.get_item(TableName="table", Key={"pk": {"S": "key-queue|x"}})["Item"]
    key_queues.write("key-queue|x", KeyQueue(delivered=Position(time=1)), version=1)
    clock.now += RETENTION_SECONDS + CLOCK_SKEW_SECONDS - 1
    assert key_queues.read("key-queue|x")[0].delivered == Position(time=1)
    clock.now += 2
    assert key_queues.read("key-queue|x") == (KeyQueue(), 2)


def test_a_parked_message_is_kept_for_good_by_who_put_it_there_last(dynamodb, clock):
    parked_messages = DynamoParkedMessages(dynamodb, "table", clock=clock)
    key = parked_key("partner.mux", "e1", "cms")
    parked_messages.put(key, Parked(message(1, "ignore"), "one"))
    parked_messages.put(key, Parked(message(1), "two"))
    assert not parked_messages.keep(key, "one")
    assert parked_messages.keep(key, "two")
    found = parked_messages.get(key)
    assert (found.token, found.message.event, found.message.message_id) == ("two", message(1).event, "m-1")
    assert "expires" not in dynamodb.get_item(TableName="table", Key={"pk": {"S": key}})["Item"]
    parked_messages.let_go(key, "one")
    assert "expires" not in dynamodb.get_item(TableName="table", Key={"pk": {"S": key}})["Item"]
    parked_messages.let_go(key, "two")
    assert "expires" in dynamodb.get_item(TableName="table", Key={"pk": {"S": key}})["Item"]


# --- withdrawn events -----------------------------------------------------------------------------------------------


def withdrawn(route, number, decision):
    record = {"state": "withdrawn", "result": {"withdrawn": decision}, "expires": route.clock.now + 1000}
    route.idempotency.items[destination_key("partner.mux", f"e{number}", "cms")] = record


def test_an_archived_event_that_was_still_on_its_way_lets_its_key_go_on(block):
    withdrawn(block, 1, "archived")
    assert block.settled(1, 2) == [None, None]
    assert block.arrived == ["e2"]


def test_an_edited_event_that_was_still_on_its_way_keeps_its_place_for_the_edited_one(block):
    withdrawn(block, 1, "edited")
    assert block.settled(1, 2) == [None, "order-waiting"]
    assert block.arrived == []
    edited = message(9, sequence="001", editof="e1")
    block(edited)
    block.clock.now += 30
    block(edited)
    block(message(2))
    assert block.arrived == ["e9", "e2"]


def test_an_edited_event_that_was_to_come_out_of_order_is_withdrawn_all_the_same(block):
    withdrawn(block, 1, "edited")
    assert block(message(1, "ignore")) == [None]
    assert block.arrived == []


# --- tried alone ----------------------------------------------------------------------------------------------------


def test_a_message_that_is_tried_alone_is_not_parked_and_so_never_resumed_among_live_ones(park):
    park.fails["e1"] = REFUSED
    park.settled(1)
    alone = Message.of(sqs_record(bus_event(make_event(id="e2", partitionkey="k", sequence="002")), "m-2"))
    alone = replace(alone, receipt_handle="")
    assert park(alone) == ["order-waiting"]
    park.clock.now += 60
    assert park(alone) == ["order-waiting"]
    park.fails.clear()
    park(message(1))
    park(alone)
    park.clock.now += 6
    assert park(alone) == [None]
    assert (park.arrived, park.queue) == (["e1", "e2"], [])


# --- pages ----------------------------------------------------------------------------------------------------------


def many(number):
    """A key queue of so many parked events, and its pages."""
    pages, key_queue = Pages(lambda _number: ()), KeyQueue()
    for place in range(number):
        key_queue, verdict = key_queue.register(f"e{place}", Position(time=place), now=0)
        if verdict == "behind":
            entry = Entry(event_id=f"e{place}", position=Position(time=place), since=0.0, parked=True, number=place)
            key_queue = pages.add(key_queue, entry)
        elif place >= ACTIVE:
            key_queue = key_queue.parked_far(f"e{place}")
        key_queue = pages.fit(key_queue)
    return key_queue, pages


def test_a_key_queue_and_its_pages_are_written_together_or_not_at_all(dynamodb, clock):
    key_queues = DynamoKeyQueues(dynamodb, "table", clock=clock)
    key_queue, pages = many(500)
    assert key_queues.write("key-queue|cms|1:a|k", key_queue, version=0, pages=pages.changed)
    read, version = key_queues.read("key-queue|cms|1:a|k")
    assert (read, version, read.waiting, read.parked) == (key_queue, 1, 500, 480)
    ids = [e.event_id for page in read.pages for e in key_queues.read_page("key-queue|cms|1:a|k", page.number)]
    assert [e.event_id for e in read.entries] + ids == [f"e{place}" for place in range(500)]
    stale = {page.number: () for page in read.pages}
    assert not key_queues.write("key-queue|cms|1:a|k", KeyQueue(), version=0, pages=stale)
    assert key_queues.read_page("key-queue|cms|1:a|k", read.pages[0].number) != ()


def test_only_a_page_that_no_key_queue_names_expires(dynamodb, clock):
    key_queues = DynamoKeyQueues(dynamodb, "table", clock=clock)
    key_queue, pages = many(500)
    key_queues.write("key-queue|cms|1:a|k", key_queue, version=0, pages={**pages.changed, 999: ()})
    records = dynamodb.scan(TableName="table")["Items"]
    expiring = {record["pk"]["S"].split("|")[1] for record in records if "expires" in record}
    assert expiring.isdisjoint(str(page.number) for page in key_queue.pages)
    assert "999" in expiring
    assert key_queues.read_page("key-queue|cms|1:a|k", 999) == ()


def test_a_key_queue_of_before_the_pages_is_read_in_its_order_and_brought_into_pages():
    entries = [{"i": f"e{number}", "t": 7, "s": f"{number:04}", "a": 5.0, "p": 1} for number in range(2000)]
    before = KeyQueue.from_json(json.dumps({"entries": entries, "delivered": {"t": 1}}))
    pages = Pages(lambda _number: ())
    after = pages.fit(before)
    assert (before.waiting, after.waiting, after.parked) == (2000, 2000, 2000)
    assert len(after.entries) <= WINDOW
    listed = [*after.entries, *(entry for page in after.pages for entry in pages.entries(page))]
    assert [entry.event_id for entry in listed] == [f"e{number}" for number in range(2000)]
    assert after.register("new", Position(time=7, sequence="9999"), now=9)[1] == "behind"


def test_code_of_before_the_pages_fails_rather_than_lose_them():
    key_queue, _ = many(500)
    assert "entries" not in json.loads(key_queue.to_json())
    assert "entries" in json.loads(KeyQueue().to_json())


@pytest.mark.slow
def test_an_operator_skips_and_edits_an_event_in_a_page(park):
    park.fails["e1"] = REFUSED
    park.settled(1)
    messages = [message(number) for number in range(2, 181)]
    for start in range(0, 179, 10):
        park(*messages[start : start + 10])
    assert len(park.key_queue().pages) > 0
    assert park(message(170, "skip")) == [None]
    edited = message(999, sequence="175", editof="e175")
    park(edited)
    assert park.key_queue().waiting == 179
    park.fails.clear()
    park.queue += [message(1)]
    for _ in range(250):
        batch, park.queue = park.queue[:10], park.queue[10:]
        park.clock.now += 1
        outcomes = park(*batch) if batch else []
        park.queue += [m for m, outcome in zip(batch, outcomes, strict=True) if outcome == "order-waiting"]
    wanted = [f"e{number}" for number in range(1, 181) if number != 170]
    assert park.arrived == ["e999" if event_id == "e175" else event_id for event_id in wanted]
