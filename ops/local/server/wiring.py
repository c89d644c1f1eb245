"""Each correction, given the modules of MiniStack that it corrects."""

from __future__ import annotations

import importlib
from typing import Any

from ops.local.server import alarms, event_buses, permissions, queues, simulation


def correct_ministack() -> None:
    """Correct MiniStack as it is imported here.

    Raises:
        KeyError: this version of MiniStack lacks a function that is corrected.
    """
    alarms.correct(_service("cloudwatch"))
    event_buses.correct(_service("eventbridge"))
    queues.correct(_service("sqs"), _service("sns"))
    permissions.correct(importlib.import_module("ministack.core.iam_actions"))
    simulation.correct(_service("iam"), importlib.import_module("ministack.core.iam_evaluator"))


def _service(name: str) -> Any:
    return importlib.import_module(f"ministack.services.{name}")
