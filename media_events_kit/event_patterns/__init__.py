"""EventBridge event patterns: validation, matching, and explanations."""

from media_events_kit.event_patterns.errors import PatternError, Problem
from media_events_kit.event_patterns.explain import Mismatch, Verdict, explain
from media_events_kit.event_patterns.lint import advise
from media_events_kit.event_patterns.matcher import matches
from media_events_kit.event_patterns.rule_pattern import (
    combined_source,
    effective_pattern,
    names_source,
    unstable,
    validate_hop_pattern,
)
from media_events_kit.event_patterns.validate import compile_pattern, validate_pattern

__all__ = [
    "Mismatch",
    "PatternError",
    "Problem",
    "Verdict",
    "advise",
    "combined_source",
    "compile_pattern",
    "effective_pattern",
    "explain",
    "matches",
    "names_source",
    "unstable",
    "validate_hop_pattern",
    "validate_pattern",
]
