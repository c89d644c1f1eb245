"""Items whose groups are busy: they are opened all the same, and counted later, exactly."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.group_counts import HOURS_KEPT_SECONDS
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.adapters.dynamodb.review_items import COUNT_ATTEMPTS, DynamoReviewTable
from media_events.core.failures import TransientError
from tests.fakes.busy_dynamodb import UNITS_A_SECOND, BusyDynamoDB
from tests.fakes.dynamodb import create_review_table
from tests.fakes.hop import FakeClock
from tests.fakes.review_items import attempt, make_item
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.scheduler import CALM, World

GROUPS = {"group/g-1", "group/partner:mux", "group/type:asset.ready", "group/hop:route/cms", "group/destination:cms"}


class House:
    """A table whose groups' records other writers change at the same time, as long as ``busy``."""

    def __init__(self, client, name):
        self.clock, self.slept, self.name = FakeClock(), [], name
        create_review_table(client, name)
        self.client = BusyDynamoDB(client, clock=self.clock, sleep=self.slept.append)
        self.table = DynamoReviewTable(self.client, name, sleep=self.slept.append, clock=self.clock)

    def busy(self, keys=GROUPS):
        self.client.changing = set(keys)

    def count(self):
        self.busy(set())
        return self.table.count_deferred(seconds_left=lambda: 10.0)

    def counts(self):
        """All that the groups' records say, and those of the hours."""
        groups = {key: self.table.group(key.removeprefix("group/")) for key in GROUPS}
        return groups, self.records("hour/")

    def records(self, *prefixes):
        items = self.client.scan(TableName=self.name)["Items"]
        return {item["item_id"]["S"]: item for item in items if item["item_id"]["S"].startswith(prefixes)}


@pytest.fixture(name="client")
def _client():
    with mock_aws():
        yield boto3.client("dynamodb", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture(name="house")
def _house(client):
    return House(client, "busy")


def history(house, *, busy):
    """Items that are opened, retried, resolved, opened again and deleted."""
    for number in range(6):
        item = make_item(f"evt-{number}", last_failed_at=f"2026-11-23T1{number}:00:00.000Z")
        house.busy() if busy and number != 3 else house.busy(set())
        assert house.table.create(item)
        if number % 2:
            retried = replace(item, status="RETRYING", version=2)
            assert house.table.update(retried, over=item)
            resolved = replace(retried, status="RESOLVED", version=3)
            assert house.table.update(resolved, over=retried)
            if number == 5:
                assert house.table.delete(house.table.get(item.item_id))
            else:
                later = {"last_failed_at": f"2026-11-23T1{number}:30:00.000Z", "attempts": (attempt(), attempt("m-2"))}
                assert house.table.update(replace(resolved, status="OPEN", version=4, **later), over=resolved)


def test_an_item_is_opened_though_its_groups_are_never_free(house):
    house.busy()
    item = make_item()
    assert house.table.create(item)
    assert house.table.get(item.item_id) == item
    assert not house.table.create(item)
    assert house.records("group/", "hour/") == {}
    assert sum(house.slept) < 0.05 * 2**COUNT_ATTEMPTS


@pytest.mark.slow
def test_what_is_counted_later_is_counted_as_at_once(client, house):
    at_once = House(client, "at-once")
    history(at_once, busy=False)
    history(house, busy=True)
    assert house.counts() != at_once.counts()
    assert house.count() > 0
    assert house.counts() == at_once.counts()
    assert house.records("uncounted/") == {}
    assert house.count() == 0
    expires = {int(hour["expires"]["N"]) for hour in house.records("hour/").values()}
    assert all(moment > HOURS_KEPT_SECONDS for moment in expires)


@pytest.mark.slow
def test_many_are_counted_in_few_transactions(house, monkeypatch):
    monkeypatch.setattr("random.choice", lambda shards: shards[0])
    house.busy()
    for number in range(20):
        house.table.create(make_item(f"evt-{number}"))
    calls = itertools.count()
    transact = house.client.transact_write_items
    monkeypatch.setattr(house.client, "transact_write_items", lambda **given: (next(calls), transact(**given))[1])
    assert house.count() == 20
    assert next(calls) == 1
    assert house.table.group("g-1").counts["OPEN"] == 20


def test_counting_stops_when_the_time_is_up_or_the_groups_are_still_busy(house):
    house.busy()
    house.table.create(make_item())
    assert house.table.count_deferred(seconds_left=lambda: 0.0) == 0
    with pytest.raises(TransientError):
        house.table.count_deferred(seconds_left=lambda: 10.0)
    assert house.count() == 1


def test_groups_that_are_throttled_are_counted_later_too(house):
    house.client.used["group/g-1", int(house.clock())] = UNITS_A_SECOND
    assert house.table.create(make_item())
    assert len(house.records("uncounted/")) == 1
    house.clock.sleep(1)
    assert house.count() == 1


def test_an_item_that_is_busy_itself_is_no_item_yet(house):
    item = make_item()
    house.busy({item.item_id})
    with pytest.raises(TransientError):
        house.table.create(item)
    assert house.table.get(item.item_id) is None


def test_no_list_shows_what_is_to_be_counted(house):
    house.busy()
    house.table.create(make_item())
    assert house.table.groups(limit=10) == ([], None)
    assert house.table.opened(["g-1"], ["2026-11-23T12"]) == {}


@pytest.mark.slow
def test_eight_writers_at_once_open_all_their_items_and_lose_no_count(house):
    house.client.latency = 0.002
    house.client.sleep = time.sleep

    def write(number):
        return house.table.create(make_item(f"evt-{number}"))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(16)))
    house.count()
    group = house.table.group("g-1")
    assert (group.counts["OPEN"], group.opened) == (16, 16)


def test_a_rate_limit_gives_no_more_permits_than_its_one_record_takes_writes():
    clock = FakeClock()
    busy = BusyDynamoDB(Table(World(1, CALM), "table", "item_id"), clock=clock, sleep=clock.sleep)
    limiter = DynamoRateLimiter(busy, "table", clock=clock)
    # The first permit takes two writes, a refused one and its own.
    for _ in range(UNITS_A_SECOND - 1):
        assert limiter.reserve("hop", per_second=10_000, within=60) is not None
    with pytest.raises(TransientError):
        limiter.reserve("hop", per_second=10_000, within=60)
    clock.sleep(1)
    assert limiter.reserve("hop", per_second=10_000, within=60) is not None
