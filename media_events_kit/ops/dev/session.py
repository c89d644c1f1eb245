"""The loop: a saved file is applied, samples are sent, and what became of them is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media_events_kit.ops.dev.files import QUIET_SECONDS, Watcher
from media_events_kit.ops.shared.console import OperatorError

LOOK_SECONDS: Final = 0.3


@dataclass(frozen=True, slots=True)
class Applied:
    """A workflow that was applied: the seconds that each part took."""

    seconds: dict[str, float]


@dataclass(slots=True)
class Session:
    """One session.

    ``apply`` checks and applies the workflow, ``play`` sends the samples and tells what becomes of them. ``tell`` gets
    each line for the person, ``fault`` each error that is theirs to put right. ``idle`` runs while nothing is saved.
    """

    watcher: Watcher
    apply: Callable[[], Applied]
    play: Callable[[], None]
    tell: Callable[[str], None]
    fault: Callable[[OperatorError], None]
    idle: Callable[[], None]
    folder: Path
    sleep: Callable[[float], None] = time.sleep

    def run(self, rounds: Iterable[int]) -> None:
        """Play, then wait for saved files; one look for each of ``rounds``."""
        self._played()
        for _ in rounds:
            saved = self.watcher.changed()
            if not saved:
                self.idle()
                self.sleep(LOOK_SECONDS)
                continue
            # What an editor still writes, or the next file of the same change, belongs to it.
            while True:
                self.sleep(QUIET_SECONDS)
                more = self.watcher.changed()
                if not more:
                    break
                saved = sorted({*saved, *more})
            self._take(saved)

    def _take(self, saved: Sequence[Path]) -> None:
        names = ", ".join(_shown(path, self.folder) for path in saved)
        self.tell(f"saved: {names}")
        try:
            applied = self.apply()
        except OperatorError as error:
            self.fault(error)
            self.tell("nothing is sent until it can be applied; waiting for the next save")
            return
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in applied.seconds.items())
        self.tell(f"applied in {sum(applied.seconds.values()):.1f} s ({parts})")
        self._played()

    def _played(self) -> None:
        try:
            self.play()
        except OperatorError as error:
            self.fault(error)


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
