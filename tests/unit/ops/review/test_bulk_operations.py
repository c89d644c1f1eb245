"""Retrying many items: limit, rate, canaries, cancelling, resuming, two operators, a killed command."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import boto3
import pytest

from media_events.core.clock import timestamp
from media_events.core.failures import PermanentConfigError, TransientError
from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.review import bootstrap, bulk_operations, use_cases
from media_events_kit.ops.review.bulk_operations import BulkOperationRunner
from media_events_kit.ops.review.cli import context
from media_events_kit.ops.review.outcomes import settled, silent_seconds, state_of, tally
from media_events_kit.ops.review.queries import Query, find_page, walk
from media_events_kit.ops.review.store import DynamoRecords, Operation
from media_events_kit.ops.shared.contact import CONTACT
from tests.fakes.audit_log import create_audit, records_of
from tests.fakes.review_items import BY, attempt, make_item
from tests.unit.media_events.adapters.test_dynamodb_review_items import TABLE, _client, _table  # noqa: F401  # fixtures
from tests.unit.ops.review.test_service import FakeReview

ARGUMENTS = ["--table", "review", "--idempotency-table", "idempotency"]


class Killed(BaseException):
    pass


class Group:
    """A group of many open items and one operation on it; everything sent is delivered a second later."""

    def __init__(self, size, **changes):
        self.review = FakeReview(
            *(
                make_item(f"evt-{n}", last_failed_at=f"2026-11-22T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z")
                for n in range(size)
            )
        )
        self.service = records_of(self.review)
        self.records = self.service.records
        self.audit = self.service.audit
        self.delivering = True
        values = {"operation_id": "op-1", "by": BY, "reason": "fixed", "created_at": timestamp(self.review.clock())}
        values |= {"query": Query(group="g-1"), "limit": 500, "rate": 50.0, "canary": 5}
        self.operation = Operation(**(values | changes))
        self.records.create(self.operation)

    def sleep(self, seconds):
        self.review.clock.sleep(seconds)
        if self.delivering:
            for item in self.review.table.items.values():
                if item.status == "RETRYING":
                    self.review.idempotency.delivered(item)

    def runner(self, **changes):
        service = replace(self.service.service, sleep=changes.pop("sleep", self.sleep))
        review = replace(self.service, service=service)
        return BulkOperationRunner(**({"review": review, "workers": 1} | changes))

    def resumed(self):
        operation = bulk_operations.take_over(self.records, "op-1", at=timestamp(self.review.clock()))
        assert operation is not None
        return operation

    def sent(self):
        return Counter(json.loads(message["body"])["detail"]["metadata"]["id"] for message in self.review.queues.sent)

    def none_twice(self):
        return set(self.sent().values()) <= {1}


# --- ten thousand ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_ten_thousand_the_limit_goes_out_at_the_rate_and_none_twice():
    group = Group(10_000)
    began = group.review.clock()
    ended = group.runner().run(group.operation)
    assert (ended.state, ended.taken, ended.canary_passed) == ("completed", 500, True)
    assert len(group.sent()) == 500
    assert group.none_twice()
    assert group.review.clock() - began >= 9.9


@pytest.mark.slow
def test_cancelled_and_resumed_and_killed_and_resumed_none_of_ten_thousand_is_sent_twice():
    group = Group(10_000)

    def cancel_at_100(operation):
        if operation.taken == 100:
            group.records.meanwhile = kill_at_300
            assert bulk_operations.cancel(group.records, "op-1") is not None

    def kill_at_300(operation):
        if operation.taken == 300:
            group.records.meanwhile = lambda _operation: None
            raise Killed

    group.records.meanwhile = cancel_at_100
    assert group.runner().run(group.operation).state == "cancelled"
    assert len(group.sent()) == 99
    with pytest.raises(Killed):
        group.runner().run(group.resumed())
    ended = group.runner().run(group.resumed())
    assert (ended.state, len(group.sent())) == ("completed", 500)
    assert group.none_twice()


def test_two_operators_on_one_group_send_none_twice():
    group = Group(300, limit=200, canary=0)
    other = replace(group.operation, operation_id="op-2")
    group.records.create(other)
    second = group.runner()

    def second_starts(operation):
        if operation.operation_id == "op-1" and operation.taken == 50:
            group.records.meanwhile = lambda _operation: None
            second.run(other)

    group.records.meanwhile = second_starts
    group.runner().run(group.operation)
    assert len(group.sent()) == 300
    assert group.none_twice()


def test_an_operation_runs_in_one_command_at_a_time():
    group = Group(50, canary=0)

    def somebody_resumes(operation):
        if operation.taken == 10:
            group.records.meanwhile = lambda _operation: None
            group.runner().run(group.resumed())

    group.records.meanwhile = somebody_resumes
    ended = group.runner().run(group.operation)
    assert ended.state == "completed"
    assert (len(group.sent()), group.none_twice()) == (50, True)


def test_eight_at_a_time_send_none_twice_cancelled_or_killed():
    group = Group(300, rate=100.0, limit=200)

    def cancel_at_50(operation):
        if operation.taken >= 50:
            group.records.meanwhile = kill_at_120
            bulk_operations.cancel(group.records, "op-1")

    def kill_at_120(operation):
        if operation.taken >= 120:
            group.records.meanwhile = lambda _operation: None
            group.review.table.meanwhile = kill

    def kill():
        raise Killed

    group.records.meanwhile = cancel_at_50
    assert group.runner(workers=8).run(group.operation).state == "cancelled"
    with pytest.raises(Killed):
        group.runner(workers=8).run(group.resumed())
    ended = group.runner(workers=8).run(group.resumed())
    assert ended.state == "completed"
    assert group.none_twice()
    assert 200 - 8 <= len(group.sent()) <= 200


def test_items_that_a_killed_command_did_not_send_are_sent_when_resumed():
    group = Group(40, rate=100.0, canary=0, limit=1000)

    def kill():
        raise Killed

    def kill_at_the_third_batch(operation):
        if operation.taken > 9:
            group.records.meanwhile = lambda _operation: None
            group.review.table.meanwhile = kill

    group.records.meanwhile = kill_at_the_third_batch
    with pytest.raises(Killed):
        group.runner(workers=8).run(group.operation)
    assert len(group.sent()) < 40
    assert group.runner(workers=8).run(group.resumed()).state == "completed"
    assert (len(group.sent()), group.none_twice()) == (40, True)


# --- stopping ----------------------------------------------------------------------------------------------------


def test_a_slow_operation_is_cancelled_within_five_seconds():
    group = Group(10, rate=0.01, canary=0)
    group.runner(stopping=lambda: False)
    cancelled_at = []

    def sleep(seconds):
        group.sleep(seconds)
        if not cancelled_at:
            bulk_operations.cancel(group.records, "op-1")
            cancelled_at.append(group.review.clock())

    assert group.runner(sleep=sleep).run(group.operation).state == "cancelled"
    assert group.review.clock() - cancelled_at[0] <= 5


def test_an_interrupted_command_stops_before_the_next_item_and_says_so_in_its_row():
    group = Group(10, canary=0)
    ended = group.runner(stopping=lambda: len(group.review.queues.sent) == 3).run(group.operation)
    assert (ended.state, len(group.sent())) == ("cancelled", 3)
    assert group.records.operation("op-1").state == "cancelled"


def test_a_completed_operation_can_be_neither_cancelled_nor_resumed():
    group = Group(3, canary=0)
    group.runner().run(group.operation)
    assert bulk_operations.cancel(group.records, "op-1") is None
    assert bulk_operations.take_over(group.records, "op-1", at="") is None


# --- canaries ----------------------------------------------------------------------------------------------------


def test_a_canary_that_fails_again_stops_the_operation():
    group = Group(100)

    def sleep(seconds):
        group.review.clock.sleep(seconds)
        for key, item in group.review.table.items.items():
            if item.status == "RETRYING":
                again = replace(item, attempts=(attempt("m-2"),), last_failed_at="2026-11-23T12:00:00.000Z")
                group.review.table.items[key] = item.failed_again(again)

    ended = group.runner(sleep=sleep).run(group.operation)
    assert (ended.state, len(group.sent())) == ("stopped", 5)
    assert "did not pass" in ended.problem


def test_unconfirmed_canaries_stop_the_operation_and_resuming_waits_for_them_again():
    group = Group(20)
    group.delivering = False
    ended = group.runner(canary_wait_seconds=3).run(group.operation)
    assert (ended.state, len(group.sent())) == ("stopped", 5)
    group.delivering = True
    assert group.runner().run(group.resumed()).state == "completed"
    assert (len(group.sent()), group.none_twice()) == (20, True)


def test_a_command_killed_before_it_sent_a_canary_sends_it_when_resumed():
    group = Group(20)

    def kill():
        group.review.table.meanwhile = None
        raise Killed

    group.review.table.meanwhile = kill
    with pytest.raises(Killed):
        group.runner().run(group.operation)
    assert not group.sent()
    assert group.runner().run(group.resumed()).state == "completed"
    assert (len(group.sent()), group.none_twice()) == (20, True)


# --- failures --------------------------------------------------------------------------------------------------


def test_a_message_that_fails_again_meanwhile_is_not_sent_again_even_if_clocks_differ():
    group = Group(5, canary=0)

    def fails_at_once(operation):
        for key, item in group.review.table.items.items():
            if item.status == "RETRYING" and operation.taken:
                again = replace(item, attempts=(attempt("m-2"),))
                group.review.table.items[key] = replace(item.failed_again(again), last_failed_at="2026-11-22T23:00:00Z")

    group.records.meanwhile = fails_at_once
    group.runner().run(group.operation)
    group.runner().run(replace(group.records.operation("op-1"), state="running"))
    assert group.none_twice()


def test_a_single_message_that_can_not_be_sent_fails_and_the_others_go_out():
    group = Group(5, canary=0)
    key = next(iter(group.review.table.items))
    group.review.table.items[key] = replace(group.review.item, body=None, bodyref="s3://elsewhere/abc")
    ended = group.runner().run(group.operation)
    assert (ended.state, ended.counts["unsent"], len(group.sent())) == ("completed", 1, 4)


def test_each_item_of_an_operation_is_in_the_audit_with_its_operation():
    group = Group(2, canary=0)
    group.runner().run(group.operation)
    (line,) = group.audit.entries(group.review.item.item_id)
    assert (line.action, line.allowed, line.by, line.operation_id) == ("retry", True, BY, "op-1")


# --- what became of it -------------------------------------------------------------------------------------------


def fail(group, *numbers):
    """The items fail again at their destination, in another group."""
    for key, item in group.review.table.items.items():
        if item.status == "RETRYING" and item.event_id in {f"evt-{number}" for number in numbers}:
            at = timestamp(group.review.clock() + 0.001)
            again = replace(item, attempts=(attempt("m-9"),), error_code="http-422", group_id="g-9", last_failed_at=at)
            group.review.table.items[key] = item.failed_again(again)


def run_to_the_end(group, **changes):
    review = group.runner(**changes).review
    return use_cases.run_operation(review, group.operation, canary_wait_seconds=5)


def test_an_operation_ends_with_what_became_of_every_item():
    group = Group(24, canary=0)
    ended = run_to_the_end(group)
    assert (ended.state, tally(ended)) == ("completed", "24 of 24 delivered, 0 failed again, 0 waiting")
    assert group.records.operation("op-1").counts == {"resolved": 24, "unconfirmed": 0}


def test_items_that_a_colleague_sent_meanwhile_are_counted_with_their_outcomes_and_not_as_refused():
    group = Group(24, canary=0)
    other = replace(group.operation, operation_id="op-2", limit=11)
    group.records.create(other)
    colleague = group.runner(sleep=group.review.clock.sleep)

    def the_colleague_is_quicker(_operation):
        group.records.meanwhile = lambda _operation: None
        colleague.run(other)

    group.records.meanwhile = the_colleague_is_quicker
    ended = run_to_the_end(group)
    assert tally(ended) == "24 of 24 delivered, 0 failed again, 0 waiting; 11 by somebody else"
    assert group.none_twice()


def test_items_that_fail_again_are_told_from_those_that_wait():
    group = Group(6, canary=0)
    group.delivering = False

    def sleep(seconds):
        group.review.clock.sleep(seconds)
        fail(group, 1, 2)

    ended = run_to_the_end(group, sleep=sleep)
    assert tally(ended) == "0 of 6 delivered, 2 failed again, 4 waiting"
    assert len(ended.waiting_ids) == 4


def test_what_waited_is_counted_when_somebody_looks_later_and_the_items_are_closed():
    group = Group(6, canary=0)
    group.delivering = False
    run_to_the_end(group)
    group.delivering = True
    group.sleep(100.0)
    assert {item.status for item in group.review.table.items.values()} == {"RETRYING"}
    seen = settled(group.service, group.records.operation("op-1"))
    assert tally(seen) == "6 of 6 delivered, 0 failed again, 0 waiting"
    assert group.records.operation("op-1") == seen
    assert {item.resolved_at for item in group.review.table.items.values()} == {timestamp(group.review.clock())}


def test_outcomes_are_counted_while_a_slow_operation_still_sends():
    group = Group(5, canary=0, rate=0.5)
    counts = []
    group.runner(progress=lambda operation: counts.append(operation.counts.get("resolved", 0))).run(group.operation)
    assert counts == [0, 1, 2, 3, 4]


def test_a_killed_command_is_told_as_such_and_its_outcomes_are_counted_when_it_is_resumed():
    group = Group(20, canary=0, rate=1.0)

    def kill(operation):
        if operation.taken == 15:
            raise Killed

    group.records.meanwhile = kill
    with pytest.raises(Killed):
        run_to_the_end(group)
    group.records.meanwhile = lambda _operation: None
    row = group.records.operation("op-1")
    assert state_of(row, group.review.clock()) == "running, last sign of life 1 s ago"
    group.sleep(600.0)
    assert state_of(row, group.review.clock()) == "killed: no sign of life for 10 min"
    assert tally(settled(group.service, row)) == "14 of 14 delivered, 0 failed again, 0 waiting"
    group.operation = group.resumed()
    assert tally(run_to_the_end(group)) == "20 of 20 delivered, 0 failed again, 0 waiting"


def test_a_waiting_operation_gives_signs_of_life():
    group = Group(2, canary=0, rate=0.01)
    silent = []

    def sleep(seconds):
        row = group.records.operation("op-1")
        silent.append(silent_seconds(row, group.review.clock()))
        group.sleep(seconds)

    group.runner(sleep=sleep).run(group.operation)
    assert len(silent) > 50
    assert max(silent) < 12


def test_an_operation_from_before_outcomes_were_counted_is_read(client):
    records = DynamoRecords(client, TABLE)
    records.create(replace(Group(1).operation, counts={"refused": 11, "unconfirmed": 13}))
    stored = client.get_item(TableName=TABLE, Key={"item_id": {"S": "operation/op-1"}})["Item"]
    values = json.loads(stored["operation"]["S"])
    for name in ("by_others", "waiting_ids", "seen_at"):
        del values[name]
    client.put_item(TableName=TABLE, Item=stored | {"operation": {"S": json.dumps(values)}})
    assert tally(records.operation("op-1")) == "0 of 24 delivered, 0 failed again, 13 waiting, 11 left out"


# --- commands ----------------------------------------------------------------------------------------------------


@pytest.fixture(name="group")
def _group(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    group = Group(12)
    group.service.service = replace(group.service.service, sleep=group.sleep)
    monkeypatch.setattr(context, "_review", lambda _deployment: group.service)
    return group


def command(*arguments):
    return run(["review", *arguments, *(ARGUMENTS if arguments[0] in {"retry", "resume"} else ARGUMENTS[:2])])


def test_a_dry_run_sends_and_records_nothing(group, capsys):
    assert command("retry", "--group", "g-1", "--limit", "10", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["items"] == 10
    assert not group.sent()
    assert not group.audit.lines


def test_a_group_is_retried_and_audited(group, capsys):
    assert command("retry", "--group", "g-1", "--canary", "2", "--reason", "CMS is back", "--json") == 0
    ended = json.loads(capsys.readouterr().out)
    assert (ended["state"], len(group.sent())) == ("completed", 12)
    assert command("audit", ended["operation_id"]) == 0
    shown = capsys.readouterr().out
    for part in (BY, "start", "end", "CMS is back"):
        assert part in shown


def test_only_items_of_the_chosen_destination_are_sent(group):
    assert command("retry", "--all-open", "--destination", "elsewhere") == 0
    assert not group.sent()


def test_items_are_retried_by_their_properties(group):
    for number in range(3):
        item = make_item(
            f"evt-x{number}", group_id="g-2", error_code="http-422", type="comment.created", partner="frameio"
        )
        group.review.table.items[item.item_id] = item
    assert command("retry", "--code", "http-422", "--partner", "frameio", "--limit", "2", "--since", "2d") == 0
    assert set(group.sent()) <= {"evt-x0", "evt-x1", "evt-x2"}
    assert len(group.sent()) == 2
    assert command("retry", "--type", "comment.created", "--until", "2001-01-01") == 0
    assert len(group.sent()) == 2


def test_an_invalid_time_is_a_mistake(group):  # noqa: ARG001
    assert command("retry", "--since", "yesterday", "--dry-run") == 2


def test_a_group_is_archived_and_restored_as_operations(group, capsys):
    assert command("archive", "--group", "g-1", "--limit", "5", "--reason", "withdrawn", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["items"] == 5
    assert command("archive", "--group", "g-1", "--limit", "5", "--reason", "withdrawn") == 0
    assert "5 archived" in capsys.readouterr().out
    statuses = Counter(item.status for item in group.review.table.items.values())
    assert (statuses["ARCHIVED"], group.sent()) == (5, Counter())
    assert command("restore", "--all-archived", "--json") == 0
    ended = json.loads(capsys.readouterr().out)
    assert (ended["state"], ended["taken"], ended["action"]) == ("completed", 5, "restore")
    assert ended["counts"] == {"sent": 5}
    assert {item.status for item in group.review.table.items.values()} == {"OPEN"}
    (line,) = [line for line in group.audit.entries(group.review.item.item_id) if line.action == "archive"]
    assert (line.by, line.reason, line.allowed) == (BY, "withdrawn", True)


@pytest.mark.parametrize("arguments", [[], ["x", "--group", "g-1"], ["x", "--dry-run"]])
def test_an_archive_of_nothing_or_of_two_things_is_a_mistake(group, arguments):
    assert command("archive", *arguments, "--reason", "x") == 2
    assert not group.audit.lines


def test_operations_are_listed_the_latest_first_with_operator_and_reason(group, capsys):  # noqa: ARG001
    assert command("retry", "--group", "g-1", "--limit", "2", "--reason", "CMS is back", "--json") == 0
    ended = json.loads(capsys.readouterr().out)
    assert command("operations") == 0
    shown = capsys.readouterr().out
    for part in (ended["operation_id"], BY, "CMS is back", "OPEN or RETRYING items of group g-1"):
        assert part in shown


def test_stats_count_waiting_items(group, capsys):  # noqa: ARG001
    assert command("stats", "--json") == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["by_status"]["OPEN"], output["by_destination"], output["groups"]) == (12, {"cms": 12}, 1)
    assert command("stats") == 0
    assert "oldest open" in capsys.readouterr().out


def test_a_cursor_continues_a_list(group, capsys):  # noqa: ARG001
    assert command("list", "--limit", "7", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert command("list", "--limit", "7", "--cursor", first["cursor"], "--json") == 0
    second = json.loads(capsys.readouterr().out)
    assert len({item["item_id"] for page in (first, second) for item in page["items"]}) == 12
    assert second["cursor"] is None
    assert command("list", "--cursor", "nonsense") == 2


def test_an_operation_that_does_not_exist_is_refused_and_the_refusal_is_recorded(group, capsys):
    assert command("resume", "nothing") == 1
    assert "no such operation" in capsys.readouterr().err
    assert [(line.action, line.allowed) for line in group.audit.lines] == [("resume", False)]


def test_a_running_operation_is_cancelled_by_id_and_resumed(group, capsys):
    assert command("cancel", "op-1") == 0
    assert command("resume", "op-1") == 0
    assert "completed" in capsys.readouterr().out
    assert len(group.sent()) == 12


def test_a_command_that_loses_contact_says_how_far_it_came_and_how_to_go_on(group, capsys, monkeypatch):
    monkeypatch.setattr(CONTACT, "heard_at", None)

    def lose_contact(operation):
        if operation.taken == 5:
            raise TransientError("aws-EndpointConnectionError", "writing an operation: EndpointConnectionError")

    group.records.meanwhile = lose_contact
    assert command("retry", "--group", "g-1", "--rate", "1") == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert "AWS does not answer" in shown
    assert "until then 4 were taken" in shown
    operation = next(row for row in group.records.rows if row != "op-1")
    assert f"media-events review resume {operation}" in shown
    group.records.meanwhile = lambda _operation: None
    assert command("resume", operation) == 0
    assert (len(group.sent()), group.none_twice()) == (12, True)


@pytest.mark.parametrize("arguments", [["--group", "g-1", "--all-open"], ["x", "--group", "g-1"], ["x", "--dry-run"]])
def test_a_retry_of_two_things_at_once_is_a_mistake(group, arguments):
    assert command("retry", *arguments) == 2
    assert not group.sent()


def test_groups_are_counted_and_the_largest_comes_first(group, capsys):
    other = make_item("evt-x", group_id="g-2")
    group.review.table.items[other.item_id] = other
    assert command("groups", "--json") == 0
    shown = json.loads(capsys.readouterr().out)["groups"]
    assert [(row["group_id"], row["items"]) for row in shown] == [("g-1", 12), ("g-2", 1)]


def test_groups_are_printed_without_replaced_characters(group, capsys):  # noqa: ARG001
    assert command("groups") == 0
    shown = capsys.readouterr().out
    assert "g-1" in shown
    assert "\ufffd" not in shown


@pytest.mark.attack("O2")
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_an_export_for_spreadsheets_holds_no_formula(group, capsys, formula):
    item = make_item("evt-x", error_message=formula, last_failed_at="2026-11-23T12:00:00.000Z")
    group.review.table.items[item.item_id] = item
    assert command("export", "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (len(rows), rows[0]["error_message"]) == (13, f"'{formula}")


def test_an_export_for_programs_is_a_json_object_a_line_without_bodies(group, capsys):  # noqa: ARG001
    assert command("export", "--format", "jsonl", "--group", "g-1", "--limit", "5") == 0
    written = capsys.readouterr()
    rows = [json.loads(line) for line in written.out.splitlines()]
    assert (len(rows), rows[0]["group_id"], "body" in rows[0]) == (5, "g-1", False)
    assert "more than 5" in written.err


def test_an_item_is_archived_for_a_reason_and_restored(group):
    item_id = group.review.item.item_id
    assert command("archive", item_id, "--reason", " ") == 2
    assert command("archive", item_id, "--reason", "withdrawn") == 0
    assert group.review.current().status == "ARCHIVED"
    assert command("retry", item_id, "--no-wait") == 1
    assert command("restore", item_id) == 0
    assert group.review.current().status == "OPEN"


def test_the_loser_is_refused_with_the_winners_name(group, capsys):
    item_id = group.review.item.item_id
    assert command("archive", item_id, "--reason", "withdrawn") == 0
    assert command("archive", item_id, "--reason", "me too") == 1
    assert f"archive by {BY}" in capsys.readouterr().out
    refused = [line for line in group.audit.lines if not line.allowed]
    assert [(line.action, line.reason) for line in refused] == [("archive", "me too")]


def test_a_note_survives_a_retry(group, capsys):
    item_id = group.review.item.item_id
    assert command("note", item_id, "asked the CMS team") == 0
    assert command("retry", item_id, "--no-wait") == 0
    assert command("audit", item_id) == 0
    assert "asked the CMS team" in capsys.readouterr().out


def test_an_invalid_id_is_refused(group, capsys):  # noqa: ARG001
    assert command("note", "../x", "text") == 1
    assert command("archive", "0" * 20, "--reason", "x") == 1
    assert "no such item" in capsys.readouterr().out


def test_an_operator_who_may_only_read_sees_an_unclosed_item_as_the_table_has_it():
    group = Group(1)
    item = replace(group.review.item, status="RETRYING")
    group.review.table.items[item.item_id] = item
    group.review.idempotency.delivered(item)
    group.review.table.update = refused
    (listed,) = find_page(group.service.service, Query(statuses=("RETRYING",)), limit=5).items
    assert (listed.item_id, listed.status) == (item.item_id, "RETRYING")


def refused(_item, *, over):  # noqa: ARG001
    raise PermanentConfigError("access-denied", "updating a review item: AccessDeniedException")


def test_the_review_service_of_a_deployment_records_its_operator(client, table):  # noqa: ARG001
    create_audit(boto3.client("s3", region_name="eu-west-1"), client, TABLE)
    review = bootstrap.audited_review(Deployment(Cloud(region="eu-west-1"), TABLE, []))
    review.record("i-1", "note", result="x", reason="")
    (line,) = review.audit.entries("i-1")
    assert line.by.startswith("arn:aws:sts::123456789012:")


# --- DynamoDB ----------------------------------------------------------------------------------------------------


def test_of_two_writers_of_an_operation_one_wins(client, table):
    records = DynamoRecords(client, TABLE)
    operation = Group(1).operation
    records.create(operation)
    changed = replace(operation, canary_ids=("a",), counts={"sent": 1}, version=2)
    assert records.update(changed, expected_version=1)
    assert not records.update(changed, expected_version=1)
    assert records.operation("op-1") == changed
    assert records.operation("op-2") is None
    assert table.get("operation/op-1") is None


def test_items_come_oldest_first_within_their_times(table):
    items = [make_item(f"e{n}", last_failed_at=f"2026-11-23T1{n}:00:00.000Z") for n in range(5)]
    for item in reversed(items):
        table.create(item)
    between = {"since": items[1].last_failed_at, "until": items[3].last_failed_at}
    expected = ["e1", "e2", "e3"]
    for asked, found in ((Query(group="g-1"), expected), (Query(), expected), (Query(group="g-2"), [])):
        query = replace(asked, statuses=("OPEN",), oldest_first=True, **between)
        assert [item.event_id for item in walk(table, query)] == found
