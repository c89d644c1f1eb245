"""Reading one object of the configuration: problems are collected, each with its field, then told all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jmespath.parser import ParsedResult

from media_events.delivery.config_fields import number, refuse_unknown
from media_events.transform.expressions import ExpressionError, Path, compiled, parsed_path


@dataclass(frozen=True, slots=True)
class Reading:
    """The object at ``where``."""

    where: str
    body: Mapping[str, Any]
    problems: list[str]

    @classmethod
    def of(cls, where: str, body: Any, known: set[str], problems: list[str]) -> Reading | None:
        """An object that has ``known`` keys only; ``None`` where it is no object."""
        if not isinstance(body, Mapping):
            problems.append(f"{where} must be an object with keys out of: {', '.join(sorted(known))}")
            return None
        refuse_unknown(body, frozenset(known), f"{where}: ", problems)
        return cls(where, body, problems)

    def wrong(self, key: str, sentence: str) -> None:
        """Note what is wrong with the value at ``key``: a sentence that begins with a verb, or any after a colon."""
        verb = sentence.startswith(("must ", "needs "))
        self.problems.append(f"{self.where}.{key}{' ' if verb else ': '}{sentence}")

    def expression(self, key: str) -> ParsedResult | None:
        """The JMESPath expression at ``key``, which must be there."""
        try:
            return compiled(self.body.get(key))
        except ExpressionError as error:
            self.wrong(key, str(error))
            return None

    def optional_expression(self, key: str) -> ParsedResult | None:
        """The JMESPath expression at ``key``, if there is one."""
        return None if self.body.get(key) is None else self.expression(key)

    def path(self, key: str) -> Path | None:
        """The path into ``data`` at ``key``, if there is one."""
        value = self.body.get(key)
        if value is None:
            return None
        try:
            return parsed_path(value)
        except ExpressionError as error:
            self.wrong(key, str(error))
            return None

    def text(self, key: str, form: re.Pattern[str], what: str) -> str:
        """The text at ``key``, which must have the ``form`` that ``what`` describes."""
        value = self.body.get(key)
        if not isinstance(value, str) or not form.match(value):
            self.wrong(key, f"must be {what}")
            return ""
        return value

    def seconds(self, key: str, default: float, up_to: float) -> float:
        """The number of seconds at ``key``, above 0 and up to ``up_to``."""
        return number(self.body.get(key), f"{self.where}.{key}", default, up_to, self.problems)

    def truth(self, key: str) -> bool:
        """The truth value at ``key``; false where there is none."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, "must be true or false")
        return value is True
