"""Decide where Terraform takes its providers from, for machines that can't reach the Terraform registry.

As a program it prints the CLI configuration to use, or nothing where Terraform's own defaults do::

    TF_CLI_CONFIG_FILE="$(python -m media_events_kit.ops.shared.terraform_providers)" terraform init

As a module, :func:`terraform_environment` gives the variables to run Terraform with.

A configuration that the user has set is left as it is. ``TF_PLUGIN_MIRROR`` names a mirror to use in any case. Else the
registry is used where it can be reached; where it can't, the directories that Terraform itself searches are looked at,
then folders named ``registry.terraform.io`` in and just below the usual places for installed software.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

LESS_COLLECTING: Final = {"GOGC": "400"}
"""For runs whose time counts: a third of Terraform's and the provider's time goes into collecting garbage, whose memory
is not short (measured: 4.1 s of CPU become 2.8 s, 350 MB become 380 MB)."""

REGISTRY: Final = "https://registry.terraform.io/.well-known/terraform.json"
PROVIDER: Final = Path("registry.terraform.io") / "hashicorp" / "aws"
PROBE_SECONDS: Final = 3.0
PROBE_VALID_SECONDS: Final = 600.0
_INSTALL_ROOTS: Final = (
    "/opt",
    "/usr/share",
    "/usr/local",
    "/usr/local/share",
    "/usr/lib",
    "/usr/local/lib",
    "/var/lib",
)


def terraform_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables to add to ``environ`` (this process's, by default) for Terraform to find its providers."""
    configuration = cli_configuration(os.environ if environ is None else environ)
    return {} if configuration is None else {"TF_CLI_CONFIG_FILE": str(configuration)}


def cli_configuration(environ: Mapping[str, str]) -> Path | None:
    """The CLI configuration file to run Terraform with; ``None`` where its defaults do."""
    configured = environ.get("TF_CLI_CONFIG_FILE", "")
    if _is_file(configured):
        return Path(configured)
    explicit = environ.get("TF_PLUGIN_MIRROR")
    if not explicit and registry_is_reachable(environ):
        return None
    mirror = find_mirror(environ)
    return None if mirror is None else _write_configuration(mirror, environ)


def find_mirror(environ: Mapping[str, str]) -> Path | None:
    """The first directory that holds the AWS provider as a Terraform filesystem mirror does; ``None`` without one."""
    return next((directory for directory in _candidates(environ) if _holds_provider(directory)), None)


def registry_is_reachable(environ: Mapping[str, str]) -> bool:
    """Whether the Terraform registry answers. The answer is kept for some minutes: a closed network takes seconds."""
    record = _cache_directory(environ) / "registry.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        answer = json.loads(record.read_text(encoding="utf-8"))
        if 0 <= time.time() - float(answer["at"]) < PROBE_VALID_SECONDS:
            return bool(answer["reachable"])
    reachable = _probe()
    with contextlib.suppress(OSError):
        _write(record, json.dumps({"reachable": reachable, "at": time.time()}))
    return reachable


def _probe() -> bool:
    try:
        with urllib.request.urlopen(REGISTRY, timeout=PROBE_SECONDS) as answer:
            return "providers.v1" in json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if explicit := environ.get("TF_PLUGIN_MIRROR"):
        yield Path(explicit).expanduser()
    home = Path(environ.get("HOME") or Path.home())
    # The directories that Terraform searches by itself, where there is no explicit configuration:
    # https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    yield Path.cwd() / "terraform.d" / "plugins"
    yield home / ".terraform.d" / "plugins"
    yield home / "Library" / "Application Support" / "io.terraform" / "plugins"
    data = environ.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    system = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for directory in (data, *system.split(os.pathsep)):
        if directory:
            yield Path(directory) / "terraform" / "plugins"
    for root in (*_INSTALL_ROOTS, str(home)):
        yield Path(root)
        with contextlib.suppress(OSError):
            yield from sorted(path for path in Path(root).iterdir() if path.is_dir())


def _holds_provider(directory: Path) -> bool:
    provider = directory / PROVIDER
    with contextlib.suppress(OSError):
        # Unpacked, or packed as terraform-provider-aws_<version>_<platform>.zip.
        return any(provider.glob("*/*/terraform-provider-aws*")) or any(provider.glob("terraform-provider-aws_*.zip"))
    return False


def _write_configuration(mirror: Path, environ: Mapping[str, str]) -> Path:
    # json.dumps quotes as HCL does, but for the template markers.
    path = json.dumps(str(mirror.resolve())).replace("${", "$${").replace("%{", "%%{")
    text = f"provider_installation {{\n  filesystem_mirror {{\n    path = {path}\n  }}\n}}\n"
    configuration = _cache_directory(environ) / "offline.tfrc"
    if not configuration.exists() or configuration.read_text(encoding="utf-8") != text:
        _write(configuration, text)
    return configuration


def _write(path: Path, text: str) -> None:
    """Whole or not at all: several processes may do so at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    Path(file.name).replace(path)


def _cache_directory(environ: Mapping[str, str]) -> Path:
    root = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(root) / "media-events" / "terraform"


def _is_file(path: str) -> bool:
    return bool(path) and Path(path).is_file()


def main() -> int:
    """Print the configuration's path; 1, with a hint, where there is neither registry nor mirror."""
    configuration = cli_configuration(os.environ)
    if configuration is not None:
        print(configuration)
        return 0
    if registry_is_reachable(os.environ):
        return 0
    print(
        "The Terraform registry can't be reached, and no provider mirror was found. Make one where there is a network "
        "(terraform providers mirror DIRECTORY), and set TF_PLUGIN_MIRROR=DIRECTORY.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
