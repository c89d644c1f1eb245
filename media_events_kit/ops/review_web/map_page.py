"""The first page: the live map of the deployment, what needs a person in front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, url_for
from markupsafe import Markup

from media_events.core.clock import timestamp
from media_events_kit.ops.diagram.svg import ABOUT_CELLS, embedded, labels, shortened
from media_events_kit.ops.review_web.context import current_context
from media_events_kit.ops.review_web.groups import FIRST_GROUPS, GroupRow, first_groups
from media_events_kit.ops.review_web.live_map import MapView, anchor, map_view
from media_events_kit.ops.review_web.refreshing import Refreshing, digest, in_words

blueprint = Blueprint("map", __name__)

CELLS: Final = ("rate", "waiting", "oldest", "dead_letters", "circuit_breaker", "in_review")


@dataclass(frozen=True, slots=True)
class _Screen:
    """All that the page shows. ``view`` is ``None`` while the hops are not read, ``problem`` says why they can't be."""

    rows: list[GroupRow]
    more: bool
    view: MapView | None
    as_of: str
    problem: str

    @property
    def version(self) -> str:
        """A digest of what is not told by figures alone."""
        groups = [[row.group.group_id, row.group.waiting] for row in self.rows]
        return digest([groups, "" if self.view is None else self.view.shape, self.problem])

    @property
    def items(self) -> int:
        """The items that wait, of the groups that are read."""
        return sum(row.group.waiting for row in self.rows)

    @property
    def headline(self) -> str:
        """The sum of it in a sentence."""
        if self.rows:
            said = in_words(self.items, "item waits for a person", "items wait for a person", more=self.more)
        elif self.view is not None and self.view.needs:
            said = in_words(len(self.view.needs), "hop needs a person", "hops need a person")
        else:
            said = "Nothing waits for a person"
        return said[:1].upper() + said[1:]


def _screen() -> _Screen:
    context = current_context()
    rows, more = first_groups()
    live = context.live.latest() if context.live else None
    problem = "" if context.live is None else context.live.problem
    if live is None:
        return _Screen(rows, more, None, "", problem)
    view = map_view(live, [row.group for row in rows], f"The path of events in {context.environment}")
    return _Screen(rows, more, view if live.reading.hops else None, timestamp(live.reading.now), problem)


@blueprint.get("/")
def overview() -> str:
    """The map, what needs a person in front of it, and the same in a table behind it."""
    screen = _screen()
    view = screen.view
    drawn = "" if view is None else Markup(embedded(view.flow, view.marks))  # noqa: S704 - the drawing escapes every text
    return render_template(
        "map.html",
        rows=screen.rows[:FIRST_GROUPS],
        groups=len(screen.rows),
        more=screen.more,
        headline=screen.headline,
        view=view,
        drawn=drawn,
        anchor=anchor,
        cells=CELLS,
        as_of=screen.as_of,
        problem=screen.problem,
        refreshing=Refreshing(
            page=url_for("map.overview"),
            state=url_for("map.state"),
            version=screen.version,
            says=f"{screen.headline}.",
        ),
        known=current_context().live is not None,
    )


@blueprint.get("/map/state")
def state() -> dict[str, Any]:
    """The figures of the map, which its page asks for again and again."""
    screen = _screen()
    if screen.view is None:
        return {"version": screen.version, "marks": {}, "cells": {}, "as_of": screen.as_of}
    view = screen.view
    marks = {
        key: {"text": shortened(view.marks[key].text, ABOUT_CELLS), "tone": view.marks[key].tone, "label": label}
        for key, label in labels(view.flow, view.marks).items()
    }
    cells = {f"{row.hop} {name}": getattr(row, name) for row in view.rows for name in CELLS}
    cells |= {f"need {number}": need.what for number, need in enumerate(view.needs)}
    return {"version": screen.version, "marks": marks, "cells": cells, "as_of": screen.as_of}
