"""The JSON Schema of a partner's specification tells an editor about every field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from media_events_kit.ops.partner.field_descriptions import field_rows
from media_events_kit.ops.partner.specification_schema import schema


def properties(node: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property at every level of the schema."""
    if isinstance(node, list):
        for item in node:
            yield from properties(item, path)
    elif isinstance(node, Mapping):
        for name, field in node.get("properties", {}).items() if node.get("type") == "object" else ():
            yield f"{path}.{name}", field
        for name, item in node.items():
            if name == "properties":
                for inner, field in item.items():
                    yield from properties(field, f"{path}.{inner}")
            else:
                yield from properties(item, path)


def test_every_property_at_every_level_has_a_description():
    found = list(properties(schema()))

    assert len(found) > 100
    assert sorted({path for path, field in found if not field.get("description")}) == []


@pytest.mark.parametrize(
    ("field", "default"),
    [
        ("id", "none"),
        ("time", "of its receipt"),
        ("parsing.format", "json"),
        ("parsing.fields", "flat"),
        ("handshake.status", "200"),
        ("answers.accepted", "202"),
        ("answers.unavailable", "503"),
        ("dedup.window_seconds", "1209600"),
        ("verification.tolerance_seconds", "300"),
    ],
)
def test_default_of_a_field_is_the_schema_s(field, default):
    assert {name: text for name, text, _ in field_rows(schema())}[field] == default
