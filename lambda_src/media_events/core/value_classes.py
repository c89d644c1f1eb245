"""Frozen dataclasses that are cheap to define.

The standard library writes and compiles source for each: half a millisecond, for each of a hundred classes that a cold
start loads and mostly never uses. These share their methods. To type checkers, and to `replace`, `fields` and `asdict`,
they are dataclasses. They have no slots and no order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414  # for others to import
else:

    def dataclass(
        *,
        frozen: bool,
        slots: bool = True,  # noqa: ARG001  # ignored: a class with slots would have to be made twice
        kw_only: bool = False,
    ) -> Callable[[type], type]:
        """As `dataclasses.dataclass`, for frozen classes."""
        if not frozen:
            raise TypeError("only frozen classes: take the standard library's for others")
        return lambda cls: _made(cls, kw_only=kw_only)


_MISSING: Final = dataclasses.MISSING


class _Fields:
    """``__dataclass_fields__``, which few classes are ever asked for."""

    def __get__(self, _instance: object, owner: type) -> Any:
        shape: Any = owner.__dict__["__shape__"]
        twin = type(owner.__name__, (), {"__annotations__": shape.types, **shape.given})
        made: Any = dataclasses.dataclass(kw_only=shape.kw_only)(twin)
        owner.__dataclass_fields__ = made.__dataclass_fields__  # type: ignore[attr-defined]
        return made.__dataclass_fields__


class _Shape:
    """The fields of a class, those that it inherits first."""

    def __init__(self, cls: type, *, kw_only: bool) -> None:
        inherited: Any = next(
            (base.__dict__["__shape__"] for base in cls.__mro__ if "__shape__" in base.__dict__), None
        )
        self.kw_only = kw_only
        self.types: dict[str, Any] = dict(inherited.types) if inherited else {}
        self.given: dict[str, Any] = dict(inherited.given) if inherited else {}
        for name, annotation in cls.__annotations__.items():
            self.types[name] = annotation
            if name in cls.__dict__:
                self.given[name] = cls.__dict__[name]
        self.names = tuple(self.types)
        self.keys = frozenset(self.names)
        self.defaults: dict[str, Any] = {}
        self.factories: dict[str, Callable[[], Any]] = {}
        unseen: set[str] = set()
        unequal: set[str] = set()
        for name, given in self.given.items():
            if not isinstance(given, dataclasses.Field):
                self.defaults[name] = given
                continue
            if given.default is not _MISSING:
                self.defaults[name] = given.default
            elif given.default_factory is not _MISSING:
                self.factories[name] = given.default_factory
            if not given.repr:
                unseen.add(name)
            if not given.compare:
                unequal.add(name)
        self.shown = tuple(name for name in self.names if name not in unseen)
        self.compared = tuple(name for name in self.names if name not in unequal)


def _made(cls: type, *, kw_only: bool) -> type:
    shape = _Shape(cls, kw_only=kw_only)
    for name, given in tuple(cls.__dict__.items()):
        if isinstance(given, dataclasses.Field):
            if given.default is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, given.default)
    added: dict[str, Any] = {
        "__shape__": shape,
        "__dataclass_fields__": _Fields(),
        "__match_args__": () if kw_only else shape.names,
        "__init__": _initializer(shape),
        "__eq__": _equal,
        "__hash__": _hash,
        "__repr__": _represent,
        "__setattr__": _set,
        "__delattr__": _delete,
    }
    for name, value in added.items():
        if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
            setattr(cls, name, value)
    return cls


def _initializer(shape: _Shape) -> Callable[..., None]:
    names, keys, defaults, factories = shape.names, shape.keys, shape.defaults, tuple(shape.factories.items())
    places = 0 if shape.kw_only else len(names)

    def __init__(self: Any, *args: Any, **values: Any) -> None:  # noqa: N807
        state = self.__dict__
        state.update(defaults)
        if args:
            given = dict(zip(names, args, strict=False))
            if len(args) > places or not values.keys().isdisjoint(given):
                raise TypeError(f"{type(self).__name__} takes at most {places} positional arguments, each value once")
            state.update(given)
        state.update(values)
        for name, factory in factories:
            if name not in state:
                state[name] = factory()
        if state.keys() != keys:
            wrong = ", ".join(sorted(keys ^ state.keys()))
            raise TypeError(f"{type(self).__name__} lacks, or does not have, these fields: {wrong}")

    return __init__


def _values(instance: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    state = instance.__dict__
    return tuple([state[name] for name in names])


def _equal(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared: tuple[str, ...] = self.__shape__.compared
    return _values(self, compared) == _values(other, compared)


def _hash(self: Any) -> int:
    return hash(_values(self, self.__shape__.compared))


def _represent(self: Any) -> str:
    state = self.__dict__
    return f"{type(self).__qualname__}({', '.join(f'{name}={state[name]!r}' for name in self.__shape__.shown)})"


def _set(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
