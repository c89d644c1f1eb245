"""Build the one zip that every Lambda function runs: ``lambda_src/dist/media_events.zip``.

The same sources give the same bytes, wherever and whenever they are built: entries are sorted, times and modes
fixed, and bytecode is compiled for the runtime's minor version and path (``bytecode.py``). Without it every cold start
would compile everything again. Python runs none that was compiled from another source.

Beside it is its bill of materials, ``media_events.cdx.json``, in CycloneDX 1.6.

    python lambda_src/build.py            build and replace them
    python lambda_src/build.py --check    rebuild beside them and compare contents; exit status 1 where they differ,
                                          2 where they can't be compared
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import uuid
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parent
DEFAULT_OUTPUT: Final = SOURCES / "dist" / "media_events.zip"
RUNTIME: Final = (3, 13)
TASK_ROOT: Final = "/var/task"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)

UNUSED: Final = ("bin",)
"""Parts of the dependencies that no handler imports. A test imports every handler from the zip alone."""

SPDX: Final = frozenset({"Apache-2.0", "MIT", "PSF-2.0"})
"""Licences of dependencies that are named as SPDX names them (https://spdx.org/licenses/)."""

SHIPPED_SUFFIXES: Final = frozenset({".py", ".toml", ".json", ".typed"})


class BuildError(Exception):
    """The package can't be built here; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Build the Lambda package.", epilog="example: python lambda_src/build.py --check"
    )
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="the zip to write or to check")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where something is out of date")
    parser.add_argument("--python", type=Path, help=f"a Python {_dotted(RUNTIME)} to compile bytecode with")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return check(options.output, options.python or _required_compiler())
        build(options.output, options.python or _required_compiler())
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 2
    data = options.output.read_bytes()
    print(f"{options.output}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return 0


def build(output: Path, compiler: Path) -> None:
    """Write the zip to ``output``, with bytecode made by ``compiler``, and its bill of materials beside it.

    Raises:
        BuildError: a dependency can't be installed, is not pure Python, or a source does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="media-events-build-") as folder:
        tree = Path(folder) / "tree"
        dependencies = _install_dependencies(tree)
        _prune(tree)
        _copy_sources(tree)
        _compile(tree, compiler)
        output.parent.mkdir(parents=True, exist_ok=True)
        unfinished = output.with_suffix(".unfinished")
        _write_zip(tree, unfinished)
        unfinished.replace(output)
    bill_of(output).write_text(bill_of_materials(output.name, dependencies), encoding="utf-8")


def bill_of(package: Path) -> Path:
    """The file beside ``package`` that says what is in it."""
    return package.with_suffix(".cdx.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An installed wheel: its digest (SHA-256), and the names that it requires. ``direct``: we ask for it ourselves."""

    name: str
    version: str
    licence: str
    digest: str
    requires: tuple[str, ...]
    direct: bool

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def project_version() -> str:
    """The version of everything in this repository."""
    with (SOURCES.parent / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def bill_of_materials(package: str, dependencies: list[Dependency]) -> str:
    """What ``package`` consists of beside our code, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/).

    It changes with the dependencies and the version alone, and depends on no time or machine. The modules read the
    version from it, for a tag of their functions.
    """
    purls = {one.name: one.purl for one in dependencies}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ' '.join([project_version(), *purls.values()]))}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "application",
                "bom-ref": package,
                "name": package,
                "version": project_version(),
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": one.purl,
                "name": one.name,
                "version": one.version,
                "purl": one.purl,
                "hashes": [{"alg": "SHA-256", "content": one.digest}],
                "licenses": [{"license": {"id" if one.licence in SPDX else "name": one.licence}}],
            }
            for one in dependencies
        ],
        "dependencies": [
            {"ref": package, "dependsOn": [one.purl for one in dependencies if one.direct]},
            *(
                {"ref": one.purl, "dependsOn": sorted(purls[name] for name in one.requires if name in purls)}
                for one in dependencies
            ),
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _canonical(requirement: str) -> str:
    """The project's name in a requirement, as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


def find_compiler() -> Path | None:
    """A Python of the runtime's minor version, or ``None``."""
    name = f"python{_dotted(RUNTIME)}"
    candidates = [Path(sys.executable)]
    candidates += [Path(folder) / name for folder in os.get_exec_path()]
    candidates += sorted(Path.home().glob(f".pyenv/versions/{_dotted(RUNTIME)}*/bin/{name}"))
    for candidate in candidates:
        if candidate.exists() and _version(candidate) == RUNTIME:
            return candidate
    return None


def _required_compiler() -> Path:
    compiler = find_compiler()
    if compiler is None:
        raise BuildError(
            f"Python {_dotted(RUNTIME)}, the functions' runtime, is needed to compile bytecode and was not found: "
            f"install it, or name one with --python."
        )
    return compiler


def manifest(package: Path) -> dict[str, str]:
    """Each entry's name and the SHA-256 of its content."""
    with zipfile.ZipFile(package) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in sorted(archive.namelist())}


