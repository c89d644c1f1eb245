"""A transform's own Python modules: the folder's zip, what can't be one, and functions that aren't there."""

from __future__ import annotations

import io
import os
import zipfile

import pytest

from media_events_kit.infra.documents.python_layers import PackageError, zipped
from tests.fakes.workflows import load, problems

MODULE = "from helper import *\n\ndef tidy(event):\n    return event['data']\n"
WORKFLOW = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
transforms:
  own:
    pattern: {source: [partner.mux]}
    package: ./steps
    steps:
      - python: {function: "acme_steps:tidy"}
environments:
  dev: {region: eu-west-1}
"""
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"


@pytest.fixture(name="folder")
def _folder(tmp_path):
    steps = tmp_path / "steps"
    (steps / "acme" / "__pycache__").mkdir(parents=True)
    (steps / "tests").mkdir()
    (steps / "acme_steps.py").write_text("def tidy(event):\n    return event['data']\n", encoding="utf-8")
    (steps / "acme" / "__init__.py").write_text("tidy = print\n", encoding="utf-8")
    (steps / "acme" / "deep.py").write_text("class Tidy: ...\n", encoding="utf-8")
    (steps / "acme" / "data.json").write_text("{}", encoding="utf-8")
    for hidden in (".env", "acme/__pycache__/x.py", "acme/old.pyc", "tests/test_it.py"):
        (steps / hidden).write_text("", encoding="utf-8")
    return tmp_path


def names(content):
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_package_has_the_modules_where_a_layer_has_them(folder):
    content = zipped(folder / "steps", folder)

    assert names(content) == [
        "python/acme/__init__.py",
        "python/acme/data.json",
        "python/acme/deep.py",
        "python/acme_steps.py",
    ]


def test_same_files_give_the_same_package(folder, tmp_path_factory):
    before = zipped(folder / "steps", folder)
    os.utime(folder / "steps" / "acme_steps.py", (1, 1))
    (folder / "steps" / "acme_steps.py").chmod(0o600)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "steps"
    (folder / "steps").rename(elsewhere)

    assert zipped(elsewhere, folder) == before


def test_link_is_not_followed_out_of_the_folder(folder):
    (folder / "secret.py").write_text("key = 1", encoding="utf-8")
    (folder / "steps" / "linked.py").symlink_to(folder / "secret.py")

    assert "python/linked.py" not in names(zipped(folder / "steps", folder))


def test_package_is_of_the_environment(folder):
    (environment,) = load(WORKFLOW, folder=folder).environments

    assert environment.packages == {"own": zipped(folder / "steps", folder)}


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("./none", "there is no such folder next to the workflow file"),
        ("./steps/acme_steps.py", "there is no such folder next to the workflow file"),
        (".", "the workflow file itself lies in this folder"),
        ("..", "the workflow file itself lies in this folder"),
        ("./steps/tests/none", "there is no such folder"),
        ("./empty", "there is no file in this folder"),
        ('"a\\0b"', "there is no such folder"),
    ],
)
def test_folder_that_is_no_package_is_refused(folder, package, message):
    (folder / "empty").mkdir()

    found = problems(WORKFLOW.replace("./steps", package), folder=folder)

    assert any(line.startswith(f"line 7, transforms.own.package: {message}") for line in found), found


def test_package_that_is_too_large_is_refused(folder, monkeypatch):
    monkeypatch.setattr("media_events_kit.infra.documents.python_layers.MAX_UNZIPPED_BYTES", 10)
    with pytest.raises(PackageError, match="more than 10 bytes"):
        zipped(folder / "steps", folder)
    monkeypatch.undo()
    monkeypatch.setattr("media_events_kit.infra.documents.python_layers.MAX_PACKAGE_BYTES", 10)
    with pytest.raises(PackageError, match="publish a layer"):
        zipped(folder / "steps", folder)


@pytest.mark.parametrize(
    "function", ["acme_steps:tidy", "acme:tidy", "acme.deep:Tidy", "star:anything", "lazy:anything"]
)
def test_function_that_is_there_or_may_be_is_found(folder, function):
    (folder / "steps" / "star.py").write_text(MODULE, encoding="utf-8")
    (folder / "steps" / "lazy.py").write_text("def __getattr__(name): ...\n", encoding="utf-8")

    assert problems(WORKFLOW.replace("acme_steps:tidy", function), folder=folder) == []


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("acme_steps:tidies", "acme_steps.py has no function tidies"),
        ("acme_step:tidy", "there is no module acme_step in steps/"),
        ("acme.shallow:tidy", "there is no module acme.shallow in steps/"),
        ("broken:tidy", "broken.py is not Python, line 1"),
        ("acme_steps", "must be module:function"),
    ],
)
def test_function_that_is_not_there_is_reported(folder, function, message):
    (folder / "steps" / "broken.py").write_text("def tidy(:\n", encoding="utf-8")

    (found,) = problems(WORKFLOW.replace("acme_steps:tidy", function), folder=folder)

    assert found.startswith("line 9, transforms.own.steps[0].python.function: ")
    assert message in found


def test_function_without_package_or_layers_is_reported(folder):
    (found,) = problems(WORKFLOW.replace("    package: ./steps\n", ""), folder=folder)

    assert found.startswith("line 8, transforms.own.steps[0].python.function: it has no place")


@pytest.mark.parametrize("package", ["    package: ./steps\n", ""])
def test_function_may_be_in_a_layer_that_nobody_can_look_into(folder, package):
    text = WORKFLOW.replace("    package: ./steps\n", f"{package}    layers: [{LAYER}]\n")

    assert problems(text.replace("acme_steps:tidy", "other:tidy"), folder=folder) == []


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (f"[{LAYER.rpartition(':')[0]}]", "the ARN of a layer with its version"),
        (f"[{', '.join([LAYER] * 6)}]", "5"),
        (f"[{', '.join([LAYER] * 5)}]", "package is one of them"),
    ],
)
def test_layers_that_no_function_takes_are_refused(folder, layers, message):
    (found,) = problems(WORKFLOW.replace("./steps\n", f"./steps\n    layers: {layers}\n"), folder=folder)

    assert message in found


@pytest.mark.parametrize(
    ("step", "seconds", "needed"),
    [
        ('lookup: {into: a, http: {url: "https://a.example/{data.id}", timeout_seconds: 28}}', 29, "28"),
        ("lookup: {into: a, s3: {bucket: inbox, key: data.key}}", 6, "5"),
        ("call: {function_arn: arn:aws:lambda:eu-west-1:123456789012:function:classify}", 11, "10"),
    ],
)
def test_function_that_a_step_outlives_is_refused(folder, step, seconds, needed):
    text = WORKFLOW.replace('python: {function: "acme_steps:tidy"}', step)

    (found,) = problems(text.replace("    package:", f"    timeout_seconds: {seconds}\n    package:"), folder=folder)

    assert f"may take {needed} seconds" in found
    assert problems(text, folder=folder) == []
