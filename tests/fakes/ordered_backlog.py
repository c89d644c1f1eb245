"""Many events of one key at a destination that keeps an order: in memory, in virtual time, every access counted."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter

from media_events.core.failures import DeferredError, ProcessingError
from media_events.delivery.ordering.key_queue import KeyQueue, key_queue_id
from media_events.delivery.ordering.key_queue_pages import NO_PAGES
from tests.fakes.hop import FakeClock
from tests.fakes.ordered_route import OrderedDestination, message

KEY = key_queue_id("partner.mux", "k", "cms")
BATCH = 10


class Backlog(OrderedDestination):
    """The route, its queue and its tables. ``count`` has the accesses by kind; ``pages`` and ``parked`` the tables.

    SQS hands out what is visible, in batches and in any order. An event in ``fails`` is refused for good, and its
    message is put aside in ``review``.
    """

    def __init__(self, policy, *, seed=1):
        super().__init__(FakeClock(), policy)
        self.rng, self.queue, self.numbers, self.count = random.Random(seed), [], itertools.count(), Counter()
        self.key_queue, self.version, self.pages, self.parked = KeyQueue(), 0, {}, {}
        self.review, self.rounds, self.largest = [], 0, 0

    def tables(self):
        return self, self

    # --- tables ------------------------------------------------------------------------------------------------------

    def read(self, key):
        assert key == KEY
        self.count["read"] += 1
        return self.key_queue, self.version

    def read_page(self, _key, number):
        self.count["read"] += 1
        return self.pages.get(number, ())

    def write(self, _key, key_queue, *, version, pages=NO_PAGES):
        self.count["write"] += 1 + len(pages)
        assert version == self.version
        self.largest = max(self.largest, len(key_queue.entries), *(len(entries) for entries in pages.values()), 0)
        self.key_queue, self.version = key_queue, version + 1
        self.pages |= pages
        return True

    def put(self, key, parked):
        self.count["write"] += 1
        self.parked[key] = parked

    def keep(self, key, token):
        self.count["write"] += 1
        return self.parked[key].token == token

    def get(self, key):
        self.count["read"] += 1
        return self.parked.get(key)

    def let_go(self, key, token):
        self.count["write"] += 1
        if key in self.parked and self.parked[key].token == token:
            del self.parked[key]

    # --- queue -------------------------------------------------------------------------------------------------------

    def send(self, one, after=0.0):
        heapq.heappush(self.queue, (self.clock.now + after, self.rng.random(), next(self.numbers), one))

    def defer(self, one, seconds, **_options):
        self.count["send"] += 1
        self.send(one, seconds)
        return True

    def run(self, *, until=float("inf")):
        """Let the function handle what is visible, until nothing waits in the queue, or up to a time."""
        while self.queue and self.queue[0][0] <= until:
            self.clock.now = max(self.clock.now, self.queue[0][0])
            self.rounds += 1
            visible = []
            while self.queue and self.queue[0][0] <= self.clock.now:
                visible.append(heapq.heappop(self.queue)[3])
            for start in range(0, len(visible), BATCH):
                self._handle(visible[start : start + BATCH])
            self.clock.now += 0.1

    def _handle(self, batch):
        for one, outcome in zip(batch, self.handle(batch), strict=True):
            if isinstance(outcome, DeferredError):
                # A copy waits, and its record is written twice (``queue_consumer``).
                self.count["write"] += 2
                self.defer(one, max(1, int((outcome.retry_after or 0) + 0.999)))
            elif isinstance(outcome, ProcessingError):
                self.review.append((one, outcome.code))
            else:
                assert outcome is None


def events(numbers, **metadata):
    """Messages of the key, whose events have their numbers as ``sequence``."""
    return [message(number, sequence=f"{number:06}", **metadata) for number in numbers]
