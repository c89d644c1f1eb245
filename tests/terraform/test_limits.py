"""`limits.json` is the one place for limits and defaults: whatever else has them says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from scripts import hop_types

INTERFACES = hop_types.MODULES / "interfaces"
LIMITS: dict[str, Any] = json.loads(hop_types.LIMITS.read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = LIMITS["$defs"]
OBJECTS = {name: definition for name, definition in DEFINITIONS.items() if "properties" in definition}

# A field of an object's type in HCL: its name and its default, if it has one.
_FIELD = re.compile(r"^ +(\w+) += (?:optional\((?:number|string|bool)(?:, (.+))?\)|string)$", re.MULTILINE)


IMPLIED = {
    ("redrive.base_delay_seconds", "<=", "39600"),
    ("redrive.max_delay_seconds", ">=", "0"),
    ("retry.base_seconds", "<=", "43200"),
    ("retry.max_seconds", ">=", "1"),
    ("visibility_timeout_seconds", ">=", "0"),
}
"""Limits that follow from another one: of the longest wait, of the first wait, of the function's timeout."""


def test_file_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(LIMITS)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_default_is_within_its_limits(name: str) -> None:
    for schema in OBJECTS[name]["properties"].values():
        whole = hop_types.resolved(schema, DEFINITIONS)
        if "default" in whole:
            jsonschema.validate(whole["default"], {**whole, "$defs": DEFINITIONS})


def test_types_of_hops_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert hop_types.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", ["function", "queue", "failure"])
def test_modules_have_the_same_defaults(name: str) -> None:
    said = {
        field: json.loads(default) if default else None
        for field, default in _FIELD.findall((INTERFACES / f"{name}.tf").read_text(encoding="utf-8"))
    }
    expected = {field: default for _, field, default in _defaults(name)}

    # FIFO queues have two settings more.
    assert {field: said.get(field, "missing") for field in expected} == expected


@pytest.mark.parametrize("name", ["function", "queue", "failure"])
def test_modules_have_the_same_limits(name: str) -> None:
    validations = " ".join(re.findall(r"condition += (.+?)\n    error", _text(name), re.DOTALL))
    numbers = {
        (path, sign, limit)
        for path, sign, limit in re.findall(rf"var\.{name}\.([a-z_.]+) (>=|<=|>) ([0-9]+)\b(?! [*/])", validations)
    }
    unknown = [number for number in numbers if not _is_limit(name, *number)]

    assert unknown == []
    assert _limits(name) - numbers == {number for number in IMPLIED if number[0] in dict(_paths(name))}


def test_review_has_the_same_defaults_and_limits_of_redrives() -> None:
    text = (hop_types.MODULES.parent / "dlq-review" / "variables.tf").read_text(encoding="utf-8")
    redrive = DEFINITIONS["redrive"]["properties"]
    said = {field: json.loads(default) for field, default in _FIELD.findall(text) if field in redrive}

    assert said == {name: schema["default"] for name, schema in redrive.items()}
    numbers = {
        (f"redrive.{path}", sign, limit)
        for path, sign, limit in re.findall(r"queue\.redrive\.([a-z_]+) (>=|<=|>) ([0-9]+)", text)
    }
    assert numbers == {number for number in _limits("failure") - IMPLIED if number[0].startswith("redrive.")}


def _limits(name: str) -> set[tuple[str, str, str]]:
    """Every limit of the numbers of an object and of those in it: path, sign, number."""
    signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<="}
    return {
        (path, sign, str(schema[word]))
        for path, schema in _paths(name)
        for word, sign in signs.items()
        if word in schema
    }


def _paths(name: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The attributes of an object and of those in it, by path."""
    for attribute, schema in DEFINITIONS[name]["properties"].items():
        whole = hop_types.resolved(schema, DEFINITIONS)
        if "properties" in whole:
            yield from _paths(schema["$ref"].removeprefix("#/$defs/"), f"{prefix}{attribute}.")
        else:
            yield f"{prefix}{attribute}", whole


def _text(name: str) -> str:
    return (INTERFACES / f"{name}.tf").read_text(encoding="utf-8")


def _defaults(name: str) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for attribute, schema in DEFINITIONS[name]["properties"].items():
        whole = hop_types.resolved(schema, DEFINITIONS)
        if "properties" in whole:
            found += _defaults(schema["$ref"].removeprefix("#/$defs/"))
        else:
            found.append((name, attribute, whole.get("default")))
    return found


def _is_limit(name: str, path: str, sign: str, limit: str) -> bool:
    schema = DEFINITIONS[name]
    for part in path.split("."):
        schema = hop_types.resolved(schema["properties"][part], DEFINITIONS)
    words = {">=": ("minimum",), ">": ("exclusiveMinimum",), "<=": ("maximum",)}[sign]
    # A batch above 10 needs a window of 1: two rules between attributes, not limits of one.
    between = {("batch_size", "<=", "10"), ("batch_window_seconds", ">=", "1")}
    return int(limit) in [schema.get(word) for word in words] or (path, sign, limit) in between
