"""Log lines and metrics as they leave the function."""

from __future__ import annotations

import io
import json

import pytest
from aws_lambda_powertools import Logger, Metrics

from media_events.adapters import powertools
from media_events.adapters.powertools import PowertoolsTelemetry, instrumented
from media_events.core.telemetry import error_location


@pytest.fixture(name="stream")
def _stream():
    return io.StringIO()


@pytest.fixture(name="report")
def _report(stream, request):
    logger = Logger(service=f"webhook-{request.node.name}", stream=stream)
    return PowertoolsTelemetry(logger, Metrics(namespace="MediaEvents", service="webhook"))


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_is_json_with_a_constant_message_and_fields(report, stream):
    report.info("event accepted", event_id="e1", partner="mux", reason=None)

    (line,) = lines(stream)
    assert {"level": "INFO", "message": "event accepted", "event_id": "e1", "partner": "mux"}.items() <= line.items()
    assert "reason" not in line


def test_input_can_not_forge_a_line_drive_a_terminal_or_flood_the_log(report, stream):
    report.warning(
        "request refused", event_id='x\n{"level":"INFO"}\x1b[31m\u2028\x9b', type="t" * 100_000, odd="\ud800"
    )

    assert len(stream.getvalue().splitlines()) == 1
    (line,) = lines(stream)
    assert line["event_id"] == 'x\ufffd{"level":"INFO"}\ufffd[31m\ufffd\ufffd'
    assert len(line["type"]) == 256
    assert line["odd"] == "?"


def test_field_named_like_the_logger_s_own_is_renamed(report, stream):
    report.error("hop failed", name="n", args={"a": [1, None, True, 1.5]})

    (line,) = lines(stream)
    assert (line["name_"], line["args_"]) == ("n", {"a": [1, None, True, 1.5]})


def test_request_id_is_on_every_line_of_its_invocation(report, stream):
    for number in ("1", "2"):
        report.begin(type("Context", (), {"aws_request_id": number}))
        report.info("event accepted")

    assert [line["request_id"] for line in lines(stream)] == ["1", "2"]


def test_counts_of_an_invocation_are_added_up_and_written_once(report, capsys):
    for reason in ("a", "b", "a"):
        report.count("RequestsRefused", reason=reason)
    report.count("EventsDropped", 2)
    report.count("EventsDropped")
    assert capsys.readouterr().out == ""

    report.flush()
    report.flush()

    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    refused = {line["reason"]: line["RequestsRefused"] for line in written if "RequestsRefused" in line}
    assert refused == {"a": [2.0], "b": [1.0]}
    assert [sum(line["EventsDropped"]) for line in written if "EventsDropped" in line] == [3.0]
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "MediaEvents" for line in written)
    assert all(line["service"] == "webhook" for line in written)


def test_counts_are_written_though_the_handler_raises(report, capsys, monkeypatch):
    monkeypatch.setattr(powertools, "telemetry", lambda: report)

    def handler(_event, _context):
        report.count("EventsDeadLettered")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        instrumented(handler)({}, None)

    assert "EventsDeadLettered" in capsys.readouterr().out


def test_reporter_is_made_once_from_the_environment(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "media-dev-webhook")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Mine")
    powertools.telemetry.cache_clear()

    report = powertools.telemetry()

    assert powertools.telemetry() is report
    assert (report._metrics.service, report._metrics.namespace) == ("media-dev-webhook", "Mine")
    powertools.telemetry.cache_clear()


def test_fault_tells_kind_and_place_and_not_the_words():
    try:
        int("live-token")
    except ValueError as error:
        reported = error_location(error)

    assert reported["error"] == "ValueError"
    assert "test_powertools.py:" in str(reported["at"])
    assert "live-token" not in str(reported)


def test_a_gauge_with_dimensions_has_these_alone_and_its_greatest_value(report, capsys):
    for value in (70.0, 4000.0, 60.0):
        report.measure("WaitingEventAge", value, unit="Seconds", router="media-dev")
    report.measure("OldestOpenAge", 5.0, unit="Seconds")

    report.flush()

    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (shared,) = (line for line in written if "WaitingEventAge" in line)
    (metrics,) = shared["_aws"]["CloudWatchMetrics"]
    assert metrics["Dimensions"] == [["router"]]
    assert metrics["Metrics"] == [{"Name": "WaitingEventAge", "Unit": "Seconds"}]
    assert (shared["router"], shared["WaitingEventAge"]) == ("media-dev", [4000.0])
    (own,) = (line for line in written if "OldestOpenAge" in line)
    assert own["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
