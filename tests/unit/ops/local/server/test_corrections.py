"""A correction replaces a function that MiniStack has, and says so where it has none."""

from __future__ import annotations

from types import ModuleType

import pytest

from media_events_kit.ops.local.server.corrections import replace


def test_a_correction_calls_what_it_replaces() -> None:
    module = ModuleType("service")
    vars(module)["answer"] = lambda: 41

    replace(module, "answer", lambda original: lambda: original() + 1)

    assert vars(module)["answer"]() == 42


def test_a_correction_of_something_that_ministack_no_longer_has_stops_the_local_cloud() -> None:
    with pytest.raises(KeyError, match="answer"):
        replace(ModuleType("service"), "answer", lambda original: original)
