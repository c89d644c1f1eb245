"""`media-events archive-replay`: past events once more, from the bus's archive."""

from __future__ import annotations

import json as jsonlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from event_patterns import PatternError
from media_events.core.failures import ProcessingError
from ops.archive_replay.plan import UNUSABLE, Bus, Choice, choose
from ops.archive_replay.service import ArchiveReplayService, describe
from ops.archive_replay.store import Replay
from ops.deployment.discovery import Deployment, find
from ops.review.cli.handlers import until_interrupted
from ops.review.cli.options import Environment, Json, Profile, Reason, Region, TableName
from ops.review.cli.rendering import plain
from ops.shared.console import OperatorError, err, fail, note, out, print_json

NOT_ALL_GOOD: Final = 1
_SPAN: Final = re.compile(r"(\d+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Deployed = Annotated[
    Path | None,
    typer.Option("--deployment", help="JSON file with Terraform's output `archive_replay` [default: that output]."),
]
ReplayId = Annotated[str, typer.Argument(metavar="REPLAY", help="The replay's id.")]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Deliver past events once more, from the bus's archive: a period, a route, a partner.

    What failed and waits at the review desk is for `media-events review retry`.
    """


@app.command()
def start(  # noqa: PLR0913  # each is an option of the command
    *,
    since: Annotated[str, typer.Option(help="From when: 2026-11-23T12:00:00Z, or 90m, 6h, 7d ago.")],
    until: Annotated[str, typer.Option(help="Up to when, in the same way.")] = "0s",
    route: Annotated[list[str] | None, typer.Option(help="To this route; may be repeated [default: all].")] = None,
    partner: Annotated[list[str] | None, typer.Option(help="Events of this partner; may be repeated.")] = None,
    transform: Annotated[
        list[str] | None, typer.Option(help="Through this transform anew, and on to the routes; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be sent, and send nothing.")] = False,
    repeat_effects: Annotated[
        bool, typer.Option("--repeat-effects", help="Deliver also what was delivered already. Needs --reason.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Send no more events a second than this.")] = 50.0,
    settle: Annotated[
        float, typer.Option(min=0, max=900, help="Wait this many seconds for a new rule to work, and for stragglers.")
    ] = 30.0,
    reason: Reason = "",
    deployment: Deployed = None,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Deliver the events of a period once more; count them first with --dry-run.

    Each event goes to its routes as it was when it was routed. The destination's ledger keeps what was delivered
    within 14 days from being delivered again, unless --repeat-effects says so.

    Ctrl-C stops it; `replay resume` goes on, `replay cancel` ends it. A dry run that is stopped is over.

    Exit status: 0 it is completed and nothing was refused; 1 not so; 2 unusable arguments.

    Examples: media-events archive-replay start --since 6h --route ready-to-cms --dry-run ·
    media-events archive-replay start --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z --partner mux ·
    media-events archive-replay start --since 7d --route ready-to-cms --repeat-effects --reason "CMS was restored from a backup"
    """
    now = time.time()
    begin, end = _moment(since, "--since", now), _moment(until, "--until", now)
    if begin >= end:
        fail("--since must be before --until", exit_code=UNUSABLE)
    if end > now:
        fail("--until is in the future", exit_code=UNUSABLE)
    if repeat_effects and not reason.strip():
        fail("--repeat-effects needs a reason", hint="the audit keeps it", exit_code=UNUSABLE)
    with _told():
        service = _service(deployment, table, environment, region, profile, settle=settle)
        choice = choose(
            service.bus,
            routes=route or [],
            transforms=transform or [],
            partners=partner or [],
            # Counting repeats nothing.
            repeat_effects=repeat_effects or dry_run,
        )
        _tidy(service)
        for warning in service.warnings(since=begin, until=end):
            note(plain(f"note: {warning}"))
        begun = service.start(
            choice,
            since=begin,
            until=end,
            dry_run=dry_run,
            repeat_effects=repeat_effects,
            rate=rate,
            reason=reason,
        )
        _go_on(service, begun, choice, json=json)


