"""The keys of `workflow.yaml`, from the JSON Schema of the model behind it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from media_events_kit.infra.model.types import PATTERN_DESCRIPTIONS
from media_events_kit.infra.model.workflow import Workflow
from scripts.reference.markdown import code, table

Schema = Mapping[str, Any]

_WORDS: Final = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}
_LONGEST: Final = 60
"""Characters of a default, or of a form's words, that still fit a cell."""
_MOST_CHOICES: Final = 12


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of the file: where it stands (``partners.<name>``), which type selects it, and its schema.

    ``owner`` is the type of the mapping around it, where other types have another mapping under the same key.
    """

    path: str
    selector: str | None
    schema: Schema
    owner: str | None = None

    @property
    def title(self) -> str:
        """The heading."""
        if not self.path:
            return "Top level"
        of_type = self.selector or self.owner
        return code(self.path) + (
            f" with `type: {of_type}`" if self.selector else f" of `{of_type}`" if of_type else ""
        )

    @property
    def link(self) -> str:
        """A link to the heading, as GitHub makes its anchor."""
        anchor = re.sub(r"[^a-z0-9 _-]", "", self.title.lower()).replace(" ", "-")
        return f"[{code(self.path)}](#{anchor})"


def keys() -> str:
    """A section for each mapping of the file, each with a table of its keys."""
    schema = Workflow.model_json_schema()
    places = sections(schema)
    return "\n\n".join(_rendered(section, places) for section in (Section("", None, schema), *places.values()))


def sections(schema: Schema) -> dict[str, Section]:
    """The definitions of ``schema`` by name, each where it comes up first, in the order of the keys at the top."""
    definitions = schema["$defs"]
    placed: dict[str, Section] = {}
    waiting = deque([Section("", None, schema)])
    while waiting:
        section = waiting.popleft()
        for key, value in section.schema.get("properties", {}).items():
            for name, place in _references(value, f"{section.path}.{key}".lstrip(".")):
                if name not in placed:
                    placed[name] = Section(place, _selector(definitions[name]), definitions[name])
                    if placed[name].title in {other.title for key, other in placed.items() if key != name}:
                        placed[name] = replace(placed[name], owner=section.selector)
                    waiting.append(placed[name])
    order = list(schema["properties"])
    return dict(sorted(placed.items(), key=lambda item: order.index(item[1].path.partition(".")[0])))


def _references(value: Schema, path: str) -> Iterator[tuple[str, str]]:
    """The definitions that a value may be, each with the path at which it stands."""
    if "$ref" in value:
        yield _definition(value), path
    for alternative in _alternatives(value):
        yield from _references(alternative, path)
    for member in _members(value):
        yield from _references(member, f"{path}.<name>")
    if "items" in value:
        yield from _references(value["items"], f"{path}[]")


def _definition(value: Schema) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def _alternatives(value: Schema) -> list[Schema]:
    return [other for other in (*value.get("anyOf", ()), *value.get("oneOf", ())) if other.get("type") != "null"]


def _members(value: Schema) -> Iterator[Schema]:
    yield from value.get("patternProperties", {}).values()
    if isinstance(value.get("additionalProperties"), Mapping):
        yield value["additionalProperties"]


def _selector(schema: Schema) -> str | None:
    constant = schema.get("properties", {}).get("type", {}).get("const")
    return constant if isinstance(constant, str) else None


def _rendered(section: Section, places: Mapping[str, Section]) -> str:
    required = section.schema.get("required", ())
    rows = [
        (
            f"**{code(name)}**" if name in required else code(name),
            _kind(value, places),
            "" if name in required else _default(value),
            value.get("description", ""),
        )
        for name, value in section.schema.get("properties", {}).items()
        if name != "type" or section.selector is None
    ]
    parts = [f"### {section.title}", section.schema.get("description", "")]
    if rows:
        parts.append(table(("key", "value", "default", "meaning"), rows))
    return "\n\n".join(part for part in parts if part)


def _kind(value: Schema, places: Mapping[str, Section]) -> str:
    """The values that a key takes, in words."""
    if "$ref" in value:
        return places[_definition(value)].link
    if "discriminator" in value or "oneOf" in value:
        return f"{places[_definition(value['oneOf'][0])].link}, by its `type`"
    if alternatives := _alternatives(value):
        return " or ".join(dict.fromkeys(_kind(other, places) for other in alternatives))
    if value.get("type") == "array":
        return f"list: {_kind(value['items'], places)}" + _limits(value, "minItems", "maxItems")
    if members := list(_members(value)):
        return f"by name: {_kind(members[0], places)}"
    return _plain(value)


def _plain(value: Schema) -> str:
    """The values of a key that holds no mapping or list."""
    if "enum" in value or "const" in value:
        return _choices(value.get("enum", [value.get("const")]))
    if "pattern" in value:
        words = PATTERN_DESCRIPTIONS[value["pattern"]]
        return words if len(words) <= _LONGEST else words.partition(",")[0].partition(" (")[0]
    kind = _WORDS.get(value.get("type", ""), "mapping")
    return kind + _limits(value, "minimum", "maximum") + _above(value)


def _choices(choices: Sequence[Any]) -> str:
    shown = [code(choice) for choice in choices]
    if len(shown) > _MOST_CHOICES:
        shown[_MOST_CHOICES - 2 : -1] = ["…"]
    return ", ".join(shown)


def _limits(value: Schema, lowest: str, highest: str) -> str:
    low, high = value.get(lowest), value.get(highest)
    if low is not None and high is not None:
        return f", {low} to {high}"
    if low is not None:
        return f", at least {low}"
    return "" if high is None else f", at most {high}"


def _above(value: Schema) -> str:
    return f", above {value['exclusiveMinimum']}" if "exclusiveMinimum" in value else ""


def _default(value: Schema) -> str:
    default = value.get("default")
    if default is None or default in ({}, []):
        return ""
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, dict | list):
        text = yaml.safe_dump(_stripped(default), default_flow_style=True, width=10_000, sort_keys=False).strip()
        return code(text) if len(text) <= _LONGEST else "its keys' defaults"
    return code(default)


def _stripped(default: Any) -> Any:
    """A default without what is null in it."""
    if isinstance(default, dict):
        return {key: _stripped(value) for key, value in default.items() if value is not None}
    return int(default) if isinstance(default, float) and default.is_integer() else default
