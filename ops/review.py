"""`media-events review`: what failed for good, and putting it right."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from media_events.failures import HopError
from media_events.review import STATUSES, ReviewItem, Status
from ops.aws import Deployment, find
from ops.console import OperatorError, fail, note, out, print_json

if TYPE_CHECKING:
    from ops.review_desk import Desk, Outcome

NOT_ALL_GOOD: Final = 1
UNUSABLE: Final = 2
BODY_CHARACTERS_SHOWN: Final = 16 * 1024

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Environment = Annotated[
    str | None,
    typer.Option(
        "--environment", "-e", help="An environment of workflow.yaml [default: MEDIA_EVENTS_ENVIRONMENT, else local]."
    ),
]
Region = Annotated[str | None, typer.Option(help="AWS region [default: the AWS configuration's].")]
Profile = Annotated[str | None, typer.Option(help="AWS profile [default: the AWS configuration's].")]
TableName = Annotated[str | None, typer.Option("--table", help="The review table [default: Terraform's output].")]
LedgerTables = Annotated[
    list[str] | None, typer.Option("--ledger-table", help="A ledger; may be repeated [default: Terraform's output].")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.callback()
def _group() -> None:
    """Look at what failed for good, and put it right."""


@app.command("list")
def list_items(  # noqa: PLR0913  # each is an option of the command
    *,
    status: Annotated[
        list[str] | None, typer.Option(help="Only this status; may be repeated [default: OPEN and RETRYING].")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Only items of this group.")] = None,
    event: Annotated[str | None, typer.Option(help="Only items of this event id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show no more than this.")] = 50,
    table: TableName = None,
    ledger_table: LedgerTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """List review items, the newest failure first. Replays that were confirmed meanwhile are settled on the way."""
    deployment = find(
        environment=environment, region=region, profile=profile, table=table, ledger_tables=ledger_table or []
    )
    statuses = [_status(name) for name in status or ("OPEN", "RETRYING")]
    if (group is not None or event is not None) and not status:
        statuses = list(STATUSES)
    with _told():
        items = _desk(deployment).find(statuses=statuses, group=group, event=event, limit=limit + 1)
    more, items = len(items) > limit, items[:limit]
    if json:
        print_json({"items": [_summary(item) for item in items], "more": more})
        return
    if not items:
        out.print("Nothing waits for a person." if not (status or group or event) else "No such items.")
        return
    out.print(_listing(items))
    if more:
        note(f"there are more than {limit}: see them with --limit")


@app.command()
def show(  # noqa: PLR0913
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    *,
    table: TableName = None,
    ledger_table: LedgerTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show one item whole: what failed, where, why, how often, and its body. Exit status 1: there is none."""
    deployment = find(
        environment=environment, region=region, profile=profile, table=table, ledger_tables=ledger_table or []
    )
    desk = _desk(deployment)
    with _told():
        item = desk.table.get(item_id)
        if item is None:
            fail(f"there is no review item {item_id!r}", hint="list them: media-events review list")
        item = desk.settle(item)
    body, problem = "", None
    try:
        body = desk.body(item)
    except HopError as error:
        problem = f"{error.code}: {error.message}"
    if json:
        print_json({**item.to_dict(), "body": body if problem is None else None, "body_problem": problem})
        return
    out.print(_card(item))
    out.print(Text("body", style="bold"))
    out.print(
        _plain(_pretty(body)[:BODY_CHARACTERS_SHOWN], lines=True) if problem is None else f"(not readable: {problem})",
        markup=False,
    )
    if len(body) > BODY_CHARACTERS_SHOWN:
        note("the body goes on: see all of it with --json")