@app.command()
def resume(  # noqa: PLR0913
    replay_id: ReplayId,
    *,
    settle: Annotated[
        float, typer.Option(min=0, max=900, help="Wait this many seconds for stragglers before it is over.")
    ] = 30.0,
    reason: Reason = "",
    deployment: Deployed = None,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Go on with a replay that was stopped, or whose command is gone; also take it over from a command that runs it.

    Example: media-events archive-replay resume 0a1b2c3d
    """
    with _told():
        service = _service(deployment, table, environment, region, profile, settle=settle)
        taken = service.take_over(replay_id, reason=reason)
        _go_on(service, taken, _choice(service.bus, taken), json=json)


@app.command()
def cancel(  # noqa: PLR0913
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    deployment: Deployed = None,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """End a replay, also somebody else's. What was sent stays sent; its rule and queue are removed.

    Example: media-events archive-replay cancel 0a1b2c3d
    """
    with _told():
        service = _service(deployment, table, environment, region, profile)
        _tell(service.cancel(replay_id, reason=reason), json=json)


@app.command("list")
def list_replays(  # noqa: PLR0913
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more than this.")] = 20,
    deployment: Deployed = None,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """List replays, the newest first. What dry runs left behind whose command is gone is removed on the way.

    Example: media-events archive-replay list --json
    """
    with _told():
        service = _service(deployment, table, environment, region, profile)
        _tidy(service)
        found = list(service.latest(limit))
    if json:
        print_json([asdict(replay) for replay in found])
        return
    if not found:
        out.print("Nothing was replayed yet.")
    for replay in found:
        why = f" because: {replay.reason}" if replay.reason else ""
        out.print(plain(f"{replay.replay_id}  {describe(replay)}  by {replay.by}{why}"), markup=False)


@app.command()
def show(  # noqa: PLR0913
    replay_id: ReplayId,
    *,
    deployment: Deployed = None,
    table: TableName = None,
    environment: Environment = None,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Show a replay and its counts. Exit status 1: there is none. Who did what: media-events review audit REPLAY.

    Example: media-events archive-replay show 0a1b2c3d
    """
    with _told():
        service = _service(deployment, table, environment, region, profile)
        replay = service.replays.get(replay_id)
    if replay is None:
        fail(f"there is no replay {replay_id!r}", hint="list them: media-events archive-replay list")
    _tell(replay, json=json)


# --- telling -------------------------------------------------------------------------------------------------------


def _go_on(service: ArchiveReplayService, given: Replay, choice: Choice, *, json: bool) -> None:
    note(f"replay {given.replay_id}: Ctrl-C stops it")
    with until_interrupted() as stopping, err.status("collecting") as status:

        def progress(current: Replay) -> None:
            at = f", the archive is at {current.replayed_to}" if current.replayed_to else ""
            status.update(f"{current.events} events{at}")

        ended = service.run(given, choice, stopping=stopping, progress=progress)
    _tell(ended, json=json)
    if ended.state != "completed" or any(kinds.get("refused") for kinds in ended.counts.values()):
        raise typer.Exit(NOT_ALL_GOOD)


def _tell(replay: Replay, *, json: bool) -> None:
    if json:
        print_json(asdict(replay))
        return
    out.print(plain(f"{replay.replay_id} {describe(replay)}"), markup=False)
    if replay.counts:
        table = Table(box=None, pad_edge=False)
        words = {
            "new": "to be delivered" if replay.dry_run else "sent",
            "repeated": "again",
            "unguarded": "without a ledger",
            "to_transform": "to be transformed" if replay.dry_run else "transformed",
            "suppressed": "delivered already",
            "refused": "refused",
        }
        shown = [kind for kind in words if any(kinds.get(kind) for kinds in replay.counts.values())]
        for column in ("hop", *(words[kind] for kind in shown)):
            table.add_column(column)
        for hop, kinds in sorted(replay.counts.items()):
            table.add_row(plain(hop), *(str(kinds.get(kind, 0)) for kind in shown))
        out.print(table)
    for line in _meaning(replay):
        note(line)
    if replay.problem:
        note(plain(replay.problem))
    if replay.state == "stopped":
        note(f"go on: media-events archive-replay resume {replay.replay_id}")


def _meaning(replay: Replay) -> Iterator[str]:
    """What the counts mean, as far as they need words."""
    total = {kind: sum(kinds.get(kind, 0) for kinds in replay.counts.values()) for kind in _KINDS}
    if total["suppressed"]:
        yield f"{total['suppressed']} deliveries are in the ledger as done: they are not sent"
    if total["repeated"]:
        yield f"{total['repeated']} deliveries are in the ledger as done, and are made again all the same"
    if total["unguarded"]:
        yield f"{total['unguarded']} are sent by rules, which no ledger guards: what is there already comes again"
    if total["to_transform"]:
        yield "what the transforms make of them goes to every route that takes it; the routes' ledgers decide there"
    if replay.unmatched:
        yield f"{replay.unmatched} events are for none of these hops"
    if replay.unreadable:
        yield f"{replay.unreadable} messages held no event of this replay"


_KINDS: Final = ("new", "repeated", "unguarded", "to_transform", "suppressed", "refused")


def _tidy(service: ArchiveReplayService) -> None:
    removed, left = service.remove_abandoned()
    for replay in removed:
        note(f"removed what the dry run {replay.replay_id} had left behind: its command was gone")
    for replay in left:
        note(
            f"replay {replay.replay_id} was not finished: media-events archive-replay resume, or cancel, {replay.replay_id}"
        )


# --- finding -------------------------------------------------------------------------------------------------------


def _service(  # noqa: PLR0913
    deployment: Path | None,
    table: str | None,
    environment: str | None,
    region: str | None,
    profile: str | None,
    *,
    settle: float = 30.0,
) -> ArchiveReplayService:
    from ops.archive_replay.bootstrap import service  # noqa: PLC0415  # boto3 is slow to load

    found = find(environment=environment, region=region, profile=profile, table=table, idempotency_tables=[])
    return service(found, _bus(deployment, found), settle_seconds=settle)


def _bus(deployment: Path | None, found: Deployment) -> Bus:
    where = "Terraform's output `archive_replay`"
    document: Any
    if deployment is None:
        document = found.outputs().get("archive_replay")
    else:
        where = str(deployment)
        try:
            document = jsonlib.loads(deployment.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OperatorError(f"{where} can't be read as JSON: {error}", exit_code=UNUSABLE) from error
    try:
        return Bus.from_document(document, where=where)
    except PatternError as error:
        raise OperatorError(f"{where} has a pattern that EventBridge would refuse: {error}") from error


def _choice(bus: Bus, replay: Replay) -> Choice:
    missing = [name for name in replay.hops if name not in bus.hops]
    if missing:
        fail(f"{', '.join(missing)} has gone since the replay was started", hint="cancel it, and start another one")
    return Choice(hops=tuple(bus.hops[name] for name in replay.hops), partners=replay.partners)


def _moment(text: str, option: str, now: float) -> float:
    if match := _SPAN.fullmatch(text.strip()):
        moment = now - int(match[1]) * _SECONDS[match[2]]
        if moment < 0:
            fail(f"{option}: {text} is too far back", exit_code=UNUSABLE)
        return moment
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option}: {text!r} is no time", hint="like 2026-11-23T12:00:00Z, or 90m, 6h, 7d ago", exit_code=UNUSABLE)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


@contextmanager
def _told() -> Iterator[None]:
    """Tell the operator what AWS refused, in place of a stack trace."""
    try:
        yield
    except ProcessingError as error:
        fail(f"{error.code}: {error.message}", hint="docs/how-to/replay-from-the-archive.md says which permissions a replay needs")
