"""Reads XML into JSON, without document types, entities and namespaces.

An element is an object with its children by name, its attributes as ``@name`` and its text as ``#text``. One that has
only text is that text, and an empty one is an empty text. Children of one name are a list. Names lose their prefixes,
text loses the white space around it. ``<a b="1"><c>x</c><c/></a>`` is ``{"a": {"@b": "1", "c": ["x", ""]}}``.

Every refusal is a :class:`PermanentDataError` with a code of :mod:`body_parsing`, or ``xml-invalid``, ``xml-doctype``,
``xml-too-deep``, ``xml-too-many-values``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import MAX_DEPTH, MAX_VALUES, decode

VALUE_COST: Final = 2
"""An element with children takes the memory of two values of JSON."""

MAX_XML_VALUES: Final = MAX_VALUES // VALUE_COST
"""Elements, attributes and texts."""

MAX_ATTRIBUTES: Final = 1_000
"""Of one element."""

_LONG_TAG: Final = pattern(r"<[^\s<>!?/]++(?=\s)([^<]{4096,}+)")
_ATTRIBUTE: Final = pattern(r"""\s++[^\s=<>]++\s*+=\s*+(?:"[^"]*+"|'[^']*+')""")
_DECLARED: Final = pattern(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "us-ascii": "utf-8",
    "iso-8859-1": "iso-8859-1",
    "windows-1252": "windows-1252",
}
_DOCTYPE: Final = pattern("\ufeff?+" r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
"""A document type stands before the root element (https://www.w3.org/TR/xml/#NT-prolog). It is looked for before the
parser sees it, which goes on with a buffer even if a handler refuses it. Possessive, so that no input makes it go
back."""


def parse_xml(body: bytes, charset: str | None = None) -> dict[str, Any]:
    """The root element by its name. Without a ``charset`` the byte order mark or the XML declaration says it.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    return parse_xml_text(decode(body, charset or _declared(body)))[0]


def parse_xml_text(text: str, most: int = MAX_XML_VALUES) -> tuple[dict[str, Any], int]:
    """The root element of a text by its name, and how many of the ``most`` values it takes.

    The encoding that the text declares is of no account: the text is decoded.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    if _DOCTYPE.match(text):
        _refuse_doctype()
    _check_attributes(text)
    builder = _Builder(most)
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse_doctype
    try:
        parser.Parse(text.encode("utf-8"), True)  # noqa: FBT003 - expat's own form
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise PermanentDataError("xml-invalid", f"the body is not XML: {reason} in line {error.lineno}") from None
    return builder.root.fields, builder.values


def _check_attributes(text: str) -> None:
    """Refuse an element that is too wide before the parser sees it, which reads all of its attributes at once.

    No attribute's value has a ``<`` (https://www.w3.org/TR/xml/#CleanAttrVals), so a tag ends before the next one.
    """
    for tag in _LONG_TAG.finditer(text):
        place, attributes = tag.start(1), 0
        while (attribute := _ATTRIBUTE.match(text, place, tag.end())) is not None:
            place, attributes = attribute.end(), attributes + 1
            if attributes > MAX_ATTRIBUTES:
                _refuse_size()


def _declared(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    declared = _DECLARED.match(body)
    name = "utf-8" if declared is None else declared[1].decode("ascii").lower()
    if name not in _ENCODINGS:
        raise PermanentDataError("body-charset", f"the XML declares none of {', '.join(_ENCODINGS)}; give a charset")
    return _ENCODINGS[name]


def _refuse_size() -> NoReturn:
    raise PermanentDataError(
        "xml-too-many-values",
        f"the body has over {MAX_XML_VALUES} values, or an element over {MAX_ATTRIBUTES} attributes",
    )


def _refuse_doctype(*_: Any) -> NoReturn:
    raise PermanentDataError("xml-doctype", "the XML has a document type, which could define entities")


@dataclass(slots=True)
class _Element:
    fields: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def add(self, name: str, value: Any) -> None:
        if name not in self.fields:
            self.fields[name] = value
        elif isinstance(self.fields[name], list):
            self.fields[name].append(value)
        else:
            self.fields[name] = [self.fields[name], value]

    def value(self) -> Any:
        text = "".join(self.texts).strip()
        if not self.fields:
            return text
        return {**self.fields, "#text": text} if text else self.fields


class _Builder:
    """Builds the value of the elements that the parser tells of."""

    def __init__(self, most: int) -> None:
        self.root = _Element()
        self.values = 0
        self._most = most
        self._open = [self.root]

    def start(self, _: str, attributes: dict[str, str]) -> None:
        self._count(1 + len(attributes))
        if len(self._open) > MAX_DEPTH:
            raise PermanentDataError("xml-too-deep", f"the body is nested deeper than {MAX_DEPTH} levels")
        element = _Element()
        for name, value in attributes.items():
            element.add("@" + _local(name), value)
        self._open.append(element)

    def end(self, name: str) -> None:
        value = self._open.pop().value()
        self._open[-1].add(_local(name), value)

    def text(self, text: str) -> None:
        if not text.isspace():
            self._count(1)
        self._open[-1].texts.append(text)

    def _count(self, values: int) -> None:
        self.values += values
        if self.values > self._most:
            _refuse_size()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
