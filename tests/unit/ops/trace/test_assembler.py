"""From what the parts say to where the event is: hand-made lines, ledgers, items and queues."""

from __future__ import annotations

import json

import pytest

from ops.deployment.topology import Topology
from ops.shared.queue_depths import Depth
from ops.trace.assembler import no_route
from ops.trace.evidence import Depths, Execution
from tests.fakes.review_items import attempt, make_item
from tests.fakes.trace_evidence import (
    BEGUN,
    CMS,
    MACHINE,
    NOW,
    OUTPUTS,
    PUBLISH,
    START,
    accepted,
    record,
    said,
    states,
    story,
    transformed,
)

DELIVERED = (
    said("event delivered", seconds=2, **CMS),
    said("event delivered", seconds=3, **PUBLISH),
)
ITEM = {"hop": "route/ready-to-cms", "first_failed_at": "2026-11-23T12:00:02.000Z"}


# --- settled -----------------------------------------------------------------------------------------------------


def test_an_event_that_arrived_everywhere_is_settled():
    told = story(*BEGUN, *DELIVERED)

    assert states(told) == {"cms": "delivered", "publish": "delivered"}
    assert told.verdict == "settled"
    assert told.unknown == ()


def test_steps_are_in_the_order_of_time_whoever_told_of_them():
    told = story(
        DELIVERED[1],
        *BEGUN,
        DELIVERED[0],
        executions=[
            Execution(destination="publish", arn="a", status="SUCCEEDED", started=START + 3.5, stopped=START + 9)
        ],
    )

    assert [(step.at[17:22], step.what, step.told_by) for step in told.steps] == [
        ("00.00", "accepted and put on the bus", "log"),
        ("01.00", "transformed, and put on the bus again", "log"),
        ("02.00", "delivered", "log"),
        ("03.00", "delivered", "log"),
        ("03.50", "its execution began", "execution"),
        ("09.00", "its execution ended: SUCCEEDED", "execution"),
    ]


def test_a_failed_execution_is_told_of_where_the_event_is():
    execution = Execution(destination="publish", arn=MACHINE, status="FAILED", started=START + 3, stopped=START + 4)
    told = story(*BEGUN, *DELIVERED, executions=[execution])

    (leg,) = [leg for leg in told.hops if leg.destination == "publish"]
    assert leg.where.endswith("its execution is FAILED")


def test_the_ledger_alone_is_enough_to_know_of_a_delivery():
    told = story(entries=[record("ingress", seconds=0), record("destination/cms")], logs_complete=False)

    assert states(told) == {"cms": "delivered"}
    assert told.verdict == "settled"
    assert [(step.what, step.told_by) for step in told.steps] == [
        ("accepted and put on the bus", "ledger"),
        ("delivered", "ledger"),
    ]


def test_what_log_and_ledger_both_tell_is_told_once():
    told = story(*BEGUN, *DELIVERED, entries=[record("ingress", seconds=0), record("destination/cms")])

    assert [step.what for step in told.steps].count("delivered") == 2
    assert len(told.steps) == 4


def test_attempts_and_re_drives_before_the_delivery_are_counted():
    told = story(
        *BEGUN,
        said("hop failed", seconds=2, reason="http-503", receive_count=1, **CMS),
        said("hop failed", seconds=4, reason="http-503", receive_count=2, **CMS),
        said("event dead-lettered", seconds=4, reason="http-503", **CMS),
        said("event redriven", seconds=70, by="review/media-dev-review", reason="http-503", **CMS),
        said("event delivered", seconds=71, **CMS),
        DELIVERED[1],
    )

    (leg,) = [leg for leg in told.hops if leg.destination == "cms"]
    assert (leg.state, leg.attempts, leg.redrives, leg.reason) == ("delivered", 3, 1, None)
    assert [step.attempt for step in told.steps if step.what == "an attempt failed"] == [1, 2]


def test_a_later_event_of_the_key_supersedes_this_one():
    told = story(*BEGUN, said("delivery skipped", seconds=2, reason="superseded", **CMS), DELIVERED[1])

    assert states(told)["cms"] == "superseded"
    assert told.verdict == "settled"


def test_the_ledger_knows_that_it_was_superseded():
    told = story(*BEGUN, DELIVERED[1], entries=[record("destination/cms", superseded=True)])

    assert states(told)["cms"] == "superseded"


