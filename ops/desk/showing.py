"""How the command shows review items on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from media_events.review import ReviewItem

if TYPE_CHECKING:
    from ops.desk.desk import Outcome


def plain(text: str, *, lines: bool = False) -> str:
    """``text`` without characters that drive a terminal: whatever failed may have come from an attacker."""
    return "".join(c if c.isprintable() or (lines and c in "\n\t") else "�" for c in text)


def summary(item: ReviewItem) -> dict[str, Any]:
    left_out = {"body", "message_attributes", "response"}
    return {name: value for name, value in item.to_dict().items() if name not in left_out}


_STYLES: Final = {"OPEN": "bold red", "RETRYING": "yellow", "RESOLVED": "green", "ARCHIVED": "dim"}


def listing(items: list[ReviewItem]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("item", no_wrap=True)
    for column in ("event", "why"):
        table.add_column(column, overflow="fold", ratio=1)
    for item in items:
        latest = item.last_failed_at.replace("T", " ").partition(".")[0]
        several = f", {len(item.attempts)} failures" if len(item.attempts) > 1 else ""
        table.add_row(
            Text.assemble(item.item_id, "\n", (item.status, _STYLES.get(item.status, ""))),
            Text(plain(f"{item.event_id}") + "\n" + plain(f"{item.type or '(no type)'} to {item.destination}")),
            Text.assemble(
                (plain(item.error_code), "bold"),
                f" ({item.failure_class})\n{plain(item.error_message)[:160]}\n",
                (f"{latest} UTC{several}", "dim"),
            ),
        )
    return table


def card(item: ReviewItem) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    to = item.return_to
    back = " ".join(
        plain(part) for part in (to.kind, to.queue_url or to.bus_arn or to.function_arn or "", to.route or "")
    )
    rows = {
        "item": item.item_id,
        "status": item.status,
        "event": f"{item.event_id} ({item.source})",
        "type": item.type,
        "correlation": item.correlation_id,
        "key": item.partition_key,
        "hop": f"{item.hop} → {item.destination}",
        "failed": f"{item.failure_class}: {item.error_code}: {item.error_message}",
        "response": item.response,
        "first": item.first_failed_at,
        "last": item.last_failed_at,
        "re-driven": str(item.redrive_count),
        "replayed": item.replayed_at,
        "resolved": item.resolved_at,
        "group": item.group_id,
        "dead letter": item.kind,
        "goes back to": back,
        "body": f"{item.body_size} bytes, SHA-256 {item.body_sha256}" + (f", {item.bodyref}" if item.bodyref else ""),
    }
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, Text(plain(value)))
    for attempt in item.attempts:
        table.add_row(
            "attempt", Text(plain(f"{attempt.time}  {attempt.failure_class}  {attempt.code}: {attempt.message}"))
        )
    return table


def pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


_RESULT_STYLES: Final = {"resolved": "green", "sent": "green", "unconfirmed": "yellow"}


def line(outcome: Outcome) -> Text:
    style = _RESULT_STYLES.get(outcome.result, "bold red")
    return Text.assemble(plain(outcome.item_id), "  ", (outcome.result, style), "  ", plain(outcome.reason))
