"""The Lambda package: one zip, the same wherever it is built, and complete."""

from __future__ import annotations

import _imp
import json
import marshal
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource

from lambda_src import build, bytecode
from media_events_kit.kit_files import version

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambda_src" / "dist" / "media_events.zip"
BILL = PACKAGE.with_suffix(".cdx.json")
SCHEMAS = ROOT / "tests" / "data" / "cyclonedx"
"""CycloneDX's schemas (https://github.com/CycloneDX/specification, Apache-2.0), without their prose."""


def build_in(folder: Path) -> bytes:
    """Build from a copy of the sources in `folder`, compiling with the interpreter at hand."""
    sources = folder / "lambda_src"
    shutil.copytree(ROOT / "lambda_src", sources, ignore=shutil.ignore_patterns("dist", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    subprocess.run([sys.executable, sources / "build.py", "--python", sys.executable], check=True, capture_output=True)
    return b"".join((sources / "dist" / name).read_bytes() for name in (PACKAGE.name, BILL.name))


@pytest.mark.slow
def test_two_builds_in_different_folders_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "somewhere" / "else"

    assert build_in(first) == build_in(second)


def test_the_bill_of_materials_has_the_projects_version_which_modules_put_on_their_functions() -> None:
    assert json.loads(BILL.read_text())["metadata"]["component"]["version"] == version()


def test_entries_are_sorted_and_carry_no_time_or_private_mode() -> None:
    with zipfile.ZipFile(PACKAGE) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def bytecode_of(source: str) -> str:
    folder, _, stem = source.removesuffix(".py").rpartition("/")
    return f"{folder}/__pycache__/{stem}.cpython-313.pyc".lstrip("/")


def test_the_zip_does_not_grow_unseen() -> None:
    # Two fifths are source, three fifths bytecode: docs/explanation/performance.md. Raise it with a reason.
    assert build.DEFAULT_OUTPUT.stat().st_size <= 1_300_000


@pytest.mark.attack("P1")
def test_p1_every_module_has_bytecode_of_the_runtime_that_python_holds_against_its_source() -> None:
    with zipfile.ZipFile(PACKAGE) as archive:
        names = set(archive.namelist())
        sources = [name for name in names if name.endswith(".py")]
        assert names == {
            *sources,
            *map(bytecode_of, sources),
            *(name for name in names if "." + name.rpartition(".")[2] in DATA),
        }
        for source in sources:
            bytecode = archive.read(bytecode_of(source))
            # https://peps.python.org/pep-0552/: checked, by a hash whose key is the magic number.
            assert int.from_bytes(bytecode[4:8], "little") == 0b11, source
            key = int.from_bytes(bytecode[:4], "little")
            assert bytecode[8:16] == _imp.source_hash(key, archive.read(source)), source


def test_bytecode_has_no_docstrings_but_the_assertions_and_lines_of_its_source() -> None:
    source = b'"""About."""\n\nfrom __future__ import annotations\n\n\ndef f(x):\n    """It."""\n    assert x\n'
    written = bytecode.compiled(source, "/var/task/m.py")
    space: dict[str, Any] = {}
    exec(marshal.loads(written[16:]), space)

    assert b"About" not in written
    assert space["f"].__doc__ is None
    with pytest.raises(AssertionError) as raised:
        space["f"](0)
    assert raised.traceback[-1].frame.code.raw.co_filename == "/var/task/m.py"
    assert raised.traceback[-1].lineno == 7


def test_bytecode_of_the_package_has_lines_and_no_columns() -> None:
    script = (
        "import marshal, sys; places = list(marshal.loads(sys.stdin.buffer.read()).co_positions());"
        "print(max(place[0] or 0 for place in places) > 1, {place[2:] for place in places})"
    )
    compiler = build.find_compiler()
    assert compiler is not None
    with zipfile.ZipFile(build.DEFAULT_OUTPUT) as archive:
        written = archive.read("media_events/handlers/__pycache__/webhook.cpython-313.pyc")[16:]

    told = subprocess.run([compiler, "-c", script], input=written, capture_output=True, check=True)

    assert told.stdout.strip() == b"True {(None, None)}"


DATA = build.SHIPPED_SUFFIXES - {".py"}


def with_entry(package: Path, changed: str, content: bytes) -> None:
    """Replace one entry of ``package``."""
    with zipfile.ZipFile(package) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(package, "w") as archive:
        for name, data in {**entries, changed: content}.items():
            archive.writestr(name, data)


@pytest.fixture(name="copy")
def _copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, of which every build gives the committed bytes."""
    for file in (PACKAGE, BILL):
        shutil.copyfile(file, tmp_path / file.name)

    def as_committed(output: Path, _compiler: Path) -> None:
        for file in (PACKAGE, BILL):
            shutil.copyfile(file, output.with_name(file.name))

    monkeypatch.setattr(build, "build", as_committed)
    return tmp_path / PACKAGE.name


def run_check(package: Path) -> int:
    return build.main(["--check", "--output", str(package), "--python", sys.executable])


@pytest.mark.attack("P1")
@pytest.mark.parametrize(
    "name",
    ["media_events/handlers/webhook.py", "media_events/handlers/__pycache__/webhook.cpython-313.pyc", "jwt/evil.py"],
)
def test_p1_an_entry_that_no_build_makes_is_named(copy: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_check(copy) == 0
    with zipfile.ZipFile(copy) as archive:
        content = archive.read(name) if name in archive.namelist() else b""
    # A forged file may keep PEP 552's header, and so pass for compiled from the source.
    with_entry(copy, name, content[:16] + b"# evil" + content[16:])

    assert run_check(copy) == 1
    assert name in capsys.readouterr().err


@pytest.mark.attack("P1")
def test_p1_without_the_runtime_s_own_python_nothing_is_green(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "find_compiler", lambda: None)

    assert build.main(["--check", "--output", str(copy)]) == 2


def problems_of(bill: dict[str, Any]) -> list[str]:
    read = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in SCHEMAS.iterdir()}
    registry: Registry[Any] = Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}", Resource.from_contents(schema)) for name, schema in read.items()
    )
    validator = Draft7Validator(read["bom-1.6.SNAPSHOT.schema.json"], registry=registry, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(bill)]


@pytest.mark.attack("P2")
def test_p2_the_bill_of_materials_is_valid_and_names_every_dependency_with_its_digest() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    lock = (ROOT / "lambda_src" / "requirements.lock").read_text(encoding="utf-8")

    assert problems_of(bill) == []
    assert {f"{one['name']}=={one['version']}" for one in bill["components"]} == set(
        re.findall(r"^[\w.-]+==[\w.]+", lock, re.MULTILINE)
    )
    for one in bill["components"]:
        (digest,) = one["hashes"]
        assert f"sha256:{digest['content']}" in lock


def test_a_bill_of_materials_that_is_wrong_is_noticed() -> None:
    bill = json.loads(BILL.read_text(encoding="utf-8"))
    bill["components"][0]["licenses"] = [{"license": {"id": "free"}}]

    assert problems_of(bill)


@pytest.mark.attack("P2")
def test_p2_a_bill_of_materials_that_no_build_makes_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bill = copy.with_suffix(".cdx.json")
    bill.write_text(bill.read_text(encoding="utf-8").replace("ecdsa", "ecdsb"), encoding="utf-8")

    assert run_check(copy) == 1
    assert bill.name in capsys.readouterr().err


@pytest.mark.attack("P3")
@pytest.mark.parametrize(
    "lock", ["lambda_src/requirements.lock", *map(str, sorted((ROOT / "requirements").glob("*.lock")))]
)
def test_p3_every_dependency_is_locked_with_digests_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip())

    assert requirements
    for one in requirements:
        assert re.match(r"[A-Za-z0-9._\[\],-]+==[\w.+!]+ ", one), one[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", one), one[:80]
    assert "://" not in text


@pytest.mark.attack("P3")
def test_p3_every_package_of_node_has_a_digest() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    without = [name for name, one in packages.items() if name and "integrity" not in one and not one.get("inBundle")]

    assert without == []


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
