"""EventBridge event patterns: what AWS refuses, what matches, and why not."""

from infra.patterns.problems import PatternError, Problem
from infra.patterns.validation import validate_pattern

__all__ = ["PatternError", "Problem", "validate_pattern"]
