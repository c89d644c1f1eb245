"""What a change does to events, in the operator's words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Consequence = Literal["lost", "repeated", "fails", "note"]
"""``lost``: events would be. ``repeated``: an effect may be. ``fails``: Terraform would. ``note``: nothing of these."""

AT_RISK: Final[tuple[Consequence, ...]] = ("lost", "repeated", "fails")

HopChangeKind = Literal["appears", "goes", "changes", "retires"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HopChange:
    """A hop that a plan changes, and how: ``what`` says from what to what."""

    hop: str
    kind: HopChangeKind
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One consequence for a ``subject``: what happens, and what to do instead."""

    consequence: Consequence
    subject: str
    what: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All of it. ``unknown`` names what AWS was not asked, or did not tell."""

    hops: Sequence[HopChange] = ()
    findings: Sequence[Finding] = ()
    unknown: Sequence[str] = field(default_factory=tuple)

    @property
    def at_risk(self) -> bool:
        """Whether something would be lost or repeated, or fail."""
        return any(finding.consequence in AT_RISK for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        counted = Counter(finding.consequence for finding in self.findings)
        return {
            "at_risk": self.at_risk,
            "counts": {consequence: counted[consequence] for consequence in (*AT_RISK, "note")},
            "hops": [asdict(hop) for hop in self.hops],
            "findings": [asdict(finding) for finding in self.findings],
            "unknown": list(self.unknown),
        }
