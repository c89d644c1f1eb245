"""What a partner's specification says, as frozen dataclasses, and the one way to read it.

The fields are documented in ``docs/reference/partner-specification.md``; ``docs/partner-specification.schema.json`` describes the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from media_events.core.config_fields import Fields, kind_of, shown
from media_events.partners import signature_schemes
from media_events.partners.body_parsing import FORM_TYPE, JSON_TYPES
from media_events.partners.redaction import PATH
from media_events.partners.signature_schemes import Handshake, Verification
from media_events.partners.timestamps import parse_zone
from media_events.partners.value_expressions import Hash, Path, ValueExpression, parse_path, parse_source

BODY_FORMATS: Final = ("json", "form", "json-or-form")
WRAPPINGS: Final = ("none", "eventbridge")
PADDINGS: Final = ("left", "right", "none")
TIME_UNITS: Final = ("auto", "s", "ms", "iso")
MAX_TYPE_CHARACTERS: Final = 128
FOURTEEN_DAYS: Final = 14 * 86_400
_SHOWN_PROBLEMS: Final = 50


class SpecificationError(ValueError):
    """A specification can't be used; ``problems`` has one sentence each: field, what is wrong, what would be right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad partner specification: " + "; ".join(problems[:_SHOWN_PROBLEMS]))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsing:
    """How the body is written, which content types are let in, and whether an EventBridge event is around it."""

    format: str = "json"
    content_types: tuple[str, ...] = JSON_TYPES
    wrapping: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Where a batch's list of events is; ``optional`` where some messages are single events."""

    path: Path
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """A list of key/value pairs that is really an object: where it is, and what its members are called."""

    path: str
    key: str = "key"
    value: str = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRule:
    """Where the partner's type is; ``table`` gives codes names; ``allowed`` closes the set (for unsigned headers).

    ``qualifier`` refines the look-up of the neutral type: ``<native type>/<qualifier>`` is tried first.
    """

    source: ValueExpression
    table: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    qualifier: ValueExpression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRule:
    """Where the time is, its unit, and the zone of a time that is written without one."""

    source: ValueExpression
    unit: str = "auto"
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRule:
    """Where the sequence is, and how it is padded so that it sorts as text."""

    source: ValueExpression
    pad: str = "left"
    width: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """HTTP status codes per outcome. ``accepted`` and ``duplicate`` are 2xx, ``unavailable`` is 429 or 5xx."""

    accepted: int = 202
    duplicate: int = 202
    unprocessable: int = 202
    unauthenticated: int = 401
    malformed: int = 400
    unavailable: int = 503
    retry_after_seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSpecification:
    """One partner. ``verification`` is ``None`` for a partner that comes by queue or bus; a webhook needs one."""

    title: str
    description: str = ""
    verification: Verification | None
    handshake: Handshake | None = None
    parsing: Parsing = field(default_factory=Parsing)
    split: Split | None = None
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
    redact: tuple[str, ...] = ()
    unsigned_headers: frozenset[str] = frozenset()
    answers: Answers = field(default_factory=Answers)
    dedup_window_seconds: int = FOURTEEN_DAYS

    def webhook_problems(self, *, authorised: bool = False, secrets: bool = True) -> list[str]:
        """Why this partner can't be a webhook; empty where it can.

        ``authorised``: API Gateway authenticates it, in place of ``verification``. ``secrets``: there are some.
        """
        if self.verification is None and not authorised:
            return [
                (
                    "verification: is missing, and a webhook needs it; choose a method, or write method none and "
                    "allow_unverified true to let anybody in"
                )
            ]
        handshake = self.handshake
        if authorised and not secrets and handshake and (handshake.kind == "hmac_token" or handshake.secret_query):
            return ["handshake: needs a secret also where API Gateway authorises the calls; name one in secret_arns"]
        return []


def parse_specification(mapping: Mapping[str, Any]) -> PartnerSpecification:
    """Read a specification as a file holds it: all fields, or ``preset`` and what differs from it.

    Raises:
        SpecificationError: with every problem, each naming the field.
    """
    problems: list[str] = []
    resolved = resolve_preset(mapping, problems)
    try:
        specification = None if problems else _read(Fields(resolved, "", problems))
    except RecursionError:
        raise SpecificationError(
            ["the specification: is nested too deeply; no source needs more than a few levels"]
        ) from None
    if problems or specification is None:
        raise SpecificationError(list(dict.fromkeys(problems)))
    return specification