def test_a_repeated_delivery_is_no_second_one():
    told = story(*BEGUN, *DELIVERED, said("delivery skipped", seconds=60, reason="duplicate", **CMS))

    assert states(told)["cms"] == "delivered"
    assert told.steps[-1].what == "delivered before: it was not sent again"


def test_no_rule_asks_for_it():
    told = story(said("event accepted", type="encode.started"))

    assert told.hops == ()
    assert told.verdict == "settled"
    assert no_route(told)


def test_without_patterns_nobody_knows_which_route_asks_for_it():
    topology = Topology.of({name: value for name, value in OUTPUTS.items() if name != "event_patterns"})
    told = story(accepted(), topology=topology)

    assert told.verdict == "unknown"
    assert not no_route(told)
    assert "patterns are not among the outputs" in told.unknown[0]


def test_a_pattern_on_the_body_leaves_a_question_but_no_alarm():
    patterns = OUTPUTS["event_patterns"] | {
        "route/to-lake": json.dumps({"detail-type": ["asset.ready"], "detail": {"data": {"plan": ["gold"]}}})
    }
    told = story(*BEGUN, *DELIVERED, topology=Topology.of(OUTPUTS | {"event_patterns": patterns}))

    assert told.verdict == "settled"
    assert told.unknown == (
        "route/to-lake: what its pattern asks for is not in the logs; nothing tells that it took the event",
    )


def test_a_dropped_event_is_settled():
    told = story(accepted(), said("event dropped", seconds=1, hop="transform/normalise"))

    assert told.hops == ()
    assert told.verdict == "settled"


def test_a_rule_that_sends_straight_to_a_queue_tells_only_of_failures():
    told = story(accepted(type="qc.failed"))

    assert states(told) == {"lake": "sent"}
    assert told.verdict == "settled"


def test_a_split_event_goes_on_as_its_parts():
    told = story(accepted(), parts_of_it=("evt-1/a", "evt-1/b"))

    assert told.parts == ("evt-1/a", "evt-1/b")
    assert told.hops == ()
    assert told.verdict == "settled"


# --- waiting for a person ----------------------------------------------------------------------------------------


def test_an_open_item_needs_a_person_and_says_why():
    item = make_item(**ITEM, attempts=(attempt(), attempt("m-2")))
    told = story(*BEGUN, DELIVERED[1], items=[item])

    (leg,) = [leg for leg in told.hops if leg.destination == "cms"]
    assert (leg.state, leg.item_id) == ("in review", item.item_id)
    assert leg.reason == "http-503: the destination answered 503"
    assert told.verdict == "needs a person"


def test_an_item_is_enough_where_the_logs_have_expired():
    told = story(items=[make_item(**ITEM, attempts=(attempt(), attempt("m-2")))])

    assert [step.told_by for step in told.steps] == ["review", "review"]
    assert (told.type, told.partner) == ("asset.ready", "mux")
    assert told.verdict == "needs a person"


@pytest.mark.parametrize(
    ("changes", "state", "verdict"),
    [
        ({"status": "ARCHIVED"}, "archived", "settled"),
        ({"status": "RESOLVED", "resolved_at": "2026-11-23T12:30:00.000Z"}, "delivered", "settled"),
        ({"status": "SUPERSEDED", "superseded_by": "evt-1-edited"}, "superseded", "settled"),
        ({"status": "RETRYING", "replayed_at": "2026-11-23T12:59:00.000Z"}, "in flight", "in flight"),
        ({"status": "RETRYING", "replayed_at": "2026-11-23T12:30:00.000Z"}, "in review", "needs a person"),
    ],
)
def test_what_a_person_did_is_known(changes, state, verdict):
    told = story(*BEGUN, DELIVERED[1], items=[make_item(**ITEM, **changes)])

    assert states(told)["cms"] == state
    assert told.verdict == verdict


def test_a_confirmed_replay_is_delivered_whatever_the_item_still_says():
    item = make_item(**ITEM, status="RETRYING", replayed_at="2026-11-23T12:30:00.000Z")
    told = story(*BEGUN, DELIVERED[1], items=[item], entries=[record("destination/cms", seconds=1801)])

    assert states(told)["cms"] == "delivered"


