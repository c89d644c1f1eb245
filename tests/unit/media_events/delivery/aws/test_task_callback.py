"""Workflows that wait and events that resume them: before, after, at the same time, twice, never."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

from media_events.adapters import boto_clients
from media_events.adapters.dynamodb.task_callbacks import DynamoTaskCallbacks
from media_events.adapters.step_functions.task_tokens import StepFunctionsTasks
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import (
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    UnansweredError,
    UnsettledConfigError,
)
from media_events.delivery.aws.task_callback import TaskCallbackDelivery
from media_events.delivery.config import parse_destination
from media_events.delivery.deliverer import Deliverer
from media_events.delivery.task_callbacks import (
    DEFAULT_WAIT_SECONDS,
    MAX_WAIT_SECONDS,
    Arrived,
    PendingCallback,
    TaskCallbacks,
    TaskResult,
    key_of,
    read_callback,
)
from media_events.handlers import register_task_token as wait_handler
from media_events.messaging.message import Message
from tests.fakes.dynamodb import table
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock, FakeIdempotencyTable, FakeReport, bus_event, sqs_record

EARLY_SECONDS = 3600.0
SETTINGS = {
    "name": "transcodes",
    "type": "task-callback",
    "task_callbacks_table": "table",
    "correlation_key": "data.job.id",
    "failure_when": "data.status == 'error'",
    "success_when": "data.status == 'done'",
    "error": "TranscodeFailed",
    "early_seconds": EARLY_SECONDS,
}


class Tasks:
    """Step Functions: each token is answered once; ``ended`` ones don't wait any more.

    ``failing`` is raised instead of an answer; with ``taking``, the task takes the answer before.
    """

    def __init__(self):
        self.answers = {}
        self.ended = set()
        self.failing = None
        self.taking = False
        self.asked = 0

    def answer(self, token, answer):
        self.asked += 1
        waiting = token not in self.answers and token not in self.ended
        if waiting and (self.failing is None or self.taking):
            self.answers[token] = answer
        if self.failing is not None:
            raise self.failing
        return "resumed" if waiting else "not-waiting"


class Killed(BaseException):
    """The function's process ends here."""


class Interrupting:
    """A store that lets ``interrupt`` happen after its ``at``-th operation: the other side comes in between.

    ``interrupt`` may raise :class:`Killed`.
    """

    def __init__(self, store, at, interrupt):
        self.store, self.left, self.interrupt = store, at, interrupt

    def __getattr__(self, operation):
        method = getattr(self.store, operation)

        def call(*arguments, **options):
            result = method(*arguments, **options)
            self.left -= 1
            if self.left == 0:
                self.interrupt()
            return result

        return call


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="dynamodb")
def _dynamodb():
    with table("pk", "sk") as client:
        yield client


@pytest.fixture(name="store")
def _store(dynamodb):
    return DynamoTaskCallbacks(dynamodb, "table")


@pytest.fixture(name="tasks")
def _tasks():
    return Tasks()


class Studio:
    """The room, with a workflow on the one side and a partner on the other."""

    def __init__(self, store, tasks, clock):
        self.store, self.tasks, self.clock = store, tasks, clock
        self.idempotency = FakeIdempotencyTable(clock)
        self.report = FakeReport()
        self.count = itertools.count()

    def room(self, store=None):
        return TaskCallbacks(store=store or self.store, tasks=self.tasks, clock=self.clock)

    def wait(self, token="token-1", key="job-1", *, store=None, **request):
        return self.room(store).enter(read_callback({"key": key, "token": token, **request}, now=self.clock()))

    def delivery(self, store=None, **settings):
        destination = parse_destination({"destination": {**SETTINGS, **settings}})
        return TaskCallbackDelivery(destination, self.room(store), self.clock)

    def send(self, event, *, store=None, **settings):
        """As the deliver function does: through the idempotency store."""
        deliverer = Deliverer(
            destination="transcodes",
            hop="route/transcodes",
            delivery=self.delivery(store, **settings),
            idempotency=self.idempotency.owned_by(f"request-{next(self.count)}"),
            report=self.report,
            seconds_left=lambda: 30.0,
            clock=self.clock,
        )
        (outcome,) = deliverer([Message.of(sqs_record(bus_event(event)))])
        return outcome

    def items(self):
        """Records of waiting tasks and of events that a task may still have."""
        return [item for item in self.store._client.scan(TableName="table")["Items"] if "waits" not in item]


