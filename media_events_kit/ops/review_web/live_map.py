"""What the map of a deployment says of each hop now. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from media_events.recovery.review_item import Group
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.diagram.aggregation import aggregated
from media_events_kit.ops.diagram.from_topology import deployed_flow
from media_events_kit.ops.diagram.model import Flow, Node
from media_events_kit.ops.diagram.svg import DEAD_LETTERS, REVIEW, Mark, Tone
from media_events_kit.ops.review_web.live_hops import Live
from media_events_kit.ops.status.model import CircuitBreaker, HopState, Need, Queue, age, needs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One hop in the table that says the same as the map. Texts; empty where there is no such thing, or not known."""

    hop: str
    destination: str
    rate: str
    waiting: str
    oldest: str
    dead_letters: str
    circuit_breaker: str
    in_review: str
    tone: Tone
    group_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapView:
    """A map to show: its flow and marks, its table, and what of the hops needs a person; ``needing`` are these hops."""

    flow: Flow
    marks: Mapping[str, Mark]
    rows: Sequence[Row]
    needs: Sequence[Need]
    needing: Sequence[str]
    unknown: Sequence[str]

    @property
    def shape(self) -> str:
        """A digest of what is drawn, whatever is said of it: another one needs another drawing."""
        keys = "\n".join([*(node.key for node in self.flow.nodes), "", *self.needing])
        return hashlib.sha256(keys.encode()).hexdigest()[:16]


def map_view(live: Live, groups: Sequence[Group], title: str) -> MapView:
    """The map of a reading and the failure groups with waiting items, the largest first."""
    now = live.reading.now
    rows = [_row(hop, live, groups) for hop in live.reading.hops]
    marks = {row.hop: _mark(row) for row in rows} | _of_others(live, groups)
    trouble = {key for key, mark in marks.items() if mark.tone in ("bad", "busy")}
    flow = aggregated(deployed_flow(live.topology, title), alone=trouble)
    for node in flow.nodes:
        if node.members:
            marks[node.key] = _whole(node, marks, live.rates)
    needs = [(hop.hop, need) for hop in live.reading.hops for need in needs_of(hop, now)]
    return MapView(
        flow=flow,
        marks=marks,
        rows=sorted(rows, key=lambda row: ("bad", "busy", "good", "calm").index(row.tone)),
        needs=[need for _, need in needs],
        needing=[hop for hop, _ in needs],
        unknown=[*live.reading.unknown, *live.reading.notes],
    )


def plain_map(topology: Topology, title: str, *, alone: frozenset[str]) -> Flow:
    """The map of a deployment without figures, with the parts in ``alone`` by themselves."""
    return aggregated(deployed_flow(topology, title), alone=alone)


def _row(hop: HopState, live: Live, groups: Sequence[Group]) -> Row:
    now = live.reading.now
    own = [group for group in groups if group.hop == hop.hop]
    breaker = hop.circuit_breaker or CircuitBreaker()
    waiting, dead = _total(hop.queue), _total(hop.dead_letters)
    parked = f", {hop.parked.events} parked" if hop.parked else ""
    is_open = breaker.is_open(now)
    state = f"open, {breaker.open_age(now)}" if is_open else "closed"
    if own or any(needs_of(hop, now)):
        tone: Tone = "bad"
    else:
        tone = "busy" if is_open or waiting or dead else "good"
    return Row(
        hop=hop.hop,
        destination=hop.destination or "",
        rate=_rate(live.rates.get(hop.hop)),
        waiting="" if waiting is None else f"{waiting:,}{parked}",
        oldest="" if hop.queue is None or hop.queue.oldest_seconds is None else age(hop.queue.oldest_seconds),
        dead_letters="" if dead is None else f"{dead:,}",
        circuit_breaker="" if hop.circuit_breaker is None else state,
        in_review=f"{sum(group.waiting for group in own):,}" if own else "",
        tone=tone,
        group_id=own[0].group_id if own else None,
    )


def _mark(row: Row) -> Mark:
    oldest = f", {row.oldest}" if row.oldest and not row.in_review else ""
    said = [
        f"{row.in_review} failed" if row.in_review else "",
        f"{row.waiting} wait{oldest}" if row.waiting not in ("", "0") else "",
        f"{row.dead_letters} dead" if row.dead_letters not in ("", "0") else "",
    ]
    # The table has all of it; a box has room for the worst.
    said = [part for part in said if part] or [row.rate or "nothing waits"]
    href = f"/groups/{row.group_id}" if row.group_id else "#" + anchor(row.hop)
    return Mark(text=" · ".join(said), tone=row.tone, href=href)


def anchor(hop: str) -> str:
    """The id of a hop's row in the table."""
    return f"hop-{hashlib.sha256(hop.encode()).hexdigest()[:12]}"


def _of_others(live: Live, groups: Sequence[Group]) -> dict[str, Mark]:
    marks = {
        f"partner/{partner}": Mark(text=_rate(live.rates.get(f"partner/{partner}")), href=f"/items?partner={partner}")
        for partner in live.topology.partners
    }
    for hop in live.reading.hops:
        breaker = hop.circuit_breaker or CircuitBreaker()
        if hop.destination and breaker.is_open(live.reading.now):
            said = f"breaker open, {breaker.open_age(live.reading.now)}"
            marks[f"destination/{hop.destination}"] = Mark(text=said, tone="busy", href="#" + anchor(hop.hop))
        elif hop.destination and hop.circuit_breaker:
            marks.setdefault(f"destination/{hop.destination}", Mark(text="", tone="good"))
    dead = sum(_total(hop.dead_letters) or 0 for hop in live.reading.hops)
    waiting = sum(group.waiting for group in groups)
    marks[DEAD_LETTERS] = Mark(text=f"{dead:,} wait", tone="busy" if dead else "good")
    marks[REVIEW] = Mark(text=f"{waiting:,} to review", tone="bad" if waiting else "good", href="/failures")
    return marks


def _whole(node: Node, marks: Mapping[str, Mark], rates: Mapping[str, float]) -> Mark:
    known = [rates[key] for key in node.members if key in rates]
    tones = {marks[key].tone for key in node.members if key in marks}
    return Mark(text=_rate(sum(known)) if known else "", tone="good" if tones == {"good"} else "calm")


def _rate(rate: float | None) -> str:
    if rate is None:
        return ""
    return f"{rate:,.0f}/min" if rate >= 10 or rate == round(rate) else f"{rate:.1f}/min"  # noqa: PLR2004


def _total(queue: Queue | None) -> int | None:
    return None if queue is None or queue.depth is None else queue.depth.total


def passed_by(hops: Iterable[tuple[str, str | None]], partner: str | None) -> frozenset[str]:
    """The keys of a map that an event has passed: its hops with their destinations, and its partner."""
    keys = {"bus"} | ({f"partner/{partner}"} if partner else set())
    for hop, destination in hops:
        keys |= {hop} | ({f"destination/{destination}"} if destination else set())
    return frozenset(keys)
