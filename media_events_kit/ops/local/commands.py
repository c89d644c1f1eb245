"""`media-events local`: the local cloud's commands."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from media_events_kit.kit_files import COMMAND
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.function_logs import LogLine, LogReader, function_names
from media_events_kit.ops.local.hooks import HOOKS, collected
from media_events_kit.ops.local.overview import overview_of, show
from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT, local_paths
from media_events_kit.ops.shared.console import OperatorError, out, print_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Environment = Annotated[
    str, typer.Option("--environment", "-e", help="An environment of workflow.yaml.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def up(
    environment: Environment = DEFAULT_ENVIRONMENT,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="The endpoint's port [default: a free one].")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Plan again, and fail if anything would change.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Discard the running cloud, and start a new one.")] = False,
    as_json: Json = False,
) -> None:
    """Start the local cloud and apply the workflow to it. Run it again after a change."""
    paths = local_paths(environment)
    variables, external_resources = collected(paths)
    options = lifecycle.UpOptions(
        port=port, check=check, clean=clean, variables=variables, external_resources=external_resources
    )
    result = lifecycle.up(paths, options)
    urls = webhook_urls(result.outputs, result.record)
    if as_json:
        print_json(
            {
                "endpoint": result.record.endpoint,
                "pid": result.record.pid,
                "seconds": result.seconds,
                "webhook_urls": urls,
                "outputs": result.outputs,
            }
        )
        return
    out.print("The local cloud is up: " + ", ".join(f"{name} {took:g} s" for name, took in result.seconds.items()))
    out.print(f"  endpoint     {result.record.endpoint}", soft_wrap=True)
    for partner, url in urls.items():
        out.print(f"  webhook      {partner}: {url}", soft_wrap=True)
    out.print(f"  trust        {result.record.ca_bundle}", soft_wrap=True)
    out.print(f"  look         {COMMAND} local status; {COMMAND} local logs --follow")
    out.print(f"  stop         {COMMAND} local down")


@app.command()
def down(environment: Environment = DEFAULT_ENVIRONMENT, as_json: Json = False) -> None:
    """Stop the local cloud and delete its state."""
    paths = local_paths(environment)
    stopped = lifecycle.down(paths)
    for hook in HOOKS:
        hook.after_down(paths)
    if as_json:
        print_json({"stopped": stopped})
    else:
        out.print("The local cloud is stopped." if stopped else "No local cloud was running.")


@app.command()
def status(environment: Environment = DEFAULT_ENVIRONMENT, as_json: Json = False) -> None:
    """Show queues, functions and open review items. Exit status 3: no local cloud runs."""
    paths = local_paths(environment)
    try:
        record = lifecycle.require_record(paths)
    except OperatorError as error:
        if as_json:
            print_json({"running": False, "reason": error.message})
            raise typer.Exit(error.exit_code) from None
        raise
    outputs = lifecycle.read_outputs(paths)
    overview = overview_of(Clients(record), outputs, webhook_urls(outputs, record))
    if as_json:
        print_json(overview.to_dict())
    else:
        out.print(show(overview))


@app.command()
def env(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Print the variables that point AWS tools at the local cloud: eval "$(media-events local env)"."""
    record = lifecycle.require_record(local_paths(environment))
    for name, value in record.variables().items():
        out.print(f"export {name}='{value}'", soft_wrap=True, markup=False)


@app.command()
def logs(
    function: Annotated[str | None, typer.Argument(help="Part of a function's name [default: all functions].")] = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue until Ctrl-C.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Include the runtime's own lines, and metrics.")] = False,
    as_json: Json = False,
) -> None:
    """Print the functions' log lines, oldest first."""
    record = lifecycle.require_record(local_paths(environment))
    reader = LogReader(Clients(record).logs, _functions(record, function))
    while True:
        for line in reader.new_lines():
            if everything or not line.is_noise:
                _print_line(line, as_json=as_json)
        if not follow:
            return
        time.sleep(0.5)


def _functions(record: CloudRecord, wanted: str | None) -> list[str]:
    names = function_names(Clients(record).logs)
    matching = [name for name in names if wanted is None or wanted in name]
    if not matching:
        hint = "the functions are: " + ", ".join(names)
        raise OperatorError(f"no function's name contains {wanted!r}", hint=hint, exit_code=2)
    return matching


_FIELDS = ("event_id", "partner", "type", "hop", "destination", "redrive_count", "status", "reason")


def _print_line(line: LogLine, *, as_json: bool) -> None:
    if as_json:
        fields = line.fields or {"message": line.message}
        out.print_json(data={"function": line.function, "timestamp": line.timestamp, **fields}, indent=None)
        return
    moment = time.strftime("%H:%M:%S", time.localtime(line.timestamp / 1000))
    shown = " ".join(f"{name}={line.fields[name]}" for name in _FIELDS if line.fields.get(name) not in {None, ""})
    out.print(f"{moment} {line.function}: {line.message} {shown}".rstrip(), markup=False, soft_wrap=True)
