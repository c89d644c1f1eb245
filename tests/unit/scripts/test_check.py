"""`make check`: which tests, types and lint a change asks for."""

from __future__ import annotations

import subprocess

import pytest

from scripts import check
from scripts.check import TESTED_TOO, Imports, changed, commands, related_tests

FILES = {
    "lambda_src/media_events/core/envelope.py": "",
    "lambda_src/media_events/core/__init__.py": "",
    "lambda_src/media_events/events/publisher.py": "from media_events.core.envelope import Envelope\n",
    "media_events_kit/infra/model/workflow.py": "import json\n",
    "media_events_kit/ops/review/service.py": "def later():\n    from media_events.events import publisher\n",
    "tests/conftest.py": "",
    "tests/fakes/events.py": "from media_events.core import (\n    clock,  # the time\n    envelope,\n)\n",
    "tests/unit/media_events/core/conftest.py": "",
    "tests/unit/media_events/core/test_envelope.py": "from media_events.core.envelope import Envelope\n",
    "tests/unit/media_events/core/test_envelope_times.py": "",
    "tests/unit/media_events/core/test_failures.py": "import media_events.core.envelope as envelope\n",
    "tests/unit/media_events/events/test_publisher.py": "",
    "tests/unit/media_events/recovery/test_redriver.py": "from tests.fakes.events import event\n",
    "tests/unit/infra/model/test_workflow.py": "",
    "tests/unit/ops/review/test_service.py": "",
    "tests/system/test_ingress.py": "from media_events.core.envelope import Envelope\n",
}


@pytest.fixture(name="imports")
def _imports():
    return Imports(FILES)


def test_the_related_tests_a_module_are_its_own_then_its_importers_then_theirs(imports):
    assert related_tests(["lambda_src/media_events/core/envelope.py"], imports) == [
        "tests/unit/media_events/core/test_envelope.py",
        "tests/unit/media_events/core/test_envelope_times.py",
        "tests/unit/media_events/core/test_failures.py",
        "tests/unit/media_events/recovery/test_redriver.py",
        "tests/unit/media_events/events/test_publisher.py",
    ]


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("media_events_kit/infra/model/workflow.py", ["test_workflow"]),
        ("media_events_kit/ops/review/service.py", ["test_service"]),
        ("media_events_kit/ops/review/templates/page.html", ["test_service"]),
        ("lambda_src/media_events/events/publisher.py", ["test_publisher", "test_service"]),
        (
            "lambda_src/media_events/core/__init__.py",
            ["test_envelope", "test_envelope_times", "test_failures", "test_redriver"],
        ),
        ("tests/unit/media_events/core/conftest.py", ["test_envelope", "test_envelope_times", "test_failures"]),
        ("tests/unit/infra/model/test_workflow.py", ["test_workflow"]),
        ("tests/fakes/events.py", ["test_redriver"]),
        ("tests/system/test_ingress.py", []),
        ("media_events_kit/infra/model/removed.py", []),
        ("workflow.yaml", []),
        ("docs/reference/envelope.md", []),
    ],
)
def test_each_kind_of_file_has_its_tests(imports, file, tests):
    assert [test.split("/")[-1].removesuffix(".py") for test in related_tests([file], imports)] == tests


def test_a_module_that_everything_imports_has_no_more_than_a_few_further_test_files():
    many = {f"tests/unit/media_events/x/test_{n:02}.py": "from media_events.core import envelope\n" for n in range(50)}

    found = related_tests(["lambda_src/media_events/core/envelope.py"], Imports(FILES | many))

    assert found[:2] == [
        "tests/unit/media_events/core/test_envelope.py",
        "tests/unit/media_events/core/test_envelope_times.py",
    ]
    assert len(found) == 2 + TESTED_TOO


def test_a_changed_module_is_linted_typed_and_tested(imports):
    found = commands(["media_events_kit/infra/model/workflow.py"], imports)

    assert [*found] == ["ruff", "ruff format", "mypy", "tests"]
    assert all("media_events_kit/infra/model/workflow.py" in found[name] for name in ("ruff", "ruff format", "mypy"))
    assert found["tests"][-3:] == ["-m", check.QUICK, "tests/unit/infra/model/test_workflow.py"]


def test_a_test_is_not_typed_and_a_removed_module_neither_typed_nor_linted(imports):
    assert [*commands(["tests/fakes/events.py"], imports)] == ["ruff", "ruff format", "tests"]
    assert [*commands(["media_events_kit/ops/review/removed.py"], imports)] == []


@pytest.mark.parametrize("page", ["docs/reference/glossary.md", "docs/removed.md"])
def test_a_page_has_its_links_checked_and_so_have_those_that_link_to_a_removed_one(imports, page):
    assert [*commands([page], imports)] == ["documentation"]


def test_terraform_is_formatted_and_other_files_ask_for_nothing(imports, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    for name in ("main.tf", "plan.tftest.hcl", "notes.txt"):
        (tmp_path / name).touch()

    assert commands(["main.tf", "plan.tftest.hcl", "notes.txt"], imports) == {
        "terraform fmt": ["terraform", "fmt", "-check", "-diff", "main.tf", "plan.tftest.hcl"]
    }


@pytest.fixture(name="repository")
def _repository(tmp_path, monkeypatch):
    def git(*arguments):
        settings = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True)

    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # a hook of the outer repository sets them
        monkeypatch.delenv(name, raising=False)
    git("init", "--initial-branch", "main")
    for name in ("kept.py", "edited.py", "removed.py"):
        (tmp_path / name).write_text("1\n")
    git("add", ".")
    git("commit", "--message", "first")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return tmp_path, git


def test_all_that_a_branch_and_the_work_tree_changed_is_checked(repository):
    root, git = repository
    git("switch", "--create", "branch")
    (root / "edited.py").write_text("2\n")
    git("commit", "--all", "--message", "second")
    (root / "removed.py").unlink()
    (root / "new.py").touch()
    git("switch", "main")
    (root / "later.py").touch()
    git("add", "later.py")
    git("commit", "--message", "on main, after the branch left")
    git("switch", "branch")

    assert changed(None) == ["edited.py", "new.py", "removed.py"]
    assert changed("HEAD") == ["new.py", "removed.py"]


def test_without_a_main_branch_the_last_commit_is_compared_with(repository):
    root, git = repository
    git("branch", "--move", "other")
    (root / "edited.py").write_text("2\n")

    assert changed(None) == ["edited.py"]


@pytest.mark.usefixtures("repository")
def test_a_base_that_is_no_commit_is_told(capsys):
    assert check.main(["no-such-commit"]) == 2
    assert "no-such-commit is no commit" in capsys.readouterr().err
