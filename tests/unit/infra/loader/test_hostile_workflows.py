"""Any workflow file loads, or is refused with its mistakes, and never raises another exception."""

import copy
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.model.workflow_schema import schema as workflow_schema
from tests.fakes.workflows import load

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT = yaml.safe_load((ROOT / "workflow.yaml").read_text(encoding="utf-8"))

WORDS = [
    "http",
    "sqs",
    "step-functions",
    "webhook",
    "mux",
    "type",
    "pattern",
    "$or",
    "${A}",
    "$",
    "./x.yaml",
    "null",
    "",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(WORDS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.sampled_from(WORDS), inner),
    max_leaves=6,
)

SCHEMA = workflow_schema()
SMALL = {
    "name": "small",
    "environments": {"named": {}},
    "ingress": {"named": {"type": "webhook"}},
    "partners": {"named": {"preset": "mux", "ingress": "named"}},
    "destinations": {"named": {"type": "logs"}},
    "routes": {"named": {"destination": "named"}},
}
OF_EVERY_KIND = (None, True, 7, 1.5, "x", [], {}, [None], [{}], {"a": None}, {"type": []})
MOST_NESTED = 8


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, member in members for found in paths(member, (*path, key)))]


PATHS = [path for path in paths(DOCUMENT) if path]


def tried(text: str) -> None:
    """Load `text`; its mistakes have a line and a message each."""
    refusal: WorkflowError | None = None
    try:
        load(text, folder=ROOT)
    except WorkflowError as error:
        refusal = error
    if refusal is not None:
        assert refusal.problems
        assert all(problem.position.line >= 1 and problem.message for problem in refusal.problems)


def settings_of(schema: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place that the file's schema describes; what a workflow names itself is called `named`."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if path:
        yield path
    if len(path) > MOST_NESTED:
        return
    for form in ("anyOf", "oneOf", "allOf"):
        for alternative in schema.get(form, ()):
            yield from settings_of(alternative, path)
    for key, value in schema.get("properties", {}).items():
        yield from settings_of(value, (*path, key))
    for named in (schema.get("additionalProperties"), schema.get("items")):
        if isinstance(named, dict):
            yield from settings_of(named, (*path, 0 if named is schema.get("items") else "named"))


def with_value(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """A small workflow with `value` at `path`, and no more than is needed to have that place."""
    document: dict[str, Any] = copy.deepcopy(SMALL)
    place: Any = document
    for step, following in pairwise(path):
        inner = [{}] if following == 0 else {}
        if step == 0:
            place = place[0]
        else:
            place[step] = place[step] if isinstance(place.get(step), type(inner)) and place[step] else inner
            place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize("section", sorted({str(path[0]) for path in settings_of(SCHEMA)}))
def test_value_of_any_kind_at_any_setting_of_the_section_is_refused_or_accepted(section):
    for path in sorted({path for path in settings_of(SCHEMA) if path[0] == section}, key=str):
        for value in OF_EVERY_KIND:
            tried(json.dumps(with_value(path, value)))


@pytest.mark.slow
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_any_value_in_any_place_is_refused_or_accepted(changes):
    document = copy.deepcopy(DOCUMENT)
    for path, value in changes:
        place = document
        try:
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue

    tried(json.dumps(document))


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"%@`#?~<. \n\ta$", max_size=80))
def test_any_text_is_refused_or_accepted(text):
    tried(text)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.data())
def test_file_cut_or_broken_anywhere_is_refused_or_accepted(data):
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 40, len(text))))

    tried(text[:start] + data.draw(st.text(alphabet="{}[]:,-&*!|>'\"% \n\t$x", max_size=5)) + text[end:])
