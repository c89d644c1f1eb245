"""Mutate the domain code with mutmut, and count the mutants that the package's own unit tests notice.

    make mutation                                 every mutant (hours)
    make mutation ARGS="--sample 300 --seed 1"    a random sample
    make mutation ARGS="--only recovery"          one package
    make mutation ARGS="--again NAME NAME"        these, to see that a new test notices them

mutmut, and not cosmic-ray, because it runs only the tests that call the mutated function, in a fork that has loaded
them already; cosmic-ray starts all tests anew for each mutant. mutmut derives the name of a module from its path and
knows ``src/`` only, so it works on a copy with that layout. Exits with 1 if a mutant has survived.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

ROOT: Final = Path(__file__).resolve().parent.parent
STAGE: Final = ROOT / ".local" / "mutation"
MUTMUT: Final = ROOT / ".venv-mutation" / "bin" / "mutmut"
PACKAGES: Final = ("core", "messaging", "recovery", "delivery")
TESTS: Final = "tests/unit/media_events"
ABOUT_IMPORTS: Final = f"{TESTS}/partners/test_specification.py::test_importing_the_package_loads_nothing_heavy"
"""A mutated module imports mutmut."""
READ_BY_TESTS: Final = ("tests", "media_events_kit", "docs", "workflows", "workflow.yaml")
SMALLEST: Final = "media_events.core.clock.*"
"""mutmut makes all mutants only as the beginning of a run; this is the shortest run."""

# https://mutmut.readthedocs.io, `mutmut/stats.py`: the exit codes that it records for each mutant.
STATUS: Final = {1: "killed", 3: "killed", 0: "survived", 5: "untested", 33: "untested", 36: "timeout", -9: "timeout"}
STATUS_OF_TIME: Final = {24: "timeout", -24: "timeout", 152: "timeout", 255: "timeout"}
NOTICED: Final = ("killed", "timeout")


class MutationError(Exception):
    """mutmut broke off; the message is its own."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """``name`` as mutmut writes it; ``code`` is the exit code of the tests, if they ran."""

    name: str
    code: int | None = None

    @property
    def package(self) -> str:
        return self.name.split(".")[1]

    @property
    def status(self) -> str:
        if self.code is None:
            return "unchecked"
        return (STATUS | STATUS_OF_TIME).get(self.code, "suspicious")


def main() -> int:
    """Make the mutants, try those that were asked for, and report."""
    options = _options()
    console = Console(stderr=options.json)
    try:
        if not (options.again and STAGE.exists()):
            stage()
            _mutmut(["run", "--max-children", "1", SMALLEST], quiet=options.json)
        else:
            refresh_tests()
        chosen = options.again or choose(_mutants(), options.only, options.sample, options.seed)
        console.print(f"{len(chosen)} mutants of {', '.join(options.only or PACKAGES)}")
        _mutmut(["run", "--max-children", str(options.processes), *chosen], quiet=options.json)
    except MutationError as error:
        console.print(f"mutation: {error}", style="red", markup=False)
        return 2
    found = [mutant for mutant in _mutants() if mutant.name in set(chosen)]
    survivors = [mutant for mutant in found if mutant.status not in NOTICED]
    differences = _differences(survivors)
    if options.json:
        print(json.dumps(_document(found, differences), indent=2))
    else:
        for mutant in survivors:
            text = f"\n{mutant.status}: {mutant.name}\n{differences[mutant.name]}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)
        console.print(_table(found))
    return 1 if survivors else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description="Mutate the domain code with mutmut.")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=1, help="which sample (1)")
    parser.add_argument("--only", nargs="+", choices=PACKAGES, metavar="PACKAGE", help=f"of {', '.join(PACKAGES)}")
    parser.add_argument("--again", nargs="+", metavar="NAME", help="these mutants of the last run, on today's tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once (all CPUs)")
    parser.add_argument("--json", action="store_true", help="print the outcome of every mutant as JSON")
    return parser.parse_args()


def stage() -> None:
    """Copy the package as ``src/media_events``, and let mutmut find everything that its tests read."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lambda_src" / "media_events", STAGE / "src" / "media_events", ignore=ignore)
    for name in READ_BY_TESTS:
        (STAGE / name).symlink_to(ROOT / name)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layout = 'pythonpath = ["lambda_src", "."]'
    if project.count(layout) != 1:
        raise MutationError(f"pyproject.toml no longer has the line {layout}")
    only = ", ".join(f'"src/media_events/{package}/*"' for package in PACKAGES)
    copied = ", ".join(f'"{name}"' for name in READ_BY_TESTS)
    settings = f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{only}]
