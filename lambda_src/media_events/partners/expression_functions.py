"""JMESPath functions for what senders put into texts: JSON, XML, base64 and URL encoding.

``parse_json(text)`` is its value, ``parse_xml(text)`` the root element by its name (mapped by :mod:`xml_parsing`),
``base64_decode(text)`` its text in UTF-8 (either alphabet, with or without padding), ``url_decode(text)`` the text of a
form or query, in which ``+`` is a space. Each gives null for null, so that a field that is missing is no mistake.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import MAX_VALUES, check_text, parse_json_text
from media_events.partners.form_parsing import percent_decoded

_OPTIONAL_TEXT: Final[Any] = {"types": ["string", "null"]}
_WHITE_SPACE: Final = dict.fromkeys(map(ord, " \t\r\n"))


class DecodingError(JMESPathError):
    """A function can't decode a text; the message quotes nothing of it."""


class DecodingFunctions(Functions):
    """The functions of JMESPath and ours, for one message: all its JSON and XML together is as large as a body may be.

    ``decoded`` are the texts that were decoded. None is parsed twice.
    """

    def __init__(self) -> None:
        self.decoded: set[str] = set()
        self._values: dict[tuple[str, str], Any] = {}
        self._left = MAX_VALUES

    @signature(_OPTIONAL_TEXT)
    def _func_parse_json(self, text: str | None) -> Any:
        return None if text is None else self._parsed("parse_json", text, parse_json_text)

    @signature(_OPTIONAL_TEXT)
    def _func_parse_xml(self, text: str | None) -> Any:
        return None if text is None else self._parsed("parse_xml", text, _xml)

    def _parsed(self, name: str, text: str, parse: Callable[[str, int], tuple[Any, int]]) -> Any:
        if (name, text) not in self._values:
            try:
                check_text(text)
                self._values[name, text], used = parse(text, self._left)
            except PermanentDataError as error:
                raise DecodingError(f"the text of {name}() is refused: {error.code}") from None
            self._left -= used
        self.decoded.add(text)
        return self._values[name, text]

    @signature(_OPTIONAL_TEXT)
    def _func_base64_decode(self, text: str | None) -> str | None:
        if text is None:
            return None
        compact = text.translate(_WHITE_SPACE)
        stripped = compact.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            # Padding in the middle is refused too: `validate` counts it as a foreign character.
            decoded = base64.b64decode(stripped + "=" * (-len(stripped) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise DecodingError("the text of base64_decode() is no base64 of UTF-8") from None
        self.decoded.add(text)
        return decoded

    @signature(_OPTIONAL_TEXT)
    def _func_url_decode(self, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            decoded = percent_decoded(text)
        except ValueError:
            raise DecodingError("the text of url_decode() is no UTF-8") from None
        self.decoded.add(text)
        return decoded


def _xml(text: str, most: int) -> tuple[Any, int]:
    from media_events.partners.xml_parsing import VALUE_COST, parse_xml_text  # noqa: PLC0415 - few partners need it

    value, used = parse_xml_text(text, most // VALUE_COST)
    return value, used * VALUE_COST


def decoding_options() -> jmespath.Options:
    """Options of a search, with the functions for one message."""
    return jmespath.Options(custom_functions=DecodingFunctions())
