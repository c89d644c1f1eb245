"""What AWS's own service models (in botocore) say of a parameter: length, range, pattern and choices."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape


@functools.cache
def member(service: str, path: str) -> Shape:
    """The shape of a parameter such as ``CreateQueue.QueueName``; ``[]`` is a list's member, ``{}`` a map's value.

    Raises:
        KeyError: there is no such parameter.
    """
    operation, *names = path.split(".")
    model = botocore.session.get_session().get_service_model(service)
    shape: Shape | None = model.operation_model(operation).input_shape
    if shape is None:
        raise KeyError(path)
    for name in names:
        shape = _within(shape, name)
    return shape


def _within(shape: Shape, name: str) -> Shape:
    if name == "[]" and isinstance(shape, ListShape):
        return shape.member
    if name == "{}" and isinstance(shape, MapShape):
        return shape.value
    if isinstance(shape, StructureShape):
        return shape.members[name]
    raise KeyError(name)


def problems(shape: Shape, value: Any) -> Iterator[str]:
    """What AWS would say against a value, which Terraform may have as text where AWS has a number."""
    said = shape.metadata
    if isinstance(shape, ListShape | MapShape):
        yield from _range(len(value), said, "entries")
        for one in value if isinstance(shape, ListShape) else value.values():
            yield from problems(shape.member if isinstance(shape, ListShape) else shape.value, one)
        if isinstance(shape, MapShape):
            for key in value:
                yield from problems(shape.key, key)
    elif isinstance(shape, StringShape):
        text = value if isinstance(value, str) else str(value)
        yield from _range(len(text), said, "characters")
        if shape.enum and text not in shape.enum:
            yield f"{text!r} is none of {', '.join(shape.enum)}"
        if "pattern" in said and not re.fullmatch(python_pattern(said["pattern"]), text, re.DOTALL):
            yield f"{_short(text)!r} does not match {said['pattern']}"
    elif isinstance(shape, StructureShape):
        for name, inner in value.items():
            if name in shape.members:
                yield from problems(shape.members[name], inner)
            else:
                yield f"{shape.name} has no {name}"
    elif shape.type_name in {"integer", "long", "double", "float"}:
        yield from _range(float(value), said, "")


def _range(size: float, said: dict[str, Any], unit: str) -> Iterator[str]:
    if "min" in said and size < float(said["min"]):
        yield f"{size:g} {unit} are below {said['min']}".replace("  ", " ")
    if "max" in said and size > float(said["max"]):
        yield f"{size:g} {unit} are above {said['max']}".replace("  ", " ")


@functools.cache
def python_pattern(pattern: str) -> str:
    """One of AWS's patterns, which are Java's, as Python has it.

    Raises:
        re.error: Python has nothing like it.
    """
    # Letters, separators and numbers of all scripts.
    text = pattern.replace(r"\p{L}\p{Z}\p{N}_", r"\w \u00a0\u2028\u3000")
    re.compile(text)
    return text


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
