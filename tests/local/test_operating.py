"""Traces after the demonstration, by somebody with the policy `read` alone: complete, and true."""

from __future__ import annotations

from typing import Any

import pytest

from ops.local.clients import Clients
from tests.local.operators import Operator, with_policy


@pytest.fixture(name="reader", scope="module")
def _reader(told, clients: Clients, outputs) -> Operator:
    return with_policy(told.paths, clients, "reader", outputs["operator_policies"]["read"])


@pytest.fixture(name="stories", scope="module")
def _stories(told, reader: Operator) -> dict[str, dict[str, Any]]:
    """The trace of each event of the demonstration, by its label."""
    found = {}
    for event in told.result["events"]:
        said = reader.run("trace", event["event_id"], "--json")
        assert said.status == 0, (event["label"], said.out, said.err)
        (story,) = said.document["stories"]
        found[event["label"]] = story
    return found


def legs(story: dict[str, Any], *states: str) -> list[str]:
    return sorted(leg["destination"] for leg in story["legs"] if leg["destination"] and leg["state"] in states)


# --- what the demonstration left -------------------------------------------------------------------------------


def test_every_event_is_where_the_demonstration_saw_it_arrive_and_nowhere_else(told, stories):
    assert {label: legs(story, "delivered") for label, story in stories.items()} == {
        event["label"]: sorted(event["delivered"]) for event in told.result["events"]
    }
    assert all(leg["state"] in {"delivered", "passed"} for story in stories.values() for leg in story["legs"])
    assert [story["unknown"] for story in stories.values() if story["unknown"]] == []


def test_every_story_has_its_way_in_and_is_in_the_order_of_time(stories):
    for label, story in stories.items():
        times = [step["at"] for step in story["steps"]]
        assert times == sorted(times), label
        # It says so once the bus has the event: the next hop may be quicker.
        (entered,) = [step for step in story["steps"] if step["what"] == "accepted and put on the bus"]
        assert entered["hop"].startswith("ingress/"), label
        assert story["reading"]["log_events"] > 0, label
