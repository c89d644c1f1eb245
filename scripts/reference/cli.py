"""The commands of `media-events`, with their arguments and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
from typer.main import get_command

from media_events_kit.ops.cli import PARTS, Part, load
from scripts.reference.markdown import code, table

ROOT: Final = Path(__file__).resolve().parents[2]

_COMPLETION: Final = ("install_completion", "show_completion")
_MOST_OWNERS: Final = 6


def commands() -> str:
    """For each part of the command a table of its commands and one of their options."""
    return "\n\n".join(_rendered(name, part) for name, part in PARTS.items())


def _rendered(name: str, part: Part) -> str:
    by_name = commands_of(name, part)
    rows = [(code(_usage(command, parts)), _summary(parts.help)) for command, parts in by_name.items()]
    options = _options(by_name)
    tables = [table(("command", ""), rows)]
    if options:
        tables.append(table(("option", "of", "meaning", "default"), options))
    return "\n\n".join([f"### {name}", part.help, *tables])


def commands_of(name: str, part: Part) -> Mapping[str, Any]:
    """The commands of one part, by what is typed after `media-events`."""
    if part.command is not None:
        app = typer.Typer()
        app.command(name)(load(name, part))
        return {name: get_command(app)}
    group: Any = get_command(load(name, part))
    children = getattr(group, "commands", {})
    commands = {f"{name} {child}": command for child, command in children.items()}
    return {name: group, **commands} if group.invoke_without_command else commands


def _usage(command: str, parts: Any) -> str:
    arguments = [_argument(parameter) for parameter in parts.params if parameter.param_type_name == "argument"]
    return " ".join([command, *arguments])


def _argument(parameter: Any) -> str:
    metavar = parameter.metavar or parameter.name.upper()
    bare = metavar.strip("[].")
    many = "…" if parameter.nargs == -1 else ""
    return f"{bare}{many}" if parameter.required else f"[{bare}{many}]"


def _options(by_name: Mapping[str, Any]) -> list[tuple[str, ...]]:
    owners_of: dict[tuple[str, str, str], list[str]] = {}
    for command, parts in by_name.items():
        for parameter in parts.params:
            if parameter.param_type_name == "option" and not parameter.hidden and parameter.name not in _COMPLETION:
                flags = ", ".join(code(flag) for flag in (*parameter.opts, *parameter.secondary_opts))
                key = (flags, parameter.help or "", _default(parameter))
                owners_of.setdefault(key, []).append(command.rpartition(" ")[2])
    return [
        (flags, _owners(owners, [command.rpartition(" ")[2] for command in by_name]), text, default)
        for (flags, text, default), owners in owners_of.items()
    ]


def _owners(owners: Sequence[str], everyone: Sequence[str]) -> str:
    others = [name for name in everyone if name not in owners]
    if len(owners) <= _MOST_OWNERS or len(owners) < len(others):
        return ", ".join(owners)
    return "all" + (f" but {', '.join(others)}" if others else "")


def _default(parameter: Any) -> str:
    default = parameter.default
    if isinstance(default, bool) or default in (None, "", (), []) or callable(default):
        return ""
    return code(str(default).removeprefix(f"{ROOT}/"))


def _summary(text: str | None) -> str:
    """The first paragraph of a help text, and the one about the exit status."""
    first, *others = (text or "").split("\n\n")
    return " ".join([first, *(other for other in others if other.lstrip().startswith("Exit status"))])
