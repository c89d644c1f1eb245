"""Follows an event through the transforms and routes of a workflow, without AWS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from media_events.core.configuration import ConfigurationError
from media_events.core.envelope import EnvelopeError, Event
from media_events.core.failures import ProcessingError
from media_events.core.json_fields import text
from media_events.transform import parse_steps
from media_events_kit.event_patterns import Mismatch, effective_pattern, explain
from media_events_kit.event_patterns.json_documents import plain
from media_events_kit.infra.model.destinations import SqsDestination
from media_events_kit.infra.model.workflow import Transform, Workflow
from media_events_kit.infra.validation.patterns import stage_of
from media_events_kit.ops.route.offline_transform import run_steps

GIVEN: Final = "the event"

Outcome = Literal["taken", "not-taken", "switched-off"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of one hop on an event.

    ``of`` names the tested events: the given one, or results of transforms. ``mismatch`` says why it is not taken;
    ``switched-off`` is a hop that would take it if it were enabled. ``results`` are those of a transform, ``effect``
    describes their consequence in words, ``failed`` says that there are none for a fault of event or steps, and
    ``passed_over`` names steps that were skipped.
    """

    hop: str
    destination: str | None
    outcome: Outcome
    of: tuple[str, ...]
    mismatch: Mismatch | None = None
    effect: str | None = None
    results: tuple[Mapping[str, Any], ...] = ()
    failed: bool = False
    passed_over: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "hop": self.hop,
            "destination": self.destination,
            "outcome": self.outcome,
            "of": list(self.of),
            "mismatch": None if self.mismatch is None else self.mismatch.to_dict(),
            "effect": self.effect,
            "results": [plain(result) for result in self.results],
            "passed_over": list(self.passed_over),
        }


@dataclass(slots=True)
class Routing:
    """The decisions of all hops, in the order of the workflow."""

    transforms: list[Decision] = field(default_factory=list)
    routes: list[Decision] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        """Whether any hop takes the event."""
        return any(decision.outcome == "taken" for decision in [*self.transforms, *self.routes])


def as_bus_event(document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` as rules see it: an EventBridge event as it is, a ``{metadata, data}`` detail put into one.

    Raises:
        EnvelopeError: it is neither.
    """
    if "detail" in document or "detail-type" in document:
        return dict(document)
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        raise EnvelopeError(["it has neither detail (an EventBridge event) nor metadata (the detail of one)"])
    problems = [f"metadata.{name} must be text" for name in ("partner", "type") if not text(metadata.get(name))]
    if problems:
        raise EnvelopeError(problems)
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": metadata["type"],
        "source": f"partner.{metadata['partner']}",
        "account": "000000000000",
        "time": metadata.get("time", "1970-01-01T00:00:00Z"),
        "region": "local",
        "resources": [],
        "detail": {**document, "metadata": {"stage": "received", **metadata}},
    }


def route(workflow: Workflow, event: Mapping[str, Any]) -> Routing:
    """The decisions of all hops of ``workflow``, as those of its deployed rules."""
    routing = Routing()
    for name, hop in workflow.transforms.items():
        pattern = effective_pattern(hop.pattern, hop=f"transform/{name}", stage="received")
        decision = _decide(f"transform/{name}", None, pattern, {GIVEN: event}, enabled=hop.enabled)
        routing.transforms.append(_transformed(decision, hop, event) if decision.outcome == "taken" else decision)
    results = {
        (decision.hop if len(decision.results) == 1 else f"{decision.hop}[{index}]"): result
        for decision in routing.transforms
        for index, result in enumerate(decision.results)
    }
    for name, hop_route in workflow.routes.items():
        stage = stage_of("routes", hop_route.stage or "", has_transforms=bool(workflow.transforms))
        pattern = effective_pattern(hop_route.pattern, hop=f"route/{name}", stage=stage)
        candidates = {GIVEN: event, **results} if stage == "transformed" else {GIVEN: event}
        decision = _decide(f"route/{name}", hop_route.destination, pattern, candidates, enabled=hop_route.enabled)
        if _share_an_id([candidates[name] for name in decision.of]):
            to = workflow.destinations.get(hop_route.destination)
            direct = isinstance(to, SqsDestination) and to.mode is None
            decision = replace(decision, effect=_ALL_OF_THEM if direct else _ONE_OF_THEM)
        routing.routes.append(decision)
    return routing


# An idempotency store knows events by their id, which transforms keep; a queue that a rule sends to has no store.
_ONE_OF_THEM: Final = "it gets only the first of them, since they have one id"
_ALL_OF_THEM: Final = "it gets all of them"


def _share_an_id(events: list[Mapping[str, Any]]) -> bool:
    """Whether an idempotency store takes two of ``events`` for one; parts of a split differ."""
    if len(events) < 2:  # noqa: PLR2004 - it takes two
        return False
    # The given event is among them where it is transformed already, and is then complete.
    metadata = [plain(event["detail"])["metadata"] for event in events]
    return max(Counter((about.get("source"), about.get("id")) for about in metadata).values()) > 1


def _decide(
    hop: str,
    destination: str | None,
    pattern: Mapping[str, Any],
    candidates: Mapping[str, Mapping[str, Any]],
    *,
    enabled: bool,
) -> Decision:
    """The decision on all candidates that match; if none does, on the last, which is the most likely one."""
    verdicts = {name: explain(pattern, event) for name, event in candidates.items()}
    matched = tuple(name for name, verdict in verdicts.items() if verdict.matched)
    if not matched:
        name, verdict = list(verdicts.items())[-1]
        return Decision(hop, destination, "not-taken", (name,), verdict.mismatch)
    return Decision(hop, destination, "taken" if enabled else "switched-off", matched)


def _transformed(decision: Decision, hop: Transform, event: Mapping[str, Any]) -> Decision:
    """The decision of a transform with the results of its steps."""
    try:
        received = Event.from_detail(plain(event.get("detail")))
        result = run_steps(received, parse_steps(hop.steps))
    except EnvelopeError as error:
        return replace(decision, effect=f"its detail is refused: {error}", failed=True)
    except (ProcessingError, ConfigurationError) as error:
        return replace(decision, effect=f"its steps fail: {error}", failed=True)
    decision = replace(decision, passed_over=tuple(result.passed_over))
    if not result.events:
        return replace(decision, effect="its steps drop the event")
    results = []
    for event_after in result.events:
        after = event_after.next_hop(stage="transformed", redrive=None)
        metadata = after.metadata
        results.append({**event, "source": metadata.source, "detail-type": metadata.type, "detail": after.to_detail()})
    return replace(decision, results=tuple(results))
