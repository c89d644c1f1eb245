"""HTTP message signatures (RFC 9421): what a request's ``Signature-Input`` says, and the text that is signed.

Read strictly, as structured fields (RFC 8941) of the few kinds that RFC 9421 needs, in time linear in the header.
``Signature`` and ``Content-Digest`` (RFC 9530) are dictionaries of byte sequences.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass

MAX_SIGNATURES: Final = 8
MAX_COMPONENTS: Final = 64

ALGORITHMS: Final = (
    "rsa-pss-sha512",
    "rsa-v1_5-sha256",
    "hmac-sha256",
    "ecdsa-p256-sha256",
    "ecdsa-p384-sha384",
    "ed25519",
)
"""RFC 9421, section 6.2.2."""

DERIVED: Final = ("@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query")
_DIGESTS: Final = {"sha-256": "sha256", "sha-512": "sha512"}
"""The algorithms of RFC 9530, section 5, that are not broken."""

_KEY: Final = pattern(r"[a-z*][a-z0-9_.*-]*")
_STRING: Final = pattern(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_INTEGER: Final = pattern(r"-?[0-9]{1,15}(?![0-9.])")
_TOKEN: Final = pattern(r"[A-Za-z*][!#$%&'*+.^_`|~A-Za-z0-9:/-]*")
_BOOLEAN: Final = pattern(r"\?[01]")
_BYTES: Final = pattern(r":([A-Za-z0-9+/]*={0,2}):")
_COMMA: Final = pattern(r"[ \t]*,[ \t]*")
_FIELD_NAME: Final = pattern(r"[a-z0-9!#$%&'*+.^_`|~-]{1,128}")


class StructureError(ValueError):
    """A header is no such structured field."""


@dataclass(frozen=True, slots=True)
class Component:
    """A covered component: its name, its parameters, and both as the signed text has them."""

    name: str
    parameters: tuple[tuple[str, str | int | bool], ...]
    identifier: str


@dataclass(frozen=True, slots=True)
class SignatureInput:
    """A member of ``Signature-Input``; ``text`` is the value of ``@signature-params``."""

    components: tuple[Component, ...]
    parameters: Mapping[str, str | int | bool]
    text: str

    def covers(self, names: Sequence[str]) -> bool:
        """Whether each of the names is a component as a whole, without parameters."""
        return set(names) <= {component.name for component in self.components if not component.parameters}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def done(self) -> bool:
        return self.place == len(self.text)

    def match(self, form: re.Pattern[str]) -> re.Match[str]:
        found = form.match(self.text, self.place)
        if found is None:
            raise StructureError(f"at character {self.place}")
        self.place = found.end()
        return found

    def next_is(self, text: str) -> bool:
        if not self.text.startswith(text, self.place):
            return False
        self.place += len(text)
        return True

    def spaces(self) -> None:
        while self.next_is(" "):
            pass

    def members(self) -> Iterator[str]:
        """The keys of a dictionary; the caller reads each value. A key may come once."""
        seen: set[str] = set()
        while True:
            key = self.match(_KEY)[0]
            if key in seen or len(seen) >= MAX_SIGNATURES or not self.next_is("="):
                raise StructureError(f"the member {key}")
            seen.add(key)
            yield key
            if self.done():
                return
            self.match(_COMMA)

    def parameters(self) -> tuple[tuple[tuple[str, str | int | bool], ...], str]:
        """Parameters, and their canonical text."""
        values: dict[str, str | int | bool] = {}
        texts = []
        while self.next_is(";"):
            self.spaces()
            key = self.match(_KEY)[0]
            if key in values or len(values) >= MAX_COMPONENTS:
                raise StructureError(f"the parameter {key} comes twice")
            values[key], text = self._value() if self.next_is("=") else (True, "")
            texts.append(f";{key}{text}")
        return tuple(values.items()), "".join(texts)

    def _value(self) -> tuple[str | int | bool, str]:
        start = self.text[self.place : self.place + 1]
        if start == '"':
            value, quoted = self.string()
            return value, f"={quoted}"
        form = _BOOLEAN if start == "?" else _BYTES if start == ":" else _INTEGER if start in "-0123456789" else _TOKEN
        text = self.match(form)[0] if start else ""
        if not text:
            raise StructureError("a parameter has no value")
        if form is _BOOLEAN:
            # A true parameter is written by its name alone (RFC 8941, section 4.1.1.2).
            return text == "?1", "" if text == "?1" else "=?0"
        return (int(text), f"={int(text)}") if form is _INTEGER else (text, f"={text}")

    def string(self) -> tuple[str, str]:
        """A string, and its text with quotes."""
        found = self.match(_STRING)
        return re.sub(r"\\(.)", r"\1", found[1]), found[0]


def read_signature_input(text: str) -> dict[str, SignatureInput]:
    """The members of a ``Signature-Input``, by their labels.

    Raises:
        StructureError: it is none, a label or component comes twice, or there are too many.
    """
    reader = _Reader(text.strip(" "))
    return {label: _inner_list(reader) for label in reader.members()}


def _inner_list(reader: _Reader) -> SignatureInput:
    if not reader.next_is("("):
        raise StructureError("no list of components")
    components: list[Component] = []
    reader.spaces()
    while not reader.next_is(")"):
        name, quoted = reader.string()
        parameters, suffix = reader.parameters()
        components.append(Component(name, parameters, quoted + suffix))
        if len(components) > MAX_COMPONENTS or not reader.text.startswith((" ", ")"), reader.place):
            raise StructureError("a component")
        reader.spaces()
    if len({component.identifier for component in components}) != len(components):
        raise StructureError("a component comes twice")
    parameters, suffix = reader.parameters()
    listed = " ".join(component.identifier for component in components)
    return SignatureInput(tuple(components), dict(parameters), f"({listed}){suffix}")


def read_byte_sequences(text: str) -> dict[str, bytes]:
    """A dictionary of byte sequences: ``Signature`` or ``Content-Digest``.

    Raises:
        StructureError: it is none.
    """
    reader = _Reader(text.strip(" "))
    values = {}
    for key in reader.members():
        encoded = reader.match(_BYTES)[1]
        try:
            values[key] = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise StructureError(f"{key} is no base64") from None
        if base64.b64encode(values[key]).decode() != encoded:
            raise StructureError(f"{key} is no canonical base64")
    return values


def signature_base(signed: SignatureInput, *, method: str, url: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """The text that is signed (RFC 9421, section 2.5).

    Raises:
        StructureError: a component is unknown, missing or ambiguous, or not ASCII.
    """
    lines = [f"{each.identifier}: {_component(each, method, url, headers)}" for each in signed.components]
    lines.append(f'"@signature-params": {signed.text}')
    text = "\n".join(lines)
    if not text.isascii() or text.count("\n") != len(lines) - 1:
        raise StructureError("the signed text is not ASCII, or has a line break in it")
    return text.encode("ascii")


def _component(component: Component, method: str, url: str, headers: Sequence[tuple[str, str]]) -> str:
    name, parameters = component.name, dict(component.parameters)
    if name == "@query-param" and parameters.keys() == {"name"}:
        return _query_parameter(str(parameters["name"]), url)
    if parameters:
        raise StructureError(f"a parameter of {name} is not supported")
    if name.startswith("@"):
        return _derived(name, method, url)
    values = [value.strip(" \t") for key, value in headers if key.lower() == name]
    if not values or not _FIELD_NAME.fullmatch(name):
        raise StructureError("a covered header is missing")
    return ", ".join(values)


def _derived(name: str, method: str, url: str) -> str:
    parts = urlsplit(url)
    path, query = parts.path or "/", f"?{parts.query}"
    values = {
        "@method": method,
        "@target-uri": url,
        "@authority": parts.netloc.lower().removesuffix(":443"),
        "@scheme": parts.scheme,
        "@request-target": path + (query if parts.query else ""),
        "@path": path,
        "@query": query,
    }
    if name not in values:
        raise StructureError(f"{name} is no component of a request")
    return values[name]


def _query_parameter(name: str, url: str) -> str:
    """RFC 9421, section 2.2.8: a parameter that comes twice can't be signed."""
    try:
        fields = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=256)
    except ValueError:
        raise StructureError("the query") from None
    values = [value for key, value in fields if quote(key, safe="*-._") == name]
    if len(values) != 1:
        raise StructureError("a covered parameter is missing or comes twice")
    return quote(values[0], safe="*-._").replace("~", "%7E")


def content_digest_matches(text: str, body: bytes) -> bool | None:
    """Whether every SHA-256 and SHA-512 of a ``Content-Digest`` is the body's; ``None`` if it has neither.

    Raises:
        StructureError: it is no such header.
    """
    digests = {_DIGESTS[name]: value for name, value in read_byte_sequences(text).items() if name in _DIGESTS}
    if not digests:
        return None
    return all(hmac.compare_digest(hashlib.new(name, body).digest(), value) for name, value in digests.items())
