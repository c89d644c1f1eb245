"""Checks the JSON Schemas in a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def schema_problem(schema: Mapping[str, Any]) -> str | None:
    """The mistake in ``schema``; ``None`` if it is a JSON Schema."""
    from jsonschema import SchemaError  # noqa: PLC0415  # a tenth of a second: only where a workflow has one
    from jsonschema.validators import validator_for  # noqa: PLC0415

    kind: Any = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        return str(error.message)
    return None
