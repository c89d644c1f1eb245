"""`media-events archive-replay`: deliver past events again, from the bus's archive."""

from __future__ import annotations

import json as jsonlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from media_events.core.failures import ProcessingError
from media_events_kit.event_patterns import PatternError
from media_events_kit.ops.archive_replay.plan import UNUSABLE, Bus, Choice, choose
from media_events_kit.ops.archive_replay.service import ArchiveReplayService, describe
from media_events_kit.ops.archive_replay.store import Replay
from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.operations.run import until_interrupted
from media_events_kit.ops.shared import options as shared
from media_events_kit.ops.shared.console import OperatorError, err, fail, note, out, plain, print_json
from media_events_kit.ops.shared.contact import CONTACT, hint
from media_events_kit.ops.shared.options import Environment, Json, Profile, Reason, Region, TableName, spread
from media_events_kit.ops.shared.tables import Column, Listing
from media_events_kit.ops.shared.times import parse_time

NOT_ALL_GOOD: Final = 1

ReplayId = Annotated[str, typer.Argument(metavar="REPLAY", help="The replay's id.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The deployment whose archive is replayed."""

    deployment: Annotated[
        Path | None,
        typer.Option("--deployment", help="JSON file with Terraform's output `archive_replay` [default: that output]."),
    ] = None
    table: TableName = None
    environment: Environment = None
    region: Region = None
    profile: Profile = None


app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Deliver past events again, from the bus's archive: of a period, to a route, of a partner.

    For failed events there is `media-events review retry`.
    """


@app.command()
@spread
def start(  # noqa: PLR0913  # each is an option of the command
    *,
    since: Annotated[str, typer.Option(help="The period's start: 2026-11-23T12:00:00Z, or 90m, 6h, 7d ago.")],
    until: Annotated[str, typer.Option(help="The period's end, in the same way.")] = "0s",
    route: Annotated[list[str] | None, typer.Option(help="To this route; may be repeated [default: all].")] = None,
    partner: Annotated[list[str] | None, typer.Option(help="Events of this partner; may be repeated.")] = None,
    transform: Annotated[
        list[str] | None, typer.Option(help="Through this transform again, and on to the routes; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be sent, and send nothing.")] = False,
    repeat_effects: Annotated[
        bool, typer.Option("--repeat-effects", help="Deliver delivered events again. Needs --reason.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Send no more events a second than this.")] = 50.0,
    settle: Annotated[
        float, typer.Option(min=0, max=900, help="Wait so many seconds for a new rule to work, and for late events.")
    ] = 30.0,
    reason: Reason = "",
    where: Where,
    json: Json = False,
) -> None:
    """Deliver the events of a period again; count them first with --dry-run.

    Each event goes to its routes as it was when it was routed. Deliveries of the last 158 days are not repeated, unless
    --repeat-effects says so.

    Ctrl-C stops it; `archive-replay resume` continues it, `archive-replay cancel` ends it. A stopped dry run is over.

    Exit status: 0 it is completed and nothing was refused; 1 not so; 2 unusable arguments.

    Examples: media-events archive-replay start --since 6h --route ready-to-cms --dry-run ·
    media-events archive-replay start --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z --partner mux ·
    media-events archive-replay start --since 7d --route ready-to-cms --repeat-effects --reason "CMS was restored"
    """
    now = time.time()
    begin, end = _time(since, "--since", now), _time(until, "--until", now)
    if begin >= end:
        fail("--since must be before --until", exit_code=UNUSABLE)
    if end > now:
        fail("--until is in the future", exit_code=UNUSABLE)
    if repeat_effects and not reason.strip():
        fail("--repeat-effects needs a reason", hint="the audit keeps it", exit_code=UNUSABLE)
    with _explained():
        service = _service(where, settle=settle)
        choice = choose(
            service.bus,
            routes=route or [],
            transforms=transform or [],
            partners=partner or [],
            # A dry run repeats nothing.
            repeat_effects=repeat_effects or dry_run,
        )
        _remove_abandoned(service)
        for warning in service.warnings(since=begin, until=end):
            note(plain(f"note: {warning}"))
        replay = service.start(
            choice,
            since=begin,
            until=end,
            dry_run=dry_run,
            repeat_effects=repeat_effects,
            rate=rate,
            reason=reason,
        )
        _run(service, replay, choice, json=json)


@app.command()
@spread
def resume(
    replay_id: ReplayId,
    *,
    settle: Annotated[
        float, typer.Option(min=0, max=900, help="Wait so many seconds for late events before it is over.")
    ] = 30.0,
    reason: Reason = "",
    where: Where,
    json: Json = False,
) -> None:
    """Continue a replay that was stopped or whose command is gone, or take it over from a running command.

    Example: media-events archive-replay resume 0a1b2c3d
    """
    with _explained():
        service = _service(where, settle=settle)
        replay = service.take_over(replay_id, reason=reason)
        _run(service, replay, _choice(service.bus, replay), json=json)


@app.command()
@spread
def cancel(
    replay_id: ReplayId,
    *,
    reason: Reason = "",
    where: Where,
    json: Json = False,
) -> None:
    """End a replay, also another operator's. Sent events stay sent; its rule and queue are removed.

    Example: media-events archive-replay cancel 0a1b2c3d
    """
    with _explained():
        service = _service(where)
        _show(service.cancel(replay_id, reason=reason), json=json)


@app.command("list")
@spread
def list_replays(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show no more than this.")] = 20,
    where: Where,
    json: Json = False,
) -> None:
    """List replays, the newest first. Rules and queues of abandoned dry runs are removed on the way.

    Example: media-events archive-replay list --json
    """
    with _explained():
        service = _service(where)
        _remove_abandoned(service)
        replays = list(service.latest(limit))
    if json:
        print_json([asdict(replay) for replay in replays])
        return
    if not replays:
        out.print("Nothing was replayed yet.")
    for replay in replays:
        why = f" because: {replay.reason}" if replay.reason else ""
        out.print(plain(f"{replay.replay_id}  {describe(replay)}  by {replay.by}{why}"), markup=False)


@app.command()
@spread
def show(
    replay_id: ReplayId,
    *,
    where: Where,
    json: Json = False,
) -> None:
    """Show a replay and its counts. Exit status 1: there is none. Its audit: media-events review audit REPLAY.

    Example: media-events archive-replay show 0a1b2c3d
    """
    with _explained():
        service = _service(where)
        replay = service.replays.get(replay_id)
    if replay is None:
        fail(f"there is no replay {replay_id!r}", hint="list them: media-events archive-replay list")
    _show(replay, json=json)


# --- output --------------------------------------------------------------------------------------------------------


def _run(service: ArchiveReplayService, replay: Replay, choice: Choice, *, json: bool) -> None:
    note(f"replay {replay.replay_id}: Ctrl-C stops it")
    with until_interrupted() as stopping, err.status("collecting") as status:

        def progress(current: Replay) -> None:
            at = f", the archive is at {current.replayed_to}" if current.replayed_to else ""
            status.update(f"{current.events} events{at}")

        ended = service.run(replay, choice, stopping=stopping, progress=progress)
    _show(ended, json=json)
    if ended.state != "completed" or any(kinds.get("refused") for kinds in ended.counts.values()):
        raise typer.Exit(NOT_ALL_GOOD)


def _show(replay: Replay, *, json: bool) -> None:
    if json:
        print_json(asdict(replay))
        return
    out.print(plain(f"{replay.replay_id} {describe(replay)}"), markup=False)
    if replay.counts:
        titles = {
            "new": "to be delivered" if replay.dry_run else "sent",
            "repeated": "again",
            "unguarded": "without an idempotency store",
            "to_transform": "to be transformed" if replay.dry_run else "transformed",
            "suppressed": "delivered already",
            "refused": "refused",
        }
        shown = [kind for kind in titles if any(kinds.get(kind) for kinds in replay.counts.values())]
        table = Listing([Column("hop", "name"), *(Column(titles[kind], "number") for kind in shown)])
        for hop, kinds in sorted(replay.counts.items()):
            table.add(plain(hop), *(str(kinds.get(kind, 0)) for kind in shown))
        out.print(table)
    for line in _explanations(replay):
        note(line)
    if replay.problem:
        note(plain(replay.problem))
    if replay.state == "stopped":
        note(f"continue it: media-events archive-replay resume {replay.replay_id}")


def _explanations(replay: Replay) -> Iterator[str]:
    total: Counter[str] = Counter()
    for kinds in replay.counts.values():
        total.update(kinds)
    if total["suppressed"]:
        yield f"{total['suppressed']} deliveries are recorded as done: they are not sent"
    if total["repeated"]:
        yield f"{total['repeated']} deliveries are recorded as done, and are repeated"
    if total["unguarded"]:
        yield f"{total['unguarded']} are sent by rules without an idempotency store: delivered ones come again"
    if total["to_transform"]:
        yield "transformed events go to every route that matches them; the routes' idempotency stores decide there"
    if replay.unmatched:
        yield f"{replay.unmatched} events are for none of these hops"
    if replay.unreadable:
        yield f"{replay.unreadable} messages held no event of this replay"


def _remove_abandoned(service: ArchiveReplayService) -> None:
    removed, unfinished = service.remove_abandoned()
    for replay in removed:
        note(f"removed rule and queue of the dry run {replay.replay_id}: its command was gone")
    for replay in unfinished:
        note(f"replay {replay.replay_id} is not finished: media-events archive-replay resume (or cancel) it")


# --- the deployment -------------------------------------------------------------------------------------------------


def _service(where: Where, *, settle: float = 30.0) -> ArchiveReplayService:
    from media_events_kit.ops.archive_replay.bootstrap import service  # noqa: PLC0415  # boto3 is slow to load

    deployment = find(
        shared.Where(table=where.table, environment=where.environment, region=where.region, profile=where.profile)
    )
    return service(deployment, _bus(where.deployment, deployment), settle_seconds=settle)


def _bus(file: Path | None, deployment: Deployment) -> Bus:
    name = "Terraform's output `archive_replay`" if file is None else str(file)
    document: Any
    if file is None:
        document = deployment.outputs().get("archive_replay")
    else:
        try:
            document = jsonlib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OperatorError(f"{name} can't be read as JSON: {error}", exit_code=UNUSABLE) from error
    try:
        return Bus.from_document(document, where=name)
    except PatternError as error:
        raise OperatorError(f"{name} has a pattern that EventBridge would refuse: {error}") from error


def _choice(bus: Bus, replay: Replay) -> Choice:
    missing = [name for name in replay.hops if name not in bus.hops]
    if missing:
        fail(f"{', '.join(missing)} is no hop of the bus any more", hint="cancel the replay, and start another one")
    return Choice(hops=tuple(bus.hops[name] for name in replay.hops), partners=replay.partners)


def _time(text: str, option: str, now: float) -> float:
    try:
        return parse_time(text, now=now)
    except OverflowError:
        fail(f"{option}: {text} is too far back", exit_code=UNUSABLE)
    except ValueError:
        fail(f"{option}: {text!r} is no time", hint="like 2026-11-23T12:00:00Z, or 90m, 6h, 7d ago", exit_code=UNUSABLE)


@contextmanager
def _explained() -> Iterator[None]:
    """Turns errors of AWS into errors for the operator."""
    try:
        yield
    except ProcessingError as error:
        fail(
            f"{error.code}: {CONTACT.problem(error)}",
            hint=hint(error, "docs/how-to/replay-from-the-archive.md lists the permissions that a replay needs"),
        )
