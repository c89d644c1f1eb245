"""From evidence to story: where the event is now, at every hop that it came to or should have come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ops.deployment.topology import Hop, Topology
from ops.trace.evidence import Evidence, LogRecord
from ops.trace.expected_hops import Known, Takes, takes
from ops.trace.hop_status import HopEvidence, hop_status_of
from ops.trace.model import EventTrace, HopStatus, Reading, verdict_of
from ops.trace.timeline import ACCEPTED, DROPPED, TRANSFORMED, steps_of


def assemble(evidence: Evidence, topology: Topology, reading: Reading) -> EventTrace:
    """The story that ``evidence`` tells of an event in the deployment that ``parts`` are of."""
    expected = _expected(evidence, topology)
    legs = _legs(evidence, topology, expected)
    steps = tuple(steps_of(evidence))
    unknown = (*evidence.problems, *_open_questions(evidence, topology, expected, legs))
    verdict = verdict_of(legs)
    if verdict == "settled" and not _complete(evidence, topology, legs):
        verdict = "unknown"
    return EventTrace(
        event_id=evidence.event_id,
        source=evidence.source,
        partner=_first(evidence.lines, "partner") or next((item.partner for item in evidence.items), None),
        type=_first(evidence.lines, "type") or next((item.type for item in evidence.items), None),
        correlation_id=_first(evidence.lines, "correlation_id")
        or next((item.correlation_id for item in evidence.items), None),
        subject=_first(evidence.lines, "subject"),
        steps=steps,
        hops=legs,
        unknown=unknown,
        verdict=verdict,
        reading=reading,
        parts=tuple(evidence.parts),
    )


def _expected(evidence: Evidence, topology: Topology) -> dict[str, Takes]:
    """Of the hops behind the bus, which take the event in one of the stages that it has been seen in."""
    known = _stages(evidence, topology)
    return {
        hop.name: "yes" if "yes" in answers else "maybe"
        for hop in topology.hops.values()
        if hop.pattern is not None and (answers := {takes(hop.pattern, stage) for stage in known} - {"no"})
    }


def _stages(evidence: Evidence, topology: Topology) -> list[Known]:
    found = {
        (stage, said.text("type"), said.text("partner")): None
        for said in evidence.lines
        for stage in ([_STAGES[said.line.message]] if said.line.message in _STAGES else [])
    }
    subject, correlation_id = _first(evidence.lines, "subject"), _first(evidence.lines, "correlation_id")
    if not found and _was_accepted(evidence):
        # The line is out of reach; an item or the ledger tells at least whose event it was.
        item = next(iter(evidence.items), None)
        partner = (evidence.source or "").removeprefix("partner.") or None
        found = {("received", item.type if item is not None and not _transforms(topology) else None, partner): None}
    return [
        Known(
            stage=stage,
            event_id=evidence.event_id,
            source=evidence.source or (f"partner.{partner}" if partner else None),
            type=kind,
            partner=partner,
            # A transform may have changed these.
            subject=subject if stage == "received" else None,
            correlation_id=correlation_id if stage == "received" else None,
        )
        for stage, kind, partner in found
    ]


_STAGES = {ACCEPTED: "received", TRANSFORMED: "transformed"}


def _transforms(topology: Topology) -> bool:
    return any(hop.kind == "transform" for hop in topology.hops.values())


def _was_accepted(evidence: Evidence) -> bool:
    return any(said.line.message == ACCEPTED for said in evidence.lines) or any(
        entry.scope == "ingress" and entry.state == "done" for entry in evidence.entries
    )


def _legs(evidence: Evidence, topology: Topology, expected: dict[str, Takes]) -> tuple[HopStatus, ...]:
    hops = {said.hop for said in evidence.lines if not said.hop.startswith("review/")}
    hops |= {item.hop for item in evidence.items}
    hops |= {name for name, answer in expected.items() if answer == "yes"}
    for entry in evidence.entries:
        hop = topology.hop_of(entry.scope.removeprefix("destination/"))
        if hop is not None and not any(_delivers_to(topology, name, hop.destination) for name in hops):
            hops.add(hop.name)
    legs = []
    for name in sorted(hops, key=_in_order_of_the_way):
        hop = topology.hops.get(name) or Hop(name=name)
        status = hop_status_of(_facts(hop, evidence, expected=expected.get(name) == "yes"))
        if status is not None:
            legs.append(status)
    return tuple(legs)


def _delivers_to(topology: Topology, name: str, destination: str | None) -> bool:
    hop = topology.hops.get(name)
    return hop is not None and hop.kind == "route" and hop.destination == destination


def _facts(hop: Hop, evidence: Evidence, *, expected: bool) -> HopEvidence:
    lines = [said for said in evidence.lines if said.hop == hop.name]
    item = next((item for item in evidence.items if item.hop == hop.name), None)
    destination = hop.destination or (item.destination if item is not None else _first(lines, "destination"))
    scope = "ingress" if hop.kind == "ingress" else f"destination/{destination}"
    before = [said.at for said in evidence.lines if said.line.message in (ACCEPTED, TRANSFORMED)]
    return HopEvidence(
        hop=hop,
        destination=destination,
        lines=lines,
        item=item,
        entry=next((entry for entry in evidence.entries if entry.scope == scope), None),
        execution=next((e for e in evidence.executions if e.destination == destination), None),
        depths=evidence.depths.get(hop.name),
        expected_since=max(before, default=0.0) if expected else None,
        split=bool(evidence.parts),
        now=evidence.now,
        complete=evidence.logs_complete and evidence.idempotency_complete and evidence.table_complete,
    )


def _complete(evidence: Evidence, topology: Topology, legs: Sequence[HopStatus]) -> bool:
    """Whether nothing that was not read could tell of a hop that no leg tells of."""
    if not evidence.table_complete:
        return False
    if evidence.logs_complete and (topology.patterns_known or any(status.is_delivery for status in legs)):
        return True
    return any(status.is_delivery for status in legs) and evidence.idempotency_complete


def _open_questions(
    evidence: Evidence, topology: Topology, expected: dict[str, Takes], legs: Sequence[HopStatus]
) -> list[str]:
    told = {status.hop for status in legs}
    questions = [
        f"{name}: what its pattern asks for is not in the logs; nothing tells that it took the event"
        for name, answer in expected.items()
        if answer == "maybe" and name not in told
    ]
    was_on_bus = _was_accepted(evidence) or any(said.line.message == TRANSFORMED for said in evidence.lines)
    dropped = any(said.line.message == DROPPED for said in evidence.lines)
    if was_on_bus and not dropped and not any(status.is_delivery for status in legs) and not evidence.parts:
        if not topology.patterns_known:
            questions.append("which routes take the event: the rules' patterns are not among the outputs")
        elif not _stages(evidence, topology) or not evidence.logs_complete:
            questions.append("which routes take the event: no log line of it is within reach")
    return questions


def no_route(story: EventTrace) -> bool:
    """Whether the event was accepted and is asked for by no rule."""
    return story.found and story.verdict == "settled" and not story.hops and not story.parts and not story.unknown


def _first(lines: Sequence[LogRecord], name: str) -> str | None:
    return next((value for said in lines if (value := said.text(name)) is not None), None)


_WAY = ("ingress", "transform", "route")


def _in_order_of_the_way(name: str) -> tuple[int, str]:
    kind = name.partition("/")[0]
    return (_WAY.index(kind) if kind in _WAY else len(_WAY), name)
