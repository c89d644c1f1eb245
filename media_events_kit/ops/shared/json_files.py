"""JSON objects that may be missing or malformed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

Record = TypeVar("Record")


def object_in(text: str | bytes) -> dict[str, Any]:
    """The JSON object in ``text``; empty where it holds anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in the file at ``path``; empty where there is none."""
    try:
        return object_in(path.read_bytes())
    except OSError:
        return {}


def read_record(kind: type[Record], path: Path) -> Record | None:
    """The dataclass ``kind`` whose fields the JSON object at ``path`` has; ``None`` where it has not all of them."""
    document = read_object(path)
    try:
        return kind(**{name: document[name] for name in vars(kind)["__dataclass_fields__"]})
    except KeyError:
        return None
