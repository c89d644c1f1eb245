"""``python -m tests.faults.mutants``: breaks the code on purpose, and shows which model run or unit test notices.

Each mutant lives in a process of its own. Exit status: 0 if all are noticed, 1 if one survives, 2 if one no longer
applies or the code fails without it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import itertools
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, Literal

import pytest
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.faults.mutants.catalogue import MUTANTS
from tests.faults.mutants.mutant import ROOT, BrokenImports, Mutant, OutdatedError, Seen, mutated

CPU_SECONDS: Final = 150
"""Of one mutant. Time on the clock says nothing on a busy machine."""
SHARED: Final = ("botocore.session", "boto3", "moto", "moto.dynamodb.models", "moto.sqs.models", "moto.s3.models")
SHARED_BY_TESTS: Final = ("moto.events.models", "jsonschema", "jmespath", "rich")
"""Loaded once, before the forks. None of them imports the package, and none is a plugin of pytest."""
SEEDS: Final = (1, 2)
OURS: Final = ("media_events", "media_events_kit", "tests")
"""Packages that are the broken code, or hold on to it."""
OWN: Final = frozenset({"tests", "tests.faults", "tests.faults.mutants", "tests.faults.mutants.mutant", __name__})
"""Modules that a mutant's process shares with this one."""
NOTICED: Final = ("model", "test")
INTACT: Final = Mutant(name="", harm="", edits=())
"""The code without a mutant, which nothing that notices one may fail."""
Verdict = Literal["model", "test", "SURVIVED", "outdated", "broke off", "too slow"]


