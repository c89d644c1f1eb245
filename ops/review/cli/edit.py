"""`media-events review edit`: an operator's editor, or a file, and what is sent of it."""

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

from ops.review import editing
from ops.review.cli.context import service_of, told
from ops.review.cli.options import DryRun, Json, Reason, Wait, Where, spread
from ops.review.cli.rendering import diff_lines, plain
from ops.review.editing import Draft, Edited, EditOutcome, EditRefusedError
from ops.shared.console import OperatorError, err, fail, note, out, print_json

if TYPE_CHECKING:
    from ops.review.audited_service import AuditedReviewService

NOT_ALL_GOOD: Final = 1
UNUSABLE: Final = 2
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
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking; needed where nobody can be asked.")] = False,
    reason: Reason = "",
    version: Annotated[
        int | None,
        typer.Option(min=1, help="Refuse if the item has changed since this version (`show` tells it)."),
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Send an edit whose command was killed before it could: the same event.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Open an item again whose edit was not sent, and can't be.")
    ] = False,
    wait: Wait = 60.0,
    where: Where,
    json: Json = False,
) -> None:
    """Correct an event that can't be taken as it is, and send it in place of the original, to the hop that failed.

    It opens $VISUAL or $EDITOR, or takes --body. The difference is shown and the event is checked before it is sent.
    Only types that the deployment allows can be edited, and what says which event it is, whose and in which order is
    locked. The edited event has an id of its own; the original stays as it was, superseded by it.

    Exit status: 0 delivered (or sent, where nothing confirms it), 1 refused or not confirmed, 2 unusable arguments.

    Examples: media-events review edit 0a1b2c3d4e5f6a7b8c9d --reason "the house id lacked its prefix" ·
    media-events review edit 0a1b2c3d4e5f6a7b8c9d --draft > event.json ·
    media-events review edit 0a1b2c3d4e5f6a7b8c9d --body event.json --dry-run
    """
    if sum((body is not None, draft, finish, abandon)) > 1:
        fail("--body, --draft, --finish and --abandon are ways of their own: choose one", exit_code=UNUSABLE)
    if abandon and not reason.strip():
        fail("say why with --reason", exit_code=UNUSABLE)
    with told():
        review = service_of(where, confirming=not (draft or dry_run))
        if abandon:
            _abandon(review, item_id, reason=reason, json=json)
            return
        if finish:
            try:
                outcome = editing.finish(review, item_id, reason=reason, wait_seconds=wait)
            except EditRefusedError as refused:
                _refused(refused, json=json)
            _tell(outcome, json=json)
            return
        start = _draft(review, item_id, version, recording=not (draft or dry_run), reason=reason, json=json)
        if draft:
            sys.stdout.write(start.text)
            return
        edited = _from_file(review, start, body) if body is not None else _from_editor(review, start)
        if dry_run:
            _show(edited, json=json)
            return
        _show_diff(edited)
        if not yes and not _agreed():
            fail("nothing was sent", hint=None if sys.stdin.isatty() else "say --yes where nobody can be asked")
        try:
            outcome = editing.send(review, edited, reason=reason, wait_seconds=wait)
        except EditRefusedError as refused:
            _refused(refused, json=json)
        _tell(outcome, json=json)


def _draft(  # noqa: PLR0913
    review: AuditedReviewService, item_id: str, version: int | None, *, recording: bool, reason: str, json: bool
) -> Draft:
    try:
        start = editing.draft(review, item_id, seen=version)
    except EditRefusedError as refused:
        if recording:
            review.record(item_id, "edit", result=str(refused), reason=reason, allowed=False)
        _refused(refused, json=json)
    return start


def _from_file(review: AuditedReviewService, start: Draft, name: str) -> Edited:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OperatorError(f"{name} can't be read: {error}", exit_code=UNUSABLE) from error
    try:
        return editing.check(review, start, text)
    except EditRefusedError as refused:
        _refused(refused, json=False)


def _from_editor(review: AuditedReviewService, start: Draft) -> Edited:
    """The event as the operator's editor leaves it; what is wrong with it is told, and it is opened once more."""
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
            if not typer.confirm("Edit it once more?", default=True, err=True):
                # What somebody has typed is not thrown away.
                fail("nothing was sent", hint=f"what you wrote is in {file}: send it with --body")
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
        fail(f"the editor {editor!r} ended with status {done.returncode}", hint=f"what you wrote is in {file}")


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Send it?", default=False, err=True)


def _refused(refused: EditRefusedError, *, json: bool) -> NoReturn:
    if json:
        print_json({"result": "refused", "problems": refused.problems})
    for problem in refused.problems:
        note(plain(problem))
    fail("nothing was sent")


def _abandon(review: AuditedReviewService, item_id: str, *, reason: str, json: bool) -> None:
    try:
        editing.abandon(review, item_id, reason=reason)
    except EditRefusedError as refused:
        _refused(refused, json=json)
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
    # To standard error: what `--json` prints stays JSON.
    for shown in diff_lines(edited.diff):
        err.print(shown)
    for warning in edited.warnings:
        note(f"careful: {plain(warning)}")


def _tell(outcome: EditOutcome, *, json: bool) -> None:
    if json:
        print_json(asdict(outcome))
    else:
        out.print(plain(f"{outcome.event_id}  {outcome.result}  {outcome.reason}"), markup=False)
        if outcome.new_item is not None:
            note(f"see media-events review show {outcome.new_item}")
    if outcome.result not in GOOD:
        raise typer.Exit(NOT_ALL_GOOD)
