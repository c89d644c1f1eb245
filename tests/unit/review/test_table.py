"""The review table, against moto's DynamoDB."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from media_events.adapters.review_table import DynamoReviewTable
from media_events.failures import HopError
from tests.unit.review.items import attempt, make_item

TABLE = "media-dev-review-items"


@pytest.fixture(name="client")
def _client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        keys = {"by-status": ("status", "last_failed_at"), "by-group": ("group_id", "last_failed_at")}
        keys["by-event"] = ("event_id", "first_failed_at")
        names = {"item_id", *(name for pair in keys.values() for name in pair)}
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "item_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": partition, "KeyType": "HASH"},
                        {"AttributeName": sort, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, (partition, sort) in keys.items()
            ],
        )
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
    assert table.update(replace(item, status="RETRYING", version=2), expected_version=1)
    assert not table.update(replace(item, status="ARCHIVED", version=2), expected_version=1)
    assert table.get(item.item_id).status == "RETRYING"


def test_an_update_takes_away_what_is_no_longer_there(table):
    item = make_item(response="no", resolved_at="2026-11-23T12:00:00.000Z")
    table.create(item)
    table.update(replace(item, resolved_at=None, version=2), expected_version=1)
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
    table.update(replace(item, version=2), expected_version=1)
    kept = client.get_item(TableName=TABLE, Key={"item_id": {"S": item.item_id}})["Item"]
    assert kept["notes"] == {"S": "call the vendor"}


def test_a_lone_surrogate_does_not_keep_an_item_from_being_written(table):
    item = make_item(error_message="bad \ud800 text", type="\udfff")
    assert table.create(item)
    assert table.get(item.item_id).error_message == "bad ? text"


def test_a_list_is_newest_first_and_goes_on_over_pages(table):
    for hour in range(7):
        table.create(make_item(f"evt-{hour}", last_failed_at=f"2026-11-23T0{hour}:00:00.000Z"))
    listed = [item.event_id for item in table.query("by-status", "OPEN", page_size=2)]
    assert listed == [f"evt-{hour}" for hour in reversed(range(7))]


def test_items_are_found_by_group_and_by_event(table):
    table.create(make_item("evt-1", group_id="g-1"))
    table.create(make_item("evt-2", group_id="g-2"))
    assert [item.event_id for item in table.query("by-group", "g-2")] == ["evt-2"]
    assert [item.group_id for item in table.query("by-event", "evt-1")] == ["g-1"]


def test_a_group_is_announced_once_in_its_quiet_time_and_shows_in_no_list(table):
    assert table.announce("g-1", now=1000.0, quiet_seconds=100)
    assert not table.announce("g-1", now=1099.0, quiet_seconds=100)
    assert table.announce("g-1", now=1100.0, quiet_seconds=100)
    table.unannounce("g-1")
    assert table.announce("g-1", now=1100.0, quiet_seconds=100)
    assert list(table.query("by-group", "g-1")) == []
    assert table.get("group/g-1") is None


def test_fifty_attempts_with_all_that_they_may_hold_fit_into_an_item(table):
    attempts = tuple(attempt(f"m-{n}", message="x" * 1024, code="c" * 128) for n in range(50))
    assert table.create(make_item(attempts=attempts, body="b" * 32 * 1024, response="r" * 2048))


@pytest.mark.parametrize("operation", ["create", "get", "update", "announce", "query"])
def test_a_table_that_is_not_there_is_a_failure_with_a_class(client, operation):
    gone = DynamoReviewTable(client, "no-such-table")
    calls = {
        "create": lambda: gone.create(make_item()),
        "get": lambda: gone.get("x"),
        "update": lambda: gone.update(make_item(), expected_version=1),
        "announce": lambda: gone.announce("g", now=0, quiet_seconds=1),
        "query": lambda: list(gone.query("by-status", "OPEN")),
    }
    with pytest.raises(HopError) as failed:
        calls[operation]()
    assert isinstance(failed.value.__cause__, ClientError)
