"""A task of a workflow begins to wait for a partner's event."""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from media_events.adapters.boto_clients import client
from media_events.adapters.dynamodb.task_callbacks import DynamoTaskCallbacks
from media_events.adapters.powertools import instrumented, telemetry
from media_events.adapters.step_functions.task_tokens import StepFunctionsTasks
from media_events.core.failures import ProcessingError
from media_events.core.settings import Settings, env
from media_events.core.telemetry import error_location
from media_events.delivery.task_callbacks import TaskCallbacks, read_callback


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTaskTokenSettings(Settings):
    """What the function is told."""

    task_callbacks_table: str = env("TASK_CALLBACKS_TABLE")
    service_name: str | None = env("POWERTOOLS_SERVICE_NAME", default=None)
    metrics_namespace: str | None = env("POWERTOOLS_METRICS_NAMESPACE", default=None)
    log_level: str | None = env("POWERTOOLS_LOG_LEVEL", default=None)


@functools.cache
def _room() -> TaskCallbacks:
    settings = RegisterTaskTokenSettings.from_env(os.environ)
    return TaskCallbacks(
        store=DynamoTaskCallbacks(client("dynamodb"), settings.task_callbacks_table),
        tasks=StepFunctionsTasks(client("stepfunctions")),
        clock=time.time,
    )


@instrumented
def handler(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001  # Lambda hands it over
    """Write down that a task waits: ``{"key", "token", …}`` itself, or SQS records of such bodies.

    Raises:
        HopError: nothing was written down, or the task not resumed; the workflow's own ``Retry`` and ``Catch`` see its
            class's name.
    """
    if isinstance(event, Mapping) and "Records" in event:
        return _batch(event)
    return {"status": _enter(event)}


def _batch(event: Mapping[str, Any]) -> dict[str, Any]:
    failed = []
    for record in event.get("Records") or ():
        try:
            _enter(json.loads(record["body"]))
        except (ProcessingError, ValueError, RecursionError) as error:
            # The queue's own redrive policy decides how often it is tried.
            telemetry().warning(
                "task callback not registered", message_id=record.get("messageId"), **error_location(error)
            )
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _enter(document: Any) -> str:
    room = _room()
    wait = read_callback(document, now=room.clock())
    resumed = room.enter(wait)
    status = "resumed" if resumed else "waiting"
    telemetry().info("task callback registered", status=status)
    telemetry().count("TaskCallbacksRegistered")
    return status
