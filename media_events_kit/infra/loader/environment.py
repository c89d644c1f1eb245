"""One environment of a workflow, read and checked: the input of the stacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_events_kit.infra.documents.diagnostics import Problem
from media_events_kit.infra.model.consumers import FailureHandling
from media_events_kit.infra.model.workflow import S3State, Workflow


@dataclass(frozen=True, slots=True)
class Environment:
    """A workflow in one environment, with the content of its files.

    `specifications` has each partner's specification as the functions take it (none for a partner that sends the
    envelope), `definitions` the text of each state machine's definition by destination, `failure` the failure handling
    of each queue ingress, transform and route, `packages` the zip of each transform's own modules, `others` the names
    of the file's other environments. `retired` is an environment with the retired transforms and routes in place of the
    others, and the destinations that these routes lead to; `None` if there are none.
    """

    name: str
    workflow: Workflow
    specifications: Mapping[str, Mapping[str, Any]]
    definitions: Mapping[str, str]
    failure: Mapping[str, FailureHandling]
    packages: Mapping[str, bytes]
    others: Collection[str] = ()
    retired: Environment | None = None

    @property
    def stack_name(self) -> str:
        """The name of its stack: two workflows may have environments of one name."""
        return self.prefix

    @property
    def state_key(self) -> str:
        """The key of its state in an S3 bucket."""
        state = self.workflow.state
        return (
            state.key if isinstance(state, S3State) else None
        ) or f"media-events/{self.workflow.name}/{self.name}.tfstate"

    @property
    def prefix(self) -> str:
        """The beginning of its resources' names."""
        return f"{self.workflow.name}-{self.name}"

    @property
    def name_prefix(self) -> str | None:
        """The beginning of its resources' names alone; `None` if those of another environment begin so, too."""
        return None if any(name.startswith(f"{self.name}-") for name in self.others) else f"{self.prefix}-"


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """All environments of one file, in its order, and its warnings."""

    path: Path
    environments: tuple[Environment, ...]
    warnings: tuple[Problem, ...]
