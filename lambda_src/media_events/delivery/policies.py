"""The policies of any destination: circuit breaker and ordering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast, get_args

from media_events.core.config_fields import number, one_of, otherwise, refuse_unknown, whole_number

_CIRCUIT_BREAKER_KEYS: Final = frozenset({"enabled", "failures", "delay_seconds", "max_delay_seconds", "hold_seconds"})
MAX_FAILURES: Final = 10_000
MAX_DELAY_SECONDS: Final = 43_200.0
MAX_HOLD_SECONDS: Final = 10 * 86_400.0
"""Less than the two weeks that queues keep a message and the idempotency store a record."""


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

_STRICT_KEYS: Final = frozenset({"reorder_seconds", "on_failure", "hold_seconds"})
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


POLICY_KEYS: Final = frozenset({"name", "type", "circuit_breaker", "ordering", "strict"})
"""Keys that every type of destination has."""

ORDERINGS: Final = ("none", "latest", "strict")


def read_strict(value: Any, ordering: str, problems: list[str]) -> ResequencerPolicy | None:
    """Read ``strict``: ``{"reorder_seconds", "on_failure", "hold_seconds"}``, all of it optional."""
    if ordering != "strict":
        if value is not None:
            problems.append("strict: belongs to ordering: strict")
        return None
    if value is None:
        return ResequencerPolicy()
    if not isinstance(value, Mapping):
        problems.append('strict: must be an object such as {"reorder_seconds": 5, "on_failure": "block"}')
        return None
    refuse_unknown(value, _STRICT_KEYS, "strict.", problems)
    defaults = ResequencerPolicy()
    return ResequencerPolicy(
        reorder_seconds=number(
            value.get("reorder_seconds"),
            "strict.reorder_seconds",
            defaults.reorder_seconds,
            MAX_REORDER_SECONDS,
            problems,
        ),
        on_failure=cast("OnFailure", one_of(value, "on_failure", ON_FAILURE, problems, where="strict.")),
        hold_seconds=number(
            value.get("hold_seconds"), "strict.hold_seconds", defaults.hold_seconds, MAX_HOLD_SECONDS, problems
        ),
    )


def read_circuit_breaker(value: Any, problems: list[str]) -> CircuitBreakerPolicy | None:
    """Read ``circuit_breaker``: ``{"enabled", "failures", "delay_seconds", "max_delay_seconds", "hold_seconds"}``.

    All of it is optional.
    """
    if value is None:
        return CircuitBreakerPolicy()
    if not isinstance(value, Mapping):
        problems.append('circuit_breaker: must be an object such as {"failures": 10, "delay_seconds": 30}')
        return None
    refuse_unknown(value, _CIRCUIT_BREAKER_KEYS, "circuit_breaker.", problems)
    enabled = otherwise(value.get("enabled"), True)  # noqa: FBT003 - the default of a truth value
    if not isinstance(enabled, bool):
        problems.append("circuit_breaker.enabled: must be true or false")
    defaults = CircuitBreakerPolicy()
    longest = number(
        value.get("max_delay_seconds"),
        "circuit_breaker.max_delay_seconds",
        defaults.max_delay_seconds,
        MAX_DELAY_SECONDS,
        problems,
    )
    policy = CircuitBreakerPolicy(
        failures=whole_number(
            value.get("failures"), "circuit_breaker.failures", defaults.failures, MAX_FAILURES, problems
        ),
        delay_seconds=number(
            value.get("delay_seconds"),
            "circuit_breaker.delay_seconds",
            min(defaults.delay_seconds, longest),
            longest,
            problems,
        ),
        max_delay_seconds=longest,
        hold_seconds=number(
            value.get("hold_seconds"), "circuit_breaker.hold_seconds", defaults.hold_seconds, MAX_HOLD_SECONDS, problems
        ),
    )
    return policy if enabled else None
