"""What a change does to events, for the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from media_events_kit.kit_files import runnable
from media_events_kit.ops.changes.model import Consequence, Report
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.shared.tables import Column, Listing

_TITLES: Final[dict[Consequence, tuple[str, str]]] = {
    "lost": ("would be lost", "bold red"),
    "repeated": ("could take effect twice", "bold red"),
    "fails": ("would fail", "bold red"),
    "note": ("to know", "bold"),
}


def show(report: Report, *, safe: str) -> RenderableType:
    """The whole report; ``safe`` is what it says where nothing is at risk."""
    rows: list[RenderableType] = []
    if report.hops:
        table = Listing([Column("hop", "name"), Column(""), Column("", "text")])
        for hop in report.hops:
            table.add(plain(hop.hop), hop.kind, plain(hop.what))
        rows += [table, Text("")]
    for consequence, (title, style) in _TITLES.items():
        findings = [finding for finding in report.findings if finding.consequence == consequence]
        if not findings:
            continue
        rows.append(Text(title, style=style))
        for finding in findings:
            rows.append(Text(f"  {plain(finding.subject)}: {plain(finding.what)}"))
            if finding.do:
                rows.append(Text(f"    do: {plain(runnable(finding.do))}", style="dim"))
    if report.unknown:
        rows.append(Text("not known", style="bold yellow"))
        rows += [Text(f"  {plain(each)}") for each in report.unknown]
    if not report.at_risk:
        rows.append(Text(safe, style="bold green"))
    return Group(*rows)
