"""Status and trace after the demonstration, by somebody with the policy `read` alone: complete, and true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.scenario import BROKEN, fresh
from media_events_kit.ops.local.clients import Clients
from tests.fakes.insights_query import fields
from tests.system.operators import Operator, Said, with_policy
from tests.system.polling import eventually


@pytest.fixture(name="reader", scope="module")
def _reader(demonstration, clients: Clients, outputs) -> Operator:
    return with_policy(demonstration.paths, clients, "reader", outputs["operator_policies"]["read"])


@pytest.fixture(name="stories", scope="module")
def _stories(demonstration, reader: Operator) -> dict[str, dict[str, Any]]:
    """The trace of each event of the demonstration, by its label."""
    found = {}
    for event in demonstration.result["events"]:
        said = reader.run("trace", event["event_id"], "--json")
        assert said.status == 0, (event["label"], said.out, said.err)
        (story,) = said.document["events"]
        found[event["label"]] = story
    return found


def hops(story: dict[str, Any], *states: str) -> list[str]:
    return sorted(leg["destination"] for leg in story["hops"] if leg["destination"] and leg["state"] in states)


# --- what the demonstration left -------------------------------------------------------------------------------


def test_every_event_is_where_the_demonstration_saw_it_arrive_and_nowhere_else(demonstration, stories):
    assert {label: hops(story, "delivered") for label, story in stories.items()} == {
        event["label"]: sorted(event["delivered"]) for event in demonstration.result["events"]
    }
    assert all(leg["state"] in {"delivered", "passed"} for story in stories.values() for leg in story["hops"])
    assert [story["unknown"] for story in stories.values() if story["unknown"]] == []


def test_every_story_has_its_way_in_and_is_in_the_order_of_time(stories):
    for label, story in stories.items():
        times = [step["at"] for step in story["steps"]]
        assert times == sorted(times), label
        # It says so once the bus has the event: the next hop may be quicker.
        (entered,) = [step for step in story["steps"] if step["what"] == "accepted and put on the bus"]
        assert entered["hop"].startswith("ingress/"), label
        assert story["reading"]["log_events"] > 0, label


def test_the_failures_of_the_comment_are_all_told(stories):
    (leg,) = [leg for leg in stories["Frame.io: comment"]["hops"] if leg["destination"] == BROKEN]
    assert (leg["attempts"], leg["redrives"]) == (5, 1)
    told_of = [step["what"] for step in stories["Frame.io: comment"]["steps"] if step["hop"] == leg["hop"]]
    assert told_of.count("an attempt failed") == 4
    assert told_of[-4:-2] == ["given up: its review item waits for a person", "retried by a person"]
    # The review reads the idempotency store, which may have the effect before the function has logged it.
    assert sorted(told_of[-2:]) == ["delivered", "its review item is resolved"]


def test_an_execution_is_part_of_the_story(stories):
    executions = [step for step in stories["Mux: asset ready"]["steps"] if step["recorded_in"] == "execution"]
    assert [step["what"] for step in executions] == ["its execution began", "its execution ended: SUCCEEDED"]


def test_an_asset_s_events_are_found_by_its_id(demonstration, stories, reader: Operator):
    subject = stories["Mux: asset ready"]["subject"]
    found = reader.run("trace", subject, "--json").document["events"]
    assert {"Mux: asset created", "Mux: asset ready"} <= {
        event["label"]
        for event in demonstration.result["events"]
        if event["event_id"] in {story["event_id"] for story in found}
    }


def test_nothing_of_what_is_in_an_event_is_told(demonstration, reader: Operator):
    said = reader.run(
        "trace", next(e["event_id"] for e in demonstration.result["events"] if e["label"] == "Frame.io: comment")
    )
    assert "workspace" not in said.out
    assert '"data"' not in said.out


def test_saved_queries_are_there_and_name_fields_that_the_lines_have(clients: Clients, outputs, log_lines):
    saved = clients.logs.describe_query_definitions(queryDefinitionNamePrefix="media-local/")["queryDefinitions"]
    written = {name for line in log_lines() for name in line.fields or ()}

    assert len(saved) == 5
    # No function has crashed.
    named = {name for query in saved for name in fields(query["queryString"]) if not name.startswith("@")}
    assert named - written <= {"error", "at", "status"}
    assert {name for query in saved for name in query["logGroupNames"]} == set(outputs["log_group_names"].values())


def test_an_event_that_was_never_there_is_unknown(reader: Operator):
    said = reader.run("trace", "never-there")
    assert said.status == 1
    assert "no trace" in said.err


def test_who_may_read_nothing_is_not_told_that_an_event_is_unknown(demonstration, clients: Clients):
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    nobody = with_policy(demonstration.paths, clients, "reads-nothing", json.dumps(nothing))
    assert nobody.run("trace", "never-there").status == 5
    assert nobody.run("status").status == 2


# --- from a failure to its repair ------------------------------------------------------------------------------


@pytest.fixture(name="failing")
def _failing(receiver: Receiver) -> Iterator[Receiver]:
    receiver.answer_with(BROKEN, 410)
    yield receiver
    receiver.answer_with(BROKEN, 200)


def needs(said: Said) -> list[str]:
    """What needs a person at the broken destination."""
    return [need["what"] for need in said.document["needs"] if f"→ {BROKEN}" in need["what"]]


@pytest.fixture(name="replayer", scope="module")
def _replayer(demonstration, clients: Clients, outputs) -> Operator:
    return with_policy(demonstration.paths, clients, "replayer", outputs["operator_policies"]["retry"])


def test_status_and_trace_follow_an_event_into_review_and_out_of_it(
    outputs, senders, reader: Operator, replayer: Operator, failing: Receiver
):
    assert needs(reader.run("status", "--json")) == []

    answer = senders["frameio"].send(fresh("frameio-v4-comment.created"))
    event_id = json.loads(answer.body)["id"]

    def on_the_screen() -> Said | None:
        said = reader.run("status", "--json")
        return said if needs(said) else None

    waiting = eventually(on_the_screen)
    assert waiting
    assert waiting.status == 1
    assert "http-410" in needs(waiting)[0]
    assert len(waiting.document["hops"]) == len(outputs["hops"])
    traced = reader.run("trace", event_id, "--json")
    assert traced.status == 4
    (story,) = traced.document["events"]
    (leg,) = [leg for leg in story["hops"] if leg["destination"] == BROKEN]
    assert (leg["state"], leg["item_id"] is not None) == ("in review", True)
    assert "http-410" in leg["reason"]

    failing.answer_with(BROKEN, 200)
    assert replayer.run("review", "retry", leg["item_id"], "--reason", "it is back").status == 0

    assert reader.run("trace", event_id).status == 0
    after = reader.run("status", "--json")
    assert needs(after) == []
    assert after.status == (1 if after.document["needs"] else 0)
