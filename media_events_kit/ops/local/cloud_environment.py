"""The virtual environment in which MiniStack lives.

It is one of its own: MiniStack pins its botocore, and the functions that it runs may see only what Lambda's runtime
brings. In a checkout `make setup` makes it. Installed from a wheel, the kit makes it at the first start of a cloud,
once for all projects of the user.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from media_events_kit.kit_files import CHECKOUT, INSTALL, KIT
from media_events_kit.ops.local.environments import UnmadeError, is_current, make, runtime_python
from media_events_kit.ops.local.lock import exclusive
from media_events_kit.ops.shared.console import OperatorError, err

LOCK: Final = KIT / "requirements" / "cloud.lock"


def ensure() -> Path:
    """The environment's folder.

    Raises:
        OperatorError: it is missing and can't be made.
    """
    if CHECKOUT is not None:
        folder = CHECKOUT / ".venv-cloud"
        if not (folder / "bin" / "python").exists():
            raise OperatorError(f"{folder.name} is missing: MiniStack lives there", hint=INSTALL)
        return folder
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "media-events"
    folder, python = cache / "local-cloud", runtime_python()
    with exclusive(cache / "local-cloud.lock"):
        if not is_current(folder, LOCK, python):
            with err.status("Installing the local cloud (once; 80 MB)"):
                try:
                    make(folder, LOCK, python)
                except UnmadeError as error:
                    raise OperatorError(f"the local cloud can't be installed: {error}") from None
    return folder
