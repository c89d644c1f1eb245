"""`media-events review`: its output for people and programs, and its exit status."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace

import pytest
import typer

from media_events.core.failures import TransientError
from media_events_kit.ops import cli
from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment import discovery
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.review.cli import context
from media_events_kit.ops.review.cli.commands import app as review
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.options import Where
from tests.fakes.audit_log import records_of
from tests.fakes.review_items import attempt, make_item
from tests.unit.ops.review.test_service import FakeReview

RECORD = CloudRecord(
    endpoint="https://127.0.0.1:9",
    port=9,
    pid=2**22 + 1,  # no process has it: https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html
    process_started="then",
    started_at="2026-11-26T12:00:00+00:00",
    region="us-east-1",
    ca_bundle="authority.pem",
    environment="gone",
)
TABLE = ["--table", "review", "--idempotency-table", "idempotency"]


@pytest.fixture(name="review")
def _office(monkeypatch, tmp_path):
    for name in (
        "AWS_ENDPOINT_URL",
        discovery.ENVIRONMENT_VARIABLE,
        discovery.REVIEW_TABLE_VARIABLE,
        discovery.IDEMPOTENCY_TABLES_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    review = FakeReview()
    desk_with_records = records_of(review)
    monkeypatch.setattr(context, "_review", lambda _deployment: desk_with_records)
    return review


def command(*arguments):
    return run(["review", *arguments])


# --- list --------------------------------------------------------------------------------------------------------


def test_a_list_shows_waiting_items_with_their_reasons(review, capsys):
    assert command("list", *TABLE) == 0
    shown = capsys.readouterr().out
    for part in (review.item.item_id, "evt-1", "cms", "http-503", "the destination answered 503"):
        assert part in shown


def test_an_open_item_whose_retry_may_yet_arrive_is_shown_as_on_its_way(review, capsys):
    sent = "2026-11-25T09:30:00.000Z"
    review.table.items[review.item.item_id] = replace(review.item, retried_at=sent)
    for arguments in (["list"], ["show", review.item.item_id]):
        assert command(*arguments, *TABLE) == 0
        assert "on its way" in capsys.readouterr().out
        assert command(*arguments, "--json", *TABLE) == 0
        document = json.loads(capsys.readouterr().out)
        assert document.get("items", [document])[0]["on_its_way_since"] == sent


def test_a_list_for_programs_is_json_and_has_no_bodies(review, capsys):
    assert command("list", "--json", *TABLE) == 0
    document = json.loads(capsys.readouterr().out)
    assert [item["item_id"] for item in document["items"]] == [review.item.item_id]
    assert "body" not in document["items"][0]
    assert document["more"] is False


def test_groups_are_listed_by_each_grouping_and_their_ids_choose_items(review, capsys):
    assert command("groups", "--by", "hop", "--json", *TABLE) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert (group["group_id"], group["grouping"], group["items"]) == ("hop:route/cms", "hop", 1)
    assert command("groups", "--by", "hop", *TABLE) == 0
    assert "the latest: http-503" in " ".join(capsys.readouterr().out.split())
    for choice in (["--group", "hop:route/cms"], ["--hop", "route/cms"]):
        assert command("list", *choice, "--json", *TABLE) == 0
        assert [item["item_id"] for item in json.loads(capsys.readouterr().out)["items"]] == [review.item.item_id]


def test_an_unknown_grouping_ends_with_2(review, capsys):  # noqa: ARG001
    assert command("groups", "--by", "colour", *TABLE) == 2
    assert "use error, type, partner, hop, destination" in capsys.readouterr().err


def test_an_empty_review_table_is_reported(review, capsys):
    review.table.items.clear()
    assert command("list", *TABLE) == 0
    assert "Nothing waits for a person" in capsys.readouterr().out


def test_a_limit_says_that_there_is_more(review, capsys):
    for number in range(3):
        item = make_item(f"evt-{number}")
        review.table.items[item.item_id] = item
    assert command("list", "--limit", "2", *TABLE) == 0
    assert "there may be more" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--status", "LOST"], ["--limit", "0"], ["--nonsense"]])
def test_an_unusable_argument_ends_with_2(review, arguments):  # noqa: ARG001
    assert command("list", *arguments, *TABLE) == 2


def test_a_status_may_be_written_small(review, capsys):  # noqa: ARG001
    assert command("list", "--status", "archived", *TABLE) == 0
    assert "No such items" in capsys.readouterr().out


# --- show --------------------------------------------------------------------------------------------------------


def test_an_item_is_shown_whole(review, capsys):
    assert command("show", review.item.item_id, *TABLE) == 0
    shown = capsys.readouterr().out
    for part in ("route/cms", "evt-1", "attempt", '"detail-type"'):
        assert part in shown


def test_an_item_for_programs_has_its_body(review, capsys):
    assert command("show", review.item.item_id, "--json", *TABLE) == 0
    assert json.loads(capsys.readouterr().out)["body"] == review.item.body


@pytest.fixture(name="secretive")
def _secretive(review):
    """An item whose body holds a credential."""
    item = make_item(body='{"data": {"stream_key": "5bd28537-7491", "title": "Final cut"}}')
    review.table.items[item.item_id] = item
    return item


def recorded():
    return [(line.action, line.subject) for line in context._review(None).audit.lines]


@pytest.mark.attack("D12")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_d12_credentials_are_hidden_until_they_are_revealed_on_the_record(secretive, capsys, options):
    assert command("show", secretive.item_id, *options, *TABLE) == 0
    shown = capsys.readouterr()
    assert "5bd28537" not in shown.out + shown.err
    assert "Final cut" in shown.out
    assert recorded() == []
    assert command("show", secretive.item_id, "--reveal", *options, *TABLE) == 0
    assert "5bd28537" in capsys.readouterr().out
    assert recorded() == [("hidden values shown", secretive.item_id)]


@pytest.mark.attack("D12")
def test_d12_json_hides_credentials_in_message_attributes(review, capsys):
    attributes = {"x-token": {"dataType": "String", "stringValue": "5bd28537-7491"}, "region": {"stringValue": "eu"}}
    item = make_item(message_attributes=attributes)
    review.table.items[item.item_id] = item

    assert command("show", item.item_id, "--json", *TABLE) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["message_attributes"] == {"x-token": "[hidden]", "region": {"stringValue": "eu"}}
    assert shown["hidden"] == 1
    assert command("show", item.item_id, "--reveal", "--json", *TABLE) == 0
    assert json.loads(capsys.readouterr().out)["message_attributes"] == attributes
    assert recorded() == [("hidden values shown", item.item_id)]


@pytest.mark.attack("D10")
def test_d10_nothing_is_revealed_that_can_not_be_recorded(secretive, capsys, monkeypatch):
    def refuse(_entry):
        raise TransientError("down", "the audit does not answer")

    monkeypatch.setattr(context._review(None).audit, "append", refuse)
    assert command("show", secretive.item_id, "--reveal", *TABLE) != 0
    assert "5bd28537" not in capsys.readouterr().out


def test_a_reveal_of_nothing_is_not_recorded(review, capsys):
    assert command("show", review.item.item_id, "--reveal", "--json", *TABLE) == 0
    assert json.loads(capsys.readouterr().out)["body"] == review.item.body
    assert recorded() == []


def test_an_unknown_item_ends_with_1_and_says_what_to_do(review, capsys):  # noqa: ARG001
    assert command("show", "0" * 20, *TABLE) == 1
    assert "media-events review list" in capsys.readouterr().err


def test_an_unreadable_body_is_reported_and_the_rest_is_shown(review, capsys):
    item = make_item(body=None, bodyref="s3://elsewhere/abc")
    review.table.items[item.item_id] = item
    assert command("show", item.item_id, *TABLE) == 0
    assert "not readable: foreign-dataref" in capsys.readouterr().out


@pytest.mark.attack("O1")
def test_nothing_that_came_from_outside_drives_the_terminal(review, capsys):
    evil = "\x1b]0;owned\x07\x1b[31m[bold red]x[/]"
    item = make_item(
        "evt-\x1b[2J",
        type=evil,
        error_message=evil,
        error_code=evil,
        response=evil,
        body=evil,
        correlation_id=evil,
        attempts=(attempt(message=evil),),
    )
    review.table.items = {item.item_id: item}
    for arguments in (["list"], ["show", item.item_id], ["retry", item.item_id, "--no-wait"]):
        command(*arguments, *TABLE)
    shown = capsys.readouterr().out
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown
    assert "\x07" not in shown
    assert "[bold red]x[/]" in shown


# --- retry ------------------------------------------------------------------------------------------------------


def test_a_confirmed_retry_ends_with_0(review, capsys):
    review.later = [lambda: review.idempotency.delivered(review.item)]
    assert command("retry", review.item.item_id, *TABLE) == 0
    assert "resolved" in capsys.readouterr().out


def test_a_retry_that_fails_again_ends_with_1_and_its_reason(review, capsys):
    review.later = [review.fails_again]
    assert command("retry", review.item.item_id, *TABLE) == 1
    assert "http-500" in capsys.readouterr().out


def test_a_retry_that_is_not_confirmed_in_time_ends_with_1(review):
    assert command("retry", review.item.item_id, "--wait", "1", *TABLE) == 1


def test_a_retry_without_waiting_ends_with_0_once_it_is_sent(review):
    assert command("retry", review.item.item_id, "--no-wait", *TABLE) == 0
    assert len(review.queues.sent) == 1


def test_a_retry_for_programs_is_json(review, capsys):
    command("retry", review.item.item_id, "nothing", "--no-wait", "--json", *TABLE)
    results = {outcome["item_id"]: outcome["result"] for outcome in json.loads(capsys.readouterr().out)}
    assert results == {review.item.item_id: "unconfirmed", "nothing": "missing"}


def test_a_retry_of_nothing_is_a_mistake(review):  # noqa: ARG001
    assert command("retry", *TABLE) == 2


def test_show_tells_how_often_the_hop_had_tried(review, capsys):
    tried = replace(review.item, attempts=(attempt(receives=4, redrivecount=0), attempt("m-2", receives=5)))
    review.table.items[review.item.item_id] = tried
    assert command("show", review.item.item_id, *TABLE) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "given up after 4 attempts" in shown
    assert "given up after 5 attempts, and 3 redrives before" in shown


# --- finding the deployment --------------------------------------------------------------------------------------


def find(**options):
    return discovery.find(Where(**options))


def test_names_given_by_the_operator_win(review, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv(discovery.REVIEW_TABLE_VARIABLE, "other")
    found = find(table="review", idempotency_table=["a", "b"])
    assert (found.review_table, list(found.idempotency_tables)) == ("review", ["a", "b"])


def test_names_may_come_from_variables(review, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv(discovery.REVIEW_TABLE_VARIABLE, "review")
    monkeypatch.setenv(discovery.IDEMPOTENCY_TABLES_VARIABLE, "a,b")
    found = find()
    assert (found.review_table, list(found.idempotency_tables)) == ("review", ["a", "b"])


def test_names_may_come_from_the_local_clouds_outputs(review, monkeypatch, tmp_path):  # noqa: ARG001
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:1")
    folder = tmp_path / "dev"
    folder.mkdir()
    outputs = {"review_table_name": "review", "idempotency_table_names": ["a"]}
    (folder / "outputs.json").write_text(json.dumps(outputs), encoding="utf-8")
    found = find(environment="dev")
    assert (found.review_table, list(found.idempotency_tables)) == ("review", ["a"])


def test_an_unknown_deployment_ends_with_2_and_says_how_to_name_it(review, monkeypatch, tmp_path):  # noqa: ARG001
    monkeypatch.setattr(discovery, "project", lambda: tmp_path)
    with pytest.raises(OperatorError) as refused:
        find(environment="nowhere")
    assert refused.value.exit_code == 2
    assert "--table" in (refused.value.hint or "")


def test_a_local_cloud_that_has_gone_is_told_as_such(review, monkeypatch, tmp_path):  # noqa: ARG001
    monkeypatch.setattr(discovery, "project", lambda: tmp_path)
    paths = discovery.local_paths("gone")
    paths.root.mkdir(parents=True)
    RECORD.write(paths)
    paths.cloud_log.write_text("its last request\n")
    os.utime(paths.cloud_log, (time.time() - 120, time.time() - 120))
    with pytest.raises(OperatorError, match="lost contact with the local cloud of 'gone' 2 min ago") as refused:
        find(environment="gone")
    assert refused.value.hint == "nothing was done; start it again: media-events local up"


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".", "a b"])
def test_an_environments_name_can_not_leave_its_folder(review, name):  # noqa: ARG001
    with pytest.raises(OperatorError, match="no environment's name"):
        find(environment=name)


# --- options of the deployment -----------------------------------------------------------------------------------


def test_every_command_has_the_options_for_the_deployment():
    commands = typer.main.get_command(cli.load("review", cli.PARTS["review"])).commands
    assert {"list", "show", "retry", "archive", "edit", "serve"} <= set(commands)
    for name, one in commands.items():
        options = {option for parameter in one.params for option in parameter.opts}
        assert {"--table", "--idempotency-table", "--environment", "--region", "--profile"} <= options, name


@pytest.mark.parametrize("name", ["list", "retry", "archive", "restore", "export"])
def test_commands_on_many_items_choose_them_in_the_same_way(name):
    options = {
        option for parameter in typer.main.get_command(review).commands[name].params for option in parameter.opts
    }
    assert {"--group", "--destination", "--class", "--code", "--type", "--partner", "--since", "--until"} <= options


def test_archive_warns_that_order_needs_the_idempotency_tables(review, capsys):
    item = review.item.item_id
    assert command("archive", item, "--reason", "withdrawn", "--table", "review") == 0
    assert "no idempotency table is known" in capsys.readouterr().err
    assert command("restore", item, *TABLE) == 0
    assert command("archive", item, "--reason", "withdrawn", *TABLE) == 0
    assert "no idempotency table is known" not in capsys.readouterr().err
