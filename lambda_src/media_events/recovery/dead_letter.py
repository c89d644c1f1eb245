"""Reading a message from a dead-letter queue, whoever put it there. The parser is total: it reads every message.

The reason is in the message's attributes (ours, EventBridge's, Lambda's), or in the body if that is a report. The
failed thing is in the body: an event as a rule sent it, a bare ``Detail``, a webhook's request, an SNS notification, a
Lambda invocation record, a report of the newer bus, or something unknown.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final, Literal

from media_events.core.clock import timestamp
from media_events.core.deferred import pattern
from media_events.core.envelope import EnvelopeError, Event
from media_events.core.failures import (
    FAILURE_ATTRIBUTE,
    MAX_FRAME_CHARACTERS,
    MAX_MESSAGE_CHARACTERS,
    MAX_RESPONSE_CHARACTERS,
    Failure,
    FailureClass,
    request_id,
    scrub,
)
from media_events.core.value_classes import dataclass
from media_events.messaging.message import Message
from media_events.messaging.message_origin import MessageOrigin, as_dead_lettered

Kind = Literal["consumer", "moved", "rule", "bus", "function", "sns", "junk"]
"""The origin: our own consumer, SQS itself, an EventBridge rule or its bus, EventBridge's newer bus (a report without
the event), Lambda's on-failure destination or asynchronous dead-letter queue, an SNS subscription, or unknown."""

_RULE_ATTRIBUTES: Final = (
    "RULE_ARN",
    "TARGET_ARN",
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "EXHAUSTED_RETRY_CONDITION",
    "RETRY_ATTEMPTS",
)
_LAMBDA_ATTRIBUTES: Final = ("RequestID", "ErrorCode", "ErrorMessage")
OWN_ATTRIBUTES: Final = frozenset({FAILURE_ATTRIBUTE, *_RULE_ATTRIBUTES, *_LAMBDA_ATTRIBUTES})
"""Attributes about the failure, which are dropped when a message is sent back."""

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html, with the newer bus's codes. All other codes
# are transient. Some of these are retried, too: ``core.failures.UNSETTLED_CODES``.
_PERMANENT_CONFIG: Final = frozenset(
    {"NO_PERMISSIONS", "NO_RESOURCE", "SDK_CLIENT_ERROR", "INVALID_PARAMETER", "ACCESS_DENIED", "RESOURCE_NOT_FOUND"}
    | {"THIRD_ACCOUNT_HOP_DETECTED", "THIRD_REGION_HOP_DETECTED", "CUSTOMER_VALIDATION", "EVENT_IN_CYCLE"}
)
_PERMANENT_DATA: Final = frozenset({"INVALID_JSON", "PAYLOAD_TOO_LARGE"})

MAX_EVENTS_OF_A_REPORT: Final = 1000
MAX_ID_CHARACTERS: Final = 512
_MAX_FRAME: Final = 1024
_FRAME: Final = pattern(r'File "([^"\n]{1,512})", line ([0-9]{1,9}), in ([^\n]{1,256})')
_YEAR_10000_MILLISECONDS: Final = 253_402_300_800_000
"""From here on, no timestamp can be formatted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The event's identity, as far as the message has it. ``source`` and ``event_id`` are never empty."""

    event_id: str
    source: str = "unknown"
    type: str | None = None
    partner: str | None = None
    correlation_id: str | None = None
    partition_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One failed event, request or unknown message.

    ``body`` goes back to the hop, and operators see it. ``event`` is set for an event, ``request`` for a webhook's
    request. ``replayable`` is false if the body only reports on an event. ``message_attributes`` are those that are
    sent on, as Lambda spells them.
    """

    kind: Kind
    failure: Failure
    identity: Identity
    body: str
    message_id: str
    sent_at: float
    redrive_count: int
    event: Event | None = None
    request: Mapping[str, Any] | None = None
    rule_arn: str | None = None
    group_id: str | None = None
    replayable: bool = True
    message_attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bodyref: str | None = None
    """The URI of the event's or request's claim check, if it has one."""
    first_message_id: str | None = None
    """Of a partner's own message: its original message id."""
    unidentified: bool = False
    """Whether it is a partner's own message that no function has inspected."""

    @property
    def has_no_event_id(self) -> bool:
        """Whether its message id stands in for an event id."""
        return self.first_message_id is not None and self.identity.event_id == _message_identity(self.first_message_id)


