"""`media-events local`: the local cloud's commands."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ops.demo import external_resources, http_receiver_process
from ops.local import lifecycle
from ops.local.addresses import webhook_urls
from ops.local.clients import Clients
from ops.local.endpoint import CloudRecord
from ops.local.function_logs import LogLine, LogReader, function_names
from ops.local.overview import look, show
from ops.local.paths import DEFAULT_ENVIRONMENT, local_paths
from ops.shared.console import OperatorError, out, print_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Environment = Annotated[
    str, typer.Option("--environment", "-e", help="An environment of workflow.yaml.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def up(
    environment: Environment = DEFAULT_ENVIRONMENT,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="The endpoint's port; any free one, if left out.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Plan once more: nothing may be left to change.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Forget what is there, and start afresh.")] = False,
    as_json: Json = False,
) -> None:
    """Start the local cloud and apply the workflow to it. Run it again after a change."""
    paths = local_paths(environment)
    result = lifecycle.up(
        paths, lifecycle.UpOptions(port=port, check=check, clean=clean, variables=external_resources.variables(paths))
    )
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
    out.print("  look         bin/media-events local status; bin/media-events local logs --follow")
    out.print("  stop         bin/media-events local down")


@app.command()
def down(environment: Environment = DEFAULT_ENVIRONMENT, as_json: Json = False) -> None:
    """Stop the local cloud and forget its state."""
    paths = local_paths(environment)
    stopped = lifecycle.down(paths)
    http_receiver_process.stop(paths)
    external_resources.forget(paths)
    if as_json:
        print_json({"stopped": stopped})
    else:
        out.print("The local cloud is stopped." if stopped else "No local cloud was running.")


@app.command()
def status(environment: Environment = DEFAULT_ENVIRONMENT, as_json: Json = False) -> None:
    """Show queues, functions and open review items. Exit status 3: it does not run."""
    paths = local_paths(environment)
    try:
        record = lifecycle.require_record(paths)
    except OperatorError as error:
        if as_json:
            print_json({"running": False, "reason": error.message})
            raise typer.Exit(error.exit_code) from None
        raise
    outputs = lifecycle.read_outputs(paths)
    overview = look(Clients(record), outputs, webhook_urls(outputs, record))
    if as_json:
        print_json(overview.to_dict())
    else:
        out.print(show(overview))


@app.command()
def env(environment: Environment = DEFAULT_ENVIRONMENT) -> None:
    """Print the variables that point AWS tools at the local cloud: eval "$(bin/media-events local env)"."""
    record = lifecycle.require_record(local_paths(environment))
    for name, value in record.variables().items():
        out.print(f"export {name}='{value}'", soft_wrap=True, markup=False)


@app.command()
def logs(
    function: Annotated[str | None, typer.Argument(help="Part of a function's name; all, if left out.")] = None,
    environment: Environment = DEFAULT_ENVIRONMENT,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also the runtime's own lines, and metrics.")] = False,
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
    known = function_names(Clients(record).logs)
    found = [name for name in known if wanted is None or wanted in name]
    if not found:
        raise OperatorError(
            f"no function's name has {wanted!r} in it", hint="there are: " + ", ".join(known), exit_code=2
        )
    return found


_FIELDS = ("event_id", "partner", "type", "hop", "destination", "redrive_count", "status", "reason")


def _print_line(line: LogLine, *, as_json: bool) -> None:
    if as_json:
        fields = line.fields or {"message": line.message}
        out.print_json(data={"function": line.function, "timestamp": line.timestamp, **fields}, indent=None)
        return
    moment = time.strftime("%H:%M:%S", time.localtime(line.timestamp / 1000))
    shown = " ".join(f"{name}={line.fields[name]}" for name in _FIELDS if line.fields.get(name) not in {None, ""})
    out.print(f"{moment} {line.function}: {line.message} {shown}".rstrip(), markup=False, soft_wrap=True)
