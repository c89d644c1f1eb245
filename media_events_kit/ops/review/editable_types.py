"""Checks an edited event's data against the JSON Schema of its type."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

MAX_PROBLEMS: Final = 20


def schema_problems(schema: Mapping[str, Any], data: Any) -> list[str]:
    """The violations of ``schema`` by ``data``. References to other documents are not followed."""
    from jsonschema import SchemaError  # noqa: PLC0415  # a tenth of a second, for edits only
    from jsonschema.validators import validator_for  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    kind: Any = validator_for(schema)
    try:
        kind.check_schema(schema)
        violations = list(islice(kind(schema, registry=Registry()).iter_errors(data), MAX_PROBLEMS))
    except SchemaError as error:
        return [f"the type's schema is no JSON Schema: {error.message}"]
    except Unresolvable as error:
        return [f"the type's schema refers to another document: {error}"]
    except RecursionError:
        return ["it is nested too deeply"]
    return [f"{_location(error.absolute_path)}: {error.message[:300]}" for error in violations]


def _location(path: Any) -> str:
    return "data" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