@dataclass(frozen=True, slots=True)
class _Content:
    """A body's content, unwrapped."""

    body: str
    identity: Identity
    event: Event | None = None
    request: Mapping[str, Any] | None = None


def parse(message: Message, *, hop: str, now: float, is_ingress: bool = False) -> tuple[DeadLetter, ...]:
    """Read a message from the dead-letter queue of ``hop``: one dead letter or, from a report, several. Never raises.

    ``now`` (epoch seconds) is used if the message has no time of its own. ``is_ingress``: the hop's messages are a
    partner's own, so nothing in their bodies is trusted.
    """
    sent_at = _epoch(message.attributes.get("SentTimestamp"), now)
    if is_ingress:
        return (_ingress_message(message, hop=hop, sent_at=sent_at),)
    document = _document(message.body)
    kind, failure, wrapped = _reason(message, document, hop=hop, sent=timestamp(sent_at))
    contents = tuple(_contents(message, document, kind, wrapped))
    if kind == "moved" and contents[0].event is None and contents[0].request is None and not hop.startswith("ingress/"):
        # A hop on the bus receives events only; an ingress may receive anything.
        kind = "junk"
        failure = failure.as_class(
            "permanent-data", "not-an-event", "the message is no event, and it carries no reason"
        )
    return tuple(
        DeadLetter(
            kind=kind,
            failure=failure,
            identity=content.identity,
            body=content.body,
            message_id=message.message_id,
            sent_at=sent_at,
            redrive_count=_redrive_count(message, content.event),
            event=content.event,
            request=content.request,
            rule_arn=_text(message, "RULE_ARN") if kind == "rule" else None,
            group_id=message.group_id if message.is_fifo else None,
            replayable=kind != "bus",
            message_attributes={k: v for k, v in message.message_attributes.items() if k not in OWN_ATTRIBUTES},
            bodyref=_bodyref(content),
        )
        for content in contents
    )


def believed(message: Message, *, role_id: str | None, from_rules: bool) -> Message:
    """A message from an ingress's dead-letter queue, without attributes that its sender could have set.

    Only the ingress's function, whose role is ``role_id``, says why it failed and how it came. EventBridge does so
    where only rules send to the hop (``from_rules``), and an event can't set a rule's message attributes.
    """
    message = as_dead_lettered(message, role_id=role_id)
    if from_rules:
        return message
    attributes = {name: value for name, value in message.message_attributes.items() if name not in _RULE_ATTRIBUTES}
    return replace(message, message_attributes=attributes)


def _ingress_message(message: Message, *, hop: str, sent_at: float) -> DeadLetter:
    """A partner's own message as a dead letter.

    Its source is the hop, so a partner with an invented event id can't reach the review item of another one's event.
    """
    kind, failure = _ingress_reason(message, functools.partial(_failure, hop=hop, sent=timestamp(sent_at)))
    origin = MessageOrigin.of(message)
    identity = origin.event
    about_the_failure = {FAILURE_ATTRIBUTE, *(_RULE_ATTRIBUTES if kind == "rule" else ())}
    return DeadLetter(
        kind=kind,
        failure=failure,
        identity=Identity(
            event_id=identity.get("id") or _substitute_id(message, origin, kind),
            source=hop,
            type=identity.get("type"),
            partner=identity.get("partner"),
            correlation_id=identity.get("correlationid"),
            partition_key=identity.get("partitionkey"),
        ),
        body=message.body,
        message_id=message.message_id,
        sent_at=sent_at,
        redrive_count=message.redrive_count,
        rule_arn=_text(message, "RULE_ARN") if kind == "rule" else None,
        group_id=message.group_id if message.is_fifo else None,
        message_attributes={
            name: value
            for name, value in origin.carried_by(message).message_attributes.items()
            if name not in about_the_failure
        },
        bodyref=origin.bodyref,
        first_message_id=origin.message_id or None,
        unidentified="id" not in identity and (kind != "consumer" or origin.unidentified),
    )


