"""Removes credentials from a partner's message.

A path begins like an expression, with ``body``, ``document`` or ``headers``: ``body.data.stream_key``. ``*`` means
every item or field of one level, ``**`` any depth: ``body.**.auth_token`` is every ``auth_token`` in the body.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.core.secret_text import names_pattern, without_marked_up, without_values
from media_events.core.value_classes import dataclass
from media_events.partners.body_parsing import parse_json
from media_events.partners.form_parsing import parse_form

REDACTED: Final = "[redacted]"
ROOTS: Final = ("body", "document", "headers")
PATH_HINT: Final = "such as body.data.stream_key, body.items[*].token, body.**.auth_token or headers.x-token"
FORM_PROBE_BYTES: Final = 4_096
_ANY: Final = ("*", "**")
_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_STEP: Final = pattern(r'\."((?:[^"\\]|\\.)+)"|\.([^.\[\]"\s]+)|\[(\*|\d+)\]')


@dataclass(frozen=True, slots=True)
class RedactedPath:
    """A place in a message: the root, and the steps from there; ``text`` is the path as written."""

    text: str
    root: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return self.text

    def is_in(self, names: Mapping[str, Any]) -> bool:
        """Whether the message with these ``names``, as expressions see them, has a value there."""
        return _found(names[self.root], self.steps)


def parse_redacted_path(text: str) -> RedactedPath:
    """Read a path.

    Raises:
        ValueError: it could match nothing; the message goes on from the path's text.
    """
    root, steps = _split(text)
    if root in ("**", "*"):
        raise ValueError(f"begins with none of {', '.join(ROOTS)}; write body.{text}")
    if root in ("query", "attributes", "envelope", "index"):
        raise ValueError(f"is not redacted; only {', '.join(ROOTS)} are")
    if root not in ROOTS:
        raise ValueError(f"begins with none of {', '.join(ROOTS)}; write body.{text} for a field of the body")
    if not steps or steps[-1] == "**":
        raise ValueError("names no field; write one, " + PATH_HINT)
    if root != "headers":
        return RedactedPath(text, root, tuple(steps))
    if len(steps) > 1 or steps[0] in _ANY:
        raise ValueError("can't match: a header's value is a text; write its name, such as headers.x-token")
    return RedactedPath(text, root, (steps[0].lower(),))


def _split(text: str) -> tuple[str, list[str]]:
    match = re.match(r"[\w*-]+", text)
    if match is None:
        raise ValueError("is no path; write one " + PATH_HINT)
    steps, position = [], match.end()
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError("is no path; write one " + PATH_HINT)
        steps.append(re.sub(r"\\(.)", r"\1", step[1]) if step[1] else step[2] or step[3])
        position = step.end()
    return match[0], steps


def redact(value: Any, paths: Iterable[RedactedPath], root: str = "body") -> Any:
    """A copy of ``value``, which is the message's ``root``, with ``[redacted]`` at ``paths``; nulls stay null."""
    for path in paths:
        if path.root == root:
            value = _redact(value, path.steps)
    return value


def redact_document(document: Any, paths: Sequence[RedactedPath]) -> Any:
    """The whole message. Which parts of it are events is not asked: their fields are redacted at every depth."""
    for steps in [path.steps for path in paths if path.root != "headers"] + [("**", name) for name in _names(paths)]:
        document = _redact(document, steps)
    return document


def _names(paths: Iterable[RedactedPath]) -> list[str]:
    return sorted({path.steps[-1] for path in paths if path.root != "headers"} - {*_ANY})


def _redact(value: Any, steps: tuple[str, ...]) -> Any:
    step, rest = steps[0], steps[1:]
    if step == "**":
        value = _redact(value, rest)
        if isinstance(value, dict):
            return {name: _redact(item, steps) for name, item in value.items()}
        return [_redact(item, steps) for item in value] if isinstance(value, list) else value
    if isinstance(value, list) and (step == "*" or step.isdecimal()):
        return [_below(item, rest) if step == "*" or index == int(step) else item for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _below(item, rest) if step in ("*", name) else item for name, item in value.items()}
    return value


def _below(value: Any, rest: tuple[str, ...]) -> Any:
    if rest:
        return _redact(value, rest)
    return value if value is None else REDACTED


def _found(value: Any, steps: tuple[str, ...]) -> bool:
    step, rest = steps[0], steps[1:]
    if step == "**":
        deeper = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return _found(value, rest) or any(_found(item, steps) for item in deeper)
    if isinstance(value, dict):
        items = [item for name, item in value.items() if step in ("*", name)]
    elif isinstance(value, list):
        items = value if step == "*" else value[int(step) : int(step) + 1] if step.isdecimal() else []
    else:
        items = []
    return any(not rest or _found(item, rest) for item in items)


def redact_body(body: bytes, paths: Sequence[RedactedPath], charset: str | None = None) -> bytes:
    """The raw body without its credentials, for a body in ``charset`` that can't be normalised.

    A body that can be parsed loses the fields of the paths, at the root and at every depth (a batch is not split yet).
    Another one loses the value after each name of such a field: a text, a list, an object, an element or a part.
    """
    paths = [path for path in paths if path.root != "headers"]
    if not paths:
        return body
    # Nearly any text is a form if fields need no `=`, so XML with an attribute may be one, and a part's header.
    form = not body.lstrip().startswith((b"<", b"--")) and all(
        b"=" in pair for pair in body[:FORM_PROBE_BYTES].split(b"&")
    )
    for parse in (parse_json, parse_form) if form else (parse_json,):
        try:
            value = parse(body)
        except PermanentDataError:
            continue
        return json.dumps(redact_document(value, paths), ensure_ascii=False, separators=(",", ":")).encode()
    names = _names(paths)
    if not names:
        return body
    coding = next((coding for mark, coding in _MARKS if body.startswith(mark)), charset or "utf-8")
    if coding == "utf-16":
        coding = "utf-16-le"
    # Bytes that are none of the coding come through: a person must see what was sent.
    lenient = "replace" if coding.startswith("utf-16") else "surrogateescape"
    return _without_named(body.decode(coding, lenient), names).encode(coding, lenient)


def redact_texts(value: Any, paths: Sequence[RedactedPath]) -> Any:
    """A document whose texts hold what could not be read: they lose the value after each name, in base64 too."""
    names = _names(paths)
    if isinstance(value, dict):
        return {name: redact_texts(item, paths) for name, item in value.items()}
    if isinstance(value, list):
        return [redact_texts(item, paths) for item in value]
    if not isinstance(value, str) or not names:
        return value
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except ValueError:
        decoded = ""
    inner = _without_named(decoded, names)
    return inner if inner != decoded else _without_named(value, names)


def _without_named(text: str, names: list[str]) -> str:
    plain = [name.removeprefix("@") for name in names]
    return without_values(without_marked_up(text, plain.__contains__, REDACTED), names_pattern(plain), f'"{REDACTED}"')
