"""Sends partners' samples through the local cloud, and tells where each arrived and what receivers got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from media_events.core.failures import ProcessingError
from media_events_kit.ops.demo.http_receiver import ReceivedRequest
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.send.player import Player, partners_of, players, sample_of
from media_events_kit.ops.send.samples import Sample, samples
from media_events_kit.ops.shared.console import OperatorError, plain
from media_events_kit.ops.trace.bootstrap import follower
from media_events_kit.ops.trace.following import Followed, Follower
from media_events_kit.ops.trace.model import EventTrace

MOST_SAMPLES: Final = 8
FOLLOW_SECONDS: Final = 45.0
SHOWN_CHARACTERS: Final = 160


@dataclass(slots=True)
class Playing:
    """Plays ``wanted`` (partner, type) after each apply; where it is empty, one sample of each type of each partner.

    ``trace`` shows a trace, ``tell`` a line. ``stop`` says whether something
    else is to be done. ``got`` counts the receiver's requests that were told.
    """

    deployment: Callable[[], Deployment]
    receiver: Receiver
    wanted: Sequence[tuple[str, str | None]]
    folder: Path
    trace: Callable[[EventTrace], None]
    tell: Callable[[str], None]
    stop: Callable[[], bool]
    got: int = field(default=0)

    def __call__(self) -> None:
        """Send the samples, and follow them.

        Raises:
            OperatorError: a partner can't be played.
        """
        deployment = self.deployment()
        following = follower(deployment)
        try:
            for player, sample in self._chosen(deployment):
                self._send(player, sample, following)
            for one in following.until(time.time() + FOLLOW_SECONDS, time.sleep, stop=self.stop):
                self.receipts()
                self._show(one)
        except ProcessingError as error:
            raise OperatorError(
                f"the local cloud does not do it: {error.message}", hint="see media-events local status"
            ) from error
        self.receipts()
        for left in following.followed:
            self._show(left)
            if not any(trace.found for trace in left.traces) and not self.stop():
                self.tell(f"{left.event_id}: no trace of it after {FOLLOW_SECONDS:.0f} s")

    def _send(self, player: Player, sample: Sample, follower: Follower) -> None:
        sent = player.send(sample)
        if sent.answer.accepted:
            for event in sent.outgoing.arrivals:
                follower.add(event.id)
            return
        self.tell(f"{player.way.partner}: {sample.name} was refused: {sent.answer.text}")
        if sent.outgoing.refusal is not None:
            self.tell(f"  {sent.outgoing.refusal}")

    def _show(self, one: Followed) -> None:
        for trace in one.traces:
            if trace.found:
                self.trace(trace)

    def _chosen(self, deployment: Deployment) -> Iterator[tuple[Player, Sample]]:
        if self.wanted:
            for player, (_, kind) in zip(
                players(deployment, [(name, None) for name, _ in self.wanted]), self.wanted, strict=True
            ):
                yield player, sample_of(player, kind, self.folder)
            return
        found = 0
        ways = {way.partner: way for way in reversed(partners_of(deployment)) if way.refusal is None}
        for way in ways.values():
            own = samples(way.partner, way.preset, self.folder)
            if not own:
                continue
            (player,) = players(deployment, [(way.partner, way.ingress)])
            told: set[str] = set()
            for sample, kinds in player.kinds(own):
                if found < MOST_SAMPLES and not told & set(kinds[:1]):
                    told |= set(kinds[:1])
                    found += 1
                    yield player, sample

    def receipts(self) -> None:
        """Tell what the receiver got since the last time."""
        requests = self.receiver.requests(self.got)
        self.got += len(requests)
        for request in requests:
            self.tell(shown(request))


def shown(request: ReceivedRequest) -> str:
    """One line about a request that a receiver got."""
    body = plain(" ".join(request.body.split()))
    cut = body if len(body) <= SHOWN_CHARACTERS else body[:SHOWN_CHARACTERS] + "…"
    return f"  {request.system} got {request.method} {request.path}, answered {request.status}: {cut}"
