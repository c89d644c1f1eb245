"""EventBridge event patterns: what AWS refuses, what matches, and why not."""

from infra.patterns.matching import matches
from infra.patterns.problems import PatternError, Problem
from infra.patterns.validation import compile_pattern, validate_pattern

__all__ = ["PatternError", "Problem", "compile_pattern", "matches", "validate_pattern"]
