"""A ``lookup`` step as its configuration describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from media_events.delivery.config_fields import whole_number
from media_events.delivery.http.config import read_http
from media_events.outbound_http.authentication import StandardWebhooks
from media_events.transform.aws_lookups import ObjectSource, TableSource
from media_events.transform.config_fields import Reading
from media_events.transform.expressions import ExpressionError, compiled
from media_events.transform.http_lookup import ApiSource, UrlTemplate
from media_events.transform.lookup import MISSING, LookupStep, Missing, Source
from media_events.transform.lookup_cache import MAX_ENTRIES, LookupCache

DEFAULT_SECONDS: Final = 5.0
MAX_SECONDS: Final = 60.0
MAX_CACHE_SECONDS: Final = 86_400.0

_SOURCES: Final = ("dynamodb", "http", "s3")
LOOKUP_KEYS: Final = {*_SOURCES, "into", "when", "take", "missing", "default", "cache"}
API_KEYS: Final = {"url", "headers", "auth", "timeout_seconds", "allowed_private_cidrs", "allow_http"}

TABLE_KEYS: Final = {"table_arn", "key", "consistent", "timeout_seconds", "kms_key_arn"}
OBJECT_KEYS: Final = {"bucket", "key", "prefix", "sidecar", "timeout_seconds", "kms_key_arn"}

_TABLE_ARN: Final = re.compile(r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}\Z")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_KEY_ARN: Final = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+\Z")


def parse_lookup(where: str, body: Any, problems: list[str]) -> LookupStep | None:
    """Read what stands under ``lookup``; ``None`` where it is too wrong to go on."""
    reading = Reading.of(where, body, LOOKUP_KEYS, problems)
    if reading is None:
        return None
    when = reading.optional_expression("when")
    take = reading.optional_expression("take")
    into = reading.path("into")
    if reading.body.get("into") is None:
        reading.wrong("into", "must be the path in data where the answer goes, such as asset.details")
    missing = reading.body.get("missing", MISSING[0])
    if missing not in MISSING:
        reading.wrong("missing", f"must be one of {', '.join(MISSING)}, not {missing!r}")
    if ("default" in reading.body) != (missing == "default"):
        reading.wrong("default", "belongs to missing: default, and missing: default needs it")
    answers = _cache(reading)
    source = _source(reading)
    if source is None or into is None:
        return None
    return LookupStep(
        where=where,
        when=when,
        source=source,
        into=into,
        take=take,
        missing=cast("Missing", missing),
        default=reading.body.get("default"),
        answers=answers,
    )


def _cache(lookup: Reading) -> LookupCache:
    body = lookup.body.get("cache")
    if body is None:
        return LookupCache()
    reading = Reading.of(f"{lookup.where}.cache", body, {"seconds", "entries"}, lookup.problems)
    if reading is None:
        return LookupCache()
    if reading.body.get("seconds") is None:
        reading.wrong("seconds", "must say how old an answer may be")
    return LookupCache(
        seconds=reading.seconds("seconds", 0.0, MAX_CACHE_SECONDS),
        entries=whole_number(
            reading.body.get("entries"), f"{reading.where}.entries", MAX_ENTRIES, MAX_ENTRIES, reading.problems
        ),
    )


def _source(lookup: Reading) -> Source | None:
    named = [kind for kind in _SOURCES if lookup.body.get(kind) is not None]
    if len(named) != 1:
        lookup.problems.append(f"{lookup.where} must have exactly one of {', '.join(_SOURCES)}: who is asked")
        return None
    (kind,) = named
    body, where = lookup.body[kind], f"{lookup.where}.{kind}"
    match kind:
        case "dynamodb":
            return _table(where, body, lookup.problems)
        case "s3":
            return _object(where, body, lookup.problems)
    return _api(where, body, lookup.problems)


def _table(where: str, body: Any, problems: list[str]) -> TableSource | None:
    reading = Reading.of(where, body, TABLE_KEYS, problems)
    if reading is None:
        return None
    _key_arn(reading)
    arn = reading.text("table_arn", _TABLE_ARN, "the ARN of a table, arn:aws:dynamodb:<region>:<account>:table/<name>")
    key = reading.body.get("key")
    if not isinstance(key, Mapping) or not 1 <= len(key) <= 2:  # noqa: PLR2004 - a table's key has no more
        reading.wrong(
            "key", "must be an object: each attribute of the table's key (one or two) and the JMESPath of its value"
        )
        return None
    expressions = {}
    for name, expression in key.items():
        try:
            expressions[str(name)] = compiled(expression)
        except ExpressionError as error:
            reading.wrong(f"key.{name}", str(error))
    return TableSource(
        table_arn=arn,
        key=expressions,
        consistent=reading.truth("consistent"),
        timeout_seconds=reading.seconds("timeout_seconds", DEFAULT_SECONDS, MAX_SECONDS),
    )


def _object(where: str, body: Any, problems: list[str]) -> ObjectSource | None:
    reading = Reading.of(where, body, OBJECT_KEYS, problems)
    if reading is None:
        return None
    _key_arn(reading)
    bucket = reading.text("bucket", _BUCKET, "the name of a bucket (no event may choose it)")
    key = reading.expression("key")
    prefix = reading.body.get("prefix") or ""
    if not isinstance(prefix, str) or re.search(r"[*?$]", prefix):
        reading.wrong("prefix", "must be text without *, ? and $, which mean something else in a policy")
    sidecar = reading.body.get("sidecar")
    if sidecar is not None and (not isinstance(sidecar, str) or not re.search(r"\{(key|stem)\}", sidecar)):
        reading.wrong("sidecar", "must be the sidecar's key with {key} or {stem} in it, such as {stem}.json")
    seconds = reading.seconds("timeout_seconds", DEFAULT_SECONDS, MAX_SECONDS)
    if key is None:
        return None
    return ObjectSource(bucket=bucket, key=key, prefix=str(prefix), sidecar=sidecar, timeout_seconds=seconds)


def _key_arn(reading: Reading) -> None:
    # For the function's permissions, not for the function.
    if reading.body.get("kms_key_arn") is not None:
        reading.text("kms_key_arn", _KEY_ARN, "the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>")


def _api(where: str, body: Any, problems: list[str]) -> ApiSource | None:
    reading = Reading.of(where, body, API_KEYS, problems)
    if reading is None:
        return None
    try:
        url = UrlTemplate.parse(reading.body.get("url"))
    except ExpressionError as error:
        reading.wrong("url", str(error))
        return None
    document = {**reading.body, "url": url.sample}
    seconds = reading.seconds("timeout_seconds", DEFAULT_SECONDS, MAX_SECONDS)
    document["timeout_seconds"] = seconds
    auth = document.get("auth")
    if isinstance(auth, Mapping):
        document["auth"] = {key: value for key, value in auth.items() if key != "kms_key_arn"}
        _key_arn(Reading(f"{where}.auth", auth, problems))
    found: list[str] = []
    api = read_http(document, {"name": "lookup"}, found)
    problems.extend(f"{where}.{problem}" for problem in found)
    if api is None:
        return None
    if isinstance(api.authentication, StandardWebhooks):
        reading.wrong(
            "auth.type", "must be api-key, basic or oauth2-client-credentials: a lookup sends nothing to sign"
        )
    return ApiSource(url=url, api=api, allow_http=reading.body.get("allow_http") is True)
