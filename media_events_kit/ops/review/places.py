"""The place that a review item goes back to, as the deployment is now.

An item remembers the queue or rule of the hop that failed. Meanwhile the hop may have got another queue or none, or be
gone. A hop that leads to the same destination then takes its place by itself: the event's effect has the same record
there. Any other has to be named by a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError
from media_events.events.claim_check import Bodies
from media_events.recovery.redrive_messages import for_route
from media_events.recovery.review_item import ReturnTo, ReviewItem, group_id, item_id
from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import matches_any
from media_events_kit.event_patterns.normal_form import Branch
from media_events_kit.event_patterns.validate import compile_pattern
from media_events_kit.ops.deployment.topology import Hop, Topology


class NoPlaceError(PermanentConfigError):
    """The item can't go anywhere now; the message says what a person can do."""

    def __init__(self, message: str) -> None:
        super().__init__("no-place", message)


def gone(item: ReviewItem, topology: Topology) -> str | None:
    """Why ``item`` can't go back to its hop, with what a person can do; ``None`` if it can, or that is not known."""
    if not _returns_to_hop(item) or not topology.hops or item.hop in topology.hops:
        return None
    successor = topology.hop_of(item.destination) if item.hop.startswith("route/") else None
    if successor is not None:
        return f"{item.hop} is gone: a retry goes to {successor.name}, which leads to {item.destination} too"
    return (
        f"{item.hop} is gone from the deployment: name the hop that takes its place (review retry {item.item_id} --to "
        "HOP), deploy it again, or archive the item"
    )


def as_deployed(item: ReviewItem, topology: Topology, to: str | None, read: Callable[[], str]) -> ReviewItem:
    """``item`` with the hop and place that it goes to now; ``to`` is the hop that a person named, ``read`` its body.

    Raises:
        NoPlaceError: there is none, or ``to`` can't take it.
        ProcessingError: the body can't be read.
    """
    if not _returns_to_hop(item) or not topology.hops:
        if to is not None:
            raise NoPlaceError("only an item of a hop that is gone, in a deployment whose hops are known, takes --to")
        return item
    hop = topology.hops.get(item.hop)
    if hop is not None:
        if to is not None and topology.deployed(to) != hop.name:
            raise NoPlaceError(f"{item.hop} is still there: retry it without --to")
        return _at(item, hop, topology, read)
    if to is not None:
        hop = topology.hops.get(topology.deployed(to))
        if hop is None:
            raise NoPlaceError(f"there is no {to}: there is {', '.join(sorted(topology.hops))}")
        if hop.name.startswith("ingress/") != item.hop.startswith("ingress/"):
            raise NoPlaceError(f"{hop.name} takes other messages than {item.hop}")
    elif item.hop.startswith("route/"):
        hop = topology.hop_of(item.destination)
    if hop is None:
        raise NoPlaceError(str(gone(item, topology)))
    destination = hop.destination or hop.name
    moved = replace(
        item,
        hop=hop.name,
        destination=destination,
        item_id=item_id(item.source, item.event_id, destination),
        group_id=group_id(
            item.failure_class,
            item.error_code,
            item.error_message,
            hop=hop.name,
            destination=destination,
            stack_top=item.stack_top,
        ),
        kind=("consumer" if hop.queue_url else "function") if hop.idempotency_table else "rule",
    )
    return _at(moved, hop, topology, read)


def with_own_bodies(item: ReviewItem, bodies: Callable[[str], Bodies]) -> ReviewItem:
    """``item`` with copies of its bodies under its own id: bodies are deleted with the item that they belong to.

    Raises:
        ProcessingError: one can't be read or written.
    """

    def copied(uri: str) -> str:
        folder = uri.rpartition("/")[0].rpartition("/")[0]
        return bodies(f"{folder}/{item.item_id}/").put(bodies(uri).get(uri))

    return replace(
        item,
        bodyref=None if item.bodyref is None else copied(item.bodyref),
        attributesref=None if item.attributesref is None else copied(item.attributesref),
        retained_bodies={address: copied(copy) for address, copy in item.retained_bodies.items()},
    )


def _returns_to_hop(item: ReviewItem) -> bool:
    """Whether it goes to one hop: an event that a webhook could not publish goes to every rule."""
    return item.return_to.kind != "none" and (item.return_to.kind != "bus" or item.return_to.route is not None)


def _at(item: ReviewItem, hop: Hop, topology: Topology, read: Callable[[], str]) -> ReviewItem:
    """``item`` with its place at ``hop``; unchanged where it has a queue or function that is still the hop's."""
    to = item.return_to
    if to.kind in ("function", "record") or (to.kind == "queue" and to.queue_url == hop.queue_url):
        return item
    if hop.queue_url is not None and (to.kind == "queue" or to.route != hop.name):
        group = to.group_id or item.item_id if hop.queue_url.endswith(".fifo") else None
        if hop.kind != "ingress":
            event_of(read())
        return replace(item, return_to=ReturnTo(kind="queue", queue_url=hop.queue_url, group_id=group))
    if hop.kind == "ingress":
        raise NoPlaceError(f"{hop.name} has no queue: the partner has to send the message again")
    _require_match(event_of(read()), hop, topology)
    bus_arn = to.bus_arn or topology.bus_arn
    if bus_arn is None:
        raise NoPlaceError(f"the bus that leads to {hop.name} is not known: Terraform's outputs name it")
    return replace(item, return_to=ReturnTo(kind="bus", bus_arn=bus_arn, route=hop.name))


def _require_match(event: Event, hop: Hop, topology: Topology) -> None:
    """Require that the rule of ``hop`` takes ``event``: what no rule takes is gone without a trace."""
    if not topology.patterns_known:
        return
    if hop.pattern is None:
        raise NoPlaceError(f"{hop.name} is switched off, so its rule would not take the event: switch it on first")
    redriven = for_route(event, hop.name, 1)
    document = {
        "source": event.metadata.source,
        "detail-type": event.metadata.type,
        "detail": redriven.to_detail(),
    }
    branches: tuple[Branch, ...] = tuple(compile_pattern(json.loads(hop.pattern)))
    if not matches_any(branches, FlatEvent.of(document)):
        raise NoPlaceError(
            f"the pattern of {hop.name} does not match the event any more, so its rule would not take it: widen the "
            "pattern, or archive the item"
        )


def event_of(body: str) -> Event:
    """The event in a body, which is an EventBridge event or a bare ``Detail``.

    Raises:
        PermanentDataError: it holds no event.
    """
    try:
        document: Any = json.loads(body)
        return Event.from_detail(document.get("detail", document) if isinstance(document, Mapping) else document)
    except (ValueError, RecursionError):
        raise PermanentDataError("not-an-event", "the body is no event that could go back on the bus") from None
