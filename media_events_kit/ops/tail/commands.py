"""`media-events tail`: events as they come."""

from __future__ import annotations

import json as json_format
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from media_events.core.failures import ProcessingError
from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.shared.console import OperatorError, fail, note, out, plain
from media_events_kit.ops.shared.contact import CONTACT, hint
from media_events_kit.ops.shared.options import Json, Where, spread
from media_events_kit.ops.shared.times import seconds_of
from media_events_kit.ops.tail.selection import Selection
from media_events_kit.ops.tail.watching import Came, Ended, Watch
from media_events_kit.ops.trace.rendering import line

UNUSABLE: Final = 2
LONGEST_SECONDS: Final = 12 * 3600


@spread
def tail(  # noqa: PLR0913
    *,
    partner: Annotated[list[str] | None, typer.Option(help="Only this partner's; repeatable [default: all].")] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this type's, or those that begin so: 'asset.*'; repeatable [default: all]."),
    ] = None,
    route: Annotated[
        list[str] | None, typer.Option(help="Only what this route takes; repeatable [default: all that is received].")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many events [default: never].")] = None,
    lasting: Annotated[str, typer.Option("--for", help="End after this time: 90s, 30m, 12h.")] = "1h",
    where: Where,
    json: Json = False,
) -> None:
    """Show a deployment's events as they come: each with the hops that take it, then with its end. Ctrl-C ends it.

    A rule and a queue of its own collect the events, and no hop notices. They are named <bus>-replay-tail-<time> and
    removed at the end. If the command was killed, the next one removes them, and so does `media-events status`: at once
    on this machine, elsewhere when the time in the name is over. 20 events are followed at a time; of others it tells
    only who takes them. The first seconds of a new rule may miss events. Your credentials need the operators' policies
    `read` and `archive_replay`; to find other machines' leftovers, sqs:ListQueues and events:ListRules.

    With --json each line is an object: `event` when one comes, `end` with its traces.

    Exit status: 0 · 1 AWS refuses or does not answer · 2 unusable arguments.

    Examples: media-events tail · media-events tail --environment prod --partner mux --type 'asset.*' ·
    media-events tail --route ready-to-cms --for 10m · media-events tail --count 1 --json | jq .end
    """
    seconds = seconds_of(lasting)
    if seconds is None or not 0 < seconds <= LONGEST_SECONDS:
        fail(f"--for {lasting!r} is no time up to 12h", hint="write 90s, 30m or 12h", exit_code=UNUSABLE)
    deployment = find(where)
    selection = Selection.of(deployment.topology, partners=partner or [], types=type_ or [], routes=route or [])
    if deployment.topology.bus_arn is None:
        fail(
            "Terraform's outputs are not at hand: they name the bus",
            hint="choose an --environment that is deployed, or name the file of `terraform output -json` in "
            "MEDIA_EVENTS_OUTPUTS",
            exit_code=UNUSABLE,
        )
    tell = _print_json if json else _print
    try:
        _run(deployment, deployment.topology.bus_arn, selection, time.time() + seconds, count, tell)
    except ProcessingError as error:
        advice = hint(error, "see that your role has the operators' policies `read` and `archive_replay`")
        raise OperatorError(CONTACT.problem(error), hint=advice) from error


def _run(  # noqa: PLR0913, PLR0917
    deployment: Deployment,
    bus_arn: str,
    selection: Selection,
    until: float,
    count: int | None,
    tell: Callable[[Came | Ended], None],
) -> None:
    from media_events_kit.ops.archive_replay.bootstrap import owners, remove_leftovers_of  # noqa: PLC0415  # botocore takes a while; --help needs none of it
    from media_events_kit.ops.archive_replay.temporary_rule import opened  # noqa: PLC0415
    from media_events_kit.ops.trace.bootstrap import follower  # noqa: PLC0415

    client = deployment.cloud.client
    remove_leftovers_of(deployment)
    rule = opened(
        client("events"),
        client("sqs"),
        bus_arn,
        kind="tail",
        pattern=selection.rule_pattern(),
        until=until,
        owners=owners(deployment),
    )
    with rule as open_rule:
        note(f"listening on {bus_arn.rpartition('/')[2]}; Ctrl-C ends it")
        watch = Watch(open_rule.events, selection, deployment.topology, follower(deployment), time.time)
        try:
            for one in watch.run(until, count):
                tell(one)
        except KeyboardInterrupt:
            note("stopped")


def _print(one: Came | Ended) -> None:
    if isinstance(one, Came):
        way = " → " + ", ".join(one.takers) if one.takers else "  no hop takes it"
        rest = "" if one.followed else "  (not followed: 20 are)"
        text = Text.assemble(
            (f"{time.strftime('%H:%M:%S')} ", "dim"),
            (plain(f"{one.type}  {one.source.removeprefix('partner.')}  {one.event_id}"), "bold"),
            plain(way),
            (rest, "dim"),
        )
        out.print(text, soft_wrap=True)
        return
    for trace in one.traces:
        if trace.found:
            left = "" if one.over else "  (followed no longer)"
            out.print(Text.assemble((f"{time.strftime('%H:%M:%S')} ", "dim"), line(trace), left), soft_wrap=True)


def _print_json(one: Came | Ended) -> None:
    document: dict[str, Any]
    if isinstance(one, Came):
        document = {
            "event": {
                "id": one.event_id,
                "source": one.source,
                "type": one.type,
                "time": one.time,
                "takers": list(one.takers),
                "followed": one.followed,
            }
        }
    else:
        traces = [trace.to_dict() for trace in one.traces if trace.found]
        document = {"end": {"id": one.event_id, "over": one.over, "traces": traces}}
    sys.stdout.write(json_format.dumps(document, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()
