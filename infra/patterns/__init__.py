"""EventBridge event patterns: what AWS refuses, what matches, and why not."""

from infra.patterns.advice import advise
from infra.patterns.effective import effective_pattern, validate_hop_pattern
from infra.patterns.explanation import Mismatch, Verdict, explain
from infra.patterns.matching import matches
from infra.patterns.problems import PatternError, Problem
from infra.patterns.validation import compile_pattern, validate_pattern

__all__ = [
    "Mismatch",
    "PatternError",
    "Problem",
    "Verdict",
    "advise",
    "compile_pattern",
    "effective_pattern",
    "explain",
    "matches",
    "validate_hop_pattern",
    "validate_pattern",
]
