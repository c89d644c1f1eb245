"""The review table in moto's DynamoDB, as the module `dlq-review` makes it."""

from __future__ import annotations

from typing import Any

from media_events.adapters.dynamodb.review_items import CLOSED_INDEX, GROUPS_INDEX, INDEXES


def create_review_table(client: Any, name: str) -> None:
    keys = {index: ((partition, "S"), (sort, "S")) for index, (partition, sort) in INDEXES.items()}
    keys[GROUPS_INDEX[0]] = ((GROUPS_INDEX[1], "S"), (GROUPS_INDEX[2], "N"))
    keys[CLOSED_INDEX[0]] = ((CLOSED_INDEX[1], "S"), (CLOSED_INDEX[2], "S"))
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
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, (partition, sort) in keys.items()
        ],
    )
