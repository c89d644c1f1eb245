"""docs/reference/destinations.md: a row for every type of destination, and tests that prove it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from media_events_kit.infra.model.destinations import Destination
from tests.docs.proofs import proofs

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference" / "destinations.md").read_text(encoding="utf-8")
TYPES = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(Destination)[0])}
PROVED = {
    promise.removeprefix("destination: "): tests
    for promise, tests in proofs().items()
    if promise.startswith("destination: ")
}

GENERAL = {
    "invocation: direct",
    "ordering: strict",
    "circuit breaker: an outage loses nothing and uses up no attempts",
    "routes: a failure is redriven to its own hop alone",
    "routes: any number of targets",
}
"""Promises that hold whatever the destination is."""


def test_every_type_has_its_promise():
    table = TEXT.partition("| `type` | `target` |")[2].partition("\n\n")[0]

    assert set(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) == TYPES


def test_every_type_has_a_test_that_proves_it_and_no_test_proves_another():
    assert set(PROVED) == TYPES


def test_every_general_promise_is_proved():
    assert set(proofs()) >= GENERAL


def test_types_that_are_tested_on_the_local_cloud_are_deployed_there():
    deployed = (ROOT / "tests" / "system" / "workflows" / "every-target.yaml").read_text(encoding="utf-8")
    shown = {
        name for name, tests in PROVED.items() if any("tests/system/test_destinations.py" in test for test in tests)
    }

    assert TYPES - shown == {"logs"}
    assert {name for name in shown if f"type: {name}" not in deployed} == set()