def check(package: Path, compiler: Path) -> int:
    """Rebuild beside ``package`` and compare every entry, bytecode included, and the bill of materials."""
    if not package.exists():
        raise BuildError(f"{package} does not exist. Run `make package`.")
    with tempfile.TemporaryDirectory(prefix="media-events-check-") as folder:
        rebuilt = Path(folder) / "media_events.zip"
        build(rebuilt, compiler)
        expected, found = manifest(rebuilt), manifest(package)
        for where, archive in ((expected, rebuilt), (found, package)):
            bill = bill_of(archive)
            where[bill.name] = bill.read_text(encoding="utf-8") if bill.exists() else ""
    differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if not differing:
        print(f"{package.name} is up to date ({len(found)} entries)")
        return 0
    print(f"{package} is out of date. Run `make package` and commit it. Differing entries:", file=sys.stderr)
    for name in differing[:20]:
        print(f"  {name}", file=sys.stderr)
    return 1


def _install_dependencies(tree: Path) -> list[Dependency]:
    """Install the pinned dependencies, and say what they are, by name."""
    report = tree.with_suffix(".json")
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(tree), "--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--python-version", _dotted(RUNTIME), "--implementation", "cp", "--platform", "manylinux2014_aarch64"),
        *("--requirement", str(SOURCES / "requirements.lock"), "--report", str(report)),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise BuildError(f"pip could not install the pinned dependencies:\n{finished.stderr.strip()}")
    native = [path.relative_to(tree) for path in tree.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]
    if native:
        raise BuildError(f"the package must be pure Python to serve every architecture, but has {native[0]}")
    # https://pip.pypa.io/en/stable/reference/installation-report/
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    digests = {
        _canonical(one["metadata"]["name"]): one["download_info"]["archive_info"]["hashes"]["sha256"]
        for one in installed
    }
    wanted = (SOURCES / "requirements.in").read_text(encoding="utf-8").splitlines()
    direct = {_canonical(line) for line in wanted if line and not line.startswith("#")}
    metadata = [message_from_bytes(file.read_bytes()) for file in tree.glob("*.dist-info/METADATA")]
    return sorted(
        (
            Dependency(
                name=(name := _canonical(one["Name"])),
                version=one["Version"],
                licence=(one["License-Expression"] or one["License"] or "unknown").splitlines()[0],
                digest=digests[name],
                requires=tuple(_canonical(text) for text in one.get_all("Requires-Dist", ()) if "extra ==" not in text),
                direct=name in direct,
            )
            for one in metadata
        ),
        key=lambda one: one.name,
    )


def _prune(tree: Path) -> None:
    for name in UNUSED:
        part = tree / name
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_dir():
            if path.suffix == ".dist-info" or path.name in {"__pycache__", "tests"}:
                shutil.rmtree(path)
        elif path.suffix not in SHIPPED_SUFFIXES or path.name.startswith("test_"):
            path.unlink()


def _copy_sources(tree: Path) -> None:
    for source in sorted((SOURCES / "media_events").rglob("*")):
        if source.is_file() and source.suffix in SHIPPED_SUFFIXES and "__pycache__" not in source.parts:
            target = tree / source.relative_to(SOURCES)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _compile(tree: Path, compiler: Path) -> None:
    # One process and one order keep interned constants, and so the bytes, the same.
    # Tracebacks keep their lines, and lose the marks under parts of them, which are a quarter of all bytecode.
    options = ["-I", "-X", "no_debug_ranges"]
    command = [str(compiler), *options, str(SOURCES / "bytecode.py"), str(tree), TASK_ROOT]
    environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if finished.returncode != 0:
        raise BuildError(f"a source does not compile:\n{finished.stdout}{finished.stderr}".strip())


def _write_zip(tree: Path, output: Path) -> None:
    files = sorted((path.relative_to(tree).as_posix(), path) for path in tree.rglob("*") if path.is_file())
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _version(python: Path) -> tuple[int, int] | None:
    command = [str(python), "-I", "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (int(answer[0]), int(answer[1])) if len(answer) == 2 else None  # noqa: PLR2004 - major and minor


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main())
