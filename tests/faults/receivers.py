"""Destinations that flap, refuse some events for good, kill some deliverers, and count the real effects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from media_events.core.failures import TransientError
from media_events.outbound_http.client import Request, Response
from tests.faults.aws_model.scheduler import Killed, World, event_id_of, subject_of

FLAP_SECONDS = 300
RETRY_AFTER = ("7", "7", "7", "90", "1800", "Wed, 21 Oct 2026 07:28:00 GMT", "soon")
"""Seconds, a date, or nonsense (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after)."""


@dataclass
class HttpReceiver:
    """An HTTP endpoint. ``idempotent`` ones know an ``Idempotency-Key`` again.

    ``requests`` counts what arrived and was taken, ``effects`` what came of it, ``order`` has those as they came.
    Those in ``refused`` it never takes; once ``healed``, whatever comes.
    """

    world: World
    name: str
    idempotent: bool
    healed: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)
    times: list[tuple[float, str]] = field(default_factory=list)
    """When each effect happened, and the id of its event."""
    refused: set[str] = field(default_factory=set)

    def post(self, request: Request) -> Response:
        world, mix = self.world, self.world.mix
        headers = {name.lower(): value for name, value in request.headers.items()}
        key = headers["idempotency-key"]
        mark = subject_of(key)
        world.pause(0.05 + (9 if world.strikes(f"{self.name}/slow", mark, mix.refuse / 2) else 0))
        if not self.healed:
            if world.weather(f"{self.name}/down", str(int(world.now // FLAP_SECONDS)), mix.flap):
                moment = str(int(world.now // FLAP_SECONDS))
                wait = RETRY_AFTER[int(len(RETRY_AFTER) * world.fixed(f"{self.name}/retry-after", moment))]
                return Response(503, {"retry-after": wait}, b"maintenance")
            if mark in self.refused or world.weather(f"{self.name}/refuses", mark, mix.fated, lasting=True):
                return Response(422, {}, b"no such title")
            if world.weather(f"{self.name}/never-ready", mark, mix.fated / 2, lasting=True):
                return Response(503, {}, b"not yet")
            if world.weather(f"{self.name}/deadly", mark, mix.fated / 8, lasting=True):
                world.tell(f"{self.name} kills its deliverer", mark)
                if world.current is not None:
                    world.current.disturbed = True
                raise Killed
        self._take(mark, key)
        if world.strikes(f"{self.name}/kill-after", mark, mix.kill):
            raise Killed
        if world.strikes(f"{self.name}/lose-answer", mark, mix.lose_answer):
            if world.current is not None:
                world.current.effects.discard((self.name, mark))
            world.windows[(self.name, mark)] += 1
            raise TransientError("http-timeout", "no answer in time")
        return Response(200, {}, b"thanks")

    def _take(self, mark: str, key: str) -> None:
        self.requests[mark] += 1
        if not self.idempotent or key not in self.keys:
            self.keys.add(key)
            self.effects[mark] += 1
            self.order.append(mark)
            self.times.append((self.world.now, event_id_of(key)))
        self.world.tell(f"effect at {self.name}", mark)
        if self.world.current is not None:
            self.world.current.effects.add((self.name, mark))
