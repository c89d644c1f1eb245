"""Log lines and metrics as they leave the function."""

from __future__ import annotations

import io
import json

import pytest

from media_events.adapters import cloudwatch
from media_events.adapters.cloudwatch import CloudWatchTelemetry, instrumented
from media_events.core.telemetry import error_location
from media_events_kit.ops.local.function_logs import lines_of


@pytest.fixture(name="stream")
def _stream():
    return io.StringIO()


@pytest.fixture(name="report")
def _report(stream):
    return CloudWatchTelemetry(service="webhook", stream=stream, clock=lambda: 1_790_000_000.25)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_is_json_with_a_constant_message_and_fields(report, stream):
    report.info("event accepted", event_id="e1", partner="mux", reason=None)

    (line,) = lines(stream)
    assert line == {
        "level": "INFO",
        "message": "event accepted",
        "timestamp": "2026-09-21T14:13:20.250Z",
        "service": "webhook",
        "event_id": "e1",
        "partner": "mux",
    }


def test_input_can_not_forge_a_line_drive_a_terminal_or_flood_the_log(report, stream):
    report.warning(
        "request refused", event_id='x\n{"level":"INFO"}\x1b[31m\u2028\x9b', type="t" * 100_000, odd="\ud800"
    )

    assert len(stream.getvalue().splitlines()) == 1
    (line,) = lines(stream)
    assert line["event_id"] == 'x\ufffd{"level":"INFO"}\ufffd[31m\ufffd\ufffd'
    assert len(line["type"]) == 256
    assert line["odd"] == "?"


def test_field_named_like_one_of_every_line_is_renamed(report, stream):
    report.error("hop failed", level="n", service={"a": [1, None, True, 1.5]})

    (line,) = lines(stream)
    assert (line["level"], line["level_"], line["service_"]) == ("ERROR", "n", {"a": [1, None, True, 1.5]})


@pytest.mark.parametrize(
    ("level", "written"),
    [("DEBUG", 3), ("info", 3), ("WARNING", 2), ("ERROR", 1), ("CRITICAL", 0), ("no such level", 3)],
)
def test_lines_below_the_level_are_left_out(stream, level, written):
    report = CloudWatchTelemetry(level=level, stream=stream)
    for write in (report.info, report.warning, report.error):
        write("hop failed")

    assert len(lines(stream)) == written


def test_request_id_is_on_every_line_of_its_invocation(report, stream):
    for number in ("1", "2"):
        report.begin(type("Context", (), {"aws_request_id": number}))
        report.info("event accepted")

    assert [line["request_id"] for line in lines(stream)] == ["1", "2"]


