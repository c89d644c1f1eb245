"""From `workflow.yaml` to checked environments: every mistake is found in one reading."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from infra.checks import check_patterns, check_references, place_in_settings, place_in_steps
from infra.contents import ContentError, check_http_destination, check_steps, load_definition, load_specification
from infra.environment import Environment, WorkflowFile
from infra.messages import message_for
from infra.problems import Findings, Position, Problem, WorkflowError, did_you_mean
from infra.sections import real_path
from infra.workflow import (
    ENVIRONMENT_NAME,
    FORMS,
    FailureHandling,
    HttpDestination,
    S3State,
    Workflow,
)
from infra.yaml_tree import Document, Node, Path, YamlSyntaxError, evaluate, has_member, overlay, parse

SELECTION: Final = "MEDIA_EVENTS_ENVIRONMENTS"
"""Environment variable: names of the environments to read, with commas between them; all, if it is not set."""

_NAMED_SECTIONS: Final = frozenset({"entries", "partners", "transforms", "destinations", "routes"})
_REPLACED_WHOLE: Final = frozenset({"pattern", "steps", "specification"})


def load(path: FilePath, environ: Mapping[str, str]) -> WorkflowFile:
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


def load_text(text: str, environ: Mapping[str, str], path: FilePath) -> WorkflowFile:
    """As :func:`load`, with the text at hand; `path` names it in messages, and files are relative to its folder.

    Raises:
        WorkflowError: with every mistake in it.
    """
    name = _shown(path)
    findings = Findings()
    try:
        root = parse(text, findings)
    except YamlSyntaxError as error:
        raise WorkflowError(name, [Problem(Position("", error.line), str(error))]) from None
    overlays, selected = _environments(root, environ, findings)
    if not isinstance(root.value, dict) or not selected:
        raise WorkflowError(name, _sorted(findings.problems))
    base = Node(root.position, {key: node for key, node in root.value.items() if key != "environments"})

    environments: list[Environment] = []
    each: dict[str, Findings] = {}
    for environment in selected:
        each[environment] = Findings()
        whole = overlay(base, overlays[environment], whole=_REPLACED_WHOLE, kind_key="type", removable=_NAMED_SECTIONS)
        read = _Reader(environment, evaluate(whole, environ, each[environment]), path.parent, each[environment]).read()
        if read is not None:
            environments.append(read)
    problems = findings.problems + _merged({name: found.problems for name, found in each.items()})
    problems += _shared_states(environments, root)
    if problems:
        raise WorkflowError(name, _sorted(problems))
    warnings = _merged({name: found.warnings for name, found in each.items()})
    unused = _merged({name: found.idle for name, found in each.items()})
    warnings += [problem for problem in unused if not problem.environments]
    return WorkflowFile(path=path, environments=tuple(environments), warnings=tuple(_sorted(warnings)))


def _of_file(message: str) -> Problem:
    return Problem(Position("", 1), message)


def _shown(path: FilePath) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def _environments(root: Node, environ: Mapping[str, str], findings: Findings) -> tuple[dict[str, Node], list[str]]:
    """The environments' overlays, and the names of those that are wanted."""
    if not isinstance(root.value, dict):
        findings.wrong(root.position, "the file must be a mapping, beginning with name, partners and so on")
        return {}, []
    node = root.value.get("environments")
    example = 'environments: {dev: {region: "eu-west-1"}}'
    if node is None:
        findings.wrong(Position("environments", 1), f"is missing: name at least one, as in {example}")
        return {}, []
    if not isinstance(node.value, dict) or not node.value:
        findings.wrong(node.position, f"must be a mapping with at least one environment, as in {example}")
        return {}, []
    overlays: dict[str, Node] = {}
    for name, above in node.value.items():
        if not re.fullmatch(ENVIRONMENT_NAME, name):
            form = FORMS[ENVIRONMENT_NAME]
            findings.wrong(above.position, f'an environment\'s name must be {form}, not "{name}"')
        elif isinstance(above.value, dict):
            overlays[name] = above
        elif above.plain and above.value in ("", "~", "null"):
            overlays[name] = Node(above.position, {})
        else:
            findings.wrong(above.position, "an environment must be a mapping of what it says otherwise")
    wanted = [name.strip() for name in environ.get(SELECTION, "").split(",") if name.strip()]
    for name in wanted:
        if name not in overlays:
            findings.wrong(
                node.position, f'{SELECTION} asks for "{name}", which is not declared: {did_you_mean(name, overlays)}'
            )
    return overlays, [name for name in overlays if not wanted or name in wanted]


