"""Sources of values: a JMESPath, a header, a constant, a concatenation, a hash, or the first of several with a value.

Expressions see ``{body, document, headers, query, attributes, envelope, index}``: ``body`` is one event of the partner
(after splitting and flattening), ``document`` the whole parsed body, ``headers`` have lower-case names, ``query`` is
the URL's, ``attributes`` are those of a queue's or topic's message, ``envelope`` is the EventBridge event around the
body.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final, Protocol, cast

import jmespath
import jmespath.exceptions
from jmespath.parser import ParsedResult

from media_events.core.config_fields import Fields, kind_of
from media_events.core.deferred import pattern
from media_events.core.json_fields import is_whole, mapping
from media_events.core.value_classes import dataclass
from media_events.partners.expression_functions import decoding_options
from media_events.partners.jmespath_functions import mistaken_calls
from media_events.partners.timestamps import parse_time

ROOTS: Final = ("body", "document", "headers", "query", "attributes", "envelope", "index", "signed_form")
KINDS: Final = ("path", "header", "constant", "concat", "hash", "first")
HEADER_NAME: Final = pattern(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")


class ValueExpression(Protocol):
    """Finds a value in a message's context."""

    def find(self, context: Context) -> Any:
        """The value; ``None`` if the message has none."""

    def headers(self) -> frozenset[str]:
        """The headers that the value depends on, and the parameters of the query, each after a ``?``."""


@dataclass(frozen=True, slots=True)
class Context:
    """The ``names`` that expressions see, and ``now`` (epoch seconds) for a message without a time.

    ``options`` have the functions, which all contexts of one message share.
    """

    names: Mapping[str, Any]
    now: float
    options: jmespath.Options = field(default_factory=decoding_options)


@dataclass(frozen=True, slots=True)
class Path:
    """A JMESPath expression; ``reads`` are the headers and, after a ``?``, the query's parameters that it reads.

    ``fields`` are the names of a plain chain such as ``body.data.id``, which most expressions are: to follow it takes
    a tenth of the library's time.
    """

    expression: str
    compiled: ParsedResult
    reads: frozenset[str]
    fields: Sequence[str] = ()

    def find(self, context: Context) -> Any:
        """The selected value; ``None`` if the expression does not fit the message."""
        if self.fields:
            value: Any = context.names
            for name in self.fields:
                if not isinstance(value, Mapping):
                    return None
                value = value.get(name)
            return value
        try:
            return self.compiled.search(context.names, context.options)
        except Exception:  # noqa: BLE001 - no data of a sender may make a library's exception ours
            return None

    def fault(self, context: Context) -> str:
        """Why the expression selects nothing of a message, as far as the library says."""
        try:
            self.compiled.search(context.names, context.options)
        except Exception as error:  # noqa: BLE001 - as in find
            return f"{self.expression} does not fit: {error}"
        return f"{self.expression} selects nothing"

    def headers(self) -> frozenset[str]:
        """The headers and parameters that the expression names; ``*`` and ``?*`` if it may read any."""
        return self.reads


_UNSIGNED: Final = {"headers": "", "query": "?"}


def _headers_read(node: Mapping[str, Any], *, at_root: bool) -> set[str]:
    """Walk a JMESPath tree for the names below the context's ``headers`` and ``query``, not below fields so named."""
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        return {_UNSIGNED[node["value"]] + "*"} if at_root and node["value"] in _UNSIGNED else set()
    if kind == "current":
        return {"*", "?*"} if at_root else set()
    if kind == "subexpression" and at_root and children[0]["type"] == "field" and children[0]["value"] in _UNSIGNED:
        name = children[1]["value"] if children[1]["type"] == "field" else "*"
        return {"?" + name if children[0]["value"] == "query" else name.lower()}
    # Only the first part of a chain starts at the root; the others start from its result.
    chained = kind in _CHAINS
    headers: set[str] = set()
    for index, child in enumerate(children):
        if isinstance(child, Mapping) and kind != "expref":
            headers |= _headers_read(child, at_root=at_root and not (chained and index))
    return headers


