"""The files of one environment's local cloud."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import project
from media_events_kit.ops.shared.console import OperatorError

DIRECTORY_VARIABLE: Final = "MEDIA_EVENTS_LOCAL_DIRECTORY"
DEFAULT_ENVIRONMENT: Final = "local"


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """The files of one local cloud, all below ``directory/environment``."""

    directory: Path
    environment: str = DEFAULT_ENVIRONMENT

    @property
    def root(self) -> Path:
        """The environment's own directory."""
        return self.directory / self.environment

    def make_private(self) -> None:
        """Make the directory, for its owner alone: keys, Terraform's state and the functions' files are in it."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    @property
    def cloud_record(self) -> Path:
        """``cloud.json``: endpoint, process and the variables with which to reach the running cloud."""
        return self.root / "cloud.json"

    @property
    def outputs(self) -> Path:
        """``outputs.json``: Terraform's outputs, name to value."""
        return self.root / "outputs.json"

    @property
    def cloud_log(self) -> Path:
        """MiniStack's output."""
        return self.root / "cloud.log"

    @property
    def terraform_log(self) -> Path:
        """The output of the last Terraform command, as JSON lines."""
        return self.root / "terraform.log"

    @property
    def terraform_state(self) -> Path:
        """Terraform's state. It lives and dies with the cloud's process, which keeps everything in memory."""
        return self.root / "terraform.tfstate"

    @property
    def terraform_data(self) -> Path:
        """``TF_DATA_DIR``."""
        return self.root / "terraform"

    @property
    def temporary(self) -> Path:
        """``TMPDIR`` of MiniStack and of the functions it runs."""
        return self.root / "tmp"

    @property
    def certificates(self) -> Path:
        """The local authority and the endpoint's certificate."""
        return self.root / "tls"

    @property
    def lock(self) -> Path:
        """Locked by the process that changes this cloud."""
        return self.root / "lock"


def local_paths(environment: str = DEFAULT_ENVIRONMENT) -> LocalPaths:
    """The files of ``environment`` in ``.local`` of the project, or in the directory that the variable names.

    Raises:
        OperatorError: ``environment`` can't be part of a path.
    """
    if not environment.replace("-", "").replace("_", "").isalnum():
        raise OperatorError(
            f"{environment!r} is no environment's name", hint="use letters, digits, - and _", exit_code=2
        )
    return LocalPaths(Path(os.environ.get(DIRECTORY_VARIABLE) or project() / ".local").resolve(), environment)
