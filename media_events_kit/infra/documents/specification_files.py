"""Reads a partner's specification from a YAML, TOML or JSON file, with errors that name the place."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from media_events_kit.event_patterns import json_documents
from media_events_kit.event_patterns.json_documents import DocumentError, plain

MAX_BYTES: Final = 1024 * 1024
SUFFIXES: Final = (".yaml", ".yml", ".toml", ".json")


class SpecificationFileError(ValueError):
    """A file can't be read as a specification; the message names the file, what is wrong and where."""


def load(path: Path) -> dict[str, Any]:
    """The mapping in a specification file; ``parse_specification`` checks its content.

    Raises:
        SpecificationFileError: there is no such file, or its text is not of the suffix's format.
    """
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        raise SpecificationFileError(f"{path} must end in one of {', '.join(SUFFIXES)}")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecificationFileError(f"{path} can't be read: {reason}") from None
    if len(content) > MAX_BYTES:
        raise SpecificationFileError(f"{path} is larger than {MAX_BYTES // 1024} KiB")
    try:
        value = parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise SpecificationFileError(f"{path} is not UTF-8 text") from None
    except RecursionError:
        raise SpecificationFileError(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise SpecificationFileError(f"{path} {error}") from None
    if not isinstance(value, dict):
        raise SpecificationFileError(f"{path} must hold a table of fields such as id, type and verification")
    return value


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not TOML: {error}") from None


def _json(text: str) -> Any:
    try:
        return plain(json_documents.parse(text))
    except DocumentError as error:
        raise ValueError(str(error)) from None


class _Loader(yaml.SafeLoader):
    """Plain YAML: no aliases, no field twice, names are texts (a bare 200 is the text 200), dates stay texts."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise ValueError(f"uses an alias in line {line}; write the value out")
        return super().compose_node(parent, index)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"has a field in line {line} whose name is no text")  # noqa: TRY004 - a fault of the file
        if key.value in fields:
            raise ValueError(f"has the field {key.value} twice in one table, again in line {line}")
        fields[key.value] = loader.construct_object(value, deep=True)
    return fields


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def parse_yaml(content: str | bytes) -> Any:
    """Read plain YAML.

    Raises:
        ValueError: it is none, or not UTF-8; the message goes on from the file's name.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text: byte {error.start} can't be read") from None
    except RecursionError:
        raise ValueError("is nested too deep to be read") from None
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise ValueError(f"is not YAML: {error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {str(error).splitlines()[0]}") from None


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".toml": _toml,
    ".json": _json,
}
