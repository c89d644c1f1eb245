"""Our frozen dataclasses behave as the standard library's, field by field."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import FrozenInstanceError, field
from types import SimpleNamespace
from typing import Any

import pytest

from media_events.core.deferred import Deferred, pattern
from media_events.core.value_classes import dataclass


def classes(decorate: Any) -> SimpleNamespace:
    @decorate(frozen=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list)

        @property
        def sum(self) -> int:
            return self.x + self.y

    @decorate(frozen=True, kw_only=True)
    class Named:
        name: str
        secret: str = field(default="s", repr=False)
        seen: int = field(default=0, compare=False)

    @decorate(frozen=True, kw_only=True)
    class Child(Named):
        name: str = "child"
        more: int

    return SimpleNamespace(point=Point, named=Named, child=Child)


STANDARD, OURS = classes(dataclasses.dataclass), classes(dataclass)
SAME: list[Any] = [
    lambda k: dataclasses.asdict(k.point(1)),
    lambda k: dataclasses.asdict(k.point(1, 3, ["a"])),
    lambda k: dataclasses.asdict(dataclasses.replace(k.point(1), y=5)),
    lambda k: dataclasses.asdict(dataclasses.replace(k.child(more=1), name="n")),
    lambda k: repr(k.named(name="n")).rpartition(".")[2],
    lambda k: repr(k.point(y=1, x=0)).rpartition(".")[2],
    lambda k: [(f.name, f.kw_only, f.default) for f in dataclasses.fields(k.child) if f.name != "name"],
    lambda k: (k.point(1) == k.point(1, 2, []), k.point(1) == k.point(2), k.point(1) == 1),
    lambda k: k.named(name="n", seen=1) == k.named(name="n", seen=2),
    lambda k: k.named(name="n") == k.child(name="n", more=1),
    lambda k: len({k.named(name="n", seen=1), k.named(name="n", seen=2), k.named(name="m")}),
    lambda k: hash(k.named(name="n")) == hash(k.named(name="n")),
    lambda k: k.point(1).tags is k.point(1).tags,
    lambda k: (k.point(1).sum, k.point.y, k.named.secret, hasattr(k.named, "name")),
    lambda k: k.point.__match_args__,
    lambda k: copy.deepcopy(k.point(1, 2, ["a"])) == k.point(1, 2, ["a"]),
    lambda k: dataclasses.is_dataclass(k.point),
]
REFUSED: list[Any] = [
    lambda k: k.point(),
    lambda k: k.point(1, 2, [], 4),
    lambda k: k.point(1, x=1),
    lambda k: k.point(1, z=1),
    lambda k: k.point(y=1, z=1),
    lambda k: k.named("n"),
    lambda k: k.named(),
    lambda k: dataclasses.replace(k.point(1), z=1),
    lambda k: hash(k.point(1)),
]


@pytest.mark.parametrize("ask", SAME)
def test_our_classes_answer_as_those_of_the_standard_library(ask: Any) -> None:
    assert ask(OURS) == ask(STANDARD)


@pytest.mark.parametrize("ask", REFUSED)
def test_our_classes_refuse_what_those_of_the_standard_library_refuse(ask: Any) -> None:
    for kinds in (STANDARD, OURS):
        with pytest.raises(TypeError):
            ask(kinds)


@pytest.mark.parametrize("change", [lambda one: setattr(one, "x", 2), lambda one: delattr(one, "x")])
def test_our_classes_are_frozen(change: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        change(OURS.point(1))


def test_a_class_that_changes_is_the_standard_library_s() -> None:
    with pytest.raises(TypeError, match="only frozen classes"):
        dataclass(frozen=False)


def test_what_is_deferred_is_made_at_its_first_use() -> None:
    made = []
    deferred = Deferred(lambda: made.append("made") or "text")

    assert made == []
    assert (deferred.upper(), deferred.upper()) == ("TEXT", "TEXT")
    assert made == ["made"]
    with pytest.raises(AttributeError):
        deferred.absent  # noqa: B018
    assert pattern(r"a+").fullmatch("aa")
