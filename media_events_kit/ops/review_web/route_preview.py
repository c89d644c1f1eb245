"""The transforms and routes that match an event, by the workflow file of this checkout."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from media_events.core.envelope import EnvelopeError
from media_events_kit.event_patterns import PatternError
from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.loader.workflow_file import SELECTION, load
from media_events_kit.infra.model.destinations import Destination
from media_events_kit.ops.route.offline_transform import modules_in
from media_events_kit.ops.route.simulator import Routing, as_bus_event, route


@dataclass(frozen=True, slots=True)
class RoutePreview:
    """The decision of each hop, or the problem."""

    routing: Routing | None = None
    problem: str = ""


@dataclass(slots=True)
class Matching:
    """The workflow of one environment; its file is read again after a change."""

    workflow: Path
    environment: str
    _read: tuple[float, Environment] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, body: str) -> RoutePreview:
        """The decisions of the workflow's hops about the event in ``body``."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return RoutePreview(problem="The body is not JSON, so no rule matches it.")
        if not isinstance(document, dict):
            return RoutePreview(problem="The body is no event: rules match objects only.")
        try:
            # The workflow's steps are imported as Python modules from a path that only one request at a time may set.
            with self._lock:
                chosen = self._environment()
                event = as_bus_event(document)
                folders = [t.package for t in chosen.workflow.transforms.values() if t.package is not None]
                with modules_in([self.workflow.parent / folder for folder in folders]):
                    return RoutePreview(route(chosen.workflow, event))
        except EnvelopeError as error:
            return RoutePreview(problem=f"The body is no event that rules match: {'; '.join(error.problems)}.")
        except WorkflowError as error:
            return RoutePreview(problem=f"{self.workflow.name} can't be used: {str(error).splitlines()[0]}")
        except (PatternError, RecursionError):
            return RoutePreview(problem="The event is nested too deep to be matched.")

    def destination(self, name: str) -> Destination | None:
        """A destination of the workflow; ``None`` where the file can't be used, or does not have it."""
        try:
            with self._lock:
                return self._environment().workflow.destinations.get(name)
        except WorkflowError:
            return None

    def _environment(self) -> Environment:
        try:
            changed = self.workflow.stat().st_mtime
        except OSError:
            changed = 0.0
        if self._read is None or self._read[0] != changed:
            environments = load(self.workflow, {**os.environ, SELECTION: self.environment}).environments
            self._read = (changed, environments[0])
        return self._read[1]
