"""The JSON Schema of a partner's specification, for editors and generators.

``docs/partner-specification.schema.json`` has its text. It covers single fields; ``parse_specification`` also checks
fields against each other, such as a timestamp that no signature covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from media_events.partners.body_parsing import CHARSETS
from media_events.partners.form_parsing import FIELDS
from media_events.partners.handshake_schemes import HANDSHAKE_METHODS, HANDSHAKES, STATUSES
from media_events.partners.http_message_signatures import ALGORITHMS as MESSAGE_ALGORITHMS
from media_events.partners.presets import preset_names
from media_events.partners.signature_schemes import (
    ALGORITHMS,
    ECDSA_ENCODINGS,
    ENCODINGS,
    FORMATS,
    HANDSHAKE_ENCODINGS,
    KEY_FORMATS,
    MAX_TOLERANCE_SECONDS,
    METHODS,
    PADDINGS,
    TOKEN_ALGORITHMS,
    UNITS,
)
from media_events.partners.specification import (
    BODY_FORMATS,
    COMPRESSIONS,
    FOURTEEN_DAYS,
    TIME_UNITS,
    WRAPPINGS,
)
from media_events.partners.specification import METHODS as REQUEST_METHODS
from media_events.partners.specification import PADDINGS as SEQUENCE_PADDINGS
from media_events.partners.value_expressions import ROOTS
from media_events_kit.ops.partner.field_descriptions import with_descriptions

SCHEMA_URI: Final = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Final = {"type": "string", "minLength": 1}
_HEADER: Final = {"type": "string", "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_BOOLEAN: Final = {"type": "boolean"}
_SOURCE: Final = {"$ref": "#/$defs/source"}
_HTTPS: Final = {"type": "string", "pattern": "^https://"}
_PATH: Final = {"$ref": "#/$defs/path"}
_PAIRS: Final = {"type": "object", "additionalProperties": _TEXT, "propertyNames": {"minLength": 1}}
_ZONE: Final = {
    "type": "string",
    "pattern": r"^([Zz]|[Uu][Tt][Cc]|[Gg][Mm][Tt]|[+-][0-9]{2}(:?[0-9]{2})?|[A-Z][A-Za-z]+/[\w+/-]+)$",
}


def _described(text: str, **schema: Any) -> dict[str, Any]:
    return {"description": text, **schema}


def _choice(*words: str) -> dict[str, Any]:
    return {"enum": list(words)}


def _whole(low: int, high: int, default: int | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    return schema if default is None else {**schema, "default": default}


def _table(properties: dict[str, Any], *, required: Sequence[str] = ()) -> dict[str, Any]:
    # `null` removes a preset's field, so every field but the required ones may be null.
    nullable = {
        name: schema if name in required else {"anyOf": [schema, {"type": "null"}]}
        for name, schema in properties.items()
    }
    table: dict[str, Any] = {"type": "object", "properties": nullable, "additionalProperties": False}
    return {**table, "required": list(required)} if required else table


def _source_tables(**extra: Any) -> list[dict[str, Any]]:
    """The tables for each kind of source, with the ``extra`` fields of the place."""
    several = {"type": "array", "items": _SOURCE, "minItems": 1}
    return [
        _table({"path": _PATH, **extra}, required=["path"]),
        _table({"header": _HEADER, **extra}, required=["header"]),
        _table({"constant": {"anyOf": [_TEXT, {"type": "integer"}]}, **extra}, required=["constant"]),
        _table({"concat": several, "separator": _TEXT, **extra}, required=["concat"]),
        _table(
            {"hash": several, "bucket_seconds": _whole(1, 86_400), "bucket_time": _SOURCE, **extra}, required=["hash"]
        ),
        _table({"first": several, **extra}, required=["first"]),
    ]


def _source_with(description: str, **extra: Any) -> dict[str, Any]:
    return _described(description, anyOf=[_PATH, *_source_tables(**extra)])


def schema() -> dict[str, Any]:
    """The schema, as JSON Schema draft 2020-12."""
    return with_descriptions(_schema())


def _schema() -> dict[str, Any]:
    return {
        "$schema": SCHEMA_URI,
        "title": "Partner specification",
        "description": "A partner's verification, fields and answers; see docs/reference/partner-specification.md.",
        "type": "object",
        "properties": {name: {"anyOf": [value, {"type": "null"}]} for name, value in _fields().items()},
        "additionalProperties": False,
        # A preset alone is enough.
        "anyOf": [
            {"required": ["preset"], "properties": {"preset": {"type": "string"}}},
            {
                "required": ["id", "type"],
                "properties": {"id": {"not": {"type": "null"}}, "type": {"not": {"type": "null"}}},
            },
        ],
        "$defs": {
            "path": _described(f"A JMESPath over {{{', '.join(ROOTS)}}}", **_TEXT),
            "source": _described("The source of a value", anyOf=[_PATH, *_source_tables()]),
        },
    }


def _fields() -> dict[str, Any]:
    return {
        "preset": _described("The preset that this specification changes", enum=list(preset_names())),
        "title": _described("The partner's name for people", **_TEXT),
        "description": _described("Its events", **_TEXT),
        "verification": _described("Authentication of the sender", **_verification()),
        "handshake": _described("The answer to the partner's check of the endpoint", **_handshake()),
        "parsing": _described(
            "Format of the message, and its way to us",
            **_parsing(),
        ),
        "ignore": _described("Messages for which this is true are acknowledged, and make no event", **_PATH),
        "split": _optional_path("Path of a batch's list of events", "Whether a message without it is a single event"),
        "flatten": _described(
            "A list of key/value pairs that stands for an object",
            anyOf=[_TEXT, _table({"path": _TEXT, "key": _TEXT, "value": _TEXT}, required=["path"])],
        ),
        "data": _described("The event's data; unset: the body", **_PATH),
        "id": _described("The partner's own id of the event, the same on every attempt", **_SOURCE),
        "type": _source_with("The partner's type of the event", table=_PAIRS, allowed=_TEXTS, qualifier=_SOURCE),
        "types": _described(
            "From the partner's types to neutral ones",
            type="object",
            additionalProperties={
                "anyOf": [
                    {"type": "string", "pattern": "^[a-z0-9]+([._-][a-z0-9]+)*$", "maxLength": 128},
                    {"type": "null"},
                ]
            },
            propertyNames={"minLength": 1},
        ),
        "time": _source_with("Time of the event; unset: of its receipt", unit=_choice(*TIME_UNITS), zone=_ZONE),
        "subject": _described("The asset or job concerned", **_SOURCE),
        "partitionkey": _described("The ordering key; unset: the subject, else the id", **_SOURCE),
        "sequence": _source_with(
            "Text that sorts the events of one key", pad=_choice(*SEQUENCE_PADDINGS), width=_whole(1, 64, 20)
        ),
        "correlationid": _described("The id of the job or order that it belongs to", **_SOURCE),
        "causationid": _described("The id of the event that caused it", **_SOURCE),
        "traceparent": _described("A W3C trace parent", **_SOURCE),
        "redact": _described(
            "Paths that are removed: body.data.key, body.items[*].token, body.**.token, headers.x-token",
            type="array",
            items={"type": "string", "pattern": r"^(body|document|headers)[.\[]"},
        ),
        "unsigned_headers": _described("Headers that may be read although no signature covers them", **_TEXTS),
        "answers": _described("HTTP status codes per outcome", **_answers()),
        "provenance": _described(
            "Where its facts are from",
            **_table(
                {
                    "pages": _described("The vendor's pages", **_TEXTS),
                    "held": _described("The day when it was last held to them", type="string", format="date"),
                    "assumed": _described("The fields that no page states; unset: not said", **_TEXTS),
                },
                required=["pages", "held"],
            ),
        ),
        "dedup": _described(
            "How long a duplicate is recognised",
            **_table({"window_seconds": _whole(60, FOURTEEN_DAYS, FOURTEEN_DAYS)}),
        ),
    }


def _parsing() -> dict[str, Any]:
    return _table(
        {
            "format": _described(
                "Format of the body; query: the fields are in the URL", **_choice(*BODY_FORMATS), default="json"
            ),
            "methods": _described(
                "HTTP methods of its requests; unset: POST, or GET for the format query",
                type="array",
                items=_choice(*REQUEST_METHODS),
            ),
            "content_types": _described(
                "Accepted content types, none for requests without one; unset: those of the format", **_TEXTS
            ),
            "charset": _described(
                "Character set; unset: UTF-8 without byte order mark, or the one that XML declares",
                **_choice(*CHARSETS),
            ),
            "compression": _described("gzip: a body may be compressed", **_choice(*COMPRESSIONS), default="none"),
            "fields": _described(
                "nested: repeated and bracketed fields of a form are lists and objects",
                **_choice(*FIELDS),
                default="flat",
            ),
            "empty_body": _described("Whether an empty body is an empty object", **_BOOLEAN, default=False),
            "unwrap": _optional_path(
                "Path of the message within the body, such as parse_json(body.payload)",
                "Whether a body without it is the message itself",
            ),
            "wrapping": _described(
                "eventbridge: the body may be an EventBridge event", **_choice(*WRAPPINGS), default="none"
            ),
        }
    )


def _optional_path(description: str, optional: str) -> dict[str, Any]:
    table = _table({"path": _PATH, "optional": _described(optional, **_BOOLEAN, default=False)}, required=["path"])
    return _described(description, anyOf=[_PATH, table])


def _verification() -> dict[str, Any]:
    fields = _scheme()
    scheme = _table(fields, required=["method"])
    return _table({**fields, "alternatives": {"type": "array", "items": scheme, "minItems": 1, "maxItems": 2}})


def _scheme() -> dict[str, Any]:
    place = {"type": "string", "pattern": r"^((header|kv|claim):.{1,128}|body(\.[A-Za-z0-9_-]{1,64}){1,8})$"}
    keyed = {"separator": {"type": "string", "pattern": "^[^=]$"}, "keys": {**_TEXTS, "minItems": 1}}
    return {
        "method": _choice(*METHODS),
        "algorithm": _choice(*ALGORITHMS, *MESSAGE_ALGORITHMS),
        "encoding": _choice(*ENCODINGS),
        "signature_header": _HEADER,
        "signature_query": _TEXT,
        "signature_format": {
            "anyOf": [
                {"type": "string", "pattern": "^(raw|prefix:.+)$"},
                _table({"kind": _choice(FORMATS[0])}, required=["kind"]),
                _table({"kind": _choice(FORMATS[1]), "prefix": _TEXT}, required=["kind", "prefix"]),
                _table({"kind": _choice(*FORMATS[2:]), **keyed, "ed25519_keys": _TEXTS}, required=["kind", "keys"]),
            ]
        },
        "timestamp": {
            "anyOf": [place, _table({"from": place, "unit": _choice(*UNITS), "zone": _ZONE}, required=["from"])]
        },
        "message_id": {"type": "string", "pattern": "^header:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$"},
        "message_id_pattern": {**_TEXT, "format": "regex"},
        "content": _TEXT,
        "key_format": _choice(*KEY_FORMATS),
        "key_prefix": _TEXT,
        "public_key_prefix": _TEXT,
        "tolerance_seconds": _whole(0, MAX_TOLERANCE_SECONDS, 300),
        "require_headers": _PAIRS,
        "body_digest": _table(
            {"query": _TEXT, "algorithm": _choice(*ALGORITHMS), "encoding": _choice(*ENCODINGS)}, required=["query"]
        ),
        "allow_unverified": _BOOLEAN,
        "allow_unsigned_body": _described(
            "The partner signs a token in the body, and not the body; unset: false", **_BOOLEAN
        ),
        "signature_field": {"type": "string", "pattern": r"^body(\.[A-Za-z0-9_-]{1,64}){0,8}$"},
        "padding": _choice(*PADDINGS),
        "ecdsa_encoding": _choice(*ECDSA_ENCODINGS),
        "public_keys": _described("Public keys or certificates in PEM, or JWKs; unset: those in the secret", **_TEXTS),
        "jwks_url": _described("The URL of the partner's JWK Set", **_HTTPS),
        "key_url": _described(
            "A host that serves keys in PEM, and the header with a key's path",
            **_table({"origin": _HTTPS, "header": _HEADER}, required=["origin", "header"]),
        ),
        "token_algorithms": {"type": "array", "items": _choice(*TOKEN_ALGORITHMS)},
        "claims": _described("Claims that a token must have", **_PAIRS),
        "body_claim": _described(
            "The claim with the body's digest",
            **_table(
                {"name": _TEXT, "algorithm": _choice(*ALGORITHMS), "encoding": _choice(*ENCODINGS)},
                required=["name"],
            ),
        ),
        "components": _described("What an HTTP message signature must cover; unset: content-digest", **_TEXTS),
        "label": _TEXT,
        "tag": _TEXT,
        "topics": _described("The ARNs of the SNS topics whose messages are taken", **_TEXTS),
        "networks": _described("The callers' networks, in CIDR notation", **_TEXTS),
    }


def _handshake() -> dict[str, Any]:
    return _table(
        {
            "kind": _described("The kind of answer", **_choice(*HANDSHAKES)),
            "method": _described(
                "Method of the request; unset: POST, or GET where query is the token", **_choice(*HANDSHAKE_METHODS)
            ),
            "unsigned": _described("Whether the sender signs no such request", **_BOOLEAN, default=False),
            "when": _described("Which requests are handshakes", **_PATH),
            "token": _described("The token to answer with", **_SOURCE),
            "response_field": _described("Field of the answer for the token; unset: plain text", **_TEXT),
            "digest_field": _described("Field of the answer for the token's HMAC", **_TEXT),
            "digest_prefix": _described("Text before the HMAC, such as sha256=", **_TEXT),
            "algorithm": _described("Hash of the HMAC", **_choice(*ALGORITHMS), default="sha256"),
            "encoding": _described("Form of the HMAC", **_choice(*HANDSHAKE_ENCODINGS), default="hex"),
            "query": _described("The parameter of the query that is the token", **_TEXT),
            "require_query": _described("Parameters that the query must have, with these values", **_PAIRS),
            "secret_query": _described("The parameter that must be one of the secrets", **_TEXT),
            "header": _described("The header to answer with", **_HEADER),
            "status": _described("Status of a fixed answer", enum=list(STATUSES), default=200),
            "response": _described("JSON of a fixed answer", type="object"),
        }
    )


def _answers() -> dict[str, Any]:
    refusal = {"anyOf": [_whole(200, 299), _whole(400, 499)]}
    return _table(
        {
            "accepted": _whole(200, 299, 202),
            "duplicate": _whole(200, 299, 202),
            "unprocessable": refusal,
            "unauthenticated": refusal,
            "malformed": refusal,
            "unavailable": {"anyOf": [{"const": 429}, _whole(500, 599)]},
            "retry_after_seconds": _whole(1, 3600, 30),
        }
    )
