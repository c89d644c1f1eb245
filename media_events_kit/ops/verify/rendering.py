"""A report on one screen: what failed, what was skipped, and how much is well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from media_events.core.clock import timestamp
from media_events_kit.kit_files import runnable
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.verify.model import Finding, Report, Verdict

_STYLES: Final[dict[Verdict, str]] = {"pass": "bold green", "fail": "bold red", "skipped": "bold yellow"}

SHOWN: Final = 3
"""So many subjects of the same finding are named."""


def show(report: Report) -> RenderableType:
    """Each check with what it found amiss, then the sum."""
    rows: list[RenderableType] = []
    for check in dict.fromkeys(finding.check for finding in report.findings):
        findings = [finding for finding in report.findings if finding.check == check]
        passed = sum(1 for finding in findings if finding.verdict == "pass")
        verdict: Verdict = next((v for v in ("fail", "skipped") if any(f.verdict == v for f in findings)), "pass")
        rows.append(Text.assemble((f"{verdict:8}", _STYLES[verdict]), f"{check}: {passed} of {len(findings)} well"))
        for subject, finding in _amiss(findings):
            mark = "" if finding.verdict == "fail" else "skipped: "
            rows.append(Text(f"    {plain(subject)}: {mark}{plain(finding.found)}"))
            rows.append(Text(f"      {plain(runnable(finding.do))}", style="dim"))
    counts = report.counts
    words = f"{counts['pass']} well, {counts['fail']} failed, {counts['skipped']} skipped"
    rows += [Text(""), Text.assemble((words, _STYLES[report.verdict]), (f"   {timestamp(report.now)}", "dim"))]
    return Group(*rows)


def _amiss(findings: Sequence[Finding]) -> list[tuple[str, Finding]]:
    """What is not well, with its subject; subjects for which the same was found and is to be done are one row."""
    rows: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding.verdict != "pass":
            rows.setdefault((finding.verdict, finding.found, finding.do), []).append(finding)
    return [(_subjects(alike), alike[0]) for alike in rows.values()]


def _subjects(findings: Sequence[Finding]) -> str:
    named = ", ".join(finding.subject for finding in findings[:SHOWN])
    return named if len(findings) <= SHOWN else f"{named} and {len(findings) - SHOWN} more"
