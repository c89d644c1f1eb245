"""The hops of `review_web.yaml` as they are deployed, with figures that are the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from media_events.adapters.sqs.depths import Depth
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.review_web.live_hops import LiveHops
from media_events_kit.ops.status.model import CircuitBreaker, HopReading, HopState, Queue
from tests.fakes.trace_evidence import pattern

INGRESS = "ingress/media-prod-webhook"
HOPS = {
    INGRESS: ("bus", None),
    "transform/normalise-asset": ("transform", pattern("transform/normalise-asset", {"detail-type": ["asset.ready"]})),
    "route/ready-to-cms": ("cms", pattern("route/ready-to-cms", {"detail-type": ["asset.ready"]})),
    "route/ready-to-publication": (
        "publish-asset",
        pattern("route/ready-to-publication", {"source": ["partner.mux"], "detail-type": ["asset.ready"]}),
    ),
    "route/comments-to-review-tool": (
        "review-tool",
        pattern("route/comments-to-review-tool", {"detail-type": [{"prefix": "comment."}]}),
    ),
}


def outputs_of(hops: Mapping[str, tuple[str, str | None]], partners: list[str]) -> dict[str, Any]:
    """Terraform's outputs of a deployment with these hops, each with its destination and pattern."""
    names = {hop: hop.partition("/")[2] for hop in hops}
    sqs = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
    return {
        "hops": {
            hop: {
                "destination": destination,
                "queue_url": None if hop.startswith("ingress/") else f"{sqs}{names[hop]}",
                "dead_letter_queue_url": f"{sqs}{names[hop]}-dlq",
                "idempotency_table": "deliveries" if hop.startswith("route/") else None,
            }
            for hop, (destination, _) in hops.items()
        },
        "log_group_names": {hop: f"/aws/lambda/media-prod-{names[hop].removeprefix('media-prod-')}" for hop in hops},
        "event_patterns": {hop: pattern for hop, (_, pattern) in hops.items() if pattern},
        "partners": partners,
        "partner_ingresses": {partner: [hop for hop in hops if hop.startswith("ingress/")] for partner in partners},
    }


TOPOLOGY = Topology.of(outputs_of(HOPS, ["mux", "frameio"]))


def reading_of(now: float, **changes: dict[str, Any]) -> HopReading:
    """Nothing waits anywhere, but for the ``changes`` by hop's name without its kind, ``-`` as ``_``."""
    hops = []
    for hop in TOPOLOGY.hops.values():
        calm: dict[str, Any] = {
            "queue": None if hop.kind == "ingress" else Queue(name=hop.name, depth=Depth(0, 0)),
            "dead_letters": Queue(name=f"{hop.name}-dlq", depth=Depth(0, 0)),
            "circuit_breaker": CircuitBreaker() if hop.kind == "route" else None,
        }
        changed = changes.get(hop.name.partition("/")[2].replace("-", "_"), {})
        about = {"hop": hop.name, "destination": hop.destination if hop.kind == "route" else None}
        hops.append(HopState(**about, **(calm | changed), patience_seconds=4500))
    return HopReading(now=now, hops=hops, unknown=[], notes=[])


def troubled(now: float) -> HopReading:
    """The review tool has been down for a while, and its circuit breaker is open."""
    return reading_of(
        now,
        comments_to_review_tool={
            "queue": Queue(name="comments", depth=Depth(12, 3), oldest_seconds=412.0),
            "dead_letters": Queue(name="comments-dlq", depth=Depth(4, 0), oldest_seconds=180.0),
            "circuit_breaker": CircuitBreaker(failures=14, opened=2, opened_at=now - 400, open_until=now + 60),
        },
        ready_to_publication={"queue": Queue(name="ready", depth=Depth(2, 1), oldest_seconds=21.0)},
    )


RATES = {
    INGRESS: 41.0,
    "partner/mux": 38.4,
    "partner/frameio": 2.6,
    "transform/normalise-asset": 38.4,
    "route/ready-to-cms": 12.2,
    "route/ready-to-publication": 12.2,
    "route/comments-to-review-tool": 0.0,
}


def live(reading: HopReading) -> LiveHops:
    """The hops, read as ``reading`` each time."""
    return LiveHops(topology=lambda: TOPOLOGY, hops=lambda: reading, rates=lambda _: RATES)
