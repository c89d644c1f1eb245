"""One invocation of a function: its remaining time, and its answer if the configuration is unusable."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from media_events.core.configuration import ConfigurationError
from media_events.core.failures import PermanentConfigError, ProcessingError
from media_events.messaging.queue_consumer import BatchHandler

if TYPE_CHECKING:
    from media_events.core.tracing import Tracer


def seconds_left(context: Any) -> float:
    """The rest of the invocation's time, from Lambda's ``context``."""
    return float(context.get_remaining_time_in_millis()) / 1000


def fail_all(error: ConfigurationError | ProcessingError) -> BatchHandler:
    """A handler that fails every message with ``error``, so that each dead letter has the reason."""
    unusable = isinstance(error, ConfigurationError)
    problem = PermanentConfigError("configuration-unusable", str(error)) if unusable else error
    return lambda messages: [problem] * len(messages)


@functools.cache
def tracer(hop: str, tracing: str | None) -> Tracer | None:
    """The tracer of this sandbox's hop; ``None`` without active tracing, which then loads nothing."""
    if tracing != "Active":
        return None
    from media_events.adapters.xray import XRayDaemon  # noqa: PLC0415
    from media_events.core.tracing import Tracer  # noqa: PLC0415

    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    daemon = XRayDaemon(lambda: os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))
    return Tracer(hop=hop, invocation=lambda: os.environ.get("_X_AMZN_TRACE_ID", ""), send=daemon.send)
