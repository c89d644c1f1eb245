"""The event source mappings: each queue feeds its function, and each dead-letter queue the redrive function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from media_events_kit.ops.verify.asking import MissingError, Problem, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "event-sources"


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each queue that a function should consume is an enabled event source of that function."""
    for hop, arn in _expected(deployed):
        yield judged(
            CHECK,
            f"{arn.rpartition(':')[2]} → {deployed.functions[hop]}",
            "is enabled",
            _of,
            deployed,
            hop,
            arn,
        )


def _expected(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """Each function's hop with the ARN of a queue that it should consume."""
    hops = deployed.topology.hops.values()
    for hop in hops:
        if hop.queue_url is not None and hop.name in deployed.functions:
            yield hop.name, deployed.queue_arn(hop.queue_url)
    for redrive in [name for name in deployed.functions if name.startswith("review/")]:
        for hop in hops:
            if hop.dead_letter_queue_url is not None:
                yield redrive, deployed.queue_arn(hop.dead_letter_queue_url)


def _of(deployed: Deployed, hop: str, arn: str) -> Iterator[Problem]:
    states = [source.get("State") for source in deployed.event_sources(hop) if source.get("EventSourceArn") == arn]
    if not states:
        raise MissingError
    if "Enabled" not in states:
        yield Problem(
            f"is {', '.join(map(str, states))}, so nothing is taken from the queue",
            "enable it, and see why somebody disabled it",
        )
