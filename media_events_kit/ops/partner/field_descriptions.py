"""Hover text for the nested fields of a partner specification, by their path; a name alone is for every place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NESTED: Final[Mapping[str, str]] = {
    "path": "A JMESPath expression over the message",
    "header": "The name of a header, in any case",
    "constant": "The same value for every message",
    "concat": "Values that are joined; nothing if one is missing",
    "separator": "The text between the values; unset: a colon",
    "hash": "Values whose SHA-256 is the value; nothing if all are missing",
    "bucket_seconds": "Equal values of different windows of so many seconds differ; unset: they never do",
    "bucket_time": "The time that decides the window; unset: when the queue or we got the message",
    "first": "Alternatives, of which the first with a value is taken",
    "optional": "Whether a message may lack it",
    "type.table": "Names of the partner's codes",
    "type.allowed": "The only types that are taken; unset: all",
    "type.qualifier": "A second value, so that types may have rows such as release/published",
    "time.unit": "The unit of a number; unset: by its size",
    "time.zone": "The zone of a time without offset; unset: such a time can't be read",
    "sequence.pad": "The side on which numbers are filled with zeros, so that they sort as text; unset: left",
    "sequence.width": "The characters of a filled number",
    "flatten.path": "The field with the list of pairs",
    "flatten.key": "The field of a pair with its name; unset: key",
    "flatten.value": "The field of a pair with its value; unset: value",
    "verification.method": "How the sender proves itself",
    "verification.algorithm": "The hash of the signature; unset: sha256",
    "verification.encoding": "The form of the signature; unset: hex",
    "verification.signature_header": "The header with the signature or token; unset: authorization for JWTs and basic",
    "verification.signature_query": "The parameter of the URL with the signature or token",
    "verification.signature_field": "The place of the signature within the body",
    "verification.signature_format": "Where in its place the signature is; unset: it is all of it (raw)",
    "signature_format.kind": "raw, prefix, kv (k=v pairs) or versioned (v1,…)",
    "signature_format.prefix": "The text before the signature",
    "signature_format.separator": "The character between pairs or versions; unset: a comma for kv, else a space",
    "signature_format.keys": "The keys or versions that are signatures of this scheme",
    "signature_format.ed25519_keys": "The keys or versions that are ed25519 signatures",
    "verification.timestamp": "The place of the signed time; unset: no time is checked",
    "timestamp.from": "The place of the signed time",
    "timestamp.unit": "The unit of the time; unset: s",
    "timestamp.zone": "The zone of a time without offset; unset: such a time can't be read",
    "verification.message_id": "The header with the signed id of the message",
    "verification.message_id_pattern": "The form of that id; unset: letters, digits, _ and -, 256 at most",
    "verification.content": "The signed text, with placeholders; unset: {body}",
    "verification.key_format": "The form of the secret; unset: utf8",
    "verification.key_prefix": "The text before the key in a secret, such as whsec_",
    "verification.public_key_prefix": "The text before an ed25519 public key in a secret, such as whpk_",
    "verification.tolerance_seconds": "How old or early the signed time may be, of sns 3900 by default; 0: unchecked",
    "verification.require_headers": "Headers that a request must have, with these values",
    "verification.body_digest": "The digest of the body in a parameter of the signed URL",
    "body_digest.query": "The parameter with the digest",
    "body_digest.algorithm": "The hash of the digest; unset: sha256",
    "body_digest.encoding": "The form of the digest; unset: hex",
    "verification.allow_unverified": "Whether anybody may send; must be true for the method none; unset: false",
    "verification.padding": "The padding of an RSA signature; unset: pkcs1",
    "verification.ecdsa_encoding": "The form of an ECDSA signature; unset: der",
    "key_url.origin": "The scheme and host of the keys",
    "key_url.header": "The header with a key's path",
    "verification.token_algorithms": "The algorithms of a token that are taken; unset: HS256",
    "body_claim.name": "The claim with the digest",
    "body_claim.algorithm": "The hash of the digest; unset: sha256",
    "body_claim.encoding": "The form of the digest; unset: hex",
    "verification.label": "The label of the signature among several; unset: any",
    "verification.tag": "The tag that a signature must have; unset: any",
    "verification.alternatives": "Other schemes, of which one also proves the sender",
    "answers.accepted": "The status for new events",
    "answers.duplicate": "The status for events that came before",
    "answers.unprocessable": "The status for a verified message that can't be read; unset: 202",
    "answers.unauthenticated": "The status without a valid proof; unset: 401",
    "answers.malformed": "The status for an ambiguous request; unset: 400",
    "answers.unavailable": "The status for a fault of ours; unset: 503",
    "answers.retry_after_seconds": "When the sender shall try again after that",
    "dedup.window_seconds": "For how long a repeated event is recognised, in seconds",
}


def with_descriptions(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema with a description at each property of each level, if there is one."""
    described = dict(schema)
    for key in ("anyOf", "allOf", "oneOf"):
        if key in schema:
            described[key] = [with_descriptions(item, path) for item in schema[key]]
    if isinstance(schema.get("items"), Mapping):
        # A further scheme has the fields of the first.
        inner = path[:-1] if path[-1:] == ("alternatives",) else path
        described["items"] = with_descriptions(schema["items"], inner)
    if "$defs" in schema:
        described["$defs"] = {name: with_descriptions(item, (name,)) for name, item in schema["$defs"].items()}
    # The condition of an alternative says nothing of its fields.
    if "properties" in schema and schema.get("type") == "object":
        described["properties"] = {
            name: _property(with_descriptions(item, (*path, name)), (*path, name))
            for name, item in schema["properties"].items()
        }
    return described


def _property(schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    # Editors show the text of the property itself first, so it moves there from its alternatives.
    first, *others = schema.get("anyOf", [{}])
    inner = first.get("description")
    text = schema.get("description") or inner or NESTED.get(".".join(path[-2:])) or NESTED.get(path[-1])
    if text is None:
        return schema
    if inner is not None:
        schema["anyOf"] = [{name: value for name, value in first.items() if name != "description"}, *others]
    return {"description": text, **schema}


_SOURCE_TABLES: Final = 6
"""A field with so many tables is a source of values, each of another kind."""


def field_rows(schema: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str, str]]:
    """Name, default and meaning of each field and of those of its tables; not of the kinds of sources."""
    rows: dict[str, tuple[str, str, str]] = {}
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        meaning, _, unset = field["description"].partition("; unset: ")
        shapes = [shape for each in (field, *field.get("anyOf", ())) for shape in (each, *each.get("anyOf", ()))]
        default = next((_text(shape["default"]) for shape in shapes if "default" in shape), "")
        rows[prefix + name] = (prefix + name, "required" if name in required else unset or default or "none", meaning)
        tables = [shape for shape in shapes if shape.get("type") == "object"]
        own = (
            {kind for table in tables for kind in table.get("required", ())} if len(tables) >= _SOURCE_TABLES else set()
        )
        for table in tables:
            for row in field_rows(table, f"{prefix}{name}."):
                if row[0].rpartition(".")[2] not in own | _OF_SOURCES if own else True:
                    rows.setdefault(row[0], row)
    return list(rows.values())


_OF_SOURCES: Final = {"separator", "bucket_seconds", "bucket_time"}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
