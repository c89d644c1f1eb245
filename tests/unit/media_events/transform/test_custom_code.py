"""Splits, and steps with the user's code: results, failures and their classes."""

from __future__ import annotations

import json
import threading

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.core.envelope import Redrive
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.events.publisher import Publisher
from media_events.messaging.queue_consumer import Consumer, consume_batch
from media_events.transform import Transformer, parse_steps, transform
from media_events.transform.steps import MAX_EVENTS
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBus, FakeClock, FakeQueue, FakeReport, bus_event, sqs_record
from tests.fakes.transform_ports import Outside, page

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:classify"
CALL = {"call": {"function_arn": FUNCTION}}
PYTHON = {"python": {"function": "acme_steps:tidy"}}
DATA = {"job": "j-1", "assets": [{"id": "a", "lang": "en"}, {"id": "b", "lang": "de"}]}


@pytest.fixture(name="outside")
def _outside():
    return Outside()


def after(outside, *steps, data=None, **metadata):
    return transform(make_event(DATA if data is None else data, **metadata), parse_steps(list(steps)), outside.ports)


def failure_of(outside, *steps, data=None):
    with pytest.raises((PermanentConfigError, PermanentDataError, TransientError)) as caught:
        after(outside, *steps, data=data)
    return caught.value


def ids(events):
    return [event.metadata.id for event in events]


################################################################################
# split
################################################################################


def test_split_makes_an_event_of_each_item(outside):
    events = after(outside, {"split": {"items": "data.assets"}}, correlationid="c-1")

    assert [event.data for event in events] == DATA["assets"]
    assert ids(events) == ["evt-1/0", "evt-1/1"]
    for event in events:
        assert (event.metadata.causationid, event.metadata.correlationid) == ("evt-1", "c-1")
        assert (event.metadata.source, event.metadata.type) == ("partner.mux", "asset.ready")


def test_split_keeps_the_rest_of_data_if_the_item_has_a_place(outside):
    events = after(outside, {"split": {"items": "data.assets[*].id", "into": "asset.id"}})

    assert [event.data for event in events] == [{**DATA, "asset": {"id": "a"}}, {**DATA, "asset": {"id": "b"}}]


def test_split_names_its_events_by_their_items(outside):
    split = {
        "items": "data.assets",
        "id": "item.lang",
        "subject": "item.id",
        "partitionkey": "join('/', [data.job, item.id])",
    }

    events = after(outside, {"split": split})
    backwards = after(outside, {"split": split}, data={**DATA, "assets": DATA["assets"][::-1]})

    assert ids(events) == ["evt-1/en", "evt-1/de"] == ids(backwards)[::-1]
    assert [event.metadata.subject for event in events] == ["a", "b"]
    assert [event.metadata.partitionkey for event in events] == ["j-1/a", "j-1/b"]


def test_split_leaves_out_a_subject_that_is_not_there(outside):
    (event,) = after(outside, {"split": {"items": "[data]", "subject": "item.none"}}, subject="s")

    assert event.metadata.subject is None


def test_split_of_a_split_has_the_ids_of_both(outside):
    data = {"groups": [{"items": [1, 2]}, {"items": [3]}]}

    events = after(outside, {"split": {"items": "data.groups"}}, {"split": {"items": "data.items"}}, data=data)

    assert ids(events) == ["evt-1/0/0", "evt-1/0/1", "evt-1/1/0"]
    assert [event.metadata.causationid for event in events] == ["evt-1/0", "evt-1/0", "evt-1/1"]
    assert [event.data for event in events] == [1, 2, 3]


def test_steps_after_a_split_are_done_on_each_part(outside):
    steps = [{"split": {"items": "data.assets"}}, {"drop": "data.lang == 'de'"}, {"map": {"asset": "data.id"}}]

    (event,) = after(outside, *steps)

    assert (event.metadata.id, event.data) == ("evt-1/0", {"asset": "a"})


