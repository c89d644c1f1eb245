"""The review page of a demonstration that is left running, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from media_events_kit.ops.local import process
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, LocalPaths
from media_events_kit.ops.local.process import ProcessIdentity
from media_events_kit.ops.shared.json_files import read_record
from media_events_kit.ops.shared.own_command import media_events, own_packages

_START_SECONDS: Final = 30.0
_LINK: Final = re.compile(r"http://\S+/enter\?key=[\w-]+")


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A running page."""

    pid: int
    process_started: str

    @property
    def identity(self) -> ProcessIdentity:
        """Its process."""
        return ProcessIdentity(self.pid, self.process_started)

    @classmethod
    def read(cls, paths: LocalPaths) -> Self | None:
        """The page of this local cloud; ``None`` where none runs."""
        page = read_record(cls, _record(paths))
        return page if page is not None and page.identity.alive() else None


def start(paths: LocalPaths) -> str | None:
    """Serve the page of the cloud that is up; its link, or ``None`` where it does not come up (`review-page.log`)."""
    stop(paths)
    log = _log(paths)
    # Whoever reads it may enter.
    log.unlink(missing_ok=True)
    log.touch(mode=0o600)
    identity = process.start(
        media_events("review", "serve", "--port", "0", "--environment", paths.environment),
        environment=dict(os.environ) | own_packages() | {DIRECTORY_VARIABLE: str(paths.directory)},
        directory=Path.cwd(),
        log=log,
    )
    record = ReviewPage(identity.pid, identity.started)
    _record(paths).write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and identity.alive():
        if found := link(paths):
            return found
        time.sleep(0.1)
    process.stop(identity)
    return None


def link(paths: LocalPaths) -> str | None:
    """The link that lets in the next browser; ``None`` where no page runs."""
    if ReviewPage.read(paths) is None:
        return None
    links = _LINK.findall(_log(paths).read_text(encoding="utf-8", errors="replace"))
    return links[-1] if links else None


def stop(paths: LocalPaths) -> None:
    """Stop the page of this local cloud, if one runs."""
    page = ReviewPage.read(paths)
    if page is not None:
        process.stop(page.identity)
    _record(paths).unlink(missing_ok=True)


def _record(paths: LocalPaths) -> Path:
    return paths.root / "review-page.json"


def _log(paths: LocalPaths) -> Path:
    return paths.root / "review-page.log"
