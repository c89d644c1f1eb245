"""Terraform's state as a file: its place, and the move from the place where earlier versions of the kit had it.

Earlier versions left the workflow's name out and kept all states in the kit's own folder, so that two workflows with an
environment of one name shared a state: each apply planned to replace the other's resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.model.workflow import LocalState


class StateInUseError(Exception):
    """A state can't be moved while Terraform works on it; the message names the file and the way out."""


def state_file(environment: Environment, folder: Path) -> Path:
    """The state of `environment`; `folder` is that of the workflow file."""
    return folder / "state" / f"{environment.stack_name}.tfstate"


def move_earlier_state(environment: Environment, folder: Path, kit: Path) -> Path | None:
    """Move the environment's state from its earlier place in `kit` to `state_file`; returns its new place if it moved.

    Nothing moves if the state has a file already, is not local, or is another workflow's.

    Raises:
        StateInUseError: Terraform has locked the earlier file.
        OSError: the file can't be moved.
    """
    earlier = kit / "state" / f"media-events-{environment.name}.tfstate"
    file = state_file(environment, folder)
    if not isinstance(environment.workflow.state, LocalState) or file.exists() or not earlier.is_file():
        return None
    if not belongs_to(environment.workflow.name, environment.name, _document(earlier)):
        return None
    lock = earlier.with_name(f".{earlier.name}.lock.info")
    if lock.exists():
        raise StateInUseError(
            f"{earlier} is to be moved to {file}, but Terraform works on it: try again when it has ended "
            f"(if it was killed, remove {lock.name} beside the state)"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    backup = earlier.with_name(f"{earlier.name}.backup")
    if backup.is_file():
        backup.replace(file.with_name(f"{file.name}.backup"))
    earlier.replace(file)
    return file


def belongs_to(workflow: str, environment: str, state: Mapping[str, Any]) -> bool:
    """Whether the resources in a state are the environment's, by the tags that the kit puts on every resource.

    The form of a state: https://developer.hashicorp.com/terraform/language/state
    """
    expected = {"workflow": workflow, "environment": environment}
    tagged = [tags for tags in _tags(state) if expected.keys() <= tags.keys()]
    return bool(tagged) and all(tags[key] == value for tags in tagged for key, value in expected.items())


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _tags(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    resources = state.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        instances = resource.get("instances") if isinstance(resource, dict) else None
        for instance in instances if isinstance(instances, list) else []:
            attributes = instance.get("attributes") if isinstance(instance, dict) else None
            tags = attributes.get("tags_all") if isinstance(attributes, dict) else None
            if isinstance(tags, dict):
                yield tags
