"""Runs Terraform and reads its machine-readable output.

The format is Terraform's own, version 1 of https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from media_events_kit.ops.shared.console import OperatorError

Report = Callable[[Mapping[str, Any]], None]
"""Called with each message that Terraform sends."""

PARALLELISM: Final = 30
MINIMUM_VERSION: Final = (1, 9)
STOP_SECONDS: Final = 60.0
"""How long Terraform may take to stop: it finishes the resources that it has begun."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error that Terraform reports."""

    summary: str
    detail: str = ""
    address: str = ""

    def __str__(self) -> str:
        where = f" ({self.address})" if self.address else ""
        return f"{self.summary}{where}" + (f"\n{self.detail.strip()}" if self.detail.strip() else "")


class TerraformError(OperatorError):
    """Terraform failed, with its ``diagnostics``; ``changed`` says whether it had begun to change anything."""

    def __init__(self, command: str, diagnostics: list[Diagnostic], *, log: Path, changed: bool) -> None:
        shown = "\n\n".join(str(diagnostic) for diagnostic in diagnostics[:5]) or "it gave no reason"
        more = len(diagnostics) - 5
        if more > 0:
            shown += f"\n\nand {more} more"
        super().__init__(f"terraform {command} failed: {shown}", hint=f"its whole output is in {log}")
        self.diagnostics = diagnostics
        self.changed = changed


