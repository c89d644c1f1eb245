"""How large a policy may be. MiniStack 1.5.33 takes any.

- IAM, without white space: 6,144 characters for a managed policy, 10,240 for all inline policies of a role together,
  2,048 for its trust policy (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
- A queue's policy: 8,192 bytes, 20 statements, 50 principals, 7 actions in a statement. The same page's limit of 10
  conditions does not say of what, so it is left out
  (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html).
- A topic's policy: 30 kb, 100 statements, 200 principals
  (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace, replace_handler

MANAGED: Final = 6_144
INLINE_OF_ROLE: Final = 10_240
TRUST: Final = 2_048


@dataclass(frozen=True, slots=True)
class ResourcePolicyLimits:
    """The most that a resource's policy may have; ``None`` where AWS names no limit."""

    size: int
    statements: int
    principals: int
    actions: int | None = None


QUEUE: Final = ResourcePolicyLimits(8_192, 20, 50, 7)
TOPIC: Final = ResourcePolicyLimits(30 * 1_024, 100, 200)


def iam_size(document: str) -> int:
    """The size of a policy document as IAM counts it."""
    return len("".join(document.split()))


def too_large(document: str, limits: ResourcePolicyLimits) -> bool:
    """Whether a resource's policy exceeds ``limits``."""
    statements = list(_statements(document))
    principals = sum(len(_listed(principal)) for statement in statements for principal in _principals(statement))
    return (
        len(document.encode()) > limits.size
        or len(statements) > limits.statements
        or principals > limits.principals
        or (limits.actions is not None and any(len(_listed(s.get("Action", []))) > limits.actions for s in statements))
    )


def _statements(document: str) -> Iterator[Mapping[str, Any]]:
    try:
        policy = json.loads(document)
    except ValueError:
        return
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    yield from statements if isinstance(statements, list) else [statements]


def _principals(statement: Mapping[str, Any]) -> list[Any]:
    principal = statement.get("Principal", [])
    return list(principal.values()) if isinstance(principal, dict) else [principal]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def correct(iam: Any, sqs: Any, sns: Any) -> None:
    """Correct ``ministack.services``' ``iam``, ``sqs`` and ``sns``."""
    _limit_iam(iam)
    for action in ("CreateQueue", "SetQueueAttributes"):
        replace_handler(sqs, action, lambda handler: _limited_queue(sqs, handler))
    for name in ("_create_topic", "_set_topic_attributes"):
        replace(sns, name, lambda handler: _limited_topic(sns, handler))


def _limit_iam(iam: Any) -> None:
    names = vars(iam)

    def limited(action: str, problem: Callable[[Mapping[str, Any], Any], str | None]) -> None:
        def limit(handler: Callable[..., Answer]) -> Callable[..., Answer]:
            def checked(params: Mapping[str, Any]) -> Answer:
                given = {name: names["_p"](params, name) for name in params}
                message = problem(given, names["_roles"])
                if message is None:
                    return handler(params)
                refusal: Answer = names["_error"](HTTPStatus.CONFLICT, "LimitExceeded", message, ns="iam")
                return refusal

            return checked

        replace_handler(iam, action, limit, handlers="_IAM_HANDLERS")

    for action in ("CreatePolicy", "CreatePolicyVersion"):
        limited(action, _managed)
    limited("PutRolePolicy", _inline)
    for action in ("CreateRole", "UpdateAssumeRolePolicy"):
        limited(action, _trust)


def _managed(given: Mapping[str, Any], _roles: Any) -> str | None:
    too_long = iam_size(given["PolicyDocument"]) > MANAGED
    return f"Cannot exceed quota for PolicySize: {MANAGED}" if too_long else None


def _inline(given: Mapping[str, Any], roles: Any) -> str | None:
    role = given["RoleName"]
    others = (roles.get(role) or {}).get("InlinePolicies", {})
    documents = {**others, given["PolicyName"]: given["PolicyDocument"]}.values()
    too_long = sum(map(iam_size, documents)) > INLINE_OF_ROLE
    return f"Maximum policy size of {INLINE_OF_ROLE} bytes exceeded for role {role}" if too_long else None


def _trust(given: Mapping[str, Any], _roles: Any) -> str | None:
    document = given.get("AssumeRolePolicyDocument") or given.get("PolicyDocument") or ""
    return f"Cannot exceed quota for ACLSizePerRole: {TRUST}" if iam_size(document) > TRUST else None


def _limited_queue(sqs: Any, handler: Callable[..., Any]) -> Callable[..., Any]:
    def limited(data: Mapping[str, Any], url: str) -> Any:
        policy = (data.get("Attributes") or {}).get("Policy")
        if policy and too_large(str(policy), QUEUE):
            raise vars(sqs)["_Err"]("InvalidAttributeValue", "Invalid value for the parameter Policy.")
        return handler(data, url)

    return limited


def _limited_topic(sns: Any, handler: Callable[..., Answer]) -> Callable[..., Answer]:
    def limited(params: Mapping[str, Any]) -> Answer:
        given = {name: value[0] if isinstance(value, list) else value for name, value in params.items()}
        attributes = {given.get("AttributeName"): given.get("AttributeValue")} | {
            value: given.get(f"{name.removesuffix('.key')}.value")
            for name, value in given.items()
            if name.startswith("Attributes.entry.") and name.endswith(".key")
        }
        if too_large(str(attributes.get("Policy") or ""), TOPIC):
            answer: Answer = vars(sns)["_error"](
                "InvalidParameter", "Invalid parameter: Policy", HTTPStatus.BAD_REQUEST
            )
            return answer
        return handler(params)

    return limited