def resolve_preset(mapping: Any, problems: list[str]) -> Any:
    """The specification with its preset merged in, preset's preset included; the mapping itself without one."""
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

    ``null`` takes a field away. A new ``verification.method`` or ``handshake.kind`` starts from nothing, since the
    old one's parameters mean nothing to it.
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
    verification = None
    table = fields.table("verification")
    if table is not None:
        verification = signature_schemes.parse_verification(table)
    table = fields.table("handshake")
    handshake = None if table is None else signature_schemes.parse_handshake(table)
    identity = parse_source(fields, "id")
    kind = _type(fields)
    if not fields.has("id"):
        fields.problem("id", 'is missing; give a JMESPath such as body.id, or {hash = ["body"]} where there is none')
    split, time, sequence = _split(fields), _time(fields), _sequence(fields)
    unsigned = frozenset(name.lower() for name in fields.texts("unsigned_headers", hint="a list of header names"))
    build = partial(
        PartnerSpecification,
        verification=verification,
        handshake=handshake,
        split=split,
        time=time,
        sequence=sequence,
        unsigned_headers=unsigned,
        title=fields.text("title", default="Partner") or "Partner",
        description=fields.text("description", default="") or "",
        parsing=_parsing(fields),
        flatten=_flatten(fields),
        data=_optional_path(fields, "data"),
        types=_types(fields),
        redact=_redact(fields),
        answers=_answers(fields),
        dedup_window_seconds=_dedup(fields),
        subject=parse_source(fields, "subject"),
        partitionkey=parse_source(fields, "partitionkey"),
        correlationid=parse_source(fields, "correlationid"),
        causationid=parse_source(fields, "causationid"),
        traceparent=parse_source(fields, "traceparent"),
    )
    fields.take("preset")
    fields.done()
    if problems or identity is None or kind is None:
        return None
    found = build(id=identity, type=kind)
    _check_headers(found, fields)
    return None if problems else found


def _check_headers(found: PartnerSpecification, fields: Fields) -> None:
    """A header that the signature does not cover may be anybody's: it must be named, and a type's values listed."""
    if found.verification is None or found.verification.method not in ("hmac", "digest", "ed25519", "jwt_body"):
        return
    covered = found.verification.signed_headers() | found.unsigned_headers
    rules = {
        "id": found.id,
        "type": found.type.source,
        "subject": found.subject,
        "partitionkey": found.partitionkey,
        "correlationid": found.correlationid,
        "causationid": found.causationid,
        "traceparent": found.traceparent,
        "time": None if found.time is None else found.time.source,
        "sequence": None if found.sequence is None else found.sequence.source,
    }
    for name, source in rules.items():
        for header in sorted((source.headers() if source is not None else frozenset()) - covered):
            fields.problem(
                name,
                f"reads the header {header}, which the signature does not cover; take a signed value, or add the "
                "header to unsigned_headers if anybody may set it",
            )
    if found.type.source.headers() & found.unsigned_headers and not found.type.allowed:
        fields.problem(
            "type.allowed", "is missing: the type comes from an unsigned header, so list the values that you take"
        )


def _parsing(fields: Fields) -> Parsing:
    table = fields.table("parsing")
    if table is None:
        return Parsing()
    form = table.choice("format", BODY_FORMATS, default="json") or "json"
    defaults = {"json": JSON_TYPES, "form": (FORM_TYPE,), "json-or-form": (*JSON_TYPES, FORM_TYPE)}[form]
    types = tuple(name.lower() for name in table.texts("content_types", hint="a list of media types"))
    wrapping = table.choice("wrapping", WRAPPINGS, default="none") or "none"
    table.done()
    return Parsing(format=form, content_types=types or defaults, wrapping=wrapping)


def _split(fields: Fields) -> Split | None:
    value = fields.take("split")
    if value is None:
        return None
    if isinstance(value, str):
        path = parse_path(value, fields.at("split"), fields.problems)
        return None if path is None else Split(path=path)
    table = Fields(value, fields.at("split"), fields.problems)
    path = parse_path(table.take("path"), table.at("path"), table.problems)
    optional = table.boolean("optional")
    table.done()
    return None if path is None else Split(path=path, optional=optional)


def _flatten(fields: Fields) -> Flatten | None:
    value = fields.take("flatten")
    if value is None:
        return None
    table = Fields({"path": value} if isinstance(value, str) else value, fields.at("flatten"), fields.problems)
    path = table.text("path", required=True, hint="the name of the field that holds the list")
    key, item = table.text("key", default="key"), table.text("value", default="value")
    table.done()
    return Flatten(path=path or "", key=key or "key", value=item or "value")


