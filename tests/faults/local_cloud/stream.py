"""Events sent without a pause, while the deployment behind the ingresses changes."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from tests.faults.local_cloud.senders import Senders
from tests.faults.senders import ENTRY_NAMES, EntryName, Sent

KINDS: Final = ("ready", "ready", "raw")
ASSETS: Final = 40
PAUSE_SECONDS: Final = 0.5


@dataclass(slots=True)
class Stream:
    """One sender for each ingress, ``rate`` events a second together. ``accepted`` are the accepted events.

    A sender repeats its event until it is accepted, as partners do, at the addresses of the moment.
    """

    senders: Senders
    rate: float
    entries: Collection[str] = ENTRY_NAMES
    accepted: list[Sent] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    """How often each ingress did not take an event at once."""
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _over: threading.Event = field(default_factory=threading.Event)
    _silent: set[str] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to send."""
        for entry, way in self.senders.ways.items():
            if entry not in self.entries:
                continue
            thread = threading.Thread(target=self._send, args=(entry, way), daemon=True)
            self._threads.append(thread)
            thread.start()

    def silence(self, entries: tuple[str, ...]) -> None:
        """Let the senders of these ingresses pause, and those of all others go on."""
        self._silent = {*entries}

    def stop(self) -> None:
        """End, once the events under way are accepted."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, entry: EntryName, way: Callable[[Sent], bool]) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            if entry in self._silent:
                due = time.monotonic() + PAUSE_SECONDS
                continue
            due = max(due + len(self.entries) / self.rate, time.monotonic() - 1)
            number = next(self._numbers)
            event = Sent(number, entry, KINDS[number % len(KINDS)], number % ASSETS, 0.0)
            while not self.senders.taken(way, event):
                self.refused[entry] = self.refused.get(entry, 0) + 1
                time.sleep(PAUSE_SECONDS)
            self.accepted.append(event)
