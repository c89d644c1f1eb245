"""A partner specification, as frozen dataclasses, and its only parser.

docs/reference/partner-specification.md documents the fields; a test compares docs/partner-specification.schema.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from functools import partial
from typing import Any, Final

from media_events.core.config_fields import Fields, shown
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.partners.body_parsing import CHARSETS, JSON_TYPES, MAX_BODY_BYTES, MULTIPART_TYPE, XML_TYPES
from media_events.partners.form_parsing import FIELDS, FORM_TYPE
from media_events.partners.handshake_schemes import Handshake, parse_handshake
from media_events.partners.redaction import PATH_HINT, RedactedPath, parse_redacted_path
from media_events.partners.signature_schemes import BODY, Verification
from media_events.partners.timestamps import UNITS, read_zone
from media_events.partners.value_expressions import (
    Constant,
    Hash,
    Path,
    ValueExpression,
    injective,
    parse_optional_path,
    parse_path,
    parse_source,
    texts_in,
)
from media_events.partners.verification_parsing import parse_verification

BODY_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "json": JSON_TYPES,
    "form": (FORM_TYPE,),
    "json-or-form": (*JSON_TYPES, FORM_TYPE),
    "xml": XML_TYPES,
    "multipart": (MULTIPART_TYPE,),
    "query": ("none",),
    "jwt": ("application/secevent+jwt", "application/jwt"),
}
"""Each format with its content types. ``query`` reads the URL, not the body."""

METHODS: Final = ("POST", "GET", "PUT")
COMPRESSIONS: Final = ("none", "gzip")
WRAPPINGS: Final = ("none", "eventbridge")
PADDINGS: Final = ("left", "right", "none")
TIME_UNITS: Final = ("auto", *UNITS, "iso")
MAX_TYPE_CHARACTERS: Final = 128
FOURTEEN_DAYS: Final = 14 * 86_400
_SHOWN_PROBLEMS: Final = 50


class SpecificationError(ValueError):
    """A specification can't be used; ``problems`` has a sentence for each mistake: field, mistake, remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad partner specification: " + "; ".join(problems[:_SHOWN_PROBLEMS]))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsing:
    """The format of a message, and its way to us.

    ``methods`` are those of its requests, ``content_types`` those that are accepted. ``charset`` is ``None`` for that
    of the format. ``fields`` of a form may be ``nested``. If ``empty_body``, an empty body is an empty object.
    ``unwrap`` is the place of the message within the body; ``wrapping``: whether it is within an EventBridge event.
    """

    format: str = "json"
    methods: tuple[str, ...] = ("POST",)
    content_types: tuple[str, ...] = JSON_TYPES
    charset: str | None = None
    compression: str = "none"
    fields: str = "flat"
    empty_body: bool = False
    unwrap: OptionalPath | None = None
    wrapping: str = "none"
    max_body_bytes: int = MAX_BODY_BYTES
    """Of the unpacked body: the ingress's limit, which no specification sets."""

    @property
    def plain(self) -> bool:
        """Whether the body is the message, in JSON."""
        return self.format == "json" and (self.charset, self.compression, self.unwrap) == (None, "none", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionalPath:
    """A place in a message; ``optional`` if some messages have nothing there, and are taken as they are."""

    path: Path
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """A list of key/value pairs that becomes an object: its place, and the names of its items' fields."""

    path: str
    key: str = "key"
    value: str = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRule:
    """The source of the partner's type; ``table`` names codes; ``allowed`` closes the set (for unsigned headers).

    With a ``qualifier``, the neutral type of ``<native type>/<qualifier>`` takes precedence.
    """

    source: ValueExpression
    table: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    qualifier: ValueExpression | None = None

    def names(self, kind: str) -> bool:
        """Whether the specification itself says this type."""
        return kind in self.allowed or kind in self.table.values() or kind in texts_in(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRule:
    """The source of the time, its unit, and the zone of a time without an offset."""

    source: ValueExpression
    unit: str = "auto"
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRule:
    """The source of the sequence, and the padding that makes it sort as text."""

    source: ValueExpression
    pad: str = "left"
    width: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """HTTP status codes by outcome. ``accepted`` and ``duplicate`` are 2xx, ``unavailable`` is 429 or 5xx."""

    accepted: int = 202
    duplicate: int = 202
    unprocessable: int = 202
    unauthenticated: int = 401
    malformed: int = 400
    unavailable: int = 503
    retry_after_seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The vendor's pages that the specification follows, and the day (``YYYY-MM-DD``) when it was last held to them.

    ``assumed`` are the fields that no page states; ``None`` if nobody has said.
    """

    pages: tuple[str, ...]
    held: str
    assumed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSpecification:
    """One partner. ``verification`` may be ``None`` for a queue or bus; a webhook needs one."""

    title: str
    description: str = ""
    verification: Verification | None
    handshake: Handshake | None = None
    parsing: Parsing = field(default_factory=Parsing)
    ignore: Path | None = None
    split: OptionalPath | None = None
    flatten: Flatten | None = None
    data: Path | None = None
    id: ValueExpression
    type: TypeRule
    types: Mapping[str, str] = field(default_factory=dict)
    time: TimeRule | None = None
    subject: ValueExpression | None = None
    partitionkey: ValueExpression | None = None
    sequence: SequenceRule | None = None
    correlationid: ValueExpression | None = None
    causationid: ValueExpression | None = None
    traceparent: ValueExpression | None = None
    redact: tuple[RedactedPath, ...] = ()
    unsigned_headers: frozenset[str] = frozenset()
    answers: Answers = field(default_factory=Answers)
    dedup_window_seconds: int = FOURTEEN_DAYS
    provenance: Provenance | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of its requests, and of the handshake's."""
        handshake = () if self.handshake is None else (self.handshake.method,)
        return tuple(dict.fromkeys((*handshake, *self.parsing.methods)))

    @property
    def query_secrets(self) -> frozenset[str]:
        """The parameters of the query that prove a sender, which are no part of a message."""
        names = {None if self.handshake is None else self.handshake.secret_query}
        schemes = () if self.verification is None else self.verification.schemes
        names.update(scheme.signature_query for scheme in schemes if scheme.method == "static_token")
        return frozenset(name for name in names if name)

    def webhook_problems(self, *, authorised: bool = False, secrets: bool = True) -> list[str]:
        """The problems of this specification for a webhook.

        ``authorised``: API Gateway authenticates, in place of ``verification``. ``secrets``: whether there are any.
        """
        if self.verification is None and not authorised:
            advice = "choose a method, or write method none and allow_unverified true to let anybody in"
            return [f"verification: is missing, and a webhook needs it; {advice}"]
        handshake = self.handshake
        if authorised and not secrets and handshake and (handshake.kind == "hmac_token" or handshake.secret_query):
            return ["handshake: needs a secret even if API Gateway authorises the calls; name one in secret_arns"]
        schemes = () if self.verification is None or authorised else self.verification.schemes
        tolerance = max((scheme.accepted_seconds for scheme in schemes), default=0)
        if self.dedup_window_seconds < tolerance:
            reason = "a request is accepted for so long, so its repetition must be recognised for as long"
            return [f"dedup.window_seconds: must be at least {tolerance}, twice the tolerance_seconds: {reason}"]
        return []

    def limited_to(self, max_body_bytes: int) -> PartnerSpecification:
        """The same for an ingress that takes no larger bodies, however they are compressed."""
        if self.parsing.compression == "none":
            return self
        return replace(self, parsing=replace(self.parsing, max_body_bytes=max_body_bytes))

    def advice(self) -> list[str]:
        """What this specification leaves to the partner, and should perhaps not."""
        if self.types or self.type.allowed or isinstance(self.type.source, Constant):
            return []
        own = "neutral types that it sends itself come as native.<partner>.<type>: write those that it may send"
        return [f"type: events of any type come by it; {own} as rows, such as types: {{asset.ready: asset.ready}}"]

    def webhook_advice(self, *, authorised: bool = False) -> list[str]:
        """What is weak about this specification for a webhook, though the partner may offer nothing better."""
        if authorised or self.verification is None:
            return []
        days = f"{self.dedup_window_seconds / 86_400:g} days (dedup.window_seconds)"
        advice = []
        for scheme in self.verification.schemes:
            if scheme.method == "networks":
                advice.append(
                    "verifies the caller's address alone: whoever shares one of the networks, or relays through it, "
                    "can send events; name few addresses, and prefer a signature or a token"
                )
            elif scheme.by_signature and not scheme.accepted_seconds:
                advice.append(f"signs no time that is checked: whoever has a request can send it again after {days}")
            elif scheme.allow_unsigned_body:
                seconds = scheme.tolerance_seconds
                advice.append(f"signs no body: whoever has a request can send any other for {seconds} s")
        return list(dict.fromkeys(advice))


def parse_specification(mapping: Mapping[str, Any]) -> PartnerSpecification:
    """Read a specification: all fields, or ``preset`` and the differences from it.

    Raises:
        SpecificationError: naming every field that is wrong.
    """
    problems: list[str] = []
    resolved = resolve_preset(mapping, problems)
    try:
        specification = None if problems else _read(Fields(resolved, "", problems))
    except RecursionError:
        raise SpecificationError(
            ["the document: is nested too deeply; no source needs more than a few levels"]
        ) from None
    if problems or specification is None:
        raise SpecificationError(list(dict.fromkeys(problems)))
    return specification


def resolve_preset(mapping: Any, problems: list[str]) -> Any:
    """The specification merged into its preset, and that into its own; unchanged without a preset."""
    from media_events.partners.presets import load_preset, preset_names  # noqa: PLC0415 - reads files, only if asked

    if not isinstance(mapping, Mapping) or mapping.get("preset") is None:
        return mapping
    name = mapping["preset"]
    if not isinstance(name, str) or name not in preset_names():
        problems.append(f"preset: must be one of {', '.join(preset_names())}, not {shown(name)}")
        return mapping
    base = resolve_preset(load_preset(name), problems)
    return merge(base, {key: value for key, value in mapping.items() if key != "preset"})


_MERGED: Final = ("verification", "types", "answers", "parsing", "dedup", "handshake")


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``: tables of settings are merged field by field, everything else is replaced.

    ``null`` removes a field. A new ``verification.method`` or ``handshake.kind`` starts without the old one's
    parameters.
    """
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif key in _MERGED and isinstance(value, Mapping) and isinstance(old, Mapping):
            fresh = any(value.get(kind) not in (None, old.get(kind)) for kind in ("method", "kind"))
            fields = {**({} if fresh else old), **value}
            merged[key] = {name: item for name, item in fields.items() if item is not None}
        else:
            merged[key] = value
    return merged


def _read(fields: Fields) -> PartnerSpecification | None:
    problems = fields.problems
    verification, handshake = fields.table("verification"), fields.table("handshake")
    identity, kind = injective(parse_source(fields, "id")), _type(fields)
    if not fields.has("id"):
        fields.problem("id", 'is missing; give a JMESPath such as body.id, or {hash = ["body"]} if there is none')
    optional: dict[str, Any] = {name: parse_source(fields, name) for name in _OPTIONAL_SOURCES}
    optional["causationid"] = injective(optional["causationid"])
    unsigned = fields.texts("unsigned_headers", hint="a list of header names")
    build = partial(
        PartnerSpecification,
        verification=None if verification is None else parse_verification(verification),
        handshake=None if handshake is None else parse_handshake(handshake),
        ignore=parse_optional_path(fields, "ignore"),
        split=_optional_path(fields, "split"),
        time=_time(fields),
        sequence=_sequence(fields),
        unsigned_headers=frozenset(name.lower() for name in unsigned),
        title=fields.text("title") or "Partner",
        description=fields.text("description") or "",
        parsing=_parsing(fields, SNS_TYPES if _method(fields) == "sns" else JSON_TYPES),
        flatten=_flatten(fields),
        data=parse_optional_path(fields, "data"),
        types=_types(fields),
        redact=_redact(fields),
        answers=_answers(fields),
        dedup_window_seconds=_dedup(fields),
        provenance=_provenance(fields),
        **optional,
    )
    fields.take("preset")
    fields.done()
    if problems or identity is None or kind is None:
        return None
    specification = build(id=identity, type=kind)
    _check_headers(specification, fields)
    _check_handshake(specification, fields)
    return None if problems else specification


_OPTIONAL_SOURCES: Final = ("subject", "partitionkey", "correlationid", "causationid", "traceparent")


def _check_headers(specification: PartnerSpecification, fields: Fields) -> None:
    """A header outside the signature can be anybody's: it must be declared, and the values of a type listed.

    That holds for every scheme that signs, since a forger chooses among them.
    """
    schemes = () if specification.verification is None else specification.verification.schemes
    for scheme in schemes:
        if scheme.by_signature:
            _check_scheme(specification, scheme, fields)
        if scheme.signs("sorted_form") and not _one_id_for_a_form(specification.id):
            fields.problem(
                "id",
                "must be signed_form with {sorted_form}, which joins names and values without a boundary: whoever has "
                "a signed form could shift them, and send it again under another id",
            )
    fields.problems[:] = list(dict.fromkeys(fields.problems))


def _one_id_for_a_form(source: ValueExpression) -> bool:
    parts = source.parts if isinstance(source, Hash) and source.bucket_seconds is None else [source]
    return all(isinstance(part, Path) and part.expression.strip() == "signed_form" for part in parts)


def _check_scheme(specification: PartnerSpecification, verification: Verification, fields: Fields) -> None:
    kind = specification.type
    if (specification.parsing.format == "jwt") != (verification.signature_field == BODY):
        fields.problem("parsing.format", "jwt and verification.signature_field body belong together: method jwt")
    if specification.parsing.format == "query" and not verification.signs_url:
        fields.problem("verification.content", "leaves the query unsigned, which has the event; it must hold {url}")
    covered = verification.signed_headers() | specification.unsigned_headers
    sources = {
        "id": specification.id,
        "type": kind.source,
        "type.qualifier": kind.qualifier,
        "ignore": specification.ignore,
        **{name: getattr(specification, name) for name in _OPTIONAL_SOURCES},
        "time": None if specification.time is None else specification.time.source,
        "sequence": None if specification.sequence is None else specification.sequence.source,
    }
    for name, source in sources.items():
        for header in sorted((source.headers() if source is not None else frozenset()) - covered):
            if header.startswith("?"):
                if not verification.signs_url:
                    fields.problem(name, "reads the query, which the signature does not cover; take a signed value")
                continue
            fields.problem(
                name,
                f"reads the header {header}, which the signature does not cover; take a signed value, or add the "
                "header to unsigned_headers if anybody may set it",
            )
    for header in sorted(specification.id.headers() & specification.unsigned_headers - verification.signed_headers()):
        fields.problem(
            "id",
            f"reads the header {header}, which the signature does not cover: whoever has a signed request could send "
            "it again under other ids, or take the id of an event to come; take signed values, such as "
            '{hash = ["body"]}',
        )
    if kind.source.headers() & specification.unsigned_headers and not kind.allowed:
        fields.problem(
            "type.allowed", "is missing: the type comes from an unsigned header, so list the values that you take"
        )


def _check_handshake(specification: PartnerSpecification, fields: Fields) -> None:
    handshake, parsing = specification.handshake, specification.parsing
    if handshake is None:
        return
    if handshake.kind == "hmac_token" and not handshake.signed and parsing.format not in ("json", "xml", "multipart"):
        fields.problem(
            "handshake.query",
            f"would sign what a stranger asks for, and a body in the format {parsing.format} may look like that",
        )
    if handshake.kind == "fixed" and handshake.method == "GET" and parsing.format != "query":
        fields.problem(
            "handshake.method", "is GET, whose requests have no body that `when` could see; use HEAD or POST"
        )


_MEDIA_TYPE: Final = pattern(r"[a-z0-9!#$&^_.+-]+/(?:[a-z0-9!#$&^_.+-]+|\*|[a-z0-9!#$&^_.+-]*\*[a-z0-9!#$&^_.+-]+)")
"""A type and its parameters are compared apart (RFC 9110, section 8.3.1), and one ``*`` may stand for a part."""


SNS_TYPES: Final = ("text/plain", *JSON_TYPES)
"""SNS sends its JSON as ``text/plain; charset=UTF-8``.

https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
"""


def _method(fields: Fields) -> Any:
    verification = fields.values.get("verification")
    return verification.get("method") if isinstance(verification, Mapping) else None


def _parsing(fields: Fields, json_types: tuple[str, ...]) -> Parsing:
    table = fields.table("parsing")
    if table is None:
        return Parsing(content_types=json_types)
    form = table.choice("format", BODY_FORMATS, default="json")
    types = tuple(name.lower() for name in table.texts("content_types", hint="a list of media types"))
    for name in types:
        if name != "none" and not _MEDIA_TYPE.fullmatch(name):
            advice = name.partition(";")[0].strip() if ";" in name else "application/json, application/*+json or none"
            table.problem("content_types", f"{name!r} matches no content type; write {advice}")
    methods = table.texts("methods", hint=f"a list of {', '.join(METHODS)}", form=re.compile("|".join(METHODS)))
    parsing = Parsing(
        format=form,
        methods=methods or (("GET",) if form == "query" else ("POST",)),
        content_types=types or (json_types if form == "json" else BODY_FORMATS[form]),
        charset=table.choice("charset", CHARSETS) or None,
        compression=table.choice("compression", COMPRESSIONS, default="none"),
        fields=table.choice("fields", FIELDS, default="flat"),
        empty_body=table.boolean("empty_body"),
        unwrap=_optional_path(table, "unwrap"),
        wrapping=table.choice("wrapping", WRAPPINGS, default="none"),
    )
    table.done()
    _check_parsing(parsing, table)
    return parsing


def _check_parsing(parsing: Parsing, table: Fields) -> None:
    """Refuse settings that would have no effect, and a message in two wrappings."""
    if parsing.fields != "flat" and parsing.format in ("json", "xml"):
        table.problem("fields", f"means nothing for the format {parsing.format}; it is for forms and queries")
    if parsing.format == "query":
        for name in ("charset", "compression", "empty_body", "content_types"):
            if table.has(name):
                table.problem(name, "means nothing for the format query, which reads no body")
    elif "GET" in parsing.methods:
        table.problem("methods", "has GET, whose requests have no body; choose the format query")
    if parsing.unwrap is not None and parsing.wrapping != "none":
        table.problem("unwrap", f"can't be used beside wrapping: {parsing.wrapping}; use one of them")


def _optional_path(fields: Fields, key: str) -> OptionalPath | None:
    value = fields.take(key)
    if value is None:
        return None
    if isinstance(value, str):
        path = parse_path(value, fields.at(key), fields.problems)
        return None if path is None else OptionalPath(path=path)
    table = Fields(value, fields.at(key), fields.problems)
    path = parse_path(table.take("path"), table.at("path"), table.problems)
    optional = table.boolean("optional")
    table.done()
    return None if path is None else OptionalPath(path=path, optional=optional)


def _flatten(fields: Fields) -> Flatten | None:
    value = fields.take("flatten")
    if value is None:
        return None
    table = Fields({"path": value} if isinstance(value, str) else value, fields.at("flatten"), fields.problems)
    path = table.text("path", required=True, hint="the name of the field that holds the list")
    flatten = Flatten(path=path or "", key=table.text("key") or "key", value=table.text("value") or "value")
    table.done()
    return flatten


def _source_and_settings(fields: Fields, key: str, settings: tuple[str, ...]) -> tuple[ValueExpression | None, Fields]:
    """The source at ``key``, and the other ``settings`` that may be in its table."""
    source, others = fields.take(key), {}
    if isinstance(source, Mapping):
        others = {name: value for name, value in source.items() if name in settings}
        source = {name: value for name, value in source.items() if name not in settings}
    return parse_source(Fields({key: source}, "", fields.problems), key), Fields(others, key, fields.problems)


def _type(fields: Fields) -> TypeRule | None:
    if not fields.has("type"):
        fields.take("type")
        fields.problem("type", "is missing; give a JMESPath such as body.type, or {constant = …}")
        return None
    source, table = _source_and_settings(fields, "type", ("table", "allowed", "qualifier"))
    names = table.pairs("table")
    allowed = frozenset(table.texts("allowed", hint="the list of types that you take"))
    qualifier = parse_source(table, "qualifier")
    return None if source is None else TypeRule(source=source, table=names, allowed=allowed, qualifier=qualifier)


def _types(fields: Fields) -> dict[str, str]:
    types = fields.pairs("types")
    for native, neutral in types.items():
        if len(neutral) > MAX_TYPE_CHARACTERS or not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", neutral):
            fields.problem(
                f"types.{native}",
                f"{neutral!r} is no neutral type; use lower-case words with dots, such as asset.ready",
            )
    return types


def _time(fields: Fields) -> TimeRule | None:
    source, table = _source_and_settings(fields, "time", ("unit", "zone"))
    unit, zone = table.choice("unit", TIME_UNITS, default="auto"), read_zone(table)
    return None if source is None else TimeRule(source=source, unit=unit, zone=zone)


def _sequence(fields: Fields) -> SequenceRule | None:
    source, table = _source_and_settings(fields, "sequence", ("pad", "width"))
    pad, width = table.choice("pad", PADDINGS, default="left"), table.integer("width", default=20, low=1, high=64)
    return None if source is None else SequenceRule(source=source, pad=pad, width=width)


def _redact(fields: Fields) -> tuple[RedactedPath, ...]:
    paths = []
    for text in fields.texts("redact", hint=f"a list of paths, {PATH_HINT}"):
        try:
            paths.append(parse_redacted_path(text))
        except ValueError as error:
            fields.problem("redact", f"{text!r} {error}")
    return tuple(paths)


def _answers(fields: Fields) -> Answers:
    table = fields.table("answers")
    if table is None:
        return Answers()
    defaults = Answers()
    answers = Answers(
        **{
            name: table.integer(name, default=getattr(defaults, name), low=low, high=high)
            for name, (low, high) in _ANSWER_RANGES.items()
        }
    )
    table.done()
    for name in ("unprocessable", "unauthenticated", "malformed"):
        if 300 <= getattr(answers, name) <= 399:  # noqa: PLR2004 - redirects mean nothing to a sender
            table.problem(name, "must not be a redirect; use 2xx or 4xx")
    if 430 <= answers.unavailable <= 499:  # noqa: PLR2004
        table.problem("unavailable", "must be 429 or 5xx, so that the sender tries again")
    return answers


_ANSWER_RANGES: Final = {
    "accepted": (200, 299),
    "duplicate": (200, 299),
    "unprocessable": (200, 499),
    "unauthenticated": (200, 499),
    "malformed": (200, 499),
    "unavailable": (429, 599),
    "retry_after_seconds": (1, 3600),
}


_DAY: Final = pattern(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")
_PAGE: Final = pattern(r"https?://\S+")


def _provenance(fields: Fields) -> Provenance | None:
    table = fields.table("provenance")
    if table is None:
        return None
    pages = table.texts("pages", hint="a list of URLs", form=_PAGE)
    held = table.matching("held", _DAY, "a day such as 2026-11-29")
    assumed = table.texts("assumed", hint="a list of fields") if table.has("assumed") else None
    table.take("assumed")
    table.done()
    return Provenance(pages=pages, held=held, assumed=assumed)


def _dedup(fields: Fields) -> int:
    table = fields.table("dedup")
    if table is None:
        return FOURTEEN_DAYS
    window = table.integer("window_seconds", default=FOURTEEN_DAYS, low=60, high=FOURTEEN_DAYS)
    table.done()
    return window
