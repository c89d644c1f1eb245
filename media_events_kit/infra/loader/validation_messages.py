"""Pydantic's findings, in the words of somebody who writes a workflow."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from media_events_kit.infra.documents.diagnostics import did_you_mean
from media_events_kit.infra.documents.model_paths import description_of, fields_at
from media_events_kit.infra.documents.yaml_document import PaddedInteger, Path
from media_events_kit.infra.model.types import PATTERN_DESCRIPTIONS

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be {} or more"),
    "less_than_equal": ("le", "must be {} or less"),
}
_LENGTHS = {"too_short": "min_length", "too_long": "max_length"}
_LONGEST_SHOWN = 80


def message_for(error: ErrorDetails, model: type[BaseModel], path: Path, root: Any) -> str:  # noqa: PLR0911 - one per kind
    """The mistake at `path` of the document `root`, and how to correct it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return _with_description("is missing", model, path, root)
    if kind == "extra_forbidden":
        return f"is an unknown key: {did_you_mean(str(path[-1]), fields_at(model, path[:-1], root))}"
    if kind in _TYPES:
        return _wrong_type(_TYPES[kind], error["input"])
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        return f"{text.format(format(context[name], '.10g'))}, not {error['input']}"
    if kind == "string_pattern_mismatch":
        form = PATTERN_DESCRIPTIONS.get(str(context["pattern"]), f"text that matches {context['pattern']}")
        return f"must be {form}, not {shown(error['input'])}"
    if kind == "literal_error":
        return f"must be {context['expected']}, not {shown(error['input'])}"
    if kind == "union_tag_not_found":
        return 'needs a "type" that says what it is'
    if kind == "union_tag_invalid":
        types = str(context["expected_tags"]).replace("'", "").split(", ")
        return f"there is no type {shown(context['tag'])}: {did_you_mean(str(context['tag']), types)}"
    if kind in _LENGTHS:
        bound = "at least" if kind == "too_short" else "at most"
        return f"must have {bound} {context[_LENGTHS[kind]]} {'entry' if context[_LENGTHS[kind]] == 1 else 'entries'}"
    text = error["msg"].removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _wrong_type(expected: str, value: Any) -> str:
    if expected == "text" and isinstance(value, bool | int | float):
        written = value.written if isinstance(value, PaddedInteger) else shown(value)
        return f'must be text, not {written}: put it between quotes, "{written}"'
    if value is None:
        return f"is empty: it must be {expected}"
    return f"must be {expected}, not {shown(value)}"


def _with_description(text: str, model: type[BaseModel], path: Path, root: Any) -> str:
    description = description_of(model, path, root)
    return f"{text}: {description[:1].lower()}{description[1:].rstrip('.')}" if description else text