def _substitute_id(message: Message, origin: MessageOrigin, kind: Kind) -> str:
    """The id of a message without a known event id: EventBridge's event id, else the message's own id.

    EventBridge may dead-letter an event twice. The body is no identity: two messages may have the same one.
    """
    document = _document(message.body) if kind == "rule" else None
    identifier = _short(document.get("id")) if isinstance(document, Mapping) else None
    return f"event-{identifier}" if identifier else _message_identity(origin.message_id or _sha256(message.body)[:32])


def with_identity(
    dead_letter: DeadLetter, body: str, message_attributes: Mapping[str, Mapping[str, Any]], *, hop: str
) -> DeadLetter:
    """``dead_letter`` with the identity that the hop's function has found, and its own reason."""
    message = Message(
        body=body, message_id=dead_letter.message_id, receipt_handle="", message_attributes=message_attributes
    )
    identified = _ingress_message(message, hop=hop, sent_at=dead_letter.sent_at)
    return replace(
        dead_letter,
        identity=identified.identity,
        body=identified.body,
        bodyref=identified.bodyref,
        message_attributes=identified.message_attributes,
        unidentified=identified.unidentified,
    )


def _message_identity(message_id: str) -> str:
    return f"message-{message_id}"


def _bodyref(content: _Content) -> str | None:
    if content.event is not None:
        return content.event.metadata.dataref
    reference = None if content.request is None else content.request.get("bodyref")
    return reference if isinstance(reference, str) else None


def _ingress_reason(message: Message, make: Callable[..., Failure]) -> tuple[Kind, Failure]:
    reported = Failure.from_json(_text(message, FAILURE_ATTRIBUTE) or "")
    if reported is not None:
        return "consumer", reported
    if _text(message, "RULE_ARN") is not None or _text(message, "TARGET_ARN") is not None:
        return "rule", _rule_failure(message, make)
    # Attributes like those of Lambda's dead letters are the sender's own here.
    return _undocumented(replace(message, message_attributes={}), _document(message.body), make)


def _redrive_count(message: Message, event: Event | None) -> int:
    on_the_bus = event.metadata.redrive.count if event is not None and event.metadata.redrive is not None else 0
    return max(0, message.redrive_count, on_the_bus)


# --- why ---------------------------------------------------------------------------------------------------------


def _reason(message: Message, document: Any, *, hop: str, sent: str) -> tuple[Kind, Failure, Any]:
    """The origin and the failure; third, the inner document, if ``document`` wraps one."""
    reported = Failure.from_json(_text(message, FAILURE_ATTRIBUTE) or "")
    if reported is not None:
        return "consumer", reported, None
    make = functools.partial(_failure, hop=hop, sent=sent)
    if _text(message, "RULE_ARN") is not None or _text(message, "TARGET_ARN") is not None:
        return "rule", _rule_failure(message, make), None
    if _text(message, "ERROR_CODE") is not None:
        return "rule", _event_bus_failure(message, make), None
    if isinstance(document, Mapping):
        if isinstance(document.get("failedMessages"), list):
            return "bus", _bus_failure(document, make), None
        if isinstance(document.get("requestContext"), Mapping) and "requestPayload" in document:
            return "function", _function_failure(document, make), document["requestPayload"]
    return *_undocumented(message, document, make), None


def _failure(  # noqa: PLR0913  # the parts of a failure
    failure_class: FailureClass,
    code: str,
    text: str,
    *,
    hop: str,
    sent: str,
    count: int = 1,
    answer: Any = None,
    stack_top: str | None = None,
) -> Failure:
    return Failure(
        failure_class=failure_class,
        code=code[:128],
        message=scrub(text)[:MAX_MESSAGE_CHARACTERS],
        hop=hop,
        receivecount=count,
        firsttime=sent,
        lasttime=sent,
        response=None if answer is None else scrub(_dump(answer))[:MAX_RESPONSE_CHARACTERS],
        stack_top=stack_top,
    )


