"""The functions, their code, configuration documents and log groups."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Final

from media_events_kit.ops.verify.asking import MissingError, Problem, ask_pages, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "functions"


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each function is active, runs the built package, and finds its configuration and its log group."""
    built = built_digest(deployed)
    for hop, name in deployed.functions.items():
        yield judged(CHECK, f"function {name}", "is active and runs the built package", _of, deployed, hop, built)
    for hop in deployed.functions:
        yield judged(
            CHECK,
            f"configuration of {hop}",
            "is there, with the digest that the function expects",
            _document,
            deployed,
            hop,
        )
    for group, hop in sorted(deployed.topology.log_groups.items()):
        yield judged(CHECK, f"log group {group}", f"is there, for {hop}", _log_group, deployed, group)


def built_digest(deployed: Deployed) -> str | None:
    """The digest of the built package as Lambda has it; ``None`` where there is no package."""
    try:
        content = deployed.package.read_bytes()
    except OSError:
        return None
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _of(deployed: Deployed, hop: str, built: str | None) -> Iterator[Problem]:
    function = deployed.function(hop)
    for field, wanted in (("State", "Active"), ("LastUpdateStatus", "Successful")):
        if function.get(field, wanted) != wanted:
            reason = function.get(f"{field}Reason") or "AWS gives no reason"
            yield Problem(f"{field} is {function[field]}: {reason}", "apply again when the reason is gone")
    if built is None:
        yield Problem(
            f"there is no package {deployed.package.name} to compare with",
            "run `make package`, or name it with --package",
        )
    elif function.get("CodeSha256") != built:
        yield Problem(
            "runs another package than the built one",
            "apply again, or verify with the version that was deployed (--package for a zip of your own)",
        )


def _document(deployed: Deployed, hop: str) -> Iterator[Problem]:
    deployed.document(hop)
    yield from ()


def _log_group(deployed: Deployed, name: str) -> Iterator[Problem]:
    groups = ask_pages(
        deployed.client("logs").describe_log_groups,
        "logs:DescribeLogGroups",
        "logGroups",
        next_field="nextToken",
        logGroupNamePrefix=name,
    )
    if not any(group.get("logGroupName") == name for group in groups):
        raise MissingError
    yield from ()
