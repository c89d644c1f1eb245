"""What is made when it is first used, because many a sandbox never uses it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, AnyStr, cast


class Deferred:
    """Stands for what ``make`` returns, which is called at the first use of an attribute, and raises its errors there.

    ``make`` must return the same object each time.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._make(), name)
        # From now on it is found without this method.
        self.__dict__[name] = found
        return found


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A regular expression that is compiled when it is first used: sixty of them take 7 ms of a cold start."""
    return cast("re.Pattern[AnyStr]", Deferred(functools.cache(lambda: re.compile(text, flags))))
