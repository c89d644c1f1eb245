"""Registers the token of a workflow's task that waits for a partner's event."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from media_events.adapters.boto_clients import client
from media_events.adapters.cloudwatch import instrumented, telemetry
from media_events.adapters.dynamodb.task_callbacks import DynamoTaskCallbacks
from media_events.adapters.step_functions.task_tokens import StepFunctionsTasks
from media_events.core.failures import ProcessingError
from media_events.core.settings import Settings, env
from media_events.core.telemetry import error_location
from media_events.core.value_classes import dataclass
from media_events.delivery.task_callbacks import TaskCallbacks, read_callback
from media_events.handlers.cold_start import during_init


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTaskTokenSettings(Settings):
    """The function's settings."""

    task_callbacks_table: str = env("TASK_CALLBACKS_TABLE")
    service_name: str | None = env("POWERTOOLS_SERVICE_NAME", default=None)
    metrics_namespace: str | None = env("POWERTOOLS_METRICS_NAMESPACE", default=None)
    log_level: str | None = env("POWERTOOLS_LOG_LEVEL", default=None)


@functools.cache
def _task_callbacks() -> TaskCallbacks:
    settings = RegisterTaskTokenSettings.from_env(os.environ)
    return TaskCallbacks(
        store=DynamoTaskCallbacks(client("dynamodb"), settings.task_callbacks_table),
        tasks=StepFunctionsTasks(client("stepfunctions", attempts=1)),
        clock=time.time,
    )


@instrumented
def handler(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001  # Lambda passes it
    """Register a task: ``{"key", "token", …}`` itself, or SQS records with such bodies.

    Raises:
        ProcessingError: nothing was registered, or the task not resumed. The workflow's own ``Retry`` and ``Catch`` see
            the name of its class.
    """
    if isinstance(event, Mapping) and "Records" in event:
        return _batch(event)
    return {"status": _register(event)}


def _batch(event: Mapping[str, Any]) -> dict[str, Any]:
    failed = []
    for record in event.get("Records") or ():
        try:
            _register(json.loads(record["body"]))
        except (ProcessingError, ValueError, RecursionError) as error:
            # The queue's own redrive policy limits the attempts.
            telemetry().warning(
                "task callback not registered", message_id=record.get("messageId"), **error_location(error)
            )
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _register(document: Any) -> str:
    callbacks = _task_callbacks()
    callback = read_callback(document, now=callbacks.clock())
    status = "resumed" if callbacks.enter(callback) else "waiting"
    telemetry().info("task callback registered", status=status)
    telemetry().count("TaskCallbacksRegistered")
    return status


during_init()
