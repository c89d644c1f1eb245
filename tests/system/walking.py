"""Walks a page of the documentation: its commands and files are taken from the page itself, and done as they stand."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from media_events_kit.kit_files import KIT
from tests.system.polling import eventually

LINKED = (".venv", ".venv-cloud", "node_modules")
LEFT_OUT = ("tests/", "bench/", "docs/images/", "media_events_cdktf/")
_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"\s{2,}# (?P<text>.*)$")
SECONDS = 300


@dataclass(frozen=True)
class Typed:
    """A command of a page, and what the page says beside it."""

    command: str
    remark: str


def copied(folder: Path) -> Path:
    """A copy of the repository's tracked files, with the environments that setup made."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=KIT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(LEFT_OUT) and (KIT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(KIT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to((KIT / name).resolve())
    return folder


def blocks(page: str, language: str, *, below: str = "") -> list[str]:
    """The texts of a page's blocks, or of those below one heading."""
    text = (KIT / page).read_text(encoding="utf-8")
    if below:
        text = text.partition(f"\n## {below}\n")[2].partition("\n## ")[0]
    return [match["text"] for match in _BLOCK.finditer(text) if match["language"] == language]


def commands(page: str, *, below: str = "") -> list[Typed]:
    """The commands of a page, line by line."""
    lines = [line for block in blocks(page, "sh", below=below) for line in block.splitlines() if line.strip()]
    return [Typed(_COMMENT.sub("", line), _remark(line)) for line in lines]


def _remark(line: str) -> str:
    found = _COMMENT.search(line)
    return found["text"] if found else ""


@dataclass
class Walk:
    """A person at a shell in ``folder``. ``known`` replaces what a page leaves to the reader (``ITEM``)."""

    folder: Path
    environment: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)
    walked: list[str] = field(default_factory=list)
    _behind: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def type(self, typed: Typed, *, status: tuple[int, ...] = (0,), until: str = "") -> str:
        """What a command prints. It is typed again until it prints ``until``, if the page says so."""
        self.walked.append(typed.command)
        if typed.command.endswith("&"):
            command = self._filled(typed.command).removesuffix("&")
            self._behind.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, start_new_session=True
                )
            )
            return ""
        printed = ""

        def once() -> bool:
            nonlocal printed
            printed = self._run(typed.command, status)
            return until in printed

        assert eventually(once), f"{typed.command} never prints {until!r}: {printed}"
        return printed

    def end(self) -> None:
        """End what runs behind."""
        for process in self._behind:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _filled(self, command: str) -> str:
        for name, value in self.known.items():
            command = command.replace(name, value)
        return command

    def _run(self, command: str, statuses: tuple[int, ...]) -> str:
        variables = self.folder / ".variables"
        script = f"{self._filled(command)}\nstatus=$?\nenv -0 > {variables}\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode in statuses, f"{command}: {done.returncode}: {done.stdout}{done.stderr}"
        self.environment = dict(_variables(variables.read_text(encoding="utf-8")))
        return done.stdout


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for entry in filter(None, text.split("\0")):
        name, _, value = entry.partition("=")
        yield name, value


def added(document: str, block: str) -> str:
    """A YAML text with the lines of ``block``, each below the heading that ``document`` has already."""
    lines = document.splitlines()
    _add(lines, 0, len(lines), block.splitlines())
    return "\n".join(lines) + "\n"


def _add(lines: list[str], start: int, end: int, block: list[str]) -> None:
    for heading, content in _members(block):
        at = next((place for place in range(start, end) if _heading(lines[place]) == _heading(heading)), None)
        if at is None or not content:
            lines[start:start] = [heading, *content]
            end += 1 + len(content)
            continue
        indent = _indent(heading)
        last = next((n for n in range(at + 1, end) if lines[n].strip() and _indent(lines[n]) <= indent), end)
        before = len(lines)
        _add(lines, at + 1, last, content)
        end += len(lines) - before


def _members(block: list[str]) -> Iterator[tuple[str, list[str]]]:
    lines = [line for line in block if line.strip()]
    starts = [n for n, line in enumerate(lines) if _indent(line) == _indent(lines[0])]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start], lines[start + 1 : stop]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _heading(line: str) -> str:
    return line.partition(" #")[0].rstrip()


def shell_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a shell that knows nothing of this run of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST", "COV_"))}
    return kept | {"COLUMNS": "160"} | dict(changes)
