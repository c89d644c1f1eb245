"""`media-events review`: what failed for good, and putting it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from media_events.failures import HopError
from media_events.review import STATUSES, Status
from ops.aws import Deployment, find
from ops.console import OperatorError, fail, note, out, print_json
from ops.desk import actions
from ops.desk.operations import NOT_SENT
from ops.desk.options import Environment, Json, LedgerTables, Profile, Reason, Region, TableName
from ops.desk.showing import card, line, listing, plain, pretty, summary

if TYPE_CHECKING:
    from ops.desk.desk import Desk
    from ops.desk.office import Office

NOT_ALL_GOOD: Final = 1
UNUSABLE: Final = 2
BODY_CHARACTERS_SHOWN: Final = 16 * 1024

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


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
        print_json({"items": [summary(item) for item in items], "more": more})
        return
    if not items:
        out.print("Nothing waits for a person." if not (status or group or event) else "No such items.")
        return
    out.print(listing(items))
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
    out.print(card(item))
    out.print(Text("body", style="bold"))
    out.print(
        plain(pretty(body)[:BODY_CHARACTERS_SHOWN], lines=True) if problem is None else f"(not readable: {problem})",
        markup=False,
    )
    if len(body) > BODY_CHARACTERS_SHOWN:
        note("the body goes on: see all of it with --json")


@app.command()
def replay(  # noqa: PLR0913
    item_ids: Annotated[list[str] | None, typer.Argument(metavar="[ITEM_ID]...", help="The items' ids.")] = None,
    *,
    group: Annotated[str | None, typer.Option(help="The open items of this group.")] = None,
    all_open: Annotated[bool, typer.Option("--all-open", help="All open items.")] = False,
    destination: Annotated[
        str | None, typer.Option(help="Of the group, or of all open items, those of this destination.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Send no more items than this.")] = 1000,
    rate: Annotated[float, typer.Option(min=0.01, max=1000, help="Send no more items a second than this.")] = 10.0,
    canary: Annotated[
        int, typer.Option(min=0, max=1000, help="Send this many first, and go on only if all of them are delivered.")
    ] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    reason: Reason = "",
    wait: Annotated[
        float, typer.Option(min=0, max=3600, help="Wait for confirmation, also of canaries, up to this many seconds.")
    ] = 60.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Send items named by id, and don't wait.")] = False,
    table: TableName = None,
    ledger_table: LedgerTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Send items to the hop that failed, and only there: items by id, or a group's open items, or all of them.

    Events that did not fail are for `media-events replay`, from the bus's archive.

    Exit status: 0 every item named by id was delivered (or sent, where nothing confirms it, or with --no-wait), or the
    operation is completed and nothing in it failed to be sent; 1 not so; 2 unusable arguments.

    Examples: media-events review replay 0a1b2c3d4e5f6a7b8c9d ·
    media-events review replay --group 9c8b7a6d5e4f3a2b1c0d --limit 500 --rate 50 --canary 5 --reason "CMS is back" ·
    media-events review replay --all-open --destination cms --dry-run
    """
    if sum((bool(item_ids), group is not None, all_open)) != 1:
        fail("say what to replay", hint="item ids, or --group GROUP, or --all-open", exit_code=UNUSABLE)
    if item_ids and (destination is not None or canary or dry_run):
        fail("--destination, --canary and --dry-run go with --group or --all-open", exit_code=UNUSABLE)
    deployment = find(
        environment=environment, region=region, profile=profile, table=table, ledger_tables=ledger_table or []
    )
    if not no_wait and not deployment.ledger_tables:
        note("no ledger is known: deliveries can't be confirmed (name them with --ledger-table)")
    if item_ids:
        _replay_items(deployment, item_ids, wait=0 if no_wait else wait, no_wait=no_wait, reason=reason, json=json)
        return
    request = actions.Request(group, destination, limit, rate, canary, reason)
    with _told():
        if dry_run:
            actions.plan(_office(deployment), request, json=json)
        else:
            actions.start(_office(deployment), request, wait=wait, json=json)


def _replay_items(  # noqa: PLR0913
    deployment: Deployment, item_ids: list[str], *, wait: float, no_wait: bool, reason: str, json: bool
) -> None:
    office = _office(deployment)
    outcomes = []
    with _told():
        for item_id in dict.fromkeys(item_ids):
            # First of all, so that nothing is sent that nobody has asked for.
            office.record(item_id, "replay asked for", result="", reason=reason)
        for outcome in office.desk.replay(item_ids, wait_seconds=wait):
            allowed = outcome.result not in NOT_SENT
            result = f"{outcome.result}: {outcome.reason}"
            office.record(outcome.item_id, "replay", result=result, reason=reason, allowed=allowed)
            outcomes.append(outcome)
            if not json:
                out.print(line(outcome))
    if json:
        print_json([{"item_id": o.item_id, "result": o.result, "reason": o.reason} for o in outcomes])
    good = {"resolved", "sent", "unconfirmed"} if no_wait else {"resolved", "sent"}
    if any(outcome.result not in good for outcome in outcomes):
        raise typer.Exit(NOT_ALL_GOOD)


