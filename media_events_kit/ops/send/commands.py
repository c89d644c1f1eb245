"""`media-events send`: a partner's event, sent as the partner does, and the way it takes."""

from __future__ import annotations

import json as json_format
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from media_events.core.failures import ProcessingError
from media_events_kit.kit_files import project
from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.shared.console import OperatorError, err, fail, note, out, plain, print_json
from media_events_kit.ops.shared.contact import CONTACT, hint
from media_events_kit.ops.shared.input_files import read_input
from media_events_kit.ops.shared.options import Json, Profile, Region, Where
from media_events_kit.ops.trace.commands import STATUSES
from media_events_kit.ops.trace.model import EventTrace, gravest
from media_events_kit.ops.trace.rendering import line, show

if TYPE_CHECKING:
    from media_events_kit.ops.send.freshness import Place
    from media_events_kit.ops.send.player import Player, Sent
    from media_events_kit.ops.send.samples import Sample

REFUSED: Final = 1
UNUSABLE: Final = 2
MOST_FOLLOWED: Final = 20


def send(  # noqa: PLR0913, PLR0917 - one parameter per option
    partner: Annotated[str | None, typer.Argument(help="A partner of the workflow [default: list them].")] = None,
    type_: Annotated[
        str | None,
        typer.Argument(metavar="[TYPE]", help="The event's type, neutral or the partner's own [default: any sample]."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="The environment [default: MEDIA_EVENTS_ENVIRONMENT, else local]."),
    ] = None,
    ingress: Annotated[str | None, typer.Option(help="Which ingress, where the partner has several.")] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Send this body; - for standard input [default: a sample].")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the body, as JSON or text; repeatable."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many events.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.01, max=100, help="Events in a second, at most [default: one after another].")
    ] = None,
    same: Annotated[bool, typer.Option("--same", help="Send the body as it is, not as another event.")] = False,
    forged: Annotated[bool, typer.Option("--forged", help="Sign it with a wrong secret.")] = False,
    wait: Annotated[float, typer.Option(min=0, max=3600, help="Seconds to follow what becomes of it.")] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before sending to AWS.")] = False,
    region: Region = None,
    profile: Profile = None,
    json: Json = False,
) -> None:
    """Send an event as a partner does, and show the way it takes.

    It is a sample of the partner's own events, as another event of now: one of its preset's, or of yours in
    `samples/PARTNER-….json` beside the workflow file. It goes by the partner's ingress: a webhook is signed with the
    partner's secret, which is read from Secrets Manager; a queue, a topic or a bus gets a message. An event that only
    AWS may put on a bus begins in the ingress's queue. On AWS it is an event like any other, and your destinations get
    it. Your credentials need the operators' policy `read`, lambda:GetFunctionConfiguration and s3:GetObject for the
    ingress's configuration, and secretsmanager:GetSecretValue, sqs:SendMessage, sns:Publish or events:PutEvents.

    Exit status: 0 finished · 1 the ingress refused it · 2 unusable arguments · 3 still in flight · 4 needs a person ·
    5 can't tell. Of several events the gravest counts.

    Examples: media-events send mux · media-events send mux asset.ready --set data.duration=3 ·
    media-events send frameio --file event.json --same · media-events send mux --count 200 --rate 10 --wait 0 ·
    media-events send mux --to dev --yes --json | jq .events
    """
    where = Where(environment=to, region=region, profile=profile)
    deployment = find(where)
    with err.status("reading the deployment"):
        if partner is None:
            _list(deployment, json=json)
            return
        player, sample = _prepared(deployment, partner, type_, ingress, file, _places(changes or []))
    _confirm(deployment, count, yes=yes)
    began = time.time()
    sent = _send_all(player, sample, count, rate, fresh=not same, forged=forged, quiet=json)
    accepted = [one for one in sent if one.answer.accepted]
    traces = _followed(deployment, accepted, wait, quiet=json)
    if json:
        print_json(_document(player, sample, sent, traces, time.time() - began))
    else:
        _tell(sent, accepted, traces, time.time() - began)
    raise typer.Exit(_status(sent, accepted, traces, wait))


def _list(deployment: Deployment, *, json: bool) -> None:
    from media_events_kit.ops.send.player import partners_of  # noqa: PLC0415  # botocore takes a while; --help needs none of it
    from media_events_kit.ops.send.samples import samples  # noqa: PLC0415

    rows: list[dict[str, Any]] = [
        {
            "partner": way.partner,
            "ingress": way.ingress,
            "kind": way.kind,
            "samples": [one.name for one in samples(way.partner, way.preset, project())],
            "refusal": way.refusal,
        }
        for way in partners_of(deployment)
    ]
    if json:
        print_json({"partners": rows})
        return
    for row in rows:
        names = ", ".join(row["samples"]) or "no sample: use --file"
        out.print(f"{row['partner']}  by {row['ingress']} ({row['kind']})  {row['refusal'] or names}", markup=False)


def _places(changes: list[str]) -> dict[Place, Any]:
    from media_events_kit.ops.send.freshness import place_of  # noqa: PLC0415

    found: dict[Place, Any] = {}
    for change in changes:
        path, equals, value = change.partition("=")
        try:
            place = place_of(path)
        except ValueError as error:
            fail(f"--set: {error}", exit_code=UNUSABLE)
        if not equals:
            fail(f"--set {change!r} has no value", hint="write --set data.duration=3", exit_code=UNUSABLE)
        try:
            found[place] = json_format.loads(value)
        except ValueError:
            found[place] = value
    return found


