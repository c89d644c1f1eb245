"""`media-events status`: a deployment on one screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.live import Live

from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.shared.console import fail, out, print_json
from media_events_kit.ops.shared.options import Json, Where, spread
from media_events_kit.ops.status.model import Verdict
from media_events_kit.ops.status.rendering import show

if TYPE_CHECKING:
    from media_events_kit.ops.status.collector import StatusCollector

UNUSABLE: Final = 2
STATUSES: Final[dict[Verdict, int]] = {"nothing": 0, "something": 1, "unknown": 2}


@spread
def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=1, max=3600, help="With --watch: seconds between two refreshes.")] = 5.0,
    where: Where,
    json: Json = False,
) -> None:
    """Show a deployment on one screen: what needs a person now, open items, queues, dead letters, circuit breakers.

    Exit status: 0 nothing needs a person · 1 something does · 2 can't tell (something could not be read), or unusable
    arguments. With --watch it is that of the last refresh.

    Examples: media-events status · media-events status --watch --every 10 ·
    media-events status --json | jq -r '.needs[].what'
    """
    from media_events_kit.ops.archive_replay.bootstrap import remove_leftovers_of  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    if watch and json:
        fail("--watch shows a screen, --json is for programs", hint="leave one of them out", exit_code=UNUSABLE)
    deployment = find(where)
    remove_leftovers_of(deployment)
    collector = _collector(deployment)
    status = collector.collect()
    if json:
        print_json(status.to_dict())
    elif not watch:
        out.print(show(status))
    else:
        with Live(show(status), console=out, auto_refresh=False, screen=out.is_terminal) as live:
            try:
                while True:
                    time.sleep(every)
                    status = collector.collect()
                    live.update(show(status), refresh=True)
            except KeyboardInterrupt:
                pass
        out.print(show(status))
    raise typer.Exit(STATUSES[status.verdict])


def _collector(deployment: Deployment) -> StatusCollector:
    from media_events_kit.ops.status.bootstrap import collector  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    return collector(deployment)
