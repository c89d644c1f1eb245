"""A deployment on one screen."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from media_events.core.clock import timestamp
from media_events_kit.kit_files import runnable
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.shared.tables import Column, Listing
from media_events_kit.ops.status.model import HopState, Parked, Queue, Status, Verdict, age

_VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "nothing": ("nothing needs a person", "bold green"),
    "something": ("needs a person now", "bold red"),
    "unknown": ("can't tell whether anything needs a person: not everything could be read", "bold yellow"),
}
SHOWN_NEEDS: Final = 12


def show(status: Status) -> RenderableType:
    """The whole status, the needs first."""
    words, style = _VERDICTS[status.verdict]
    rows: list[RenderableType] = [Text.assemble((words, style), (f"   {timestamp(status.now)}", "dim"))]
    needs = status.needs
    for need in needs[:SHOWN_NEEDS]:
        rows += [Text(f"  {plain(need.what)}"), Text(f"    {plain(runnable(need.do))}", style="dim")]
    if len(needs) > SHOWN_NEEDS:
        rows.append(Text(f"  … and {len(needs) - SHOWN_NEEDS} more: see them with --json"))
    rows += [Text(""), _review(status)]
    if status.hops:
        rows += [Text(""), _hops(status)]
    if status.unknown:
        rows += [Text(""), Text("not known", style="bold"), *(Text(f"  {plain(line)}") for line in status.unknown)]
    rows += [Text(plain(line), style="dim") for line in status.notes]
    return Group(*rows)


def _review(status: Status) -> Text:
    more = ", and there are more groups" if status.more_open else ""
    count = f"{status.open_items} open in {len(status.groups)} groups"
    return Text(f"review: {count}, {status.retrying} retrying{more}")


def _hops(status: Status) -> Listing:
    parks = any(hop.parked is not None for hop in status.hops)
    numbers = ("waiting", "in flight", "delayed", *(["parked"] if parks else []), "oldest", "dead letters", "oldest")
    table = Listing(
        [Column("hop", "name"), *(Column(title, "number") for title in numbers), Column("circuit breaker", "id")]
    )
    for hop in status.hops:
        table.add(
            Text(plain(hop.hop if hop.destination is None else f"{hop.hop} → {hop.destination}")),
            *_counts(hop.queue),
            *([_parked(hop.parked)] if parks else []),
            Text("-" if hop.queue is None else age(hop.queue.oldest_seconds)),
            _dead_letters(hop.dead_letters),
            Text("-" if hop.dead_letters is None else age(hop.dead_letters.oldest_seconds)),
            _circuit_breaker(hop, status.now),
        )
    return table


def _counts(queue: Queue | None) -> list[Text]:
    if queue is None:
        return [Text("-", style="dim")] * 3
    if queue.depth is None:
        return [Text("?", style="bold yellow")] * 3
    counts = (queue.depth.waiting, queue.depth.in_flight, queue.depth.delayed)
    return [Text(str(count), style="" if count else "dim") for count in counts]


def _parked(parked: Parked | None) -> Text:
    return Text("-", style="dim") if parked is None else Text(str(parked.events), style="yellow")


def _dead_letters(queue: Queue | None) -> Text:
    if queue is None:
        return Text("-", style="dim")
    if queue.depth is None:
        return Text("?", style="bold yellow")
    return Text(str(queue.depth.total), style="yellow" if queue.depth.total else "dim")


def _circuit_breaker(hop: HopState, now: float) -> Text:
    breaker = hop.circuit_breaker
    if breaker is None:
        return Text("-", style="dim")
    if breaker.open_until is not None and breaker.is_open(now):
        open_age = breaker.open_age(now)
        if breaker.suspect_only:
            return Text(f"suspects, {open_age}", style="yellow")
        return Text(f"open, {open_age}", style="bold red")
    if breaker.failures:
        return Text(f"closed, {breaker.failures} failed", style="yellow")
    return Text("closed", style="dim")
