"""Runs the checks, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from media_events_kit.ops.verify.checks import (
    alarms,
    dead_letters,
    endpoints,
    event_sources,
    functions,
    permissions,
    queues,
    quotas,
    rules,
    secrets,
    storage,
)
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

Check = Callable[[Deployed], Iterator[Finding]]

CHECKS: Final[Mapping[str, Check]] = {
    module.CHECK: module.check
    for module in (
        *(functions, event_sources, rules, queues, storage, endpoints),
        *(secrets, permissions, quotas, alarms, dead_letters),
    )
}


def findings_of(
    deployed: Deployed, checks: Mapping[str, Check], *, begin: Callable[[str], None] = lambda _name: None
) -> Sequence[Finding]:
    """The findings of all ``checks``; ``begin`` is told of each that begins."""
    findings: list[Finding] = []
    for name, check in checks.items():
        begin(name)
        findings += check(deployed)
    return findings
