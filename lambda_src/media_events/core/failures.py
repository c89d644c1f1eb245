"""What failed, where and why: the record that travels with an event from the failed hop to the review desk.

A consumer that gives up on a message sends it to its dead-letter queue with one message attribute, ``failure``
(the JSON of a :class:`Failure`), and, where the message has been re-driven before, ``redrivecount``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self, cast, get_args

FailureClass = Literal["transient", "permanent-data", "permanent-config", "poison", "expired"]
"""``transient``: a retry may help. ``permanent-data``: the event is at fault. ``permanent-config``: our settings
are. ``poison``: the function crashed or timed out, seen only from outside. ``expired``: too old to be retried."""

FAILURE_CLASSES: Final = cast("tuple[FailureClass, ...]", get_args(FailureClass))

FAILURE_ATTRIBUTE: Final = "failure"
REDRIVE_COUNT_ATTRIBUTE: Final = "redrivecount"
PRIOR_ATTEMPTS_ATTRIBUTE: Final = "priorattempts"
DEFERRED_SINCE_ATTRIBUTE: Final = "deferredsince"
DEFERRAL_ATTRIBUTE: Final = "deferralof"
WAITING_ATTRIBUTES: Final = frozenset({PRIOR_ATTEMPTS_ATTRIBUTE, DEFERRED_SINCE_ATTRIBUTE, DEFERRAL_ATTRIBUTE})
"""Message attributes of a message that was put off: its receives before (Number), since when (epoch seconds, Number),
and which copy it is of which message (``<how manieth>/<message id>``). They end with the message's stay in its queue: a
dead letter doesn't have them."""

MAX_MESSAGE_CHARACTERS: Final = 1024
MAX_RESPONSE_CHARACTERS: Final = 2048
MAX_FRAME_CHARACTERS: Final = 256
MAX_REQUEST_ID_CHARACTERS: Final = 64


_REQUEST_ID: Final = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_REQUEST_ID_CHARACTERS}}}\Z")
_FOREVER_SECONDS: Final = 2**31


