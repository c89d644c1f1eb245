"""Checks the documents that the modules take as JSON text, with the parsers of the functions that will read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from media_events_kit.event_patterns import json_documents
from media_events_kit.infra.documents.specification_files import SpecificationFileError, load
from media_events_kit.infra.validation.embedded_documents import ContentError, check_steps, load_specification
from media_events_kit.ops.changes.plan_document import NoPlanError, Plan

_CONFIGURATION: Final = ("aws_s3_object", "configuration")
"""A function's configuration, in ``modules/internal/lambda-function``."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One document: where it is, what is wrong in it, what is weak, and whether it could be read at all."""

    place: str
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    known: bool = True


def check_file(path: Path) -> list[Checked]:
    """Check a plan (the output of ``terraform show -json``), a list of steps, or a specification, by what it holds."""
    if path.suffix.lower() == ".toml":
        return [_specification_file(path)]
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = json_documents.parse(text) if path.suffix.lower() == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return [Checked(str(path), (f"can't be read: {getattr(error, 'strerror', None) or error}",))]
    if isinstance(document, list):
        return [_checked_steps(str(path), document)]
    if isinstance(document, dict) and "resource_changes" in document:
        return list(_in_plan(str(path), document))
    if isinstance(document, dict) and document.keys() == {"steps"}:
        return [_checked_steps(str(path), document["steps"])]
    return [_specification_file(path)]


def _specification_file(path: Path) -> Checked:
    try:
        return _checked_specification(str(path), load(path))
    except SpecificationFileError as error:
        return Checked(str(path), (str(error),))


def _in_plan(path: str, document: Mapping[str, Any]) -> Iterator[Checked]:
    try:
        plan = Plan.of(document)
    except NoPlanError as error:
        yield Checked(path, (f"is no plan of Terraform: {error}",))
        return
    for change in plan.changes:
        if (change.type, change.name) != _CONFIGURATION or change.after is None:
            continue
        content = change.after.get("content")
        if isinstance(content, str):
            yield from _in_configuration(change.module, json.loads(content))
        else:
            yield Checked(change.module, known=False)


def _in_configuration(module: str, configuration: Mapping[str, Any]) -> Iterator[Checked]:
    for name, partner in configuration.get("partners", {}).items():
        if partner.get("specification") is not None:
            authentication = partner.get("authentication")
            yield _checked_specification(
                f"{module}: partner {name}",
                partner["specification"],
                webhook=authentication is not None,
                authorised=authentication not in (None, "signature"),
            )
    if "steps" in configuration:
        yield _checked_steps(module, configuration["steps"])


def _checked_specification(
    place: str, specification: Mapping[str, Any], *, webhook: bool = False, authorised: bool = False
) -> Checked:
    try:
        _, advice = load_specification(specification, Path(), webhook=webhook, authorised=authorised)
    except ContentError as error:
        return Checked(place, tuple(error.problems))
    return Checked(place, advice=tuple(advice))


def _checked_steps(place: str, steps: Any) -> Checked:
    """Where the modules of ``python`` steps are is the transform's to say, not the steps'."""
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not all(isinstance(each, dict) for each in steps):
        return Checked(place, ("steps must be a list of objects with one key each",))
    try:
        check_steps(list(steps), package=None, layers=True)
    except ContentError as error:
        return Checked(place, tuple(error.problems))
    return Checked(place)