def _type(fields: Fields) -> TypeRule | None:
    value = fields.take("type")
    if value is None:
        fields.problem("type", "is missing; give a JMESPath such as body.type, or {constant = …}")
        return None
    rules = ("table", "allowed", "qualifier")
    source_fields, extra = value, {}
    if isinstance(value, Mapping):
        source_fields = {key: item for key, item in value.items() if key not in rules}
        extra = {key: item for key, item in value.items() if key in rules}
    source = parse_source(Fields({"type": source_fields}, "", fields.problems), "type")
    table = Fields(extra, "type", fields.problems)
    names = {str(code): name for code, name in table.pairs("table").items()}
    allowed = frozenset(table.texts("allowed", hint="the list of types that you take"))
    qualifier = parse_source(table, "qualifier")
    return None if source is None else TypeRule(source=source, table=names, allowed=allowed, qualifier=qualifier)


def _types(fields: Fields) -> dict[str, str]:
    types = fields.pairs("types")
    for native, neutral in types.items():
        if len(neutral) > MAX_TYPE_CHARACTERS or not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", neutral):
            fields.problem(
                f"types.{native}", f"{neutral!r} is no neutral type; use lower-case words with dots, asset.ready say"
            )
    return types


def _time(fields: Fields) -> TimeRule | None:
    value = fields.take("time")
    if value is None:
        return None
    unit, zone, source_fields = "auto", None, value
    if isinstance(value, Mapping):
        source_fields = {key: item for key, item in value.items() if key not in ("unit", "zone")}
        table = Fields({key: item for key, item in value.items() if key in ("unit", "zone")}, "time", fields.problems)
        unit = table.choice("unit", TIME_UNITS, default="auto") or "auto"
        zone = table.text("zone", hint="UTC or an offset such as +01:00")
        if zone is not None and parse_zone(zone) is None:
            table.problem("zone", f"{zone!r} must be UTC or an offset such as +01:00")
    source = parse_source(Fields({"time": source_fields}, "", fields.problems), "time")
    return None if source is None else TimeRule(source=source, unit=unit, zone=zone)


def _sequence(fields: Fields) -> SequenceRule | None:
    value = fields.take("sequence")
    if value is None:
        return None
    pad, width, source_fields = "left", 20, value
    if isinstance(value, Mapping):
        source_fields = {key: item for key, item in value.items() if key not in ("pad", "width")}
        table = Fields({k: v for k, v in value.items() if k in ("pad", "width")}, "sequence", fields.problems)
        pad = table.choice("pad", PADDINGS, default="left") or "left"
        width = table.integer("width", default=20, low=1, high=64)
    source = parse_source(Fields({"sequence": source_fields}, "", fields.problems), "sequence")
    return None if source is None else SequenceRule(source=source, pad=pad, width=width)


def _optional_path(fields: Fields, key: str) -> Path | None:
    value = fields.take(key)
    return None if value is None else parse_path(value, fields.at(key), fields.problems)


def _redact(fields: Fields) -> tuple[str, ...]:
    paths = fields.texts("redact", hint="a list of paths into the body, such as data.stream_key or **.auth_token")
    for path in paths:
        if not PATH.fullmatch(path) or path in ("*", "**"):
            fields.problem("redact", f"{path!r} is no path; write data.stream_key, items.*.token or **.auth_token")
    return paths


def _answers(fields: Fields) -> Answers:
    table = fields.table("answers")
    if table is None:
        return Answers()
    found = Answers(
        accepted=table.integer("accepted", default=202, low=200, high=299),
        duplicate=table.integer("duplicate", default=202, low=200, high=299),
        unprocessable=table.integer("unprocessable", default=202, low=200, high=499),
        unauthenticated=table.integer("unauthenticated", default=401, low=200, high=499),
        malformed=table.integer("malformed", default=400, low=200, high=499),
        unavailable=table.integer("unavailable", default=503, low=429, high=599),
        retry_after_seconds=table.integer("retry_after_seconds", default=30, low=1, high=3600),
    )
    table.done()
    for name in ("unprocessable", "unauthenticated", "malformed"):
        if 300 <= getattr(found, name) <= 399:  # noqa: PLR2004 - redirects mean nothing to a sender
            table.problem(name, "must not be a redirect; answer 2xx or 4xx")
    if 430 <= found.unavailable <= 499:  # noqa: PLR2004
        table.problem("unavailable", "must be 429 or 5xx, so that the sender tries again")
    return found


def _dedup(fields: Fields) -> int:
    table = fields.table("dedup")
    if table is None:
        return FOURTEEN_DAYS
    window = table.integer("window_seconds", default=FOURTEEN_DAYS, low=60, high=FOURTEEN_DAYS)
    table.done()
    return window


__all__ = [
    "Answers",
    "Flatten",
    "Hash",
    "Parsing",
    "PartnerSpecification",
    "SequenceRule",
    "SpecificationError",
    "Split",
    "TimeRule",
    "TypeRule",
    "kind_of",
    "merge",
    "parse_specification",
    "resolve_preset",
]