def _chain(node: Mapping[str, Any]) -> list[str] | None:
    """The names of a chain of fields; ``None`` if the tree has anything else."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    parts = [_chain(child) for child in node["children"]]
    return None if None in parts else [name for part in parts if part for name in part]


_CHAINS: Final = frozenset(
    {"subexpression", "index_expression", "projection", "value_projection", "filter_projection", "pipe"}
)


@dataclass(frozen=True, slots=True)
class Header:
    """One header, by its lower-case name."""

    name: str

    def find(self, context: Context) -> Any:
        """The header's value; an empty one counts as none."""
        return context.names["headers"].get(self.name) or None

    def headers(self) -> frozenset[str]:
        return frozenset({self.name})


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every message."""

    value: Any

    def find(self, context: Context) -> Any:  # noqa: ARG002 - one signature for all sources
        return self.value

    def headers(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Concat:
    """Several values joined.

    If ``escaped``, each character of the separator is escaped in the values, so that no two lists join to the same
    text, as an id needs. The separator as a whole would not do: ``::`` after ``a:`` is ``::`` before ``:b``.
    """

    parts: Sequence[ValueExpression]
    separator: str
    escaped: bool = False

    def find(self, context: Context) -> Any:
        """The joined text; ``None`` if a part is missing or no scalar."""
        texts = [scalar_text(part.find(context)) for part in self.parts]
        if any(text is None for text in texts):
            return None
        if not self.escaped or len(texts) == 1:
            return self.separator.join(text for text in texts if text is not None)
        # A constant comes from the specification, not from a sender, and needs no escaping.
        return self.separator.join(
            text if isinstance(part, Constant) else _escaped(text, self.separator)
            for part, text in zip(self.parts, texts, strict=True)
            if text is not None
        )

    def headers(self) -> frozenset[str]:
        return frozenset().union(*(part.headers() for part in self.parts))


_ESCAPES: Final = "%~!^"


def _escaped(text: str, separator: str) -> str:
    """Percent-encoding (RFC 3986, section 2.1) of the separator's characters, by a mark that is none of them."""
    mark = next((mark for mark in _ESCAPES if mark not in separator), _ESCAPES[0])
    characters = {mark, *separator}
    return "".join(
        "".join(f"{mark}{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        if character in characters
        else character
        for character in text
    )


@dataclass(frozen=True, slots=True)
class Hash:
    """SHA-256 over length-prefixed fields and, with ``bucket_seconds``, the message's time bucket.

    Length prefixes keep ``("ab", "c")`` and ``("a", "bc")`` apart. With a bucket, identical messages of different
    times are two events, while retries within the bucket are one.
    """

    parts: Sequence[ValueExpression]
    bucket_seconds: int | None
    bucket_time: ValueExpression | None

    def find(self, context: Context) -> Any:
        """``sha256:`` and 64 hex digits; ``None`` if every field is missing."""
        values = [part.find(context) for part in self.parts]
        if all(value is None for value in values):
            return None
        fields = [canonical(value) for value in values]
        if self.bucket_seconds is not None:
            fields.append(b"bucket:%d" % (_moment(self.bucket_time, context) // self.bucket_seconds))
        digest = hashlib.sha256(b"".join(b"%d:%s" % (len(text), text) for text in fields))
        return f"sha256:{digest.hexdigest()}"

    def headers(self) -> frozenset[str]:
        timed = () if self.bucket_time is None else (self.bucket_time,)
        return frozenset().union(*(part.headers() for part in (*self.parts, *timed)))


@dataclass(frozen=True, slots=True)
class First:
    """The first alternative with a value."""

    alternatives: Sequence[ValueExpression]

    def find(self, context: Context) -> Any:
        """The first value that is neither null nor an empty text."""
        for alternative in self.alternatives:
            value = alternative.find(context)
            if value is not None and value != "":
                return value
        return None

    def headers(self) -> frozenset[str]:
        return frozenset().union(*(alternative.headers() for alternative in self.alternatives))


def texts_in(source: ValueExpression | None) -> frozenset[str]:
    """The texts that stand in a source itself: constants, and literals of expressions."""
    match source:
        case Constant(value=str() as value):
            return frozenset({value})
        case First(alternatives=parts) | Concat(parts=parts):
            return frozenset().union(*map(texts_in, parts))
        case Path(compiled=compiled):
            return frozenset(_literals(compiled.parsed))
    return frozenset()


def _literals(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "literal" and isinstance(node.get("value"), str):
        yield node["value"]
    for child in node.get("children", []):
        if isinstance(child, Mapping):
            yield from _literals(child)


def canonical(value: Any) -> bytes:
    """One byte form per JSON value, so that equal values hash alike."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def scalar_text(value: Any) -> str | None:
    """A text, and a number, true or false as JSON writes it; ``None`` for anything else, also for an empty text."""
    if isinstance(value, str):
        return value or None
    return json.dumps(value) if isinstance(value, bool | int | float) else None


def injective(source: ValueExpression | None) -> ValueExpression | None:
    """The same source for an id: no two messages with different parts have the same value."""
    if isinstance(source, Concat):
        return replace(source, parts=[part for each in source.parts if (part := injective(each))], escaped=True)
    if isinstance(source, Hash):
        return replace(source, parts=[part for each in source.parts if (part := injective(each))])
    if isinstance(source, First):
        return replace(source, alternatives=[part for each in source.alternatives if (part := injective(each))])
    return source


def is_true(value: Any) -> bool:
    """Truth as in JMESPath: all but null, false, and an empty text, list or object."""
    return value is not None and value is not False and value not in ("", [], {})


def missing_parts(source: ValueExpression, context: Context) -> list[str]:
    """A sentence for each part of an expression that selects nothing of a message."""
    if isinstance(source, Concat | Hash):
        parts = [*source.parts, *([source.bucket_time] if isinstance(source, Hash) and source.bucket_time else [])]
        return [text for part in parts for text in missing_parts(part, context)]
    if source.find(context) not in (None, ""):
        return []
    if isinstance(source, Path):
        return [source.fault(context)]
    return [f"the header {source.name} is missing" if isinstance(source, Header) else "no alternative has a value"]


def _moment(source: ValueExpression | None, context: Context) -> int:
    """Epoch seconds of the message: the configured time, else the queue's, else now."""
    sent = mapping(context.names.get("attributes")).get("SentTimestamp")
    for value in (None if source is None else source.find(context), sent):
        moment = None if value is None else parse_time(value, zone="UTC")
        if moment is not None:
            return int(moment.timestamp())
    return int(context.now)


def parse_source(fields: Fields, key: str) -> ValueExpression | None:
    """Read a field as a source: a JMESPath in text, or a table with exactly one kind."""
    value = fields.take(key)
    return None if value is None else _parse(value, fields.at(key), fields.problems)


def parse_optional_path(fields: Fields, key: str) -> Path | None:
    """The JMESPath at ``key``, if there is one."""
    value = fields.take(key)
    return None if value is None else parse_path(value, fields.at(key), fields.problems)


def read_header_name(fields: Fields, key: str) -> str | None:
    """The lower-case name of a header at ``key``, if there is one."""
    name = fields.text(key, hint="the name of a header")
    if name is not None and not HEADER_NAME.fullmatch(name):
        fields.problem(key, f"{name!r} is no header name; use letters, digits and dashes")
        return None
    return None if name is None else name.lower()


def parse_path(expression: Any, path: str, problems: list[str]) -> Path | None:
    """Compile a JMESPath; problems go to ``problems``."""
    if not isinstance(expression, str) or not expression.strip():
        problems.append(f"{path}: must be a JMESPath expression such as body.id, not {kind_of(expression)}")
        return None
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        reason = str(error).splitlines()[0]
        problems.append(
            f"{path}: is no JMESPath expression ({reason}); names with dashes are quoted, as in "
            'headers."x-request-id", and literals are in single quotes'
        )
        return None
    if not re.search(rf"(?<![\w\"])(?:{'|'.join(ROOTS)})(?!\w)|@", expression):
        problems.append(
            f"{path}: {expression!r} starts from none of {', '.join(ROOTS)}; write body.{expression} to read the body"
        )
        return None
    tree = cast("Mapping[str, Any]", compiled.parsed)
    mistakes = [f"{path}: {expression!r}: {mistake}" for mistake in mistaken_calls(tree)]
    problems.extend(mistakes)
    if mistakes:
        return None
    return Path(expression, compiled, frozenset(_headers_read(tree, at_root=True)), _chain(tree) or ())


def _parse(value: Any, path: str, problems: list[str]) -> ValueExpression | None:
    if isinstance(value, str):
        return parse_path(value, path, problems)
    if not isinstance(value, Mapping):
        problems.append(
            f"{path}: must be a JMESPath expression or a table with one of {', '.join(KINDS)}, not {kind_of(value)}"
        )
        return None
    kinds = [kind for kind in KINDS if value.get(kind) is not None]
    if len(kinds) != 1:
        present = " and ".join(kinds) if kinds else "none of them"
        problems.append(f"{path}: must have exactly one of {', '.join(KINDS)}; it has {present}")
        return None
    return _READERS[kinds[0]](Fields(value, path, problems))


def _read_path(fields: Fields) -> ValueExpression | None:
    expression = fields.take("path")
    fields.done()
    return parse_path(expression, fields.at("path"), fields.problems)


def _read_header(fields: Fields) -> ValueExpression | None:
    name = read_header_name(fields, "header")
    fields.done()
    return None if name is None else Header(name)


def _read_constant(fields: Fields) -> ValueExpression | None:
    value = fields.take("constant")
    fields.done()
    if not (is_whole(value) or (isinstance(value, str) and value)):
        fields.problem("constant", f"must be a text or a whole number, not {kind_of(value)}")
        return None
    return Constant(value)


def _read_list(fields: Fields, key: str) -> list[ValueExpression] | None:
    value = fields.take(key)
    if not isinstance(value, (list, tuple)) or not value:
        fields.problem(key, f"must be a list of at least one source, not {kind_of(value) if value else 'an empty one'}")
        return None
    parts = [_parse(item, f"{fields.at(key)}[{index}]", fields.problems) for index, item in enumerate(value)]
    usable = [part for part in parts if part is not None]
    return usable if len(usable) == len(parts) else None


def _read_concat(fields: Fields) -> ValueExpression | None:
    parts = _read_list(fields, "concat")
    separator = fields.text("separator", default=":", hint="the text between the parts") or ":"
    fields.done()
    return None if parts is None else Concat(tuple(parts), separator)


_DAY: Final = 86_400


def _read_hash(fields: Fields) -> ValueExpression | None:
    parts = _read_list(fields, "hash")
    bucket = fields.integer("bucket_seconds", default=0, low=1, high=_DAY) if fields.has("bucket_seconds") else None
    time = parse_source(fields, "bucket_time")
    if time is not None and bucket is None:
        fields.problem("bucket_time", "is of no use without bucket_seconds; give the bucket's length, such as 300")
    fields.take("bucket_seconds")
    fields.done()
    return None if parts is None else Hash(tuple(parts), bucket or None, time)


def _read_first(fields: Fields) -> ValueExpression | None:
    alternatives = _read_list(fields, "first")
    fields.done()
    return None if alternatives is None else First(tuple(alternatives))


_READERS: Final[Mapping[str, Callable[[Fields], ValueExpression | None]]] = {
    "path": _read_path,
    "header": _read_header,
    "constant": _read_constant,
    "concat": _read_concat,
    "hash": _read_hash,
    "first": _read_first,
}