@app.command()
def replay(  # noqa: PLR0913
    item_ids: Annotated[list[str], typer.Argument(metavar="ITEM_ID...", help="The items' ids.")],
    *,
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Wait for confirmation up to this many seconds.")] = 60.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Send, and don't wait.")] = False,
    table: TableName = None,
    ledger_table: LedgerTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Send items to the hop that failed, and only there, and wait for the outcome.

    Exit status: 0 every item was delivered (or sent, where nothing confirms it, or with --no-wait); 1 some were not.
    """
    deployment = find(
        environment=environment, region=region, profile=profile, table=table, ledger_tables=ledger_table or []
    )
    desk = _desk(deployment)
    if not no_wait and not deployment.ledger_tables:
        note("no ledger is known: deliveries can't be confirmed (name them with --ledger-table)")
    outcomes = []
    with _told():
        for outcome in desk.replay(item_ids, wait_seconds=0 if no_wait else wait):
            outcomes.append(outcome)
            if not json:
                out.print(_line(outcome))
    if json:
        print_json([{"item_id": o.item_id, "result": o.result, "reason": o.reason} for o in outcomes])
    good = {"resolved", "sent", "unconfirmed"} if no_wait else {"resolved", "sent"}
    if any(outcome.result not in good for outcome in outcomes):
        raise typer.Exit(NOT_ALL_GOOD)


# --- wiring ------------------------------------------------------------------------------------------------------


def _desk(deployment: Deployment) -> Desk:
    from ops.review_wiring import desk  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    return desk(deployment)


class _told:  # noqa: N801  # used like a function
    """Turns what AWS refuses into what a person can act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, HopError):
            hint = "check the credentials, their permissions and the table's name"
            raise OperatorError(f"{error.message}", hint=hint) from error


def _status(name: str) -> Status:
    known: dict[str, Status] = {status: status for status in STATUSES}
    if name.upper() not in known:
        fail(f"{name!r} is no status", hint=f"use {', '.join(STATUSES)}", exit_code=UNUSABLE)
    return known[name.upper()]


# --- showing -----------------------------------------------------------------------------------------------------


def _plain(text: str, *, lines: bool = False) -> str:
    """``text`` without characters that drive a terminal: whatever failed may have come from an attacker."""
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else "�" for c in text)


def _summary(item: ReviewItem) -> dict[str, Any]:
    left_out = {"body", "message_attributes", "response"}
    return {name: value for name, value in item.to_dict().items() if name not in left_out}


_STYLES: Final = {"OPEN": "bold red", "RETRYING": "yellow", "RESOLVED": "green", "ARCHIVED": "dim"}


def _listing(items: list[ReviewItem]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("item", no_wrap=True)
    for column in ("event", "why"):
        table.add_column(column, overflow="fold", ratio=1)
    for item in items:
        latest = item.last_failed_at.replace("T", " ").partition(".")[0]
        several = f", {len(item.attempts)} failures" if len(item.attempts) > 1 else ""
        table.add_row(
            Text.assemble(item.item_id, "\n", (item.status, _STYLES.get(item.status, ""))),
            Text(_plain(f"{item.event_id}") + "\n" + _plain(f"{item.type or '(no type)'} to {item.destination}")),
            Text.assemble(
                (_plain(item.error_code), "bold"),
                f" ({item.failure_class})\n{_plain(item.error_message)[:160]}\n",
                (f"{latest} UTC{several}", "dim"),
            ),
        )
    return table


def _card(item: ReviewItem) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    to = item.return_to
    back = " ".join(
        _plain(part) for part in (to.kind, to.queue_url or to.bus_arn or to.function_arn or "", to.route or "")
    )
    rows = {
        "item": item.item_id,
        "status": item.status,
        "event": f"{item.event_id} ({item.source})",
        "type": item.type,
        "correlation": item.correlation_id,
        "key": item.partition_key,
        "hop": f"{item.hop} → {item.destination}",
        "failed": f"{item.failure_class}: {item.error_code}: {item.error_message}",
        "response": item.response,
        "first": item.first_failed_at,
        "last": item.last_failed_at,
        "re-driven": str(item.redrive_count),
        "replayed": item.replayed_at,
        "resolved": item.resolved_at,
        "group": item.group_id,
        "dead letter": item.kind,
        "goes back to": back,
        "body": f"{item.body_size} bytes, SHA-256 {item.body_sha256}" + (f", {item.bodyref}" if item.bodyref else ""),
    }
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, Text(_plain(value)))
    for attempt in item.attempts:
        table.add_row(
            "attempt", Text(_plain(f"{attempt.time}  {attempt.failure_class}  {attempt.code}: {attempt.message}"))
        )
    return table


def _pretty(body: str) -> str:
    try:
        return jsonlib.dumps(jsonlib.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


_RESULT_STYLES: Final = {"resolved": "green", "sent": "green", "unconfirmed": "yellow"}


def _line(outcome: Outcome) -> Text:
    style = _RESULT_STYLES.get(outcome.result, "bold red")
    return Text.assemble(_plain(outcome.item_id), "  ", (outcome.result, style), "  ", _plain(outcome.reason))
