"""The content of the local cloud: queues and their depths, functions, open review items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.sqs.depths import depth as queue_depth
from media_events.adapters.sqs.depths import queue_name
from media_events.recovery.review_item import Selection
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.shared.tables import Column, Listing

ITEMS_A_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """A queue: messages that wait, and messages that are being processed or wait for a backoff to end."""

    name: str
    waiting: int
    in_flight: int

    @property
    def is_dead_letter_queue(self) -> bool:
        """Whether it is a dead-letter queue, by the kit's naming."""
        return self.name.removesuffix(".fifo").endswith("-dlq")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An item that waits for a person."""

    item_id: str
    event_id: str
    destination: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole content."""

    endpoint: str
    pid: int
    started_at: str
    queues: list[QueueDepth]
    functions: list[str]
    review_items: list[ReviewItem]
    webhook_urls: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"running": True, **asdict(self)}


def overview_of(clients: Clients, outputs: dict[str, Any], webhook_urls: dict[str, str]) -> Overview:
    """The content now."""
    record = clients.record
    return Overview(
        endpoint=record.endpoint,
        pid=record.pid,
        started_at=record.started_at,
        queues=_queues(clients),
        functions=sorted(
            function["FunctionName"]
            for page in clients.lambda_.get_paginator("list_functions").paginate()
            for function in page["Functions"]
        ),
        review_items=open_review_items(clients, outputs.get("review_table_name")),
        webhook_urls=webhook_urls,
    )


def _queues(clients: Clients) -> list[QueueDepth]:
    depths = []
    for page in clients.sqs.get_paginator("list_queues").paginate():
        for url in page.get("QueueUrls", []):
            depth = queue_depth(clients.sqs, url)
            depths.append(QueueDepth(name=queue_name(url), waiting=depth.waiting, in_flight=depth.in_flight))
    return sorted(depths, key=lambda depth: depth.name)


def open_review_items(clients: Clients, table: str | None) -> list[ReviewItem]:
    """The items that wait for a person, or for the outcome of a retry."""
    if table is None:
        return []
    items: list[ReviewItem] = []
    for status in ("OPEN", "RETRYING"):
        after = None
        while True:
            page = DynamoReviewTable(clients.dynamodb, table).page(
                Selection(index="by-status", value=status), limit=ITEMS_A_PAGE, after=after
            )
            items += [
                ReviewItem(
                    item_id=item.item_id,
                    event_id=item.event_id,
                    destination=item.destination,
                    status=item.status,
                    reason=f"{item.error_code}: {item.error_message}",
                )
                for item in page.items
            ]
            after = page.after
            if after is None:
                break
    return items


def show(overview: Overview) -> RenderableType:
    """For a person."""
    queues = Listing([Column("queue", "name"), Column("waiting", "number"), Column("in flight", "number")])
    for depth in overview.queues:
        style = "bold red" if depth.is_dead_letter_queue and depth.waiting + depth.in_flight else ""
        queues.add(*(Text(cell, style=style) for cell in (depth.name, str(depth.waiting), str(depth.in_flight))))
    parts: list[RenderableType] = [
        Text(f"{overview.endpoint}  running since {overview.started_at} (process {overview.pid})"),
        Text(f"{len(overview.functions)} functions: " + ", ".join(overview.functions)),
        *(Text(f"webhook of {partner}: {url}") for partner, url in overview.webhook_urls.items()),
        Text(""),
        Text("Queues", style="italic"),
        queues,
        Text(""),
    ]
    if overview.review_items:
        named = [Column(title, "name") for title in ("event", "destination")]
        items = Listing([Column("item", "id"), *named, Column("status", "id"), Column("reason")])
        for item in overview.review_items:
            items.add(item.item_id, item.event_id, item.destination, item.status, item.reason)
        parts += [Text("Waiting for a person", style="italic"), items]
    else:
        parts.append(Text("Nothing waits for a person."))
    return Group(*parts)
