"""Steps with the user's own code: a Lambda function, or a Python function of a layer."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import field
from types import TracebackType
from typing import Any, Final

from media_events.core.envelope import Event
from media_events.core.failures import PermanentConfigError, PermanentDataError, ProcessingError, TransientError
from media_events.core.value_classes import dataclass
from media_events.transform.aws_lookups import parsed_json
from media_events.transform.lookup import RESERVED_SECONDS
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Step, several

_DATA_FAULTS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors of Python about data: the same event would raise them again."""

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, invocation payload, synchronous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStep(Step):
    """Invokes a user's Lambda function with ``{"metadata", "data"}``.

    The result is an object (the new ``data``), a list of objects (several events, with ids as after a split) or
    ``null`` (a drop).
    """

    function_arn: str
    timeout_seconds: float
    asks: bool = True

    def __call__(self, event: Event, ports: TransformPorts) -> list[Event]:
        if ports.seconds_left() - RESERVED_SECONDS < self.timeout_seconds:
            # It would go on after our time-out, and then be invoked again.
            raise TransientError("no-time-left", f"{self.where}: the function has no time left for it", retry_after=1.0)
        try:
            payload = event.to_json()
            size = len(payload.encode())
        except (ValueError, TypeError, RecursionError):
            raise PermanentDataError(
                "not-json", f"{self.where}: the event holds a value that JSON can't express"
            ) from None
        if size > MAX_PAYLOAD_BYTES:
            raise PermanentDataError(
                "call-too-large", f"{self.where}: the event takes {size} bytes, a function {MAX_PAYLOAD_BYTES}"
            )
        content = ports.functions.answer(self.function_arn, payload, timeout_seconds=self.timeout_seconds)
        try:
            answer = parsed_json(content or b"null")
        except ValueError:
            raise PermanentConfigError("call-answer", f"{self.where}: the function answered with no JSON") from None
        return outcome(event, answer, self.where, "call-answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonStep(Step):
    """Calls a user's Python function in this process; its result is as for :class:`CallStep`.

    It gets one event at a time, since it need not be safe for threads.
    """

    function: str
    asks: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def __call__(self, event: Event, ports: TransformPorts) -> list[Event]:
        function = ports.load(self.function)
        detail = _copied(event.to_detail(), self.where)  # the function may change its copy
        try:
            with self.lock:
                answer = function(detail)
        except ProcessingError:
            raise
        except (Exception, SystemExit) as error:
            raise self._raised(error) from error
        try:
            text = json.dumps(answer, allow_nan=False)
            # Not three copies of the event at once.
            del detail, answer
            answer = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise PermanentConfigError(
                "python-answer",
                f"{self.where}: {self.function} returned a value that JSON can't express ({type(error).__name__})",
            ) from None
        return outcome(event, answer, self.where, "python-answer")

    def _raised(self, error: BaseException) -> ProcessingError:
        kind = type(error).__name__
        message = f"{self.where}: {self.function} raised {kind} at {_place(error.__traceback__)}"
        failure = PermanentDataError if isinstance(error, _DATA_FAULTS) else TransientError
        return failure(f"python-{kind}", message, response=str(error) or None)


def outcome(event: Event, answer: Any, where: str, code: str) -> list[Event]:
    """The events that the ``answer`` of the user's code makes of ``event``.

    Raises:
        PermanentConfigError: with ``code``; ``answer`` is neither an object, a list of objects nor null.
        PermanentDataError: see :func:`several`.
    """
    if answer is None:
        return []
    if isinstance(answer, Mapping):
        return [Event(event.metadata, answer)]
    if isinstance(answer, list) and all(isinstance(item, Mapping) for item in answer):
        return several(event, [(str(i), Event(event.metadata, item)) for i, item in enumerate(answer)], where)
    raise PermanentConfigError(
        code, f"{where}: it must return an object (the new data), a list of objects (several events) or null (a drop)"
    )


def _copied(detail: Mapping[str, Any], where: str) -> dict[str, Any]:
    try:
        copy: dict[str, Any] = json.loads(json.dumps(detail, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise PermanentDataError("not-json", f"{where}: the event holds a value that JSON can't express") from None
    return copy


def _place(trace: TracebackType | None) -> str:
    """The innermost place, as ``file.py:12``."""
    place = "an unknown place"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
