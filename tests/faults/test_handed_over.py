"""This version goes on where the version before left off: with its rows, messages, dead letters and bodies."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from media_events.recovery.review_item import ReviewItem
from tests.faults.aws_model.scheduler import CALM
from tests.faults.handed_over import FOLDER, give, scenario
from tests.faults.older_version import BASE
from tests.faults.run import Run, Scenario

DOCUMENTS = sorted(FOLDER.glob("*.json"))


@pytest.fixture(name="document", params=DOCUMENTS, ids=[file.stem for file in DOCUMENTS])
def _document(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


@pytest.fixture(name="run")
def _run(document):
    run = Run(Scenario(seed=1, mix=CALM, events=scenario().events))
    give(run, document)
    return run


def test_there_is_one_of_the_version_before():
    assert BASE in {file.stem for file in DOCUMENTS}


def test_nothing_of_it_is_lost_or_doubled(run, document):
    tally = run.go_on()
    assert tally.problems == []
    assert (tally.lost, tally.doubled, tally.stuck) == (0, 0, 0)
    assert tally.accepted == len(document["accepted"])
    assert tally.review >= 1
    assert run.kit.waiting() == {} or all(item.status == "OPEN" for item in run.items())


def test_it_has_something_of_everything(document):
    records = document["tables"]["route_idempotency"]
    queues = {name for name, messages in document["queues"].items() if messages}
    states = Counter(record["state"]["S"] for record in records.values() if "state" in record)
    assert states["done"] > 20
    assert states["started"] >= 1
    assert any(key.startswith("key-queue|") for key in records)
    assert any(key.startswith("circuit-breaker") for key in records)
    assert any(name.endswith("-dlq") for name in queues)
    assert any(not name.endswith("-dlq") for name in queues - {"users-archive"})
    assert any(name.startswith("group/") for name in document["tables"]["reviews"])
    assert document["bodies"]


def test_its_review_items_are_read_whole(run):
    items: list[ReviewItem] = list(run.items())
    assert len(items) >= 3
    for item in items:
        assert item.attempts
        assert item.return_to.kind in ("queue", "bus", "function", "record")
        assert ReviewItem.from_dict(item.to_dict()) == item
