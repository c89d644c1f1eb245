"""The driver of mutmut: which mutants it takes, and how it reads their outcomes."""

from __future__ import annotations

import json

import pytest

from scripts import mutation
from scripts.mutation import Mutant, choose

MUTANTS = [Mutant(f"media_events.{package}.m.x_f__mutmut_{n}") for package in mutation.PACKAGES for n in range(50)]


def test_a_sample_is_the_same_for_one_seed_and_another_for_the_next():
    first = choose(MUTANTS, None, 20, 1)

    assert len(set(first)) == 20
    assert choose(list(reversed(MUTANTS)), None, 20, 1) == first
    assert choose(MUTANTS, None, 20, 2) != first


def test_a_package_alone_is_taken_whole_where_no_sample_is_asked_for():
    chosen = choose(MUTANTS, ["recovery"], None, 1)

    assert len(chosen) == 50
    assert all(name.startswith("media_events.recovery.") for name in chosen)


@pytest.mark.parametrize(
    ("code", "status"),
    [(0, "survived"), (1, "killed"), (33, "untested"), (-24, "timeout"), (2, "suspicious"), (None, "unchecked")],
)
def test_an_exit_code_of_the_tests_is_a_mutant_s_outcome(code, status):
    assert Mutant("media_events.core.m.x_f__mutmut_1", code).status == status


def test_the_copy_has_the_layout_that_mutmut_can_name(tmp_path, monkeypatch):
    monkeypatch.setattr(mutation, "STAGE", tmp_path / "mutation")

    mutation.stage()

    assert (tmp_path / "mutation/src/media_events/core/clock.py").is_file()
    assert 'pythonpath = ["src", "."]' in (tmp_path / "mutation/pyproject.toml").read_text()
    assert (tmp_path / "mutation" / mutation.TESTS).is_dir()


def test_outcomes_are_read_from_mutmut_s_own_files(tmp_path, monkeypatch):
    monkeypatch.setattr(mutation, "STAGE", tmp_path)
    meta = tmp_path / "mutants/src/media_events/core/clock.py.meta"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"exit_code_by_key": {"media_events.core.clock.x_epoch__mutmut_1": 1}}))

    assert mutation._mutants() == [Mutant("media_events.core.clock.x_epoch__mutmut_1", 1)]