@dataclass(slots=True)
class _Outcome:
    status: int
    diagnostics: list[Diagnostic] = field(default_factory=list)
    changed: bool = False
    changes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in ``directory``, with its state in ``state`` and its whole environment in ``environment``."""

    directory: Path
    state: Path
    log: Path
    environment: Mapping[str, str]
    parallelism: int = PARALLELISM

    def init(self) -> None:
        """Prepare the directory: modules and provider.

        Raises:
            TerraformError: the provider is not available, or the configuration is malformed.
        """
        # The state is named at each apply. What was recorded of the backend is of the project's folder, which may have
        # moved (https://developer.hashicorp.com/terraform/cli/commands/init, "Backend Initialization").
        done = subprocess.run(
            [program(), "init", "-input=false", "-no-color", "-reconfigure"],
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            self.log.write_text(done.stdout, encoding="utf-8")
            lines = [line.strip("╷│╵ ") for line in done.stdout.splitlines()]
            start = next((n for n, line in enumerate(lines) if line.startswith("Error:")), max(0, len(lines) - 5))
            diagnostic = Diagnostic(lines[start].removeprefix("Error: "), "\n".join(lines[start + 1 : start + 20]))
            raise TerraformError("init", [diagnostic], log=self.log, changed=False)

    def apply(self, report: Report, *, refresh: bool = True) -> None:
        """Make the cloud match the configuration. Without ``refresh`` the state is trusted to be what there is.

        Raises:
            TerraformError: with Terraform's own diagnostics.
            KeyboardInterrupt: after Terraform has stopped in an orderly way and saved its state.
        """
        outcome = self._run(
            ["apply", "-auto-approve", "-input=false", f"-parallelism={self.parallelism}", f"-state={self.state}"]
            + ([] if refresh else ["-refresh=false"]),
            report,
        )
        if outcome.status != 0:
            raise TerraformError("apply", outcome.diagnostics, log=self.log, changed=outcome.changed)

    def pending_changes(self, report: Report) -> list[str]:
        """The changes that a plan would make now, one line for each resource; empty where the cloud matches.

        Raises:
            TerraformError: the plan itself failed.
        """
        outcome = self._run(
            [
                "plan",
                "-detailed-exitcode",
                "-input=false",
                "-lock=false",
                f"-parallelism={self.parallelism}",
                f"-state={self.state}",
            ],
            report,
        )
        if outcome.status not in {0, 2}:
            raise TerraformError("plan", outcome.diagnostics, log=self.log, changed=False)
        return outcome.changes or (["outputs would change"] if outcome.status == 2 else [])  # noqa: PLR2004

    def outputs(self) -> dict[str, Any]:
        """The outputs in the state, name to value."""
        done = subprocess.run(
            [program(), "output", "-json", f"-state={self.state}"],
            cwd=self.directory,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TerraformError("output", [Diagnostic(done.stderr.strip())], log=self.log, changed=False)
        return {name: output["value"] for name, output in json.loads(done.stdout).items()}

    def _run(self, arguments: Sequence[str], report: Report) -> _Outcome:
        outcome = _Outcome(status=1)
        with (
            self.log.open("w", encoding="utf-8", buffering=1) as log,
            subprocess.Popen(
                [program(), arguments[0], "-json", *arguments[1:]],
                cwd=self.directory,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # Ctrl-C reaches only this process, which asks Terraform once, so that it saves its state.
                start_new_session=True,
            ) as process,
        ):
            try:
                for message in _messages(process, log.write):
                    _note(message, outcome)
                    report(message)
                outcome.status = process.wait()
            except BaseException:
                _stop(process, log.write, report)
                raise
        return outcome


def _messages(process: subprocess.Popen[str], write: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None  # noqa: S101 - asked for with PIPE above
    for line in process.stdout:
        write(line)
        try:
            message = json.loads(line)
        except ValueError:
            # A crash of Terraform or of the provider is plain text.
            message = {"type": "text", "@level": "error", "@message": line.rstrip()}
        if isinstance(message, dict):
            yield message


def _note(message: Mapping[str, Any], outcome: _Outcome) -> None:
    kind = message.get("type")
    if kind == "diagnostic":
        diagnostic = message.get("diagnostic", {})
        if diagnostic.get("severity") == "error":
            outcome.diagnostics.append(
                Diagnostic(diagnostic.get("summary", ""), diagnostic.get("detail", ""), diagnostic.get("address", ""))
            )
    elif kind == "text":
        text = message.get("@message", "")
        if text:
            outcome.diagnostics.append(Diagnostic(text))
    elif kind == "apply_start":
        outcome.changed = True
    elif kind == "planned_change":
        change = message.get("change", {})
        action = change.get("action")
        if action not in {"noop", "read"}:
            outcome.changes.append(f"{action} {change.get('resource', {}).get('addr', '?')}")


def _stop(process: subprocess.Popen[str], write: Callable[[str], Any], report: Report) -> None:
    report({"type": "stopping"})
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGINT)
    timer = threading.Timer(STOP_SECONDS, lambda: _kill(process))
    timer.start()
    try:
        # Terraform writes on while it stops, and would wait for a reader.
        for _ in _messages(process, write):
            pass
        process.wait()
    except KeyboardInterrupt:
        _kill(process)
        process.wait()
    finally:
        timer.cancel()


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def program() -> str:
    """Terraform's path.

    Raises:
        OperatorError: there is none; the hint says how to get it.
    """
    path = shutil.which("terraform")
    if path is None:
        raise OperatorError(
            "terraform is not on PATH",
            hint=f"install Terraform {'.'.join(map(str, MINIMUM_VERSION))} or later: "
            "https://developer.hashicorp.com/terraform/install",
        )
    return path


def require_version() -> str:
    """Terraform's version.

    Raises:
        OperatorError: it is older than the modules need, or there is none.
    """
    done = subprocess.run([program(), "version", "-json"], capture_output=True, text=True, check=False)
    try:
        version = str(json.loads(done.stdout)["terraform_version"])
        numbers = tuple(int(part) for part in version.partition("-")[0].split(".")[:2])
    except (ValueError, KeyError):
        raise OperatorError(f"`terraform version` fails: {(done.stderr or done.stdout).strip()[:500]}") from None
    if numbers < MINIMUM_VERSION:
        raise OperatorError(
            f"Terraform {version} is too old", hint=f"the modules need {'.'.join(map(str, MINIMUM_VERSION))} or later"
        )
    return version
