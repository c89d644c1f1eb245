"""A rule delivers to a queue only where the queue's policy lets it. MiniStack 1.5.33 asks no queue's policy.

- EventBridge needs ``sqs:SendMessage`` in the queue's policy, usually for the rule's ARN
  (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions).
- What it may not deliver goes to the target's dead-letter queue at once, with the reason as message attributes
  (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html); without one it is gone.

A target with a role is left to MiniStack: EventBridge then calls with that role's permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

SERVICE: Final = "events.amazonaws.com"
NO_PERMISSIONS: Final = "NO_PERMISSIONS"

_Dispatch = Callable[..., None]


def correct(eventbridge: Any, sqs: Any, arns: Any) -> None:
    """Correct ``ministack.services.eventbridge``, given ``ministack.services.sqs`` and ``ministack.core.arn``."""
    delivering: ContextVar[tuple[Mapping[str, Any], str] | None] = ContextVar("delivering", default=None)

    def allowed(queue_arn: str, rule_arn: str) -> bool:
        account = rule_arn.split(":")[4]
        return bool(vars(sqs)["queue_policy_allows"](queue_arn, SERVICE, rule_arn, account))

    def noting(invoke_of_ministack: _Dispatch) -> _Dispatch:
        def invoke_target(
            target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
        ) -> None:
            token = delivering.set((target, str(rule.get("Arn") or "")))
            try:
                invoke_of_ministack(target, event, rule, view)
            finally:
                delivering.reset(token)

        return invoke_target

    def asking(dispatch_of_ministack: _Dispatch) -> _Dispatch:
        def dispatch_to_sqs(spec: Any, payload: str, parameters: Any = None) -> None:
            target, rule_arn = delivering.get() or ({}, "")
            if not rule_arn or target.get("RoleArn") or allowed(str(spec), rule_arn):
                dispatch_of_ministack(spec, payload, parameters)
                return
            dead_letters = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
            queue = vars(sqs)["_queue_by_arn"](dead_letters) if dead_letters else None
            if queue is not None and allowed(dead_letters, rule_arn):
                dispatch_of_ministack(vars(arns)["parse_arn"](dead_letters), payload)
                queue["messages"][-1]["message_attributes"] = _reason(rule_arn, str(spec))

        return dispatch_to_sqs

    replace(eventbridge, "_invoke_target", noting)
    replace(eventbridge, "_dispatch_to_sqs", asking)


def _reason(rule_arn: str, target_arn: str) -> dict[str, dict[str, str]]:
    values = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": NO_PERMISSIONS,
        "ERROR_MESSAGE": "User is not authorized to perform: sqs:SendMessage on the queue",
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
