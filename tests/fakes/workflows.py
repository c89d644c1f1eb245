"""Small workflow files for the tests, and the problems found in them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.environment import WorkflowFile
from media_events_kit.infra.loader.workflow_file import load_text

SMALL = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
routes:
  ready:
    pattern: {detail-type: [asset.ready]}
    destination: cms
environments:
  dev: {region: eu-west-1}
"""


def load_small(changes: dict[str, str] | None = None, *, environ: dict[str, str] | None = None) -> WorkflowFile:
    """Load the small workflow; `changes` has replacements for parts of its text."""
    return load(_changed(changes or {}), environ=environ)


def _changed(changes: dict[str, str]) -> str:
    text = SMALL
    for old, new in changes.items():
        assert old in text, f"the small workflow has no {old!r}"
        text = text.replace(old, new)
    return text


def load(text: str, *, environ: dict[str, str] | None = None, folder: Path | None = None) -> WorkflowFile:
    """Load a workflow's text, as if it were in `folder`."""
    return load_text(dedent(text), environ or {}, (folder or Path()) / "workflow.yaml")


def problems(text: str, *, environ: dict[str, str] | None = None, folder: Path | None = None) -> list[str]:
    """The mistakes in a workflow's text, one line each."""
    try:
        load(text, environ=environ, folder=folder)
    except WorkflowError as error:
        return [str(problem) for problem in error.problems]
    return []


def problems_with(changes: dict[str, str], *, environ: dict[str, str] | None = None) -> list[str]:
    """The mistakes in the small workflow after `changes`."""
    return problems(_changed(changes), environ=environ)
