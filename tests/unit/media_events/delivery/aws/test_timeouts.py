"""Calls to AWS that are not answered in time, against a service on this machine that never answers, or answers late."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from botocore.exceptions import ReadTimeoutError

from media_events.adapters.boto_clients import client_for_effects
from media_events.adapters.eventbridge import EventBus
from media_events.core.failures import UnansweredError
from media_events.delivery.aws.batching import BusDelivery
from media_events.events.publisher import Publisher
from tests.fakes.events import make_event

REFUSAL = b'{"__type": "ThrottlingException", "message": "later"}'
TAKEN = b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}'


class Service:
    """Takes one request for each of ``answers`` and gives it; ``None`` is silence. ``requests`` is how many came."""

    def __init__(self, *answers: tuple[int, bytes] | None) -> None:
        self.answers = list(answers)
        self.requests = 0
        self._silent: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if not connection.recv(65536):
                connection.close()
                return
            self.requests += 1
            answer = self.answers.pop(0) if self.answers else (200, TAKEN)
            if answer is None:
                self._silent.append(connection)
                continue
            status, body = answer
            head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + body)
            connection.close()

    def go_away(self) -> None:
        with socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join()
        for connection in [self._socket, *self._silent]:
            connection.close()


@pytest.fixture(name="serve")
def _serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    made: list[Service] = []

    class Served(Service):
        def __init__(self, *answers: tuple[int, bytes] | None) -> None:
            super().__init__(*answers)
            made.append(self)
            monkeypatch.setenv("AWS_ENDPOINT_URL", self.url)

    yield Served
    for service in made:
        service.go_away()


def delivery() -> BusDelivery:
    bus = EventBus(client_for_effects("events", read_timeout=0.2), "arn:aws:events:eu-west-1:1:event-bus/theirs")
    return BusDelivery(Publisher(bus=bus, sleep=lambda _seconds: None))


def test_event_whose_put_was_not_answered_is_not_put_again_by_client_or_publisher(serve):
    service = serve(None)

    (outcome,) = delivery().deliver_all([make_event()])

    assert isinstance(outcome, UnansweredError)
    assert "may have taken effect" in outcome.message
    assert service.requests == 1


def test_refused_put_is_tried_again_and_an_unanswered_one_after_it_is_not(serve):
    service = serve((400, REFUSAL), (500, b"{}"), None)

    (outcome,) = delivery().deliver_all([make_event()])

    assert isinstance(outcome, UnansweredError)
    assert service.requests == 3


def test_refused_put_is_tried_again_until_it_is_taken(serve):
    service = serve((400, REFUSAL))

    assert delivery().deliver_all([make_event()]) == [{}]
    assert service.requests == 2


@pytest.mark.parametrize("service", ["sqs", "sns", "firehose", "stepfunctions"])
def test_no_client_of_a_target_repeats_what_was_not_answered(serve, service):
    silent = serve(None)
    made = client_for_effects(service, read_timeout=0.2)
    ask = {
        "sqs": lambda: made.send_message(QueueUrl=f"{silent.url}/1/queue", MessageBody="m"),
        "sns": lambda: made.publish(TopicArn="arn:aws:sns:eu-west-1:123456789012:t", Message="m"),
        "firehose": lambda: made.put_record(DeliveryStreamName="lake", Record={"Data": b"m"}),
        "stepfunctions": lambda: made.start_execution(stateMachineArn="arn:aws:states:eu-west-1:1:stateMachine:m"),
    }

    with pytest.raises(ReadTimeoutError):
        ask[service]()

    assert silent.requests == 1
