"""Asking the parts of a deployment how they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from media_events.failures import HopError
from media_events.review import ReviewItem, Status
from ops.desk.desk import STALE_SECONDS
from ops.parts import Hop, Parts
from ops.queues import Depth, queue_name
from ops.status.picture import (
    SETTLING_SECONDS,
    USUAL_REDRIVE_SECONDS,
    Breaker,
    GroupState,
    HopState,
    Picture,
    Queue,
)

EXAMINE: Final = 1000
"""How many items of a status are read: enough to see what is wrong, and few enough to look every few seconds."""


@dataclass(slots=True)
class _Problems:
    """What could not be found out, each once."""

    said: dict[str, None]

    def add(self, text: str) -> None:
        self.said[text] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Asks. Every callable may raise a ``HopError``.

    ``items`` gives the review items of a status, newest failure first; ``depth`` a queue's depth by its URL; ``ages``
    the age in seconds of queues' oldest messages by their names, as far as it is known; ``breaker`` that of a ledger's
    table and a destination.
    """

    parts: Parts
    items: Callable[[Status], Iterator[ReviewItem]]
    depth: Callable[[str], Depth]
    ages: Callable[[Sequence[str]], Mapping[str, float]]
    breaker: Callable[[str, str], Breaker]
    clock: Callable[[], float]
    examine: int = EXAMINE

    def look(self) -> Picture:
        """One look at everything; what refuses is named in the picture."""
        problems, notes = _Problems({}), _Problems({})
        if not self.parts.hops:
            problems.add("the deployment's hops and queues: Terraform's outputs are not at hand")
        found_open, more = self._items("OPEN", problems)
        retrying, _ = self._items("RETRYING", problems)
        now = self.clock()
        return Picture(
            now=now,
            hops=self._hops(problems, notes),
            groups=[_group(group) for group in groups(found_open)],
            open_items=len(found_open),
            more_open=more,
            retrying=len(retrying),
            unconfirmed=[item.item_id for item in retrying if _is_stale(item, now)],
            unknown=list(problems.said),
            notes=list(notes.said),
        )

    def _items(self, status: Status, problems: _Problems) -> tuple[list[ReviewItem], bool]:
        try:
            found = list(islice(self.items(status), self.examine + 1))
        except HopError as error:
            problems.add(f"the review table: {error.message}")
            return [], False
        return found[: self.examine], len(found) > self.examine

    def _hops(self, problems: _Problems, notes: _Problems) -> list[HopState]:
        hops = [hop for hop in self.parts.hops.values() if hop.queue_url or hop.dead_letter_queue_url]
        depths = self._depths(hops, problems)
        # A queue that holds nothing has no age; with all of them empty CloudWatch need not be asked.
        holding = [queue_name(url) for url, depth in depths.items() if depth is not None and depth.total]
        ages = self._ages(holding, notes)

        def queue(url: str | None) -> Queue | None:
            if url is None:
                return None
            name = queue_name(url)
            return Queue(name=name, depth=depths[url], oldest_seconds=ages.get(name))

        return [
            HopState(
                hop=hop.name,
                destination=hop.destination if hop.kind == "route" else None,
                queue=queue(hop.queue_url),
                dead_letters=queue(hop.dead_letter_queue_url),
                breaker=self._breaker(hop, problems),
                patience_seconds=(hop.redrive_max_delay_seconds or USUAL_REDRIVE_SECONDS) + SETTLING_SECONDS,
            )
            for hop in hops
        ]

    def _depths(self, hops: Iterable[Hop], problems: _Problems) -> dict[str, Depth | None]:
        found: dict[str, Depth | None] = {}
        for url in [url for hop in hops for url in (hop.queue_url, hop.dead_letter_queue_url) if url is not None]:
            try:
                found[url] = self.depth(url)
            except HopError as error:
                problems.add(error.message)
                found[url] = None
        return found

    def _ages(self, names: Sequence[str], notes: _Problems) -> Mapping[str, float]:
        if not names:
            return {}
        try:
            return self.ages(names)
        except HopError as error:
            # Without ages the counts are there; what is too old is then found by the alarms alone.
            notes.add(f"ages of messages are not known: {error.message}")
            return {}

    def _breaker(self, hop: Hop, problems: _Problems) -> Breaker | None:
        if hop.ledger_table is None or hop.destination is None:
            return None
        try:
            return self.breaker(hop.ledger_table, hop.destination)
        except HopError as error:
            problems.add(f"the breaker of {hop.destination}: {error.message}")
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Open items of one group: how many of those looked at, and one of them."""

    group_id: str
    items: int
    oldest: str
    newest: str
    example: ReviewItem


def groups(items: Iterable[ReviewItem]) -> list[Group]:
    """The groups of ``items``, the largest first."""
    found: dict[str, Group] = {}
    for item in items:
        last = item.last_failed_at
        group = found.get(item.group_id)
        if group is None:
            found[item.group_id] = Group(group_id=item.group_id, items=1, oldest=last, newest=last, example=item)
            continue
        oldest, newest = min(group.oldest, last), max(group.newest, last)
        found[item.group_id] = replace(group, items=group.items + 1, oldest=oldest, newest=newest)
    return sorted(found.values(), key=lambda group: (-group.items, group.group_id))


def _group(group: Group) -> GroupState:
    item = group.example
    return GroupState(
        group_id=group.group_id,
        items=group.items,
        oldest=group.oldest,
        newest=group.newest,
        hop=item.hop,
        destination=item.destination,
        failure_class=item.failure_class,
        error_code=item.error_code,
        error_message=item.error_message,
    )


def _is_stale(item: ReviewItem, now: float) -> bool:
    try:
        since = datetime.fromisoformat(item.replayed_at or "").timestamp()
    except ValueError:
        return True
    return now - since > STALE_SECONDS
