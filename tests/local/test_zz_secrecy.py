"""After everything that this session sent: no secret and no signature in what the parts wrote down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from ops.demo.senders import Sender
from ops.demo.stand_ins import FILES, SIGNED, TRANSCODER
from ops.demo.surroundings import Surroundings
from ops.local.clients import Clients
from ops.local.functionlogs import LogLine

MARKS = ("v1=", "mux-signature", "x-frameio-signature", "webhook-signature", "whsec_")


@pytest.fixture
def secrets(senders: dict[str, Sender], told) -> list[str]:
    """Partners' secrets, and the keys of those that events are delivered to, in lower case."""
    around = Surroundings.read(told.paths)
    assert around is not None
    client = json.loads(around.keys[FILES])["client_secret"]
    found = [sender.secret for sender in senders.values()] + [around.keys[SIGNED], around.keys[TRANSCODER], client]
    return [secret.lower() for secret in found]


def _items(clients: Clients) -> Iterator[str]:
    for table in clients.dynamodb.list_tables()["TableNames"]:
        for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from (f"{table}: {item}" for item in page["Items"])


def _objects(clients: Clients) -> Iterator[str]:
    for bucket in clients.s3.list_buckets()["Buckets"]:
        for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for entry in page.get("Contents", []):
                body = clients.s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                yield f"{entry['Key']}: {body.decode('utf-8', 'replace')}"


def test_no_log_line_holds_a_secret_or_a_signature(log_lines: Callable[[], list[LogLine]], secrets: list[str]):
    lines = log_lines()
    assert lines
    assert [line.text for line in lines for mark in (*secrets, *MARKS) if mark in line.text.lower()] == []


def test_no_table_holds_a_secret_or_a_signature(clients: Clients, secrets: list[str]):
    items = list(_items(clients))
    assert items
    assert [item for item in items for mark in (*secrets, *MARKS) if mark in item.lower()] == []


def test_no_object_holds_a_secret(clients: Clients, secrets: list[str]):
    objects = list(_objects(clients))
    assert objects
    assert [item for item in objects for secret in secrets if secret in item.lower()] == []


def test_terraforms_state_holds_no_secret(told, secrets: list[str]):
    state = told.paths.terraform_state.read_text(encoding="utf-8")
    assert [secret for secret in secrets if secret in state.lower()] == []
