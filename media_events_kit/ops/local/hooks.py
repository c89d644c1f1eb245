"""Work of other packages that belongs to a local cloud's life, such as the demonstration's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import Stack


@dataclass(frozen=True, slots=True)
class Hook:
    """``variables`` are added to the synthesis of `local up`; ``after_down`` runs after `local down`.

    ``external_resources`` makes what a synthesised stack needs and does not make, on the running cloud; it returns more
    variables.
    """

    variables: Callable[[LocalPaths], Mapping[str, str]]
    after_down: Callable[[LocalPaths], None]
    external_resources: Callable[[LocalPaths, CloudRecord, Stack], Mapping[str, str]]


HOOKS: Final[list[Hook]] = []


def collected(paths: LocalPaths) -> tuple[dict[str, str], Callable[[CloudRecord, Stack], dict[str, str]]]:
    """The variables of all hooks, and what makes the external resources of all."""
    variables = {name: value for hook in HOOKS for name, value in hook.variables(paths).items()}

    def external_resources(record: CloudRecord, stack: Stack) -> dict[str, str]:
        made = (hook.external_resources(paths, record, stack) for hook in HOOKS)
        return {name: value for variables in made for name, value in variables.items()}

    return variables, external_resources
