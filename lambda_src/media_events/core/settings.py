"""Settings from environment variables; one error names every variable that is missing or malformed.

A handler declares its settings as a frozen dataclass whose fields carry :func:`env` metadata::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class RedriveSettings(Settings):
        review_table: str = env("REVIEW_TABLE")
        batch_limit: int = env("BATCH_LIMIT", default=10)

    SETTINGS = RedriveSettings.from_env(os.environ)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, Self, get_type_hints

from media_events.core.value_classes import dataclass


class SettingsError(ValueError):
    """Environment variables are missing or malformed; ``problems`` has one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad environment: " + "; ".join(problems))
        self.problems = problems


def env(variable: str, *, default: Any = MISSING) -> Any:
    """A dataclass field read from ``variable``; an unset or empty variable takes ``default``, if there is one."""
    return field(default=default, metadata={"variable": variable})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Base of every handler's settings."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Build the settings from ``environ``.

        Fields may be ``str``, ``int``, ``float``, ``bool`` (``true`` or ``false``) or one of these ``| None``.

        Raises:
            SettingsError: naming every variable that is missing or malformed.
        """
        problems: list[str] = cls.contradictions(environ)
        values: dict[str, Any] = {}
        hints = get_type_hints(cls)
        for setting in fields(cls):
            variable = setting.metadata["variable"]
            text = environ.get(variable, "")
            if text == "":
                if setting.default is MISSING:
                    problems.append(f"{variable} is not set")
                continue
            try:
                values[setting.name] = _parser(hints[setting.name])(text)
            except ValueError as error:
                problems.append(f"{variable} {error}")
        if problems:
            raise SettingsError(problems)
        return cls(**values)

    @classmethod
    def contradictions(cls, environ: Mapping[str, str]) -> list[str]:  # noqa: ARG003  # for subclasses
        """One sentence for each problem of several variables together."""
        return []

    @classmethod
    def variables(cls) -> dict[str, bool]:
        """Each variable's name, and whether it must be set. Tests compare the modules' environments with it."""
        return {f.metadata["variable"]: f.default is MISSING for f in fields(cls)}


def _parser(hint: Any) -> Callable[[str], Any]:
    kinds = getattr(hint, "__args__", (hint,))
    if bool in kinds:
        return _boolean
    if int in kinds:
        return _integer
    if float in kinds:
        return _number
    return str


def _boolean(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise ValueError(f"must be true or false, not {text!r}")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"must be an integer, not {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number, not {text!r}") from None
