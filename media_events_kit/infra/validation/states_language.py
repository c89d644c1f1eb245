"""Finds typing mistakes in Amazon States Language (https://states-language.net/spec.html) before AWS does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events_kit.infra.documents.diagnostics import did_you_mean

TYPES: Final = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
_ENDINGS: Final = ("Succeed", "Fail")


def validate_definition(machine: Any, where: str = "") -> list[str]:
    """Every mistake of a state machine's definition, each beginning with its state."""
    if not isinstance(machine, Mapping):
        return [f"{where}a definition must be a JSON object with StartAt and States"]
    states, start = machine.get("States"), machine.get("StartAt")
    if not isinstance(states, Mapping) or not states:
        return [f"{where}States must be an object with at least one state"]
    problems: list[str] = []
    if not isinstance(start, str):
        problems.append(f"{where}StartAt must name the first state")
    elif start not in states:
        problems.append(
            f'{where}StartAt names the state "{start}", which does not exist; {did_you_mean(start, states)}'
        )
    followers: set[str] = {start} if isinstance(start, str) else set()
    for name, state in states.items():
        here = f"{where}{name}: "
        if not isinstance(state, Mapping):
            problems.append(f"{here}a state must be an object")
            continue
        problems += _state(state, here)
        for key, follower in _followers(state):
            followers.add(follower)
            if follower not in states:
                problems.append(
                    f'{here}{key} names the state "{follower}", which does not exist; {did_you_mean(follower, states)}'
                )
    problems += [f"{where}{name}: no state leads to it" for name in states if name not in followers]
    return problems


def open_waits(machine: Any) -> list[str]:
    """The states that wait for an event of any source: what they send to the register function names none."""
    found: list[str] = []
    level: list[tuple[str, Any]] = [("", machine)]
    while level:
        name, value = level.pop()
        if isinstance(value, Mapping):
            names = {key.removesuffix(".$") for key in value if isinstance(key, str)}
            if {"key", "token"} <= names and "source" not in names:
                found.append(name)
            states = value.get("States")
            level += (states if isinstance(states, Mapping) else {}).items()
            level += [(name, inner) for key, inner in value.items() if key != "States"]
        elif isinstance(value, list):
            level += [(name, inner) for inner in value]
    return sorted(set(found))


def _state(state: Mapping[str, Any], here: str) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield f"{here}Type must be {', '.join(TYPES[:-1])} or {TYPES[-1]}, not {kind!r}"
        return
    ends, continues = state.get("End") is True, "Next" in state
    if kind in _ENDINGS and (ends or continues or "End" in state):
        yield f"{here}a {kind} state ends the machine: it has neither Next nor End"
    elif kind == "Choice":
        if ends or continues:
            yield f"{here}a Choice state continues by its Choices and Default: it has neither Next nor End"
        choices = state.get("Choices")
        if not isinstance(choices, list) or not choices:
            yield f"{here}Choices must be a list of at least one"
        elif any(not isinstance(choice, Mapping) or not isinstance(choice.get("Next"), str) for choice in choices):
            yield f"{here}each of the Choices must have a Next"
    elif kind not in _ENDINGS and ends == continues:
        yield f"{here}needs either Next or End: true"
    if kind == "Task" and not isinstance(state.get("Resource"), str):
        yield f"{here}a Task state needs a Resource"
    if kind == "Parallel":
        branches = state.get("Branches")
        for index, branch in enumerate(branches if isinstance(branches, list) else [None]):
            yield from validate_definition(branch, f"{here}Branches[{index}]: ")
    if kind == "Map":
        yield from validate_definition(state.get("ItemProcessor", state.get("Iterator")), f"{here}ItemProcessor: ")


def _followers(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("Next", "Default"):
        if isinstance(state.get(key), str):
            yield key, state[key]
    for key in ("Choices", "Catch"):
        rules = state.get(key)
        for rule in rules if isinstance(rules, list) else []:
            if isinstance(rule, Mapping) and isinstance(rule.get("Next"), str):
                yield f"{key}.Next", rule["Next"]
