"""The Lambda package: one zip, the same wherever it is built, and complete."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambda_src" / "dist" / "media_events.zip"


def build_in(folder: Path) -> bytes:
    """Build from a copy of the sources in `folder`, compiling with the interpreter at hand."""
    sources = folder / "lambda_src"
    shutil.copytree(ROOT / "lambda_src", sources, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    subprocess.run([sys.executable, sources / "build.py", "--python", sys.executable], check=True, capture_output=True)
    return (sources / "dist" / "media_events.zip").read_bytes()


@pytest.mark.slow
def test_two_builds_in_different_folders_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "somewhere" / "else"

    assert build_in(first) == build_in(second)


def test_entries_are_sorted_and_carry_no_time_or_private_mode() -> None:
    with zipfile.ZipFile(PACKAGE) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_every_module_has_bytecode_of_the_runtime_that_is_never_checked_against_a_time() -> None:
    with zipfile.ZipFile(PACKAGE) as archive:
        names = set(archive.namelist())
        sources = [name for name in names if name.endswith(".py")]
        for source in sources:
            folder, _, stem = source.removesuffix(".py").rpartition("/")
            bytecode = f"{folder}/__pycache__/{stem}.cpython-313.pyc".lstrip("/")
            assert bytecode in names
            assert int.from_bytes(archive.read(bytecode)[4:8], "little") == 0b01, bytecode


@pytest.mark.parametrize("handler", ["webhook", "transform", "deliver", "redrive"])
def test_a_handler_needs_nothing_but_the_zip_and_the_runtimes_boto3(handler: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(PACKAGE) as archive:
        archive.extractall(tmp_path)
    # Isolated, so that the environment's own copies of the dependencies can't stand in for the zip's.
    program = (
        "import importlib, sys\n"
        "sys.path = [entry for entry in sys.path if 'site-packages' not in entry]\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"module = importlib.import_module('media_events.handlers.{handler}')\n"
        "assert callable(module.handler)\n"
        "assert not [name for name in sys.modules if name == 'pydantic']\n"
    )
    runtime = {
        "PYTHONPATH": str(boto3_only(tmp_path.parent / "boto3-only")),
        "AWS_DEFAULT_REGION": "eu-west-1",
    }

    finished = subprocess.run([sys.executable, "-c", program], env=runtime, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr


def boto3_only(folder: Path) -> Path:
    """A folder that holds what the Lambda runtime brings, and nothing else."""
    folder.mkdir(exist_ok=True)
    for name in ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six"):
        module = __import__(name)
        source = Path(module.__file__ or "")
        source = source.parent if source.name == "__init__.py" else source
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source)
    return folder
