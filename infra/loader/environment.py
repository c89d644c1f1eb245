"""One environment of a workflow, read and checked: what the stacks are composed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.documents.diagnostics import Problem
from infra.model.consumers import FailureHandling
from infra.model.workflow import S3State, Workflow


@dataclass(frozen=True, slots=True)
class Environment:
    """A workflow in one environment, with what its files hold.

    `specifications` has each partner's specification as the functions take it (none of a producer that speaks the
    envelope), `definitions` the text of each state machine's definition by the destination's name, `failure` what each
    queue-fed entry, transform and route does on failure, `packages` the zip of a transform's own modules by its name.
    """

    name: str
    workflow: Workflow
    specifications: Mapping[str, Mapping[str, Any]]
    definitions: Mapping[str, str]
    failure: Mapping[str, FailureHandling]
    packages: Mapping[str, bytes]

    @property
    def stack_name(self) -> str:
        """The stack that the environment becomes."""
        return f"media-events-{self.name}"

    @property
    def state_key(self) -> str:
        """Where its state is in an S3 bucket."""
        state = self.workflow.state
        return (state.key if isinstance(state, S3State) else None) or f"media-events/{self.name}.tfstate"

    @property
    def prefix(self) -> str:
        """How the names of its resources begin."""
        return f"{self.workflow.name}-{self.name}"


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """All environments of one file, in its order, and what is doubtful about it."""

    path: Path
    environments: tuple[Environment, ...]
    warnings: tuple[Problem, ...]
