"""One invocation of a function: its remaining time, and its answer if the configuration is unusable."""

from __future__ import annotations

from typing import Any

from media_events.core.configuration import ConfigurationError
from media_events.core.failures import PermanentConfigError, ProcessingError
from media_events.messaging.queue_consumer import BatchHandler


def seconds_left(context: Any) -> float:
    """The rest of the invocation's time, from Lambda's ``context``."""
    return float(context.get_remaining_time_in_millis()) / 1000


def fail_all(error: ConfigurationError | ProcessingError) -> BatchHandler:
    """A handler that fails every message with ``error``, so that each dead letter has the reason."""
    unusable = isinstance(error, ConfigurationError)
    problem = PermanentConfigError("configuration-unusable", str(error)) if unusable else error
    return lambda messages: [problem] * len(messages)