class ProcessingError(Exception):
    """Base of every failure that a hop reports on purpose.

    ``code`` is short, stable and greppable (``http-503``, ``mapping-failed``), the message is for a person.
    ``retry_after`` is the number of seconds that the other side asked for; ``response`` what it answered.

        raise TransientError("http-503", "the destination answered 503", retry_after=30)
    """

    failure_class: FailureClass = "transient"

    def __init__(
        self, code: str, message: str, *, retry_after: float | None = None, response: str | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.response = response


class TransientError(ProcessingError):
    """A retry may help: timeout, throttling, 429, 5xx."""


class UnansweredError(TransientError):
    """It was asked for, and no answer came in time: nobody knows whether it has happened."""


class DeferredError(TransientError):
    """Nothing was tried, for the time is not right (a paused destination): the wait must not count as an attempt.

    ``retry_after`` is the wait, ``hold_seconds`` how long a message may be put off in all.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: float, hold_seconds: float, response: str | None = None
    ) -> None:
        super().__init__(code, message, retry_after=retry_after, response=response)
        self.hold_seconds = hold_seconds


class PermanentDataError(ProcessingError):
    """The event itself is at fault: it can't be parsed, mapped or accepted, now or later."""

    failure_class = "permanent-data"


class PermanentConfigError(ProcessingError):
    """Our configuration is at fault: no permission, no such target, an unusable secret."""

    failure_class = "permanent-config"


class PoisonError(ProcessingError):
    """A function that was handed this message alone crashed on it, or did not answer."""

    failure_class = "poison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a message is in a dead-letter queue. Times are RFC 3339 text in UTC.

    ``retryafter`` are the seconds that the other side asked for at the last attempt, ``requestid`` is Lambda's id of
    that attempt, by which its log lines are found.
    """

    failure_class: FailureClass
    code: str
    message: str
    hop: str
    receivecount: int = 1
    firsttime: str
    lasttime: str
    response: str | None = None
    stack_top: str | None = None
    """Where an error arose that nobody expected: ``steps.py:41 in apply``."""
    retryafter: float | None = None
    requestid: str | None = None

    @classmethod
    def of(  # noqa: PLR0913  # the parts of a failure
        cls,
        error: BaseException,
        *,
        hop: str,
        receivecount: int,
        firsttime: str,
        lasttime: str,
        requestid: str | None = None,
    ) -> Self:
        """The record of ``error``; anything that is no :class:`ProcessingError` is a transient fault of our own."""
        stack_top = None
        if isinstance(error, ProcessingError):
            failure_class, code, message, response = (
                error.failure_class,
                error.code,
                error.message,
                error.response,
            )
        else:
            failure_class, code, response = "transient", type(error).__name__, None
            message, stack_top = str(error) or type(error).__name__, top_frame(error)
        return cls(
            failure_class=failure_class,
            code=code,
            message=scrub(message)[:MAX_MESSAGE_CHARACTERS],
            hop=hop,
            receivecount=receivecount,
            firsttime=firsttime,
            lasttime=lasttime,
            response=None if response is None else scrub(response)[:MAX_RESPONSE_CHARACTERS],
            stack_top=stack_top,
            retryafter=error.retry_after if isinstance(error, ProcessingError) else None,
            requestid=requestid,
        )

    def to_json(self) -> str:
        """The value of the ``failure`` message attribute."""
        record = asdict(self)
        record["class"] = record.pop("failure_class")
        return json.dumps({k: v for k, v in record.items() if v is not None}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Read a ``failure`` attribute; ``None`` where it is not one (anybody can write to a queue)."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, Mapping) or record.get("class") not in FAILURE_CLASSES:
            return None
        texts = {name: record.get(name) for name in ("code", "message", "hop", "firsttime", "lasttime")}
        if not all(isinstance(value, str) for value in texts.values()):
            return None
        count, response, top = record.get("receivecount"), record.get("response"), record.get("stack_top")
        return cls(
            failure_class=record["class"],
            receivecount=count if isinstance(count, int) and not isinstance(count, bool) else 1,
            response=response if isinstance(response, str) else None,
            stack_top=top[:MAX_FRAME_CHARACTERS] if isinstance(top, str) else None,
            retryafter=_seconds(record.get("retryafter")),
            requestid=request_id(record.get("requestid")),
            **cast("dict[str, Any]", texts),
        )

    def as_class(self, failure_class: FailureClass, code: str, message: str) -> Self:
        """The same failure, judged anew (``expired``, say)."""
        return replace(self, failure_class=failure_class, code=code, message=message)


def _seconds(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 < value < _FOREVER_SECONDS else None


def request_id(value: Any) -> str | None:
    """``value`` if it is a request id of Lambda's."""
    return value if isinstance(value, str) and _REQUEST_ID.match(value) else None


def top_frame(error: BaseException) -> str | None:
    """The innermost place in our own code, or in a user's, that ``error`` came through."""
    found: str | None = None
    trace = error.__traceback__
    while trace is not None:
        path, name = trace.tb_frame.f_code.co_filename, trace.tb_frame.f_code.co_name
        if not (path.startswith((sys.base_prefix, "<")) or "site-packages" in path):
            found = f"{path.rpartition('/')[2]}:{trace.tb_lineno} in {name}"
        trace = trace.tb_next
    return None if found is None else found[:MAX_FRAME_CHARACTERS]


_SECRETS: Final = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)([\"']?(?:[a-z0-9_-]{0,32}(?:token|secret|password|signature|api[_-]?key|authorization|credential)"
        r"[a-z0-9_-]{0,32})[\"']?\s{0,4}[=:]\s{0,4})(?:\"[^\"]{0,4096}\"|'[^']{0,4096}'|[^\s,;&\"'}]{1,4096})"
    ),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/=]{8,}"),
    # Of a URL that somebody has signed: Azure's; AWS's, Google's and CloudFront's are told by their names above.
    re.compile(r"(?i)(?<=[?&])sig=[^\s&\"'<>]{1,4096}"),
    re.compile(r"(?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)"),
)


def scrub(text: str) -> str:
    """Take what looks like a credential out of a text that will be stored or logged."""
    bounded = text[: 16 * 1024]
    for index, pattern in enumerate(_SECRETS):
        bounded = pattern.sub(r"\1***" if index == 1 else "***", bounded)
    return bounded
