"""Names that change in the workflow file and stay in AWS, where a new name would be a new resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from media_events_kit.infra.model.types import Key, Section


class Renamable(Section):
    """Base of the members of the file whose name is part of names in AWS, and of what the stores remember."""

    formerly: list[Key] = Field(
        default=[],
        max_length=20,
        description="Earlier names, the first one first. In AWS and in the stores it keeps the first: a rename changes "
        "no resource and repeats no delivery.",
    )


def deployed_name(name: str, member: Any) -> str:
    """The name in AWS of a section's member, plain or of the model."""
    former = member.get("formerly") if isinstance(member, Mapping) else getattr(member, "formerly", None)
    first = former[0] if isinstance(former, list) and former else None
    return first if isinstance(first, str) else name
