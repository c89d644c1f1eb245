"""Terraform's progress: live on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

SLOW_TYPES: Final = frozenset({"aws_sqs_queue", "aws_sqs_queue_policy", "aws_sqs_queue_redrive_policy"})
SLOW_HINT: Final = (
    "Terraform's AWS provider waits about 25 s after each change to an SQS queue until it has settled, "
    "here as on AWS; the queues are made in parallel."
)
_PLAIN_INTERVAL_SECONDS: Final = 10.0
_SHOWN_RESOURCES: Final = 8


@dataclass(slots=True)
class Tally:
    """The sum of Terraform's messages. Times are on ``clock``."""

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    done: int = 0
    refreshed: int = 0
    failed: int = 0
    phase: str = "planning"
    working: dict[str, tuple[str, float]] = field(default_factory=dict)

    def take(self, message: Mapping[str, Any]) -> None:
        """Count one message."""
        kind = message.get("type")
        if kind == "change_summary":
            changes = message.get("changes", {})
            if changes.get("operation") == "plan":
                self.total = sum(int(changes.get(action, 0)) for action in ("add", "change", "remove"))
                self.phase = "applying"
            else:
                self.phase = "done"
        elif kind == "refresh_complete":
            self.refreshed += 1
        elif kind == "stopping":
            self.phase = "stopping"
        elif kind in {"apply_start", "apply_complete", "apply_errored"}:
            if message.get("hook", {}).get("action") == "read":
                return
            resource = message.get("hook", {}).get("resource", {})
            address = str(resource.get("addr", "?"))
            if kind == "apply_start":
                self.working[address] = (str(resource.get("resource_type", "")), self.clock())
                return
            self.working.pop(address, None)
            if kind == "apply_complete":
                self.done += 1
            else:
                self.failed += 1

    def waits_for_queues(self) -> bool:
        """Whether most of the resources being worked on are SQS's, which take long."""
        slow = sum(1 for kind, _ in self.working.values() if kind in SLOW_TYPES)
        return slow > 0 and slow * 2 >= len(self.working)

    def summary(self) -> str:
        """One line: how much is done, and the resources being worked on."""
        if self.phase == "planning":
            return "planning" + (f", {self.refreshed} resources read" if self.refreshed else "")
        if self.phase == "stopping":
            return "stopping: Terraform finishes the resources that it has begun, and saves its state"
        line = f"{self.done} of {self.total} done"
        if self.failed:
            line += f", {self.failed} failed"
        kinds = Counter(kind for kind, _ in self.working.values())
        if kinds:
            line += "; working on " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(3))
        return line


class TerraformProgress:
    """Shows a :class:`Tally` while Terraform works. Use it as a context manager, and call it with each message."""

    def __init__(self, console: Console, title: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tally = Tally(clock)
        self._console = console
        self._title = title
        self._clock = clock
        self._began = clock()
        self._last_line = self._began
        self._hinted = False
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        else:
            self._line("started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        if kind is None:
            self._line(f"{self.tally.done} changed" if self.tally.done else "nothing to change")

    def __call__(self, message: Mapping[str, Any]) -> None:
        before = self.tally.phase
        self.tally.take(message)
        if self._live is not None:
            return
        now = self._clock()
        if now - self._last_line >= _PLAIN_INTERVAL_SECONDS or before != self.tally.phase != "done":
            self._line(self.tally.summary())
            if self.tally.waits_for_queues() and not self._hinted:
                self._hinted = True
                self._console.print(SLOW_HINT, markup=False)

    def _line(self, text: str) -> None:
        self._last_line = self._clock()
        self._console.print(f"{self._title}: {text} ({self._last_line - self._began:.0f} s)", markup=False)

    def _render(self) -> RenderableType:
        tally, now = self.tally, self._clock()
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Spinner("dots"),
            Text(self._title, style="bold"),
            ProgressBar(total=max(tally.total, 1), completed=tally.done, width=30),
            Text(tally.summary()),
            Text(f"{now - self._began:.0f} s", style="dim"),
        )
        parts: list[RenderableType] = [head]
        oldest = sorted(tally.working.items(), key=lambda item: item[1][1])
        for address, (_, since) in oldest[:_SHOWN_RESOURCES]:
            parts.append(Text(f"    {address}  {now - since:.0f} s", style="dim", overflow="ellipsis", no_wrap=True))
        if len(oldest) > _SHOWN_RESOURCES:
            parts.append(Text(f"    and {len(oldest) - _SHOWN_RESOURCES} more", style="dim"))
        if tally.waits_for_queues():
            parts.append(Text(SLOW_HINT, style="italic dim"))
        return Group(*parts)
