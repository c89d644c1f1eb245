"""The account's quotas are enough for what is deployed, by Service Quotas, and IAM's by its own summary.

Quotas are looked up by their names in the lists of Service Quotas, which AWS's pages use too, not by codes from memory.
That of alarms is left out: PutMetricAlarm may answer LimitExceeded, but no page that we could read names its quota
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from media_events.core.json_fields import mapping
from media_events_kit.ops.verify.asking import NotToldError, Problem, ask, ask_pages, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "quotas"
KEPT_BACK: Final = 100
"""Executions that Lambda keeps for functions without reserved concurrency.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

NEARLY: Final = 0.8
"""From this share of a quota on, the next change of the workflow may meet it."""


def check(deployed: Deployed) -> Iterator[Finding]:
    """Lambda's concurrency, EventBridge's rules per bus, IAM's roles and policies."""
    asked: tuple[tuple[str, str, str, Callable[[Deployed], int]], ...] = (
        ("lambda", "Concurrent executions", "executions at a time", _concurrency),
        ("events", "Number of rules", f"rules on {deployed.bus_name}", lambda d: len(d.rules())),
    )
    for service, name, subject, needed in asked:
        yield judged(
            CHECK,
            f"{service}: {name}",
            "is enough",
            _of_service_quotas,
            deployed,
            service,
            name,
            subject,
            needed,
        )
    for kind in ("Roles", "Policies"):
        yield judged(CHECK, f"iam: {kind}", "is enough", _of_iam, deployed, kind)


def _of_service_quotas(
    deployed: Deployed, service: str, name: str, subject: str, needed: Callable[[Deployed], int]
) -> Iterator[Problem]:
    yield from _compare(needed(deployed), _quota(deployed, service, name), subject)


def _compare(needed: int, quota: float, subject: str) -> Iterator[Problem]:
    if needed > quota * NEARLY:
        verb = "exceed" if needed > quota else "come near"
        yield Problem(
            f"{needed} {subject} {verb} the quota of {quota:.0f}", "ask for more in the Service Quotas console"
        )


def _quota(deployed: Deployed, service: str, name: str) -> float:
    """A quota's applied value, else AWS's default: Service Quotas lists no value of what was never changed for some."""
    client = deployed.client("service-quotas")
    for call, action in (
        (client.list_service_quotas, "servicequotas:ListServiceQuotas"),
        (client.list_aws_default_service_quotas, "servicequotas:ListAWSDefaultServiceQuotas"),
    ):
        for quota in ask_pages(call, action, "Quotas", ServiceCode=service):
            if str(quota.get("QuotaName")).lower() == name.lower():
                return float(quota["Value"])
    raise NotToldError(
        f"Service Quotas lists no quota {name!r} of {service}", "look it up in the Service Quotas console"
    )


def _concurrency(deployed: Deployed) -> int:
    """The most executions at a time: what is reserved, and the maximum of each queue's consumer; Lambda's part too."""
    total = 0
    for hop, name in deployed.functions.items():
        client = deployed.client("lambda")
        answer = ask(client.get_function_concurrency, "lambda:GetFunctionConcurrency", FunctionName=name)
        reserved = answer.get("ReservedConcurrentExecutions")
        scaling = [
            mapping(source.get("ScalingConfig")).get("MaximumConcurrency") for source in deployed.event_sources(hop)
        ]
        total += sum(most for most in scaling if most is not None) if reserved is None else reserved
    return total + KEPT_BACK


def _of_iam(deployed: Deployed, kind: str) -> Iterator[Problem]:
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    summary = mapping(ask(deployed.client("iam").get_account_summary, "iam:GetAccountSummary").get("SummaryMap"))
    used, quota = summary.get(kind), summary.get(f"{kind}Quota")
    if used is None or quota is None:
        raise NotToldError(f"IAM's summary has no {kind}Quota", "look it up in the Service Quotas console")
    yield from _compare(used, quota, f"{kind.lower()} in the account")