@pytest.fixture(name="studio")
def _studio(store, tasks, clock):
    return Studio(store, tasks, clock)


def done(job="job-1", event_id="evt-1", status="done", by="partner.mux"):
    return make_event({"job": {"id": job}, "status": status}, id=event_id, source=by)


def outputs(tasks):
    return {token: json.loads(answer.output)["metadata"]["id"] for token, answer in tasks.answers.items()}


# --- orders ------------------------------------------------------------------------------------------------------


def test_an_event_resumes_the_workflow_that_waits_for_it(studio, tasks):
    assert studio.wait() is False
    assert studio.delivery().deliver(done(), seconds_left=30) == {"resumed": 1, "not_waiting": 0}
    assert json.loads(tasks.answers["token-1"].output) == done().to_detail()
    assert studio.items() == []


def test_an_event_that_comes_first_resumes_the_workflow_as_soon_as_it_waits(studio, tasks):
    assert studio.send(done()) is None
    assert tasks.answers == {}
    assert studio.wait() is True
    assert outputs(tasks) == {"token-1": "evt-1"}
    assert studio.items() == []


@pytest.mark.parametrize(("first", "after"), [("event", 1), ("event", 2), ("event", 3), ("wait", 1), ("wait", 2)])
def test_whatever_comes_in_between_the_workflow_is_resumed_once(studio, tasks, store, first, after):
    if first == "event":
        studio.send(done(), store=Interrupting(store, after, studio.wait))
    else:
        studio.wait(store=Interrupting(store, after, lambda: studio.send(done())))
    assert outputs(tasks) == {"token-1": "evt-1"}
    assert studio.items() == []


def test_an_event_that_comes_twice_resumes_once_and_leaves_nothing_behind(studio, tasks):
    studio.wait()
    assert [studio.send(done()), studio.send(done())] == [None, None]
    assert outputs(tasks) == {"token-1": "evt-1"}
    assert studio.wait("token-2") is False


def test_an_early_event_that_comes_twice_resumes_once(studio, tasks):
    studio.send(done())
    studio.send(done())
    studio.wait()
    assert studio.wait("token-2") is False
    assert outputs(tasks) == {"token-1": "evt-1"}


def test_an_event_that_comes_after_the_workflow_gave_up_is_recorded_and_no_failure(studio, tasks):
    studio.wait()
    tasks.ended.add("token-1")
    assert studio.delivery().deliver(done(), seconds_left=30) == {"resumed": 0, "not_waiting": 1}
    assert studio.send(done(event_id="evt-2")) is None
    assert tasks.answers == {}


def test_a_workflow_that_waits_again_after_a_timeout_gets_the_event_that_came_in_between(studio, tasks):
    studio.wait("attempt-1")
    tasks.ended.add("attempt-1")
    studio.send(done())
    assert studio.wait("attempt-2") is True
    assert outputs(tasks) == {"attempt-2": "evt-1"}


def test_an_event_that_never_comes_leaves_the_wait_to_the_workflows_own_timeout(studio, tasks):
    studio.wait()
    studio.send(done(job="another"))
    assert tasks.answers == {}


@pytest.mark.attack("F5")
@pytest.mark.parametrize("first", ["wait", "event"])
def test_f5_only_the_source_that_a_wait_names_ends_it(studio, tasks, first):
    steps = [lambda: studio.wait(source="partner.mux"), lambda: studio.send(done(event_id="evt-1", by="partner.other"))]
    for step in steps if first == "wait" else reversed(steps):
        step()
    assert tasks.answers == {}
    studio.send(done(event_id="evt-2", by="partner.mux"))
    assert outputs(tasks) == {"token-1": "evt-2"}
    # The other's event is there for a wait that takes it.
    assert studio.wait("token-2", source="partner.other") is True


@pytest.mark.attack("F5")
def test_f5_an_event_goes_on_to_no_wait_of_another_source_when_its_own_has_ended(studio, tasks):
    studio.wait("token-1", source="partner.other")
    studio.wait("token-2", source="partner.mux")
    tasks.ended.add("token-1")
    studio.send(done(by="partner.other"))
    assert tasks.answers == {}


