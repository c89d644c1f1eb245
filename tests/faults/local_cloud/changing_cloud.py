"""A local cloud whose deployment changes, by Terraform, while events run through it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events_kit.kit_files import KIT
from media_events_kit.ops.local import endpoint, lambda_package, lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import synthesise

REGION: Final = "us-east-1"
POLL_SECONDS: Final = 1.0


@dataclass(slots=True)
class ChangingCloud:
    """The cloud of ``paths``; ``outputs`` are those of the last apply.

    ``arns`` take the places of their names, ``<name>``, in a workflow.
    """

    paths: LocalPaths
    arns: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def start(self) -> CloudRecord:
        """Start it, empty."""
        lambda_package.ensure()
        return endpoint.start(self.paths, region=REGION, port=None)

    def apply(self, workflow: Mapping[str, Any], *, repository: Path = KIT) -> float:
        """Apply ``workflow`` with the kit in ``repository``; the seconds that this took."""
        began = time.monotonic()
        file = self.paths.root / "workflow.yaml"
        text = json.dumps(workflow, indent=2)
        for name, arn in self.arns.items():
            text = text.replace(f"<{name}>", arn)
        file.write_text(text, encoding="utf-8")
        stack = synthesise(self.paths, {"MEDIA_EVENTS_WORKFLOW": str(file)}, repository=repository)
        self.outputs = lifecycle.change(self.paths, stack)
        return time.monotonic() - began


class RuleWatch:
    """Looks all the time whether a rule that once had a target is switched on without one."""

    def __init__(self, clients: Clients, *, seconds: float = POLL_SECONDS) -> None:
        self._seconds = seconds
        self._events, self._over = clients.events, threading.Event()
        self._served: set[tuple[str, str]] = set()
        self._bare: dict[tuple[str, str], float] = {}
        self.looks = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._over.wait(self._seconds):
            now = time.monotonic()
            with suppress(ClientError, BotoCoreError):
                for bus in self._events.list_event_buses()["EventBuses"]:
                    self._look(bus["Name"], now - last)
                self.looks += 1
            last = now

    def _look(self, bus: str, seconds: float) -> None:
        for rule in self._events.list_rules(EventBusName=bus)["Rules"]:
            place = (bus, rule["Name"])
            if rule.get("State") != "ENABLED":
                continue
            try:
                targets = self._events.list_targets_by_rule(EventBusName=bus, Rule=rule["Name"])["Targets"]
            except self._events.exceptions.ResourceNotFoundException:
                continue
            if targets:
                self._served.add(place)
            elif place in self._served:
                self._bare[place] = self._bare.get(place, 0.0) + seconds

    def bare(self) -> dict[str, float]:
        """Rules that were found so since the last call, with the seconds. A rule that goes loses its target first."""
        found, self._bare = self._bare, {}
        return {name: seconds for (bus, name), seconds in found.items() if self._is_there(bus, name)}

    def _is_there(self, bus: str, name: str) -> bool:
        with suppress(ClientError):
            return self._events.describe_rule(EventBusName=bus, Name=name).get("State") == "ENABLED"
        return False
