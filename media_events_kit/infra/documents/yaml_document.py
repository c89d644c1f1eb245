"""YAML as a tree with the place of each value; overlays of two trees; substitution of `${NAME}`.

Scalars follow YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so `no` and `on` are texts,
`012` is the number 12, and a date is text. Tags, and keys that are no text, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import yaml

from media_events_kit.infra.documents.diagnostics import Diagnostics, Position

Scalar = str | int | float | bool | None

MAX_NODES: Final = 50_000
"""More values come from a mistake, or from aliases of aliases of aliases."""


class YamlSyntaxError(ValueError):
    """The text is no YAML; `line` is that of the error, counted from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. `plain` marks a scalar without quotes, whose type depends on its text."""

    position: Position
    value: dict[str, Node] | list[Node] | str
    plain: bool = False


class PaddedInteger(int):
    """A number written with zeros before it, such as an account's id without quotes; ``written`` has its text."""

    written: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.written = text
        return number


_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,400}")
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_STANDARD_TAG: Final = re.compile(r"tag:yaml\.org,2002:(?:str|map|seq)")


class _Loader(yaml.SafeLoader):
    """Leaves every plain scalar a text, whose type is determined afterwards."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name


def parse(text: str, diagnostics: Diagnostics) -> Node:
    """Read `text`. Duplicate keys, and parts of YAML that a workflow does not use, go to the diagnostics.

    Raises:
        YamlSyntaxError: the text is no YAML.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlSyntaxError(mark.line + 1 if mark else 1, _advice(error)) from None
    except yaml.YAMLError as error:
        raise YamlSyntaxError(1, f"this is not YAML: {error}") from None
    except RecursionError:
        raise YamlSyntaxError(1, "the file is nested too deeply") from None
    if root is None:
        return Node(Position("", 1), {})
    return _Composer(diagnostics).node(root, "", root.start_mark.line + 1)


def _advice(error: yaml.MarkedYAMLError) -> str:
    message = f"this is not YAML: {error.problem or error}"
    if error.context:
        message += f" ({error.context})"
    mark = error.problem_mark
    buffer = getattr(mark, "buffer", None)
    if mark is not None and buffer is not None and "\t" in buffer[mark.pointer : mark.pointer + 1]:
        return message + "; indent with spaces, not tabs"
    if error.problem and ("'{'" in error.problem or "'}'" in error.problem or "',' or" in error.problem):
        return message + '; inside {braces}, put "${NAME}" between quotes'
    return message


class _Composer:
    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._open: set[int] = set()
        self._count = 0

    def node(self, node: yaml.Node, path: str, line: int) -> Node:
        position = Position(path, line)
        self._count += 1
        if self._count > MAX_NODES:
            raise YamlSyntaxError(line, f"the file has more than {MAX_NODES} values")
        if not _STANDARD_TAG.fullmatch(node.tag):
            self._diagnostics.wrong(position, f"YAML tags such as {node.tag} have no meaning here: remove it")
        if isinstance(node, yaml.ScalarNode):
            return Node(position, _whole_characters(node.value, line), plain=node.style is None)
        if id(node) in self._open:
            raise YamlSyntaxError(line, f"{path or 'the file'} contains itself, by an alias")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                items = [self.node(n, f"{path}[{i}]", n.start_mark.line + 1) for i, n in enumerate(node.value)]
                return Node(position, items)
            assert isinstance(node, yaml.MappingNode)  # noqa: S101 - PyYAML has no fourth kind
            return Node(position, self._mapping(node, path))
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Node]:
        members: dict[str, Node] = {}
        inherited: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._diagnostics.wrong(Position(path, line), "a key must be text, not a list or a mapping")
                continue
            key = _whole_characters(key_node.value, line)
            if key == "<<" and key_node.style is None:
                inherited |= self._inherited(value_node, path, line)
                continue
            member = f"{path}.{key}" if path else key
            if key in members:
                first = members[key].position.line
                self._diagnostics.wrong(
                    Position(member, line), f"the key is on line {first} already: keep one of the two"
                )
                continue
            members[key] = self.node(value_node, member, line)
        return inherited | members

    def _inherited(self, node: yaml.Node, path: str, line: int) -> dict[str, Node]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        inherited: dict[str, Node] = {}
        for source in sources:
            value = self.node(source, path, line).value
            if isinstance(value, dict):
                inherited = value | inherited
            else:
                self._diagnostics.wrong(Position(path, line), "<< takes a mapping, or a list of mappings")
        return inherited


