"""Removes credentials from a partner's message.

A path is dotted (``data.stream_key``). ``*`` means every item or field of one level, ``**`` any depth:
``**.auth_token`` is every ``auth_token`` in the message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import parse_form, parse_json

REDACTED: Final = "[redacted]"
PATH: Final = re.compile(r"(?:\*\*\.)?[^.\[\]\s]+(?:\.[^.\[\]\s]+)*")


def redact(value: Any, paths: Sequence[str]) -> Any:
    """A copy of ``value`` with ``[redacted]`` at ``paths``; nulls stay null."""
    for path in paths:
        value = _redact(value, path.split("."))
    return value


def _redact(value: Any, steps: list[str]) -> Any:
    step, rest = steps[0], steps[1:]
    if step == "**":
        value = _redact(value, rest)
        if isinstance(value, dict):
            return {name: _redact(item, steps) for name, item in value.items()}
        return [_redact(item, steps) for item in value] if isinstance(value, list) else value
    if isinstance(value, list) and (step == "*" or step.isdigit()):
        return [_below(item, rest) if step == "*" or index == int(step) else item for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _below(item, rest) if step in ("*", name) else item for name, item in value.items()}
    return value


def _below(value: Any, rest: list[str]) -> Any:
    if rest:
        return _redact(value, rest)
    return value if value is None else REDACTED


def redact_body(body: bytes, paths: Sequence[str]) -> bytes:
    """The raw body without its credentials, for a body that can't be normalised.

    A body that can be parsed loses the fields of the paths, at the root and at every depth (a batch is not split yet).
    Another one loses the text after each name of such a field.
    """
    if not paths:
        return body
    names = {path.split(".")[-1] for path in paths} - {"*", "**"}
    for parse in (parse_json, parse_form):
        try:
            value = parse(body)
        except PermanentDataError:
            continue
        anywhere = [*paths, *(f"**.{name}" for name in sorted(names))]
        return json.dumps(redact(value, anywhere), ensure_ascii=False, separators=(",", ":")).encode()
    choice = "|".join(re.escape(name) for name in sorted(names)).encode()
    if not choice:
        return body
    pattern = re.compile(rb"((?:" + choice + rb")[\"']?\s{0,16}[:=]\s{0,16})(\"(?:[^\"\\]|\\.)*\"?|[^\s,&}\]]+)")
    return pattern.sub(rb'\1"[redacted]"', body)
