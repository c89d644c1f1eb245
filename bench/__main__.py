"""Measures cold starts, warm work, growth and size beside the peers, and writes what it found.

python -m bench                         everything, into bench/results/latest.json and docs/explanation/performance.md
python -m bench --only cold --only warm  these parts; what was found of others stays
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bench import cold, page, results, routes, throughput, warm
from bench.results import Result
from bench.sandboxes import Sandboxes, sandboxes
from lambda_src.build import DEFAULT_OUTPUT
from media_events_kit.ops.shared.console import out

PARTS: Final[Mapping[str, Callable[[Sandboxes], Iterator[Result]]]] = {
    "cold": cold.cold_starts,
    "limited": cold.limited,
    "warm": warm.warm_work,
    "partners": cold.growth,
    "routes": lambda _: routes.growth(),
    "throughput": lambda _: throughput.measure(),
    "package": lambda _: cold.package(DEFAULT_OUTPUT),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 whatever was found, since a busy machine proves nothing."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; repeat it for several")
    chosen = parser.parse_args(arguments).only or list(PARTS)
    found = [] if len(chosen) == len(PARTS) else results.latest()
    with sandboxes() as used:
        version = [str(used.interpreter), "-c", "import platform; print(platform.python_version())"]
        python = subprocess.run(version, capture_output=True, text=True, check=True).stdout.strip()
        out.print(f"Python {python}, boto3 and the textbook's Powertools from {used.interpreter.parent.parent.name}")
        for name in chosen:
            measured = []
            for one in PARTS[name](used):
                out.print(results.show([one]), markup=False)
                measured.append(one)
            new = {one.name for one in measured}
            found = [one for one in found if one.name not in new] + measured
            # At once: a later part may fail.
            results.write(found)
            page.write(found, python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
