"""The silent decisions of a normalisation: fields that fell back, and expressions that selected nothing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import field

from media_events.core.telemetry import Telemetry
from media_events.core.value_classes import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One decision about a ``field`` of the event at ``index`` in its batch; ``text`` quotes no data of the sender.

    ``fell_back``: the field has not the value that the specification asks for. Otherwise it has none, as it may.
    """

    field: str
    text: str
    index: int = 0
    fell_back: bool = True


@dataclasses.dataclass(slots=True)
class Notes:
    """The notes of some messages, of which ``ignored`` made no events.

    ``thorough`` also records each expression that selects nothing, and ``used``: the entries of the specification that
    a message needed, as pairs such as ``("types", "video.ready")``. That costs time, so deployed functions do without.
    """

    thorough: bool = False
    notes: list[Note] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    ignored: int = 0

    def fell_back(self, name: str, text: str, index: int = 0) -> None:
        """Record a field that has not the value that the specification asks for."""
        self.notes.append(Note(name, text, index))

    def nothing(self, name: str, texts: Iterable[str], index: int = 0) -> None:
        """Record expressions that selected nothing, where that is allowed."""
        self.notes.extend(Note(name, text, index, fell_back=False) for text in texts)


def report_notes(notes: Notes, report: Telemetry, *, hop: str, partner: str) -> None:
    """Count the ignored messages and the fields that fell back, and log one line for all of these."""
    if notes.ignored:
        report.count("MessagesIgnored", notes.ignored, partner=partner)
    counts = Counter(note.field for note in notes.notes if note.fell_back)
    if not counts:
        return
    for name, count in counts.items():
        report.count("FieldsFellBack", count, partner=partner, field=name)
    report.info("fields fell back", hop=hop, partner=partner, fields=dict(counts))
