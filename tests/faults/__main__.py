"""``python -m tests.faults``: many events through the model, under faults.

The last line is ``accepted N delivered N review N lost N doubled N stuck N``; the exit code is 1 where a promise is
broken.
A failing run is shrunk, and its sequence is printed.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.run import Run, Scenario, Tally, events_of
from tests.faults.shrinking import report, shrink


def main(arguments: list[str] | None = None) -> int:
    """Run and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="how many in all (10000)")
    parser.add_argument("--per-run", type=int, default=500, help="how many in one run (500)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next ones count on (1)")
    parser.add_argument("--shrink-seconds", type=float, default=60.0, help="how long a failing run is shrunk (60)")
    given = parser.parse_args(arguments)
    total, faults, started = Tally(), 0, time.monotonic()
    left, seed = given.events, given.seed
    while left > 0:
        count = min(left, given.per_run)
        scenario = Scenario(seed=seed, events=events_of(seed, count))
        tally = Run(scenario).live()
        total.add(tally)
        faults += len(tally.faults)
        print(f"seed {seed}: {tally}; {len(tally.faults)} faults", flush=True)
        if tally.problems:
            for problem in tally.problems[:20]:
                print(f"  {problem}")
            if given.shrink_seconds > 0:
                print("the smallest sequence found that fails:")
                print(report(shrink(scenario, tally, seconds=given.shrink_seconds)))
            break
        left, seed = left - count, seed + 1
    print(f"{faults} faults in {time.monotonic() - started:.0f} s")
    print(f"{total.repeated} effects repeated where a fault hid that the first had happened")
    print(f"{total.both} events in review whose effect there has happened, unconfirmed")
    print(f"{total.unnamed} second items of an event that no function can read, for another message of it")
    print(total)
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
