"""What becomes of a dead letter: it waits, goes back to the hop that failed and only there, or waits for a person.

No state is kept between invocations. When a letter is due follows from when it was sent, how often it has been sent
back and its message id; until then it stays in its queue, invisible.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast

from media_events.core.configuration import ConfigurationError
from media_events.core.failures import (
    MAX_FRAME_CHARACTERS,
    MAX_MESSAGE_CHARACTERS,
    MAX_RESPONSE_CHARACTERS,
    REDRIVE_COUNT_ATTRIBUTE,
    WAITING_ATTRIBUTES,
    Failure,
    scrub,
)
from media_events.messaging.message_origin import FIRST_FAILED_ATTRIBUTE
from media_events.messaging.queue_consumer import MAX_VISIBILITY_SECONDS, timestamp
from media_events.recovery.dead_letter import DeadLetter
from media_events.recovery.review_item import Attempt, ReturnTo, ReviewItem, group_id, item_id

MAX_POISON_REDRIVES: Final = 1
"""What crashed a function is tried once more, in case the function was to blame, and no more than that."""

MIN_TURN_SECONDS: Final = 15.0
MAX_TURN_SECONDS: Final = 600.0

RouteBack = Literal["queue", "bus", "function", "none"]
"""``none``: a person looks at every letter, for nothing could take it again."""

MAX_ATTRIBUTES: Final = 10
LAST_RECEIVE: Final = 1000
"""As often as a message may be received at most, whatever its hop says."""
_MAX_KEY_BYTES: Final = 1024
_HTTP_STATUS: Final = re.compile(r"http-([1-5][0-9]{2})")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z\Z")


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


def turn_seconds(late: float, salt: str) -> int:
    """How long a letter waits that has been due for ``late`` seconds and whose turn its function has no time to await.

    In proportion to ``late``, so that each of ten thousand is looked at a dozen times and not a thousand; spread, so
    that they don't come all at once.
    """
    full = min(MAX_TURN_SECONDS, max(MIN_TURN_SECONDS, late / 2))
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
    route_back: RouteBack
    queue_url: str | None = None
    function_arn: str | None = None
    policy: RedrivePolicy = field(default_factory=RedrivePolicy)
    ledger_table: str | None = None
    """Where the breaker of the destination is, if it has one."""
    consumer_arn: str | None = None
    """The function that consumes the hop's queue, where it may be handed one message alone."""

    @property
    def describer_arn(self) -> str | None:
        """The function that can tell what is in a partner's own message, if this is a hop with one."""
        return (self.consumer_arn or self.function_arn) if self.raw else None

    @property
    def raw(self) -> bool:
        """Whether the hop takes a partner's own messages out of a queue: the webhook alone goes back to the bus."""
        return self.hop.startswith("ingress/") and self.route_back != "bus"


@dataclass(frozen=True, slots=True)
class Wait:
    """Not due yet."""

    seconds: int


@dataclass(frozen=True, slots=True)
class SendBack:
    """Due now, and since ``late`` seconds."""

    to: ReturnTo
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class TryAlone:
    """Due since ``late`` seconds, and suspected of having crashed its function: handed to it past the queue, alone.

    In the queue it would be received together with live messages, and take them along each time.
    """

    function_arn: str
    count: int
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class AskAPerson:
    """No retry helps, or enough have been made."""

    failure: Failure


Decision = Wait | SendBack | TryAlone | AskAPerson


def decide(letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str, now: float) -> Decision:
    """What to do with ``letter`` at ``now`` (epoch seconds)."""
    failure, policy = letter.failure, queue.policy
    limit = {"transient": policy.max_count, "poison": min(policy.max_count, MAX_POISON_REDRIVES)}.get(
        failure.failure_class, 0
    )
    to = return_to(letter, queue, bus_arn=bus_arn)
    if letter.redrive_count >= limit or to.kind == "none":
        return AskAPerson(failure)
    if now - first_failed(letter) > policy.max_age_seconds:
        return AskAPerson(
            failure.as_class(
                "expired",
                failure.code,
                f"not tried again, for it first failed more than {policy.max_age_seconds:g} s ago; {failure.message}",
            )
        )
    delay = policy.delay(letter.redrive_count, letter.message_id)
    if failure.retryafter is not None:
        delay = max(delay, min(failure.retryafter, policy.max_delay_seconds))
    remaining = letter.sent_at + delay - now
    if remaining > 0:
        return Wait(min(int(remaining) + 1, MAX_VISIBILITY_SECONDS))
    count = letter.redrive_count + 1
    # A group of a FIFO queue is handled in order anyway, and its messages' place is the queue.
    if failure.failure_class == "poison" and to.kind == "queue" and to.group_id is None and queue.consumer_arn:
        return TryAlone(queue.consumer_arn, count, late=-remaining)
    return SendBack(to, count, late=-remaining)