def test_a_line_names_the_trace_of_its_invocation(report, stream, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    report.begin(None)
    report.info("event accepted")

    (line,) = lines(stream)
    assert line["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"


def test_counts_of_an_invocation_are_added_up_and_written_once(report, stream):
    for partner in ("mux", "mux"):
        report.count("EventsAccepted", partner=partner)
    report.count("EventsDropped", 2)
    report.count("EventsDropped")
    report.measure("WaitingEventAge", 90.0, unit="Seconds")
    assert stream.getvalue() == ""

    report.flush()
    report.flush()

    (document,) = lines(stream)
    metadata = document.pop("_aws")
    assert document == {
        "service": "webhook",
        "partner": "mux",
        "EventsAccepted": 2,
        "EventsDropped": 3,
        "WaitingEventAge": 90.0,
    }
    assert metadata == {
        "Timestamp": 1_790_000_000_250,
        "CloudWatchMetrics": [
            {
                "Namespace": "MediaEvents",
                "Dimensions": [["service", "partner"]],
                "Metrics": [{"Name": "EventsAccepted", "Unit": "Count"}],
            },
            {
                "Namespace": "MediaEvents",
                "Dimensions": [["service"]],
                "Metrics": [
                    {"Name": "EventsDropped", "Unit": "Count"},
                    {"Name": "WaitingEventAge", "Unit": "Seconds"},
                ],
            },
        ],
    }


def test_counts_with_two_values_of_a_dimension_take_a_document_each(report, stream):
    for reason in ("a", "b", "a"):
        report.count("RequestsRefused", reason=reason)
    report.count("EventsDropped")

    report.flush()

    first, second = lines(stream)
    assert (first["reason"], first["RequestsRefused"], first["EventsDropped"]) == ("a", 2, 1)
    assert (second["reason"], second["RequestsRefused"]) == ("b", 1)
    assert "EventsDropped" not in second


def test_counts_are_written_though_the_handler_raises(report, stream, monkeypatch):
    monkeypatch.setattr(cloudwatch, "telemetry", lambda: report)

    def handler(_event, _context):
        report.count("EventsDeadLettered")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        instrumented(handler)({}, None)

    assert "EventsDeadLettered" in stream.getvalue()


def test_reporter_is_made_once_from_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "media-dev-webhook")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Mine")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "WARNING")
    cloudwatch.telemetry.cache_clear()

    report = cloudwatch.telemetry()
    report.info("event accepted")
    report.count("EventsAccepted")
    report.flush()

    assert cloudwatch.telemetry() is report
    (document,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (document["service"], document["_aws"]["CloudWatchMetrics"][0]["Namespace"]) == ("media-dev-webhook", "Mine")
    cloudwatch.telemetry.cache_clear()


def test_fault_tells_kind_and_place_and_not_the_words():
    try:
        int("live-token")
    except ValueError as error:
        reported = error_location(error)

    assert reported["error"] == "ValueError"
    assert "test_cloudwatch.py:" in str(reported["at"])
    assert "live-token" not in str(reported)


def test_a_gauge_with_dimensions_has_these_alone_and_its_greatest_value(report, stream):
    for value in (70.0, 4000.0, 60.0):
        report.measure("WaitingEventAge", value, unit="Seconds", router="media-dev")
    report.measure("OldestOpenAge", 5.0, unit="Seconds")

    report.flush()

    (document,) = lines(stream)
    shared, own = document["_aws"]["CloudWatchMetrics"]
    assert shared["Dimensions"] == [["router"]]
    assert shared["Metrics"] == [{"Name": "WaitingEventAge", "Unit": "Seconds"}]
    assert (document["router"], document["WaitingEventAge"]) == ("media-dev", 4000.0)
    assert own["Dimensions"] == [["service"]]


def test_a_gauge_of_two_dimensions_with_one_value_is_written_once(report, stream):
    report.measure("WaitingEventAge", 70.0, unit="Seconds")
    report.measure("WaitingEventAge", 70.0, unit="Seconds", router="media-dev")

    report.flush()

    (document,) = lines(stream)
    assert [one["Dimensions"] for one in document["_aws"]["CloudWatchMetrics"]] == [[["service"]], [["router"]]]


def test_what_is_expected_of_several_events_is_one_line_that_readers_take_apart(report, stream):
    report.begin(type("Context", (), {"aws_request_id": "r"}))
    about = {"partner": "mux", "type": "asset.ready"}
    for number in range(3):
        report.info("event accepted", event_id=f"e{number}", subject=f"s{number}", correlation_id=None, **about)
    report.info("event accepted", event_id="of another type", **about)
    report.info("event accepted", event_id="e9", **about)
    report.warning("event dead-lettered", event_id="e10")
    assert [line["event_id"] for line in lines(stream)] == ["of another type", "e10"]

    report.flush()

    _, _, together, alone = stream.getvalue().splitlines()
    assert json.loads(together)["event_id"] == " e0 e1 e2 "
    assert "events" not in json.loads(alone)
    found = [line.fields for line in lines_of("f", 0, together)]
    assert [(one["event_id"], one["subject"]) for one in found] == [("e0", "s0"), ("e1", "s1"), ("e2", "s2")]
    assert all(one.items() >= {**about, "request_id": "r", "message": "event accepted"}.items() for one in found)
    assert [line.fields for line in lines_of("f", 0, alone)] == [json.loads(alone)]


def test_one_line_names_a_hundred_events_at_most(report, stream):
    report.begin(None)
    for number in range(201):
        report.info("event delivered", event_id=f"e{number}")
    report.flush()

    assert [line.get("events") for line in lines(stream)] == [100, 100, None]


def test_at_the_level_debug_each_event_has_a_line_at_once(stream):
    report = CloudWatchTelemetry(level="DEBUG", stream=stream)
    report.begin(None)
    for number in range(2):
        report.info("event delivered", event_id=f"e{number}")

    assert [line["event_id"] for line in lines(stream)] == ["e0", "e1"]


def test_an_invocation_that_fails_still_writes_what_it_gathered(stream, monkeypatch):
    monkeypatch.setattr(cloudwatch, "telemetry", lambda: report)
    report = CloudWatchTelemetry(stream=stream)

    @instrumented
    def handler(_event, _context):
        for number in range(2):
            report.info("event delivered", event_id=f"e{number}")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        handler({}, None)

    assert [line["event_id"] for line in lines(stream)] == [" e0 e1 "]
