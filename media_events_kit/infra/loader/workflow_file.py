"""Reads `workflow.yaml` into checked environments, and finds every mistake at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from media_events_kit.infra.documents.diagnostics import Diagnostics, Position, Problem, WorkflowError, did_you_mean
from media_events_kit.infra.documents.yaml_document import Node, YamlSyntaxError, evaluate, overlay, parse
from media_events_kit.infra.loader.environment import Environment, WorkflowFile
from media_events_kit.infra.loader.environment_reader import EnvironmentReader
from media_events_kit.infra.model.types import ENVIRONMENT_NAME, PATTERN_DESCRIPTIONS
from media_events_kit.infra.model.workflow import S3State

SELECTION: Final = "MEDIA_EVENTS_ENVIRONMENTS"
"""Environment variable: names of the environments to read, with commas between them; by default all."""

_NAMED_SECTIONS: Final = frozenset(
    {"ingress", "partners", "transforms", "destinations", "routes"}
    | {"retired.transforms", "retired.destinations", "retired.routes"}
)
_REPLACED_WHOLE: Final = frozenset({"pattern", "steps", "specification"})


def load(path: Path, environ: Mapping[str, str]) -> WorkflowFile:
    """Read and check a workflow file in all its environments.

    Raises:
        WorkflowError: with every mistake in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WorkflowError(str(path), [_of_file("there is no such file")]) from None
    except UnicodeDecodeError:
        raise WorkflowError(str(path), [_of_file("the file is not UTF-8 text")]) from None
    except OSError as error:
        raise WorkflowError(str(path), [_of_file(f"the file can't be read: {error.strerror}")]) from None
    return load_text(text, environ, path)


def load_text(text: str, environ: Mapping[str, str], path: Path) -> WorkflowFile:
    """As :func:`load`, for a text; `path` names it in messages, and files are relative to its folder.

    Raises:
        WorkflowError: with every mistake in it.
    """
    name = _shown(path)
    diagnostics = Diagnostics()
    try:
        root = parse(text, diagnostics)
    except YamlSyntaxError as error:
        raise WorkflowError(name, [Problem(Position("", error.line), str(error))]) from None
    overlays, selected = _environments(root, environ, diagnostics)
    if not isinstance(root.value, dict) or not selected:
        raise WorkflowError(name, _sorted(diagnostics.problems))
    base = Node(root.position, {key: node for key, node in root.value.items() if key != "environments"})

    environments: list[Environment] = []
    each: dict[str, Diagnostics] = {}
    for environment in selected:
        each[environment] = Diagnostics()
        whole = overlay(base, overlays[environment], whole=_REPLACED_WHOLE, kind_key="type", removable=_NAMED_SECTIONS)
        document = evaluate(whole, environ, each[environment])
        read = EnvironmentReader(environment, document, path.parent, each[environment]).read()
        if read is not None:
            environments.append(replace(read, others=overlays.keys() - {environment}))
    problems = diagnostics.problems + _merged({name: one.problems for name, one in each.items()})
    problems += _shared_states(environments, root)
    if problems:
        raise WorkflowError(name, _sorted(problems))
    warnings = _merged({name: one.warnings for name, one in each.items()})
    unused = _merged({name: one.idle for name, one in each.items()})
    warnings += [problem for problem in unused if not problem.environments]
    return WorkflowFile(path=path, environments=tuple(environments), warnings=tuple(_sorted(warnings)))


def _of_file(message: str) -> Problem:
    return Problem(Position("", 1), message)


def _shown(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def _environments(
    root: Node, environ: Mapping[str, str], diagnostics: Diagnostics
) -> tuple[dict[str, Node], list[str]]:
    """The environments' overlays, and the names of the selected ones."""
    if not isinstance(root.value, dict):
        diagnostics.wrong(root.position, "the file must be a mapping, beginning with name, partners and so on")
        return {}, []
    node = root.value.get("environments")
    example = 'environments: {dev: {region: "eu-west-1"}}'
    if node is None:
        diagnostics.wrong(Position("environments", 1), f"is missing: name at least one, as in {example}")
        return {}, []
    if not isinstance(node.value, dict) or not node.value:
        diagnostics.wrong(node.position, f"must be a mapping with at least one environment, as in {example}")
        return {}, []
    overlays: dict[str, Node] = {}
    for name, above in node.value.items():
        if not re.fullmatch(ENVIRONMENT_NAME, name):
            form = PATTERN_DESCRIPTIONS[ENVIRONMENT_NAME]
            diagnostics.wrong(above.position, f'an environment\'s name must be {form}, not "{name}"')
        elif isinstance(above.value, dict):
            overlays[name] = above
        elif above.plain and above.value in ("", "~", "null"):
            overlays[name] = Node(above.position, {})
        else:
            diagnostics.wrong(above.position, "an environment must be a mapping with its overrides")
    selected = [name.strip() for name in environ.get(SELECTION, "").split(",") if name.strip()]
    for name in selected:
        if name not in overlays:
            message = f'{SELECTION} asks for "{name}", which is not declared: {did_you_mean(name, overlays)}'
            diagnostics.wrong(node.position, message)
    return overlays, [name for name in overlays if not selected or name in selected]


def _merged(by_environment: Mapping[str, list[Problem]]) -> list[Problem]:
    """Each problem once; it names its environments unless it shows in all of them."""
    where: dict[tuple[Position, str], list[str]] = {}
    for environment, problems in by_environment.items():
        for problem in problems:
            names = where.setdefault((problem.position, problem.message), [])
            if environment not in names:
                names.append(environment)
    return [
        Problem(position, message, () if len(names) == len(by_environment) else tuple(names))
        for (position, message), names in where.items()
    ]


def _shared_states(environments: list[Environment], root: Node) -> list[Problem]:
    """Two environments with one state would destroy each other's resources."""
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    for environment in environments:
        state = environment.workflow.state
        in_s3 = isinstance(state, S3State)
        place = f"{state.bucket}/{environment.state_key}" if isinstance(state, S3State) else environment.stack_name
        if place in seen:
            declared = root.value["environments"].value if isinstance(root.value, dict) else {}
            position = declared[environment.name].position if isinstance(declared, dict) else root.position
            message = f"has the same state as {seen[place]}, {place}: give it another {'key' if in_s3 else 'name'}"
            problems.append(Problem(position, message))
        seen.setdefault(place, environment.name)
    return problems


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.position.line, problem.position.path))