def _whole_characters(text: str, line: int) -> str:
    """`text` with pairs of escaped surrogates, JSON's form of characters beyond the first 65,536, joined."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise YamlSyntaxError(line, "there is half a character, a lone surrogate, in the text") from None


def overlay(
    base: Node, above: Node, *, whole: Collection[str], kind_key: str, removable: Collection[str], _within: str = ""
) -> Node:
    """`base` with the overrides of `above`: mappings are merged, everything else is replaced.

    Members named in `whole` are replaced as one, and so is a mapping with another value under `kind_key`. Null removes
    a member of one of the `removable` top-level mappings.
    """
    if not isinstance(base.value, dict) or not isinstance(above.value, dict):
        return above
    before, after = base.value.get(kind_key), above.value.get(kind_key)
    if before is not None and after is not None and before.value != after.value:
        return above
    merged = dict(base.value)
    for key, node in above.value.items():
        if node.plain and node.value in _NULLS and _within in removable:
            merged.pop(key, None)
        elif key in merged and key not in whole:
            merged[key] = overlay(
                merged[key],
                node,
                whole=whole,
                kind_key=kind_key,
                removable=removable,
                _within=f"{_within}.{key}" if _within else key,
            )
        else:
            merged[key] = node
    return Node(base.position, merged)


Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values, and the place of each."""

    value: Any
    positions: Mapping[Path, Position]

    def at(self, path: Path) -> Any:
        """The value at `path`, which must exist."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def position(self, path: Path) -> Position:
        """The place of `path`; where the file lacks it, the line of its nearest parent."""
        for length in range(len(path), -1, -1):
            parent = self.positions.get(path[:length])
            if parent is not None:
                missing = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[length:])
                return Position((parent.path + missing).lstrip("."), parent.line)
        return Position(".".join(map(str, path)), 1)


@dataclass(frozen=True, slots=True)
class Report:
    """Notes findings about places in ``document``."""

    document: Document
    diagnostics: Diagnostics

    def wrong(self, path: Path, message: str) -> None:
        """Note a mistake at `path`."""
        self.diagnostics.wrong(self.document.position(path), message)

    def warn(self, path: Path, message: str) -> None:
        """Note a doubtful value at `path`."""
        self.diagnostics.warn(self.document.position(path), message)

    def unused(self, path: Path, message: str) -> None:
        """Note that nothing uses the member at `path`."""
        self.diagnostics.unused(self.document.position(path), message)


def has_member(value: Any, step: str | int) -> bool:
    """Whether `step` leads from `value` to one of its members."""
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def members_of(value: Any, name: str) -> dict[str, Any]:
    """The mapping `name` in `value`; empty where there is none, or something else."""
    members = value.get(name) if isinstance(value, dict) else None
    return members if isinstance(members, dict) else {}


def text_of(value: Any, name: str, default: str = "") -> str:
    """The text `name` in `value`; `default` where there is none, and empty where it is something else."""
    text = value.get(name, default) if isinstance(value, dict) else ""
    return text if isinstance(text, str) else ""


def evaluate(root: Node, environ: Mapping[str, str], diagnostics: Diagnostics) -> Document:
    """The plain values of a tree, with `${NAME}` filled in from `environ`; unset variables go to the diagnostics."""
    positions: dict[Path, Position] = {}

    def value_of(node: Node, path: Path) -> Any:
        positions[path] = node.position
        if isinstance(node.value, dict):
            return {key: value_of(member, (*path, key)) for key, member in node.value.items()}
        if isinstance(node.value, list):
            return [value_of(item, (*path, index)) for index, item in enumerate(node.value)]
        text = substitute(node.value, environ, lambda message: diagnostics.unusable(node.position, message))
        if not node.plain:
            return text
        try:
            return _typed(text)
        except ValueError as error:
            diagnostics.unusable(node.position, str(error))
            return text

    return Document(value_of(root, ()), positions)


def _typed(text: str) -> Scalar:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return PaddedInteger(text) if text.lstrip("+-").startswith("0") and len(text) > 1 else int(text)
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise ValueError(f"{text} is too large a number")
        return number
    return text


_REFERENCE: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\{[^}]*\}?|\w+|.?))",
    re.DOTALL,
)


def substitute(text: str, environ: Mapping[str, str], wrong: Callable[[str], None]) -> str:
    """`text` with `${NAME}` and `${NAME:-default}` filled in as Docker Compose does; `$$` is a dollar sign.

    As there, the default also replaces a variable that is set but empty. `wrong` is called with each problem.
    """

    def fill(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name, default = match["name"], match["default"]
        if name is None:
            example = match["bad"] if match["bad"].isidentifier() else "NAME"
            wrong(
                f'"{match[0]}" is no reference: write ${{{example}}} or ${{{example}:-default}} for an environment '
                "variable, $$ for a dollar sign"
            )
            return match[0]
        value = environ.get(name)
        if value is None or (value == "" and default is not None):
            if default is None:
                wrong(f"the environment variable {name} is not set: set it, or give a default, ${{{name}:-default}}")
                return match[0]
            return str(default)
        if any("\ud800" <= character <= "\udfff" for character in value):
            wrong(f"the environment variable {name} is not UTF-8 text")
            return match[0]
        return value

    return _REFERENCE.sub(fill, text)