def _rule_failure(message: Message, make: Callable[..., Failure]) -> Failure:
    code = _text(message, "ERROR_CODE") or "unknown"
    condition = _text(message, "EXHAUSTED_RETRY_CONDITION")
    text = "EventBridge could not deliver to the rule's target: " + (_text(message, "ERROR_MESSAGE") or code)
    if condition is not None:
        text += f" (gave up: {condition})"
    return make(_class_of(code), f"rule-{code}", text, count=_number(_text(message, "RETRY_ATTEMPTS")) + 1)


def _event_bus_failure(message: Message, make: Callable[..., Failure]) -> Failure:
    """Of an event that a bus with a key of its own could not process, so that no rule has seen it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-dlq.html; AWS does not document the
    attributes of these dead letters, so they are taken to be those of rules as far as a bus can have them.
    """
    code = _text(message, "ERROR_CODE") or "unknown"
    text = "the event bus could not process the event: " + (_text(message, "ERROR_MESSAGE") or code)
    return make("permanent-config", f"event-bus-{code}", text, count=_number(_text(message, "RETRY_ATTEMPTS")) + 1)


def _bus_failure(document: Mapping[str, Any], make: Callable[..., Failure]) -> Failure:
    code = str(document.get("errorCode") or "unknown")
    text = f"the event bus could not deliver to the subscriber: {document.get('errorMessage') or code}"
    return make(_class_of(code), f"bus-{code}", text, count=_number(document.get("retryAttempts")) + 1)


def _undocumented(message: Message, document: Any, make: Callable[..., Failure]) -> tuple[Kind, Failure]:
    """Origins that leave the message as it was, with few attributes or none."""
    code, text = _text(message, "ErrorCode"), _text(message, "ErrorMessage")
    if _text(message, "RequestID") is not None and text is not None:
        reason = f"the function failed on every asynchronous attempt: {text}"
        return "function", make("poison", f"function-{code or 'error'}", reason)
    notification = isinstance(document, Mapping) and document.get("Type") == "Notification"
    if notification and "DeadLetterQueueSourceArn" not in message.attributes:
        return "sns", make(
            "transient", f"sns-{code or 'undeliverable'}", f"SNS could not deliver to its subscriber{_detail(text)}"
        )
    reason = "the function crashed or timed out on every receive, so SQS moved the message; see the function's log"
    return "moved", make("poison", "moved-by-sqs", reason, count=message.receive_count)


def _function_failure(document: Mapping[str, Any], make: Callable[..., Failure]) -> Failure:
    context = document["requestContext"]
    condition = str(context.get("condition") or "unknown")
    count = max(1, _number(context.get("approximateInvokeCount")))
    answer = document.get("responsePayload")
    kind = answer.get("errorType") if isinstance(answer, Mapping) else None
    text = answer.get("errorMessage") if isinstance(answer, Mapping) else None
    reported = Failure.from_json(text) if isinstance(text, str) else None
    if reported is not None:
        # Our own function gives the reason (``RetryableInvocationError``), but doesn't know the number of attempts.
        failure = make(reported.failure_class, reported.code, reported.message, count=count)
        failure = replace(
            failure, firsttime=reported.firsttime, lasttime=reported.lasttime, retryafter=reported.retryafter
        )
    else:
        failure = make(
            "expired" if condition == "EventAgeExceeded" else "poison",
            f"function-{kind or condition}",
            f"the function failed on every asynchronous attempt ({condition}){_detail(text)}",
            count=count,
            answer=answer,
            stack_top=_raised_at(answer),
        )
    return replace(failure, requestid=request_id(context.get("requestId")))


def _raised_at(answer: Any) -> str | None:
    """The innermost frame in the answer of Lambda's Python runtime: ``File "/a/b.py", line 1, in f``."""
    trace = answer.get("stackTrace") if isinstance(answer, Mapping) else None
    last = trace[-1] if isinstance(trace, list) and trace else None
    match = _FRAME.search(last[:_MAX_FRAME]) if isinstance(last, str) else None
    return None if match is None else f"{match[1].rpartition('/')[2]}:{match[2]} in {match[3]}"[:MAX_FRAME_CHARACTERS]


def _class_of(code: str) -> FailureClass:
    if code in _PERMANENT_CONFIG:
        return "permanent-config"
    if code in _PERMANENT_DATA:
        return "permanent-data"
    return "transient"


