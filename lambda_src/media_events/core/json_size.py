"""Counts the names and values of JSON before any is made: in memory they take up to twenty times their text."""

from __future__ import annotations

import re
from typing import Final

from media_events.core.deferred import pattern

_OUTSIDE_AND_TEXT: Final = pattern(r'([^"]*+)(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?)?', re.DOTALL)
"""What stands before a text, and the text. Possessive, so that no input makes it go back."""


def has_more_values(text: str, most: int) -> bool:
    """Whether ``text`` has more than ``most`` names and values."""
    return count_values(text, most) > most


def count_values(text: str, most: int) -> int:
    """The names and values of ``text``: at least so many as it has, and above ``most`` only if it has more.

    Brackets and commas within texts are none. It may be no JSON at all. Then the answer is of no use, but takes no
    longer.
    """
    bound = max(text.count('"') // 2, _structure(text, 0, len(text)))
    if bound <= most:
        return bound
    values = texts = 0
    for texts, match in enumerate(_OUTSIDE_AND_TEXT.finditer(text)):
        values += _structure(text, *match.span(1))
        if texts > most or values > most:
            break
    return max(texts, values)


def _structure(text: str, start: int, end: int) -> int:
    """Each opens a value, follows a name or precedes the next name or value."""
    found = text.count(",", start, end) + text.count(":", start, end)
    return found + text.count("[", start, end) + text.count("{", start, end)
