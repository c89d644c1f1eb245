"""Finds credentials in texts by the names before them, whether or not the text can be parsed.

Every function takes time that grows with the text's length alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from media_events.core.deferred import pattern

_WORDS: Final = (
    r"token|secret|passw(?:or)?d|passphrase|pwd|signature|credential|authorization|cookie|jwt"
    r"|(?:api|access|private|stream|signing)[_-]?key|session[_-]?id"
)
_ANYWHERE: Final = pattern(rf"(?i){_WORDS}|^sig$|^auth$|-auth$")
_AT_THE_END: Final = pattern(rf"(?i)(?:^|[_.-]|(?<=[a-z]))(?:{_WORDS})s?$")
_NAMED: Final = pattern(rf"(?i)(?:{_WORDS})[a-z0-9_-]{{0,32}}+\\*+[\"']?\s{{0,16}}[=:]\s{{0,16}}")
_BESIDE: Final = pattern(
    rf"(?i)[\"'](?:name|key|header)[\"']\s{{0,16}}:\s{{0,16}}[\"'][\w-]{{0,64}}?(?:{_WORDS})s?[\"']\s{{0,16}},"
    r"\s{0,16}[\"']value[\"']\s{0,16}:\s{0,16}"
)
"""As in lists of headers: ``{"name": "Authorization", "value": …}``."""

_LINES: Final = pattern(r"(?im)^((?:proxy-)?authorization|(?:set-)?cookie)[ \t]{0,16}:[^\r\n]++")
"""Headers whose whole line is a credential, however many words it has."""

_ESCAPE: Final = pattern(r"(?<!\\)\\++u00([2-7][0-9a-fA-F])|%([2-7][0-9a-fA-F])")
_LETTERS: Final = {f"{code:02x}": chr(code) for code in range(128) if chr(code).isalnum() or chr(code) in "_-"}
_PLACE: Final = pattern(
    r"<(?P<element>[A-Za-z_][\w.:-]{0,127})(?:\s[^<>]{0,4096}+)?>"
    r"|(?i:content-disposition):[^\r\n]{0,64}?\bname=\"?(?P<part>[^\"\r\n;]{1,256})"
)
"""Where XML and multipart forms name a value."""

_BLANK_LINE: Final = pattern(r"\n\r?\n")

_QUOTED: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'?'
_TEXT: Final = pattern(_QUOTED, re.DOTALL)
_ESCAPED_QUOTE: Final = pattern(r"(\\+)[\"']")
_STRUCTURE: Final = pattern(rf"{_QUOTED}|[\[\]{{}}]", re.DOTALL)
_LINE: Final = pattern(r"[^\r\n,;&\"'}\]]*+")
_WORD: Final = pattern(r"[^\s,;&\"'}\]]*+")
_KEPT: Final = pattern(r"null(?![\w.-])")


def mentions_secret(name: str) -> bool:
    """Whether a header's or parameter's name has a word for a credential anywhere: ``x-token-id``."""
    return _ANYWHERE.search(name) is not None


def is_secret_name(name: str) -> bool:
    """Whether a field's name ends with a word for a credential: ``secretAccessKey``, but not ``token_count``."""
    return _AT_THE_END.search(name) is not None


def names_pattern(names: list[str]) -> re.Pattern[str]:
    """Finds any of ``names``, also with JSON's or a URL's escapes, up to where its value begins."""
    choice = "|".join("".join(_spellings(character) for character in name) for name in names)
    return re.compile(rf"(?<![a-zA-Z0-9_])(?:{choice})\\*+[\"']?\s{{0,16}}[=:]\s{{0,16}}")


def _spellings(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    json = "".join(rf"(?<!\\)\\++u(?i:{units[at : at + 2].hex()})" for at in range(0, len(units), 2))
    url = "".join(rf"%(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    return f"(?:{re.escape(character)}|{json}|{url})"


def without_values(text: str, names: re.Pattern[str], mark: str, *, bare: re.Pattern[str] = _LINE) -> str:
    """``text`` with ``mark`` in place of every value whose name ``names`` finds.

    A whole list or object is one value, and what has no quotes goes as far as ``bare``, by default to the line's end.
    """
    kept, position = [], 0
    while match := names.search(text, position):
        start = match.end()
        end = start if _KEPT.match(text, start) else _value_end(text, start, bare)
        kept += [text[position:start], mark if end > start else ""]
        position = end
    return "".join([*kept, text[position:]])


def without_secrets(text: str, mark: str = "***") -> str:
    """``text`` with ``mark`` in place of every value whose name has a word for a credential."""
    plain = _ESCAPE.sub(_letter, text)
    if len(plain) < len(text) and len(_NAMED.findall(plain)) > len(_NAMED.findall(text)):
        text = plain
    text = without_marked_up(text, is_secret_name, mark)
    text = without_values(_LINES.sub(rf"\1: {mark}", text), _BESIDE, mark, bare=_WORD)
    return without_values(text, _NAMED, mark, bare=_WORD)


def _letter(escape: re.Match[str]) -> str:
    return _LETTERS.get((escape[1] or escape[2]).lower(), escape[0])


def without_marked_up(text: str, is_secret: Callable[[str], bool], mark: str) -> str:
    """``text`` with ``mark`` in place of all within each element of XML, and each part of a form, of a secret name."""
    kept, position, scanned = [], 0, 0
    while match := _PLACE.search(text, scanned):
        scanned = match.end()
        element = match["element"]
        if not is_secret((element or match["part"]).rpartition(":")[2]) or match[0].endswith("/>"):
            continue
        start, end = (scanned, _element_end(text, scanned, element)) if element else _part(text, scanned)
        kept += [text[position:start], mark if end > start else ""]
        position = scanned = end
    return "".join([*kept, text[position:]])


def _part(text: str, position: int) -> tuple[int, int]:
    blank = _BLANK_LINE.search(text, position)
    if blank is None:
        return position, len(text)
    end = text.find("\n--", blank.end())
    return blank.end(), len(text) if end < 0 else end


def _element_end(text: str, position: int, name: str) -> int:
    """Where the element's end stands: of the outermost, if elements of its name are within it."""
    opens, closes, depth = f"<{name}", f"</{name}", 1
    while (end := text.find(closes, position)) >= 0:
        depth += text.count(opens, position, end)
        position = end + len(closes)
        if text[position : position + 1] in (">", " ", "\t", "\r", "\n"):
            depth -= 1
        if depth == 0:
            return end
    return len(text)


def _value_end(text: str, start: int, bare: re.Pattern[str]) -> int:
    """Where the value ends that begins at ``start``: rather too late than too early."""
    if quoted := _TEXT.match(text, start):
        return quoted.end()
    if escaped := _ESCAPED_QUOTE.match(text, start):
        # JSON within a text of JSON: the next quote with as many backslashes.
        closing = re.compile(rf"(?<!\\)\\{{{len(escaped[1])}}}[\"']").search(text, escaped.end())
        return len(text) if closing is None else closing.end()
    if text[start : start + 1] in ("{", "["):
        depth = 0
        for token in _STRUCTURE.finditer(text, start):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
            if depth <= 0:
                return token.end()
        return len(text)
    unquoted = bare.match(text, start)
    return start if unquoted is None else unquoted.end()
