"""Build the one zip that every Lambda function runs: ``lambda_src/dist/media_events.zip``.

The same sources give the same bytes, wherever and whenever they are built: entries are sorted, times and modes
fixed, and bytecode is compiled for the runtime's minor version and path with ``unchecked-hash`` (a time stamp would
be wrong in the zip, and without usable bytecode every cold start compiles everything again).

    python lambda_src/build.py            build and replace the zip
    python lambda_src/build.py --check    rebuild beside it and compare contents; exit status 1 where they differ
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parent
DEFAULT_OUTPUT: Final = SOURCES / "dist" / "media_events.zip"
RUNTIME: Final = (3, 13)
TASK_ROOT: Final = "/var/task"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)

UNUSED: Final = (
    "bin",
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/idempotency",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/metadata",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/serialization.py",
    "aws_lambda_powertools/utilities/streaming",
    "aws_lambda_powertools/utilities/validation",
)
"""Parts of the dependencies that no handler imports. A test imports every handler from the zip alone."""

SHIPPED_SUFFIXES: Final = frozenset({".py", ".toml", ".json", ".typed"})


class BuildError(Exception):
    """The package can't be built here; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Build the Lambda package.", epilog="example: python lambda_src/build.py --check"
    )
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="the zip to write or to check")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the zip is out of date")
    parser.add_argument("--python", type=Path, help=f"a Python {_dotted(RUNTIME)} to compile bytecode with")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check(options.output, options.python or find_compiler())
        build(options.output, options.python or _required_compiler())
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 2
    data = options.output.read_bytes()
    print(f"{options.output}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return 0


def build(output: Path, compiler: Path | None) -> None:
    """Write the zip to ``output``, with bytecode made by ``compiler`` (none where that is ``None``).

    Raises:
        BuildError: a dependency can't be installed, is not pure Python, or a source does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="media-events-build-") as folder:
        tree = Path(folder) / "tree"
        _install_dependencies(tree)
        _prune(tree)
        _copy_sources(tree)
        if compiler is not None:
            _compile(tree, compiler)
        output.parent.mkdir(parents=True, exist_ok=True)
        unfinished = output.with_suffix(".unfinished")
        _write_zip(tree, unfinished)
        unfinished.replace(output)


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


def _check(package: Path, compiler: Path | None) -> int:
    if not package.exists():
        raise BuildError(f"{package} does not exist. Run `make package`.")
    with tempfile.TemporaryDirectory(prefix="media-events-check-") as folder:
        rebuilt = Path(folder) / "media_events.zip"
        build(rebuilt, compiler)
        expected, found = manifest(rebuilt), manifest(package)
    if compiler is None:
        print(f"no Python {_dotted(RUNTIME)} here: bytecode is not compared", file=sys.stderr)
        found = {name: digest for name, digest in found.items() if not name.endswith(".pyc")}
    differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if not differing:
        print(f"{package.name} is up to date ({len(found)} entries)")
        return 0
    print(f"{package} is out of date. Run `make package` and commit it. Differing entries:", file=sys.stderr)
    for name in differing[:20]:
        print(f"  {name}", file=sys.stderr)
    return 1


def _install_dependencies(tree: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(tree), "--no-compile", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--python-version", _dotted(RUNTIME), "--implementation", "cp", "--platform", "manylinux2014_aarch64"),
        *("--requirement", str(SOURCES / "requirements.lock")),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise BuildError(f"pip could not install the pinned dependencies:\n{finished.stderr.strip()}")
    native = [path.relative_to(tree) for path in tree.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}]
    if native:
        raise BuildError(f"the package must be pure Python to serve every architecture, but has {native[0]}")


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
    # Sorting and one worker keep the order of interned constants, and so the bytes, the same.
    command = [
        *(str(compiler), "-I", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(tree), "-p", TASK_ROOT, str(tree)),
    ]
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
