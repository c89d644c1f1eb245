"""The JSON Schema of `workflow.yaml`, for editors.

`python -m media_events_kit.infra.model.workflow_schema` writes `docs/workflow.schema.json`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from media_events_kit.infra.model.types import ENVIRONMENT_NAME
from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.kit_files import KIT

FILE: Final = KIT / "docs" / "workflow.schema.json"

_REFERENCE: Final = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "An environment variable, ${NAME} or ${NAME:-default}.",
}
_OVERLAY: Final = "InEnvironment"


def schema() -> dict[str, Any]:
    """The schema of a workflow with the overrides of its environments.

    An environment may add a required key, so that the top level requires only `name` and `environments`.
    """
    whole = Workflow.model_json_schema()
    definitions = whole.pop("$defs")
    overlay = _optional({key: value for key, value in whole.items() if key in ("type", "properties")})
    overlay["additionalProperties"] = False
    overlay["description"] = "Overrides of this environment: mappings are merged, all else is replaced."
    environments = {
        "type": "object",
        "description": "The environments; each becomes a stack, media-events-<name>.",
        "minProperties": 1,
        "propertyNames": {"pattern": ENVIRONMENT_NAME},
        "additionalProperties": {"anyOf": [overlay, {"type": "null"}]},
    }
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "workflow.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "environments"],
        "properties": whole["properties"] | {"environments": environments},
        "$defs": definitions | {f"{name}{_OVERLAY}": _optional(value) for name, value in definitions.items()},
    }
    substituted: dict[str, Any] = _with_references(document)
    return substituted


def text() -> str:
    """The schema's file content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _optional(node: Any) -> Any:
    """A schema, and its references, without required members and defaults."""
    if isinstance(node, list):
        return [_optional(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": f"{node['$ref']}{_OVERLAY}"}
    result = {key: _optional(value) for key, value in node.items() if key not in ("required", "default", "minItems")}
    # Without the discriminator, several alternatives may fit.
    result.pop("discriminator", None)
    if "oneOf" in result:
        result["anyOf"] = result.pop("oneOf")
    # Null removes a route, a partner and so on from an environment.
    for pattern, member in result.get("patternProperties", {}).items():
        result["patternProperties"][pattern] = {"anyOf": [member, {"type": "null"}]}
    return result


def _with_references(node: Any) -> Any:
    """The schema, with `${NAME}` as an alternative to every number, boolean and text of a certain form."""
    if isinstance(node, list):
        return [_with_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Pydantic's titles repeat the keys.
    result = {key: _with_references(value) for key, value in node.items() if key != "title" or "$schema" in node}
    kind = node.get("type")
    constrained = kind == "string" and ("pattern" in node or "enum" in node)
    if kind in ("integer", "number", "boolean") or constrained:
        described = {key: result.pop(key) for key in ("description", "default") if key in result}
        return described | {"anyOf": [result, dict(_REFERENCE)]}
    return result


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
