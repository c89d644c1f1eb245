"""``python -m tests.faults.local_cloud``: many events through a local cloud of its own, under faults.

The last line is ``accepted N delivered N review N lost N doubled N stuck N``; the exit code is 1 where a promise is
broken.
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections import Counter

from media_events_kit.ops.demo.senders import new_secret
from media_events_kit.ops.local import lifecycle, process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import LocalPaths
from tests.faults.local_cloud import deployment
from tests.faults.local_cloud.commands import on_a_cloud_of_its_own
from tests.faults.local_cloud.receivers import Receivers
from tests.faults.local_cloud.run import Mix, Run, events_of

LOG_SECONDS = 10.0
PROBLEMS_SHOWN = 30
STORIES_SHOWN = 3


class _Progress:
    """Prints the progress from time to time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._logged_at = self._began

    def __call__(self, line: str) -> None:
        now = time.monotonic()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            print(f"{now - self._began:4.0f} s  {line}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Deploy, run and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.local_cloud", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000, help="how many (2000)")
    parser.add_argument("--seed", type=int, default=1, help="of what is sent and what strikes (1)")
    parser.add_argument("--rate", type=float, default=10.0, help="how many are sent a second (10)")
    parser.add_argument("--drain", type=float, default=900.0, help="how long the queues may take in the end (900 s)")
    parser.add_argument("--calm", action="store_true", help="without faults")
    given = parser.parse_args(arguments)
    return on_a_cloud_of_its_own("chaos", functools.partial(_run, given))


def _run(given: argparse.Namespace, paths: LocalPaths) -> int:
    mix = Mix() if not given.calm else Mix(kill=0, refuse=0, lose_answer=0, refuse_entry=0, flap=0, fated=0)
    receivers = Receivers(
        process.free_port(), seed=given.seed, flap=mix.flap, fated=mix.fated, lose_answer=mix.lose_answer
    )
    try:
        up = lifecycle.up(paths, deployment.options(receivers.server_address[1]))
        clients, secret = Clients(up.record), new_secret(deployment.PARTNER)
        name = up.outputs["secret_names"][deployment.PARTNER]
        clients.secretsmanager.put_secret_value(SecretId=name, SecretString=secret)
        began = time.monotonic()
        run = Run(
            clients=clients,
            outputs=up.outputs,
            receivers=receivers,
            addresses=deployment.addresses(clients, up.outputs, secret),
            seed=given.seed,
            mix=mix,
            events=events_of(given.seed, given.events, seconds=given.events / given.rate),
            drain_seconds=given.drain,
            log=_Progress(),
        )
        tally = run.live()
        stories = {mark: run.story(mark) for mark in sorted(tally.suspects)[:STORIES_SHOWN]}
    finally:
        receivers.go_away()
    for problem in tally.problems[:PROBLEMS_SHOWN]:
        print(f"  {problem}")
    for mark, story in stories.items():
        print(f"  the story of {mark}:")
        print("\n".join(f"    {line}" for line in story))
    if len(tally.problems) > PROBLEMS_SHOWN:
        print(f"  … {len(tally.problems)} in all")
    kinds: Counter[str] = Counter()
    for site, count in run.fired.items():
        kinds[site.rpartition("/")[2]] += count
    struck = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    answers = ", ".join(f"{count} with {status}" for status, count in sorted(receivers.answers.items()))
    print(f"{sum(kinds.values())} faults in {time.monotonic() - began:.0f} s: {struck or 'none'}")
    print(f"receivers answered {answers}")
    done = Counter(run.commands.done if run.commands is not None else ())
    print(f"operators did {', '.join(f'{count} {action}' for action, count in sorted(done.items())) or 'nothing'}")
    print(f"{tally.repeated} effects repeated where a fault hid that the first had happened")
    print(f"{tally.both} events in review whose effect there has happened, unconfirmed")
    print(f"{tally.unnamed} second items of an event that no function can read, for another message of it")
    print(tally)
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
