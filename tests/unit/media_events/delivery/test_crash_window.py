"""The function dies between the effect and its record: what each target makes of the repetition, one row for each.

The lease keeps everybody else away for as long as the function may still be at work. When it has run out the event is
delivered again, with the same identity as the first time. Whether that is a second effect depends on the target, as
the table in `docs/reference/destinations.md` says; the stand-ins here know a repetition only by what AWS documents.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from media_events.adapters.aws_lambda.invoke import LambdaTarget
from media_events.adapters.batch_channels import FirehoseChannel, SnsChannel, SqsChannel
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.step_functions.executions import StepFunctions
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import TransientError
from media_events.delivery.aws.batching import BusDelivery, ChannelDelivery, line, message
from media_events.delivery.aws.lambda_function import LambdaDelivery
from media_events.delivery.aws.step_functions import StepFunctionsDelivery
from media_events.delivery.aws.task_callback import TaskCallbackDelivery
from media_events.delivery.config import parse_destination
from media_events.delivery.deliverer import Deliverer, destination_key
from media_events.delivery.http.delivery import HttpDelivery
from media_events.delivery.idempotent_effect import LEASE_MARGIN_SECONDS
from media_events.delivery.task_callbacks import Answered, Arrived, PendingCallback, TaskCallbacks, TaskResult
from media_events.events.publisher import Publisher
from media_events.messaging.message import Message
from media_events.outbound_http.client import Response
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record

ARN = "arn:aws:{service}:eu-west-1:123456789012:{name}"
FUNCTION_SECONDS = 30.0
DOCS = Path(__file__).resolve().parents[4] / "docs" / "reference" / "destinations.md"


class Crash(BaseException):
    """The function is killed: nothing after this runs."""


class Target:
    """Counts effects; knows an identity again for as long as it ``remembers``, never where that is ``None``."""

    def __init__(self, clock: FakeClock, remembers: float | None) -> None:
        self.clock = clock
        self.remembers = remembers
        self.effects: Counter[str] = Counter()
        self.identities: list[str] = []
        self._seen: dict[str, float] = {}

    def take(self, identity: str) -> bool:
        """Whether this is new to the target; counted if so."""
        self.identities.append(identity)
        known = self._seen.get(identity)
        if self.remembers is not None and known is not None and self.clock.now - known < self.remembers:
            return False
        self._seen[identity] = self.clock.now
        self.effects["evt-1"] += 1
        return True

    # --- as the clients of AWS, and of HTTP ---

    def post(self, request: Any) -> Response:
        self.take(request.headers["Idempotency-Key"])
        return Response(200, {}, b"ok")

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        new = self.take(name)
        if not new and not input:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
        return {"executionArn": f"{stateMachineArn}:{name}"}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._entries(Entries)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: list[Any]) -> dict[str, Any]:  # noqa: ARG002, N803
        return self._entries(PublishBatchRequestEntries)

    def _entries(self, entries: list[Any]) -> dict[str, Any]:
        for entry in entries:
            self.take(entry.get("MessageDeduplicationId", "standard"))
        return {"Successful": [{"Id": entry["Id"], "MessageId": "m"} for entry in entries]}

    def put_events(self, *, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        for _ in Entries:
            self.take("evt-1")
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[Any]) -> dict[str, Any]:  # noqa: ARG002, N803
        for _ in Records:
            self.take("evt-1")
        return {"RequestResponses": [{"RecordId": "r"} for _ in Records]}

    def invoke(self, **_given: Any) -> dict[str, Any]:
        self.take("evt-1")
        return {"StatusCode": 202}


class Room:
    """The table of waits with one waiter, and Step Functions' tasks: a token is answered once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.recorded: Arrived | None = None

    def put_event(self, arrived: Arrived) -> Arrived | None:
        before = self.recorded
        self.recorded = before or arrived
        return before

    def callbacks(self, key: str) -> list[PendingCallback]:
        now = self.target.clock.now
        return [PendingCallback(key=key, token="token-1", since=now - 1, expires=now + 1e6)]

    def remove_callback(self, wait: PendingCallback) -> None: ...

    def answer(self, token: str, answer: TaskResult) -> Answered:  # noqa: ARG002
        return "resumed" if self.target.take(token) else "not-waiting"


FOREVER, FIVE_MINUTES = float("inf"), 300.0
STATE_MACHINE = ARN.format(service="states", name="stateMachine:ingest")


def http(target):
    destination = parse_destination({"destination": {"name": "cms", "type": "http", "url": "https://cms.example.com/"}})
    return HttpDelivery(destination=destination, client=target, read_secrets=lambda _arn: [], clock=target.clock)


def states(target):
    values = {"name": "ingest", "type": "step-functions", "state_machine_arn": STATE_MACHINE}
    return StepFunctionsDelivery(
        destination=parse_destination({"destination": values}), state_machines=StepFunctions(target)
    )


def sqs(target, *, fifo):
    channel = SqsChannel(target, "https://sqs/archive" + (".fifo" if fifo else ""))
    return ChannelDelivery(channel, functools.partial(message, form="data", fifo=fifo))


def sns(target, *, fifo):
    channel = SnsChannel(target, ARN.format(service="sns", name="topic"))
    return ChannelDelivery(channel, functools.partial(message, form="data", fifo=fifo))


def bus(target):
    return BusDelivery(Publisher(bus=EventBus(target, ARN.format(service="events", name="event-bus/theirs"))))


