"""The bill of so many events: counted calls, invocations, GB-seconds and bytes, by line."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from media_events_kit.infra.model.consumers import Hop
from media_events_kit.infra.model.destinations import ApiDestination, HttpDestination, LogsDestination, SqsDestination
from media_events_kit.infra.model.ingress import QueueIngress
from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.ops.cost import prices
from media_events_kit.ops.route.simulator import route

WAIT_SECONDS: Final = 0.010
"""Assumed for each call of AWS that an invocation waits for. Nobody can know it: it is 5 to 20 ms within a region."""
HTTP_SECONDS: Final = 0.150
"""Assumed for a receiver's answer. Deliveries of a batch go side by side."""
WEBHOOK_MB: Final = 256
HTTP_API_BYTES: Final = 512 * 1024
"""API Gateway counts a request as so many of these as it fills."""
SECONDS_A_MONTH: Final = 730 * 3600
SAMPLED: Final = 0.05
"""Of a function's invocations beyond the first in each second, which Lambda traces where it traces actively:
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. Each is a trace of its own, since a queue only links
them: https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html"""
FULL_CPU_MB: Final = 1769
"""The memory of an invocation that has one CPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


@dataclass(frozen=True, slots=True)
class Work:
    """Of one hop: CPU seconds and bytes logged, for an invocation and for each event.

    ``calls`` are an invocation's, one after the other; ``reads`` are DynamoDB's units for an invocation, and ``writes``
    those for an event.
    """

    invoked: float
    cpu: float
    logged: float
    calls: float
    logged_each: float = 0
    writes: float = 0
    reads: float = 0


@dataclass(frozen=True, slots=True)
class Composition:
    """How a path is built; ``batched``: one invocation handles a batch with as many calls as one event.

    ``traced``: Lambda traces actively, whatever the workflow says.
    """

    webhook: Work
    ingress: Work
    transform: Work
    delivery: Work
    batched: bool = True
    traced: bool = False


OURS: Final = Composition(
    webhook=Work(invoked=0.0008, cpu=0.0005, logged=530, logged_each=25, calls=3, writes=2),
    ingress=Work(invoked=0.0007, cpu=0.0003, logged=545, logged_each=25, calls=3, writes=2),
    transform=Work(invoked=0.0006, cpu=0.0001, logged=505, logged_each=15, calls=1),
    delivery=Work(invoked=0.0025, cpu=0.0005, logged=540, logged_each=15, calls=3, writes=2, reads=1),
)
_TEXTBOOK_HOP: Final = Work(invoked=0.0008, cpu=0.0046, logged=100, logged_each=500, calls=3, writes=2)
TEXTBOOK: Final = Composition(
    webhook=_TEXTBOOK_HOP,
    ingress=_TEXTBOOK_HOP,
    transform=_TEXTBOOK_HOP,
    delivery=_TEXTBOOK_HOP,
    batched=False,
    traced=True,
)
"""`bench` counts them (docs/explanation/performance.md). Its tracer needs active tracing:
https://docs.aws.amazon.com/powertools/python/latest/core/tracer/#permissions"""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of an item, and the dollars for all of them."""

    item: str
    count: float
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """So many events a month. ``mix``: events on the bus, with their shares; ``batch`` of a queue's come together."""

    events: float
    mix: Sequence[tuple[Mapping[str, Any], float]]
    size: int
    batch: float = 1


def bill(workflow: Workflow, traffic: Traffic, composition: Composition = OURS) -> list[Line]:
    """The lines, the largest first."""
    if workflow.settings.tracing == "Active":
        composition = replace(composition, traced=True)
    counts: defaultdict[str, float] = defaultdict(float)
    total = sum(share for _, share in traffic.mix)
    for event, share in traffic.mix:
        events = traffic.events * share / total
        for name, each in _usage(workflow, event, traffic, composition):
            counts[name] += each * events
    lines = [Line(name, count, count * PRICES[name]) for name, count in counts.items() if count]
    return sorted(lines, key=lambda line: -line.dollars)


TRACES: Final = "traces of X-Ray"

PRICES: Final[Mapping[str, float]] = {
    "requests of the HTTP API": prices.HTTP_API_REQUEST,
    "invocations": prices.LAMBDA_REQUEST,
    "GB-seconds of Lambda": prices.LAMBDA_GB_SECOND,
    "calls of API destinations": prices.API_DESTINATION_CALL,
    "events put on the bus (64 KB each)": prices.PUBLISHED_CHUNK,
    "GB archived": prices.ARCHIVED_GB,
    "requests of SQS": prices.SQS_REQUEST,
    "write units of DynamoDB": prices.WRITE_UNIT,
    "read units of DynamoDB": prices.READ_UNIT,
    "GB logged": prices.LOGGED_GB,
    TRACES: prices.TRACE,
}


