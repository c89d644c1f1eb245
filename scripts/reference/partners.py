"""Presets of partners and the neutral event types."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeGuard

from media_events.partners import (
    http_signature_claim,
    json_web_tokens,
    proof_parts,
    signature_verification,
    signed_content,
    sns_messages,
)
from media_events.partners.presets import load_preset, preset_names
from media_events.partners.specification import resolve_preset
from media_events_kit.ops.partner.event_types import types_table
from media_events_kit.ops.partner.field_descriptions import field_rows
from media_events_kit.ops.partner.specification_schema import schema
from scripts.reference.markdown import code, table

_MOST_PARTS: Final = 4
_REQUIRED: Final = ("id", "type", "verification.method", "handshake.kind")
"""A preset may have them, so the schema can't require them."""

_ENVELOPE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "envelope.md"
_PROOFS: Final = (
    *(http_signature_claim, json_web_tokens, proof_parts, signature_verification, signed_content, sns_messages),
)


def event_types() -> str:
    """The vocabulary, and which type of which preset becomes which word."""
    return types_table()


def fields() -> str:
    """Every field of a specification with its default, from the JSON Schema."""
    rows = [
        (code(name), "required" if name in _REQUIRED else default.replace("|", "\\|"), meaning.replace("|", "\\|"))
        for name, default, meaning in field_rows(schema())
    ]
    return table(("field", "default", "meaning"), rows)


def attributes() -> str:
    """The envelope's attributes that come from the partner or its specification."""
    lines = re.findall(r"^\| (\**`\w+`\**) \| (.+) \| (.+) \|$", _ENVELOPE.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [
        (name, meaning.replace("](", "](reference/")) for name, meaning, by in lines if "partner" in by or "spec" in by
    ]
    return table(("attribute", "meaning"), rows)


def refusals() -> str:
    """The reasons for which a webhook's request is refused."""
    return ", ".join(code(reason) for reason in sorted(refusal_reasons())) + "."


def refusal_reasons() -> set[str]:
    """The texts in the calls of the verification that refuse a request, or decide what is refused if none fits."""
    arguments: list[ast.expr] = []
    for module in _PROOFS:
        tree = ast.parse(inspect.getsource(module))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            arguments += [keyword.value for keyword in call.keywords if keyword.arg in ("missing", "reason")]
            if isinstance(call.func, ast.Name) and call.func.id in ("RefusedError", "Claim", "_compared"):
                arguments += call.args
        arguments += [node.value for node in ast.walk(tree) if _names_missing_key(node)]
    texts = {part.value for node in arguments for part in ast.walk(node) if isinstance(part, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and "-" in text}


def _names_missing_key(node: ast.AST) -> TypeGuard[ast.Assign]:
    return isinstance(node, ast.Assign) and "missing" in ast.unparse(node.targets[0])


def presets() -> str:
    """How each preset proves itself, and where it has an event's identity."""
    return table(
        ("preset", "proof of a webhook", "id", "time", "ordering key", "held to the vendor's pages, assumed"),
        [_row(name, resolve_preset(load_preset(name), [])) for name in preset_names()],
    )


def _row(name: str, preset: Mapping[str, Any]) -> tuple[str, ...]:
    ordering = preset.get("partitionkey", preset.get("subject"))
    return (
        code(name),
        _proof(preset.get("verification")),
        _value(preset.get("id")),
        _value(preset.get("time"), "time of receipt"),
        _value(ordering, "id") + (f", by {_value(preset['sequence'])}" if "sequence" in preset else ""),
        _provenance(preset.get("provenance")),
    )


def _provenance(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    assumed = found.get("assumed")
    return f"{found['held']}; " + ("not said" if assumed is None else ", ".join(map(code, assumed)) or "nothing")


def _proof(verification: Mapping[str, Any] | None) -> str:
    if verification is None:
        return "none: by EventBridge"
    words = [code(word) for word in (verification["method"], verification.get("algorithm")) if word]
    if header := verification.get("signature_header"):
        words.append(f"in the header {code(header)}")
    if parameter := verification.get("signature_query"):
        words.append(f"in the URL, {code(f'?{parameter}=')}")
    if "timestamp" in verification:
        words.append("with signed time")
    return " ".join(words)


def _value(expression: Any, missing: str = "none") -> str:
    """A value expression in words; of alternatives only the first."""
    if expression is None:
        return missing
    if isinstance(expression, str) or "path" in expression:
        first, *others = str(expression if isinstance(expression, str) else expression["path"]).split(" || ")
        return code(first) + (" or others" if others else "")
    for kind in ("header", "constant"):
        if kind in expression:
            return f"{kind} {code(expression[kind])}"
    kind = next(kind for kind in ("concat", "hash", "first") if kind in expression)
    parts = expression[kind]
    if kind == "first":
        return _value(parts[0]) + " or others"
    text = f"{len(parts)} values" if len(parts) > _MOST_PARTS else ", ".join(_value(part) for part in parts)
    return f"{'hash of' if kind == 'hash' else 'joined:'} {text}"
