"""The pages of a key queue: its further events, which are outside the key queue's own value.

All that is in the pages is parked and comes after the window, page after page. A change reads the pages that it needs
and is written together with them, in one transaction under the key queue's version. So ``KeyQueue`` and pages always
agree, and adding an event costs the same behind ten thousand others as behind two hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import Final

from media_events.core.value_classes import dataclass
from media_events.delivery.ordering.key_queue import ACTIVE, Entry, KeyQueue, Page, Place, read, written

WINDOW: Final = 160
"""A longer window gives its end to a page."""
LOW: Final = 40
"""A shorter window takes in the first page. It is longer than ``key_queue.ACTIVE``."""
PAGE: Final = 100
PAGE_BYTES: Final = 100_000
"""Of the text of a page whose ids are very long, about: DynamoDB takes 400 KB."""


NO_PAGES: Final[Mapping[int, Sequence[Entry]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one key queue during one change. ``load`` reads one; ``changed`` has the new ones, by number.

    A page without entries is to be deleted.
    """

    load: Callable[[int], Sequence[Entry]]
    changed: dict[int, tuple[Entry, ...]] = field(default_factory=dict)

    def entries(self, page: Page) -> tuple[Entry, ...]:
        """The entries of a page, in order."""
        if page.number not in self.changed:
            return tuple(self.load(page.number))
        return self.changed[page.number]

    # --- one event ---------------------------------------------------------------------------------------------------

    def add(self, key_queue: KeyQueue, entry: Entry) -> KeyQueue:
        """Add a parked entry that comes after the window."""
        page = _page_at(key_queue, key_queue.place_of(entry))
        longer = sorted((*self.entries(page), entry), key=key_queue.place_of)
        if not _is_long(longer, PAGE):
            parts = [longer]
        elif longer[-1] is entry:  # as mostly: then the pages before the last one are full
            parts = [longer[:-1], [entry]]
        else:
            parts = [longer[: len(longer) // 2], longer[len(longer) // 2 :]]
        key_queue = self._with(key_queue, page, parts)
        return replace(key_queue, next_number=max(key_queue.next_number, entry.number + 1))

    def take(self, key_queue: KeyQueue, event_id: str, place: Place | None = None) -> tuple[KeyQueue, Entry | None]:
        """Take an event's entry out of the pages; without its ``place`` all of them are read."""
        for page in key_queue.pages if place is None else [_page_at(key_queue, place)] if key_queue.pages else []:
            entries = self.entries(page)
            entry = next((each for each in entries if each.event_id == event_id), None)
            if entry is not None:
                return self._with(key_queue, page, [[each for each in entries if each is not entry]]), entry
        return key_queue, None

    # --- window and pages --------------------------------------------------------------------------------------------

    def fit(self, key_queue: KeyQueue) -> KeyQueue:
        """The key queue with a window that is neither too long nor too short."""
        for entry in key_queue.entries if key_queue.pages else ():
            if key_queue.place_of(entry) > key_queue.pages[0].first and not _stays(key_queue, entry):
                key_queue = replace(key_queue, entries=tuple(each for each in key_queue.entries if each is not entry))
                key_queue = self.add(key_queue, entry)
        if _is_long(key_queue.entries, WINDOW):
            key_queue = self._shortened(key_queue)
        while (
            key_queue.pages and sum(key_queue.place_of(e) < key_queue.pages[0].first for e in key_queue.entries) < LOW
        ):
            page = key_queue.pages[0]
            entries = (*key_queue.entries, *self.entries(page))
            key_queue = self._with(key_queue, page, [])
            key_queue = replace(key_queue, entries=tuple(sorted(entries, key=key_queue.place_of)))
        return key_queue

    def _shortened(self, key_queue: KeyQueue) -> KeyQueue:
        """The key queue with the end of its window in new first pages."""
        out = {id(entry) for entry in key_queue.entries[LOW + ACTIVE :] if not _stays(key_queue, entry)}
        end = [entry for entry in key_queue.entries if id(entry) in out]
        pages: list[Page] = []
        number = key_queue.next_page
        while end:
            size = next((size for size in range(1, len(end)) if _is_long(end[: size + 1], PAGE)), len(end))
            part, end = end[:size], end[size:]
            self.changed[number] = tuple(part)
            pages.append(_described(key_queue, number, part))
            number += 1
        kept = tuple(entry for entry in key_queue.entries if id(entry) not in out)
        return replace(key_queue, entries=kept, pages=(*pages, *key_queue.pages), next_page=number)

    def _with(self, key_queue: KeyQueue, page: Page, parts: Sequence[Sequence[Entry]]) -> KeyQueue:
        """The key queue with ``parts`` in the place of a page."""
        described: list[Page] = []
        self.changed[page.number] = ()
        numbers = [page.number, *range(key_queue.next_page, key_queue.next_page + len(parts))]
        for number, part in zip(numbers, [part for part in parts if part], strict=False):
            self.changed[number] = tuple(part)
            described.append(_described(key_queue, number, part))
        place = key_queue.pages.index(page)
        pages = (*key_queue.pages[:place], *described, *key_queue.pages[place + 1 :])
        return replace(key_queue, pages=pages, next_page=max([key_queue.next_page, *(p.number + 1 for p in described)]))


def page_to_json(entries: Sequence[Entry]) -> str:
    """A page as text for the table."""
    return json.dumps([written(entry) for entry in entries], separators=(",", ":"))


def page_from_json(text: str) -> tuple[Entry, ...]:
    """Read what :func:`page_to_json` wrote."""
    return tuple(read(entry) for entry in json.loads(text))


def _page_at(key_queue: KeyQueue, place: Place) -> Page:
    """The page that has ``place``, or would have it."""
    return next((page for page in reversed(key_queue.pages) if page.first <= place), key_queue.pages[0])


def _described(key_queue: KeyQueue, number: int, entries: Sequence[Entry]) -> Page:
    parked = [entry.since for entry in entries if entry.parked]
    first, since = key_queue.place_of(entries[0]), min(parked, default=None)
    return Page(number=number, first=first, count=len(entries), parked=len(parked), parked_since=since)


def _stays(key_queue: KeyQueue, entry: Entry) -> bool:
    """Whether an entry stays in the window: it is not parked, or it may be the head whatever comes before it."""
    leased = key_queue.lease is not None and key_queue.lease.event_id == entry.event_id
    return leased or entry.outcome_unknown or not entry.parked


def _is_long(entries: Sequence[Entry], limit: int) -> bool:
    return len(entries) > limit or sum(len(entry.event_id) + 100 for entry in entries) > PAGE_BYTES
