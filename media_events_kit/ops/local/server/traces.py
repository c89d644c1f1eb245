"""EventBridge hands an event's trace to its targets. MiniStack 1.5.33 forgets ``TraceHeader``.

A queue has it as the system attribute ``AWSTraceHeader``, and a function as ``_X_AMZN_TRACE_ID``. Headers that are none
of X-Ray's are dropped, archives don't keep them, and they have no lineage
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html). The header of the request as a
whole, which has the second place there, is left out here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any

from media_events_kit.ops.local.server.corrections import Answer, replace
from media_events_kit.ops.local.server.lineage import ATTRIBUTE, Chain, trace_of


def correct(chain: Chain, eventbridge: Any, sqs: Any) -> None:
    """Correct ``ministack.services``' ``eventbridge`` and ``sqs``."""

    def traced(put_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def put_events(data: Mapping[str, Any], **options: Any) -> Answer:
            entries = data.get("Entries") or []
            if not any(entry.get("TraceHeader") for entry in entries):
                return put_of_ministack(data, **options)
            results: list[Any] = []
            for entry in entries:  # each with its own trace
                token = chain.trace.set(trace_of(str(entry.get("TraceHeader") or "")))
                try:
                    status, headers, body = put_of_ministack({**data, "Entries": [entry]}, **options)
                finally:
                    chain.trace.reset(token)
                if status != HTTPStatus.OK:
                    return status, headers, body
                results += json.loads(body)["Entries"]
            failed = sum("ErrorCode" in result for result in results)
            return HTTPStatus.OK, headers, json.dumps({"FailedEntryCount": failed, "Entries": results}).encode()

        return put_events

    def marked(dispatch_of_ministack: Callable[..., None]) -> Callable[..., None]:
        def dispatch_to_sqs(*arguments: Any, **named: Any) -> None:
            token = delivering.set(chain.trace.get())
            try:
                dispatch_of_ministack(*arguments, **named)
            finally:
                delivering.reset(token)

        return dispatch_to_sqs

    def completed(fields_of_ministack: Callable[..., None]) -> Callable[..., None]:
        def ensure_msg_fields(message: dict[str, Any]) -> None:
            fields_of_ministack(message)
            trace = delivering.get()
            if trace is not None:
                message["sys"].setdefault(ATTRIBUTE, trace)

        return ensure_msg_fields

    delivering: ContextVar[str | None] = ContextVar("delivering a trace", default=None)
    replace(eventbridge, "_put_events", traced)
    replace(eventbridge, "_dispatch_to_sqs", marked)
    replace(sqs, "_ensure_msg_fields", completed)
