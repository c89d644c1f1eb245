"""How long an event has waited is known though SQS sees a new message in each copy."""

from __future__ import annotations

import random

import pytest

from media_events.core.clock import timestamp
from media_events.core.failures import DEFERRED_SINCE_ATTRIBUTE, DeferredError, PermanentDataError, TransientError
from media_events.messaging.message import Message
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.messaging.queue_consumer import Consumer, RetryPolicy, consume
from media_events.messaging.waiting import REPORTED_SECONDS, waiting_seconds
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeQueue, FakeReport, bus_event, sqs_record

DOWN = TransientError("http-503", "down")
PAUSED = DeferredError("breaker-open", "paused", retry_after=30, hold_seconds=86_400)


def message(now, *, sent=None, deferred=None, failed=None):
    attributes = {} if sent is None else {"SentTimestamp": str(int((now - sent) * 1000))}
    texts = {}
    if deferred is not None:
        texts[DEFERRED_SINCE_ATTRIBUTE] = {"dataType": "Number", "stringValue": str(int(now - deferred))}
    if failed is not None:
        texts[FIRST_FAILED_ATTRIBUTE] = {"dataType": "String", "stringValue": timestamp(now - failed)}
    return Message(body="", message_id="1", receipt_handle="1", attributes=attributes, message_attributes=texts)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ({}, 0),
        ({"sent": 10}, 10),
        ({"sent": 10, "deferred": 7200}, 7200),
        ({"sent": 10, "failed": 90_000}, 90_000),
        ({"sent": 10, "deferred": 7200, "failed": 90_000}, 90_000),
        ({"sent": -5}, 0),
    ],
)
def test_the_wait_counts_from_the_first_that_is_known_of_the_event(times, seconds):
    now = FakeClock().now
    assert waiting_seconds(message(now, **times), now) == pytest.approx(seconds, abs=1)


class Copies:
    def defer(self, *_arguments, **_options):
        return True


def reported(error, *, sent, router="media-dev", **settings):
    clock, report = FakeClock(), FakeReport()
    record = sqs_record(bus_event(make_event()))
    record["attributes"] = {
        **record["attributes"],
        "SentTimestamp": str(int((clock.now - sent) * 1000)),
        "ApproximateFirstReceiveTimestamp": str(int(clock.now * 1000)),
    }
    consumer = Consumer(
        queue=FakeQueue(),
        hop="route/cms",
        report=report,
        policy=RetryPolicy(max_receive_count=5),
        clock=clock,
        rng=random.Random(7),
        router=router,
        **settings,
    )

    def fail(_message):
        raise error

    consume({"Records": [record]}, fail, consumer)
    return report


def test_an_event_that_fails_for_the_time_being_reports_its_age_for_its_hop_and_for_all_of_the_router():
    report = reported(DOWN, sent=5000)
    assert report.gauge("WaitingEventAge", router="media-dev") == pytest.approx(5000, abs=1)
    assert report.gauge("WaitingEventAge") == pytest.approx(5000, abs=1)


def test_an_event_that_is_deferred_reports_its_age_at_each_deferral():
    assert reported(PAUSED, sent=5000, deferrals=Copies()).gauge("WaitingEventAge", router="media-dev") is not None


def test_a_dead_letter_waits_here_no_longer():
    assert reported(PermanentDataError("http-400", "no"), sent=5000).gauges == {}


def test_a_short_wait_and_a_hop_of_no_router_report_nothing():
    assert reported(DOWN, sent=REPORTED_SECONDS - 1).gauges == {}
    assert reported(DOWN, sent=5000, router=None).gauges == {}
