"""Transforms events by steps, in the order of the configuration (docs/reference/transforms.md)."""

from __future__ import annotations

from media_events.transform.config import KINDS, longest_waits, parse_steps
from media_events.transform.ports import TransformPorts
from media_events.transform.steps import Step, advance, transform
from media_events.transform.transformer import Transformer

__all__ = ["KINDS", "TransformPorts", "Step", "Transformer", "advance", "longest_waits", "parse_steps", "transform"]
