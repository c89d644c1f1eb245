"""Reads the types of the modules' variables, as `terraform fmt` leaves them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from scripts import module_docs

Type: TypeAlias = "str | tuple[str, Type] | dict[str, Type]"
"""A primitive's name, a collection with its elements' type, or an object's fields; those that are not required are
``("optional", type)``."""

TYPED_ELSEWHERE: Final = {"router": "internal/hop-definitions/types"}
"""The router takes transforms and routes as `any`, to find misspelt attributes; their types are written down there."""

_TOKEN: Final = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|[0-9.]+|[^\s,=]')
_COLLECTIONS: Final = ("list", "map", "set")
_PRIMITIVES: Final = ("any", "bool", "number", "string")


@dataclass(frozen=True, slots=True)
class Input:
    """A module's variable: where it is declared, its type and what is said of it."""

    block: module_docs.Block
    type: Type
    file: Path

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return "default" not in self.block.attributes


def inputs_of(module: str) -> Mapping[str, Input]:
    """The inputs of a module, by name."""
    folder = module_docs.MODULES / module
    files = [folder / "variables.tf", *sorted(folder.glob("interface.*.tf"))]
    inputs = {
        block.name: Input(block, parsed(block.attributes["type"]), file)
        for file in files
        for block in module_docs.blocks(file)
    }
    if module in TYPED_ELSEWHERE:
        for block in module_docs.blocks(module_docs.MODULES / TYPED_ELSEWHERE[module] / "variables.tf"):
            known = inputs[block.name]
            inputs[block.name] = Input(known.block, parsed(block.attributes["type"]), known.file)
    return inputs


def parsed(expression: str) -> Type:
    """A type's expression, without its defaults.

    Raises:
        ValueError: the expression has a type that is not known here.
    """
    tokens = [token for token in _TOKEN.findall(expression) if not token.startswith("#")]
    result, rest = _type(tokens)
    if rest:
        raise ValueError(f"{expression!r} goes on after its end: {rest}")
    return result


def without_optional(kind: Type) -> Type:
    """The type itself of one that may be left out."""
    return without_optional(kind[1]) if isinstance(kind, tuple) and kind[0] == "optional" else kind


def _type(tokens: list[str]) -> tuple[Type, list[str]]:
    name, *rest = tokens
    if name in _PRIMITIVES:
        return name, rest
    if name == "optional":
        inner, rest = _type(rest[1:])
        return ("optional", inner), _after_bracket(rest)
    if name in _COLLECTIONS:
        inner, rest = _type(rest[1:])
        return (name, inner), rest[1:]
    if name == "object":
        fields: dict[str, Type] = {}
        rest = rest[2:]
        while rest[0] != "}":
            fields[rest[0]], rest = _type(rest[1:])
        return fields, rest[2:]
    raise ValueError(f"{name} is no type that is known here")


def _after_bracket(tokens: list[str]) -> list[str]:
    depth = 1
    for position, token in enumerate(tokens):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token, 0)
        if depth == 0:
            return tokens[position + 1 :]
    raise ValueError("a bracket has no end")
