"""Reads one environment's document with the model, the checks and the functions' own parsers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import ValidationError

from media_events_kit.infra.documents.diagnostics import Diagnostics
from media_events_kit.infra.documents.model_paths import real_path
from media_events_kit.infra.documents.python_layers import PackageError, zipped
from media_events_kit.infra.documents.yaml_document import Document, Path, Report, has_member
from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.loader.retired_hops import check_retired, retired_document
from media_events_kit.infra.loader.validation_messages import message_for
from media_events_kit.infra.model.consumers import FailureHandling
from media_events_kit.infra.model.destinations import (
    FUNCTION_MARGIN_SECONDS,
    WAIT_FUNCTION,
    Destination,
    HttpDestination,
    LambdaDestination,
)
from media_events_kit.infra.model.ingress import QueueIngress
from media_events_kit.infra.model.workflow import Transform, Workflow
from media_events_kit.infra.validation.aws_limits import check_limits
from media_events_kit.infra.validation.embedded_documents import (
    ContentError,
    check_api_destination,
    check_destination,
    check_steps,
    load_definition,
    load_specification,
)
from media_events_kit.infra.validation.ingress import ingress_kinds
from media_events_kit.infra.validation.patterns import check_patterns
from media_events_kit.infra.validation.private_networks import check_private_networks
from media_events_kit.infra.validation.reachability import check_reachability
from media_events_kit.infra.validation.references import check_references, place_in_settings, place_in_steps
from media_events_kit.infra.validation.states_language import open_waits

DEFAULT_TIMEOUT_SECONDS: Final[int] = Transform.model_fields["timeout_seconds"].default


MAX_LAYER_BYTES: Final = 50 * 1024 * 1024
"""Of a zip in a request: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class EnvironmentReader:
    """Reads one environment's document, and notes its mistakes."""

    def __init__(self, name: str, document: Document, folder: FilePath, diagnostics: Diagnostics) -> None:
        self._name = name
        self._document = document
        self._folder = folder
        self._report = Report(document, diagnostics)

    def read(self) -> Environment | None:
        """The environment; `None` if it has mistakes, which are then in the diagnostics."""
        check_retired(self._report)
        former = retired_document(self._document)
        retired = None
        if former is not None:
            retired = EnvironmentReader(self._name, former, self._folder, self._report.diagnostics).read()
        check_references(self._report, self._name)
        check_patterns(self._report)
        check_limits(self._report)
        check_private_networks(self._report)
        workflow = self._model()
        specifications = self._specifications()
        check_reachability(self._report, specifications)
        packages = self._packages()
        self._steps()
        definitions = self._destinations()
        if workflow is None:
            return None
        failure = self._failure(workflow)
        self._timeouts(workflow)
        if self._report.diagnostics.problems:
            return None
        return Environment(self._name, workflow, specifications, definitions, failure, packages, retired=retired)

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
                    self._report.wrong(place, message)
            return None

    def _mentioned(self, path: Path, message: str) -> Path:
        """The first member of the section at `path` that the message mentions, else the section itself."""
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
            webhook = self._comes_by_webhook(partner)
            authorised = partner.get("authorization") is not None
            secrets = bool(partner.get("secret_arns")) or not authorised
            try:
                specifications[name], advice = load_specification(
                    named, self._folder, webhook=webhook, authorised=authorised, secrets=secrets
                )
                for message in advice:
                    self._report.warn(path, message)
            except ContentError as error:
                inline = isinstance(named, dict)
                self._note(error, place_in_settings if inline else _whole, path)
        return specifications

    def _comes_by_webhook(self, partner: dict[str, Any]) -> bool:
        """Whether a webhook is among its ingresses, so that its specification needs a verification."""
        ingresses = self._document.value.get("ingress", {"webhook": {"type": "webhook"}})
        return isinstance(ingresses, dict) and "webhook" in ingress_kinds(ingresses, partner)

    def _packages(self) -> dict[str, bytes]:
        packages: dict[str, bytes] = {}
        for name, transform in self._members("transforms"):
            package = transform.get("package")
            if isinstance(package, str):
                try:
                    packages[name] = zipped(self._folder / package, self._folder)
                except (PackageError, OSError, ValueError) as error:
                    message = str(error) if isinstance(error, PackageError) else "can't be read"
                    self._report.wrong(("transforms", name, "package"), message)
                    continue
                if len(packages[name]) > MAX_LAYER_BYTES:
                    message = f"comes to {len(packages[name]):,} bytes as a zip; Lambda takes {MAX_LAYER_BYTES:,}"
                    self._report.wrong(("transforms", name, "package"), message)
        return packages

    def _steps(self) -> None:
        for name, transform in self._members("transforms"):
            steps = transform.get("steps")
            if isinstance(steps, list) and steps:
                path: Path = ("transforms", name)
                try:
                    check_steps(steps, **self._step_options(transform))
                except ContentError as error:
                    self._note(error, place_in_steps, path)

    def _step_options(self, transform: Mapping[str, Any]) -> dict[str, Any]:
        package, seconds = transform.get("package"), transform.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS)
        folder = self._folder / package if isinstance(package, str) else None
        return {
            # A mistake of the folder itself has been noted.
            "package": folder if folder is not None and folder.is_dir() else None,
            "layers": bool(transform.get("layers")) or (folder is not None and not folder.is_dir()),
            "timeout_seconds": seconds if isinstance(seconds, int) else None,
        }

    def _destinations(self) -> dict[str, str]:
        definitions: dict[str, str] = {}
        for name, destination in self._members("destinations"):
            path: Path = ("destinations", name)
            definition = destination.get("definition")
            try:
                if destination.get("type") in ("http", "task-callback"):
                    check_destination(name, destination)
                elif destination.get("type") == "api-destination":
                    check_api_destination(destination)
                elif destination.get("type") == "step-functions" and isinstance(definition, str):
                    path = (*path, "definition")
                    definitions[name] = load_definition(self._folder, definition)
                    self._tell_of_open_waits(path, definitions[name])
            except ContentError as error:
                in_file = path[-1] == "definition"
                self._note(error, _whole if in_file else place_in_settings, path)
        return definitions

    def _tell_of_open_waits(self, path: Path, definition: str) -> None:
        for state in open_waits(json.loads(definition)) if WAIT_FUNCTION in definition else ():
            message = f"{state}: any partner's event with its key ends this wait: add source to what it sends"
            self._report.warn(path, f"{message}, such as partner.mux")

    def _failure(self, workflow: Workflow) -> dict[str, FailureHandling]:
        handling: dict[str, FailureHandling] = {}
        general = workflow.failure.model_dump(exclude_unset=True)
        self._check_waits(workflow.failure, ("failure",), {"retry", "redrive"})
        queue_ingresses = {n: ingress for n, ingress in workflow.ingress.items() if isinstance(ingress, QueueIngress)}
        sections = (("ingress", queue_ingresses), ("transforms", workflow.transforms), ("routes", workflow.routes))
        for section, hops in sections:
            for name, hop in hops.items():
                overrides = hop.failure.model_dump(exclude_unset=True)
                handling[name] = FailureHandling.model_validate(_deep_merge(general, overrides))
                self._check_waits(handling[name], (section, name, "failure"), overrides.keys())
        return handling

    def _check_waits(self, failure: FailureHandling, place: Path, parts: Collection[str]) -> None:
        """Check the waits of those `parts` of `failure` that are at `place`."""
        retry, redrive = failure.retry, failure.redrive
        waits = {
            "retry": ("base_seconds", retry.base_seconds, "max_seconds", retry.max_seconds),
            "redrive": (
                *("base_delay_seconds", redrive.base_delay_seconds),
                *("max_delay_seconds", redrive.max_delay_seconds),
            ),
        }
        for part, (first, shortest, last, longest) in waits.items():
            if part in parts and shortest > longest:
                self._report.wrong(
                    (*place, part),
                    f"{first} is {shortest:g} and {last} {longest:g}: the longest wait is shorter than the first",
                )

    def _timeouts(self, workflow: Workflow) -> None:
        for name, route in workflow.routes.items():
            destination = workflow.destinations.get(route.destination)
            call = _longest_call(destination)
            if call is not None and sum(call) >= route.timeout_seconds:
                more = f" by {call[1] + 1} more" if call[1] else ""
                self._report.wrong(
                    ("routes", name, "timeout_seconds"),
                    f"is {route.timeout_seconds}, but the call to {route.destination} may take {call[0]:g} seconds: "
                    f"the function must outlive it{more}",
                )

    def _note(self, error: ContentError, place: Callable[[Path, str], tuple[Path, str]], path: Path) -> None:
        # The model may have found the same mistake, in other words.
        positions = {problem.position for problem in self._report.diagnostics.problems}
        for problem in error.problems:
            inner, message = place(path, problem)
            if self._document.position(inner) not in positions:
                self._report.wrong(inner, message)


def _longest_call(destination: Destination | None) -> tuple[float, int] | None:
    """The longest delivery and the least margin beyond it, in seconds; `None` where the function does not wait."""
    if isinstance(destination, HttpDestination):
        return destination.timeout_seconds, 0
    if isinstance(destination, LambdaDestination) and destination.invocation == "request-response":
        return destination.timeout_seconds, FUNCTION_MARGIN_SECONDS - 1
    return None


def _whole(path: Path, problem: str) -> tuple[Path, str]:
    return path, problem


def _deep_merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _deep_merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged
