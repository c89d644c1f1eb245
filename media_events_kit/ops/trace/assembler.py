"""From records to trace: where the event is now, at every hop that it came to or should have come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from media_events_kit.event_patterns.partial_match import Takes
from media_events_kit.ops.deployment.topology import Hop, Topology
from media_events_kit.ops.trace.evidence import Evidence, LogRecord
from media_events_kit.ops.trace.expected_hops import KnownFields, nearest, takes
from media_events_kit.ops.trace.hop_status import HopEvidence, hop_status_of
from media_events_kit.ops.trace.model import EventTrace, HopStatus, Reading, verdict_of
from media_events_kit.ops.trace.timeline import ACCEPTED, DROPPED, TRANSFORMED, steps_of


def assemble(evidence: Evidence, topology: Topology, reading: Reading) -> EventTrace:
    """The trace of an event in the deployment of ``topology``."""
    expected = _expected(evidence, topology)
    hops = _hops(evidence, topology, expected)
    verdict = verdict_of(hops)
    if verdict == "finished" and not _complete(evidence, topology, hops):
        verdict = "unknown"
    unknown = (*evidence.problems, *_open_questions(evidence, topology, expected, hops))
    no_route = verdict == "finished" and not unknown and _is_unrouted(evidence, hops)
    records, item = evidence.log_records, next(iter(evidence.items), None)
    return EventTrace(
        event_id=evidence.event_id,
        source=evidence.source,
        partner=_first(records, "partner") or (item.partner if item is not None else None),
        type=_first(records, "type") or (item.type if item is not None else None),
        correlation_id=_first(records, "correlation_id") or (item.correlation_id if item is not None else None),
        subject=_first(records, "subject"),
        steps=tuple(steps_of(evidence)),
        hops=hops,
        unknown=unknown,
        verdict=verdict,
        no_route=no_route,
        nearest=_nearest(evidence, topology) if no_route else None,
        reading=reading,
        parts=tuple(evidence.parts),
    )


def _expected(evidence: Evidence, topology: Topology) -> dict[str, Takes]:
    """The hops behind the bus that take the event in one of the stages that it has been seen in, or may take it."""
    stages = _stages(evidence, topology)
    return {
        hop.name: "yes" if "yes" in answers else "maybe"
        for hop in topology.hops.values()
        if hop.pattern is not None and (answers := {takes(hop.pattern, stage) for stage in stages} - {"no"})
    }


def _is_unrouted(evidence: Evidence, hops: Sequence[HopStatus]) -> bool:
    was_on_bus = _was_accepted(evidence) or _logged(evidence, TRANSFORMED)
    ended = any(status.is_delivery for status in hops) or _logged(evidence, DROPPED) or bool(evidence.parts)
    return was_on_bus and not ended


def _nearest(evidence: Evidence, topology: Topology) -> str | None:
    stages = _stages(evidence, topology)
    return nearest(topology, [known for known in stages if known.stage == "transformed"] or stages)


def _stages(evidence: Evidence, topology: Topology) -> list[KnownFields]:
    records = evidence.log_records
    stages = {
        (_STAGES[record.line.message], record.text("type"), record.text("partner")): None
        for record in records
        if record.line.message in _STAGES
    }
    if not stages and _was_accepted(evidence):
        # The log line is out of reach; an item or an idempotency record names the partner at least.
        item = next(iter(evidence.items), None)
        transforms = any(hop.kind == "transform" for hop in topology.hops.values())
        partner = (evidence.source or "").removeprefix("partner.") or None
        stages = {("received", item.type if item is not None and not transforms else None, partner): None}
    return [
        KnownFields(
            stage=stage,
            event_id=evidence.event_id,
            source=evidence.source or (f"partner.{partner}" if partner else None),
            type=event_type,
            partner=partner,
            # A transform may have changed these.
            subject=_first(records, "subject") if stage == "received" else None,
            correlation_id=_first(records, "correlation_id") if stage == "received" else None,
        )
        for stage, event_type, partner in stages
    ]


_STAGES = {ACCEPTED: "received", TRANSFORMED: "transformed"}


def _was_accepted(evidence: Evidence) -> bool:
    return _logged(evidence, ACCEPTED) or any(
        record.scope == "ingress" and record.state == "done" for record in evidence.idempotency_records
    )


def _logged(evidence: Evidence, message: str) -> bool:
    return any(record.line.message == message for record in evidence.log_records)


def _hops(evidence: Evidence, topology: Topology, expected: dict[str, Takes]) -> tuple[HopStatus, ...]:
    names = {record.hop for record in evidence.log_records if not record.hop.startswith("review/")}
    names |= {item.hop for item in evidence.items}
    names |= {name for name, answer in expected.items() if answer == "yes"}
    for record in evidence.idempotency_records:
        hop = topology.hop_of(record.scope.removeprefix("destination/"))
        if hop is not None and not any(_delivers_to(topology, name, hop.destination) for name in names):
            names.add(hop.name)
    statuses = (
        hop_status_of(
            _hop_evidence(topology.hops.get(name) or Hop(name=name), evidence, expected=expected.get(name) == "yes")
        )
        for name in sorted(names, key=_path_order)
    )
    return tuple(status for status in statuses if status is not None)


def _delivers_to(topology: Topology, name: str, destination: str | None) -> bool:
    hop = topology.hops.get(name)
    return hop is not None and hop.kind == "route" and hop.destination == destination


def _hop_evidence(hop: Hop, evidence: Evidence, *, expected: bool) -> HopEvidence:
    records = [record for record in evidence.log_records if record.hop == hop.name]
    item = next((item for item in evidence.items if item.hop == hop.name), None)
    destination = hop.destination or (item.destination if item is not None else _first(records, "destination"))
    scope = "ingress" if hop.kind == "ingress" else f"destination/{destination}"
    published = [record.at for record in evidence.log_records if record.line.message in _STAGES]
    return HopEvidence(
        hop=hop,
        destination=destination,
        log_records=records,
        item=item,
        idempotency=next((record for record in evidence.idempotency_records if record.scope == scope), None),
        execution=next((e for e in evidence.executions if e.destination == destination), None),
        depths=evidence.depths.get(hop.name),
        expected_since=max(published, default=0.0) if expected else None,
        split=bool(evidence.parts),
        now=evidence.now,
        complete=evidence.logs_complete and evidence.idempotency_complete and evidence.table_complete,
    )


def _complete(evidence: Evidence, topology: Topology, hops: Sequence[HopStatus]) -> bool:
    """Whether no unread record could be of a hop beyond ``hops``."""
    if not evidence.table_complete:
        return False
    has_delivery = any(status.is_delivery for status in hops)
    if evidence.logs_complete and (topology.patterns_known or has_delivery):
        return True
    return has_delivery and evidence.idempotency_complete


def _open_questions(
    evidence: Evidence, topology: Topology, expected: dict[str, Takes], hops: Sequence[HopStatus]
) -> list[str]:
    names = {status.hop for status in hops}
    questions = [
        f"{name}: the logs lack fields that its pattern tests, and there is no record that it took the event"
        for name, answer in expected.items()
        if answer == "maybe" and name not in names
    ]
    if _is_unrouted(evidence, hops):
        if not topology.patterns_known:
            questions.append("which routes take the event: the rules' patterns are not among the outputs")
        elif not _stages(evidence, topology) or not evidence.logs_complete:
            questions.append("which routes take the event: no log line of it is within reach")
    return questions


def _first(records: Sequence[LogRecord], name: str) -> str | None:
    return next((value for record in records if (value := record.text(name)) is not None), None)


_PATH = ("ingress", "transform", "route")


def _path_order(name: str) -> tuple[int, str]:
    kind = name.partition("/")[0]
    return (_PATH.index(kind) if kind in _PATH else len(_PATH), name)
