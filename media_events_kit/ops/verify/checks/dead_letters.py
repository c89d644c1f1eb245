"""The dead-letter queues are empty: nothing has failed since the deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from media_events.adapters.sqs.depths import NAMES, queue_name
from media_events_kit.ops.verify.asking import Problem, judged
from media_events_kit.ops.verify.checks.queues import attributes
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "dead-letters"


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each dead-letter queue holds no message: none visible, none in flight, none delayed."""
    for hop in deployed.topology.hops.values():
        if hop.dead_letter_queue_url is not None:
            url = hop.dead_letter_queue_url
            yield judged(CHECK, f"queue {queue_name(url)}", "is empty", _of, deployed, url)


def _of(deployed: Deployed, url: str) -> Iterator[Problem]:
    found = attributes(deployed, url, *NAMES)
    waiting, in_flight, delayed = (int(found.get(name, "0")) for name in NAMES)
    if waiting + in_flight + delayed:
        yield Problem(
            f"holds {waiting} visible, {in_flight} in flight and {delayed} delayed",
            "see why they failed: media-events status, media-events review list",
        )
