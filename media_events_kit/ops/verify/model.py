"""Findings about a deployment, and the judgement on all of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from media_events.core.clock import timestamp

Verdict = Literal["pass", "fail", "skipped"]
"""``skipped``: it could not be found out, or there is nothing to find out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check looked at: what it found, and what to do unless all is well."""

    check: str
    subject: str
    verdict: Verdict
    found: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings, made at ``now`` (epoch seconds). If ``strict``, what was skipped counts as failed."""

    now: float
    findings: Sequence[Finding]
    strict: bool = False

    @property
    def verdict(self) -> Verdict:
        """``fail`` if one finding is, ``skipped`` if none failed and one was skipped."""
        counts = self.counts
        if counts["fail"] or (self.strict and counts["skipped"]):
            return "fail"
        return "skipped" if counts["skipped"] else "pass"

    @property
    def counts(self) -> dict[Verdict, int]:
        """The number of findings by verdict."""
        counted = Counter(finding.verdict for finding in self.findings)
        return {"pass": counted["pass"], "fail": counted["fail"], "skipped": counted["skipped"]}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "at": timestamp(self.now),
            "verdict": self.verdict,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
        }