def test_an_open_item_of_a_delivered_event_still_needs_a_person():
    told = story(*BEGUN, DELIVERED[1], items=[make_item(**ITEM)], entries=[record("destination/cms")])

    (leg,) = [leg for leg in told.hops if leg.destination == "cms"]
    assert leg.state == "in review"
    assert "would only settle the item" in leg.where


def test_neither_body_nor_answer_nor_attributes_of_an_item_are_told():
    item = make_item(
        **ITEM,
        body='{"secret-body": 1}',
        response="secret-answer",
        message_attributes={"secret-attribute": {"dataType": "String", "stringValue": "secret-value"}},
    )
    assert "secret-" not in json.dumps(story(*BEGUN, items=[item]).to_dict())


# --- in flight, and lost from sight ------------------------------------------------------------------------------

FAILED = said("hop failed", seconds=2, reason="http-503", receive_count=1, **CMS)
DEAD = said("event dead-lettered", seconds=3, reason="http-503", **CMS)
BACK = said("event redriven", seconds=60, by="review/media-dev-review", reason="http-503", **CMS)
DEFERRED = said("event deferred", seconds=2, reason="breaker-open", **CMS)


@pytest.mark.parametrize(
    ("lines", "depths", "where"),
    [
        ((FAILED,), Depths(Depth(0, 1), Depth(0, 0)), "an attempt failed at 2026-11-23T12:00:02.000Z: it waits"),
        ((FAILED, DEAD), Depths(Depth(0, 0), Depth(0, 3)), "waits in the dead-letter queue"),
        ((FAILED, DEAD, BACK), Depths(Depth(2, 0), Depth(0, 0)), "was sent back to the hop"),
        ((DEFERRED,), Depths(Depth(0, 0, 4), Depth(0, 0)), "was put off"),
        ((), Depths(Depth(9, 0), Depth(0, 0)), "no attempt is known of"),
    ],
)
def test_as_long_as_its_queues_hold_something_it_is_in_flight(lines, depths, where):
    told = story(*BEGUN, DELIVERED[1], *lines, depths={"route/ready-to-cms": depths})

    (leg,) = [leg for leg in told.hops if leg.destination == "cms"]
    assert leg.state == "in flight"
    assert where in leg.where
    assert "there)" in leg.where
    assert told.verdict == "in flight"


@pytest.mark.parametrize("lines", [(FAILED,), (FAILED, DEAD), (FAILED, DEAD, BACK), (DEFERRED,), ()])
def test_with_its_queues_empty_it_is_lost_from_sight(lines):
    told = story(*BEGUN, DELIVERED[1], *lines)

    assert states(told)["cms"] == "missing"
    assert told.verdict == "needs a person"


@pytest.mark.parametrize("lines", [(FAILED,), (FAILED, DEAD), ()])
def test_logs_and_counts_lag_so_that_nothing_is_lost_at_once(lines):
    told = story(*BEGUN, DELIVERED[1], *lines, now=START + 100)

    assert states(told)["cms"] == "in flight"


@pytest.mark.parametrize(
    "unidentified",
    [{"depths": {}}, {"logs_complete": False}, {"idempotency_complete": False}, {"table_complete": False}],
)
def test_what_could_not_be_read_may_be_where_it_is(unidentified):
    told = story(*BEGUN, DELIVERED[1], FAILED, **unidentified)

    assert states(told)["cms"] == "unknown"
    assert told.verdict == "unknown"


def test_an_attempt_under_a_running_lease_is_going_on():
    told = story(*BEGUN, DELIVERED[1], entries=[record("destination/cms", "started", lease_expires=NOW + 10)])

    assert states(told)["cms"] == "in flight"
    assert told.steps[-2].what == "an attempt began that is not confirmed"


def test_an_attempt_whose_lease_has_run_out_is_lost_if_no_queue_has_it():
    told = story(*BEGUN, DELIVERED[1], entries=[record("destination/cms", "started", lease_expires=NOW - 1000)])

    assert states(told)["cms"] == "missing"


@pytest.mark.parametrize("written", ["review item opened", "review item failed again"])
def test_an_item_that_was_written_and_is_not_in_the_table_is_lost_from_sight(written):
    opened = said(written, seconds=9, by="review/media-dev-review", reason="http-503", **CMS)
    told = story(*BEGUN, DELIVERED[1], FAILED, DEAD, opened)

    assert states(told)["cms"] == "missing"


