"""Work of other packages that belongs to a local cloud's life, such as the demonstration's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from media_events_kit.ops.local.paths import LocalPaths


@dataclass(frozen=True, slots=True)
class Hook:
    """``variables`` are added to the synthesis of `local up`; ``after_down`` runs after `local down`."""

    variables: Callable[[LocalPaths], Mapping[str, str]]
    after_down: Callable[[LocalPaths], None]


HOOKS: Final[list[Hook]] = []