def test_an_early_event_of_an_older_version_ends_a_wait_that_names_a_source(studio, store, clock):
    answer = TaskResult(output=json.dumps(done().to_detail()))
    store.put_event(Arrived(key="job-1", event="e", answer=answer, at=clock(), expires=clock() + 60))
    assert studio.wait(source="partner.mux") is True


def test_all_that_wait_for_a_key_are_resumed(studio, tasks):
    for token in ("token-1", "token-2"):
        studio.wait(token)
    studio.send(done())
    assert outputs(tasks) == {"token-1": "evt-1", "token-2": "evt-1"}


def test_a_task_that_asks_twice_waits_once(studio, tasks):
    studio.wait()
    studio.wait()
    assert len(studio.items()) == 1
    studio.send(done())
    assert tasks.asked == 1


def test_of_several_early_events_the_first_one_counts(studio, tasks, clock):
    studio.send(done(event_id="evt-1"))
    clock.sleep(5)
    studio.send(done(event_id="evt-0"))
    studio.wait()
    assert outputs(tasks) == {"token-1": "evt-1"}


def test_an_early_event_is_kept_for_its_time_and_no_longer(studio, clock):
    studio.send(done())
    clock.sleep(EARLY_SECONDS)
    assert studio.wait() is False


def test_an_event_from_before_the_execution_belongs_to_an_earlier_run(studio, clock):
    studio.send(done())
    clock.sleep(60)
    begun = "2026-09-21T14:13:50.123Z"  # after the event, before now
    assert studio.wait(since=begun) is False
    studio.send(done(event_id="evt-2"))
    assert studio.wait("token-2", since=begun) is False


def test_an_event_from_since_the_execution_began_counts(studio, clock):
    clock.sleep(60)
    studio.send(done())
    assert studio.wait(since="2026-09-21T14:13:50.123Z") is True


def test_a_wait_that_has_expired_is_answered_no_more(studio, tasks, clock):
    studio.wait(expires_in_seconds=10)
    clock.sleep(10 + CLOCK_SKEW_SECONDS)
    assert studio.delivery().deliver(done(), seconds_left=30) == {"resumed": 0, "not_waiting": 1}
    assert tasks.asked == 0


# --- one event, one task -----------------------------------------------------------------------------------------

UNANSWERED = UnansweredError("aws-ReadTimeoutError", "no answer came in time")
REFUSED = TransientError("aws-ThrottlingException", "slow down")


def kill():
    raise Killed


@pytest.mark.parametrize("since", [None, "2026-09-21T14:13:25.000Z"])
def test_an_event_whose_answer_was_lost_does_not_resume_the_next_run(studio, tasks, clock, since):
    studio.wait("run-1")
    tasks.failing, tasks.taking = UNANSWERED, True
    assert isinstance(studio.send(done()), UnansweredError)
    tasks.failing = None
    clock.sleep(10)
    assert studio.send(done()) is None
    assert studio.wait("run-2", since=since) is False
    assert outputs(tasks) == {"run-1": "evt-1"}


@pytest.mark.parametrize("operation", range(1, 7))
def test_an_event_whose_function_dies_anywhere_resumes_the_run_that_waited_and_no_other(
    studio, tasks, store, clock, operation
):
    studio.wait("run-1")
    with suppress(Killed):
        studio.delivery(Interrupting(store, operation, kill)).deliver(done(), seconds_left=30)
    if "run-1" in tasks.answers:
        assert studio.wait("run-2") is False
    clock.sleep(3600 - 1)
    assert studio.send(done()) is None
    assert outputs(tasks) == {"run-1": "evt-1"}


@pytest.mark.parametrize("operation", range(1, 7))
def test_a_task_whose_function_dies_anywhere_is_resumed_once_by_its_next_attempt(studio, tasks, store, operation):
    entered = {"entered": "2026-09-21T14:13:25.000Z"}
    studio.send(done())
    with suppress(Killed):
        studio.wait("attempt-1", store=Interrupting(store, operation, kill), **entered)
    if tasks.answers:
        assert studio.wait("later", entered="2026-09-21T14:13:26.000Z") is False
    else:
        tasks.ended.add("attempt-1")
        assert studio.wait("attempt-2", **entered) is True
    assert list(outputs(tasks).values()) == ["evt-1"]