class _Reader:
    """Reads one environment's document, and finds what is wrong with it."""

    def __init__(self, name: str, document: Document, folder: FilePath, findings: Findings) -> None:
        self._name = name
        self._document = document
        self._folder = folder
        self._findings = findings

    def read(self) -> Environment | None:
        """The environment; `None` if something is wrong with it, which is then in the findings."""
        check_references(self._document, self._name, self._findings)
        check_patterns(self._document, self._findings)
        workflow = self._model()
        specifications = self._specifications()
        self._steps()
        definitions = self._destinations()
        if workflow is None:
            return None
        failure = self._failure(workflow)
        self._timeouts(workflow)
        if self._findings.problems:
            return None
        return Environment(self._name, workflow, specifications, definitions, failure)

    def _model(self) -> Workflow | None:
        try:
            return Workflow.model_validate(self._document.value)
        except ValidationError as error:
            seen: set[Path] = set()
            for details in error.errors(include_url=False):
                path = real_path(self._document.value, details["loc"])
                if path not in seen:
                    seen.add(path)
                    message = message_for(details, Workflow, path, self._document.value)
                    place = self._mentioned(path, message) if details["type"] == "value_error" else path
                    self._findings.wrong(self._document.position(place), message)
            return None

    def _mentioned(self, path: Path, message: str) -> Path:
        """The first member of the section at `path` that the message is about, else the section itself."""
        value = self._document.at(path)
        return next(((*path, word) for word in re.findall(r"\w+", message) if has_member(value, word)), path)

    def _members(self, section: str) -> Iterable[tuple[str, dict[str, Any]]]:
        members = self._document.value.get(section)
        return [(n, m) for n, m in members.items() if isinstance(m, dict)] if isinstance(members, dict) else []

    def _specifications(self) -> dict[str, Mapping[str, Any]]:
        specifications: dict[str, Mapping[str, Any]] = {}
        for name, partner in self._members("partners"):
            named = partner.get("specification")
            if not isinstance(named, str | dict):
                continue
            path: Path = ("partners", name, "specification")
            try:
                specifications[name] = load_specification(named, self._folder, webhook=True)
            except ContentError as error:
                inline = isinstance(named, dict)
                self._note(error, self._in_settings(path) if inline else partial(_at, self._document.position(path)))
        return specifications

    def _steps(self) -> None:
        for name, transform in self._members("transforms"):
            steps = transform.get("steps")
            if isinstance(steps, list) and steps:
                path: Path = ("transforms", name)
                try:
                    check_steps(steps)
                except ContentError as error:
                    self._note(error, partial(place_in_steps, self._document, path))

    def _destinations(self) -> dict[str, str]:
        definitions: dict[str, str] = {}
        for name, destination in self._members("destinations"):
            path: Path = ("destinations", name)
            definition = destination.get("definition")
            try:
                if destination.get("type") == "http":
                    check_http_destination(name, destination)
                elif destination.get("type") == "step-functions" and isinstance(definition, str):
                    path = (*path, "definition")
                    definitions[name] = load_definition(self._folder, definition)
            except ContentError as error:
                in_file = path[-1] == "definition"
                place = partial(_at, self._document.position(path)) if in_file else self._in_settings(path)
                self._note(error, place)
        return definitions

    def _in_settings(self, path: Path) -> Callable[[str], tuple[Position, str]]:
        return partial(place_in_settings, self._document, path)

    def _failure(self, workflow: Workflow) -> dict[str, FailureHandling]:
        handling: dict[str, FailureHandling] = {}
        general = workflow.failure.model_dump(exclude_unset=True)
        self._ordered(workflow.failure, ("failure",), {"retry", "redrive"})
        for section, hops in (("transforms", workflow.transforms), ("routes", workflow.routes)):
            for name, hop in hops.items():
                own = hop.failure.model_dump(exclude_unset=True)
                handling[name] = FailureHandling.model_validate(_deep_merge(general, own))
                self._ordered(handling[name], (section, name, "failure"), own.keys())
        return handling

    def _ordered(self, failure: FailureHandling, place: Path, parts: Collection[str]) -> None:
        """Check the waits of those `parts` of `failure` that stand at `place`."""
        waits = {
            "retry": ("base_seconds", failure.retry.base_seconds, "max_seconds", failure.retry.max_seconds),
            "redrive": (
                "base_delay_seconds",
                failure.redrive.base_delay_seconds,
                "max_delay_seconds",
                failure.redrive.max_delay_seconds,
            ),
        }
        for part, (first, shortest, last, longest) in waits.items():
            if part in parts and shortest > longest:
                self._findings.wrong(
                    self._document.position((*place, part)),
                    f"{first} is {shortest:g} and {last} {longest:g}: the longest wait is shorter than the first",
                )

    def _timeouts(self, workflow: Workflow) -> None:
        for name, route in workflow.routes.items():
            destination = workflow.destinations.get(route.destination)
            if isinstance(destination, HttpDestination) and destination.timeout_seconds >= route.timeout_seconds:
                self._findings.wrong(
                    self._document.position(("routes", name, "timeout_seconds")),
                    f"is {route.timeout_seconds}, but the call to {route.destination} may take "
                    f"{destination.timeout_seconds} seconds: the function must outlive it",
                )

    def _note(self, error: ContentError, place: Callable[[str], tuple[Position, str]]) -> None:
        for problem in error.problems:
            self._findings.also_wrong(*place(problem))


def _at(position: Position, problem: str) -> tuple[Position, str]:
    return position, problem


def _deep_merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _deep_merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _merged(found: Mapping[str, list[Problem]]) -> list[Problem]:
    """One entry for what shows in several environments; which ones are told where it isn't all of them."""
    where: dict[tuple[Position, str], list[str]] = {}
    for environment, problems in found.items():
        for problem in problems:
            names = where.setdefault((problem.position, problem.message), [])
            if environment not in names:
                names.append(environment)
    return [
        Problem(position, message, () if len(names) == len(found) else tuple(names))
        for (position, message), names in where.items()
    ]


def _shared_states(environments: list[Environment], root: Node) -> list[Problem]:
    """Two environments with one state would destroy each other's resources."""
    seen: dict[tuple[str, str], str] = {}
    problems: list[Problem] = []
    for environment in environments:
        state = environment.workflow.state
        if not isinstance(state, S3State):
            continue
        place = (state.bucket, environment.state_key)
        if place in seen:
            declared = root.value["environments"].value if isinstance(root.value, dict) else {}
            position = declared[environment.name].position if isinstance(declared, dict) else root.position
            problems.append(
                Problem(position, f"has the same state as {seen[place]}, {place[0]}/{place[1]}: give it another key")
            )
        seen.setdefault(place, environment.name)
    return problems


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.position.line, problem.position.path))
