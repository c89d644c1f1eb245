"""`media-events trace`: what a person and a program see, and the exit status."""

from __future__ import annotations

import json

import pytest

from media_events.core.failures import TransientError
from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment import discovery
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.options import Where
from media_events_kit.ops.trace import bootstrap
from media_events_kit.ops.trace.commands import moment
from tests.fakes.review_items import make_item
from tests.fakes.trace_evidence import CMS, NOW, OUTPUTS, START, accepted, log_record
from tests.unit.ops.trace.test_collector import DONE, LINES, World

ITEM = {"hop": "route/ready-to-cms", "first_failed_at": "2026-11-23T12:00:02.000Z"}


@pytest.fixture(name="run_trace")
def _run_trace(monkeypatch, tmp_path, capsys):
    """Run the command in a world; gives exit status, output and errors."""
    for name in (
        *(
            "AWS_ENDPOINT_URL",
            discovery.ENVIRONMENT_VARIABLE,
            discovery.REVIEW_TABLE_VARIABLE,
            discovery.IDEMPOTENCY_TABLES_VARIABLE,
        ),
        discovery.OUTPUTS_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))

    def command(world, *arguments):
        monkeypatch.setattr(bootstrap, "tracer", lambda _deployment: world.tracer())
        status = run(["trace", *arguments, "--table", "review"])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


def test_a_settled_event_ends_with_0(run_trace):
    status, out, err = run_trace(World(*LINES, idempotency=DONE), "evt-1")

    assert status == 0
    for part in (
        "evt-1",
        "asset.ready",
        "partner.mux",
        "job-7",
        "accepted and put on the bus",
        "delivered",
        "finished",
    ):
        assert part in out
    assert "read 4 log events of 5 log groups in 1 request," in err


def test_an_unknown_id_ends_with_1_and_says_how_far_was_looked(run_trace):
    status, out, err = run_trace(World(*LINES), "evt-9")
    assert (status, out) == (1, "")
    assert "no trace of an event 'evt-9'" in err
    assert "2026-11-22T13:00:00.000Z" in err


def test_an_event_in_flight_ends_with_3(run_trace):
    failed = log_record("hop failed", seconds=3590, reason="http-503", receive_count=1, **CMS)
    status, out, _ = run_trace(World(*LINES[:2], failed, LINES[3]), "evt-1")
    assert status == 3
    assert "http-503, attempt 1" in out


def test_an_event_in_review_ends_with_4_and_says_where_to_look(run_trace):
    item = make_item(**ITEM)
    status, out, _ = run_trace(World(*LINES[:2], LINES[3], items=[item]), "evt-1")
    assert status == 4
    assert f"media-events review show {item.item_id}" in out


def test_a_missing_event_ends_with_4(run_trace):
    status, out, _ = run_trace(World(accepted()), "evt-1")
    assert status == 4
    assert "missing" in out


def test_an_unreadable_source_ends_with_5(run_trace):
    world = World(*LINES)
    world.refuses = {"table"}
    status, out, _ = run_trace(world, "evt-1")
    assert status == 5
    assert "AccessDenied" in out


def test_an_id_without_records_is_not_called_unknown_while_something_can_not_be_read(run_trace):
    world = World()
    world.refuses = {"logs"}
    status, _, err = run_trace(world, "evt-9")
    assert status == 5
    assert "not everything could be read" in err


def test_an_event_that_no_rule_takes_says_so(run_trace):
    status, out, _ = run_trace(World(log_record("event accepted", type="encode.started")), "evt-1")
    assert status == 0
    assert "No route took it" in out


def test_for_programs_it_is_json(run_trace):
    status, out, _ = run_trace(World(*LINES, idempotency=DONE), "job-7", "--json")
    document = json.loads(out)
    assert status == 0
    (event,) = document["events"]
    assert (event["event_id"], event["verdict"]) == ("evt-1", "finished")
    assert {status["destination"]: status["state"] for status in event["hops"]} == {
        "cms": "delivered",
        "publish": "delivered",
    }


def test_the_gravest_of_several_events_counts(run_trace):
    other = log_record("event accepted", event_id="evt-2", correlation_id="job-7")
    status, out, _ = run_trace(World(*LINES, other), "job-7")
    assert status == 4
    assert out.index("evt-1") < out.index("evt-2")


@pytest.mark.attack("O1")
def test_no_text_of_an_event_controls_the_terminal(run_trace):
    hostile = "evt\x1b[31m[bold]x[/]"
    status, out, _ = run_trace(World(accepted(event_id=hostile, type="a\x07b", reason="[link=x]y")), hostile)
    assert status == 0
    assert "\x1b[31m" not in out
    assert "\x07" not in out
    assert "[bold]x[/]" in out
    assert "[link=x]y" in out


@pytest.mark.parametrize("arguments", [["evt-1", "--since", "yesterday"], ["evt-1", "--since", "2999-01-01"], []])
def test_unusable_arguments_end_with_2(run_trace, arguments):
    assert run_trace(World(), *arguments)[0] == 2


def test_an_unknown_table_ends_with_2(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    monkeypatch.delenv(discovery.REVIEW_TABLE_VARIABLE, raising=False)
    assert run(["trace", "evt-1", "-e", "nowhere"]) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", NOW - 5400), ("3d", NOW - 3 * 86_400), ("2026-11-23T12:00Z", START), ("2026-11-23T12:00", START)],
)
def test_a_time_may_be_given_in_several_ways(text, expected):
    assert moment(text, now=NOW) == expected


def test_a_time_before_all_times_is_the_beginning():
    assert moment("999999d", now=NOW) == 0


# --- what a deployment is made of --------------------------------------------------------------------------------


def test_terraforms_outputs_of_any_root_may_be_given_as_a_file(monkeypatch, tmp_path):
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({name: {"value": value} for name, value in OUTPUTS.items()}))
    monkeypatch.setenv(discovery.OUTPUTS_VARIABLE, str(file))
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))

    found = discovery.find(Where())

    assert (found.review_table, found.idempotency_tables) == ("review", ["ingress", "deliveries"])
    assert found.topology.hops["route/ready-to-cms"].destination == "cms"
    assert found.topology.log_groups["/aws/lambda/media-dev-review"] == "review/media-dev-review"


def test_a_file_without_outputs_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv(discovery.OUTPUTS_VARIABLE, str(tmp_path / "none.json"))
    with pytest.raises(OperatorError, match="no file with Terraform's outputs"):
        discovery.find(Where())


def test_a_refusal_is_reported_without_a_traceback(run_trace):
    world = World()

    def items(_event_id):
        raise TransientError("aws-Throttling", "listing review items: Throttling")

    world.items = items
    status, _, err = run_trace(world, "evt-9")
    assert status == 5
    assert "Traceback" not in err
