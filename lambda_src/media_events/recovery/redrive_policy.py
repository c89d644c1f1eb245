"""The decision about a dead letter: wait, redrive, invoke alone, or ask a person."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from media_events.core.clock import epoch
from media_events.core.failures import Failure
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.messaging.queue_consumer import MAX_VISIBILITY_SECONDS
from media_events.recovery.dead_letter import DeadLetter
from media_events.recovery.review_item import ReturnTo

MAX_POISON_REDRIVES: Final = 1
"""What crashed a function is tried once more, in case the function was to blame, and no more than that."""

MIN_RATE_LIMIT_DELAY_SECONDS: Final = 15.0

MAX_RATE_LIMIT_DELAY_SECONDS: Final = 600.0

RedriveTarget = Literal["queue", "bus", "function", "none"]
"""``none``: a person looks at every letter, for nothing could take it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePolicy:
    """How often, how soon and up to which age failures that may pass are tried again, in seconds."""

    max_count: int = 3
    base_delay_seconds: float = 60
    max_delay_seconds: float = 3600
    max_age_seconds: float = 86_400
    max_per_second: float = 5
    """How many letters of the hop go back in a second at most, so that they don't crowd out its live traffic."""

    def delay(self, count: int, salt: str) -> float:
        """Seconds that a letter waits which has been sent back ``count`` times.

        Exponential; between half of that and all of it, so that letters spread, and always the same for one ``salt``.
        """
        full = min(self.max_delay_seconds, self.base_delay_seconds * 2.0 ** min(count, 30))
        digest = hashlib.sha256(f"{salt}:{count}".encode(errors="surrogatepass")).digest()
        return full * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)


def rate_limit_delay_seconds(late: float, salt: str) -> int:
    """How long a letter waits that has been due for ``late`` seconds and whose turn its function has no time to await.

    In proportion to ``late``, so that each of ten thousand is looked at a dozen times and not a thousand; spread, so
    that they don't come all at once.
    """
    full = min(MAX_RATE_LIMIT_DELAY_SECONDS, max(MIN_RATE_LIMIT_DELAY_SECONDS, late / 2))
    share = hashlib.sha256(f"{salt}:{int(late)}".encode(errors="surrogatepass")).digest()[0] / 255
    return int(full * (0.5 + share / 2)) + 1