@pytest.mark.parametrize("waits_again_as", ["the same state", "another state", "another run"])
def test_an_early_event_whose_answer_was_lost_resumes_no_other_task(studio, tasks, waits_again_as):
    entered = "2026-09-21T14:13:25.000Z"
    studio.send(done())
    tasks.failing, tasks.taking = UNANSWERED, True
    with pytest.raises(UnansweredError):
        studio.wait("task-1", entered=entered)
    tasks.failing = None
    if waits_again_as == "the same state":  # as a queue repeats the registration
        assert studio.wait("task-1", entered=entered) is True
    else:
        again = {"another state": "2026-09-21T14:14:00.000Z", "another run": None}[waits_again_as]
        assert studio.wait("task-2", **({"entered": again} if again else {})) is False
    assert outputs(tasks) == {"task-1": "evt-1"}


def test_an_early_event_stays_for_the_next_attempt_when_step_functions_refuses_the_answer(studio, tasks):
    studio.send(done())
    tasks.failing = REFUSED
    with pytest.raises(TransientError):
        studio.wait("attempt-1")
    tasks.failing = None
    tasks.ended.add("attempt-1")
    assert studio.wait("attempt-2") is True
    assert outputs(tasks) == {"attempt-2": "evt-1"}


def test_an_early_event_that_a_stopped_task_did_not_take_goes_to_the_task_that_asked_meanwhile(studio, tasks, store):
    studio.send(done())
    tasks.ended.add("stopped")
    assert studio.wait("stopped", store=Interrupting(store, 3, lambda: studio.wait("next"))) is True
    assert outputs(tasks) == {"next": "evt-1"}
    assert studio.items() == []


def test_a_bound_event_is_remembered_for_as_long_as_an_execution_lasts(studio, tasks, clock, dynamodb):
    studio.wait("run-1")
    studio.send(done())
    (record,) = dynamodb.scan(TableName="table")["Items"]
    assert int(record["expires"]["N"]) == int(clock() + MAX_WAIT_SECONDS)
    assert "output" not in record
    clock.sleep(300 * 86_400)
    studio.delivery().deliver(done(), seconds_left=30)
    assert studio.wait("run-2") is False
    assert outputs(tasks) == {"run-1": "evt-1"}


def test_an_event_that_an_older_version_recorded_is_still_there_for_a_task(studio, tasks, dynamodb, clock):
    item = {"pk": "job-1", "sk": "event|e", "output": TaskResult(output=json.dumps(done().to_detail())).output}
    numbers = {"at": repr(clock()), "expires": str(int(clock() + 60))}
    dynamodb.put_item(
        TableName="table",
        Item={name: {"S": text} for name, text in item.items()} | {name: {"N": n} for name, n in numbers.items()},
    )
    assert studio.wait() is True
    assert outputs(tasks) == {"token-1": "evt-1"}
    assert studio.wait("token-2") is False


# --- failing and ignoring ----------------------------------------------------------------------------------------


def test_an_event_that_says_so_fails_the_workflow_with_the_event_as_cause(studio, tasks):
    studio.wait()
    studio.send(done(status="error"))
    answer = tasks.answers["token-1"]
    assert answer.error == "TranscodeFailed"
    assert json.loads(answer.output)["data"]["status"] == "error"


def test_an_early_event_that_says_so_fails_the_workflow_too(studio, tasks):
    studio.send(done(status="error"))
    studio.wait()
    assert tasks.answers["token-1"].error == "TranscodeFailed"


def test_an_event_that_is_neither_leaves_the_workflow_waiting_and_is_not_kept(studio, tasks):
    studio.wait()
    assert studio.send(done(event_id="progress", status="working")) is None
    assert tasks.answers == {}
    assert len(studio.items()) == 1
    studio.send(done())
    assert outputs(tasks) == {"token-1": "evt-1"}


def test_without_a_condition_every_event_resumes(studio, tasks):
    studio.wait()
    studio.send(done(status="working"), success_when=None)
    assert list(tasks.answers) == ["token-1"]


@pytest.mark.parametrize("job", [None, "", [], {"a": 1}, True, 1.5, "x" * 2000])
def test_an_event_without_a_key_is_at_fault_itself(studio, job):
    outcome = studio.send(done(job=job))
    assert isinstance(outcome, PermanentDataError)
    assert outcome.code == "no-correlation-key"


