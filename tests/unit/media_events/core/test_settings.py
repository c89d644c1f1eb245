"""Settings: every bad variable is named at once."""

from __future__ import annotations

import pytest

from media_events.core.settings import Settings, SettingsError, env
from media_events.core.value_classes import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Settings):
    table: str = env("TABLE")
    limit: int = env("LIMIT", default=10)
    rate: float | None = env("RATE", default=None)
    strict: bool = env("STRICT", default=False)


def test_variables_are_read_with_their_types_and_defaults() -> None:
    settings = Example.from_env({"TABLE": "t", "STRICT": "true", "RATE": "0.5", "LIMIT": ""})

    assert settings == Example(table="t", limit=10, rate=0.5, strict=True)


def test_every_bad_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Example.from_env({"LIMIT": "ten", "STRICT": "yes", "RATE": "fast"})

    assert caught.value.problems == [
        "TABLE is not set",
        "LIMIT must be an integer, not 'ten'",
        "RATE must be a number, not 'fast'",
        "STRICT must be true or false, not 'yes'",
    ]


def test_the_variables_and_whether_they_must_be_set_can_be_listed() -> None:
    assert Example.variables() == {"TABLE": True, "LIMIT": False, "RATE": False, "STRICT": False}
