"""The `media-events` command: each group of commands is a module of its own, imported when it is needed."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any, Final

import typer
from typer.exceptions import Abort, Exit, TyperException

from media_events_kit.kit_files import INSTALL, runnable, version
from media_events_kit.ops.shared.console import OperatorError, err, out, print_error


@dataclass(frozen=True, slots=True)
class Part:
    """A group of commands, or one command.

    ``module`` holds the group's ``app``, or for one command the function that ``command`` names. ``added`` are commands
    that other modules add to the group: a module, and the name of its function. The import of a module in ``hooks``
    registers work of another group with this one.
    """

    module: str
    help: str
    command: str | None = None
    added: tuple[tuple[str, str], ...] = ()
    hooks: tuple[str, ...] = ()


PARTS: Final[dict[str, Part]] = {
    "init": Part("media_events_kit.ops.project.init_command", "Begin a repository of your own.", "init"),
    "synth": Part("media_events_kit.ops.project.synth_command", "From the workflow file to Terraform's JSON.", "synth"),
    "local": Part(
        "media_events_kit.ops.local.commands",
        "The local cloud: start it, stop it, look into it.",
        hooks=("media_events_kit.ops.demo.local_hook",),
    ),
    "demo": Part(
        "media_events_kit.ops.demo.commands", "See the whole path run, from signed webhooks to the review page."
    ),
    "dev": Part(
        "media_events_kit.ops.dev.commands",
        "Try a workflow while you write it.",
        "dev",
        hooks=("media_events_kit.ops.demo.local_hook",),
    ),
    "partner": Part("media_events_kit.ops.partner.commands", "Partner specifications: list, show and check them."),
    "check": Part(
        "media_events_kit.ops.check.command", "Specifications and steps for the modules, and those in a plan.", "check"
    ),
    "route": Part("media_events_kit.ops.route.commands", "Try event patterns and routes out, without AWS."),
    "diagram": Part(
        "media_events_kit.ops.diagram.command", "Draw the workflow file, and what a change does to it.", "diagram"
    ),
    "send": Part(
        "media_events_kit.ops.send.commands", "Send an event as a partner does, and see the way it takes.", "send"
    ),
    "tail": Part("media_events_kit.ops.tail.commands", "A deployment's events as they come.", "tail"),
    "review": Part(
        "media_events_kit.ops.review.cli.commands",
        "Review events that failed for good, and put them right.",
        added=(("media_events_kit.ops.review_web.command", "serve"),),
    ),
    "archive-replay": Part(
        "media_events_kit.ops.archive_replay.commands",
        "Deliver past events again, from the archive (for failed ones: `review retry`).",
    ),
    "trace": Part(
        "media_events_kit.ops.trace.commands",
        "An event's path over all hops: what happened, and where it is now.",
        "trace",
    ),
    "verify": Part(
        "media_events_kit.ops.verify.commands",
        "Whether a deployment is complete, allowed to work, and heard.",
        "verify",
    ),
    "plan": Part(
        "media_events_kit.ops.changes.plan_command", "What a change does to events, before you apply it.", "plan"
    ),
    "cost": Part("media_events_kit.ops.cost.commands", "What a month's events cost, before the bill comes.", "cost"),
    "deploy": Part("media_events_kit.ops.project.deploy_command", "Plan, judge the plan, and apply it.", "deploy"),
    "destroy-check": Part(
        "media_events_kit.ops.changes.destroy_command",
        "What stops the end of a deployment, and what still waits.",
        "destroy_check",
    ),
    "state": Part(
        "media_events_kit.ops.state.commands", "Terraform's state in S3: move it from the key of earlier versions."
    ),
    "status": Part(
        "media_events_kit.ops.status.commands", "A deployment on one screen: what needs a person now.", "status"
    ),
}


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's callback
    if wanted:
        out.print(version(), highlight=False)
        raise Exit


def build(requested: str | None) -> typer.Typer:
    """The command with one part imported, ``requested``; the others are only listed, so that `--help` is quick.

    Raises:
        OperatorError: a package that the part needs is not installed.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Connect media partners through events: the local cloud, partner specifications, the review of failures.",
    )
    app.callback()(_options)
    for name, part in PARTS.items():
        if name == requested and part.command is not None:
            command = load(name, part)
            app.command(name, help=runnable(inspect.getdoc(command) or ""))(command)
        elif name == requested:
            app.add_typer(_as_typed(load(name, part)), name=name, help=part.help)
        else:
            app.command(name, help=part.help)(_nothing)
    return app


def _as_typed(group: typer.Typer) -> typer.Typer:
    """``group`` with examples as a person types them here."""
    typed = copy.copy(group)
    typed.registered_commands = [copy.copy(one) for one in group.registered_commands]
    for one in typed.registered_commands:
        one.help = runnable(one.help or inspect.getdoc(one.callback) or "")
        one.epilog = runnable(one.epilog) if one.epilog else one.epilog
    return typed


def _nothing() -> None:
    pass


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    del version


@functools.cache
def load(name: str, part: Part) -> Any:
    """The group of a part with all its commands, or the function of its one command.

    Raises:
        OperatorError: a package that the part needs is not installed.
    """
    try:
        for hook in part.hooks:
            importlib.import_module(hook)
        loaded: Any = getattr(importlib.import_module(part.module), part.command or "app")
        for module, command in part.added:
            loaded.command(command)(getattr(importlib.import_module(module), command))
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"`media-events {name}` can't start: the Python module {error.name} is missing", hint=INSTALL
        ) from error
    return loaded


def run(argv: Sequence[str]) -> int:
    """Run the command with ``argv`` (without the program's name); the result is the exit status."""
    try:
        app = build(next((argument for argument in argv if not argument.startswith("-")), None))
        result = app(args=list(argv), prog_name="media-events", standalone_mode=False)
    except OperatorError as error:
        print_error(error)
        return error.exit_code
    except (Abort, KeyboardInterrupt):
        err.print("stopped")
        return 130
    except Exit as error:
        return error.exit_code
    except TyperException as error:
        # Typer's own message says what is wrong and how the command is used.
        return _show(error)
    except BrokenPipeError:
        # The reader of the pipe has gone. Without this, Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return result if isinstance(result, int) else 0


def _show(error: TyperException) -> int:
    show = getattr(error, "show", None)
    if show is None:
        print_error(OperatorError(str(error)))
        return 1
    show()
    return int(getattr(error, "exit_code", 1))


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """The entry point."""
    # These signals end it as Ctrl-C does: Terraform saves its state, and started processes are stopped.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
