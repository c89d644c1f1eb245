"""The review table, against moto's DynamoDB."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.core.failures import ProcessingError, TransientError
from media_events.recovery.review_item import Selection
from tests.fakes.dynamodb import create_review_table
from tests.fakes.review_items import attempt, make_item

TABLE = "media-dev-review-items"


@pytest.fixture(name="client")
def _client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_review_table(client, TABLE)
        yield client


@pytest.fixture(name="table")
def _table(client):
    return DynamoReviewTable(client, TABLE)


def test_an_item_is_written_once_and_read_back_as_it_was(table):
    item = make_item()
    assert table.create(item)
    assert not table.create(replace(item, error_code="other"))
    assert table.get(item.item_id) == item


def test_there_is_no_item_of_an_unknown_id(table):
    assert table.get("0" * 20) is None


def test_only_the_version_that_was_read_can_be_written_over(table):
    item = make_item()
    table.create(item)
    assert table.update(replace(item, status="RETRYING", version=2), over=item)
    assert not table.update(replace(item, status="ARCHIVED", version=2), over=item)
    assert table.get(item.item_id).status == "RETRYING"


def test_an_update_takes_away_what_is_no_longer_there(table):
    item = make_item(response="no", resolved_at="2026-11-23T12:00:00.000Z")
    table.create(item)
    table.update(replace(item, resolved_at=None, version=2), over=item)
    assert table.get(item.item_id).resolved_at is None


def test_an_update_leaves_what_others_wrote(client, table):
    item = make_item()
    table.create(item)
    client.update_item(
        TableName=TABLE,
        Key={"item_id": {"S": item.item_id}},
        UpdateExpression="SET notes = :n",
        ExpressionAttributeValues={":n": {"S": "call the vendor"}},
    )
    table.update(replace(item, version=2), over=item)
    kept = client.get_item(TableName=TABLE, Key={"item_id": {"S": item.item_id}})["Item"]
    assert kept["notes"] == {"S": "call the vendor"}


def test_a_lone_surrogate_does_not_keep_an_item_from_being_written(table):
    item = make_item(error_message="bad \ud800 text", type="\udfff")
    assert table.create(item)
    assert table.get(item.item_id).error_message == "bad ? text"


def selection(value="OPEN", index="by-status", **changes):
    return Selection(index=index, value=value, **changes)


def whole(table, selected, limit=2):
    found, after = [], None
    while True:
        part = table.page(selected, limit=limit, after=after)
        found += part.items
        after = part.after
        if after is None:
            return [item.event_id for item in found]


def test_a_list_is_newest_first_and_goes_on_over_pages(table):
    for hour in range(7):
        table.create(make_item(f"evt-{hour}", last_failed_at=f"2026-11-23T0{hour}:00:00.000Z"))
    assert whole(table, selection()) == [f"evt-{hour}" for hour in reversed(range(7))]
    assert whole(table, selection(oldest_first=True)) == [f"evt-{hour}" for hour in range(7)]


def test_a_list_keeps_to_times_and_to_what_is_asked_for(table):
    for hour in range(7):
        item = make_item(f"evt-{hour}", last_failed_at=f"2026-11-23T0{hour}:00:00.000Z", partner=f"p{hour % 2}")
        table.create(item)
    between = {"since": "2026-11-23T01:00:00.000Z", "until": "2026-11-23T05:00:00.000Z"}
    assert whole(table, selection(**between, where={"partner": "p1"})) == ["evt-5", "evt-3", "evt-1"]
    assert whole(table, selection(**between, parts={"partner": "1"})) == ["evt-5", "evt-3", "evt-1"]
    assert whole(table, selection(**between, where={"partner": "p1"}, parts={"type": "nothing"})) == []


def test_a_list_leaves_out_what_items_carry(table):
    item = make_item(response="no", attempts=(attempt(),))
    table.create(item)
    (listed,) = table.page(selection(), limit=5).items
    assert listed == replace(item, body=None, response=None, message_attributes={})
    assert table.get_summary(item.item_id) == listed


def test_an_item_from_a_list_is_changed_without_what_the_list_left_out(table):
    item = make_item(response="no")
    table.create(item)
    (listed,) = table.page(selection(), limit=5).items
    assert table.update(replace(listed, status="RESOLVED", version=2), over=listed)
    found = table.get(item.item_id)
    assert found == replace(item, status="RESOLVED", closed_at=found.closed_at, version=2)
    assert found.closed_at is not None


def test_items_are_found_by_group_and_by_event(table):
    table.create(make_item("evt-1", group_id="g-1"))
    table.create(make_item("evt-2", group_id="g-2"))
    assert whole(table, selection("g-2/OPEN", "by-group")) == ["evt-2"]
    assert whole(table, selection("evt-1", "by-event")) == ["evt-1"]


def test_items_are_counted_up_to_a_limit(table):
    for number in range(5):
        table.create(make_item(f"evt-{number}"))
    assert table.count(selection("g-1/OPEN", "by-group"), limit=100) == 5
    assert table.count(selection("g-1/OPEN", "by-group"), limit=3) == 3
    assert table.count(selection("g-1/OPEN", "by-group", since="2026-11-24"), limit=3) == 0


# --- groups ------------------------------------------------------------------------------------------------------


def counts(table, group_id):
    group = table.group(group_id)
    return {status: count for status, count in group.counts.items() if count}


def test_a_group_counts_its_items_by_status_through_every_change(table):
    first, second = make_item("evt-1"), make_item("evt-2")
    table.create(first)
    table.create(second)
    retrying = replace(first, status="RETRYING", version=2)
    assert table.update(retrying, over=first)
    assert counts(table, "g-1") == {"OPEN": 1, "RETRYING": 1}
    assert table.update(replace(retrying, status="RESOLVED", version=3), over=retrying)
    assert counts(table, "g-1") == {"OPEN": 1, "RESOLVED": 1}
    assert (table.group("g-1").waiting, table.group("g-1").opened) == (1, 2)


def test_what_is_refused_or_repeated_is_not_counted(table):
    item = make_item()
    table.create(item)
    assert not table.create(item)
    archived = replace(item, status="ARCHIVED", version=2)
    assert table.update(archived, over=item)
    assert not table.update(archived, over=item)
    assert counts(table, "g-1") == {"ARCHIVED": 1}


def test_an_item_that_fails_for_another_reason_moves_to_the_other_group(table):
    item = replace(make_item(), status="RETRYING")
    table.create(item)
    later = replace(item, group_id="g-2", error_code="http-422", attempts=(attempt("m-2"),))
    assert table.update(item.failed_again(later), over=item)
    assert (counts(table, "g-1"), counts(table, "g-2")) == ({}, {"OPEN": 1})
    assert table.group("g-2").error_code == "http-422"


def test_items_are_counted_and_found_by_type_partner_hop_and_destination_too(table):
    first = make_item("evt-1", partner="mux", type="asset.ready", destination="cms", hop="route/cms")
    second = make_item(
        "evt-2", partner="iconik", type="asset.ready", destination="dam", hop="route/dam", group_id="g-2"
    )
    table.create(first)
    table.create(second)
    assert [counts(table, group) for group in ("type:asset.ready", "partner:mux", "hop:route/dam")] == [
        {"OPEN": 2},
        {"OPEN": 1},
        {"OPEN": 1},
    ]
    assert whole(table, selection("destination:dam/OPEN", "by-destination")) == ["evt-2"]
    assert whole(table, selection("hop:route/cms/OPEN", "by-hop")) == ["evt-1"]
    assert table.update(replace(first, status="ARCHIVED", version=2), over=first)
    assert counts(table, "type:asset.ready") == {"OPEN": 1, "ARCHIVED": 1}
    assert whole(table, selection("type:asset.ready/OPEN", "by-type")) == ["evt-2"]
    assert whole(table, selection("partner:mux/ARCHIVED", "by-partner")) == ["evt-1"]


def test_each_grouping_has_a_list_of_its_own(table):
    for number, partner in enumerate(("mux", "iconik", "mux")):
        table.create(make_item(f"evt-{number}", partner=partner))
    assert [group.group_id for group in table.groups(limit=5)[0]] == ["g-1"]
    by_partner, after = table.groups(limit=1, grouping="partner")
    rest, end = table.groups(limit=5, after=after, grouping="partner")
    assert [(group.value, group.waiting) for group in (*by_partner, *rest)] == [("mux", 2), ("iconik", 1)]
    assert ({group.grouping for group in rest}, end) == ({"partner"}, None)


def test_what_fails_for_another_reason_is_opened_anew_in_its_group_of_errors_alone(table):
    item = make_item()
    table.create(item)
    later = replace(item, group_id="g-2", attempts=(attempt("m-2"),))
    assert table.update(item.failed_again(later), over=item)
    assert [table.group(group).opened for group in ("g-1", "g-2", "partner:mux", "type:asset.ready")] == [1, 1, 1, 1]
    assert counts(table, "partner:mux") == {"OPEN": 1}


def test_an_item_without_a_partner_is_in_no_partners_group(table):
    table.create(make_item(partner=None, type=""))
    assert (table.groups(limit=5, grouping="partner")[0], table.groups(limit=5, grouping="type")[0]) == ([], [])
    assert counts(table, "hop:route/cms") == {"OPEN": 1}


@pytest.mark.parametrize("value", ["x" * 3000, "\ud800", "a/b:c é"])
def test_whatever_a_type_is_its_items_are_found(table, value):
    item = make_item(type=value)
    table.create(item)
    group = item.group_ids["type"]
    assert counts(table, group) == {"OPEN": 1}
    assert whole(table, selection(f"{group}/OPEN", "by-type")) == ["evt-1"]
    assert [found.group_id for found in table.groups(limit=5, grouping="type")[0]] == [group]


def test_an_item_that_goes_is_counted_out_of_all_its_groups(table):
    item = make_item(status="RESOLVED")
    table.create(item)
    assert table.delete(item)
    assert [counts(table, group) for group in item.group_ids.values()] == [{}] * 5


def test_what_was_opened_is_counted_by_the_hour(table):
    for number, hour in enumerate((8, 9, 9)):
        table.create(make_item(f"evt-{number}", last_failed_at=f"2026-11-23T{hour:02}:59:00.000Z"))
    table.create(make_item("evt-x", last_failed_at="2026-99-23T99:00:00.000Z"))
    hours = [f"2026-11-23T{hour:02}" for hour in range(24)]
    assert table.opened(["g-1", *(f"g-{n}" for n in range(2, 9))], hours) == {
        ("g-1", "2026-11-23T08"): 1,
        ("g-1", "2026-11-23T09"): 2,
    }


def test_groups_are_listed_by_how_many_wait_page_by_page(table):
    for group, size in (("g-1", 1), ("g-2", 3), ("g-3", 2)):
        for number in range(size):
            table.create(make_item(f"evt-{group}-{number}", group_id=group))
    first, after = table.groups(limit=2)
    rest, end = table.groups(limit=2, after=after)
    assert [(group.group_id, group.waiting) for group in (*first, *rest)] == [("g-2", 3), ("g-3", 2), ("g-1", 1)]
    assert end is None


def test_two_writers_of_one_group_at_the_same_time_both_count():
    class Busy:
        calls = 0

        def transact_write_items(self, **_options):
            self.calls += 1
            if self.calls < 3:
                error = {"Error": {"Code": "TransactionCanceledException"}}
                reasons = {"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]}
                raise ClientError({**error, **reasons}, "TransactWriteItems")

    busy = Busy()
    assert DynamoReviewTable(busy, TABLE, sleep=lambda _seconds: None).create(make_item())
    assert busy.calls == 3
    busy.calls = -100
    with pytest.raises(TransientError):
        DynamoReviewTable(busy, TABLE, sleep=lambda _seconds: None).create(make_item())


def test_a_group_is_announced_once_in_its_quiet_time_and_shows_in_no_list(table):
    assert table.announce("g-1", now=1000.0, quiet_seconds=100)
    assert not table.announce("g-1", now=1099.0, quiet_seconds=100)
    assert table.announce("g-1", now=1100.0, quiet_seconds=100)
    table.unannounce("g-1")
    assert table.announce("g-1", now=1100.0, quiet_seconds=100)
    assert table.page(selection("g-1/OPEN", "by-group"), limit=5).items == ()
    assert table.get("group/g-1") is None
    assert table.groups(limit=5) == ([], None)


def test_an_announcement_leaves_the_counts(table):
    table.create(make_item())
    table.announce("g-1", now=1000.0, quiet_seconds=100)
    assert counts(table, "g-1") == {"OPEN": 1}


def test_fifty_attempts_with_all_that_they_may_hold_fit_into_an_item(table):
    attempts = tuple(attempt(f"m-{n}", message="x" * 1024, code="c" * 128) for n in range(50))
    assert table.create(make_item(attempts=attempts, body="b" * 32 * 1024, response="r" * 2048))


@pytest.mark.parametrize("operation", ["create", "get", "update", "announce", "page", "groups", "group", "count"])
def test_a_table_that_is_not_there_is_a_failure_with_a_class(client, operation):
    gone = DynamoReviewTable(client, "no-such-table")
    calls = {
        "create": lambda: gone.create(make_item()),
        "get": lambda: gone.get("x"),
        "update": lambda: gone.update(replace(make_item(), version=2), over=make_item()),
        "announce": lambda: gone.announce("g", now=0, quiet_seconds=1),
        "page": lambda: gone.page(selection(), limit=5),
        "groups": lambda: gone.groups(limit=5),
        "group": lambda: gone.group("g"),
        "count": lambda: gone.count(selection(), limit=5),
    }
    with pytest.raises(ProcessingError) as failed:
        calls[operation]()
    assert isinstance(failed.value.__cause__, ClientError)


def test_a_message_has_the_item_that_it_was_given_first(table, client):
    assert table.item_of("ingress/in|m-0", "item-a", lasting=False) == "item-a"
    assert table.item_of("ingress/in|m-0", "item-b", lasting=True) == "item-a"
    assert table.item_of("ingress/in|m-1", "item-b", lasting=True) == "item-b"
    entries = client.scan(TableName=TABLE)["Items"]
    assert {entry["known_as"]["S"]: "expires" in entry for entry in entries} == {"item-a": True, "item-b": False}
    assert all("/" in entry["item_id"]["S"] for entry in entries)


def test_a_message_whose_event_is_known_has_the_events_item_from_then_on(table, client):
    table.item_of("ingress/in|m-0", "item-a", lasting=True)
    table.name_item_of("ingress/in|m-0", "item-b")
    assert table.item_of("ingress/in|m-0", "item-c", lasting=True) == "item-b"
    (entry,) = client.scan(TableName=TABLE)["Items"]
    assert "expires" in entry


def test_a_message_may_say_what_it_likes_of_its_id(table):
    for said in ("m" * 100_000, "", "\ud800", "a/b"):
        assert table.item_of(said, "item-a", lasting=False) == "item-a"


def test_a_message_whose_item_can_not_be_remembered_says_why(client):
    with pytest.raises(ProcessingError):
        DynamoReviewTable(client, "gone").item_of("m-0", "item-a", lasting=False)
