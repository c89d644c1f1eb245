"""Reads the status of a deployment's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from media_events.adapters.sqs.depths import Depth, queue_name
from media_events.core.clock import epoch
from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import Group, ReviewItem
from media_events_kit.ops.deployment.topology import Hop, Topology
from media_events_kit.ops.review.service import STALE_SECONDS
from media_events_kit.ops.shared.contact import CONTACT, LOST
from media_events_kit.ops.status.model import (
    SETTLING_SECONDS,
    USUAL_REDRIVE_SECONDS,
    CircuitBreaker,
    GroupState,
    HopReading,
    HopState,
    Parked,
    Queue,
    Status,
)

MAX_GROUPS: Final = 100
MAX_RETRIES: Final = 200
"""Read at most: enough to see the trouble, and few enough to refresh every few seconds."""
AT_ONCE: Final = 10
"""Requests at a time, as many as botocore keeps connections."""

HOW_TO_RESUME: Final = "this only reads, nothing was changed: run it again when AWS answers; --watch goes on by itself"

T = TypeVar("T")


class _LostError(Exception):
    """Nobody answers; the text says since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCollector:
    """Collects a status. Every callable but ``clock`` may raise a ``ProcessingError``.

    ``groups`` returns so many failure groups with waiting items at most, and whether there are more; ``retries`` the
    items that are being retried; ``delivered`` whether the idempotency store has an item's event as delivered by now.
    ``depth`` returns a queue's depth by its URL, ``ages`` the known ages in seconds of queues' oldest messages by their
    names, ``circuit_breakers`` those of an idempotency table and destinations, ``parked`` what is parked at one.
    ``depth`` and ``parked`` are called from several threads: neither SQS nor DynamoDB answers for many at once.
    """

    topology: Topology
    groups: Callable[[int], tuple[Sequence[Group], bool]]
    retries: Callable[[], Iterator[ReviewItem]]
    delivered: Callable[[ReviewItem], bool]
    depth: Callable[[str], Depth]
    ages: Callable[[Sequence[str]], Mapping[str, float]]
    circuit_breakers: Callable[[str, Sequence[str]], Mapping[str, CircuitBreaker]]
    parked: Callable[[str, str], Parked | None]
    clock: Callable[[], float]

    def collect(self) -> Status:
        """The status now; it names the parts that could not be read."""
        now = self.clock()
        of_groups: list[str] = []
        try:
            groups, more = self._groups(of_groups)
        except _LostError as error:
            # Each further question would wait as long as the first one.
            return _nothing_known(now, str(error))
        read = self.hops()
        problems = [*read.unknown, *of_groups]
        return Status(
            now=now,
            hops=read.hops,
            groups=[group for group in groups if group.items],
            open_items=sum(group.items for group in groups),
            more_open=more,
            retrying=sum(group.retrying for group in groups),
            unconfirmed=self._unconfirmed(now, problems) if any(group.retrying for group in groups) else [],
            unknown=list(dict.fromkeys(problems)),
            notes=read.notes,
        )

    def hops(self) -> HopReading:
        """The hops alone, without what waits in review."""
        problems: list[str] = []
        notes: list[str] = []
        if not self.topology.hops:
            problems.append("the deployment's hops and queues: Terraform's outputs are not at hand")
        now = self.clock()
        return HopReading(now=now, hops=self._hops(problems, notes), unknown=problems, notes=notes)

    def _groups(self, problems: list[str]) -> tuple[list[GroupState], bool]:
        try:
            groups, more = self.groups(MAX_GROUPS)
        except ProcessingError as error:
            if error.code in LOST:
                raise _LostError(CONTACT.problem(error)) from error
            problems.append(f"the review table: {error.message}")
            return [], False
        return [_group(group) for group in groups], more

    def _unconfirmed(self, now: float, problems: list[str]) -> list[str]:
        """The ids of items whose retry nothing has confirmed in time.

        A command that did not wait leaves delivered items as retrying: these are left out.
        """
        try:
            stale = [item for item in islice(self.retries(), MAX_RETRIES) if _is_stale(item, now)]
            return [item.item_id for item in stale if not self.delivered(item)]
        except ProcessingError as error:
            problems.append(f"the outcome of retries: {error.message}")
            return []

    def _hops(self, problems: list[str], notes: list[str]) -> list[HopState]:
        hops = [hop for hop in self.topology.hops.values() if hop.queue_url or hop.dead_letter_queue_url]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            depths = self._depths(hops, problems, pool)
            parked = dict(zip(hops, pool.map(self._parked, hops), strict=True))
        breakers = self._breakers(hops, problems)
        # An empty queue has no age; where all are empty, CloudWatch need not be asked.
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
                circuit_breaker=breakers.get((hop.idempotency_table, hop.destination)),
                parked=_known(parked[hop], problems),
                patience_seconds=(hop.redrive_max_delay_seconds or USUAL_REDRIVE_SECONDS) + SETTLING_SECONDS,
            )
            for hop in hops
        ]

    def _depths(self, hops: Iterable[Hop], problems: list[str], pool: ThreadPoolExecutor) -> dict[str, Depth | None]:
        urls = [url for hop in hops for url in (hop.queue_url, hop.dead_letter_queue_url) if url is not None]
        return {url: _known(depth, problems) for url, depth in zip(urls, pool.map(self._depth, urls), strict=True)}

    def _depth(self, url: str) -> Depth | str:
        try:
            return self.depth(url)
        except ProcessingError as error:
            return error.message

    def _breakers(
        self, hops: Iterable[Hop], problems: list[str]
    ) -> dict[tuple[str | None, str | None], CircuitBreaker]:
        by_table: dict[str, list[str]] = {}
        for hop in hops:
            if hop.idempotency_table is not None and hop.destination is not None:
                by_table.setdefault(hop.idempotency_table, []).append(hop.destination)
        found: dict[tuple[str | None, str | None], CircuitBreaker] = {}
        for table, destinations in by_table.items():
            try:
                read = self.circuit_breakers(table, destinations)
            except ProcessingError as error:
                problems.append(f"the circuit breakers in {table}: {error.message}")
            else:
                found |= {(table, destination): breaker for destination, breaker in read.items()}
        return found

    def _parked(self, hop: Hop) -> Parked | str | None:
        if hop.idempotency_table is None or hop.destination is None:
            return None
        try:
            return self.parked(hop.idempotency_table, hop.destination)
        except ProcessingError as error:
            return f"what is parked at {hop.name}: {error.message}"

    def _ages(self, names: Sequence[str], notes: list[str]) -> Mapping[str, float]:
        if not names:
            return {}
        try:
            return self.ages(names)
        except ProcessingError as error:
            # The counts are known all the same, and the alarms find messages that are too old.
            notes.append(f"ages of messages are not known: {error.message}")
            return {}


def _nothing_known(now: float, problem: str) -> Status:
    return Status(
        now=now,
        hops=[],
        groups=[],
        open_items=0,
        more_open=False,
        retrying=0,
        unconfirmed=[],
        unknown=[problem],
        notes=[HOW_TO_RESUME],
    )


def _known(read: T | str | None, problems: list[str]) -> T | None:
    """What was read; a problem in its place is added to ``problems``."""
    if isinstance(read, str):
        problems.append(read)
        return None
    return read


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
    since = epoch(item.retried_at)
    return since is None or now - since > STALE_SECONDS
