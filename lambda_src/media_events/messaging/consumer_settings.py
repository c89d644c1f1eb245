"""Settings of a function that consumes a queue, or takes events from a rule directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from media_events.core.configuration import FunctionSettings
from media_events.core.settings import env
from media_events.core.value_classes import dataclass
from media_events.messaging.queue_consumer import RetryPolicy

LIMITS: Final = {
    "MAX_RECEIVE_COUNT": (1, 1_000),
    "RETRY_BASE_SECONDS": (1, 43_200),
    "RETRY_MAX_SECONDS": (1, 43_200),
}
"""The least and the greatest value of a variable; SQS hides a message for at most twelve hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSettings(FunctionSettings):
    """Retries and dead-letter queue; ``invocation`` is ``queue``, or ``direct`` for events from the rule itself.

    While a hop changes from one to the other, its function gets both: see :func:`is_batch`.
    """

    dead_letter_queue_url: str = env("DEAD_LETTER_QUEUE_URL")
    invocation: str = env("INVOCATION", default="queue")
    queue_url: str | None = env("QUEUE_URL", default=None)
    max_receive_count: int | None = env("MAX_RECEIVE_COUNT", default=None)
    retry_base_seconds: float = env("RETRY_BASE_SECONDS", default=5.0)
    retry_max_seconds: float = env("RETRY_MAX_SECONDS", default=900.0)
    router: str | None = env("ROUTER", default=None)

    @classmethod
    def contradictions(cls, environ: Mapping[str, str]) -> list[str]:
        """A function that consumes a queue needs its URL; another has no queue. Numbers are within their limits."""
        invocation = environ.get("INVOCATION") or "queue"
        if invocation not in ("queue", "direct"):
            return [f"INVOCATION must be queue or direct, not {invocation!r}"]
        needed = ("QUEUE_URL", "MAX_RECEIVE_COUNT") if invocation == "queue" else ()
        missing = [f"{variable} is not set" for variable in needed if not environ.get(variable)]
        return missing + [
            f"{variable} must be from {low} to {high}, not {environ[variable]!r}"
            for variable, (low, high) in LIMITS.items()
            if environ.get(variable) and not low <= _number(environ[variable], low) <= high
        ]

    @property
    def retry_policy(self) -> RetryPolicy:
        """The settings of the retries; without a queue, Lambda counts the attempts itself."""
        return RetryPolicy(
            max_receive_count=self.max_receive_count or 1,
            base_seconds=self.retry_base_seconds,
            max_seconds=self.retry_max_seconds,
        )


def is_batch(event: Any) -> bool:
    """Whether the function was invoked with records of a queue, and not by a rule with an event.

    The event says so itself (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html): a hop that becomes ``direct``
    may have a queue that runs empty, and one that gets a queue may have events that wait in Lambda's own.
    """
    return isinstance(event, Mapping) and "Records" in event


def _number(text: str, otherwise: float) -> float:
    """The value of a variable; ``otherwise`` if it is malformed, which the settings report themselves."""
    try:
        return float(text)
    except ValueError:
        return otherwise