@dataclass(frozen=True, slots=True)
class Result:
    """The fate of a mutant: ``by`` names the run or the test that noticed it, ``words`` the first broken promise."""

    name: str
    verdict: Verdict
    by: str = ""
    words: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class _Work:
    """A mutant in its process."""

    mutant: Mutant
    process: BaseProcess
    answer: Connection
    began: float = field(default_factory=time.monotonic)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants; returns the exit status."""
    given = _arguments(arguments)
    console = Console(stderr=given.json)
    chosen = [mutant for mutant in MUTANTS if not given.only or any(word in mutant.name for word in given.only)]
    results: list[Result] = []
    for module in (*SHARED, *SHARED_BY_TESTS):
        importlib.import_module(module)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("mutants", total=len(chosen) + 1)
        for result in _tried(chosen, given.processes, search=given.search):
            progress.advance(bar)
            results.append(result)
            if result.name and (result.verdict not in NOTICED or not console.is_terminal):
                words = f"{result.verdict}: {result.name}: {result.by} {result.words}"
                progress.console.print(words, markup=False, highlight=False, soft_wrap=True)
    intact = next(result for result in results if not result.name)
    results = [result for result in results if result.name]
    order = {mutant.name: number for number, mutant in enumerate(chosen)}
    results.sort(key=lambda result: order[result.name])
    if given.json:
        print(json.dumps({"intact": intact.words, "mutants": [asdict(result) for result in results]}, indent=2))
    else:
        console.print(_table(results))
    noticed = [result for result in results if result.verdict in NOTICED]
    by_model = sum(result.verdict == "model" for result in results)
    console.print(f"{len(noticed)} of {len(results)} mutants noticed, {by_model} of them by the model alone")
    if intact.verdict != "SURVIVED":
        console.print(f"the code fails without a mutant: {intact.by}: {intact.words}", markup=False)
        return 2
    if any(result.verdict in ("outdated", "broke off") for result in results):
        return 2
    return 0 if len(noticed) == len(results) else 1


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="WORDS", help="those with these words in their names")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at once (all CPUs)")
    parser.add_argument("--search", action="store_true", help="look for a cheaper run than the one that each names")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args(arguments)


# --- processes ------------------------------------------------------------------------------------------------------


def _tried(mutants: Sequence[Mutant], processes: int, *, search: bool) -> Iterator[Result]:
    """The results as they come. No module of the package is imported here: each process imports its own."""
    fork = multiprocessing.get_context("fork")
    waiting, running = [INTACT, *mutants], list[_Work]()
    while waiting or running:
        while waiting and len(running) < processes:
            mutant = waiting.pop(0)
            ours, theirs = fork.Pipe(duplex=False)
            process = fork.Process(target=_live, args=(mutant, mutants, theirs, search), daemon=True)
            process.start()
            theirs.close()
            running.append(_Work(mutant, process, ours))
        ready = wait([work.answer for work in running], timeout=1.0)
        for work in list(running):
            if work.answer in ready:
                running.remove(work)
                yield _ended(work)


def _ended(work: _Work) -> Result:
    seconds = time.monotonic() - work.began
    try:
        result: Result = work.answer.recv()
    except EOFError:
        work.process.join()
        late = work.process.exitcode == -signal.SIGXCPU
        verdict: Verdict = "too slow" if late else "broke off"
        result = Result(work.mutant.name, verdict, words=f"its process ended with {work.process.exitcode}")
    work.process.join()
    return Result(result.name, result.verdict, result.by, result.words, round(seconds, 1))


def _live(mutant: Mutant, everything: Sequence[Mutant], answer: Connection, search: bool) -> None:  # noqa: FBT001
    sys.dont_write_bytecode = True
    if mutant.name:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    try:
        imports = BrokenImports(mutated(mutant))
        sys.meta_path.insert(0, imports)
        # Who called this (a test) may have loaded the code as it is.
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS and name not in OWN]:
            del sys.modules[name]
        result = _judged(mutant, everything, search=search)
        if result.verdict == "SURVIVED" and mutant.name and not imports.imported:
            result = Result(mutant.name, "outdated", words="nothing that was run imports the broken code")
    except OutdatedError as error:
        result = Result(mutant.name, "outdated", words=str(error))
    except BaseException as error:  # noqa: BLE001  # the parent must hear of it
        result = Result(mutant.name, "broke off", words=f"{type(error).__name__}: {error}"[:300])
    answer.send(result)
    answer.close()


# --- judgement ------------------------------------------------------------------------------------------------------


def _judged(mutant: Mutant, everything: Sequence[Mutant], *, search: bool) -> Result:
    if not mutant.name:
        return _intact(everything)
    if mutant.test is not None:
        failed = _failed_tests([mutant.test])
        return Result(mutant.name, "test" if failed else "SURVIVED", by=mutant.test, words=failed)
    for seen in _order(mutant, search=search):
        if problems := _problems(seen):
            return Result(mutant.name, "model", by=f"{seen.schedule}, seed {seen.seed}", words=problems[0])
    return Result(mutant.name, "SURVIVED")


def _order(mutant: Mutant, *, search: bool) -> Iterator[Seen]:
    """The run that it names, then the others: the model changes, and with it what each seed brings about."""
    if mutant.seen is not None and not search:
        yield mutant.seen
    from tests.faults.mutants.schedules import SCHEDULES  # noqa: PLC0415  # imports the package

    for name, seed in itertools.product(SCHEDULES, SEEDS):
        if search or Seen(name, seed) != mutant.seen:
            yield Seen(name, seed)


def _problems(seen: Seen) -> Sequence[str]:
    from tests.faults.mutants.schedules import SCHEDULES  # noqa: PLC0415  # imports the package

    return SCHEDULES[seen.schedule](seen.seed)


def _intact(mutants: Sequence[Mutant]) -> Result:
    """Every run and every test that notices a mutant passes on the code as it is."""
    for seen in sorted({(m.seen.schedule, m.seen.seed) for m in mutants if m.seen is not None}):
        if problems := _problems(Seen(*seen)):
            return Result("", "model", by=f"{seen[0]}, seed {seen[1]}", words=problems[0])
    tests = sorted({mutant.test for mutant in mutants if mutant.test is not None})
    failed = _failed_tests(tests) if tests else ""
    return Result("", "test" if failed else "SURVIVED", by=failed, words=failed)


def _failed_tests(tests: Sequence[str]) -> str:
    """The first test that fails; empty where none does.

    Raises:
        OutdatedError: there is no such test.
    """
    os.chdir(ROOT)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--no-header", *tests])
    lines = output.getvalue().splitlines()
    if status == pytest.ExitCode.OK:
        return ""
    if status != pytest.ExitCode.TESTS_FAILED:
        raise OutdatedError(f"pytest ended with {status}: {lines[-1:]}")
    return next((line.removeprefix("FAILED ") for line in lines if line.startswith("FAILED ")), "a test failed")[:300]


def _table(results: Sequence[Result]) -> Table:
    table = Table("mutant", "noticed by", "at", "s", "first broken promise")
    for result in results:
        style: Any = None if result.verdict in NOTICED else "bold red"
        by = result.by.rpartition("::")[2]
        table.add_row(result.name, result.verdict, by, f"{result.seconds:.0f}", result.words[:100], style=style)
    return table


if __name__ == "__main__":
    sys.exit(main())