def test_split_is_made_only_where_it_is_wanted(outside):
    (event,) = after(outside, {"split": {"items": "data.assets", "when": "data.job == 'other'"}})

    assert event == make_event(DATA)


def test_split_of_an_empty_list_is_a_drop(outside):
    assert after(outside, {"split": {"items": "data.assets"}}, data={"assets": []}) == []


@pytest.mark.parametrize(
    ("split", "data", "code"),
    [
        ({"items": "data.none"}, DATA, "split-not-a-list"),
        ({"items": "data.job"}, DATA, "split-not-a-list"),
        ({"items": "data.assets", "id": "data.job"}, DATA, "split-ids"),
        ({"items": "data.assets", "id": "item.none"}, DATA, "split-unnamed"),
        ({"items": "data.assets", "id": "item"}, DATA, "split-unnamed"),
        ({"items": "data.assets", "id": "`true`"}, DATA, "split-unnamed"),
        ({"items": "data.assets", "partitionkey": "item.none"}, DATA, "split-unnamed"),
        ({"items": "data.assets", "into": "job.asset"}, DATA, "mapping-failed"),
        ({"items": "data"}, [0] * (MAX_EVENTS + 1), "split-too-many"),
        ({"items": "data", "id": "item"}, ["x" * 1024], "split-ids"),
    ],
)
def test_split_that_can_not_be_done_is_the_event_s_fault(outside, split, data, code):
    failed = failure_of(outside, {"split": split}, data=data)

    assert (failed.failure_class, failed.code) == ("permanent-data", code)
    assert failed.message.startswith("steps[0].split")