def function(target):
    values = {
        "name": "thumbnails",
        "type": "lambda",
        "function_arn": ARN.format(service="lambda", name="function:thumbnails"),
        "invocation": "event",
    }
    return LambdaDelivery(parse_destination({"destination": values}), LambdaTarget(target))


def firehose(target):
    return ChannelDelivery(FirehoseChannel(target, "lake"), line)


def resume(target):
    values = {
        "name": "go-on",
        "type": "task-callback",
        "task_callbacks_table": "waits",
        "correlation_key": "metadata.id",
    }
    room: Any = Room(target)
    return TaskCallbackDelivery(
        parse_destination({"destination": values}),
        TaskCallbacks(store=room, tasks=room, clock=target.clock),
        target.clock,
    )


TARGETS = {
    # name: (delivery, for how long the target knows an identity again, effects after a crash in the window)
    "http, a receiver that heeds Idempotency-Key": (http, FOREVER, 1),
    "http, one that does not": (http, None, 2),
    "step-functions, STANDARD": (states, FOREVER, 1),
    "step-functions, EXPRESS": (states, None, 2),
    "sqs, FIFO": (functools.partial(sqs, fifo=True), FIVE_MINUTES, 1),
    "sqs, standard": (functools.partial(sqs, fifo=False), None, 2),
    "sns, FIFO": (functools.partial(sns, fifo=True), FIVE_MINUTES, 1),
    "sns, standard": (functools.partial(sns, fifo=False), None, 2),
    "event-bus": (bus, None, 2),
    "lambda": (function, None, 2),
    "firehose": (firehose, None, 2),
    "task-callback": (resume, FOREVER, 1),
}


class Route:
    """The deliveries of one route, each by an invocation of its own."""

    def __init__(self, name: str) -> None:
        make, remembers, self.effects_after_a_crash = TARGETS[name]
        self.clock = FakeClock()
        self.target = Target(self.clock, remembers)
        self.idempotency = FakeIdempotencyTable(self.clock)
        self.delivery = make(self.target)

    def deliver(self, owner: str, *, dies: bool = False) -> Any:
        idempotency = self.idempotency.owned_by(owner)
        if dies:

            def complete(*_given: Any, **_more: Any) -> None:
                raise Crash

            idempotency.complete = complete  # type: ignore[method-assign]
        deliverer = Deliverer(
            destination="cms",
            hop="route/cms",
            delivery=self.delivery,
            idempotency=idempotency,
            report=FakeReport(),
            seconds_left=lambda: FUNCTION_SECONDS,
            clock=self.clock,
            parallel=1,
        )
        (outcome,) = deliverer([Message.of(sqs_record(bus_event(make_event(id="evt-1")), "m-1"))])
        return outcome


@pytest.fixture(name="route", params=list(TARGETS))
def _route(request):
    return Route(request.param)


def test_undisturbed_each_target_gets_one_effect_however_often_the_message_comes(route):
    assert [route.deliver(f"request-{n}") for n in range(3)] == [None, None, None]
    assert route.target.effects["evt-1"] == 1


def test_a_crash_after_the_effect_repeats_it_as_the_table_says_and_never_loses_it(route):
    with pytest.raises(Crash):
        route.deliver("killed", dies=True)
    assert route.target.effects["evt-1"] == 1

    route.clock.now += FUNCTION_SECONDS
    held_off = route.deliver("too-early")
    assert isinstance(held_off, TransientError)
    assert held_off.code == "idempotency-in-progress"
    assert len(route.target.identities) == 1

    route.clock.now += LEASE_MARGIN_SECONDS + CLOCK_SKEW_SECONDS
    assert route.deliver("next") is None
    assert route.deliver("later") is None
    assert route.target.effects["evt-1"] == route.effects_after_a_crash
    # Twice the same identity: a receiver that looks at it can always tell.
    assert len(route.target.identities) == 2
    assert len(set(route.target.identities)) == 1


def test_a_crash_before_the_effect_leaves_it_to_the_next_attempt(route):
    key = destination_key("partner.mux", "evt-1", "cms")
    route.idempotency.owned_by("killed").acquire(key, lease_seconds=FUNCTION_SECONDS + LEASE_MARGIN_SECONDS)

    route.clock.now += FUNCTION_SECONDS + LEASE_MARGIN_SECONDS + CLOCK_SKEW_SECONDS
    assert route.deliver("next") is None
    assert route.target.effects["evt-1"] == 1


@pytest.mark.parametrize("name", ["sqs, FIFO", "sns, FIFO"])
def test_a_fifo_target_forgets_after_five_minutes(name):
    route = Route(name)
    with pytest.raises(Crash):
        route.deliver("killed", dies=True)
    route.clock.now += FIVE_MINUTES
    route.deliver("next")
    assert route.target.effects["evt-1"] == 2


def test_the_documentation_promises_of_each_target_what_is_seen_here():
    rows = re.findall(r"^\| `([a-z-]+)`[^|]*\|[^|]*\|[^|]*\| ([^|]*) \|", DOCS.read_text(), re.MULTILINE)
    promised = dict(reversed(rows))
    promised["sns"] = promised["sqs"]
    for name, (_, _, effects) in TARGETS.items():
        text = promised[name.partition(", ")[0]]
        assert "at least once" in text if effects > 1 else "once" in text.replace("at least once", ""), name
