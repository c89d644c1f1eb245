"""A ``lookup`` step as its configuration describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from media_events.core.deferred import pattern
from media_events.outbound_http.authentication import StandardWebhooks
from media_events.outbound_http.endpoint import read_endpoint
from media_events.transform.aws_lookups import ObjectSource, TableSource
from media_events.transform.config_fields import StepFields
from media_events.transform.expressions import compiled
from media_events.transform.http_lookup import ApiSource, UrlTemplate
from media_events.transform.lookup import MISSING, LookupStep, Missing, Source
from media_events.transform.lookup_cache import MAX_ENTRIES, LookupCache

DEFAULT_SECONDS: Final = 5.0
MAX_SECONDS: Final = 60.0
MAX_CACHE_SECONDS: Final = 86_400.0

_SOURCES: Final = ("dynamodb", "http", "s3")
_API_FIELDS: Final = ("headers", "auth", "allowed_private_cidrs", "allow_http", "tls")

_TABLE_ARN: Final = pattern(r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}\Z")
_BUCKET: Final = pattern(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_KEY_ARN: Final = pattern(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+\Z")


def parse_lookup(where: str, body: Any, problems: list[str]) -> LookupStep | None:
    """Read the object of a ``lookup``; ``None`` if it is too wrong to go on."""
    fields = StepFields(body, where, problems)
    when = fields.optional_expression("when")
    take = fields.optional_expression("take")
    into = fields.data_path("into")
    if not fields.has("into"):
        fields.problem("into", "must be the path in data where the answer goes, such as asset.details")
    missing = fields.choice("missing", MISSING, default=MISSING[0])
    default = fields.take("default")
    if ("default" in fields.values) != (missing == "default"):
        fields.problem("default", "belongs to missing: default, and missing: default needs it")
    cache = _cache(fields)
    source = _source(fields)
    fields.done()
    if source is None or into is None:
        return None
    return LookupStep(
        where=where,
        when=when,
        source=source,
        into=into,
        take=take,
        missing=cast("Missing", missing),
        default=default,
        cache=cache,
    )


def _cache(lookup: StepFields) -> LookupCache:
    fields = lookup.table("cache")
    if fields is None:
        return LookupCache()
    if not fields.has("seconds"):
        fields.problem("seconds", "must say how old an answer may be")
    cache = LookupCache(
        seconds=fields.number("seconds", default=0.0, high=MAX_CACHE_SECONDS),
        entries=fields.integer("entries", default=MAX_ENTRIES, low=1, high=MAX_ENTRIES),
    )
    fields.done()
    return cache


def _source(lookup: StepFields) -> Source | None:
    bodies = {kind: body for kind in _SOURCES if (body := lookup.take(kind)) is not None}
    if len(bodies) != 1:
        lookup.problem("", f"must have exactly one of {', '.join(_SOURCES)}: the system to ask")
        return None
    ((kind, body),) = bodies.items()
    fields = StepFields(body, lookup.at(kind), lookup.problems)
    source = {"dynamodb": _table, "s3": _object, "http": _api}[kind](fields)
    fields.done()
    return source


def _table(fields: StepFields) -> TableSource:
    _check_key(fields)
    arn = fields.matching(
        "table_arn", _TABLE_ARN, "the ARN of a table, arn:aws:dynamodb:<region>:<account>:table/<name>"
    )
    key = fields.take("key")
    if not isinstance(key, Mapping) or not 1 <= len(key) <= 2:  # noqa: PLR2004 - a table's key has no more
        fields.problem(
            "key", "must be an object: each attribute of the table's key (one or two) and the JMESPath of its value"
        )
        key = {}
    expressions = {str(name): fields.read(f"key.{name}", compiled, value) for name, value in key.items()}
    return TableSource(
        table_arn=arn,
        key={name: expression for name, expression in expressions.items() if expression is not None},
        consistent=fields.boolean("consistent"),
        timeout_seconds=_timeout(fields),
    )


def _object(fields: StepFields) -> ObjectSource | None:
    _check_key(fields)
    bucket = fields.matching("bucket", _BUCKET, "the name of a bucket (no event may choose it)")
    key = fields.expression("key")
    prefix = fields.take("prefix") or ""
    if not isinstance(prefix, str) or re.search(r"[*?$]", prefix):
        fields.problem("prefix", "must be text without *, ? and $, which mean something else in a policy")
    sidecar = fields.take("sidecar")
    if sidecar is not None and (not isinstance(sidecar, str) or not re.search(r"\{(key|stem)\}", sidecar)):
        fields.problem("sidecar", "must be the sidecar's key with {key} or {stem} in it, such as {stem}.json")
    seconds = _timeout(fields)
    if key is None:
        return None
    return ObjectSource(bucket=bucket, key=key, prefix=str(prefix), sidecar=sidecar, timeout_seconds=seconds)


def _timeout(fields: StepFields) -> float:
    return fields.number("timeout_seconds", default=DEFAULT_SECONDS, high=MAX_SECONDS)


def _check_key(fields: StepFields) -> None:
    # Only the function's permissions need it.
    if (key := fields.table("kms_key")) is not None:
        key.matching("arn", _KEY_ARN, "the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>")
        key.done()


def _api(fields: StepFields) -> ApiSource | None:
    url = fields.read("url", UrlTemplate.parse, fields.take("url"))
    seconds = _timeout(fields)
    document = {name: fields.take(name) for name in _API_FIELDS}
    if url is None:
        return None
    for name in ("auth", "tls"):
        if isinstance(document[name], Mapping):
            secrets = StepFields(document[name], fields.at(name), fields.problems)
            _check_key(secrets)
            document[name] = {key: value for key, value in secrets.values.items() if key != "kms_key"}
    problems: list[str] = []
    api = read_endpoint({**document, "url": url.sample, "timeout_seconds": seconds}, problems)
    for problem in problems:
        name, _, sentence = problem.partition(": ")
        fields.problem(name, sentence)
    if api is None:
        return None
    if isinstance(api.authentication, StandardWebhooks):
        fields.problem(
            "auth.type", "must be api-key, basic or oauth2-client-credentials: a lookup sends nothing to sign"
        )
    return ApiSource(url=url, api=api, allow_http=document["allow_http"] is True)
