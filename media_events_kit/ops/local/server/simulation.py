"""The context of a simulated call: MiniStack's ``SimulatePrincipalPolicy`` leaves out ``ContextEntries``.

So a statement with a condition on such a key, which the real call would have, allowed nothing.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from itertools import count, takewhile
from typing import Any

from media_events_kit.ops.local.server.corrections import replace

_entries: ContextVar[Mapping[str, str | list[str]]] = ContextVar("context_entries", default={})  # noqa: B039 - never changed


def correct(iam: Any, evaluator: Any) -> None:
    """Correct ``ministack.services.iam`` and ``ministack.core.iam_evaluator``."""
    replace(iam, "_extract_simulate_params", _parameters)
    replace(iam, "_build_simulate_results_real", _results)
    replace(evaluator, "evaluate", _evaluate)


def _parameters(of_ministack: Callable[..., Any]) -> Callable[..., Any]:
    def extract_simulate_params(parameters: Mapping[str, Any]) -> Any:
        _entries.set(_context_entries(parameters))
        return of_ministack(parameters)

    return extract_simulate_params


def _results(of_ministack: Callable[..., str]) -> Callable[..., str]:
    def build_simulate_results_real(*arguments: Any) -> str:
        try:
            return of_ministack(*arguments)
        finally:
            _entries.set({})

    return build_simulate_results_real


def _evaluate(of_ministack: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(context: Any, *arguments: Any, **named: Any) -> Any:
        entries = _entries.get()
        if entries:
            context = dataclasses.replace(context, service_context={**context.service_context, **entries})
        return of_ministack(context, *arguments, **named)

    return evaluate


def _context_entries(parameters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The keys in lower case, as MiniStack looks them up; one of a list's type has several values."""
    heads = (f"ContextEntries.member.{number}" for number in count(1))
    entries: dict[str, str | list[str]] = {}
    for head in takewhile(lambda head: _first(parameters, f"{head}.ContextKeyName"), heads):
        values = _list(parameters, f"{head}.ContextKeyValues")
        has_several = str(_first(parameters, f"{head}.ContextKeyType")).endswith("List")
        entries[str(_first(parameters, f"{head}.ContextKeyName")).lower()] = values if has_several else values[0]
    return entries


def _list(parameters: Mapping[str, Any], name: str) -> list[str]:
    values = (_first(parameters, f"{name}.member.{number}") for number in count(1))
    return [str(value) for value in takewhile(lambda value: value is not None, values)]


def _first(parameters: Mapping[str, Any], name: str) -> Any:
    value = parameters.get(name)
    return value[0] if isinstance(value, list) else value