def _prepared(  # noqa: PLR0913, PLR0917
    deployment: Deployment,
    partner: str,
    kind: str | None,
    ingress: str | None,
    file: str | None,
    changes: dict[Place, Any],
) -> tuple[Player, Sample]:
    from media_events_kit.ops.send.player import players, sample_of  # noqa: PLC0415
    from media_events_kit.ops.send.samples import Sample  # noqa: PLC0415

    (player,) = players(deployment, [(partner, ingress)], changes=changes)
    if file is not None:
        if kind is not None:
            fail("a file has its own type", hint="leave TYPE or --file out", exit_code=UNUSABLE)
        return player, Sample("standard input" if file == "-" else Path(file).name, read_input(file, "--file"))
    return player, sample_of(player, kind, project())


def _confirm(deployment: Deployment, count: int, *, yes: bool) -> None:
    if deployment.cloud.record is not None or yes:
        return
    many = "An event" if count == 1 else f"{count} events"
    question = f"{many} will go to this deployment's destinations on AWS. Send?"
    if not err.is_terminal:
        fail("this would send to AWS, where real destinations get it", hint="add --yes", exit_code=UNUSABLE)
    if not typer.confirm(question, err=True):
        raise typer.Exit(UNUSABLE)


def _send_all(  # noqa: PLR0913
    player: Player, sample: Sample, count: int, rate: float | None, *, fresh: bool, forged: bool, quiet: bool
) -> list[Sent]:
    """Send ``count`` times; Ctrl-C ends it, and what was sent is told."""
    sent: list[Sent] = []
    began = time.monotonic()
    try:
        for number in range(count):
            if rate is not None:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
            one = player.send(sample, fresh=fresh, forge=forged)
            sent.append(one)
            if not quiet and count <= MOST_FOLLOWED:
                _print_sent(one)
    except KeyboardInterrupt:
        note(f"stopped after {len(sent)} of {count}")
    except ProcessingError as error:
        done = f"{len(sent)} of {count} were sent; " if count > 1 else ""
        raise OperatorError(
            f"{done}{CONTACT.problem(error)}",
            hint=hint(error, "allow yourself to send to this ingress, and see that it is there (media-events verify)"),
        ) from error
    return sent


def _print_sent(sent: Sent) -> None:
    names = ", ".join(f"{one.type} {one.id}" for one in sent.outgoing.arrivals)
    out.print(Text(plain(f"{sent.answer.text}  {names}".rstrip())), soft_wrap=True)
    if sent.outgoing.refusal is not None:
        note(f"  the ingress refuses it: {sent.outgoing.refusal}")


def _followed(deployment: Deployment, accepted: list[Sent], wait: float, *, quiet: bool) -> list[EventTrace]:
    from media_events_kit.ops.trace.bootstrap import follower  # noqa: PLC0415

    ids = list(dict.fromkeys(event.id for one in accepted for event in one.outgoing.arrivals))
    if not ids or wait <= 0:
        return []
    following = follower(deployment)
    followed = [following.add(event_id) for event_id in ids[-MOST_FOLLOWED:]]
    if len(ids) > len(followed) and not quiet:
        note(f"following the last {len(followed)} of {len(ids)}")
    try:
        with err.status("following it"):
            for one in following.until(time.time() + wait, time.sleep):
                if not quiet and len(ids) > 1:
                    for trace in one.traces:
                        out.print(line(trace), soft_wrap=True)
    except KeyboardInterrupt:
        note("stopped following")
    except ProcessingError as error:
        note(f"it was sent, and can't be followed: {CONTACT.problem(error)}")
    return [trace for one in followed for trace in one.traces if trace.found]


def _tell(sent: list[Sent], accepted: list[Sent], traces: list[EventTrace], seconds: float) -> None:
    if len(sent) == 1:
        for trace in traces:
            out.print()
            out.print(show(trace))
        return
    refused = len(sent) - len(accepted)
    note(f"{len(accepted)} of {len(sent)} accepted, {refused} refused, in {seconds:.1f} s")
    if len(sent) > MOST_FOLLOWED:
        for text in list(dict.fromkeys(one.answer.text for one in sent if not one.answer.accepted))[:5]:
            note(f"  {plain(text)}")


def _status(sent: list[Sent], accepted: list[Sent], traces: list[EventTrace], wait: float) -> int:
    if len(accepted) < len(sent) or not sent:
        return REFUSED
    if wait <= 0:
        return 0
    if not traces:
        return STATUSES["in flight"]
    return STATUSES[gravest(trace.verdict for trace in traces)]


def _document(
    player: Player, sample: Sample, sent: list[Sent], traces: list[EventTrace], seconds: float
) -> dict[str, Any]:
    return {
        "partner": player.way.partner,
        "ingress": player.way.ingress,
        "sample": sample.name,
        "seconds": round(seconds, 1),
        "messages": [
            {
                "accepted": one.answer.accepted,
                "answer": one.answer.text,
                "refusal": one.outgoing.refusal,
                "events": [{"id": event.id, "type": event.type} for event in one.outgoing.arrivals],
            }
            for one in sent
        ],
        "events": [trace.to_dict() for trace in traces],
    }
