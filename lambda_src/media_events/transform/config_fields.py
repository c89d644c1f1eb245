"""Fields of a step that hold JMESPath, or paths into ``data``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from jmespath.parser import ParsedResult

from media_events.core.config_fields import Fields
from media_events.transform.expressions import ExpressionError, Path, compiled, parsed_path

T = TypeVar("T")


class StepFields(Fields):
    """One object of a step's configuration."""

    def read(self, key: str, parse: Callable[[Any], T], value: Any) -> T | None:
        """``value`` as ``parse`` reads it; an :class:`ExpressionError` is noted as the problem of ``key``."""
        try:
            return parse(value)
        except ExpressionError as error:
            self.problem(key, str(error))
            return None

    def expression(self, key: str) -> ParsedResult | None:
        """The JMESPath expression at ``key``, which must be there."""
        return self.read(key, compiled, self.take(key))

    def optional_expression(self, key: str) -> ParsedResult | None:
        """The JMESPath expression at ``key``, if there is one."""
        value = self.take(key)
        return None if value is None else self.read(key, compiled, value)

    def data_path(self, key: str) -> Path | None:
        """The path into ``data`` at ``key``, if there is one."""
        value = self.take(key)
        return None if value is None else self.read(key, parsed_path, value)
