"""``python -m tests.faults``: many events through the model, under faults.

The last line is ``accepted N delivered N review N lost N doubled N stuck N``, or with ``--json`` one document. The exit
code is 1 where a promise is broken; then the failing run is shrunk, and its sequence is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.faults.run import Run, Scenario, Tally, events_of
from tests.faults.shrinking import report, shrink

EVENTS = 10_000
SEEDS = 20
PROBLEMS_SHOWN = 20


def main(arguments: list[str] | None = None) -> int:
    """Run and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"how many in all ({EVENTS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"over how many runs, each with a seed ({SEEDS})")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count on (1)")
    parser.add_argument("--shrink-seconds", type=float, default=60.0, help="how long a failing run is shrunk (60)")
    parser.add_argument("--keep-going", action="store_true", help="run the other seeds after one that fails, too")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args(arguments)
    total, faults, started, failed = Tally(), 0, time.monotonic(), list[Scenario]()
    for scenario, tally in _runs(given.seed, given.events, given.seeds):
        total.add(tally)
        faults += len(tally.faults)
        if not given.json:
            print(f"seed {scenario.seed}: {tally}; {len(tally.faults)} faults", flush=True)
        if tally.problems:
            failed.append(scenario)
            if not given.json:
                print("".join(f"  {problem}\n" for problem in tally.problems[:PROBLEMS_SHOWN]), end="", flush=True)
            if not given.keep_going:
                break
    smallest = [
        report(shrink(scenario, Run(scenario).live(), seconds=given.shrink_seconds))
        for scenario in failed[: 1 if given.shrink_seconds > 0 else 0]
    ]
    seconds = time.monotonic() - started
    if given.json:
        print(json.dumps(_document(total, faults, seconds, failed, smallest)))
    else:
        _tell(total, faults, seconds, smallest)
    return 1 if total.problems else 0


def _runs(first: int, events: int, seeds: int) -> Iterator[tuple[Scenario, Tally]]:
    """Each run with its result, as they end; the progress is shown on the terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("events", total=events)
        for number in range(seeds):
            count = events // seeds + (number < events % seeds)
            if count:
                scenario = Scenario(seed=first + number, events=events_of(first + number, count))
                yield scenario, Run(scenario).live()
                progress.advance(task, count)


def _document(
    total: Tally, faults: int, seconds: float, failed: Sequence[Scenario], smallest: Sequence[str]
) -> dict[str, object]:
    counts = {name: number for name, number in asdict(total).items() if isinstance(number, int)}
    return {
        **counts,
        "faults": faults,
        "seconds": round(seconds, 1),
        "failed_seeds": [scenario.seed for scenario in failed],
        "problems": total.problems,
        "smallest": smallest[0] if smallest else None,
    }


def _tell(total: Tally, faults: int, seconds: float, smallest: Sequence[str]) -> None:
    for text in smallest:
        print("the smallest sequence found that fails:")
        print(text)
    print(f"{faults} faults in {seconds:.0f} s")
    print(f"{total.repeated} effects doubled within a documented window: a fault hid that the first had happened")
    print(f"{total.forgotten} effects repeated by archive replays half a year later: the records live for 158 days")
    print(f"{total.both} events in review whose effect there has happened, unconfirmed")
    print(f"{total.unnamed} second items of an event that no function can read, for another message of it")
    print(total)


if __name__ == "__main__":
    sys.exit(main())
