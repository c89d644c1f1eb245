"""Where Terraform takes the modules from."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.stacks.module_sources import module_source
from media_events_kit.kit_files import KIT
from tests.fakes.workflows import load_small

FIRST = "name: media\n"


def small(modules):
    return load_small({FIRST: f"{FIRST}modules: {modules}\n"})


def test_without_a_source_they_are_the_kits_own_copy_by_a_path_without_this_machines_folders():
    source = module_source("router", None, KIT / "cdktf.out" / "stacks" / "media-dev")

    assert source == "../../../modules/router"
    assert "settings.tags" in (KIT / "modules" / "router" / "main.tf").read_text(encoding="utf-8")


def test_the_copy_of_an_installation_beside_the_project_is_reached_by_a_relative_path_too():
    assert module_source("router", None, Path("/somewhere/else")).startswith("../")


@pytest.mark.parametrize(
    ("modules", "source"),
    [
        (
            "{source: 'git::https://example.com/media-events.git', ref: v0.1.0}",
            "git::https://example.com/media-events.git//modules/router?ref=v0.1.0",
        ),
        (
            "{source: 's3::https://b.s3.amazonaws.com/kit.zip'}",
            "s3::https://b.s3.amazonaws.com/kit.zip//modules/router",
        ),
    ],
)
def test_a_package_is_named_with_the_module_in_it_and_its_ref(modules, source):
    (environment, *_) = small(modules).environments

    assert module_source("router", environment.workflow.modules, Path("/out")) == source


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ("{source: 'git::https://example.com/media-events.git'}", "name a tag or a commit as ref"),
        ("{source: /srv/media-events}", "a repository as Terraform addresses it"),
        ("{source: 'git::https://example.com/kit.git?ref=v1', ref: v2}", "a repository as Terraform addresses it"),
        ("{source: 'git::https://example.com/kit.git', ref: 'v1&depth=1'}", "a tag or a commit"),
    ],
)
def test_a_source_that_would_change_or_break_is_refused(modules, reason):
    with pytest.raises(WorkflowError, match=reason):
        small(modules)
