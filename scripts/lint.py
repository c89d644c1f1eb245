"""Run every static check, print its findings, and exit 1 if there are any.

python scripts/lint.py            all checks
python scripts/lint.py ruff mypy  only these
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from media_events_kit.ops.shared import terraform_providers
from scripts.provider_server import provider_server

ROOT: Final = Path(__file__).resolve().parent.parent
BIN: Final = ROOT / ".venv" / "bin"
LINT_BIN: Final = ROOT / ".venv-lint" / "bin"
AUDIT_BIN: Final = ROOT / ".venv-audit" / "bin"

ACCEPTED: Final = {
    # The time of signing with P-256 tells the key (https://github.com/advisories/GHSA-wj6h-64fc-37mp).
    "CVE-2024-23342": "ecdsa only verifies ed25519 signatures",
}
"""Known vulnerabilities of what ships that do not concern us, each with the reason."""


class CheckError(Exception):
    """A check found something; the message is the tool's own output."""


class SkippedError(Exception):
    """A check can't run here; the message says why."""


def main() -> int:
    """Run the checks named on the command line, or all."""
    parser = argparse.ArgumentParser(description="Run the static checks.", epilog="example: scripts/lint.py ruff mypy")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"any of {', '.join(CHECKS)} (default: all)")
    names = parser.parse_args().checks or list(CHECKS)
    if unknown := [name for name in names if name not in CHECKS]:
        parser.error(f"unknown check {unknown[0]}: choose from {', '.join(CHECKS)}")
    os.environ.update(terraform_providers.terraform_environment() | terraform_providers.LESS_COLLECTING)
    failed = []
    # Nearly all of them keep no more than one CPU busy.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, finding in zip(names, pool.map(_timed, names), strict=True):
            print(f"lint: {name} ... {finding.outcome}", flush=True)
            if finding.text:
                failed.append(name)
                print(finding.text, file=sys.stderr, flush=True)
    if failed:
        print(f"lint: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


@dataclass(frozen=True)
class Finding:
    """How a check went, and what it found."""

    outcome: str
    text: str = ""


def _timed(name: str) -> Finding:
    started = time.monotonic()
    try:
        CHECKS[name]()
    except SkippedError as skipped:
        return Finding(f"SKIPPED: {skipped}")
    except CheckError as error:
        return Finding("FAILED", str(error) or f"{name} said nothing")
    return Finding(f"ok ({time.monotonic() - started:.0f} s)")


def _ruff() -> None:
    _run(BIN / "ruff", "check", "--quiet", ".")


def _ruff_format() -> None:
    _run(BIN / "ruff", "format", "--check", "--quiet", ".")


def _mypy() -> None:
    _run(BIN / "mypy")


def _terraform_fmt() -> None:
    _run("terraform", "fmt", "-check", "-recursive", "-diff", "modules", "examples")


def _terraform_validate() -> None:
    """Validate copies, so that no `.terraform` folder is left in a module."""
    roots = sorted(
        {
            file.parent
            for file in (
                *ROOT.glob("modules/*/*.tf"),
                *ROOT.glob("modules/internal/*/*.tf"),
                *ROOT.glob("examples/*/*.tf"),
            )
            # Sources of copies, each for modules that have the variables it names.
            if file.parent.name != "interfaces"
        }
    )
    with ExitStack() as ends:
        copy = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="media-events-validate-")))
        for part in ("modules", "examples", "lambda_src/dist"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns(".terraform"))

        (copy / "provider").mkdir()
        environment = {**os.environ, **ends.enter_context(provider_server(os.environ, copy / "provider"))}

        def problem(root: Path) -> str | None:
            place = copy / root.relative_to(ROOT)
            try:
                _run("terraform", "init", "-backend=false", "-input=false", "-no-color", cwd=place, env=environment)
                _run("terraform", "validate", "-no-color", cwd=place, env=environment)
            except CheckError as error:
                return f"{root.relative_to(ROOT)}:\n{error}"
            return None

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [text for text in pool.map(problem, roots) if text]
    if problems:
        raise CheckError("\n".join(problems))


def _module_interfaces() -> None:
    _run(BIN / "python", "scripts/module_interfaces.py", "--check")
    _run(BIN / "python", "scripts/hop_types.py", "--check")


def _iam_reference() -> None:
    """The page of roles and policies, from a plan: half a minute."""
    _run(BIN / "python", "scripts/iam_reference.py", "--check")


def _checkov() -> None:
    _run(LINT_BIN / "checkov", "--config-file", ".checkov.yaml", "--directory", "modules")


def _zizmor() -> None:
    """The GitHub workflows, ours and that of `init`: valid, pinned, with no more permissions than they need."""
    with tempfile.TemporaryDirectory(prefix="media-events-init-") as folder:
        _run(ROOT / "bin" / "media-events", "init", folder)
        _run(LINT_BIN / "zizmor", "--offline", "--pedantic", "--no-progress", ".github", folder)


def _pip_audit() -> None:
    """Known vulnerabilities of what ships, by PyPI's advisories (https://github.com/pypa/pip-audit)."""
    command = [
        *(str(AUDIT_BIN / "pip-audit"), "--requirement", "lambda_src/requirements.lock", "--require-hashes"),
        *("--disable-pip", "--progress-spinner", "off", "--format", "json"),
        *(f"--ignore-vuln={name}" for name in ACCEPTED),
    ]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    judge_audit(finished.stdout, finished.stderr)


def judge_audit(answer: str, said: str) -> None:
    """Judge pip-audit's JSON and what it said beside it.

    Raises:
        CheckError: there is a vulnerability, or pip-audit failed.
        SkippedError: the advisories can't be read from here. pip-audit takes a package without any for a good one.
    """
    try:
        dependencies = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if re.search(r"connect|resolve|timed out|unreachable|proxy", said, re.IGNORECASE):
            raise SkippedError("no network: PyPI's advisories can't be read") from None
        raise CheckError(said or answer or "pip-audit said nothing") from None
    found = [f"{one['name']} {one['version']}: {v['id']}" for one in dependencies for v in one.get("vulns", ())]
    if found:
        raise CheckError("\n".join(found))
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    if unknown or not dependencies:
        raise SkippedError(f"the index here has no advisories of {', '.join(unknown) or 'anything'}")


def _documentation() -> None:
    """Links within the repository, and the number of words."""
    _run(BIN / "python", "scripts/documentation.py")


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "ruff": _ruff,
    "ruff-format": _ruff_format,
    "mypy": _mypy,
    "module-interfaces": _module_interfaces,
    "iam-reference": _iam_reference,
    "terraform-fmt": _terraform_fmt,
    "terraform-validate": _terraform_validate,
    "checkov": _checkov,
    "zizmor": _zizmor,
    "pip-audit": _pip_audit,
    "documentation": _documentation,
}


def _run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    finished = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise CheckError((finished.stdout + finished.stderr).strip())


if __name__ == "__main__":
    sys.exit(main())
