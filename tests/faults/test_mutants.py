"""Every mutant of ``make chaos-mutants`` fits the code, and what notices it is there."""

from __future__ import annotations

import ast
import importlib
import sys

import pytest

from tests.faults.mutants import __main__ as runner
from tests.faults.mutants.catalogue import MUTANTS
from tests.faults.mutants.mutant import PACKAGE, ROOT, BrokenImports, Edit, Mutant, OutdatedError, Seen, mutated
from tests.faults.mutants.schedules import SCHEDULES

BY_MODEL = [mutant for mutant in MUTANTS if mutant.test is None]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_applies(mutant):
    files = mutated(mutant)

    assert files
    for path, text in files.items():
        assert text != (ROOT / path).read_text(encoding="utf-8")


def test_most_are_noticed_by_the_model_alone():
    assert len(MUTANTS) >= 60
    assert len(BY_MODEL) >= 45
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_each_names_a_run_of_the_model_or_a_unit_test_that_exists():
    for mutant in MUTANTS:
        if mutant.test is None:
            assert mutant.seen is not None, mutant.name
            assert mutant.seen.schedule in SCHEDULES, mutant.name
            continue
        path, _, names = mutant.test.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        for name in filter(None, names.split("::")):
            assert name.partition("[")[0] in defined, mutant.test


def broken(old: str, new: str, **parts: object) -> Mutant:
    return Mutant(name="any", harm="", edits=(Edit(f"{PACKAGE}/core/waves.py", old, new),), **parts)


def test_a_text_that_is_gone_or_there_twice_is_refused():
    with pytest.raises(OutdatedError, match=r"core/waves\.py has the text 0 times, not once"):
        mutated(broken("no such text", ""))
    with pytest.raises(OutdatedError, match=r"has the text [0-9]+ times, not once"):
        mutated(broken("\n", ""))
    with pytest.raises(OutdatedError, match="there is no"):
        mutated(Mutant(name="any", harm="", edits=(Edit("no/such.py", "a", "b"),)))


def test_what_is_no_longer_python_is_refused():
    with pytest.raises(OutdatedError, match="is no longer Python"):
        mutated(broken("from __future__ import annotations\n", "from import\n"))


def test_broken_code_is_imported_in_place_of_the_real_one(monkeypatch):
    files = mutated(broken("from __future__ import annotations\n", "from __future__ import annotations\nBROKEN = 1\n"))
    imports = BrokenImports(files)
    monkeypatch.setattr(sys, "meta_path", [imports, *sys.meta_path])
    monkeypatch.delitem(sys.modules, "media_events.core.waves")

    module = importlib.import_module("media_events.core.waves")

    assert (module.BROKEN, imports.imported) == (1, {"media_events.core.waves"})


def results(monkeypatch, capsys, *mutants: Mutant) -> tuple[int, str]:
    monkeypatch.setattr(runner, "MUTANTS", mutants)
    status = runner.main(["--processes", "1"])
    return status, capsys.readouterr().out


@pytest.mark.slow
def test_a_mutant_that_survives_fails_the_command(monkeypatch, capsys):
    harmless = broken("from __future__ import annotations\n", "from __future__ import annotations\nHARMLESS = 1\n")
    survivor = Mutant(
        name="harmless", harm="none", edits=harmless.edits, test="tests/unit/media_events/core/test_waves.py"
    )

    lost = next(mutant for mutant in MUTANTS if mutant.name == "record a failed effect as done")

    status, output = results(monkeypatch, capsys, survivor, lost)

    assert status == 1
    assert "SURVIVED: harmless" in output
    assert "1 of 2 mutants noticed, 1 of them by the model alone" in output


@pytest.mark.slow
def test_a_mutant_that_no_longer_applies_fails_the_command(monkeypatch, capsys):
    outdated = Mutant(
        name="old", harm="none", edits=(Edit(f"{PACKAGE}/core/waves.py", "gone", ""),), seen=Seen("small")
    )

    status, output = results(monkeypatch, capsys, outdated)

    assert status == 2
    assert "outdated: old" in output
