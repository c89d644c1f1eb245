"""A trace on a terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from media_events_kit.kit_files import COMMAND
from media_events_kit.ops.shared.console import plain
from media_events_kit.ops.shared.tables import Column, Listing
from media_events_kit.ops.trace.model import EventTrace, HopStatus, Reading, State, Tone, Verdict

_TONES: Final[dict[Tone, str]] = {"good": "green", "plain": "", "waiting": "yellow", "bad": "red"}
_STATES: Final[dict[State, str]] = {
    "passed": "green",
    "delivered": "green",
    "sent": "green",
    "in flight": "yellow",
    "parked": "yellow",
    "in review": "bold red",
    "missing": "bold red",
    "unknown": "bold yellow",
}
_VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {
    "finished": ("finished", "bold green"),
    "in flight": ("in flight: it is still being worked on", "bold yellow"),
    "needs a person": ("needs a person", "bold red"),
    "unknown": ("can't tell: see what is not known", "bold yellow"),
}


def show(trace: EventTrace) -> RenderableType:
    """The whole trace."""
    rows: list[RenderableType] = [_title(trace), Text(""), _steps(trace), Text("")]
    if trace.hops:
        rows += [Text("where it is now", style="bold"), _hops(trace), Text("")]
    if trace.no_route:
        rows += [Text(plain(no_route(trace)), style="bold yellow"), Text("")]
    if trace.parts:
        rows += [Text("A transform has split it into: " + ", ".join(map(plain, trace.parts))), Text("")]
    if trace.unknown:
        rows += [Text("not known", style="bold"), *(Text(f"  {plain(line)}") for line in trace.unknown), Text("")]
    rows.append(_verdict(trace))
    return Group(*rows)


def line(trace: EventTrace) -> Text:
    """The trace on one line: the event, and where it is."""
    kind = f"{trace.type or 'of unknown type'}  {trace.partner or trace.source or 'of an unknown source'}"
    text = Text.assemble((plain(f"{kind}  {trace.event_id}"), "bold"))
    deliveries = [status for status in trace.hops if status.is_delivery] or list(trace.hops)
    for index, status in enumerate(deliveries):
        text.append(" · " if index else "  → ", style="dim")
        text.append(plain(f"{status.destination or status.hop} "))
        text.append(status.state, style=_STATES.get(status.state, ""))
        if status.reason is not None:
            text.append(plain(f" ({status.reason})"), style="dim")
    if trace.no_route:
        text.append(plain(f"  {no_route(trace)}"), style="bold yellow")
    elif not deliveries:
        text.append(f"  {_VERDICTS[trace.verdict][0]}")
    if trace.parts:
        text.append(f"  split into {len(trace.parts)}", style="dim")
    return text


def no_route(trace: EventTrace) -> str:
    """A sentence about an event that no route takes."""
    near = f"; nearest: {trace.nearest}" if trace.nearest else ""
    return f"No route took it, so it went no further than the bus{near}."


def summary_of(reading: Reading) -> str:
    """How much was read for it."""
    return (
        f"read {_times(reading.log_events, 'log event')} of {_times(reading.log_groups, 'log group')} "
        f"in {_times(reading.log_calls, 'request')}, "
        f"{reading.since} to {reading.until}"
    )


def _title(trace: EventTrace) -> Text:
    kind = f"{trace.type or 'of unknown type'}, {trace.source or 'of an unknown source'}"
    text = Text.assemble((plain(trace.event_id), "bold"), f"  {plain(kind)}")
    for name, value in (("correlation id", trace.correlation_id), ("subject", trace.subject)):
        if value is not None:
            text.append(f"\n{name} {plain(value)}")
    return text


def _steps(trace: EventTrace) -> Listing:
    table = Listing([Column("when (UTC)", "id"), Column("hop", "name"), Column("what happened")])
    for step in trace.steps:
        notes = [step.reason or "", f"attempt {step.attempt}" if step.attempt else ""]
        notes += [f"from the {step.recorded_in}"] if step.recorded_in == "idempotency store" else []
        shown = ", ".join(note for note in notes if note)
        table.add(
            Text(plain(step.at.replace("T", " ").removesuffix("Z"))),
            Text(plain(step.hop)),
            Text.assemble((plain(step.what), _TONES[step.tone]), f" ({plain(shown)})" if shown else ""),
        )
    return table


def _hops(trace: EventTrace) -> Listing:
    table = Listing([Column("", "name"), Column("", "id"), Column("")], header=False)
    for status in trace.hops:
        name = status.hop if status.destination is None else f"{status.hop} → {status.destination}"
        state = Text(status.state, style=_STATES.get(status.state, ""))
        table.add(Text(f"  {plain(name)}"), state, Text(plain(_where(status))))
    return table


def _where(status: HopStatus) -> str:
    notes = [status.where]
    if status.reason is not None:
        notes.append(status.reason)
    if status.attempts > 1 or status.redrives:
        counts = [_times(status.attempts, "attempt"), _times(status.redrives, "redrive") if status.redrives else ""]
        notes.append(", ".join(count for count in counts if count))
    return "; ".join(notes)


def _times(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count} {word}s"


def _verdict(trace: EventTrace) -> Text:
    words, style = _VERDICTS[trace.verdict]
    text = Text(words, style=style)
    for status in trace.hops:
        if status.state == "in review" and status.item_id is not None:
            text.append(f"\nlook at it: {COMMAND} review show {status.item_id}", style="default not bold")
    return text
