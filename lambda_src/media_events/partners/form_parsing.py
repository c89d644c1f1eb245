"""Reads the fields of a form, a query or a multipart body.

Every refusal is a :class:`PermanentDataError` with a code of :mod:`body_parsing`, or ``form-invalid``,
``form-duplicate-field``, ``form-too-many-fields``, ``form-too-deep``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import check_structure, decode

MAX_FORM_FIELDS: Final = 1_000
MAX_FIELD_DEPTH: Final = 32
FORM_TYPE: Final = "application/x-www-form-urlencoded"
FIELDS: Final = ("flat", "nested")

_PIECE_BYTES: Final = 65_536
_BRACKETED: Final = pattern(r"([^\[\]]++)((?:\[[^\[\]]*+\])++)")


def parse_form(body: bytes, charset: str = "utf-8", *, nested: bool = False) -> dict[str, Any]:
    """Parse ``application/x-www-form-urlencoded``: each field once, or ``nested``. One without ``=`` is empty.

    https://url.spec.whatwg.org/#urlencoded-parsing

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    # Percent-encoding is of bytes, and no form has it of UTF-16.
    encoded = "utf-8" if charset.startswith("utf-") else charset
    return parse_fields(decode(body, charset), encoded, nested=nested)


def parse_fields(text: str, charset: str = "utf-8", *, nested: bool = False) -> dict[str, Any]:
    """The fields of a form's or a query's text.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    return form_of(url_encoded_pairs(text, charset), nested=nested)


def url_encoded_pairs(text: str, charset: str = "utf-8") -> list[tuple[str, str]]:
    """The names and values of a form's or a query's text, in order.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    if text.count("&") >= MAX_FORM_FIELDS:
        raise PermanentDataError("form-too-many-fields", f"the form has more than {MAX_FORM_FIELDS} fields")
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    try:
        return [(percent_decoded(name, charset), percent_decoded(value, charset)) for name, _, value in pairs]
    except ValueError:
        raise PermanentDataError("form-invalid", f"the form is not URL-encoded {charset.upper()}") from None


def percent_decoded(text: str, charset: str = "utf-8") -> str:
    """The text of a URL-encoded one, in which ``+`` is a space.

    Raises:
        ValueError: its bytes are no text in ``charset``.
    """
    octets, decoded, start = text.replace("+", " ").encode(charset), bytearray(), 0
    while start < len(octets):
        # Piece by piece: the library makes a list of what stands between percent signs, ninety times their size.
        end = start + _PIECE_BYTES
        if end < len(octets):
            end = max(octets.rfind(b"%", end - 2, end), start + 1) if b"%" in octets[end - 2 : end] else end
        decoded += unquote_to_bytes(octets[start:end])
        start = end
    return decoded.decode(charset)


def form_of(pairs: Iterable[tuple[str, Any]], *, nested: bool) -> dict[str, Any]:
    """An object of fields.

    ``nested``: ``a=1&a=2`` and ``a[]=1&a[]=2`` are a list, ``a[b]=1`` is an object, and one whose names are 0, 1, …
    is a list. Otherwise a field may be there only once.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    form: dict[str, Any] = {}
    for name, value in pairs:
        match = _BRACKETED.fullmatch(name) if nested else None
        steps = [name] if match is None else [match[1], *match[2][1:-1].split("][")]
        if len(steps) > MAX_FIELD_DEPTH:
            raise PermanentDataError("form-too-deep", f"a field has more than {MAX_FIELD_DEPTH} names in brackets")
        _put(form, steps, value, nested=nested)
    form = {name: _with_lists(value) for name, value in form.items()}
    check_structure(form)
    return form


class _Names(dict[str, Any]):
    """What brackets make, which no value is."""


class _Values(list[Any]):
    """The values of a field that is there several times."""


def _put(form: dict[str, Any], steps: list[str], value: Any, *, nested: bool) -> None:
    node = form
    for step in steps[:-1]:
        inner = node.setdefault(_free(node, step), _Names())
        if not isinstance(inner, _Names):
            raise PermanentDataError("form-invalid", "a field of the form is a text and an object")
        node = inner
    name = steps[-1] if len(steps) == 1 else _free(node, steps[-1])
    if name not in node:
        node[name] = value
    elif not nested:
        raise PermanentDataError("form-duplicate-field", "the form has a field twice")
    elif isinstance(node[name], _Names):
        raise PermanentDataError("form-invalid", "a field of the form is a text and an object")
    elif isinstance(node[name], _Values):
        node[name].append(value)
    else:
        node[name] = _Values([node[name], value])


def _free(node: Mapping[str, Any], step: str) -> str:
    """The name of a step; that of ``[]`` is the next number."""
    number = len(node)
    while not step and str(number) in node:
        number += 1
    return step or str(number)


def _with_lists(value: Any) -> Any:
    if not isinstance(value, _Names):
        return list(value) if isinstance(value, _Values) else value
    items = {name: _with_lists(item) for name, item in value.items()}
    return list(items.values()) if list(items) == [str(number) for number in range(len(items))] else items
