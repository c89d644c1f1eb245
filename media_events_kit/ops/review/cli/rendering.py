"""Review items on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from media_events.core.clock import epoch
from media_events.recovery.review_item import WAITING, Group, ReviewItem
from media_events_kit.ops.review.failure_groups import growth
from media_events_kit.ops.review.ordering import OrderPosition
from media_events_kit.ops.review.remediation import advice, made
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.shared.tables import Column, Listing
from media_events_kit.ops.shared.times import moment, span

if TYPE_CHECKING:
    from media_events_kit.ops.review.failure_groups import Stats, Trend
    from media_events_kit.ops.review.service import Outcome


def summary(item: ReviewItem) -> dict[str, Any]:
    omitted = {"body", "message_attributes", "response"}
    values = {name: value for name, value in item.to_dict().items() if name not in omitted}
    return values | {"on_its_way_since": item.on_its_way_since}


_STYLES: Final = {"OPEN": "bold red", "RETRYING": "yellow", "RESOLVED": "green", "ARCHIVED": "dim", "SUPERSEDED": "dim"}


def listing(items: Sequence[ReviewItem]) -> Listing:
    """Items, three lines each."""
    table = Listing([Column("item", "id"), Column("event", "name"), Column("why")])
    for item in items:
        travels = f"\non its way since\n{moment(item.on_its_way_since)}" if item.on_its_way_since else ""
        several = f", {len(item.attempts)} failures" if len(item.attempts) > 1 else ""
        table.add(
            Text.assemble(item.item_id, "\n", (item.status, _STYLES.get(item.status, "")), (travels, "yellow")),
            Text(plain(f"{item.event_id}") + "\n" + plain(f"{item.type or '(no type)'} to {item.destination}")),
            Text.assemble(
                (plain(item.error_code), "bold"),
                f" ({item.failure_class})\n{plain(item.error_message)[:160]}\n",
                (plain(f"{moment(item.last_failed_at)}{several}"), "dim"),
            ),
        )
    return table


def card(
    item: ReviewItem,
    edits: Sequence[tuple[str, ReviewItem | None]] = (),
    position: OrderPosition | None = None,
    missing_hop: str | None = None,
) -> Listing:
    """Everything about an item but its body.

    ``edits`` are the events that it is an edit of; ``position`` is its place in its key queue; ``missing_hop`` is what
    to do where its hop is gone.
    """
    table = Listing([Column("", "id"), Column("")], header=False)
    to = item.return_to
    back = " ".join(
        plain(part) for part in (to.kind, to.queue_url or to.bus_arn or to.function_arn or "", to.route or "")
    )
    failed = "failed" if item.status in WAITING else "had failed"
    rows = {
        "item": item.item_id,
        "status": item.status,
        "on its way": None if item.on_its_way_since is None else f"since {item.on_its_way_since}, and may yet arrive",
        "event": f"{item.event_id} ({item.source})",
        "type": item.type,
        "correlation": item.correlation_id,
        "key": item.partition_key,
        "order": None if position is None else str(position),
        "hop": f"{item.hop} → {item.destination}",
        failed: f"{item.failure_class}: {item.error_code}: {item.error_message}",
        "HTTP status": None if item.http_status is None else str(item.http_status),
        "at": item.stack_top,
        "response": item.response,
        "first": item.first_failed_at,
        "last": item.last_failed_at,
        "redriven": str(item.redrive_count),
        "retried": item.retried_at,
        "resolved": item.resolved_at,
        "closed": item.closed_at,
        "superseded by": item.superseded_by,
        "being edited as": item.pending_edit,
        "version": str(item.version),
        "group": item.group_id,
        "dead letter": item.kind,
        "goes back to": back,
        "body": f"{item.body_size} bytes, SHA-256 {item.body_sha256}" + (f", {item.bodyref}" if item.bodyref else ""),
    }
    for name, value in rows.items():
        if value is not None:
            table.add(name, Text(plain(value)))
    for event_id, original in edits:
        where = "" if original is None else f" (item {original.item_id}, {original.status})"
        table.add("edit of", Text(plain(event_id + where)))
    if missing_hop is not None:
        table.add("do", Text(plain(missing_hop)))
    elif item.status == "OPEN":
        for step in advice(item.failure_class, item.error_code).steps:
            table.add("do", Text(step))
    if item.change:
        table.add("changed", Text(plain("{action} by {by}, {at}".format_map(item.change))))
    for attempt in item.attempts:
        request = "" if attempt.request_id is None else f"  (request {attempt.request_id})"
        text = f"{attempt.time}  {attempt.failure_class}  {attempt.code}: {attempt.message}{request}; {made(attempt)}"
        table.add("attempt", Text(plain(text)))
    return table


_RESULT_STYLES: Final = {"resolved": "green", "sent": "green", "unconfirmed": "yellow"}


def line(outcome: Outcome) -> Text:
    style = _RESULT_STYLES.get(outcome.result, "bold red")
    return Text.assemble(plain(outcome.item_id), "  ", (outcome.result, style), "  ", plain(outcome.reason))


def group_listing(groups: Sequence[tuple[Group, Trend]], *, now: float) -> Listing:
    """Groups with waiting items."""
    table = Listing([Column("group", "name"), Column("waiting", "number"), Column("why")])
    for group, trend in groups:
        trend_words = growth(group.last_opened_at, trend.hours, now).text
        times = f"since {plain(moment(group.first_opened_at))}, last {plain(moment(group.last_opened_at))}"
        table.add(
            Text(plain(group.group_id)),
            str(group.waiting),
            Text.assemble(
                "" if group.grouping == "error" else "the latest: ",
                (plain(group.error_code), "bold"),
                plain(f" ({group.failure_class}) at {group.hop} → {group.destination}"),
                f"\n{plain(group.error_message[:160])}",
                (f"\n{advice(group.failure_class, group.error_code).briefly}", "italic"),
                (f"\n{times}; {trend_words}, {trend.day} in a day", "dim"),
            ),
        )
    return table


def stats_card(stats: Stats, *, now: float) -> Listing:
    """The statistics of all groups."""
    table = Listing([Column("", "id"), Column("")], header=False)
    for status, count in stats.by_status.items():
        table.add(status, str(count))
    table.add("groups", str(stats.groups))
    for name, time in (("oldest open", stats.oldest), ("newest open", stats.newest)):
        if time is not None:
            table.add(name, Text(plain(f"{moment(time)}, {_ago(time, now)} ago")))
    trend = stats.trend
    table.add("opened", f"{trend.this_hour} this hour, {trend.last_hour} in the last, {trend.day} in a day")
    for title, counts in (("class", stats.by_class), ("destination", stats.by_destination)):
        for name, count in counts.items():
            table.add(title, Text(plain(f"{count}  {name}")))
    return table


def diff_lines(diff: Sequence[str]) -> Iterator[Text]:
    """A unified diff, coloured."""
    for text in diff:
        yield Text(plain(text), style={"+": "green", "-": "red", "@": "cyan"}.get(text[:1], ""))


def _ago(time: str, now: float) -> str:
    seconds = epoch(time)
    return "?" if seconds is None else span(now - seconds)
