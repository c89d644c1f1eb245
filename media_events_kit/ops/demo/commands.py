"""`media-events demo`: the demonstration, and single events to play with."""

from __future__ import annotations

import json
import signal
from contextlib import suppress
from typing import Annotated, Any

import typer

from media_events_kit.kit_files import COMMAND
from media_events_kit.ops.demo import external_resources, http_receiver_process, review_page
from media_events_kit.ops.demo.fake_systems import TRANSCODER, finished
from media_events_kit.ops.demo.http_receiver import CONTROL, REQUESTS
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.runner import DemoRun
from media_events_kit.ops.demo.scenario import BROKEN, PRESETS
from media_events_kit.ops.demo.senders import Sender
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import LocalPaths, local_paths
from media_events_kit.ops.shared.console import OperatorError, err, out, print_json

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, and print how to use it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """See the whole path run: signed webhooks, transforms, routes, a destination that fails, the review of failures."""
    if context.invoked_subcommand is not None:
        return
    paths = local_paths()
    cloud_was_up = lifecycle.is_up(paths)
    receiver_was_up = Receiver.read(paths) is not None
    ready = False
    try:
        result = DemoRun(paths, err if as_json else out, page=keep).run()
        ready = True
    finally:
        # A second Ctrl-C must not leave half of it behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not (keep and ready):
            if keep:
                review_page.stop(paths)
            if not cloud_was_up:
                with suppress(OperatorError):
                    lifecycle.down(paths)
                    external_resources.forget(paths)
            if not receiver_was_up:
                http_receiver_process.stop(paths)
    if as_json:
        print_json(result)
    if keep or cloud_was_up:
        _print_hints(paths)
    if not result["ok"]:
        raise typer.Exit(1)


@app.command("finish-transcode")
def finish_transcode() -> None:
    """Let the transcoder say by webhook that its last order is done, in a demonstration that was left running."""
    paths = local_paths()
    record = lifecycle.require_record(paths)
    outputs = lifecycle.read_outputs(paths)
    body = finished(_last_order(paths))
    answer = Clients(record).secretsmanager.get_secret_value(SecretId=outputs["secret_names"][TRANSCODER])
    urls = webhook_urls(outputs, record)
    sender = Sender(PRESETS[TRANSCODER], urls[TRANSCODER], answer["SecretString"], record.ca_bundle)
    response = sender.send(body)
    out.print(f"{response.status} {response.body}", markup=False, soft_wrap=True)


def _last_order(paths: LocalPaths) -> dict[str, Any]:
    receiver = Receiver.read(paths)
    requests = [] if receiver is None else receiver.requests()
    orders = [request.body for request in requests if (request.system, request.status) == (TRANSCODER, 201)]
    if not orders:
        raise OperatorError("the transcoder has no orders", hint=f"{COMMAND} send frameio asset.ready")
    order: dict[str, Any] = json.loads(orders[-1])
    return order


def _print_hints(paths: LocalPaths) -> None:
    record = lifecycle.require_record(paths)
    receiver = Receiver.read(paths)
    lines = ["", "It is left running. Try it:"]
    if link := review_page.link(paths):
        lines.append(f"  the page:              {link}")
    lines += [
        f"  webhook of {partner}: {url}" for partner, url in webhook_urls(lifecycle.read_outputs(paths), record).items()
    ]
    if receiver is not None:
        lines += [
            f"  the receiver got:      {receiver.url}{REQUESTS}",
            f"  break the review tool: curl -X PUT '{receiver.url}{CONTROL}/{BROKEN}?status=503'",
            f"  repair it:             curl -X PUT '{receiver.url}{CONTROL}/{BROKEN}?status=200'",
        ]
    lines += [
        f"  send an event:         {COMMAND} send frameio asset.ready",
        f"  finish its transcode:  {COMMAND} demo finish-transcode",
        f"  forge one:             {COMMAND} send mux --forged",
        f"  look:                  {COMMAND} local status; {COMMAND} local logs --follow",
        f"  review failures:       {COMMAND} review list",
        f'  any AWS tool:          eval "$({COMMAND} local env)"',
        f"  stop it all:           {COMMAND} local down",
    ]
    for line in lines:
        err.print(line, markup=False, soft_wrap=True)
