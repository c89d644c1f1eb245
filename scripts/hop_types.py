"""Write the types of the router's transforms and routes, with defaults, from `modules/internal/limits/limits.json`.

    scripts/hop_types.py            write them
    scripts/hop_types.py --check    exit 1 if they are out of date

Terraform can't make a type of data, so the module `hop-definitions/types` has the types as text. Each attribute is
optional there, because `hop-definitions` names what is missing together with every other mistake.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import generated  # it needs the path above

MODULES: Final = Path(__file__).resolve().parent.parent / "modules" / "internal"
LIMITS: Final = MODULES / "limits" / "limits.json"
TYPES: Final = MODULES / "hop-definitions" / "types" / "variables.tf"
HOPS: Final = {"transforms": "transform", "routes": "route"}

_SCALARS: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "bool"}

Schema = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the types."""
    description = "Write the types of the router's transforms and routes."
    return generated.main("hop_types.py", description, lambda: {TYPES: rendered(_definitions())}, arguments)


def _definitions() -> Schema:
    definitions: Schema = json.loads(LIMITS.read_text(encoding="utf-8"))["$defs"]
    return definitions


def rendered(definitions: Schema) -> str:
    """The file's text, as `terraform fmt` leaves it."""
    lines = ["# Generated from modules/internal/limits/limits.json by scripts/hop_types.py: edit that."]
    for variable, definition in HOPS.items():
        of_hop = definitions[definition]
        lines += ["", f'variable "{variable}" {{', "  type = map(object({"]
        lines += [f"  {line}" for line in _attributes(of_hop, definitions, with_defaults=True)]
        lines += ["  }))", "  nullable = false", "}"]
    return "\n".join(lines) + "\n"


def resolved(schema: Schema, definitions: Schema) -> dict[str, Any]:
    """``schema`` with what it refers to; its own words win."""
    reference = schema.get("$ref")
    referred = {} if reference is None else definitions[reference.removeprefix("#/$defs/")]
    return {**referred, **{name: value for name, value in schema.items() if name != "$ref"}}


def _attributes(schema: Schema, definitions: Schema, *, with_defaults: bool) -> Iterator[str]:
    """The lines of an object's attributes, aligned over those that are one line long and follow each other."""
    attributes = {name: resolved(attribute, definitions) for name, attribute in schema["properties"].items()}
    for name in schema.get("required", []):
        if "properties" in attributes[name]:
            # Whoever reads the object's attributes need not ask whether it is there.
            attributes[name]["default"] = {}
    rows = [
        (name, list(_type(attribute, definitions, with_defaults=with_defaults)))
        for name, attribute in attributes.items()
    ]
    for index, (name, lines) in enumerate(rows):
        width = max(len(other) for other in _neighbours(rows, index)) if len(lines) == 1 else len(name)
        yield f"  {name:<{width}} = {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])


def _neighbours(rows: Sequence[tuple[str, list[str]]], index: int) -> Iterator[str]:
    first = last = index
    while first > 0 and len(rows[first - 1][1]) == 1:
        first -= 1
    while last + 1 < len(rows) and len(rows[last + 1][1]) == 1:
        last += 1
    return (name for name, _ in rows[first : last + 1])


def _type(attribute: Schema, definitions: Schema, *, with_defaults: bool) -> Iterator[str]:
    """The lines of one attribute's type. Values that another fills in have no default here; objects among them have."""
    filled_in_here = with_defaults and "x-filled-in-by" not in attribute
    has_default = attribute.get("default") is not None and (filled_in_here or "properties" in attribute)
    end = f", {json.dumps(attribute['default'])})" if has_default else ")"
    if "properties" in attribute:
        yield "optional(object({"
        yield from _attributes(attribute, definitions, with_defaults=filled_in_here)
        yield "}" + f"){end}"
    elif attribute["type"] == "object":
        yield f"optional(map(string){end}"
    elif attribute["type"] == "array":
        yield f"optional(list(string){end}"
    else:
        yield f"optional({_SCALARS[attribute['type']]}{end}"


if __name__ == "__main__":
    sys.exit(main())