def test_splits_together_make_no_more_events_than_one_may(outside):
    steps = [{"split": {"items": "data"}}, {"split": {"items": "data"}}]

    assert len(after(outside, *steps, data=[[0] * (MAX_EVENTS // 2)] * 2)) == MAX_EVENTS
    assert failure_of(outside, *steps, data=[[0] * (MAX_EVENTS // 2 + 1)] * 2).code == "split-too-many"


################################################################################
# call
################################################################################


def test_function_gets_the_event_and_gives_its_data(outside):
    outside.functions[FUNCTION] = lambda event: {"job": event["data"]["job"], "by": event["metadata"]["partner"]}

    (event,) = after(outside, CALL)

    assert event.data == {"job": "j-1", "by": "mux"}
    assert event.metadata == make_event().metadata
    assert outside.asked == [(FUNCTION, make_event(DATA).to_detail(), 10.0)]


@pytest.mark.parametrize("step", [CALL, PYTHON])
def test_step_of_one_s_own_that_gives_a_list_makes_several_events(outside, step):
    outside.functions[FUNCTION] = outside.python["acme_steps:tidy"] = lambda event: event["data"]["assets"]

    events = after(outside, step)

    assert ids(events) == ["evt-1/0", "evt-1/1"]
    assert [event.data for event in events] == DATA["assets"]
    assert {event.metadata.causationid for event in events} == {"evt-1"}


@pytest.mark.parametrize("answer", [None, []])
@pytest.mark.parametrize("step", [CALL, PYTHON])
def test_step_of_one_s_own_that_gives_nothing_drops_the_event(outside, step, answer):
    outside.functions[FUNCTION] = outside.python["acme_steps:tidy"] = lambda _event: answer

    assert after(outside, step) == []


@pytest.mark.parametrize("answer", ["text", 7, True, [1], [{}, None], [[{}]]])
@pytest.mark.parametrize(("step", "code"), [(CALL, "call-answer"), (PYTHON, "python-answer")])
def test_step_of_one_s_own_that_gives_something_else_is_our_configuration(outside, step, code, answer):
    outside.functions[FUNCTION] = outside.python["acme_steps:tidy"] = lambda _event: answer

    failed = failure_of(outside, step)

    assert (failed.failure_class, failed.code) == ("permanent-config", code)
    assert "must return an object" in failed.message


@pytest.mark.parametrize("answer", [b"<html>", b'{"a": NaN}', b"[" * 100_000])
def test_function_that_answers_with_no_json_is_our_configuration(outside, answer):
    outside.functions[FUNCTION] = lambda _event: answer

    assert failure_of(outside, CALL).code == "call-answer"


def test_function_that_answers_with_nothing_at_all_drops_the_event(outside):
    outside.functions[FUNCTION] = lambda _event: b""

    assert after(outside, CALL) == []


def test_function_is_not_begun_that_could_outlive_us(outside):
    outside.left = 11.9

    assert failure_of(outside, CALL).code == "no-time-left"
    assert not outside.asked


def test_function_is_not_sent_more_than_it_takes(outside):
    failed = failure_of(outside, CALL, data={"text": "é" * 3 * 1024 * 1024})

    assert (failed.failure_class, failed.code) == ("permanent-data", "call-too-large")


@pytest.mark.parametrize("step", [CALL, PYTHON])
def test_event_that_json_can_not_say_is_at_fault(outside, step):
    outside.python["acme_steps:tidy"] = dict

    assert failure_of(outside, step, data={"size": float("nan")}).code == "not-json"


def test_step_of_one_s_own_is_done_only_where_it_is_wanted(outside):
    steps = [{"call": {"function_arn": FUNCTION, "when": "data.no"}}]
    steps += [{"python": {"function": "acme_steps:tidy", "when": "data.no"}}]

    assert after(outside, *steps) == [make_event(DATA)]


################################################################################
# python
################################################################################


def test_python_function_gets_a_copy_of_the_event(outside):
    def tidy(event):
        event["metadata"]["id"] = "forged"
        event["data"]["assets"].clear()
        return {**event["data"], "partner": event["metadata"]["partner"]}

    outside.python["acme_steps:tidy"] = tidy
    given = make_event(json.loads(json.dumps(DATA)))

    (event,) = transform(given, parse_steps([PYTHON]), outside.ports)

    assert given.data == DATA
    assert event.metadata == make_event().metadata
    assert event.data == {"job": "j-1", "assets": [], "partner": "mux"}


@pytest.mark.parametrize("answer", [{"a": {1, 2}}, {"a": float("inf")}, object()])
def test_python_function_whose_answer_is_no_json_is_our_configuration(outside, answer):
    outside.python["acme_steps:tidy"] = lambda _event: answer

    failed = failure_of(outside, PYTHON)

    assert (failed.failure_class, failed.code) == ("permanent-config", "python-answer")


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (KeyError("title"), "permanent-data", "python-KeyError"),
        (ValueError("no date"), "permanent-data", "python-ValueError"),
        (TypeError("x"), "permanent-data", "python-TypeError"),
        (ZeroDivisionError(), "permanent-data", "python-ZeroDivisionError"),
        (TimeoutError("slow"), "transient", "python-TimeoutError"),
        (ConnectionResetError(), "transient", "python-ConnectionResetError"),
        (RuntimeError("odd"), "transient", "python-RuntimeError"),
        (SystemExit(1), "transient", "python-SystemExit"),
        (PermanentDataError("no-title", "it has no title"), "permanent-data", "no-title"),
        (TransientError("busy", "later", retry_after=5), "transient", "busy"),
    ],
)
def test_error_of_a_python_function_is_classified(outside, raised, kind, code):
    def tidy(_event):
        raise raised

    outside.python["acme_steps:tidy"] = tidy

    failed = failure_of(outside, PYTHON)

    assert (failed.failure_class, failed.code) == (kind, code)


def test_failure_of_a_python_function_names_its_place_and_keeps_its_text_apart(outside):
    def tidy(event):
        raise ValueError(f"bad job {event['data']['job']}")

    outside.python["acme_steps:tidy"] = tidy

    failed = failure_of(outside, {"set": {"a": 1}}, PYTHON)

    assert failed.message.startswith("steps[1].python: acme_steps:tidy raised ValueError at test_custom_code.py:")
    assert "j-1" not in failed.message
    assert failed.response == "bad job j-1"


################################################################################
# Bad configuration
################################################################################


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"split": "data.assets"}, "steps[0].split: must be an object, not a text"),
        ({"split": {}}, "steps[0].split.items: must be a JMESPath expression in text"),
        ({"split": {"items": "[", "id": "["}}, "steps[0].split.id: '[' is not JMESPath"),
        ({"split": {"items": "data", "into": ""}}, "steps[0].split.into: '' must be names"),
        ({"split": {"items": "data", "type": "x"}}, "steps[0].split.type: is unknown"),
        ({"call": FUNCTION}, "steps[0].call: must be an object"),
        ({"call": {}}, "steps[0].call.function_arn: must be the ARN of a function"),
        ({"call": {"function_arn": "classify"}}, "steps[0].call.function_arn: must be the ARN of a function"),
        (
            {"call": {"function_arn": FUNCTION, "timeout_seconds": 301}},
            "steps[0].call.timeout_seconds: must be a number above 0 and up to 300",
        ),
        ({"call": {"function_arn": FUNCTION, "when": 5}}, "steps[0].call.when: must be a JMESPath expression in text"),
        ({"python": "acme:tidy"}, "steps[0].python: must be an object"),
        ({"python": {"function": "acme.tidy"}}, "steps[0].python.function: must be module:function"),
        ({"python": {"function": "acme:tidy()"}}, "steps[0].python.function: must be module:function"),
        ({"python": {"function": "../acme:tidy"}}, "steps[0].python.function: must be module:function"),
    ],
)
def test_unusable_step_is_named(step, problem):
    with pytest.raises(ConfigurationError) as caught:
        parse_steps([step])

    assert any(reported.startswith(problem) for reported in caught.value.problems), caught.value.problems


def test_python_functions_that_are_not_there_are_named():
    def load(name):
        if name == "acme:none":
            raise ConfigurationError(["there is no such module"])

    good, bad = {"python": {"function": "acme:tidy"}}, {"python": {"function": "acme:none"}}

    assert len(parse_steps([good], load=load)) == 1
    with pytest.raises(ConfigurationError) as caught:
        parse_steps([good, bad], load=load)
    assert caught.value.problems == ["steps[1].python.function: there is no such module"]


################################################################################
# The hop
################################################################################


class Hop:
    """A transform hop over a fake queue and bus."""

    def __init__(self, outside, *steps):
        self.queue, self.bus, self.report = FakeQueue(), FakeBus(), FakeReport()
        self.transformer = Transformer(
            steps=parse_steps(list(steps)),
            ports=outside.ports,
            publisher=Publisher(bus=self.bus, sleep=FakeClock().sleep),
            hop="transform/split",
            report=self.report,
        )

    def run(self, *events, receive_count=1):
        records = [
            sqs_record(bus_event(event), f"m-{index}", receive_count=receive_count)
            for index, event in enumerate(events)
        ]
        consumer = Consumer(queue=self.queue, hop="transform/split", report=self.report, clock=FakeClock())
        answer = consume_batch({"Records": records}, self.transformer.handle, consumer)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


SPLIT = {"split": {"items": "data.assets"}}


def test_all_parts_are_published_as_transformed(outside):
    hop = Hop(outside, SPLIT)

    assert hop.run(make_event(DATA, redrive=Redrive("transform/split", 1)), make_event(DATA, id="evt-2")) == []

    assert ids(hop.bus.events) == ["evt-1/0", "evt-1/1", "evt-2/0", "evt-2/1"]
    for event in hop.bus.events:
        assert (event.metadata.stage, event.metadata.hops, event.metadata.redrive) == ("transformed", 1, None)
    assert hop.report.counts[("EventsTransformed", ())] == 4


def test_record_is_done_only_when_the_bus_has_all_its_parts_and_a_retry_gives_the_same_ids(outside):
    hop = Hop(outside, SPLIT)
    hop.bus.refuse = lambda entry: TransientError("aws-x", "slow") if '"id":"evt-1/1"' in entry.detail else None

    assert hop.run(make_event(DATA), make_event(DATA, id="evt-2")) == ["m-0"]
    hop.bus.refuse = lambda _entry: None
    assert hop.run(make_event(DATA), receive_count=2) == []

    assert set(ids(hop.bus.events)) == {"evt-1/0", "evt-1/1", "evt-2/0", "evt-2/1"}


@pytest.mark.parametrize("order", [1, -1])
def test_part_that_is_refused_for_good_does_not_keep_the_others_from_being_tried_again(outside, order):
    hop = Hop(outside, SPLIT)
    refusals = [PermanentDataError("entry-too-large", "large"), TransientError("aws-x", "slow")][::order]
    hop.bus.refuse = lambda entry: refusals[0] if '"id":"evt-1/0"' in entry.detail else refusals[1]

    assert hop.run(make_event(DATA)) == ["m-0"]

    hop.bus.refuse = lambda entry: PermanentDataError("x", "x") if '"id":"evt-1/0"' in entry.detail else None
    assert hop.run(make_event(DATA)) == []
    assert ids(hop.bus.events) == ["evt-1/1"]
    assert len(hop.queue.dead) == 1


def test_event_without_parts_is_logged_as_dropped(outside):
    hop = Hop(outside, SPLIT)

    assert hop.run(make_event({"assets": []})) == []

    assert hop.report.fields("event dropped")[0]["event_id"] == "evt-1"
    assert not hop.bus.calls


def test_events_of_a_batch_ask_side_by_side(outside):
    together = threading.Barrier(5, timeout=10)

    def answer(event):
        together.wait()
        return event["data"]

    outside.functions[FUNCTION] = answer

    assert Hop(outside, CALL).run(*(make_event(id=f"e{i}") for i in range(5))) == []


def test_python_function_is_called_for_one_event_at_a_time(outside):
    busy, most = [], []

    def tidy(event):
        busy.append(1)
        most.append(len(busy))
        outside.functions["pause"]()
        busy.pop()
        return event["data"]

    outside.functions["pause"] = lambda: threading.Event().wait(0.002)
    outside.python["acme_steps:tidy"] = tidy

    assert Hop(outside, PYTHON).run(*(make_event(id=f"e{i}") for i in range(10))) == []
    assert set(most) == {1}


def test_failure_of_one_event_is_its_alone(outside):
    outside.pages = {"a.example/1": page(1), "a.example/2": TransientError("lookup-http-429", "slow", retry_after=40)}
    hop = Hop(outside, {"lookup": {"http": {"url": "https://a.example/{data.n}"}, "into": "found"}})

    assert hop.run(*(make_event({"n": n}, id=f"e{n}") for n in (1, 2, 3))) == ["m-1"]

    assert ids(hop.bus.events) == ["e1"]
    assert hop.queue.visibility == {"handle-m-1": 40}
    assert [dead.failure.code for dead in hop.queue.dead] == ["lookup-missing"]


def test_no_secret_and_no_answer_reaches_the_log(outside):
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-AbCdEf"
    outside.secrets[secret] = ["live-key"]
    outside.pages["a.example/1"] = page({"private": "words"}, status=401)
    auth = {"type": "api-key", "header": "X-Key", "secret_arn": secret}
    hop = Hop(outside, {"lookup": {"http": {"url": "https://a.example/{data.n}", "auth": auth}, "into": "found"}})

    assert hop.run(make_event({"n": 1})) == []

    assert hop.queue.dead[0].failure.failure_class == "permanent-config"
    assert "words" not in hop.report.text()
    assert "live-key" not in hop.report.text() + hop.queue.dead[0].failure.to_json()
