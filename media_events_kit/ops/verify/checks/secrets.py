"""The secrets have values. None is read: ``DescribeSecret`` tells which versions there are, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events.core.json_fields import mapping
from media_events_kit.ops.verify.asking import MissingError, NotToldError, Problem, ask, judged, skipped
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "secrets"
CURRENT: Final = "AWSCURRENT"


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each secret that a function will read has a current version, and is not about to be deleted."""
    secrets: dict[str, str] = {}
    for hop in deployed.functions:
        try:
            secrets |= dict.fromkeys(secrets_in(deployed.document(hop)), hop)
        except NotToldError as error:
            yield skipped(CHECK, f"secrets of {hop}", error)
        except MissingError:
            # The check of the functions says so.
            continue
    for arn, hop in sorted(secrets.items()):
        yield judged(
            CHECK,
            f"secret {_name(arn)}",
            f"has a value, for {hop}",
            _of,
            deployed,
            arn,
            missing="make it, or correct its ARN in the workflow file",
        )


def secrets_in(document: Any) -> Iterator[str]:
    """Every secret's ARN in a configuration document, wherever a partner, destination or step names one."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if name.endswith("secret_arn") and isinstance(value, str):
                yield value
            elif name == "secret_arns" and isinstance(value, list):
                yield from (arn for arn in value if isinstance(arn, str))
            else:
                yield from secrets_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from secrets_in(value)


def _name(arn: str) -> str:
    return arn.partition(":secret:")[2] or arn


def _of(deployed: Deployed, arn: str) -> Iterator[Problem]:
    client = deployed.client("secretsmanager")
    secret = ask(client.describe_secret, "secretsmanager:DescribeSecret", SecretId=arn)
    if secret.get("DeletedDate"):
        yield Problem("is about to be deleted", f"aws secretsmanager restore-secret --secret-id {arn}")
    stages = mapping(secret.get("VersionIdsToStages")).values()
    if not any(CURRENT in labels for labels in stages):
        yield Problem("has no value", f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string …")
