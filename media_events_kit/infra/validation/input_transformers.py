"""Mistakes in the input transformer of a rule's target, which EventBridge refuses or sends as they are.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

PREDEFINED: Final = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)
_PLACEHOLDER: Final = re.compile(r"<([A-Za-z0-9_.-]+)>")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?')


def transformer_problems(paths: Mapping[str, Any], template: str) -> Iterator[tuple[str, str]]:
    """Each mistake, with the key that has it: `paths` or `template`."""
    for name, path in paths.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name.lower().startswith("aws"):
            yield "paths", f"{name!r} must be letters, digits, hyphens and underscores, and not begin with AWS"
        if isinstance(path, str) and not path.startswith("$"):
            yield "paths", f"{name} is {path!r}, which is no path into the event such as $.detail.data"
    for name in dict.fromkeys(_PLACEHOLDER.findall(template)):
        if name in paths or name in PREDEFINED:
            continue
        known = f"there are {', '.join(PREDEFINED)}" if "." in name else "paths does not have it"
        yield "template", f"has <{name}>, and {known}: EventBridge refuses that"
    yield from (("template", problem) for problem in _form(template))


def _form(template: str) -> Iterator[str]:
    if not template.strip():
        yield 'is empty: EventBridge takes JSON, such as {"id": <id>} or a text between quotes'
        return
    for text in _STRING.finditer(template):
        if text[1] and _PLACEHOLDER.search(text[0]):
            yield f"has a placeholder in the key {text[0].rstrip(' :')}: EventBridge takes them in values only"
        elif "<aws.events.event.json>" in text[0]:
            yield "has <aws.events.event.json> within a text; it can only be a whole value, without quotes"
    # Within a text and outside, a digit may stand where a value will.
    filled = _PLACEHOLDER.sub("0", template)
    try:
        json.loads(filled)
    except ValueError as error:
        if not _lines_are_json(filled):
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            advice = "texts stand between quotes, placeholders for whole values without, and every bracket is closed"
            yield f"is no JSON once its placeholders have values ({reason}): {advice}"


def _lines_are_json(text: str) -> bool:
    """Whether each line is JSON by itself, as targets take that get several records."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        for line in lines:
            json.loads(line)
    except ValueError:
        return False
    return len(lines) > 1
