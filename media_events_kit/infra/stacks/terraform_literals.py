"""Text on its way into Terraform's JSON, where `${` and `%{` begin expressions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def literal(value: Any) -> Any:
    """`value` with every text in it escaped, so that Terraform takes it as it stands."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {literal(key): literal(member) for key, member in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    return value


def replaced(value: Any, references: Mapping[str, str]) -> Any:
    """`value` with references of Terraform's in place of texts that stand for them."""
    if not references:
        return value
    if isinstance(value, str):
        for text, reference in references.items():
            value = value.replace(text, reference)
        return value
    if isinstance(value, dict):
        return {key: replaced(member, references) for key, member in value.items()}
    if isinstance(value, list):
        return [replaced(item, references) for item in value]
    return value


def json_text(value: Any) -> str:
    """`value` as JSON text that Terraform takes as it stands."""
    return str(literal(json.dumps(value, ensure_ascii=False, separators=(",", ":"))))
