"""Amazon States Language: what is wrong with a definition, and in which state."""

import json
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.infra.validation.states_language import open_waits, validate_definition

WORKFLOWS = Path(__file__).resolve().parents[4] / "workflows"
DONE = {"Done": {"Type": "Succeed"}}


def machine(**states: Any) -> dict[str, Any]:
    """A machine that starts at the first of `states`, and may end at `Done`."""
    return {"StartAt": next(iter(states)), "States": {**states, **DONE}}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.asl.json")), ids=lambda path: path.name)
def test_definitions_that_come_with_the_project_are_sound(path):
    assert validate_definition(json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ([], "a definition must be a JSON object with StartAt and States"),
        ({"StartAt": "A"}, "States must be an object with at least one state"),
        ({"States": DONE}, "StartAt must name the first state"),
        ({"StartAt": "Doen", "States": DONE}, 'StartAt names the state "Doen", which does not exist; did you mean "Do'),
        (
            machine(A={"Type": "Pas", "Next": "Done"}),
            "A: Type must be Task, Pass, Choice, Wait, Succeed, Fail, Parallel",
        ),
        (machine(A={"Type": "Pass"}), "A: needs either Next or End: true"),
        (machine(A={"Type": "Pass", "Next": "Done", "End": True}), "A: needs either Next or End: true"),
        (machine(A={"Type": "Pass", "Next": "Dnoe"}), 'A: Next names the state "Dnoe", which does not exist'),
        (machine(A={"Type": "Fail", "Next": "Done"}), "A: a Fail state ends the machine"),
        (machine(A={"Type": "Choice", "Choices": [], "Default": "Done"}), "A: Choices must be a list of at least one"),
        (machine(A={"Type": "Choice", "Choices": [{}], "Default": "Done"}), "A: each of the Choices must have a Next"),
        (
            machine(A={"Type": "Choice", "Choices": [{"Next": "Done"}], "End": True}),
            "A: a Choice state continues by its",
        ),
        (machine(A={"Type": "Task", "Next": "Done"}), "A: a Task state needs a Resource"),
        (machine(A="Pass"), "A: a state must be an object"),
        (
            machine(A={"Type": "Task", "Resource": "arn", "Next": "Done", "Catch": [{"Next": "Lost"}]}),
            'A: Catch.Next names the state "Lost"',
        ),
        (
            machine(A={"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {}}], "Next": "Done"}),
            "A: Branches[0]: States must be an object",
        ),
        (machine(A={"Type": "Parallel", "Next": "Done"}), "A: Branches[0]: a definition must be a JSON object"),
        (machine(A={"Type": "Map", "Next": "Done"}), "A: ItemProcessor: a definition must be a JSON object"),
    ],
)
def test_typing_mistake_names_its_state(definition, problem):
    assert validate_definition(definition)[0].startswith(problem)


def test_state_that_nothing_leads_to_is_a_mistake():
    found = validate_definition(machine(A={"Type": "Pass", "Next": "Done"}, Lost={"Type": "Pass", "Next": "Done"}))

    assert found == ["Lost: no state leads to it"]


def test_every_mistake_is_reported():
    states = {"A": {"Type": "Pass"}, "B": {"Type": "Task", "End": True}}

    assert len(validate_definition({"StartAt": "C", "States": states})) == 5


def test_a_wait_that_any_source_may_end_is_told_of():
    def waiting(**more):
        return {"Type": "Task", "Resource": "x", "Parameters": {"Payload": {"key.$": "$.a", "token.$": "$$.b", **more}}}

    named = waiting(source="partner.mux") | {"Next": "Each"}
    inner = {"StartAt": "Any", "States": {"Any": waiting(**{"since.$": "$.c"}) | {"End": True}}}
    found = open_waits(machine(A=named, Each={"Type": "Map", "ItemProcessor": inner, "Next": "Done"}))

    assert found == ["Any"]
    assert open_waits(machine(A=waiting(**{"source.$": "$.s"}) | {"Next": "Done"})) == []
