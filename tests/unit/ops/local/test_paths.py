"""The files of a local cloud stay in its own directory, which is its owner's alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, LocalPaths, local_paths
from media_events_kit.ops.shared.console import OperatorError


@pytest.mark.attack("O5")
@pytest.mark.parametrize("name", ["..", "../evil", "/etc", "a/b", "", ".", "a b", "a\0b", "~", "-/-"])
def test_o5_a_name_that_climbs_out_of_its_folder_is_refused(name: str) -> None:
    with pytest.raises(OperatorError):
        local_paths(name)


def test_a_name_is_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    assert local_paths("dev-2").root == tmp_path / "dev-2"


@pytest.mark.attack("L5")
def test_l5_a_directory_that_was_open_becomes_private(tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path)
    paths.root.mkdir(mode=0o755)

    paths.make_private()

    assert paths.root.stat().st_mode & 0o777 == 0o700