also_copy = [{copied}]
pytest_add_cli_args_test_selection = ["{TESTS}"]
pytest_add_cli_args = ["--deselect={ABOUT_IMPORTS}"]
track_dependencies = false
use_git_change_detection = false
"""
    (STAGE / "pyproject.toml").write_text(project.replace(layout, 'pythonpath = ["src", "."]') + settings, "utf-8")


def refresh_tests() -> None:
    """Bring today's tests to the mutants of the last run, and let mutmut find out again what they cover."""
    shutil.copytree(ROOT / "tests", STAGE / "mutants" / "tests", dirs_exist_ok=True)
    (STAGE / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)


def choose(mutants: list[Mutant], only: list[str] | None, sample: int | None, seed: int) -> list[str]:
    """The names of the mutants to try; the same ones for one seed and one state of the code."""
    names = sorted(mutant.name for mutant in mutants if mutant.package in (only or PACKAGES))
    if sample is None or sample >= len(names):
        return names
    return sorted(random.Random(seed).sample(names, sample))  # noqa: S311  # a sample, not a secret


def _mutants() -> list[Mutant]:
    found = []
    for meta in sorted((STAGE / "mutants").rglob("*.py.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        found += [Mutant(name, code) for name, code in codes.items()]
    return found


def _mutmut(arguments: list[str], *, quiet: bool = False) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("FUZZ_EXAMPLES", None)  # a mutant's fate must not depend on the examples of the day
    output = sys.stderr if quiet else None
    done = subprocess.run([MUTMUT, *arguments], cwd=STAGE, env=environment, stdout=output, check=False)
    if done.returncode != 0:
        raise MutationError(f"mutmut {arguments[0]} ended with {done.returncode}")


def _differences(mutants: list[Mutant]) -> dict[str, str]:
    shown = {}
    for mutant in mutants:
        done = subprocess.run(
            [MUTMUT, "show", mutant.name], cwd=STAGE, capture_output=True, text=True, encoding="utf-8", check=False
        )
        lines = [line for line in done.stdout.splitlines() if line[:1] in ("+", "-", "@")]
        shown[mutant.name] = "\n".join(lines) or done.stderr.strip()
    return shown


def _document(found: list[Mutant], differences: dict[str, str]) -> dict[str, object]:
    noticed = sum(mutant.status in NOTICED for mutant in found)
    return {
        "mutants": len(found),
        "noticed": noticed,
        "score": round(noticed / len(found), 4) if found else None,
        "outcomes": {mutant.name: mutant.status for mutant in found},
        "survivors": differences,
    }


def _table(found: list[Mutant]) -> Table:
    statuses = ("killed", "timeout", "survived", "untested", "suspicious", "unchecked")
    table = Table("package", "mutants", *statuses, "score")
    rows: dict[str, Counter[str]] = {package: Counter() for package in PACKAGES}
    for mutant in found:
        rows[mutant.package][mutant.status] += 1
    for package, counts in [*rows.items(), ("all", sum(rows.values(), Counter()))]:
        if total := counts.total():
            noticed = sum(counts[status] for status in NOTICED)
            figures = [str(counts[status]) for status in statuses]
            table.add_row(package, str(total), *figures, f"{100 * noticed / total:.1f} %")
    return table


if __name__ == "__main__":
    sys.exit(main())