@app.command()
def cancel(  # noqa: PLR0913
    operation_id: Annotated[str, typer.Argument(help="The operation's id.")],
    *,
    reason: Reason = "",
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Cancel a running replay of many items, also somebody else's. It stops before its next item.

    Example: media-events review cancel 0a1b2c3d4e5f
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.cancel(office, operation_id, reason=reason, json=json)


@app.command()
def resume(  # noqa: PLR0913
    operation_id: Annotated[str, typer.Argument(help="The operation's id.")],
    *,
    reason: Reason = "",
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Wait for canaries up to this many seconds.")] = 60.0,
    table: TableName = None,
    ledger_table: LedgerTables = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Go on with a replay of many items that was cancelled or stopped, or whose command is gone.

    Example: media-events review resume 0a1b2c3d4e5f
    """
    office = _office(
        find(environment=environment, region=region, profile=profile, table=table, ledger_tables=ledger_table or [])
    )
    with _told():
        actions.resume(office, operation_id, reason=reason, wait=wait, json=json)


@app.command()
def groups(  # noqa: PLR0913
    *,
    examine: Annotated[int, typer.Option(min=1, max=1_000_000, help="Look at this many open items, newest first.")] = (
        10_000
    ),
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """List open items by group: those that failed in the same way at the same place. The largest group comes first.

    Example: media-events review groups --examine 1000 --json
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.show_groups(office, examine=examine, json=json)


@app.command()
def export(  # noqa: PLR0913
    *,
    form: Annotated[actions.Form, typer.Option("--format", help="csv, or jsonl: one JSON object a line.")],
    status: Annotated[str, typer.Option(help="Items of this status, where no group is named.")] = "OPEN",
    group: Annotated[str | None, typer.Option(help="Items of this group, of every status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Write no more items than this.")] = 100_000,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Write items to standard output, the newest failure first, without their bodies.

    Example: media-events review export --format csv --status ARCHIVED > archived.csv
    """
    wanted = _status(status)
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.export(office, form=form, status=wanted, group=group, limit=limit)


@app.command()
def archive(  # noqa: PLR0913
    item_ids: Annotated[list[str], typer.Argument(metavar="ITEM_ID...", help="The items' ids.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")],
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Put open items away: they need nothing any more. Exit status 1: some could not be.

    Example: media-events review archive 0a1b2c3d4e5f6a7b8c9d --reason "the asset was withdrawn"
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.decide_all(office, item_ids, to="ARCHIVED", reason=reason, json=json)


@app.command()
def restore(  # noqa: PLR0913
    item_ids: Annotated[list[str], typer.Argument(metavar="ITEM_ID...", help="The items' ids.")],
    *,
    reason: Reason = "",
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Open archived items again. Exit status 1: some could not be.

    Example: media-events review restore 0a1b2c3d4e5f6a7b8c9d
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.decide_all(office, item_ids, to="OPEN", reason=reason, json=json)


@app.command("note")
def add_note(  # noqa: PLR0913
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    text: Annotated[str, typer.Argument(help="What the next operator should know.")],
    *,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Leave a note on an item. It stays, whatever becomes of the item, and `audit` shows it.

    Example: media-events review note 0a1b2c3d4e5f6a7b8c9d "asked the CMS team, ticket follows"
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.leave_note(office, item_id, text, json=json)


@app.command()
def audit(  # noqa: PLR0913
    subject: Annotated[str, typer.Argument(metavar="ID", help="An item's or an operation's id.")],
    *,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show who did what with an item or an operation, when and why, allowed or refused; notes too. Newest first.

    Example: media-events review audit 0a1b2c3d4e5f6a7b8c9d
    """
    office = _office(find(environment=environment, region=region, profile=profile, table=table, ledger_tables=[]))
    with _told():
        actions.show_audit(office, subject, json=json)


# --- wiring ------------------------------------------------------------------------------------------------------


def _desk(deployment: Deployment) -> Desk:
    from ops.desk.wiring import desk  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    return desk(deployment)


def _office(deployment: Deployment) -> Office:
    from ops.desk.wiring import office  # noqa: PLC0415

    return office(deployment)


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
