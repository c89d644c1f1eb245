"""The repository that `media-events init` begins."""

from __future__ import annotations

import json
import re
from importlib import metadata

import pytest
import yaml

from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.kit_files import version
from media_events_kit.ops import cli
from media_events_kit.ops.project import repository
from media_events_kit.ops.project.recipes import ENVIRONMENT, RECIPES, recipe_names
from media_events_kit.ops.project.repository import DESTINATIONS, Repository, requirements


def init(*arguments):
    return cli.run(["init", *map(str, arguments)])


def loaded(folder):
    return load(folder / "workflow.yaml", {})


def test_without_a_word_it_makes_a_workflow_that_loads_with_a_partner_of_its_own(tmp_path, capsys):
    assert init(tmp_path / "media-eu") == 0

    found = loaded(tmp_path / "media-eu")
    assert [(one.name, one.workflow.name) for one in found.environments] == [("dev", "media-eu"), ("local", "media-eu")]
    assert found.environments[0].workflow.partners.keys() == {"example"}
    assert capsys.readouterr().out.splitlines() == [
        str(path) for path in sorted_as_written(tmp_path / "media-eu") if path.is_file()
    ]


def sorted_as_written(folder):
    names = Repository.of(folder, name=None, region="eu-west-1", partners=[], destinations=[]).files()
    return [folder / name for name in names]


@pytest.mark.parametrize("kind", sorted(DESTINATIONS))
def test_a_destination_of_each_type_gets_every_event(tmp_path, kind):
    assert init(tmp_path, "--name", "media", "--partner", "mux", "--partner", "acme", "--destination", kind) == 0

    for environment in loaded(tmp_path).environments:
        assert environment.workflow.destinations[kind].type == kind
        assert {route.destination for route in environment.workflow.routes.values()} == {kind}
        assert environment.workflow.partners.keys() == {"mux", "acme"}
    assert (tmp_path / "partners" / "acme.yaml").is_file()
    assert not (tmp_path / "partners" / "mux.yaml").exists()


@pytest.mark.parametrize("recipe", recipe_names())
def test_a_recipe_is_a_repository_of_its_own_name_and_region_without_a_warning(tmp_path, recipe):
    assert init(tmp_path, "--name", "media", "--recipe", recipe, "--region", "ap-southeast-2") == 0

    found = loaded(tmp_path)
    assert [(one.name, one.workflow.name) for one in found.environments] == [("prod", "media"), ("local", "media")]
    assert found.environments[0].workflow.region == "ap-southeast-2"
    assert found.warnings == ()
    text = (tmp_path / "workflow.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=workflow.schema.json\n")
    assert "eu-west-1" not in text
    assert f"media-events deploy --environment {ENVIRONMENT}" in (tmp_path / "README.md").read_text(encoding="utf-8")
    copied = {path.relative_to(RECIPES / recipe).as_posix() for path in (RECIPES / recipe / "samples").glob("*")}
    assert {name for name in copied if not (tmp_path / name).is_file()} == set()


def test_every_line_of_the_workflow_that_is_a_comment_loads_once_it_is_none(tmp_path):
    init(tmp_path, "--name", "media")
    file = tmp_path / "workflow.yaml"
    text = re.sub(r"(?m)^( *)# (?!yaml-)(?=[ a-z-]+: |[a-z-]+:$| +[a-z-]+:)", r"\1", file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")

    document = yaml.safe_load(text)

    assert {"transforms", "destinations", "routes", "settings", "modules"} <= document.keys()
    assert document.keys() - {"environments"} <= Workflow.model_fields.keys()
    assert [one.name for one in loaded(tmp_path).environments] == ["dev", "prod", "local"]


def test_files_that_exist_stay_but_for_the_schema(tmp_path, capsys):
    init(tmp_path)
    for name in ("workflow.yaml", "workflow.schema.json"):
        (tmp_path / name).write_text("ours", encoding="utf-8")
    capsys.readouterr()

    assert init(tmp_path) == 0

    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "workflow.schema.json")]
    assert (tmp_path / "workflow.yaml").read_text(encoding="utf-8") == "ours"
    assert json.loads((tmp_path / "workflow.schema.json").read_text(encoding="utf-8"))["title"] == "workflow.yaml"


def test_nothing_that_is_to_be_filled_in_is_left(tmp_path):
    init(tmp_path, "--destination", "sqs", "--region", "ap-southeast-2")

    texts = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path, text in texts.items() if re.search(r"@[a-z_]+@", text)]
    assert "aws-region: ap-southeast-2" in texts[tmp_path / ".github/workflows/media-events.yml"]
    assert f"media-events` {version()}" in texts[tmp_path / "README.md"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "Media"),
        ("--partner", "../x"),
        ("--destination", "smtp"),
        ("--region", "europe"),
        ("--recipe", "soup"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused_and_nothing_is_written(tmp_path, capsys, arguments):
    assert init(tmp_path / "new", *arguments) == 2

    assert arguments[1] in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_recipe_with_further_partners_is_refused(tmp_path, capsys):
    assert init(tmp_path / "new", "--recipe", recipe_names()[0], "--partner", "mux") == 2

    assert "of its own" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_requirements_are_the_installed_versions_of_all_that_is_needed(monkeypatch):
    needed = {"media-events": ["typer>=0.15", "nodejs>=22; extra == 'node'"], "typer": ["Rich>=13", "not-here"]}

    def installed(name):
        if name == "not-here":
            raise metadata.PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(repository.metadata, "requires", needed.get)
    monkeypatch.setattr(repository.metadata, "version", installed)

    assert requirements().splitlines()[1:] == [f"media-events=={version()}", "rich==1.2", "typer==1.2"]
