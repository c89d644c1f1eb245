"""The decision about a dead letter: wait, redrive, invoke alone, or send to review.

There is no state between invocations. The time of the next redrive follows from the dead letter's sent time, redrive
count and message id; until then it stays in its queue, invisible.
"""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import Any, Final, Literal

from media_events.core.clock import epoch
from media_events.core.deferred import pattern
from media_events.core.failures import ISOLATED_ATTRIBUTE, Failure, is_unsettled
from media_events.core.value_classes import dataclass
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.messaging.queue_consumer import MAX_VISIBILITY_SECONDS
from media_events.messaging.waiting import LAST_HOURS_SECONDS, latest_wait
from media_events.recovery.dead_letter import DeadLetter
from media_events.recovery.review_item import ReturnTo

MAX_POISON_REDRIVES: Final = 1
"""A message that crashed its function is tried once more, since the function may have been at fault."""

MIN_RATE_LIMIT_DELAY_SECONDS: Final = 15.0
MAX_RATE_LIMIT_DELAY_SECONDS: Final = 600.0

TIMESTAMP: Final = pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z\Z")
"""RFC 3339 in UTC, as our failures have it."""

RedriveTarget = Literal["queue", "bus", "function", "none"]
"""``none``: every dead letter goes to review, since nothing can take it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePolicy:
    """How often, how soon and up to which age (in seconds) failures that may pass are tried again."""

    max_count: int = 3
    base_delay_seconds: float = 60
    max_delay_seconds: float = 3600
    max_age_seconds: float = 172_800
    max_per_second: float = 5
    """The rate limit of the hop's redrives, so that they don't crowd out its live traffic."""

    def delay(self, count: int, salt: str) -> float:
        """Seconds to wait before the next redrive, after ``count`` of them.

        Exponential backoff with jitter between half of it and all of it, the same for the same ``salt``.
        """
        full = min(self.max_delay_seconds, self.base_delay_seconds * 2.0 ** min(count, 30))
        digest = hashlib.sha256(f"{salt}:{count}".encode(errors="surrogatepass")).digest()
        return full * (0.5 + int.from_bytes(digest[:4], "big") / 2**33)


def rate_limit_delay_seconds(late: float, salt: str) -> int:
    """Delay before a dead letter that has been due for ``late`` seconds is read again, at its hop's rate limit.

    Proportional to ``late``, so that each of ten thousand is read a dozen times and not a thousand; with jitter.
    """
    full = min(MAX_RATE_LIMIT_DELAY_SECONDS, max(MIN_RATE_LIMIT_DELAY_SECONDS, late / 2))
    share = hashlib.sha256(f"{salt}:{int(late)}".encode(errors="surrogatepass")).digest()[0] / 255
    return int(full * (0.5 + share / 2)) + 1


def pause_seconds(remaining: float, salt: str) -> int:
    """``remaining`` seconds and up to a quarter more, so that dead letters don't all come back at once."""
    share = hashlib.sha256(salt.encode(errors="surrogatepass")).digest()[0] / 255
    return min(int(remaining * (1 + share / 4)) + 1, MAX_VISIBILITY_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterQueue:
    """A dead-letter queue, its hop, and where its messages go back to."""

    arn: str
    url: str
    hop: str
    destination: str
    redrive_target: RedriveTarget
    queue_url: str | None = None
    function_arn: str | None = None
    policy: RedrivePolicy = field(default_factory=RedrivePolicy)
    idempotency_table: str | None = None
    """The table with the destination's circuit breaker, if it has one."""
    ordered: bool = False
    """Whether the hop keeps the events of a key in their order."""
    consumer_arn: str | None = None
    """The function that consumes the hop's queue, if it may be invoked with one message alone."""
    function_role_id: str | None = None
    """Of an ingress: the unique id of its function's role. What others sent says nothing about its failure."""
    from_rules: bool = False
    """Whether only EventBridge's rules send to the ingress's queue: then their reasons are believed, too."""
    rule_arn: str | None = None
    """The hop's rule, which must take what goes back by the bus for this hop alone."""

    @property
    def inspector_arn(self) -> str | None:
        """The function that can inspect a partner's own message, if the hop has one."""
        return (self.consumer_arn or self.function_arn) if self.is_ingress else None

    @property
    def is_ingress(self) -> bool:
        """Whether the hop consumes a queue of a partner's own messages; the webhook goes to the bus and does not."""
        return self.hop.startswith("ingress/") and self.redrive_target != "bus"


@dataclass(frozen=True, slots=True)
class Wait:
    """Not due yet."""

    seconds: int


@dataclass(frozen=True, slots=True)
class RedriveToHop:
    """Due for ``late`` seconds."""

    to: ReturnTo
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class InvokeIsolated:
    """Due for ``late`` seconds; the function is invoked with it alone, and past the queue.

    If it crashed its function, it would be received there together with live messages, and fail them, too. If it is a
    partner's own message, its attributes would not be believed of who sends to the queue.
    """

    function_arn: str
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class SendToReview:
    """No retry helps, or all of them have been made."""

    failure: Failure


Decision = Wait | RedriveToHop | InvokeIsolated | SendToReview


def decide(dead_letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str, now: float) -> Decision:
    """Decide about ``dead_letter`` at ``now`` (epoch seconds)."""
    failure, policy = dead_letter.failure, queue.policy
    to = return_to(dead_letter, queue, bus_arn=bus_arn)
    if dead_letter.redrive_count >= _limit(failure, policy) or to.kind == "none":
        return SendToReview(failure)
    if now > deadline(dead_letter, policy):
        return SendToReview(
            failure.as_class(
                "expired",
                failure.code,
                f"not tried again: it first failed more than {policy.max_age_seconds:g} s ago; {failure.message}",
            )
        )
    delay = policy.delay(dead_letter.redrive_count, dead_letter.message_id)
    if failure.retryafter is not None:
        delay = max(delay, min(failure.retryafter, policy.max_delay_seconds))
    remaining = dead_letter.sent_at + delay - now
    if remaining > 0:
        return Wait(min(int(remaining) + 1, MAX_VISIBILITY_SECONDS))
    count = dead_letter.redrive_count + 1
    # A FIFO queue handles a group in order, so its messages must go back through the queue, except to an ingress: there
    # the later ones of the group have passed.
    isolated = queue.is_ingress or (is_suspected(dead_letter) and to.kind == "queue" and to.group_id is None)
    if isolated and queue.consumer_arn:
        return InvokeIsolated(queue.consumer_arn, count, late=-remaining)
    return RedriveToHop(to, count, late=-remaining)


def is_suspected(dead_letter: DeadLetter) -> bool:
    """Whether it may crash its function: it did so before, even if it has failed otherwise since."""
    return dead_letter.failure.failure_class == "poison" or ISOLATED_ATTRIBUTE in dead_letter.message_attributes


def _limit(failure: Failure, policy: RedrivePolicy) -> int:
    """How often a dead letter with ``failure`` is redriven."""
    if failure.failure_class == "transient" or is_unsettled(failure.code):
        return policy.max_count
    return min(policy.max_count, MAX_POISON_REDRIVES) if failure.failure_class == "poison" else 0


def return_to(dead_letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str) -> ReturnTo:  # noqa: PLR0911  # one per way
    """The place where ``dead_letter`` is tried again.

    - A rule's dead letter never reached the hop's queue, and a hop may have no queue: it goes to the bus, marked for
      this hop's rule alone.
    - An event that the webhook could not publish reached no one: it goes to every rule.
    - A partner's own message must not go to our bus as it is: it goes to its hop's function, which believes of nobody
      else what the message carries about its first receive, or to its hop's queue if no such function is known.
    - An event that a rule forwards from a partner's bus to ours goes nowhere: only EventBridge can put an event with a
      partner's source.
    """
    if queue.redrive_target == "none":
        return ReturnTo(kind="none")
    if queue.is_ingress:
        if queue.inspector_arn is None:
            return ReturnTo(kind="queue", queue_url=queue.queue_url, group_id=dead_letter.group_id)
        return ReturnTo(kind="record", function_arn=queue.inspector_arn)
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


def deadline(dead_letter: DeadLetter, policy: RedrivePolicy) -> float:
    """Until when (epoch seconds) ``dead_letter`` may wait for a redrive; then it goes to review.

    An event's age counts from its first failure, or from when its message was sent where that was before, so it goes to
    review before SQS forgets the message.
    """
    return min(first_failed(dead_letter) + policy.max_age_seconds, latest_wait(dead_letter.sent_at))


def is_nearly_forgotten(dead_letter: DeadLetter, now: float) -> bool:
    """Whether SQS forgets it so soon that its review item must be opened whatever is missing."""
    return now > latest_wait(dead_letter.sent_at) + LAST_HOURS_SECONDS / 2


def first_failed(dead_letter: DeadLetter) -> float:
    """The time (epoch seconds) of the event's first failure at this hop, as far as its message says."""
    attribute = dead_letter.message_attributes.get(FIRST_FAILED_ATTRIBUTE, {}).get("stringValue")
    times = [_epoch(attribute), _epoch(dead_letter.failure.firsttime), dead_letter.sent_at]
    return min(time for time in times if time is not None)


def _epoch(text: Any) -> float | None:
    return epoch(text) if isinstance(text, str) and TIMESTAMP.match(text) else None
