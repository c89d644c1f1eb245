"""Withdrawn effects: in the tables that the destination's hops use, in all of them or in none."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.deployment.topology import Hop, Topology

KEY = "11:partner.mux|5:evt-1|destination/cms"


@pytest.fixture(name="stores")
def _stores():
    with mock_aws():
        client = boto3.client("dynamodb", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
        for name in ("first", "second"):
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            )
        yield IdempotencyTables(client, ["first", "second"])


def acquired(stores, name):
    return DynamoIdempotencyStore(stores.client, name, owner=name).acquire(KEY, lease_seconds=30).state


def test_what_is_done_in_one_table_is_withdrawn_in_none(stores):
    second = DynamoIdempotencyStore(stores.client, "second", owner="second")
    second.acquire(KEY, lease_seconds=30)
    second.complete(KEY)
    assert stores.withdraw(KEY, "archived", version=1).state == "done"
    assert not stores.withdrawn(KEY)
    assert acquired(stores, "first") == "owned"


def test_only_the_tables_of_the_destinations_hops_are_written_if_they_are_known(stores):
    hops = {"route/cms": Hop(name="route/cms", destination="cms", idempotency_table="second")}
    known = IdempotencyTables(stores.client, stores.tables, topology=lambda: Topology(hops=hops))
    assert known.at("cms").withdraw(KEY, "archived", version=1).state == "withdrawn"
    assert (acquired(stores, "first"), acquired(stores, "second")) == ("owned", "withdrawn")
    assert known.at("other").tables == stores.tables


def test_an_older_decision_neither_replaces_nor_ends_a_newer_one(stores):
    assert stores.withdraw(KEY, "archived", version=5).state == "withdrawn"
    assert stores.withdraw(KEY, "edited", version=4).state == "withdrawn"
    stores.reinstate(KEY, version=4)
    assert stores.withdrawn(KEY)
    stores.reinstate(KEY, version=5)
    assert acquired(stores, "first") == "owned"


def test_an_attempt_under_way_is_not_reinstated_by_anyone(stores):
    assert acquired(stores, "first") == "owned"
    stores.reinstate(KEY, version=9)
    assert acquired(stores, "first") == "in-progress"
