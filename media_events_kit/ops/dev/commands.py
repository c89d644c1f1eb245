"""`media-events dev`: a workflow on the local cloud, while it is written."""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Annotated, Final

import typer
from rich.text import Text

from media_events_kit.kit_files import COMMAND, project
from media_events_kit.ops.demo import http_receiver_process
from media_events_kit.ops.demo.http_receiver import CONTROL, REQUESTS
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.deployment.discovery import find
from media_events_kit.ops.dev import resources, stand_ins
from media_events_kit.ops.dev.files import Watcher, files_of
from media_events_kit.ops.dev.session import Applied, Session
from media_events_kit.ops.dev.stand_ins import StandIns
from media_events_kit.ops.local import endpoint, lifecycle, process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.hooks import HOOKS, collected
from media_events_kit.ops.local.lifecycle import UpOptions
from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT, LocalPaths, local_paths
from media_events_kit.ops.local.synthesis import Stack
from media_events_kit.ops.local.terraform import TerraformError
from media_events_kit.ops.shared.console import OperatorError, note, out, print_error
from media_events_kit.ops.shared.json_files import read_object
from media_events_kit.ops.shared.options import Where
from media_events_kit.ops.shared.own_command import media_events, own_packages
from media_events_kit.ops.trace.model import EventTrace
from media_events_kit.ops.trace.rendering import line

_CLOSE_SECONDS: Final = 10.0


def dev(
    send: Annotated[
        list[str] | None,
        typer.Option(
            "--send",
            metavar="PARTNER[:TYPE]",
            help="Send this sample after each change; repeatable [default: one of each type of each partner].",
        ),
    ] = None,
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="An environment of workflow.yaml.", show_default=True)
    ] = DEFAULT_ENVIRONMENT,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the review page, too.")] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local cloud running at the end.")] = False,
) -> None:
    """Try a workflow while you write it: what you save is checked and applied, and samples go through it.

    It starts the local cloud, and watches workflow.yaml, the files that it names, main.py and samples/. A mistake is
    told with its line, and the cloud stays as it was. After each apply it sends partners' samples and shows where each
    arrived.

    Destinations of others are played here, so that nothing fails that you did not declare: an HTTP system by a
    receiver that shows what came, a queue, topic, bus, stream, function or state machine by a local one of that name,
    a secret by a random one. Let a receiver fail: `curl -X PUT '<receiver>/_control/<destination>?status=503'`; 200
    repairs it.

    A change of a pattern, a step or an address is there within seconds. A new route takes half a minute, since
    Terraform's AWS provider waits so long for its queues. Ctrl-C ends it, and the cloud with it unless it ran before.

    Exit status: 0 · 1 the local cloud can't be started · 2 the workflow can't be used.

    Examples: media-events dev · media-events dev --send mux:asset.ready · media-events dev --no-page --keep
    """
    from media_events_kit.ops.dev.playing import Playing  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    paths, folder = local_paths(environment), project()
    wanted = [(one.partition(":")[0], one.partition(":")[2] or None) for one in send or []]
    watcher = Watcher(functools.partial(files_of, folder))
    with _cloud(paths, keep=keep) as receiver:
        variables, external = collected(paths)
        options = UpOptions(
            variables=variables,
            external_resources=external,
            amend=functools.partial(amend, receiver=receiver),
        )
        lifecycle.up(paths, options)
        _say_hello(paths, receiver)
        playing = Playing(
            deployment=lambda: find(Where(environment=environment)),
            receiver=receiver,
            wanted=wanted,
            folder=folder,
            trace=_show,
            tell=_tell,
            stop=watcher.saved,
            got=len(receiver.requests()),
        )
        session = Session(
            watcher=watcher,
            apply=functools.partial(apply, paths, options),
            play=playing,
            tell=_tell,
            fault=print_error,
            idle=playing.receipts,
            folder=folder,
        )
        with _page(paths) if page else nullcontext(), suppress(KeyboardInterrupt):
            session.run(itertools.count())


@contextmanager
def _cloud(paths: LocalPaths, *, keep: bool) -> Iterator[Receiver]:
    """A receiver, for the time of the session; at the end cloud and receiver end, if they did not run before."""
    was_up = lifecycle.is_up(paths)
    running = Receiver.read(paths)
    receiver = running or http_receiver_process.start(paths, process.free_port())
    try:
        yield receiver
    finally:
        # A second Ctrl-C must not leave half of it behind.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if was_up or keep:
            note(f"the local cloud runs on; {COMMAND} local down stops it")
        else:
            lifecycle.down(paths)
            for hook in HOOKS:
                hook.after_down(paths)
            http_receiver_process.stop(paths)


def amend(record: CloudRecord, stack: Stack, *, receiver: Receiver) -> None:
    """Put stand-ins into a synthesised stack, make them, and tell of them once."""
    file = stack.directory / "cdk.tf.json"
    document, found = stand_ins.played(read_object(file), region=stack.region, receiver=receiver.url)
    clients = Clients(record)
    resources.ensure(clients, found.resources)
    kinds = dict.fromkeys(found.secrets, "api-key") | dict(stand_ins.auth_of(document))
    made = resources.ensure_secrets(clients, {arn: kinds[arn] for arn in found.secrets})
    made |= resources.ensure_connections(clients, found.connections)
    file.write_text(json.dumps(stand_ins.with_arns(document, made), indent=2) + "\n", encoding="utf-8")
    _tell_of(found)


_TOLD: Final[set[str]] = set()


def _tell_of(found: StandIns) -> None:
    lines = [f"{name} is played here, in place of {url}" for name, url in found.receivers.items()]
    lines += [f"{arn} is made here, in place of another account's" for arn in found.resources]
    for each in lines:
        if each not in _TOLD:
            _TOLD.add(each)
            note(each)


def apply(paths: LocalPaths, options: UpOptions) -> Applied:
    try:
        return Applied(lifecycle.update(paths, options).seconds)
    except OperatorError as error:
        # The state may not be what there is, a change needs another cloud, or the cloud has gone: `up` finds out.
        if not isinstance(error, TerraformError) and error.exit_code != endpoint.GONE:
            raise
        note(error.message)
        note("applying the whole workflow again")
        return Applied(lifecycle.up(paths, options).seconds)


@contextmanager
def _page(paths: LocalPaths) -> Iterator[None]:
    """The review page, served by a process of its own."""
    server = subprocess.Popen(
        media_events("review", "serve", "--port", "0", "--environment", paths.environment),
        env={**os.environ, **own_packages()},
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(_CLOSE_SECONDS)


def _say_hello(paths: LocalPaths, receiver: Receiver) -> None:
    record = lifecycle.require_record(paths)
    note(f"endpoint   {record.endpoint}")
    note(f"receiver   {receiver.url}{REQUESTS} shows what came")
    note(f"break one  curl -X PUT '{receiver.url}{CONTROL}/<destination>?status=503' (200 repairs it)")
    note("watching   save workflow.yaml or a file that it names; Ctrl-C ends it")


def _tell(text: str) -> None:
    out.print(Text(f"{time.strftime('%H:%M:%S')} {text}"), soft_wrap=True)


def _show(trace: EventTrace) -> None:
    out.print(Text.assemble(f"{time.strftime('%H:%M:%S')} ", line(trace)), soft_wrap=True)
