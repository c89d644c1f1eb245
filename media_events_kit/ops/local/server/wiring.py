"""Each correction, given the modules of MiniStack that it corrects."""

from __future__ import annotations

import importlib
from typing import Any

from media_events_kit.ops.local.server import (
    access,
    alarms,
    descriptions,
    event_buses,
    event_entries,
    function_output,
    leading_keys,
    lineage,
    log_keys,
    loops,
    mediaconvert,
    messages,
    missing_routes,
    objects,
    permissions,
    policies,
    policy_variables,
    query_definitions,
    queue_targets,
    queues,
    route_settings,
    senders,
    simulation,
    state_machines,
    traces,
    updates,
    xray_daemon,
)


def correct_ministack() -> None:
    """Correct MiniStack as it is imported here.

    Raises:
        KeyError: this version of MiniStack lacks a function that is corrected, or there is no key of this run.
    """
    access.correct(_core("iam_evaluator"), _service("sts"), _core("lambda_runtime"))
    alarms.correct(_service("cloudwatch"))
    event_buses.correct(_service("eventbridge"))
    mediaconvert.correct(_service("stepfunctions"), _service("eventbridge"))
    queue_targets.correct(_service("eventbridge"), _service("sqs"), _core("arn"))
    queues.correct(_service("sqs"), _service("sns"))
    messages.correct(_service("sqs"))
    senders.correct(_service("sqs"), _service("sts"))
    policies.correct(_service("iam"), _service("sqs"), _service("sns"))
    descriptions.correct(_service("lambda_svc"), _service("apigateway"), _service("eventbridge"))
    objects.correct(_service("s3"), _core("iam_evaluator"), _core("iam_actions"), _core("router"))
    chain = lineage.Chain()
    lineage.correct(chain, _service("sqs"), _service("sns"), _service("s3"))
    loops.correct(chain, _service("lambda_svc"))
    traces.correct(chain, _service("eventbridge"), _service("sqs"))
    event_entries.correct(_service("eventbridge"))  # the request as a whole, before its entries go one by one
    xray_daemon.begin()
    log_keys.correct(_service("cloudwatch_logs"), _service("kms"), _core("iam_evaluator"), _core("responses"))
    query_definitions.correct(_service("cloudwatch_logs"), _core("responses"))
    permissions.correct(_core("iam_actions"))
    leading_keys.correct(_core("iam_actions"), _core("iam_evaluator"), _service("dynamodb"))
    policy_variables.correct(_core("iam_evaluator"), _core("iam_actions"))
    state_machines.correct(_service("stepfunctions"))
    missing_routes.correct(_service("apigateway"))
    route_settings.correct(_service("apigateway"))
    updates.correct(_service("lambda_svc"), _core("lambda_runtime"))
    function_output.correct(_core("lambda_runtime"))
    simulation.correct(_service("iam"), _core("iam_evaluator"))


def _service(name: str) -> Any:
    return importlib.import_module(f"ministack.services.{name}")


def _core(name: str) -> Any:
    return importlib.import_module(f"ministack.core.{name}")