def _detail(text: Any) -> str:
    return f": {text}" if text else ""


# --- what --------------------------------------------------------------------------------------------------------


def _contents(message: Message, document: Any, kind: Kind, wrapped: Any) -> Iterator[_Content]:
    if kind == "bus":
        yield from _reported(message.body, document)
        return
    if wrapped is not None:
        body = wrapped if isinstance(wrapped, str) else _dump(wrapped)
        yield _content(body, wrapped)
        return
    inner = document
    if isinstance(document, Mapping) and document.get("Type") == "Notification":
        # The message goes back unchanged, with SNS's wrapper; its identity is inside.
        inner = _document(document.get("Message"))
        content = _content(message.body, inner)
        if content.event is not None:
            yield _Content(body=message.body, identity=content.identity, event=content.event)
            return
        inner = document
    yield _content(message.body, inner)


def _content(body: str, document: Any) -> _Content:
    if not isinstance(document, Mapping):
        return _Content(body=body, identity=_unknown(body))
    request = document.get("request")
    if isinstance(request, Mapping):
        return _Content(body=body, identity=_request_identity(request), request=request)
    detail = document.get("detail", document)
    try:
        event = Event.from_detail(detail)
    except EnvelopeError:
        return _Content(body=body, identity=_foreign(body, document))
    metadata = event.metadata
    return _Content(
        body=body,
        event=event,
        identity=Identity(
            event_id=metadata.id,
            source=metadata.source,
            type=metadata.type,
            partner=metadata.partner,
            correlation_id=metadata.correlationid,
            partition_key=metadata.partitionkey,
        ),
    )


def _unknown(body: str) -> Identity:
    # Not the message id: the same body that fails again is the same case.
    return Identity(event_id="body-" + _sha256(body)[:32])


def _foreign(body: str, document: Mapping[str, Any]) -> Identity:
    """The identity of an EventBridge event without our envelope, else of an unknown body."""
    identifier, source, kind = (_short(document.get(name)) for name in ("id", "source", "detail-type"))
    if identifier is None or "detail" not in document:
        return _unknown(body)
    return Identity(event_id=identifier, source=source or "unknown", type=kind)


def _request_identity(request: Mapping[str, Any]) -> Identity:
    partner = _short(request.get("partner"))
    return Identity(
        event_id=_short(request.get("id")) or "request-" + _sha256(_dump(request))[:32],
        source=f"partner.{partner}" if partner else "unknown",
        partner=partner,
    )


def _reported(body: str, document: Any) -> Iterator[_Content]:
    """The events in a report of the newer bus; the report itself if it names none."""
    failed = [entry for entry in document["failedMessages"] if isinstance(entry, Mapping)]
    for entry in failed[:MAX_EVENTS_OF_A_REPORT]:
        identifier = _short(entry.get("eventId"))
        if identifier is None:
            continue
        report = _dump({**{k: v for k, v in document.items() if k != "failedMessages"}, "failedMessages": [entry]})
        yield _Content(
            body=report,
            identity=Identity(
                event_id=identifier,
                source=_short(document.get("busArn")) or "unknown",
                partition_key=_short(entry.get("eventGroupId")),
            ),
        )
    if not any(_short(entry.get("eventId")) for entry in failed[:MAX_EVENTS_OF_A_REPORT]):
        yield _Content(body=body, identity=_unknown(body))


# --- small readers -----------------------------------------------------------------------------------------------


def _text(message: Message, attribute: str) -> str | None:
    value = message.message_attributes.get(attribute)
    text = value.get("stringValue") if isinstance(value, Mapping) else None
    return text if isinstance(text, str) and text else None


def _document(text: Any) -> Any:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return ""


def _short(value: Any) -> str | None:
    """``value`` if it is text that fits a key of the review table, else ``None``."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS else None


def _number(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError, OverflowError):
        return 0


def _epoch(milliseconds: str | None, otherwise: float) -> float:
    number = _number(milliseconds)
    return number / 1000 if 0 < number < _YEAR_10000_MILLISECONDS else otherwise


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
