"""DynamoDB tables in moto, as the Terraform modules make them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from media_events.adapters.dynamodb.key_queues import HELD_INDEX
from media_events.adapters.dynamodb.review_items import AUDITED, CLOSED_INDEX, FILTERED, GROUPS_INDEX, INDEXES
from tests.fakes.partiql import teach_moto

teach_moto()


@contextmanager
def table(*keys: str) -> Iterator[Any]:
    """A client with one table, ``table``, with these keys."""
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        kinds = ("HASH", "RANGE")
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )
        yield client


@contextmanager
def idempotency_table(name: str) -> Iterator[Any]:
    """A client with an idempotency store of that name."""
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        create_idempotency_table(client, name)
        yield client


def create_idempotency_table(client: Any, name: str) -> None:
    """The idempotency store of the module `router`."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "held_at", "AttributeType": "S"},
            {"AttributeName": "held_since", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": HELD_INDEX,
                "KeySchema": [
                    {"AttributeName": "held_at", "KeyType": "HASH"},
                    {"AttributeName": "held_since", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["parked"]},
            }
        ],
    )


def create_review_table(client: Any, name: str) -> None:
    """The table of the module `dlq-review`."""
    keys = {index: ((partition, "S"), (sort, "S")) for index, (partition, sort) in INDEXES.items()}
    keys[GROUPS_INDEX[0]] = ((GROUPS_INDEX[1], "S"), (GROUPS_INDEX[2], "N"))
    keys[CLOSED_INDEX[0]] = ((CLOSED_INDEX[1], "S"), (CLOSED_INDEX[2], "S"))
    projections: dict[str, Any] = {
        index: {"ProjectionType": "INCLUDE", "NonKeyAttributes": AUDITED if index == "by-event" else FILTERED}
        for index in INDEXES
    }
    projections |= {GROUPS_INDEX[0]: {"ProjectionType": "ALL"}, CLOSED_INDEX[0]: {"ProjectionType": "KEYS_ONLY"}}
    types = {"item_id": "S", **dict(pair for pairs in keys.values() for pair in pairs)}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "item_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in sorted(types.items())],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition[0], "KeyType": "HASH"},
                    {"AttributeName": sort[0], "KeyType": "RANGE"},
                ],
                "Projection": projections[index],
            }
            for index, (partition, sort) in keys.items()
        ],
    )