def return_to(letter: DeadLetter, queue: DeadLetterQueue, *, bus_arn: str) -> ReturnTo:  # noqa: PLR0911  # one per way
    """Where ``letter`` is to be tried again.

    A rule's dead letter never reached the hop's queue, and one of a hop without a queue has none: they go back on the
    bus, for this hop's rule alone. What the webhook could not publish nobody has seen: it goes to every rule. A
    partner's own message has never been on our bus and must not get there as it is: it goes to its hop's queue, whoever
    dead-lettered it, or to its function, where the queue is not ours to write to. What a rule takes straight from a
    partner's bus to ours goes nowhere: nobody but EventBridge can put an event there under a partner's source.
    """
    if queue.route_back == "none":
        return ReturnTo(kind="none")
    if queue.raw:
        if queue.route_back == "queue":
            return ReturnTo(kind="queue", queue_url=queue.queue_url, group_id=letter.group_id)
        return ReturnTo(kind="record", function_arn=queue.function_arn)
    by_function = letter.request is not None or queue.route_back == "function"
    if letter.replayable and by_function and queue.function_arn is not None:
        return ReturnTo(kind="function", function_arn=queue.function_arn)
    if not letter.replayable or letter.request is not None:
        return ReturnTo(kind="none")
    if queue.route_back == "queue" and queue.queue_url is not None and letter.kind not in ("rule", "function"):
        return ReturnTo(kind="queue", queue_url=queue.queue_url, group_id=letter.group_id)
    if letter.event is not None:
        route = None if queue.hop.startswith("ingress/") else queue.hop
        return ReturnTo(kind="bus", bus_arn=bus_arn, route=route)
    return ReturnTo(kind="none")


def first_failed(letter: DeadLetter) -> float:
    """When the event first failed at this hop, in epoch seconds, as far as its message knows."""
    attribute = letter.message_attributes.get(FIRST_FAILED_ATTRIBUTE, {}).get("stringValue")
    times = [_epoch(attribute), _epoch(letter.failure.firsttime), letter.sent_at]
    return min(time for time in times if time is not None)


def attributes_to_send(letter: DeadLetter, count: int) -> dict[str, dict[str, Any]]:
    """The attributes of the message that goes back, as Lambda spells them: the original's and our two.

    SQS takes ten; where the original has more than eight, some of its own give way.
    """
    own = {
        REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)},
        FIRST_FAILED_ATTRIBUTE: {"dataType": "String", "stringValue": timestamp(first_failed(letter))},
    }
    others = {
        name: dict(value)
        for name, value in letter.message_attributes.items()
        if name not in own.keys() | WAITING_ATTRIBUTES
    }
    return {**dict(list(others.items())[: MAX_ATTRIBUTES - len(own)]), **own}


def alone(letter: DeadLetter, queue: DeadLetterQueue, count: int) -> str:
    """What the consumer is invoked with to try ``letter`` alone: a batch of one, received for the last time.

    So the consumer dead-letters it anew with its reason, should it fail otherwise than by crashing.
    """
    record = {
        "messageId": letter.message_id,
        "receiptHandle": "",
        "body": letter.body,
        "attributes": {
            "ApproximateReceiveCount": str(LAST_RECEIVE),
            "SentTimestamp": str(int(letter.sent_at * 1000)),
        },
        "messageAttributes": attributes_to_send(letter, count),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
    }
    return json.dumps({"Records": [record]}, separators=(",", ":"))


def record_of(body: str, attributes: Mapping[str, Mapping[str, Any]], message_id: str) -> str:
    """What a function is invoked with that takes a message back without its queue: ``{"record": …}``, as SQS has it."""
    return json.dumps({"record": _record(body, attributes, message_id)}, separators=(",", ":"))


def question_about(letter: DeadLetter) -> str:
    """What a way in's function is asked with what is in a message: ``{"describe": …}``, as SQS has it."""
    record = _record(letter.body, letter.message_attributes, letter.message_id)
    return json.dumps({"describe": record}, separators=(",", ":"))


def _record(body: str, attributes: Mapping[str, Mapping[str, Any]], message_id: str) -> dict[str, Any]:
    return {"messageId": message_id, "body": body, "attributes": {}, "messageAttributes": attributes}


def deduplication_id(letter: DeadLetter, count: int) -> str:
    """Fresh for every time a letter goes back, and the same if one time is carried out twice."""
    return hashlib.sha256(f"{letter.message_id}:{count}".encode(errors="surrogatepass")).hexdigest()


