"""Each function may make the calls that its settings say it will, by IAM's own simulation.

``SimulatePrincipalPolicy`` judges the role's policies, its permissions boundary and the organisation's service control
policies, and changes nothing. It does not see the policies of what is called (a queue's, a key's).
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from media_events_kit.ops.verify.asking import Problem, ask_pages, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.expected_calls import Calls, calls_of
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "permissions"
SIMULATE: Final = "iam:SimulatePrincipalPolicy"
_TYPES: Final = {"dynamodb:LeadingKeys": "stringList"}
"""The keys that have several values.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each function's role allows the function's calls."""
    for hop, name in deployed.functions.items():
        yield judged(CHECK, f"role of {name}", "allows every call", _of, deployed, hop)


def _of(deployed: Deployed, hop: str) -> Iterator[Problem]:
    role = str(deployed.function(hop)["Role"])
    for calls in calls_of(deployed, hop):
        for result in _simulated(deployed, role, calls):
            if result.get("EvalDecision") != "allowed":
                yield Problem(
                    f"{result.get('EvalActionName')} on {calls.resource}: {_why(result)}",
                    "apply again; if it stays, see the role's permissions boundary and the organisation's policies",
                )


def _simulated(deployed: Deployed, role: str, calls: Calls) -> Iterator[Any]:
    return ask_pages(
        deployed.client("iam").simulate_principal_policy,
        SIMULATE,
        "EvaluationResults",
        next_field="Marker",
        PolicySourceArn=role,
        ActionNames=list(calls.actions),
        ResourceArns=[calls.resource],
        ContextEntries=[
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": _TYPES.get(key, "string")}
            for key, value in calls.context
        ],
    )


def _why(result: Any) -> str:
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "denied by the organisation"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return "denied by the permissions boundary"
    return str(result.get("EvalDecision"))
