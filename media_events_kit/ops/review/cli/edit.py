"""`media-events review edit`: an edit in an editor or from a file."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from media_events_kit.ops.review import editing
from media_events_kit.ops.review.cli.context import UNUSABLE, explained, service_of
from media_events_kit.ops.review.cli.options import DryRun, Wait
from media_events_kit.ops.review.cli.rendering import diff_lines
from media_events_kit.ops.review.editing import Draft, Edited, EditOutcome, EditRefusedError
from media_events_kit.ops.review.redaction import hidden_values, reveal
from media_events_kit.ops.shared.console import OperatorError, err, fail, note, out, plain, print_json
from media_events_kit.ops.shared.options import Json, Reason, Where, spread

if TYPE_CHECKING:
    from media_events_kit.ops.review.audited_service import AuditedReviewService

NOT_ALL_GOOD: Final = 1
GOOD: Final = frozenset({"delivered", "sent"})


@spread
def edit(  # noqa: PLR0913  # each is an option of the command
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    *,
    body: Annotated[
        str | None, typer.Option("--body", metavar="FILE", help="The edited event; - reads standard input.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Print the event to start from, and do nothing else.")] = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking; needed without a terminal.")] = False,
    reason: Reason = "",
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse if the item has changed since this version, as `show` prints it."),
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Send the edit of a killed command: the same event.")
    ] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Open an item again whose edit was not sent.")] = False,
    wait: Wait = 60.0,
    where: Where,
    json: Json = False,
) -> None:
    """Correct an event that was refused, and send it in place of the original, to the hop that failed.

    It opens $VISUAL or $EDITOR, or takes --body. It shows the difference and checks the event before it sends it. The
    deployment names the types that may be edited; the attributes for identity, origin and order are locked. The edited
    event has an id of its own and supersedes the original, which is not changed.

    Exit status: 0 delivered (or sent, if nothing confirms it), 1 refused or not confirmed, 2 unusable arguments.

    Examples: media-events review edit 0a1b2c3d4e5f6a7b8c9d --reason "the house id lacked its prefix" ·
    media-events review edit 0a1b2c3d4e5f6a7b8c9d --draft > event.json ·
    media-events review edit 0a1b2c3d4e5f6a7b8c9d --body event.json --dry-run
    """
    if sum((body is not None, draft, finish, abandon)) > 1:
        fail("--body, --draft, --finish and --abandon exclude each other: choose one", exit_code=UNUSABLE)
    if abandon and not reason.strip():
        fail("say why with --reason", exit_code=UNUSABLE)
    with explained():
        review = service_of(where, confirming=not (draft or dry_run))
        try:
            if abandon:
                _abandon(review, item_id, reason=reason, json=json)
                return
            if finish:
                outcome = editing.finish(review, item_id, reason=reason, wait_seconds=wait)
                _show_outcome(outcome, json=json)
                return
            start = _draft(review, item_id, version, recording=not (draft or dry_run), reason=reason)
            if draft:
                sys.stdout.write(start.text)
                return
            edited = _from_file(review, start, body) if body is not None else _from_editor(review, start)
            if dry_run:
                _show(edited, json=json)
                return
            _show_diff(edited)
            if not yes and not _agreed():
                hint = None if sys.stdin.isatty() else "add --yes: there is no terminal to ask on"
                fail("nothing was sent", hint=hint)
            _show_outcome(editing.send(review, edited, reason=reason, wait_seconds=wait), json=json)
        except EditRefusedError as refused:
            _refused(refused, json=json)


def _draft(review: AuditedReviewService, item_id: str, version: int | None, *, recording: bool, reason: str) -> Draft:
    try:
        start = editing.draft(review, item_id, seen=version)
    except EditRefusedError as refused:
        if recording:
            review.record(item_id, "edit", result=str(refused), reason=reason, allowed=False)
        raise
    if hidden_values(start.text):
        reveal(review, item_id, purpose="for an edit")
    return start


def _from_file(review: AuditedReviewService, start: Draft, name: str) -> Edited:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OperatorError(f"{name} can't be read: {error}", exit_code=UNUSABLE) from error
    return editing.check(review, start, text)


def _from_editor(review: AuditedReviewService, start: Draft) -> Edited:
    """The event from the operator's editor, which opens again while the event has mistakes."""
    if not sys.stdin.isatty():
        fail("there is no terminal to edit on", hint="begin with --draft, send with --body FILE", exit_code=UNUSABLE)
    folder = Path(tempfile.mkdtemp(prefix="media-events-"))
    file = folder / f"{start.item.item_id}.json"
    file.write_text(start.text, encoding="utf-8")
    while True:
        _open(file)
        try:
            edited = editing.check(review, start, file.read_text(encoding="utf-8"))
        except (EditRefusedError, UnicodeDecodeError) as error:
            for problem in error.problems if isinstance(error, EditRefusedError) else ["it is not UTF-8"]:
                note(plain(problem))
            if not typer.confirm("Edit it again?", default=True, err=True):
                # The operator's text is not thrown away.
                fail("nothing was sent", hint=f"your text is in {file}: send it with --body")
        else:
            file.unlink()
            folder.rmdir()
            return edited


def _open(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(editor), str(file)], check=False)
    except (OSError, ValueError) as error:
        raise OperatorError(f"the editor {editor!r} can't be started: {error}", hint="set EDITOR") from error
    if done.returncode != 0:
        fail(f"the editor {editor!r} ended with status {done.returncode}", hint=f"your text is in {file}")


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Send it?", default=False, err=True)


def _refused(refused: EditRefusedError, *, json: bool) -> NoReturn:
    if json:
        print_json({"result": "refused", "problems": refused.problems})
    for problem in refused.problems:
        note(plain(problem))
    fail("nothing was sent")


def _abandon(review: AuditedReviewService, item_id: str, *, reason: str, json: bool) -> None:
    editing.abandon(review, item_id, reason=reason)
    if json:
        print_json({"item_id": item_id, "result": "open"})
    else:
        out.print(plain(f"{item_id} is OPEN again"), markup=False)


def _show(edited: Edited, *, json: bool) -> None:
    if json:
        print_json(
            {
                "item_id": edited.draft.item.item_id,
                "version": edited.draft.item.version,
                "changed": edited.changed,
                "warnings": edited.warnings,
                "diff": edited.diff,
            }
        )
        return
    _show_diff(edited)
    out.print("It would be sent; nothing was.")


def _show_diff(edited: Edited) -> None:
    # Standard output is for the JSON of `--json`.
    for shown in diff_lines(edited.diff):
        err.print(shown)
    for warning in edited.warnings:
        note(f"careful: {plain(warning)}")


def _show_outcome(outcome: EditOutcome, *, json: bool) -> None:
    if json:
        print_json(asdict(outcome))
    else:
        out.print(plain(f"{outcome.event_id}  {outcome.result}  {outcome.reason}"), markup=False)
        if outcome.new_item is not None:
            note(f"see media-events review show {outcome.new_item}")
    if outcome.result not in GOOD:
        raise typer.Exit(NOT_ALL_GOOD)