def test_a_number_is_a_key_like_its_text(studio, tasks):
    studio.wait(key=17)
    studio.send(done(job="17"))
    assert list(tasks.answers) == ["token-1"]


def test_a_key_is_read_out_of_json_inside_a_text(studio, tasks):
    studio.wait(key="17")
    studio.send(done(job='{"ours": "17"}'), correlation_key="parse_json(data.job.id).ours")
    assert list(tasks.answers) == ["token-1"]


def test_an_expression_that_fails_is_told_without_the_data(studio):
    outcome = studio.send(done(job="planted"), correlation_key="length(data.missing)")
    assert isinstance(outcome, PermanentDataError)
    assert outcome.code == "expression-failed"
    assert "planted" not in outcome.message


# --- faults ------------------------------------------------------------------------------------------------------


def test_an_event_goes_on_where_it_stopped_when_step_functions_did_not_answer(studio, tasks):
    studio.wait()
    tasks.failing = TransientError("aws-down", "no answer")
    assert isinstance(studio.send(done()), TransientError)
    tasks.failing = None
    assert studio.send(done()) is None
    assert outputs(tasks) == {"token-1": "evt-1"}
    assert studio.items() == []


# --- Step Functions ----------------------------------------------------------------------------------------------


class StatesClient:
    """Step Functions' API, which gives these errors in turn, then takes the answer."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = []

    def __getattr__(self, operation):
        def call(**arguments):
            self.calls.append((operation, arguments))
            if self.errors:
                raise self.errors.pop(0)

        return call


def refusal(code, status=400):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendTaskSuccess")


def answered(*errors):
    return StepFunctionsTasks(StatesClient(*errors), sleep=lambda _seconds: None).answer("t", TaskResult(output="{}"))


LOST = ReadTimeoutError(endpoint_url="https://states")
NOT_SENT = ConnectTimeoutError(endpoint_url="https://states")
THROTTLED = refusal("ThrottlingException")


def test_success_and_failure_are_what_step_functions_is_told():
    client = StatesClient()
    tasks = StepFunctionsTasks(client)
    assert tasks.answer("t", TaskResult(output="{}")) == "resumed"
    assert tasks.answer("t", TaskResult(output="x" * 40_000, error="Bad")) == "resumed"
    assert client.calls == [
        ("send_task_success", {"taskToken": "t", "output": "{}"}),
        ("send_task_failure", {"taskToken": "t", "error": "Bad", "cause": "x" * 32_768}),
    ]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize("before", [[], [THROTTLED], [NOT_SENT]])
def test_a_task_that_is_gone_is_no_error(code, before):
    assert answered(*before, refusal(code)) == "not-waiting"


@pytest.mark.parametrize(
    "lost", [LOST, refusal("InternalFailure", 500), ConnectionClosedError(endpoint_url="https://states")]
)
def test_after_a_lost_answer_nobody_knows_why_the_task_is_gone(lost):
    assert answered(lost, refusal("TaskTimedOut")) == "unsure"
    assert answered(lost, THROTTLED, refusal("TaskTimedOut")) == "unsure"


@pytest.mark.parametrize("errors", [[LOST], [THROTTLED, THROTTLED], [NOT_SENT]])
def test_a_request_without_an_answer_or_throttled_is_sent_again(errors):
    assert answered(*errors) == "resumed"


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([refusal("InvalidOutput")], PermanentDataError),
        ([refusal("AccessDeniedException")], PermanentConfigError),
        ([THROTTLED] * 3, TransientError),
        ([NOT_SENT] * 3, TransientError),
        ([LOST] * 3, UnansweredError),
        ([LOST, THROTTLED, THROTTLED], UnansweredError),
        ([LOST, refusal("AccessDeniedException")], UnansweredError),
    ],
)
def test_another_refusal_has_its_class(errors, kind):
    with pytest.raises(ProcessingError) as refused:
        answered(*errors)
    assert type(refused.value) in (kind, UnsettledConfigError)


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["job-1", "é", "x" * 1024, "é" * 1024])
def test_every_key_fits_into_the_table_and_comes_back_whole(store, key):
    wait = PendingCallback(key=key, token="t", since=1.5, expires=99.0)
    arrived = Arrived(key=key, event="e", answer=TaskResult(output="{}", error="Bad"), at=1.25, expires=99.0)
    store.put_callback(wait)
    store.put_event(arrived)
    assert (store.callbacks(key), store.events(key)) == ([wait], [arrived])
    assert (store.callbacks("other"), store.events("other")) == ([], [])


def test_more_waiters_than_fit_on_a_page_are_all_found(store):
    answer = TaskResult(output="x" * 200_000)
    for n in range(8):
        store.put_event(Arrived(key="k", event=f"e-{n}", answer=answer, at=n, expires=99.0))
    assert len(store.events("k")) == 8


class Unreachable:
    def __getattr__(self, _operation):
        def call(**_arguments):
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "Call")

        return call


@pytest.mark.parametrize("operation", ["put_callback", "remove_callback", "callbacks"])
def test_a_table_that_can_not_be_reached_says_so(operation):
    wait = PendingCallback(key="k", token="t", expires=1.0)
    with pytest.raises(ProcessingError):
        getattr(DynamoTaskCallbacks(Unreachable(), "table"), operation)("k" if operation == "callbacks" else wait)


# --- what a task sends -------------------------------------------------------------------------------------------


def test_a_request_needs_a_key_and_a_token():
    assert read_callback({"key": "k", "token": "t"}, now=5.0) == PendingCallback(
        key="k", token="t", expires=5.0 + DEFAULT_WAIT_SECONDS + CLOCK_SKEW_SECONDS
    )


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (None, "key"),
        ([], "key"),
        ({"token": "t"}, "key"),
        ({"key": "k"}, "token"),
        ({"key": "", "token": "t"}, "key"),
        ({"key": {"a": 1}, "token": "t"}, "key"),
        ({"key": "k", "token": "t", "since": "soon"}, "since"),
        ({"key": "k", "token": "t", "since": 5}, "since"),
        ({"key": "k", "token": "t", "entered": 5}, "entered"),
        ({"key": "k", "token": "t", "expires_in_seconds": 0}, "expires_in_seconds"),
        ({"key": "k", "token": "t", "timeout": 5}, "timeout is unknown"),
    ],
)
def test_a_mistake_in_a_request_is_named(request_, named):
    with pytest.raises(PermanentDataError, match=named) as refused:
        read_callback(request_, now=0.0)
    assert refused.value.code == "bad-wait"


@pytest.mark.parametrize(("value", "key"), [("a", "a"), (5, "5"), (0, "0"), (True, None), (None, None), ("", None)])
def test_what_can_be_a_key(value, key):
    assert key_of(value) == key


# --- the function ------------------------------------------------------------------------------------------------

CONTEXT = SimpleNamespace(aws_request_id="request-1")


@pytest.fixture(name="function")
def _function(dynamodb, tasks, monkeypatch):
    monkeypatch.setenv("TASK_CALLBACKS_TABLE", "table")
    monkeypatch.setattr(wait_handler, "client", lambda service, **_options: dynamodb if service == "dynamodb" else None)
    monkeypatch.setattr(wait_handler, "StepFunctionsTasks", lambda _client: tasks)
    wait_handler._task_callbacks.cache_clear()
    boto_clients.client.cache_clear()
    yield wait_handler.handler
    wait_handler._task_callbacks.cache_clear()
    boto_clients.client.cache_clear()


def test_the_function_takes_a_tasks_request(function, store):
    assert function({"key": "k", "token": "t"}, CONTEXT) == {"status": "waiting"}
    assert [wait.token for wait in store.callbacks("k")] == ["t"]


def test_a_bad_request_fails_the_task_with_a_name_that_it_can_catch(function):
    with pytest.raises(PermanentDataError):
        function({"key": "k"}, CONTEXT)


def test_the_function_takes_requests_from_a_queue_and_keeps_what_it_can_not_take(function, store):
    bodies = ['{"key": "k", "token": "t"}', "not json", '{"key": "k"}']
    records = [sqs_record(body, f"m-{n}") for n, body in enumerate(bodies)]
    answer = function({"Records": records}, CONTEXT)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m-1", "m-2"]
    assert len(store.callbacks("k")) == 1


def test_no_token_is_ever_logged(function, capsys):
    function({"key": "k", "token": "planted-token"}, CONTEXT)
    with pytest.raises(PermanentDataError):
        function({"key": [], "token": "planted-token"}, CONTEXT)
    assert "planted-token" not in capsys.readouterr().out
