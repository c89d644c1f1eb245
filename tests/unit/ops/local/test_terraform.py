"""Terraform's machine-readable output, understood, and shown; Terraform itself is played by a small script."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest
from rich.console import Console

from media_events_kit.ops.local import terraform
from media_events_kit.ops.local.progress import SLOW_HINT, Tally, TerraformProgress
from media_events_kit.ops.local.terraform import Terraform, TerraformError
from media_events_kit.ops.shared.console import OperatorError


def change(address: str, action: str = "create") -> dict[str, object]:
    return {"type": "planned_change", "change": {"resource": {"addr": address}, "action": action}}


def summary(operation: str, **counts: int) -> dict[str, object]:
    return {"type": "change_summary", "changes": {"operation": operation, "add": 0, "change": 0, "remove": 0, **counts}}


def hook(kind: str, address: str, resource_type: str = "aws_sqs_queue", action: str = "create") -> dict[str, object]:
    resource = {"addr": address, "resource_type": resource_type}
    return {"type": kind, "hook": {"resource": resource, "action": action}}


ERROR = {
    "type": "diagnostic",
    "diagnostic": {"severity": "error", "summary": "no such bus", "detail": "It is gone.", "address": "aws_x.y"},
}
WARNING = {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "old"}}


@pytest.fixture
def play(tmp_path, monkeypatch):
    """A Terraform that says ``messages`` and ends with ``status``; its arguments are in ``arguments.json``."""

    def make(messages: list[object], status: int = 0) -> Terraform:
        program = tmp_path / "terraform"
        lines = [message if isinstance(message, str) else json.dumps(message) for message in messages]
        program.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"json.dump(sys.argv[1:], open({str(tmp_path / 'arguments.json')!r}, 'w'))\n"
            f"print({os.linesep.join(lines)!r})\nsys.exit({status})\n"
        )
        program.chmod(0o755)
        monkeypatch.setattr(terraform.shutil, "which", lambda _: str(program))
        return Terraform(tmp_path, tmp_path / "state", tmp_path / "log", {})

    return make


def ignore(_: object) -> None:
    pass


# Running


def test_apply_uses_the_given_state_and_asks_nobody(play, tmp_path):
    play([summary("apply")]).apply(ignore)
    arguments = json.loads((tmp_path / "arguments.json").read_text())
    assert arguments[:2] == ["apply", "-json"]
    assert {"-auto-approve", "-input=false", f"-state={tmp_path / 'state'}"} < set(arguments)


def test_a_failed_apply_has_terraforms_diagnostics(play):
    with pytest.raises(TerraformError) as caught:
        play([WARNING, ERROR], status=1).apply(ignore)
    assert "no such bus (aws_x.y)\nIt is gone." in caught.value.message
    assert "old" not in caught.value.message
    assert not caught.value.changed


def test_a_failed_apply_knows_whether_it_had_begun(play):
    with pytest.raises(TerraformError) as caught:
        play([hook("apply_start", "aws_x.y"), ERROR], status=1).apply(ignore)
    assert caught.value.changed


def test_a_crash_in_plain_text_is_reported_too(play):
    with pytest.raises(TerraformError, match="panic: out of luck"):
        play(["panic: out of luck"], status=2).apply(ignore)


def test_many_errors_are_cut_short(play):
    with pytest.raises(TerraformError, match="and 3 more"):
        play([ERROR] * 8, status=1).apply(ignore)


def test_the_whole_output_is_in_the_log(play, tmp_path):
    play([WARNING, "plain"]).apply(ignore)
    assert [line for line in (tmp_path / "log").read_text().splitlines() if line][-1] == "plain"


def test_pending_changes_are_named(play):
    runner = play([change("a.b", "update"), change("c.d", "noop"), change("e.f", "read")], status=2)
    assert runner.pending_changes(ignore) == ["update a.b"]


def test_changed_outputs_alone_are_a_change(play):
    assert play([], status=2).pending_changes(ignore) == ["outputs would change"]


def test_a_cloud_that_matches_has_no_pending_changes(play):
    assert play([summary("plan")]).pending_changes(ignore) == []


def test_a_plan_that_fails_is_no_plan_without_changes(play):
    with pytest.raises(TerraformError):
        play([ERROR], status=1).pending_changes(ignore)


def test_outputs_are_their_values(play):
    assert play([{"name": {"sensitive": False, "type": "string", "value": "x"}}]).outputs() == {"name": "x"}


def test_a_failed_init_says_why(play):
    with pytest.raises(TerraformError, match=r"(?s)Failed to query.*no such host"):
        play(["│ Error: Failed to query", "│ no such host"], status=1).init()


# The program


def test_without_terraform_the_way_to_get_it_is_named(monkeypatch):
    monkeypatch.setattr(terraform.shutil, "which", lambda _: None)
    with pytest.raises(OperatorError) as caught:
        terraform.program()
    assert "terraform/install" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("version", "good"), [("1.8.5", False), ("1.9.0", True), ("1.11.4", True), ("2.0.0-rc1", True)]
)
def test_a_version_too_old_is_refused(play, version, good):
    play([{"terraform_version": version}])
    if good:
        assert terraform.require_version() == version
    else:
        with pytest.raises(OperatorError, match="too old"):
            terraform.require_version()


def test_a_terraform_that_says_nonsense_is_an_error(play):
    play(["hello"])
    with pytest.raises(OperatorError, match="terraform version"):
        terraform.require_version()


# Counting


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def tally(now):
    return Tally(clock=lambda: now[0])


def test_the_plan_has_the_number_of_changes(tally):
    tally.take(summary("plan", add=3, change=2, remove=1))
    assert (tally.total, tally.phase) == (6, "applying")


def test_the_summary_counts_finished_and_current_resources(tally):
    tally.take(summary("plan", add=3))
    tally.take(hook("apply_start", "a"))
    tally.take(hook("apply_start", "b"))
    tally.take(hook("apply_complete", "a"))
    assert tally.summary() == "1 of 3 done; working on 1 aws_sqs_queue"


def test_failures_are_counted_apart(tally):
    tally.take(summary("plan", add=1))
    tally.take(hook("apply_start", "a"))
    tally.take(hook("apply_errored", "a"))
    assert tally.summary() == "0 of 1 done, 1 failed"


def test_reading_data_is_no_change(tally):
    tally.take(summary("plan", add=1))
    tally.take(hook("apply_start", "data.x", action="read"))
    tally.take(hook("apply_complete", "data.x", action="read"))
    assert tally.summary() == "0 of 1 done"


@pytest.mark.parametrize(("others", "waits"), [(0, True), (1, True), (2, False)])
def test_the_wait_for_queues_is_recognised(tally, others, waits):
    tally.take(hook("apply_start", "q"))
    for number in range(others):
        tally.take(hook("apply_start", f"r{number}", "aws_iam_role"))
    assert tally.waits_for_queues() is waits


def test_messages_of_other_kinds_change_nothing(tally):
    for message in ({}, {"type": "version"}, {"type": "change_summary"}, {"type": "apply_start"}):
        tally.take(message)
    assert (tally.done, tally.failed) == (0, 0)


# Showing, without a terminal


def shown(messages, now, seconds=0.0):
    text = io.StringIO()
    with TerraformProgress(Console(file=text, width=200), "apply", clock=lambda: now[0]) as progress:
        for message in messages:
            progress(message)
            now[0] += seconds
    return text.getvalue()


def test_a_log_file_gets_a_line_now_and_then_and_the_reason_for_the_wait_once(now):
    text = shown([summary("plan", add=9), *(hook("apply_start", f"q{n}") for n in range(9))], now, seconds=6)
    assert text.count("of 9 done") == 5
    assert text.count(SLOW_HINT) == 1


def test_the_end_counts_the_changes(now):
    assert shown([summary("plan")], now).splitlines()[-1] == "apply: nothing to change (0 s)"


def test_addresses_with_brackets_are_text_not_markup(now):
    messages = [summary("plan", add=1), hook("apply_start", 'a["[bold]x"]')]
    assert "Traceback" not in shown(messages, now, seconds=11)


def test_a_terminal_is_drawn_live(now):
    text = io.StringIO()
    console = Console(file=text, width=120, force_terminal=True)
    with TerraformProgress(console, "apply", clock=lambda: now[0]) as progress:
        progress(summary("plan", add=30))
        for number in range(12):
            progress(hook("apply_start", f"module.x.aws_sqs_queue.q{number}"))
        console.print(progress._render())
    assert "module.x.aws_sqs_queue.q0" in text.getvalue()
    assert "and 4 more" in text.getvalue()
