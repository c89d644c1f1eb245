"""Terraform that knows no AWS, and the provider for it: one server for this process, from the first need to the end."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from media_events_kit.ops.shared.terraform_providers import LESS_COLLECTING, terraform_environment
from scripts.provider_server import provider_server

_ends: Final = ExitStack()


def offline_environment(environ: Mapping[str, str], plugins: Path) -> dict[str, str]:
    """The environment of a Terraform that knows no AWS; ``plugins`` is for what it downloads."""
    inherited = {name: value for name, value in environ.items() if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_"))}
    if "TF_CLI_CONFIG_FILE" in environ:
        inherited["TF_CLI_CONFIG_FILE"] = environ["TF_CLI_CONFIG_FILE"]
    environment = inherited | terraform_environment(inherited)
    if "TF_CLI_CONFIG_FILE" not in environment:
        # From a mirror providers are linked; from the registry every root would download its own 700 MB.
        plugins.mkdir(exist_ok=True)
        environment.setdefault("TF_PLUGIN_CACHE_DIR", str(plugins))
    return environment | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        **LESS_COLLECTING,
        "TF_IN_AUTOMATION": "1",
    }


@functools.cache
def served_environment() -> Mapping[str, str]:
    """The environment of a Terraform that knows no AWS and finds its provider running."""
    folder = Path(_ends.enter_context(tempfile.TemporaryDirectory(prefix="media-events-provider-")))
    root = folder / "root"
    root.mkdir()
    environment = offline_environment(os.environ, folder / "plugins")
    return environment | _ends.enter_context(provider_server(environment, root))


def end() -> None:
    """End the server."""
    _ends.close()
    served_environment.cache_clear()
