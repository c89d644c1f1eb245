"""Reading configuration: every problem names its field, and none is reported twice."""

from __future__ import annotations

import re

import pytest

from media_events.core.config_fields import Fields


@pytest.fixture(name="problems")
def _problems() -> list[str]:
    return []


def test_values_that_fit_are_read(problems):
    document = {"a": "x", "n": 2, "f": 0.5, "on": True, "list": ["x"], "pairs": {"k": "v"}, "inner": {"a": "y"}}
    fields = Fields(document, "", problems)

    assert (fields.text("a"), fields.choice("a", ("x", "y"))) == ("x", "x")
    assert (fields.integer("n", default=1, low=1, high=2), fields.number("f", default=1.0, high=1.0)) == (2, 0.5)
    assert (fields.boolean("on"), fields.texts("list"), fields.pairs("pairs")) == (True, ("x",), {"k": "v"})
    assert fields.table("inner").text("a") == "y"
    fields.done()
    assert problems == []


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (lambda fields: fields.text("x"), "route.x: must be a text, not true or false"),
        (lambda fields: fields.choice("x", ("a", "b")), "route.x: must be one of a, b, not True"),
        (lambda fields: fields.integer("x", default=1, low=1, high=9), "route.x: must be a whole number from 1 to 9"),
        (lambda fields: fields.number("x", default=1, high=9), "route.x: must be a number above 0 and up to 9"),
        (lambda fields: fields.texts("x"), "route.x: must be a list of texts, not true or false"),
        (lambda fields: fields.matching("x", re.compile("x"), "an x"), "route.x: must be an x"),
        (lambda fields: fields.text("y", required=True, hint="a name"), "route.y: is missing; give a name"),
        (lambda fields: fields.choice("y", ("a", "b"), required=True), "route.y: is missing; give one of a, b"),
        (lambda fields: fields.done(), "route.x: is unknown (known: )"),
    ],
)
def test_mistake_is_named_with_its_field(problems, read, problem):
    read(Fields({"x": True}, "route", problems))

    assert problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("value", "problem"),
    [([], "a.b: must be an object, not a list"), ({1: 2}, "a.b: must have names in text")],
)
def test_value_that_is_no_object_is_one_problem(problems, value, problem):
    inner = Fields({"b": value}, "a", problems).table("b")

    inner.text("name", required=True)
    inner.done()

    assert problems == [problem]
