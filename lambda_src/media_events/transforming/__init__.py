"""Reshaping events on their way: steps in the order in which the user wrote them (docs/transforms.md)."""

from __future__ import annotations

from media_events.transforming.hop import Transformer
from media_events.transforming.means import Means
from media_events.transforming.parsing import KINDS, longest_waits, parse_steps
from media_events.transforming.steps import Step, advance, transform

__all__ = ["KINDS", "Means", "Step", "Transformer", "advance", "longest_waits", "parse_steps", "transform"]
