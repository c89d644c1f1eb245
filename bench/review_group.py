"""Ten thousand items in a group, and the commands of two operators on it: real processes, on a local cloud.

    PYTHONPATH=lambda_src:. .venv/bin/python -m bench.review_group --items 10000

`retry --limit 500 --rate 50 --canary 5` is cancelled, resumed, killed and resumed again, while a second operator
retries 100 of the same group. It prints the events and the duration of a cancel. The exit status is 1 if an item was
sent twice, if the oldest were not first, or if more than eight were left out, as a killed command may.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

from media_events_kit.ops.local import endpoint, lifecycle
from media_events_kit.ops.local.paths import LocalPaths
from tests.system.test_killed_commands import Place

LIMIT, OTHERS_LIMIT, CANARIES, AT_WORK = 500, 100, 5, 8
BEFORE_THE_CANCEL, BEFORE_THE_KILL = 60, 250


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-group-") as folder:
        paths = LocalPaths(Path(folder) / "cloud")
        paths.root.mkdir(parents=True)
        place = None
        try:
            place = Place(endpoint.start(paths, region="eu-west-1", port=None), options.items)
            return work(place)
        finally:
            if place is not None:
                place.over.set()
                place.destination.join()
            lifecycle.down(paths)


def work(place: Place) -> int:
    """The operators' commands."""
    began = time.monotonic()

    def log(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    def taken() -> int:
        return int(place.records.operation(operation).taken)

    def retry(limit: int) -> list[str]:
        return ["retry", "--group", "g-1", "--limit", str(limit), "--rate", "50", "--canary", str(CANARIES)]

    first = place.command(*retry(LIMIT))
    operation = place.operation(first)
    place.until(lambda: len(place.sent) >= CANARIES)
    log(f"{len(place.sent)} sent: the canaries, and nothing else until they are delivered")
    second = place.command(*retry(OTHERS_LIMIT))
    place.operation(second)
    place.until(lambda: taken() >= BEFORE_THE_CANCEL)

    log(f"{taken()} taken; cancelling")
    cancel = place.command("cancel", operation)
    place.until(lambda: place.records.operation(operation).state == "cancelled")
    cancelled = time.monotonic()
    first.communicate()
    log(f"the command ended {time.monotonic() - cancelled:.1f} s after its row was cancelled")
    cancel.communicate()

    killed = place.command("resume", operation)
    place.until(lambda: taken() >= BEFORE_THE_KILL)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    log(f"resumed, and killed at {taken()}")
    for running in (place.command("resume", operation), second):
        result = json.loads(running.communicate()[0])
        log(f"{result['state']}: {result['taken']} taken, {result['counts']}")
    place.end()

    sent, most = len(place.sent), max(place.sent.values())
    log(f"{sent} items were sent, none more than {'once' if most == 1 else f'{most} times'}")
    oldest = {f"evt-{number}" for number in range(CANARIES)} <= set(place.sent)
    wanted = LIMIT + OTHERS_LIMIT
    return 0 if most == 1 and oldest and wanted - AT_WORK <= sent <= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
