"""Whether the functions' package is what the sources say."""

from __future__ import annotations

import zipfile

import pytest

from media_events_kit.ops.local.lambda_package import is_outdated


@pytest.fixture
def package(tmp_path):
    source = tmp_path / "media_events" / "a.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("media_events/a.py", "a = 1\n")
        archive.writestr("media_events/__pycache__/a.cpython-313.pyc", "bytecode")
        archive.writestr("jmespath/__init__.py", "not ours")
    return package


def test_a_package_of_the_same_sources_is_current(package, tmp_path):
    assert not is_outdated(package, tmp_path)


def test_a_changed_source_is_noticed(package, tmp_path):
    (tmp_path / "media_events" / "a.py").write_text("a = 2\n")
    assert is_outdated(package, tmp_path)


def test_a_source_that_has_gone_is_noticed(package, tmp_path):
    (tmp_path / "media_events" / "a.py").unlink()
    assert is_outdated(package, tmp_path)


def test_a_package_that_is_none_is_outdated(package, tmp_path):
    package.write_text("no zip")
    assert is_outdated(package, tmp_path)