def review_item(letter: DeadLetter, failure: Failure, queue: DeadLetterQueue, *, bus_arn: str) -> ReviewItem:
    """The item that asks a person about ``letter``, with its body inline whatever its size.

    Whoever may write to a dead-letter queue has written its ``failure``: what goes into keys and tables is bounded.
    """
    identity = letter.identity
    sent = timestamp(letter.sent_at)
    first = failure.firsttime if _TIME.match(failure.firsttime) else sent
    last = failure.lasttime if _TIME.match(failure.lasttime) else sent
    code = failure.code[:128] or "unknown"
    message = scrub(failure.message)[:MAX_MESSAGE_CHARACTERS]
    event_id = _key(identity.event_id)
    body = letter.body.encode(errors="replace")
    return ReviewItem(
        item_id=item_id(identity.source, event_id, queue.destination),
        event_id=event_id,
        source=identity.source,
        hop=queue.hop,
        destination=queue.destination,
        status="OPEN",
        failure_class=failure.failure_class,
        error_code=code,
        error_message=message,
        attempts=(
            Attempt(
                time=last,
                failure_class=failure.failure_class,
                code=code,
                message=message,
                redrivecount=letter.redrive_count,
                message_id=letter.message_id,
                request_id=failure.requestid,
            ),
        ),
        redrive_count=letter.redrive_count,
        first_failed_at=min(first, timestamp(first_failed(letter))),
        last_failed_at=last,
        group_id=group_id(
            failure.failure_class,
            code,
            message,
            hop=queue.hop,
            destination=queue.destination,
            stack_top=failure.stack_top,
        ),
        http_status=_http_status(code),
        stack_top=None if failure.stack_top is None else failure.stack_top[:MAX_FRAME_CHARACTERS],
        kind=letter.kind,
        body=letter.body,
        body_sha256=hashlib.sha256(body).hexdigest(),
        body_size=len(body),
        return_to=return_to(letter, queue, bus_arn=bus_arn),
        correlation_id=identity.correlation_id,
        type=identity.type,
        partner=identity.partner,
        partition_key=identity.partition_key,
        response=None if failure.response is None else scrub(failure.response)[:MAX_RESPONSE_CHARACTERS],
        message_attributes=letter.message_attributes,
        edit_of=None if letter.event is None else letter.event.metadata.editof,
    )


def _http_status(code: str) -> int | None:
    match = _HTTP_STATUS.fullmatch(code)
    return None if match is None else int(match[1])


def _key(text: str) -> str:
    """``text``, or a digest where it is too long for an index."""
    octets = text.encode(errors="replace")
    return text if len(octets) <= _MAX_KEY_BYTES else "long-" + hashlib.sha256(octets).hexdigest()


def _epoch(text: Any) -> float | None:
    if not isinstance(text, str) or not _TIME.match(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def parse_queues(document: Mapping[str, Any]) -> dict[str, DeadLetterQueue]:
    """Read ``{"dead_letter_queues": {"<arn>": {...}}}``; the result is by ARN.

    Raises:
        ConfigurationError: naming every mistake.
    """
    queues = document.get("dead_letter_queues")
    if not isinstance(queues, Mapping) or not queues:
        raise ConfigurationError(["dead_letter_queues must be a map of queue ARNs to their hops"])
    problems: list[str] = []
    parsed = {str(arn): _queue(str(arn), value, problems) for arn, value in queues.items()}
    if problems:
        raise ConfigurationError(problems)
    return {arn: queue for arn, queue in parsed.items() if queue is not None}


def _queue(arn: str, value: Any, problems: list[str]) -> DeadLetterQueue | None:
    if not isinstance(value, Mapping):
        problems.append(f"{arn} must be an object")
        return None
    mistakes = [
        f"{arn}: {name} must be text" for name in ("url", "hop", "destination") if not _is_text(value.get(name))
    ]
    mistakes += [
        f"{arn}: {name} must be text or null"
        for name in ("queue_url", "function_arn", "ledger_table", "consumer_arn")
        if value.get(name) is not None and not _is_text(value.get(name))
    ]
    route_back = value.get("route_back")
    needs = {"queue": "queue_url", "function": "function_arn", "bus": None, "none": None}
    if route_back not in needs:
        mistakes.append(f"{arn}: route_back must be queue, bus, function or none")
    elif needs[route_back] is not None and value.get(needs[route_back] or "") is None:
        mistakes.append(f"{arn}: route_back = {route_back} needs {needs[route_back]}")
    policy = _policy(arn, value.get("redrive"), mistakes)
    problems.extend(mistakes)
    if mistakes:
        return None
    return DeadLetterQueue(
        arn=arn,
        url=value["url"],
        hop=value["hop"],
        destination=value["destination"],
        route_back=cast("RouteBack", route_back),
        queue_url=value.get("queue_url"),
        function_arn=value.get("function_arn"),
        policy=policy,
        ledger_table=value.get("ledger_table"),
        consumer_arn=value.get("consumer_arn"),
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _policy(arn: str, value: Any, mistakes: list[str]) -> RedrivePolicy:
    if value is None:
        return RedrivePolicy()
    if not isinstance(value, Mapping):
        mistakes.append(f"{arn}: redrive must be an object")
        return RedrivePolicy()
    numbers: dict[str, Any] = {}
    for name in ("max_count", "base_delay_seconds", "max_delay_seconds", "max_age_seconds", "max_per_second"):
        number = value.get(name)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 2**31:
            mistakes.append(f"{arn}: redrive.{name} must be a number of 0 or more")
        else:
            numbers[name] = number
    if numbers.get("max_per_second") == 0:
        mistakes.append(f"{arn}: redrive.max_per_second must be above 0; max_count = 0 switches re-driving off")
    return RedrivePolicy(**numbers)
