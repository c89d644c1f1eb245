"""The map of a large deployment: 60 partners, 100 routes."""

from __future__ import annotations

from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Node

PARTNERS, INGRESSES, TRANSFORMS, ROUTES, DESTINATIONS = 60, 4, 10, 100, 30


def large_flow() -> Flow:
    """Its partners take turns with the ingresses, its routes with the destinations, which are of six types."""
    nodes = [
        *(Node(key=f"partner/p{i}", kind="partner", name=f"p{i}") for i in range(PARTNERS)),
        *(Node(key=f"ingress/i{i}", kind="ingress", name=f"i{i}", about="sqs") for i in range(INGRESSES)),
        Node(key=BUS, kind="bus", name="event bus"),
        *(Node(key=f"transform/t{i}", kind="transform", name=f"t{i}") for i in range(TRANSFORMS)),
        *(Node(key=f"route/r{i}", kind="route", name=f"r{i}") for i in range(ROUTES)),
        *(
            Node(key=f"destination/d{i}", kind="destination", name=f"d{i}", about=f"type-{i % 6}")
            for i in range(DESTINATIONS)
        ),
    ]
    pairs = [
        *((f"partner/p{i}", f"ingress/i{i % INGRESSES}") for i in range(PARTNERS)),
        *((f"ingress/i{i}", BUS) for i in range(INGRESSES)),
        *(pair for i in range(TRANSFORMS) for pair in ((BUS, f"transform/t{i}"), (f"transform/t{i}", BUS))),
        *((BUS, f"route/r{i}") for i in range(ROUTES)),
        *((f"route/r{i}", f"destination/d{i % DESTINATIONS}") for i in range(ROUTES)),
    ]
    edges = tuple(Edge(source=source, target=target) for source, target in pairs)
    return Flow(title="media in prod", nodes=tuple(nodes), edges=edges)