def pause_seconds(left: float, salt: str) -> int:
    """``left`` seconds and up to a quarter more, so that letters don't all come back at once."""
    share = hashlib.sha256(salt.encode(errors="surrogatepass")).digest()[0] / 255
    return min(int(left * (1 + share / 4)) + 1, MAX_VISIBILITY_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterQueue:
    """A dead-letter queue, the hop that it belongs to, and where its letters go back to."""

    arn: str
    url: str
    hop: str
    destination: str
    redrive_target: RedriveTarget
    queue_url: str | None = None
    function_arn: str | None = None
    policy: RedrivePolicy = field(default_factory=RedrivePolicy)
    idempotency_table: str | None = None
    """Where the breaker of the destination is, if it has one."""
    consumer_arn: str | None = None
    """The function that consumes the hop's queue, where it may be handed one message alone."""

    @property
    def inspector_arn(self) -> str | None:
        """The function that can tell what is in a partner's own message, if this is a hop with one."""
        return (self.consumer_arn or self.function_arn) if self.is_ingress else None

    @property
    def is_ingress(self) -> bool:
        """Whether the hop takes a partner's own messages out of a queue: the webhook alone goes back to the bus."""
        return self.hop.startswith("ingress/") and self.redrive_target != "bus"


@dataclass(frozen=True, slots=True)
class Wait:
    """Not due yet."""

    seconds: int


@dataclass(frozen=True, slots=True)
class RedriveToHop:
    """Due now, and since ``late`` seconds."""

    to: ReturnTo
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class InvokeIsolated:
    """Due since ``late`` seconds, and suspected of having crashed its function: handed to it past the queue, alone.

    In the queue it would be received together with live messages, and take them along each time.
    """

    function_arn: str
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class SendToReview:
    """No retry helps, or enough have been made."""

    failure: Failure


Decision = Wait | RedriveToHop | InvokeIsolated | SendToReview


def decide(dead_letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str, now: float) -> Decision:
    """What to do with ``dead_letter`` at ``now`` (epoch seconds)."""
    failure, policy = dead_letter.failure, queue.policy
    limit = {"transient": policy.max_count, "poison": min(policy.max_count, MAX_POISON_REDRIVES)}.get(
        failure.failure_class, 0
    )
    to = return_to(dead_letter, queue, bus_arn=bus_arn)
    if dead_letter.redrive_count >= limit or to.kind == "none":
        return SendToReview(failure)
    if now - first_failed(dead_letter) > policy.max_age_seconds:
        return SendToReview(
            failure.as_class(
                "expired",
                failure.code,
                f"not tried again, for it first failed more than {policy.max_age_seconds:g} s ago; {failure.message}",
            )
        )
    delay = policy.delay(dead_letter.redrive_count, dead_letter.message_id)
    if failure.retryafter is not None:
        delay = max(delay, min(failure.retryafter, policy.max_delay_seconds))
    remaining = dead_letter.sent_at + delay - now
    if remaining > 0:
        return Wait(min(int(remaining) + 1, MAX_VISIBILITY_SECONDS))
    count = dead_letter.redrive_count + 1
    # A group of a FIFO queue is handled in order anyway, and its messages' place is the queue.
    if failure.failure_class == "poison" and to.kind == "queue" and to.group_id is None and queue.consumer_arn:
        return InvokeIsolated(queue.consumer_arn, count, late=-remaining)
    return RedriveToHop(to, count, late=-remaining)


def return_to(dead_letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str) -> ReturnTo:  # noqa: PLR0911  # one per way
    """Where ``dead_letter`` is to be tried again.

    A rule's dead letter never reached the hop's queue, and one of a hop without a queue has none: they go back on the
    bus, for this hop's rule alone. What the webhook could not publish nobody has seen: it goes to every rule. A
    partner's own message has never been on our bus and must not get there as it is: it goes to its hop's queue, whoever
    dead-lettered it, or to its function, where the queue is not ours to write to. What a rule takes straight from a
    partner's bus to ours goes nowhere: nobody but EventBridge can put an event there under a partner's source.
    """
    if queue.redrive_target == "none":
        return ReturnTo(kind="none")
    if queue.is_ingress:
        if queue.redrive_target == "queue":
            return ReturnTo(kind="queue", queue_url=queue.queue_url, group_id=dead_letter.group_id)
        return ReturnTo(kind="record", function_arn=queue.function_arn)
    by_function = dead_letter.request is not None or queue.redrive_target == "function"
    if dead_letter.replayable and by_function and queue.function_arn is not None:
        return ReturnTo(kind="function", function_arn=queue.function_arn)
    if not dead_letter.replayable or dead_letter.request is not None:
        return ReturnTo(kind="none")
    if queue.redrive_target == "queue" and queue.queue_url is not None and dead_letter.kind not in ("rule", "function"):
        return ReturnTo(kind="queue", queue_url=queue.queue_url, group_id=dead_letter.group_id)
    if dead_letter.event is not None:
        route = None if queue.hop.startswith("ingress/") else queue.hop
        return ReturnTo(kind="bus", bus_arn=bus_arn, route=route)
    return ReturnTo(kind="none")


def first_failed(dead_letter: DeadLetter) -> float:
    """When the event first failed at this hop, in epoch seconds, as far as its message knows."""
    attribute = dead_letter.message_attributes.get(FIRST_FAILED_ATTRIBUTE, {}).get("stringValue")
    times = [_epoch(attribute), _epoch(dead_letter.failure.firsttime), dead_letter.sent_at]
    return min(time for time in times if time is not None)


def _epoch(text: Any) -> float | None:
    return epoch(text) if isinstance(text, str) and _TIME.match(text) else None


_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z\Z")
