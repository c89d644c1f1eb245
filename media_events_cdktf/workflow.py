"""A whole workflow as one construct."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from media_events_cdktf.module import Reference
from media_events_kit.infra.loader.workflow_file import SELECTION, load
from media_events_kit.infra.stacks.cdk import Construct, TerraformHclModule
from media_events_kit.infra.stacks.workflow_stack import WorkflowParts, workflow_tags


class Workflow(Construct):
    """One environment of a workflow file, in a stack of yours: bucket, bus, ingresses, workflows, router and review.

    The stack's AWS provider, 5.100 or newer, must be of the region that the file names. State, backend and default
    tags are the stack's, too. The outputs have the names that `media-events` reads (`MEDIA_EVENTS_OUTPUTS`), so a stack
    has one workflow.
    """

    def __init__(  # noqa: PLR0913 - one parameter for each thing to say
        self,
        scope: Construct,
        construct_id: str,
        *,
        file: str | os.PathLike[str],
        environment: str,
        references: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Read the file, and add what it describes.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            file: the workflow file; what it names is relative to its folder.
            environment: the one of its environments.
            references: texts of the file, such as a queue's ARN and URL, and what Terraform is to have in their place,
                such as `queue.arn` and `queue.url`. The text must be valid in the file, because the file is checked
                before.
            environ: what `${NAME}` in the file stands for, in place of the process's environment variables.

        Raises:
            media_events_kit.infra.documents.diagnostics.WorkflowError: with every mistake in the file.
            ValueError: a text of ``references`` is not in the file.
        """
        super().__init__(scope, construct_id)
        path, known = Path(file), os.environ if environ is None else environ
        workflow = load(path, {**known, SELECTION: environment})
        (read,) = workflow.environments
        text = path.read_text(encoding="utf-8")
        unknown = [each for each in references or {} if each not in text]
        if unknown:
            raise ValueError(f"{path.name} has no {', '.join(unknown)}, which references would replace")
        self.warnings = tuple(map(str, workflow.warnings))
        self._parts = WorkflowParts(self, read, tags=workflow_tags(read), references=references)

    @property
    def bus_arn(self) -> str:
        """ARN of the workflow's bus, for rules and senders of yours."""
        return self._parts.bus.get_string("bus_arn")

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that tells of events that need a person, for subscriptions of yours."""
        return self._parts.review.get_string("topic_arn")

    @property
    def review_table_name(self) -> str:
        """Name of the table with the review items."""
        return self._parts.review.get_string("review_table_name")

    @property
    def operator_policies(self) -> Reference:
        """Policies for operators' roles, as JSON text, by name."""
        return cast("Reference", self._parts.review.get("operator_policies"))

    def state_machine_arn(self, destination: str) -> str:
        """ARN of the state machine that a destination of the file defines.

        Raises:
            KeyError: there is none.
        """
        return self._parts.machines[destination].get_string("state_machine_arn")

    def ingress(self, name: str) -> TerraformHclModule:
        """The module of an ingress, whose outputs are those of `ingress-apigw`, `ingress-sqs` and so on.

        Raises:
            KeyError: there is none of that name.
        """
        return self._parts.ingresses[name]

    @property
    def router(self) -> TerraformHclModule | None:
        """The module `router`; ``None`` without transforms and routes."""
        return self._parts.router
