"""Where the local cloud of one environment keeps its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
DIRECTORY_VARIABLE: Final = "MEDIA_EVENTS_LOCAL_DIRECTORY"
DEFAULT_ENVIRONMENT: Final = "local"


def default_directory() -> Path:
    """``.local`` in the repository, or where the variable says (tests use it to stay out of the operator's way)."""
    return Path(os.environ.get(DIRECTORY_VARIABLE) or REPOSITORY / ".local").resolve()


@dataclass(frozen=True, slots=True)
class LocalPaths:
    """The files of one local cloud, all below ``directory/environment``."""

    directory: Path
    environment: str = DEFAULT_ENVIRONMENT

    @property
    def root(self) -> Path:
        """The environment's own directory."""
        return self.directory / self.environment

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
        """What MiniStack prints."""
        return self.root / "cloud.log"

    @property
    def terraform_log(self) -> Path:
        """What Terraform said last, as JSON lines."""
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
        """Held by whoever changes this cloud."""
        return self.root / "lock"