def test_an_event_that_never_came_out_of_its_transform_is_lost_there():
    told = story(accepted())

    assert states(told) == {"transform/normalise": "missing"}


def test_a_failing_transform_is_where_the_event_is():
    failing = said("hop failed", seconds=1, hop="transform/normalise", reason="map-failed", receive_count=1)
    told = story(accepted(), failing, depths={"transform/normalise": Depths(Depth(0, 1), Depth(0, 0))})

    assert states(told) == {"transform/normalise": "in flight"}


def test_a_hop_on_the_way_that_had_trouble_is_told_of_once_passed():
    failing = said("hop failed", seconds=1, hop="transform/normalise", reason="map-failed", receive_count=1)
    told = story(accepted(), failing, transformed(), *DELIVERED)

    assert states(told)["transform/normalise"] == "passed"
    assert told.verdict == "settled"


def test_an_event_that_the_bus_refused_waits_in_the_dead_letters_of_its_way_in():
    dead = said("event dead-lettered", seconds=1, reason="aws-throttled", type=None)
    told = story(dead, depths={"ingress/media-dev-webhook": Depths(None, Depth(0, 1))})

    assert states(told) == {"ingress/media-dev-webhook": "in flight"}


def test_a_call_that_was_answered_503_is_its_senders_to_repeat():
    failed = said("hop failed", seconds=1, reason="aws-throttled", partner=None, type=None)
    told = story(failed)

    assert states(told) == {"ingress/media-dev-webhook": "unknown"}
    assert "has to send it again" in told.hops[0].where


def test_a_dead_letter_that_can_not_be_sent_back_is_no_attempt_of_the_hop():
    stuck = said("hop failed", seconds=60, by="review/media-dev-review", reason="aws-throttled", **CMS)
    told = story(
        *BEGUN, DELIVERED[1], FAILED, DEAD, stuck, depths={"route/ready-to-cms": Depths(Depth(0, 0), Depth(0, 1))}
    )

    (leg,) = [leg for leg in told.hops if leg.destination == "cms"]
    assert leg.attempts == 1
    assert "the dead letter could not be sent back" in told.steps[-1].what


def test_nothing_is_known_of_an_event_that_left_no_trace():
    told = story(source=None)

    assert not told.found
    assert told.hops == ()


def test_a_parked_event_waits_for_an_earlier_one_of_its_key():
    told = story(*BEGUN, DELIVERED[1], said("event parked", seconds=2, **CMS))

    assert states(told)["cms"] == "parked"
    assert told.verdict == "in flight"


def test_an_event_that_was_called_back_waits_in_the_queue_and_is_then_delivered():
    back = (said("event parked", seconds=2, **CMS), said("event resumed", seconds=60, **CMS))
    depths = {"route/ready-to-cms": Depths(Depth(1, 0), Depth(0, 0))}

    assert states(story(*BEGUN, DELIVERED[1], *back, depths=depths))["cms"] == "in flight"
    assert states(story(*BEGUN, DELIVERED[1], *back, said("event delivered", seconds=61, **CMS)))["cms"] == "delivered"


def test_an_event_that_a_person_had_put_away_is_not_sent_when_its_turn_comes():
    told = story(*BEGUN, DELIVERED[1], said("delivery skipped", seconds=2, reason="archived", **CMS))

    assert states(told)["cms"] == "archived"
    assert told.verdict == "settled"


def test_a_function_that_a_rule_invokes_itself_has_a_log_and_no_queue():
    hops = OUTPUTS["hops"] | {"route/ready-to-cms": OUTPUTS["hops"]["route/ready-to-cms"] | {"queue_url": None}}
    topology = Topology.of(OUTPUTS | {"hops": hops})
    no_queue = {"route/ready-to-cms": Depths(None, Depth(0, 0))}

    assert states(story(*BEGUN, *DELIVERED, topology=topology, depths=no_queue))["cms"] == "delivered"
    # Lambda keeps it for hours, where nobody can count it.
    assert states(story(*BEGUN, DELIVERED[1], topology=topology, depths=no_queue))["cms"] == "unknown"
