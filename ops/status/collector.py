"""Asking the parts of a deployment how they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import Group, ReviewItem
from ops.deployment.topology import Hop, Topology
from ops.review.service import STALE_SECONDS
from ops.shared.queue_depths import Depth, queue_name
from ops.status.model import (
    SETTLING_SECONDS,
    USUAL_REDRIVE_SECONDS,
    CircuitBreaker,
    GroupState,
    HopState,
    Queue,
    Status,
)

MAX_GROUPS: Final = 100
MAX_REPLAYS: Final = 200
"""So many are read on a look: enough to see what is wrong, and few enough to look every few seconds."""


@dataclass(slots=True)
class _Problems:
    """What could not be found out, each once."""

    said: dict[str, None]

    def add(self, text: str) -> None:
        self.said[text] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Asks. Every callable may raise a ``ProcessingError``.

    ``groups`` gives up to so many groups with items that wait, and whether there are more; ``replays`` the items that
    are being replayed; ``delivered`` says whether a ledger has an item's event as delivered by now. ``depth`` is a
    queue's depth by its URL, ``ages`` the age in seconds of queues' oldest messages by their names, as far as it is
    known, ``circuit_breaker`` that of a ledger's table and a destination.
    """

    topology: Topology
    groups: Callable[[int], tuple[Sequence[Group], bool]]
    replays: Callable[[], Iterator[ReviewItem]]
    delivered: Callable[[ReviewItem], bool]
    depth: Callable[[str], Depth]
    ages: Callable[[Sequence[str]], Mapping[str, float]]
    circuit_breaker: Callable[[str, str], CircuitBreaker]
    clock: Callable[[], float]

    def look(self) -> Status:
        """One look at everything; what refuses is named in the picture."""
        problems, notes = _Problems({}), _Problems({})
        if not self.topology.hops:
            problems.add("the deployment's hops and queues: Terraform's outputs are not at hand")
        now = self.clock()
        groups, more = self._groups(problems)
        return Status(
            now=now,
            hops=self._hops(problems, notes),
            groups=[group for group in groups if group.items],
            open_items=sum(group.items for group in groups),
            more_open=more,
            retrying=sum(group.retrying for group in groups),
            unconfirmed=self._unconfirmed(now, problems) if any(group.retrying for group in groups) else [],
            unknown=list(problems.said),
            notes=list(notes.said),
        )

    def _groups(self, problems: _Problems) -> tuple[list[GroupState], bool]:
        try:
            groups, more = self.groups(MAX_GROUPS)
        except ProcessingError as error:
            problems.add(f"the review table: {error.message}")
            return [], False
        return [_group(group) for group in groups], more

    def _unconfirmed(self, now: float, problems: _Problems) -> list[str]:
        """Replays that nothing has confirmed in time. A command that did not wait leaves items that were delivered."""
        try:
            stale = [item for item in islice(self.replays(), MAX_REPLAYS) if _is_stale(item, now)]
            return [item.item_id for item in stale if not self.delivered(item)]
        except ProcessingError as error:
            problems.add(f"the outcome of replays: {error.message}")
            return []

    def _hops(self, problems: _Problems, notes: _Problems) -> list[HopState]:
        hops = [hop for hop in self.topology.hops.values() if hop.queue_url or hop.dead_letter_queue_url]
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
                circuit_breaker=self._circuit_breaker(hop, problems),
                patience_seconds=(hop.redrive_max_delay_seconds or USUAL_REDRIVE_SECONDS) + SETTLING_SECONDS,
            )
            for hop in hops
        ]

    def _depths(self, hops: Iterable[Hop], problems: _Problems) -> dict[str, Depth | None]:
        found: dict[str, Depth | None] = {}
        for url in [url for hop in hops for url in (hop.queue_url, hop.dead_letter_queue_url) if url is not None]:
            try:
                found[url] = self.depth(url)
            except ProcessingError as error:
                problems.add(error.message)
                found[url] = None
        return found

    def _ages(self, names: Sequence[str], notes: _Problems) -> Mapping[str, float]:
        if not names:
            return {}
        try:
            return self.ages(names)
        except ProcessingError as error:
            # Without ages the counts are there; what is too old is then found by the alarms alone.
            notes.add(f"ages of messages are not known: {error.message}")
            return {}

    def _circuit_breaker(self, hop: Hop, problems: _Problems) -> CircuitBreaker | None:
        if hop.idempotency_table is None or hop.destination is None:
            return None
        try:
            return self.circuit_breaker(hop.idempotency_table, hop.destination)
        except ProcessingError as error:
            problems.add(f"the breaker of {hop.destination}: {error.message}")
            return None


def _group(group: Group) -> GroupState:
    return GroupState(
        group_id=group.group_id,
        items=group.counts.get("OPEN", 0),
        retrying=group.counts.get("RETRYING", 0),
        oldest=group.first_opened_at,
        newest=group.last_opened_at,
        hop=group.hop,
        destination=group.destination,
        failure_class=group.failure_class,
        error_code=group.error_code,
        error_message=group.error_message,
    )


def _is_stale(item: ReviewItem, now: float) -> bool:
    try:
        since = datetime.fromisoformat(item.replayed_at or "").timestamp()
    except ValueError:
        return True
    return now - since > STALE_SECONDS
