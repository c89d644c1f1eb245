"""From records to where the event is: hand-made log lines, idempotency records, items and queues."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.adapters.sqs.depths import Depth
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.trace.evidence import Depths, Execution
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
    idempotency_record,
    log_record,
    pattern,
    states,
    trace,
    transformed,
)

DELIVERED = (
    log_record("event delivered", seconds=2, **CMS),
    log_record("event delivered", seconds=3, **PUBLISH),
)
ITEM = {"hop": "route/ready-to-cms", "first_failed_at": "2026-11-23T12:00:02.000Z"}


# --- finished -----------------------------------------------------------------------------------------------------


def test_an_event_that_arrived_everywhere_is_settled():
    event = trace(*BEGUN, *DELIVERED)

    assert states(event) == {"cms": "delivered", "publish": "delivered"}
    assert event.verdict == "finished"
    assert event.unknown == ()


def test_steps_are_in_the_order_of_time_wherever_they_are_recorded():
    event = trace(
        DELIVERED[1],
        *BEGUN,
        DELIVERED[0],
        executions=[
            Execution(destination="publish", arn="a", status="SUCCEEDED", started=START + 3.5, stopped=START + 9)
        ],
    )

    assert [(step.at[17:22], step.what, step.recorded_in) for step in event.steps] == [
        ("00.00", "accepted and put on the bus", "log"),
        ("01.00", "transformed, and put on the bus again", "log"),
        ("02.00", "delivered", "log"),
        ("03.00", "delivered", "log"),
        ("03.50", "its execution began", "execution"),
        ("09.00", "its execution ended: SUCCEEDED", "execution"),
    ]


def test_a_failed_execution_is_part_of_the_hop_status():
    execution = Execution(destination="publish", arn=MACHINE, status="FAILED", started=START + 3, stopped=START + 4)
    event = trace(*BEGUN, *DELIVERED, executions=[execution])

    (status,) = [status for status in event.hops if status.destination == "publish"]
    assert status.where.endswith("its execution is FAILED")


def test_an_idempotency_record_alone_shows_a_delivery():
    event = trace(
        idempotency_records=[idempotency_record("ingress", seconds=0), idempotency_record("destination/cms")],
        logs_complete=False,
    )

    assert states(event) == {"cms": "delivered"}
    assert event.verdict == "finished"
    assert [(step.what, step.recorded_in) for step in event.steps] == [
        ("accepted and put on the bus", "idempotency store"),
        ("delivered", "idempotency store"),
    ]


def test_a_decision_of_a_person_against_an_event_is_no_delivery():
    withdrawn = replace(idempotency_record("destination/cms"), state="withdrawn")
    event = trace(*BEGUN, *DELIVERED[1:], idempotency_records=[withdrawn])

    assert states(event)["cms"] == "archived"
    assert "a person decided that it shall not be delivered" in [step.what for step in event.steps]


def test_a_step_in_both_log_and_idempotency_store_is_shown_once():
    event = trace(
        *BEGUN,
        *DELIVERED,
        idempotency_records=[idempotency_record("ingress", seconds=0), idempotency_record("destination/cms")],
    )

    assert [step.what for step in event.steps].count("delivered") == 2
    assert len(event.steps) == 4


def test_attempts_and_redrives_before_the_delivery_are_counted():
    event = trace(
        *BEGUN,
        log_record("hop failed", seconds=2, reason="http-503", receive_count=1, **CMS),
        log_record("hop failed", seconds=4, reason="http-503", receive_count=2, **CMS),
        log_record("event dead-lettered", seconds=4, reason="http-503", **CMS),
        log_record("event redriven", seconds=70, by="review/media-dev-review", reason="http-503", **CMS),
        log_record("event delivered", seconds=71, **CMS),
        DELIVERED[1],
    )

    (status,) = [status for status in event.hops if status.destination == "cms"]
    assert (status.state, status.attempts, status.redrives, status.reason) == ("delivered", 3, 1, None)
    assert [step.attempt for step in event.steps if step.what == "an attempt failed"] == [1, 2]


def test_a_later_event_of_the_key_supersedes_this_one():
    event = trace(*BEGUN, log_record("delivery skipped", seconds=2, reason="superseded", **CMS), DELIVERED[1])

    assert states(event)["cms"] == "superseded"
    assert event.verdict == "finished"


def test_an_idempotency_record_shows_that_it_was_superseded():
    event = trace(*BEGUN, DELIVERED[1], idempotency_records=[idempotency_record("destination/cms", superseded=True)])

    assert states(event)["cms"] == "superseded"


def test_a_repeated_delivery_is_no_second_one():
    event = trace(*BEGUN, *DELIVERED, log_record("delivery skipped", seconds=60, reason="duplicate", **CMS))

    assert states(event)["cms"] == "delivered"
    assert event.steps[-1].what == "delivered before: it was not sent again"


def test_an_event_that_no_rule_takes_is_settled():
    event = trace(log_record("event accepted", type="encode.started"))

    assert event.hops == ()
    assert event.verdict == "finished"
    assert event.no_route


def test_an_event_that_misses_a_route_by_its_stage_names_that_route():
    patterns = OUTPUTS["event_patterns"] | {
        "transform/normalise": pattern("transform/normalise", {"source": ["partner.frameio"]}, "received")
    }
    event = trace(accepted(), topology=Topology.of(OUTPUTS | {"event_patterns": patterns}))

    assert (event.verdict, event.no_route) == ("finished", True)
    assert event.nearest == "route/ready-to-cms wants stage transformed, not received"


def test_an_event_that_misses_every_route_names_the_nearest_with_all_that_it_wants():
    event = trace(accepted(type="asset.created"), transformed(type="asset.created"))

    assert event.nearest == "route/ready-to-cms wants detail-type asset.ready, not asset.created"


def test_without_patterns_the_routes_that_take_it_are_not_known():
    topology = Topology.of({name: value for name, value in OUTPUTS.items() if name != "event_patterns"})
    event = trace(accepted(), topology=topology)

    assert event.verdict == "unknown"
    assert not event.no_route
    assert "patterns are not among the outputs" in event.unknown[0]


def test_a_pattern_on_the_body_leaves_a_question_but_no_alarm():
    patterns = OUTPUTS["event_patterns"] | {
        "route/to-lake": json.dumps({"detail-type": ["asset.ready"], "detail": {"data": {"plan": ["gold"]}}})
    }
    event = trace(*BEGUN, *DELIVERED, topology=Topology.of(OUTPUTS | {"event_patterns": patterns}))

    assert event.verdict == "finished"
    assert event.unknown == (
        "route/to-lake: the logs lack fields that its pattern tests, and there is no record that it took the event",
    )


def test_a_dropped_event_is_settled():
    event = trace(accepted(), log_record("event dropped", seconds=1, hop="transform/normalise"))

    assert event.hops == ()
    assert not event.no_route
    assert event.verdict == "finished"


def test_a_rule_that_sends_to_a_queue_itself_reports_only_failures():
    event = trace(accepted(type="qc.failed"))

    assert states(event) == {"lake": "sent"}
    assert event.verdict == "finished"


def test_a_split_event_goes_on_as_its_parts():
    event = trace(accepted(), parts_of_it=("evt-1/a", "evt-1/b"))

    assert event.parts == ("evt-1/a", "evt-1/b")
    assert event.hops == ()
    assert event.verdict == "finished"


# --- waiting for a person ----------------------------------------------------------------------------------------


def test_an_open_item_needs_a_person_and_says_why():
    item = make_item(**ITEM, attempts=(attempt(), attempt("m-2")))
    event = trace(*BEGUN, DELIVERED[1], items=[item])

    (status,) = [status for status in event.hops if status.destination == "cms"]
    assert (status.state, status.item_id) == ("in review", item.item_id)
    assert status.reason == "http-503: the destination answered 503"
    assert event.verdict == "needs a person"


def test_an_item_is_enough_where_the_logs_have_expired():
    event = trace(items=[make_item(**ITEM, attempts=(attempt(), attempt("m-2")))])

    assert [step.recorded_in for step in event.steps] == ["review table", "review table"]
    assert (event.type, event.partner) == ("asset.ready", "mux")
    assert event.verdict == "needs a person"


@pytest.mark.parametrize(
    ("changes", "state", "verdict"),
    [
        ({"status": "ARCHIVED"}, "archived", "finished"),
        ({"status": "RESOLVED", "resolved_at": "2026-11-23T12:30:00.000Z"}, "delivered", "finished"),
        ({"status": "SUPERSEDED", "superseded_by": "evt-1-edited"}, "superseded", "finished"),
        ({"status": "RETRYING", "retried_at": "2026-11-23T12:59:00.000Z"}, "in flight", "in flight"),
        ({"status": "RETRYING", "retried_at": "2026-11-23T12:30:00.000Z"}, "in review", "needs a person"),
    ],
)
def test_the_decision_of_a_person_is_known(changes, state, verdict):
    event = trace(*BEGUN, DELIVERED[1], items=[make_item(**ITEM, **changes)])

    assert states(event)["cms"] == state
    assert event.verdict == verdict


def test_a_confirmed_retry_is_delivered_whatever_the_item_still_says():
    item = make_item(**ITEM, status="RETRYING", retried_at="2026-11-23T12:30:00.000Z")
    event = trace(
        *BEGUN, DELIVERED[1], items=[item], idempotency_records=[idempotency_record("destination/cms", seconds=1801)]
    )

    assert states(event)["cms"] == "delivered"


def test_an_open_item_of_a_delivered_event_still_needs_a_person():
    event = trace(
        *BEGUN, DELIVERED[1], items=[make_item(**ITEM)], idempotency_records=[idempotency_record("destination/cms")]
    )

    (status,) = [status for status in event.hops if status.destination == "cms"]
    assert status.state == "in review"
    assert "would only close the item" in status.where


def test_neither_body_nor_response_nor_attributes_of_an_item_are_shown():
    item = make_item(
        **ITEM,
        body='{"secret-body": 1}',
        response="secret-answer",
        message_attributes={"secret-attribute": {"dataType": "String", "stringValue": "secret-value"}},
    )
    assert "secret-" not in json.dumps(trace(*BEGUN, items=[item]).to_dict())


# --- in flight, and missing -------------------------------------------------------------------------------------

FAILED = log_record("hop failed", seconds=2, reason="http-503", receive_count=1, **CMS)
DEAD = log_record("event dead-lettered", seconds=3, reason="http-503", **CMS)
BACK = log_record("event redriven", seconds=60, by="review/media-dev-review", reason="http-503", **CMS)
DEFERRED = log_record("event deferred", seconds=2, reason="breaker-open", **CMS)


@pytest.mark.parametrize(
    ("lines", "depths", "where"),
    [
        ((FAILED,), Depths(Depth(0, 1), Depth(0, 0)), "an attempt failed at 2026-11-23T12:00:02.000Z: it waits"),
        ((FAILED, DEAD), Depths(Depth(0, 0), Depth(0, 3)), "waits in the dead-letter queue"),
        ((FAILED, DEAD, BACK), Depths(Depth(2, 0), Depth(0, 0)), "was sent back to the hop"),
        ((DEFERRED,), Depths(Depth(0, 0, 4), Depth(0, 0)), "was deferred"),
        ((), Depths(Depth(9, 0), Depth(0, 0)), "no record of an attempt"),
    ],
)
def test_as_long_as_its_queues_hold_something_it_is_in_flight(lines, depths, where):
    event = trace(*BEGUN, DELIVERED[1], *lines, depths={"route/ready-to-cms": depths})

    (status,) = [status for status in event.hops if status.destination == "cms"]
    assert status.state == "in flight"
    assert where in status.where
    assert "there)" in status.where
    assert event.verdict == "in flight"


@pytest.mark.parametrize("lines", [(FAILED,), (FAILED, DEAD), (FAILED, DEAD, BACK), (DEFERRED,), ()])
def test_with_its_queues_empty_it_is_missing(lines):
    event = trace(*BEGUN, DELIVERED[1], *lines)

    assert states(event)["cms"] == "missing"
    assert event.verdict == "needs a person"


@pytest.mark.parametrize("lines", [(FAILED,), (FAILED, DEAD), ()])
def test_nothing_is_missing_at_once_because_logs_and_counts_lag(lines):
    event = trace(*BEGUN, DELIVERED[1], *lines, now=START + 100)

    assert states(event)["cms"] == "in flight"


@pytest.mark.parametrize(
    "unidentified",
    [{"depths": {}}, {"logs_complete": False}, {"idempotency_complete": False}, {"table_complete": False}],
)
def test_its_state_is_unknown_where_something_could_not_be_read(unidentified):
    event = trace(*BEGUN, DELIVERED[1], FAILED, **unidentified)

    assert states(event)["cms"] == "unknown"
    assert event.verdict == "unknown"


def test_an_attempt_under_a_running_lease_is_going_on():
    event = trace(
        *BEGUN,
        DELIVERED[1],
        idempotency_records=[idempotency_record("destination/cms", "started", lease_expires=NOW + 10)],
    )

    assert states(event)["cms"] == "in flight"
    assert event.steps[-2].what == "an attempt began that is not confirmed"


def test_an_attempt_whose_lease_has_run_out_is_missing_if_no_queue_has_it():
    event = trace(
        *BEGUN,
        DELIVERED[1],
        idempotency_records=[idempotency_record("destination/cms", "started", lease_expires=NOW - 1000)],
    )

    assert states(event)["cms"] == "missing"


@pytest.mark.parametrize("written", ["review item opened", "review item failed again"])
def test_an_item_that_was_written_and_is_not_in_the_table_is_missing(written):
    opened = log_record(written, seconds=9, by="review/media-dev-review", reason="http-503", **CMS)
    event = trace(*BEGUN, DELIVERED[1], FAILED, DEAD, opened)

    assert states(event)["cms"] == "missing"


def test_an_event_that_never_came_out_of_its_transform_is_missing_there():
    event = trace(accepted())

    assert states(event) == {"transform/normalise": "missing"}


def test_a_failing_transform_is_where_the_event_is():
    failing = log_record("hop failed", seconds=1, hop="transform/normalise", reason="map-failed", receive_count=1)
    event = trace(accepted(), failing, depths={"transform/normalise": Depths(Depth(0, 1), Depth(0, 0))})

    assert states(event) == {"transform/normalise": "in flight"}


def test_a_hop_that_failed_at_first_is_shown_once_passed():
    failing = log_record("hop failed", seconds=1, hop="transform/normalise", reason="map-failed", receive_count=1)
    event = trace(accepted(), failing, transformed(), *DELIVERED)

    assert states(event)["transform/normalise"] == "passed"
    assert event.verdict == "finished"


def test_an_event_that_the_bus_refused_waits_in_the_dead_letters_of_its_ingress():
    dead = log_record("event dead-lettered", seconds=1, reason="aws-throttled", type=None)
    event = trace(dead, depths={"ingress/media-dev-webhook": Depths(None, Depth(0, 1))})

    assert states(event) == {"ingress/media-dev-webhook": "in flight"}


def test_the_sender_has_to_repeat_a_request_that_got_503():
    failed = log_record("hop failed", seconds=1, reason="aws-throttled", partner=None, type=None)
    event = trace(failed)

    assert states(event) == {"ingress/media-dev-webhook": "unknown"}
    assert "has to send it again" in event.hops[0].where


def test_a_dead_letter_that_can_not_be_redriven_is_no_attempt_of_the_hop():
    stuck = log_record("hop failed", seconds=60, by="review/media-dev-review", reason="aws-throttled", **CMS)
    event = trace(
        *BEGUN, DELIVERED[1], FAILED, DEAD, stuck, depths={"route/ready-to-cms": Depths(Depth(0, 0), Depth(0, 1))}
    )

    (status,) = [status for status in event.hops if status.destination == "cms"]
    assert status.attempts == 1
    assert "the dead letter could not be sent back" in event.steps[-1].what


def test_an_event_without_records_is_not_found():
    event = trace(source=None)

    assert not event.found
    assert event.hops == ()


def test_a_parked_event_waits_for_an_earlier_one_of_its_key():
    event = trace(*BEGUN, DELIVERED[1], log_record("event parked", seconds=2, **CMS))

    assert states(event)["cms"] == "parked"
    assert event.verdict == "in flight"


def test_a_resumed_event_waits_in_the_queue_and_is_then_delivered():
    back = (log_record("event parked", seconds=2, **CMS), log_record("event resumed", seconds=60, **CMS))
    depths = {"route/ready-to-cms": Depths(Depth(1, 0), Depth(0, 0))}

    assert states(trace(*BEGUN, DELIVERED[1], *back, depths=depths))["cms"] == "in flight"
    assert (
        states(trace(*BEGUN, DELIVERED[1], *back, log_record("event delivered", seconds=61, **CMS)))["cms"]
        == "delivered"
    )


def test_an_event_that_a_person_archived_is_not_sent_when_it_is_next():
    event = trace(*BEGUN, DELIVERED[1], log_record("delivery skipped", seconds=2, reason="archived", **CMS))

    assert states(event)["cms"] == "archived"
    assert event.verdict == "finished"


def test_a_function_that_a_rule_invokes_itself_has_a_log_and_no_queue():
    hops = OUTPUTS["hops"] | {"route/ready-to-cms": OUTPUTS["hops"]["route/ready-to-cms"] | {"queue_url": None}}
    topology = Topology.of(OUTPUTS | {"hops": hops})
    no_queue = {"route/ready-to-cms": Depths(None, Depth(0, 0))}

    assert states(trace(*BEGUN, *DELIVERED, topology=topology, depths=no_queue))["cms"] == "delivered"
    # Lambda keeps it for hours, where nobody can count it.
    assert states(trace(*BEGUN, DELIVERED[1], topology=topology, depths=no_queue))["cms"] == "unknown"
