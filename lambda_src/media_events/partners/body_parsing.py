"""Reads text and JSON strictly, so that a body has the same meaning for us and for every later system.

Every refusal is a :class:`PermanentDataError` with one of these codes: ``body-empty``, ``body-not-utf8``,
``body-bom``, ``body-charset``, ``json-invalid``, ``json-too-deep``, ``json-too-many-values``, ``json-duplicate-key``,
``json-not-a-number``, ``json-number-out-of-range``, ``text-lone-surrogate``, ``text-nul``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.core.json_size import count_values

MAX_DEPTH: Final = 64
MAX_BODY_BYTES: Final = 6_291_456
"""Lambda's limit for an invocation's payload (6 MiB):
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ."""

MAX_VALUES: Final = MAX_BODY_BYTES // 24
"""Names and values of one body. Each takes about 125 bytes of memory at most, so all of them take five times the
largest body; without a bound ``[],`` takes twenty times as much as its text."""

MAX_UNPROVED_VALUES: Final = 40_000
"""Of a body that is parsed before its proof, which is in it: a stranger's must cost little. Real ones have dozens."""

MAX_INTEGER: Final = 2**63 - 1
"""Larger numbers become text: EventBridge and many readers can't hold more than a signed 64-bit integer."""

JSON_TYPES: Final = ("application/json", "application/*+json")
XML_TYPES: Final = ("application/xml", "text/xml", "application/*+xml")
MULTIPART_TYPE: Final = "multipart/form-data"
CHARSETS: Final = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252")
"""Python's names of them. Only ``utf-8-sig`` takes a byte order mark before UTF-8, and ``utf-16`` needs one."""


def parse_json(body: bytes, charset: str = "utf-8", most: int = MAX_VALUES) -> Any:
    """Parse JSON (RFC 8259), with further rules: one ``charset``, no duplicate names, no NaN, bounded structure.

    Integers beyond 64 bits and floats beyond 2**63 become text, unchanged.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    return parse_json_text(decode(body, charset), most)[0]


def parse_json_text(text: str, most: int = MAX_VALUES) -> tuple[Any, int]:
    """The value of a text, as of a body, and how many of the ``most`` names and values it takes at most.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    values = count_values(text, most)
    if values > most:
        raise PermanentDataError("json-too-many-values", f"the body has more than {most} names and values")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except RecursionError:
        raise PermanentDataError("json-too-deep", f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as error:
        raise PermanentDataError("json-invalid", f"the body is not JSON: {error.msg} at byte {error.pos}") from None
    if "\\u" in text or not (text.isascii() or _UNPAIRED.search(text) is None):
        check_structure(value)
    elif text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)
    return value, values


def media_type(headers: Sequence[tuple[str, str]] | Mapping[str, str]) -> str | None:
    """The ``Content-Type`` without parameters, in lower case; ``None`` if there is none or more than one."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    values = [value for name, value in pairs if name.lower() == "content-type"]
    return values[0].partition(";")[0].strip().lower() if len(values) == 1 else None


def type_accepted(kind: str | None, accepted: Sequence[str]) -> bool:
    """Whether a media type is one of ``accepted``, in which ``application/*+json`` means any such suffix.

    ``none`` in ``accepted`` admits requests without a content type.
    """
    if not kind:
        return "none" in accepted
    for wanted in accepted:
        start, star, end = wanted.partition("*")
        if kind == wanted or (star and kind.startswith(start) and kind.endswith(end)):
            return True
    return False


def decode(body: bytes, charset: str = "utf-8") -> str:
    """The text of a body that is not empty, without NUL and byte order mark.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    if not body:
        raise PermanentDataError("body-empty", "the body is empty")
    if charset == "utf-8" and body.startswith((b"\xef\xbb\xbf", *_UTF_16_MARKS)):
        raise PermanentDataError("body-bom", "the body begins with a byte order mark")
    if charset == "utf-16" and not body.startswith(_UTF_16_MARKS):
        raise PermanentDataError("body-charset", "the body has no byte order mark, so its UTF-16 has no byte order")
    try:
        text = body.decode(charset)
    except UnicodeDecodeError:
        code = "body-not-utf8" if charset == "utf-8" else "body-charset"
        raise PermanentDataError(code, f"the body is not {charset.upper()}") from None
    check_text(text)
    return text


_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise PermanentDataError("json-duplicate-key", "an object of the body has the same name twice")
    return value


def _integer(text: str) -> int | str:
    if len(text) > 20:  # noqa: PLR2004 - no 64-bit integer is longer, and Python refuses 4,301 digits
        return text
    number = int(text)
    return number if abs(number) <= MAX_INTEGER else text


def _float(text: str) -> float | str:
    number = float(text)
    if not math.isfinite(number):
        raise PermanentDataError("json-number-out-of-range", "the body holds a number that no float can hold")
    return number if abs(number) <= MAX_INTEGER else text


def _constant(text: str) -> NoReturn:
    raise PermanentDataError("json-not-a-number", f"the body holds {text}, which is not JSON")


_UNPAIRED: Final = pattern("[\ud800-\udfff]")


def check_structure(value: Any) -> None:
    """Check depth, lone surrogates and NULs, without recursion."""
    _check_depth(value)
    level = [value]
    while level:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                check_text(item)
            elif isinstance(item, dict):
                for name in item:
                    check_text(name)
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        level = deeper


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise PermanentDataError("json-too-deep", f"the body is nested deeper than {MAX_DEPTH} levels")
        level = [item for whole in level for item in (whole.values() if isinstance(whole, dict) else whole)]


def check_text(text: str) -> None:
    """Refuse NUL and halves of surrogate pairs."""
    if "\x00" in text:
        raise PermanentDataError("text-nul", "the body holds a NUL character")
    if not text.isascii() and _UNPAIRED.search(text):
        raise PermanentDataError("text-lone-surrogate", "the body holds half of a surrogate pair")
