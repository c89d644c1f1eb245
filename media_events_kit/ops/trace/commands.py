"""`media-events trace`: the trace of an event over all hops."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.text import Text

from media_events.core.failures import ProcessingError
from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.shared.console import OperatorError, fail, note, out, print_json
from media_events_kit.ops.shared.contact import CONTACT, hint
from media_events_kit.ops.shared.options import Json, Where, spread
from media_events_kit.ops.trace.model import EventTrace, Verdict, gravest
from media_events_kit.ops.trace.rendering import show, summary_of

UNKNOWN_ID: Final = 1
UNUSABLE: Final = 2
STATUSES: Final[dict[Verdict, int]] = {"finished": 0, "in flight": 3, "needs a person": 4, "unknown": 5}

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@spread
def trace(
    event_id: Annotated[
        str, typer.Argument(help="The event's id, its correlation id, or the partner's id of the asset or job.")
    ],
    *,
    since: Annotated[
        str | None,
        typer.Option(
            help="Read the logs from this time: 90m, 6h, 3d, or 2026-11-23T22:00Z "
            "[default: by the idempotency store and the review table; else a day ago]."
        ),
    ] = None,
    where: Where,
    json: Json = False,
) -> None:
    """Show an event's trace over all hops: what happened when, and where it is now. Never shows its content.

    It is put together from the functions' logs, the idempotency store, the review table, the depths of the queues and
    Step Functions' executions; nothing is changed. It says what could not be found out.

    Exit status: 0 finished (delivered, archived, or taken by no rule) · 1 no trace of such an event · 2 unusable
    arguments · 3 in flight · 4 needs a person (in review, or missing) · 5 can't tell: something could not be read. Of
    several events the gravest counts.

    Examples: media-events trace 0f1d2c3b-4a59-4c77-9a4e-6f1f3f2b1c0d · media-events trace job-4711 --since 3d ·
    media-events trace "$ID" --json
    """
    begin = None if since is None else moment(since, now=time.time())
    deployment = find(where)
    traces = _search(deployment, event_id, begin)
    found = [event for event in traces if event.found]
    if json:
        print_json({"events": [event.to_dict() for event in found or traces]})
    elif found:
        for index, event in enumerate(found):
            if index:
                out.print()
            out.print(show(event))
        note(summary_of(found[-1].reading))
    if not found:
        _not_found(event_id, traces, json=json)
    raise typer.Exit(STATUSES[gravest(event.verdict for event in found)])


def _not_found(event_id: str, traces: list[EventTrace], *, json: bool) -> None:
    problems = list(dict.fromkeys(problem for event in traces for problem in event.unknown))
    if problems:
        if not json:
            for problem in problems:
                out.print(Text(problem))
        fail(
            f"no record of {event_id!r} was found, but not everything could be read",
            exit_code=STATUSES["unknown"],
            hint="check the credentials and their permissions: the policy `read` of dlq-review has all of them",
        )
    fail(
        f"there is no trace of an event {event_id!r}: neither in the idempotency store and the review table, nor in "
        f"the logs since {traces[0].reading.since}",
        hint="look further back with --since 7d; idempotency records expire after 158 days, logs after "
        "log_retention_days",
        exit_code=UNKNOWN_ID,
    )


def _search(deployment: Deployment, term: str, since: float | None) -> list[EventTrace]:
    from media_events_kit.ops.trace.bootstrap import tracer  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    try:
        return tracer(deployment).search(term, since=since)
    except ProcessingError as error:
        advice = hint(error, "check the credentials, their permissions and the tables' names")
        raise OperatorError(CONTACT.problem(error), hint=advice, exit_code=STATUSES["unknown"]) from error


def moment(text: str, *, now: float) -> float:
    """Epoch seconds of ``90m``, ``6h``, ``3d`` before ``now``, or of an RFC 3339 time (UTC without an offset).

    Raises:
        OperatorError: it is neither, or in the future.
    """
    ago = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    try:
        when = now - int(ago[1]) * _UNITS[ago[2]] if ago else _absolute(text)
    except (ValueError, OverflowError):
        fail(f"--since {text!r} is no time", hint="write 90m, 6h, 3d, or 2026-11-23T22:00Z", exit_code=UNUSABLE)
    if when > now:
        fail(f"--since {text!r} is in the future", exit_code=UNUSABLE)
    return max(0.0, when)


def _absolute(text: str) -> float:
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