def gaps(workflow: Workflow, event: Mapping[str, Any]) -> list[str]:
    """What takes ``event`` and ends with it by a fault, so that a bill has nothing of what comes after."""
    return [f"{one.hop} takes it, but {one.effect}" for one in route(workflow, event).transforms if one.failed]


def _usage(
    workflow: Workflow, event: Mapping[str, Any], traffic: Traffic, composition: Composition
) -> Iterator[tuple[str, float]]:
    """What one event uses of everything."""
    partner = workflow.partners.get(str(event.get("source", "")).removeprefix("partner."))
    # A partner of several ways in may take the first of them.
    ways = [] if partner is None else [partner.ingress] if isinstance(partner.ingress, str) else partner.ingress
    ingress = workflow.ingress.get(ways[0]) if ways else None
    chunks = math.ceil(traffic.size / prices.CHUNK_BYTES)
    if isinstance(ingress, QueueIngress):
        batch = min(traffic.batch, ingress.batch_size)
        yield "requests of SQS", 2 / batch
        yield from _function(composition.ingress, ingress.memory_mb, batch, traffic, composition)
    else:
        yield "requests of the HTTP API", math.ceil(traffic.size / HTTP_API_BYTES)
        yield from _function(composition.webhook, WEBHOOK_MB, 1, traffic, composition)
    yield "events put on the bus (64 KB each)", chunks
    if workflow.bus.archive is not None:
        yield "GB archived", traffic.size / prices.GB
    routing = route(workflow, event)
    for decision in routing.transforms:
        if decision.outcome == "taken":
            transform = workflow.transforms[decision.hop.partition("/")[2]]
            yield from _hop(transform, composition.transform, traffic, chunks, composition)
            yield "events put on the bus (64 KB each)", chunks * len(decision.results)
            if workflow.bus.archive is not None:
                yield "GB archived", traffic.size * len(decision.results) / prices.GB
    for decision in routing.routes:
        destination = workflow.destinations.get(decision.destination or "")
        if decision.outcome != "taken":
            continue
        if isinstance(destination, ApiDestination):
            yield "calls of API destinations", 1
        elif isinstance(destination, LogsDestination):
            yield "GB logged", traffic.size / prices.GB
        elif isinstance(destination, SqsDestination) and destination.mode is None:
            yield "requests of SQS", chunks
        else:
            hop = workflow.routes[decision.hop.partition("/")[2]]
            waits = HTTP_SECONDS if isinstance(destination, HttpDestination) else WAIT_SECONDS
            yield from _hop(hop, composition.delivery, traffic, chunks, composition, waits=waits)


def _hop(  # noqa: PLR0913
    hop: Hop, work: Work, traffic: Traffic, chunks: int, composition: Composition, *, waits: float = 0
) -> Iterator[tuple[str, float]]:
    direct = hop.invocation == "direct"
    batch = 1 if direct else min(traffic.batch, hop.batch_size)
    if not direct:
        # The rule sends, Lambda receives and deletes.
        yield "requests of SQS", chunks + 2 / batch
    yield from _function(work, hop.memory_mb, batch, traffic, composition, waits=waits)


def _function(  # noqa: PLR0913
    work: Work, memory: int, batch: float, traffic: Traffic, composition: Composition, *, waits: float = 0
) -> Iterator[tuple[str, float]]:
    cpu = (work.cpu + work.invoked / batch) * max(1.0, FULL_CPU_MB / memory)
    idle = work.calls * WAIT_SECONDS + waits
    yield "invocations", 1 / batch
    yield "GB-seconds of Lambda", (cpu + (idle / batch if composition.batched else idle)) * memory / 1024
    yield "write units of DynamoDB", work.writes
    yield "read units of DynamoDB", work.reads / batch
    yield "GB logged", (work.logged / batch + work.logged_each) / prices.GB
    if composition.traced:
        # In a second there are at least the events that come together.
        at_once = max(traffic.batch, traffic.events / SECONDS_A_MONTH) / batch
        yield TRACES, (1 + SAMPLED * (at_once - 1)) / at_once / batch
