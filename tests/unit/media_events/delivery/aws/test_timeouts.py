"""Calls to AWS that are not answered in time, against a service on this machine that never answers, or answers late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from botocore.exceptions import ReadTimeoutError

from media_events.adapters.boto_clients import client_for_effects
from media_events.adapters.eventbridge import EventBus
from media_events.core.failures import UnansweredError
from media_events.delivery.aws.batching import BusDelivery
from media_events.events.publisher import Publisher
from tests.fakes.events import make_event
from tests.fakes.scripted_endpoint import Late, OtherSide, answer

CLOSE = "Connection: close\r\n"
REFUSAL = answer(b'{"__type": "ThrottlingException", "message": "later"}', status=400, headers=CLOSE)
FAULT = answer(status=500, headers=CLOSE)
TAKEN = answer(b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}', headers=CLOSE)
SILENCE = Late()


@pytest.fixture(name="serve")
def _serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OtherSide]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with ExitStack() as ends:

        def serve(*answers: bytes) -> OtherSide:
            service = ends.enter_context(closing(OtherSide([*answers, TAKEN])))
            monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
            return service

        yield serve


def delivery() -> BusDelivery:
    bus = EventBus(client_for_effects("events", read_timeout=0.5), "arn:aws:events:eu-west-1:1:event-bus/theirs")
    return BusDelivery(Publisher(bus=bus, sleep=lambda _seconds: None))


def test_event_whose_put_was_not_answered_is_not_put_again_by_client_or_publisher(serve):
    service = serve(SILENCE)

    (outcome,) = delivery().deliver_all([make_event()])

    assert isinstance(outcome, UnansweredError)
    assert "may have taken effect" in outcome.message
    assert len(service.requests) == 1


def test_refused_put_is_tried_again_and_an_unanswered_one_after_it_is_not(serve):
    service = serve(REFUSAL, FAULT, SILENCE)

    (outcome,) = delivery().deliver_all([make_event()])

    assert isinstance(outcome, UnansweredError)
    assert len(service.requests) == 3


def test_refused_put_is_tried_again_until_it_is_taken(serve):
    service = serve(REFUSAL)

    assert delivery().deliver_all([make_event()]) == [{}]
    assert len(service.requests) == 2


@pytest.mark.parametrize("service", ["sqs", "sns", "firehose", "stepfunctions"])
def test_no_client_of_a_target_repeats_what_was_not_answered(serve, service):
    silent = serve(SILENCE)
    made = client_for_effects(service, read_timeout=0.5)
    ask = {
        "sqs": lambda: made.send_message(QueueUrl=f"{silent.url}/1/queue", MessageBody="m"),
        "sns": lambda: made.publish(TopicArn="arn:aws:sns:eu-west-1:123456789012:t", Message="m"),
        "firehose": lambda: made.put_record(DeliveryStreamName="lake", Record={"Data": b"m"}),
        "stepfunctions": lambda: made.start_execution(stateMachineArn="arn:aws:states:eu-west-1:1:stateMachine:m"),
    }

    with pytest.raises(ReadTimeoutError):
        ask[service]()

    assert len(silent.requests) == 1
