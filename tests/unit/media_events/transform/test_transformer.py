"""Transforms: the effects of their steps, the attributes out of their reach, and mistakes in them."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.configuration import ConfigurationError
from media_events.core.envelope import Redrive
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.events.publisher import Publisher
from media_events.messaging.queue_consumer import Consumer, consume_batch
from media_events.transform import Transformer, parse_steps, transform
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBodies, FakeBus, FakeClock, FakeQueue, FakeReport, bus_event, sqs_record
from tests.fakes.transform_ports import Outside

DATA = {"asset": {"id": "a-1", "tags": ["x", "y"]}, "status": "ok", "size": 0, "empty": [], "gone": None}


def run(*steps, data=None, **metadata):
    """What the steps make of one event: an event, or ``None`` if it is dropped."""
    event = make_event(DATA if data is None else data, **metadata)
    made = transform(event, parse_steps(list(steps)), Outside().ports)
    assert len(made) <= 1
    return made[0] if made else None


def test_no_steps_change_nothing():
    assert run() == make_event(DATA)


def test_map_replaces_data_by_the_fields_named():
    event = run({"map": {"id": "data.asset.id", "meta.partner": "metadata.partner", "first": "data.asset.tags[0]"}})

    assert event.data == {"id": "a-1", "meta": {"partner": "mux"}, "first": "x"}


def test_map_leaves_out_missing_values_and_keeps_empty_ones():
    event = run({"map": {"a": "data.nothing", "b": "data.gone", "c": "data.empty", "d": "data.size", "e": "`false`"}})

    assert event.data == {"c": [], "d": 0, "e": False}


def test_enrich_adds_to_data():
    event = run({"enrich": {"asset.count": "length(data.asset.tags)", "asset.id": "upper.case || data.status"}})

    assert event.data == {**DATA, "asset": {"id": "ok", "tags": ["x", "y"], "count": 2}}


def test_map_reads_json_inside_a_text():
    data = {"passthrough": '{"asset": {"id": "a-7"}}', "blob": "eyJrIjogMX0=", "form": "title=Gr%C3%BCne+Wiese"}
    event = run(
        {
            "map": {
                "id": "parse_json(data.passthrough).asset.id",
                "k": "parse_json(base64_decode(data.blob)).k",
                "title": "url_decode(data.form)",
                "absent": "parse_json(data.nothing).id",
            }
        },
        data=data,
    )

    assert event.data == {"id": "a-7", "k": 1, "title": "title=Grüne Wiese"}


@pytest.mark.parametrize("text", ["{", '{"a": 1, "a": 2}', "NaN", "[" * 200, '{"planted": secret}'])
def test_broken_json_inside_a_text_fails_the_expression_and_is_not_shown(text):
    with pytest.raises(PermanentDataError) as failed:
        run({"map": {"id": "parse_json(data.passthrough).id"}}, data={"passthrough": text})

    assert failed.value.code == "mapping-failed"
    assert "planted" not in failed.value.message


def test_set_puts_constants():
    event = run({"set": {"asset.owner.name": "desk", "flags": ["a"], "gone": None}})

    assert event.data["asset"]["owner"] == {"name": "desk"}
    assert (event.data["flags"], event.data["gone"]) == (["a"], None)


@pytest.mark.parametrize(
    ("condition", "dropped"),
    [
        ("data.status == 'ok'", True),
        ("data.status == 'no'", False),
        ("data.asset", True),
        ("data.size", True),
        ("data.empty", False),
        ("data.gone", False),
        ("data.nothing", False),
        ('`""`', False),
    ],
)
def test_drop_ends_the_event_s_way_where_the_condition_is_true(condition, dropped):
    assert (run({"drop": condition}) is None) is dropped


def test_steps_run_in_order():
    steps = [{"set": {"status": "new"}}, {"map": {"status": "data.status"}}, {"drop": "data.asset"}]

    assert run(*steps).data == {"status": "new"}


def test_steps_after_a_drop_do_not_run():
    assert run({"drop": "`true`"}, {"enrich": {"a": "abs(data.status)"}}) is None


def test_event_before_is_left_as_it_was():
    data = copy.deepcopy(DATA)

    run({"set": {"asset.id": "new", "asset.tags": []}}, {"enrich": {"asset.more": "data.asset"}}, data=data)

    assert data == DATA


def test_metadata_is_out_of_the_steps_reach():
    event = run({"set": {"metadata.id": "forged"}})

    assert event.metadata == make_event().metadata
    assert event.data["metadata"] == {"id": "forged"}


@pytest.mark.parametrize(
    ("step", "data"),
    [
        ({"enrich": {"a": "abs(data.status)"}}, DATA),
        ({"map": {"a": "sort(data.mixed)"}}, {"mixed": [1, "a"]}),
        ({"set": {"status.code": 1}}, DATA),
        ({"set": {"a": 1}}, [1, 2]),
        ({"enrich": {"a.b": "metadata.id"}}, "text"),
        ({"drop": "length(data.size)"}, DATA),
    ],
)
def test_step_that_can_not_be_done_is_the_event_s_fault(step, data):
    with pytest.raises(PermanentDataError) as caught:
        run(step, data=data)

    assert caught.value.code == "mapping-failed"


def test_error_names_the_expression_and_not_the_data():
    with pytest.raises(PermanentDataError, match=r"size: abs\(data\.secret\)") as caught:
        run({"map": {"size": "abs(data.secret)"}}, data={"secret": "live-token"})

    assert "live-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (None, "steps: must be a list"),
        ("text", "steps: must be a list"),
        ([{}], r"steps\[0\]: must be an object with exactly one key"),
        ([{"set": {"a": 1}, "drop": "a"}], "exactly one key, one of: map, enrich, set, drop"),
        ([{"mpa": {}}], "there is no step 'mpa'"),
        ([{"map": []}], r"steps\[0\]\.map: must be an object, not a list"),
        ([{"map": {}}], "at least one target path"),
        ([{"map": {"a..b": "data"}}], "names with single dots"),
        ([{"map": {"": "data"}}], "names with single dots"),
        ([{"map": {"a": 5}}], "for a constant use the step set"),
        ([{"map": {"a": "data.["}}], r"steps\[0\]\.map\.a: 'data\.\[' is not JMESPath"),
        ([{"map": {"a": "data", "a.b": "data"}}], "'a' and 'a.b' exclude each other"),
        ([{"drop": ""}], "is not JMESPath"),
        ([{"map": {"a": "parsejson(data.x)"}}], r"parsejson\(\) is no function; did you mean parse_json\(\)"),
        ([{"map": {"a": "length(data.x, data.y)"}}], r"length\(\) has 2 arguments"),
        ([{"drop": None}], "must be a JMESPath expression"),
    ],
)
def test_unusable_step_is_named(steps, problem):
    with pytest.raises(ConfigurationError, match=problem):
        parse_steps(steps)


def test_every_unusable_step_is_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        parse_steps([{"map": {"a": "["}}, {"nothing": 1}, {"drop": 3}])

    assert len(caught.value.problems) == 3


EXPRESSIONS = ["data", "metadata", "data.asset.id", "data.*", "[data, metadata]", "length(data)", "keys(data)"]
EXPRESSIONS += ["sort(data.asset.tags)", "data.asset.tags[]", "to_number(data.status)", "merge(data, metadata)"]
PATHS = ["a", "a.b", "asset.id", "asset", "status.deep"]
STEPS = st.one_of(
    st.builds(
        lambda k, p, e: {k: {p: e}}, st.sampled_from(["map", "enrich"]), *map(st.sampled_from, (PATHS, EXPRESSIONS))
    ),
    st.builds(lambda p, v: {"set": {p: v}}, st.sampled_from(PATHS), st.integers() | st.text()),
    st.builds(lambda e: {"drop": e}, st.sampled_from(EXPRESSIONS)),
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda i: (
        st.lists(i, max_size=3) | st.dictionaries(st.sampled_from(["asset", "status", "id", "tags"]), i, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(STEPS, max_size=4), ANY)
def test_steps_fail_in_one_way_only(steps, data):
    try:
        results = transform(make_event({"data": data} if data is None else data), parse_steps(steps), Outside().ports)
    except PermanentDataError:
        return
    assert [result.metadata for result in results] in ([], [make_event().metadata])


@pytest.fixture(name="bus")
def _bus():
    return FakeBus()


@pytest.fixture(name="bodies")
def _bodies():
    return FakeBodies()


@pytest.fixture(name="report")
def _report():
    return FakeReport()


@pytest.fixture(name="outside")
def _outside():
    return Outside()


@pytest.fixture(name="hop")
def _hop(bus, bodies, report, outside):
    """Runs a batch through a transform hop; ``hop.queue`` is its queue."""
    queue = FakeQueue()

    def run_batch(records, *steps):
        transformer = Transformer(
            steps=parse_steps(list(steps)),
            ports=outside.ports,
            publisher=Publisher(bus=bus, bodies=bodies, sleep=FakeClock().sleep),
            hop="transform/enrich",
            report=report,
            bodies=bodies,
        )
        consumer = Consumer(queue=queue, hop="transform/enrich", report=report, clock=FakeClock())
        return consume_batch({"Records": records}, transformer.handle, consumer)

    run_batch.queue = queue
    return run_batch


def record(event, message_id):
    return sqs_record(bus_event(event), message_id)


def failed(response):
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def test_transformed_event_keeps_its_identity_and_gains_stage_and_hop(hop, bus):
    event = make_event(DATA, correlationid="c-1", hops=2)

    assert failed(hop([record(event, "a")], {"map": {"id": "data.asset.id"}})) == []

    (published,) = bus.events
    assert published.data == {"id": "a-1"}
    assert (published.metadata.stage, published.metadata.hops) == ("transformed", 3)
    assert published.metadata.id == event.metadata.id
    assert published.metadata.correlationid == "c-1"


def test_batch_is_published_in_one_call(hop, bus):
    hop([record(make_event(id=f"e{i}"), str(i)) for i in range(10)])

    assert [len(call) for call in bus.calls] == [10]


def test_redrive_ends_at_the_hop_that_it_was_for(hop, bus):
    hop([record(make_event(redrive=Redrive("transform/enrich", 1)), "a")])

    assert bus.events[0].metadata.redrive is None


def test_one_bad_record_is_dead_lettered_and_the_others_are_published(hop, bus):
    records = [
        record(make_event(DATA, id="e1"), "a"),
        record(make_event("text", id="e2"), "b"),
        sqs_record("junk", "c"),
    ]

    assert failed(hop(records, {"set": {"x": 1}})) == []

    assert [event.metadata.id for event in bus.events] == ["e1"]
    assert [dead.failure.code for dead in hop.queue.dead] == ["mapping-failed", "not-an-event"]


def test_record_is_done_only_when_the_bus_has_its_event(hop, bus):
    bus.refuse = lambda entry: TransientError("aws-x", "slow") if '"id":"e2"' in entry.detail else None

    response = hop([record(make_event(id="e1"), "a"), record(make_event(id="e2"), "b")])

    assert failed(response) == ["b"]
    assert [event.metadata.id for event in bus.events] == ["e1"]


def test_bus_that_forbids_us_is_our_configuration(hop, bus):
    bus.failing = PermanentConfigError("aws-AccessDeniedException", "no")

    assert failed(hop([record(make_event(), "a")])) == []
    assert hop.queue.dead[0].failure.failure_class == "permanent-config"


def test_dropped_event_is_done_and_logged(hop, bus, report):
    assert failed(hop([record(make_event(), "a")], {"drop": "`true`"})) == []

    assert not bus.calls
    assert report.fields("event dropped")[0]["event_id"] == "evt-1"


def test_loop_ends_in_the_dead_letter_queue(hop, bus):
    assert failed(hop([record(make_event(hops=15), "a")])) == []

    assert not bus.entries
    assert hop.queue.dead[0].failure.code == "hop-limit"


def test_large_event_is_transformed_whole(hop, bus, bodies):
    uri = bodies.put(b'{"note": "whole", "id": "a"}')

    hop([record(make_event({"id": "a"}, dataref=uri), "a")], {"enrich": {"copy": "data.note"}})

    (event,) = bus.events
    assert event.data == {"note": "whole", "id": "a", "copy": "whole"}
    assert event.metadata.dataref is None


def test_large_result_is_checked_in_again(hop, bus, bodies):
    uri = bodies.put(b'{"note": "' + b"n" * 300_000 + b'", "id": "a"}')

    hop([record(make_event({"id": "a"}, dataref=uri), "a")], {"set": {"seen": True}})

    (event,) = bus.events
    assert event.metadata.dataref not in (None, uri)
    assert event.data == {"id": "a", "seen": True}
