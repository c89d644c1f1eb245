"""The policies of any destination: circuit breaker and ordering."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal, cast, get_args

from media_events.core.config_fields import Fields
from media_events.core.value_classes import dataclass

MAX_FAILURES: Final = 10_000
MAX_DELAY_SECONDS: Final = 43_200.0
MAX_HOLD_SECONDS: Final = 10 * 86_400.0
"""Less than the two weeks that queues keep a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreakerPolicy:
    """The settings of ``circuit_breaker``. Times are seconds.

    ``failures`` in a row open it. After ``delay_seconds`` one event is tried; after each failure the delay doubles, up
    to ``max_delay_seconds``. An event waits ``hold_seconds`` at most before it becomes a dead letter.
    """

    failures: int = 10
    delay_seconds: float = 30.0
    max_delay_seconds: float = 900.0
    hold_seconds: float = 172_800.0


OnFailure = Literal["block", "park"]
ON_FAILURE: Final = cast("tuple[OnFailure, ...]", get_args(OnFailure))
"""How later events of a key wait while the head can't be delivered: in the queue, or parked outside it."""

MAX_REORDER_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResequencerPolicy:
    """The settings of ``strict``. Times are seconds.

    An event waits ``reorder_seconds`` for earlier ones that are still on their way. Behind a head that can't be
    delivered, later events wait in the queue, ``hold_seconds`` at most before they become dead letters, or are parked.
    """

    reorder_seconds: float = 5.0
    on_failure: OnFailure = "block"
    hold_seconds: float = 172_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicies:
    """Base of every destination. ``circuit_breaker`` and ``strict`` are ``None`` where they are switched off."""

    name: str
    circuit_breaker: CircuitBreakerPolicy | None = field(default_factory=CircuitBreakerPolicy)
    latest: bool = False
    strict: ResequencerPolicy | None = None


ORDERINGS: Final = ("none", "latest", "strict")


def read_strict(destination: Fields, ordering: str) -> ResequencerPolicy | None:
    """Read ``strict``: ``{"reorder_seconds", "on_failure", "hold_seconds"}``, all of it optional."""
    fields = destination.table("strict")
    if ordering != "strict":
        if fields is not None:
            destination.problem("strict", "belongs to ordering: strict")
        return None
    defaults = ResequencerPolicy()
    if fields is None:
        return defaults
    policy = ResequencerPolicy(
        reorder_seconds=fields.number("reorder_seconds", default=defaults.reorder_seconds, high=MAX_REORDER_SECONDS),
        on_failure=cast("OnFailure", fields.choice("on_failure", ON_FAILURE, default=defaults.on_failure)),
        hold_seconds=fields.number("hold_seconds", default=defaults.hold_seconds, high=MAX_HOLD_SECONDS),
    )
    fields.done()
    return policy


def read_circuit_breaker(destination: Fields) -> CircuitBreakerPolicy | None:
    """Read ``circuit_breaker``: ``{"enabled", "failures", "delay_seconds", "max_delay_seconds", "hold_seconds"}``.

    All of it is optional.
    """
    fields = destination.table("circuit_breaker")
    defaults = CircuitBreakerPolicy()
    if fields is None:
        return defaults
    enabled = fields.boolean("enabled", default=True)
    longest = fields.number("max_delay_seconds", default=defaults.max_delay_seconds, high=MAX_DELAY_SECONDS)
    policy = CircuitBreakerPolicy(
        failures=fields.integer("failures", default=defaults.failures, low=1, high=MAX_FAILURES),
        delay_seconds=fields.number("delay_seconds", default=min(defaults.delay_seconds, longest), high=longest),
        max_delay_seconds=longest,
        hold_seconds=fields.number("hold_seconds", default=defaults.hold_seconds, high=MAX_HOLD_SECONDS),
    )
    fields.done()
    return policy if enabled else None
