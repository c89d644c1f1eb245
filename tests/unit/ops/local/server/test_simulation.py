"""A simulated call has the context that the request gives, and no other call has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from media_events_kit.ops.local.server import simulation

REQUEST = {
    "ActionNames.member.1": ["s3:ListBucket"],
    "ContextEntries.member.1.ContextKeyName": ["s3:Prefix"],
    "ContextEntries.member.1.ContextKeyValues.member.1": ["bodies/"],
    "ContextEntries.member.1.ContextKeyType": ["string"],
    "ContextEntries.member.2.ContextKeyName": ["dynamodb:LeadingKeys"],
    "ContextEntries.member.2.ContextKeyValues.member.1": ["a"],
    "ContextEntries.member.2.ContextKeyValues.member.2": ["b"],
    "ContextEntries.member.2.ContextKeyType": ["stringList"],
}


@dataclass(frozen=True)
class Context:
    service_context: dict[str, Any] = field(default_factory=dict)


def test_the_context_of_a_simulation_is_evaluated_and_forgotten() -> None:
    iam, evaluator, seen = ModuleType("iam"), ModuleType("iam_evaluator"), []
    vars(evaluator)["evaluate"] = lambda context, _policies: seen.append(context.service_context)
    vars(iam).update(
        _extract_simulate_params=lambda request: request,
        _build_simulate_results_real=lambda *_: vars(evaluator)["evaluate"](Context({"own": "key"}), []),
    )
    simulation.correct(iam, evaluator)

    vars(iam)["_extract_simulate_params"](REQUEST)
    vars(iam)["_build_simulate_results_real"]()
    vars(evaluator)["evaluate"](Context(), [])

    assert seen == [{"own": "key", "s3:prefix": "bodies/", "dynamodb:leadingkeys": ["a", "b"]}, {}]
