"""Whether an edited event's data is as the type's JSON Schema wants it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

PROBLEMS_TOLD: Final = 20


def schema_problems(schema: Mapping[str, Any], data: Any) -> list[str]:
    """What is wrong with ``data``, an empty list if nothing is. References to elsewhere are not followed."""
    from jsonschema import SchemaError  # noqa: PLC0415  # a tenth of a second: only where something is edited
    from jsonschema.validators import validator_for  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    kind: Any = validator_for(schema)
    try:
        kind.check_schema(schema)
        found = list(islice(kind(schema, registry=Registry()).iter_errors(data), PROBLEMS_TOLD))
    except SchemaError as error:
        return [f"the type's schema is no JSON Schema: {error.message}"]
    except Unresolvable as error:
        return [f"the type's schema refers to something that it does not hold: {error}"]
    except RecursionError:
        return ["it is nested too deeply"]
    return [f"{_place(error.absolute_path)}: {error.message[:300]}" for error in found]


def _place(path: Any) -> str:
    return "data" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
