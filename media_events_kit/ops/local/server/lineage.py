"""The lineage of a chain of requests: how often it has invoked each Lambda function.

Lambda finds recursive loops by it: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html. The trace
header carries it: Lambda puts the header into ``_X_AMZN_TRACE_ID``, the SDK sends it as ``X-Amzn-Trace-Id`` (in
botocore ``add_recursion_detection_header``), and SQS, SNS, S3 and Invoke pass it on. SQS has it as the system attribute
``AWSTraceHeader``, which a message keeps in its dead-letter queue. At other services, as EventBridge, the chain ends.
The header's beginning, the trace for X-Ray, goes the same way, and through EventBridge too (``traces``).

``Lineage`` has the older of its two forms, ``a87bd80c:1|68fd508a:5``: a function's hash and its count, for up to 16
functions. The meaning of the newer form is not published.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote

from media_events_kit.ops.local.server.corrections import Answer, replace

Lineage = Mapping[str, int]
"""How often a chain of requests has invoked each function, by the function's hash."""

FUNCTIONS: Final = 16
"""So many functions a header names."""

HEADER: Final = "x-amzn-trace-id"
ATTRIBUTE: Final = "AWSTraceHeader"

_TRACE: Final = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01](?=;|\Z)")


def lineage_of(header: str) -> Lineage:
    """The lineage in a trace header; empty where there is none. The SDK percent-encodes what separates functions."""
    fields = dict(part.partition("=")[::2] for part in unquote(header).split(";"))
    counted = (part.partition(":") for part in fields.get("Lineage", "").split("|"))
    return {function: int(count) for function, _, count in counted if count.isdecimal()}


def trace_of(header: str) -> str | None:
    """The trace at the beginning of a header; X-Ray drops what is none."""
    found = _TRACE.match(header)
    return None if found is None else found[0]


def header_with(lineage: Lineage, trace: str | None = None) -> str:
    """A trace header with ``lineage``; ``trace`` is its beginning, ``Root=…;Parent=…;Sampled=…``, else a new one."""
    root = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
    most = sorted(lineage.items(), key=lambda item: -item[1])[:FUNCTIONS]
    return f"{trace or root};Lineage={'|'.join(f'{function}:{count}' for function, count in most)}"


def merged(lineages: Iterable[Lineage]) -> Lineage:
    """The highest count of each function."""
    highest: dict[str, int] = {}
    for lineage in lineages:
        for function, count in lineage.items():
            highest[function] = max(count, highest.get(function, 0))
    return highest


def invoked(lineage: Lineage, function: str) -> Lineage:
    """The lineage of what ``function`` sends in an invocation that ``lineage`` led to."""
    return {**lineage, function: lineage.get(function, 0) + 1}


def hash_of(function_arn: str) -> str:
    """The eight hexadecimal digits that stand for a function, whatever its version or alias."""
    return f"{zlib.crc32(':'.join(function_arn.split(':')[:7]).encode()):08x}"


class Chain:
    """The chain of requests that the code runs in, as a context variable: MiniStack's threads copy the context."""

    def __init__(self) -> None:
        self._lineage: ContextVar[Lineage | None] = ContextVar("lineage", default=None)
        self.trace: ContextVar[str | None] = ContextVar("trace", default=None)
        """The trace that led here, as far as a request or EventBridge has told it."""
        self._delivery = threading.local()

    @property
    def lineage(self) -> Lineage:
        """The lineage that led here; empty at the beginning of a chain."""
        return self._lineage.get() or {}

    def continue_from(self, lineage: Lineage) -> None:
        """Go on with ``lineage``, for the rest of this context."""
        self._lineage.set(lineage)

    def read_requests(self, handler_of_ministack: Callable[..., Coroutine[Any, Any, Answer]]) -> Any:
        """For the services that pass the header on: a request's lineage is the one in its header."""

        async def handle_request(method: str, path: str, headers: Mapping[str, str], *rest: Any, **more: Any) -> Answer:
            self.continue_from(lineage_of(headers.get(HEADER, "")))
            self.trace.set(trace_of(headers.get(HEADER, "")))
            return await handler_of_ministack(method, path, headers, *rest, **more)

        return handle_request

    def mark_sent(self, attributes_of_ministack: Callable[..., dict[str, Any]]) -> Any:
        """SQS: a message that is sent has the request's header, unless the sender gave it another."""

        def build_send_sys_attrs(now: float, given: dict[str, Any]) -> dict[str, Any]:
            attributes = attributes_of_ministack(now, given)
            if self.lineage:
                attributes.setdefault(ATTRIBUTE, header_with(self.lineage, self.trace.get()))
            return attributes

        return build_send_sys_attrs

    def deliver(self, delivery_of_ministack: Callable[..., None]) -> Any:
        """SNS and S3: what they put into a queue has the header of what was published or written."""

        def deliver_to_sqs(*arguments: Any, **named: Any) -> None:
            self._delivery.lineage = self.lineage
            try:
                delivery_of_ministack(*arguments, **named)
            finally:
                self._delivery.lineage = {}

        return deliver_to_sqs

    def mark_delivered(self, fields_of_ministack: Callable[..., None]) -> Any:
        """The same, where MiniStack completes the message that is delivered."""

        def ensure_msg_fields(message: dict[str, Any]) -> None:
            fields_of_ministack(message)
            lineage = getattr(self._delivery, "lineage", None)
            if lineage:
                message["sys"].setdefault(ATTRIBUTE, header_with(lineage))

        return ensure_msg_fields


def correct(chain: Chain, sqs: Any, sns: Any, s3: Any) -> None:
    """Make ``ministack.services``' ``sqs``, ``sns`` and ``s3`` pass the lineage on."""
    for service in (sqs, sns, s3):
        replace(service, "handle_request", chain.read_requests)
    replace(sqs, "_build_send_sys_attrs", chain.mark_sent)
    replace(sqs, "_ensure_msg_fields", chain.mark_delivered)
    replace(sns, "_deliver_to_sqs", chain.deliver)
    replace(s3, "_deliver_event_to_sqs", chain.deliver)
