"""Specifications: errors name the field and the fix, presets are data, and the JSON Schema says the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_events.partners import signature_schemes
from media_events.partners.presets import load_preset, preset_names, preset_text
from media_events.partners.specification import SpecificationError, parse_specification
from media_events_kit.ops.partner.specification_schema import schema

ROOT = Path(__file__).resolve().parents[4]
HMAC = {"method": "hmac", "signature_header": "x-sig"}
BASE: dict[str, Any] = {"id": "body.id", "type": "body.type"}
VALIDATOR = jsonschema.Draft202012Validator(schema())


def problems(**fields: Any) -> list[str]:
    with pytest.raises(SpecificationError) as caught:
        parse_specification({**BASE, **fields})
    return caught.value.problems


def verification_problems(**fields: Any) -> list[str]:
    return problems(verification={**HMAC, **fields})


# (mistake, the field that must be named, a word of the remedy, whether the JSON Schema finds it)
WRONG: list[tuple[dict[str, Any], str, str, bool]] = [
    ({"id": None}, "id", "body.id", True),
    ({"type": None}, "type", "body.type", True),
    ({"id": 7}, "id", "JMESPath", True),
    ({"id": ""}, "id", "JMESPath", True),
    ({"id": "body.["}, "id", "JMESPath", False),
    ({"id": "id"}, "id", "body.id", False),
    ({"id": {"path": "body.id", "header": "x-id"}}, "id", "exactly one", True),
    ({"id": {}}, "id", "exactly one", True),
    ({"id": {"hash": []}}, "id.hash", "at least one", True),
    ({"id": {"hash": ["body.a", {"concat": [3]}]}}, "id.hash[1].concat[0]", "JMESPath", True),
    ({"id": {"hash": ["body"], "bucket_time": "body.at"}}, "id.bucket_time", "bucket_seconds", False),
    ({"id": {"hash": ["body"], "bucket_seconds": 0}}, "id.bucket_seconds", "from 1", True),
    ({"id": {"header": "x y"}}, "id.header", "header name", True),
    ({"id": {"constant": ["x"]}}, "id.constant", "a text", True),
    ({"id": {"path": "body.id", "separator": "/"}}, "id.separator", "unknown", True),
    ({"subjct": "body.id"}, "subjct", "known: answers", True),
    ({"types": {"a": "Asset Ready"}}, "types.a", "asset.ready", True),
    ({"types": {"a": 7}}, "types.a", "a text", True),
    ({"types": ["a"]}, "types", "an object", True),
    ({"type": {"path": "body.s", "table": {"1": ""}}}, "type.table.1", "a text", True),
    ({"time": {"path": "body.at", "unit": "hours"}}, "time.unit", "ms", True),
    ({"time": {"path": "body.at", "zone": "Mars"}}, "time.zone", "UTC", True),
    ({"sequence": {"path": "body.n", "width": 0}}, "sequence.width", "from 1", True),
    ({"sequence": {"path": "body.n", "pad": "middle"}}, "sequence.pad", "left", True),
    ({"subject": "lower(body.id)"}, "subject", "lower() is no function", False),
    ({"subject": "join(body.list)"}, "subject", "write join(string, array of string)", False),
    ({"subject": "length(`5`) || body.x"}, "subject", "write length(string or array or object)", False),
    ({"subject": "sort_by(body.l, body.x)"}, "subject", "write sort_by(array, &expression)", False),
    ({"subject": {"concat": ["body.a", "to_strin(body.b)"]}}, "subject.concat[1]", "did you mean to_string()", False),
    ({"time": {"path": "body.at", "zone": "Europe/Berln"}}, "time.zone", "did you mean Europe/Berlin?", False),
    ({"parsing": {"content_types": ["json"]}}, "parsing.content_types", "application/json", False),
    ({"parsing": {"content_types": ["*/*"]}}, "parsing.content_types", "matches no content type", False),
    (
        {"parsing": {"content_types": ["application/json; charset=utf-8"]}},
        "parsing.content_types",
        "write application/json",
        False,
    ),
    ({"verification": {**HMAC, "content": "{Body}"}}, "verification.content", "did you mean {body}?", False),
    ({"verification": {**HMAC, "content": "{nonce}{body}"}}, "verification.content", "is no placeholder", False),
    (
        {"verification": {"method": "static_token", "signature_header": "x", "algorithm": "sha1"}},
        "verification.algorithm",
        "means nothing with method static_token",
        False,
    ),
    (
        {"verification": {"method": "none", "allow_unverified": True, "require_headers": {"a": "b"}}},
        "verification.require_headers",
        "means nothing with method none",
        False,
    ),
    (
        {"handshake": {"kind": "query_echo", "query": "c", "when": "body.x"}},
        "handshake.when",
        "means nothing with kind query_echo",
        False,
    ),
    ({"verification": HMAC, "subject": "query.asset"}, "subject", "the signature does not cover", False),
    ({"redact": "token"}, "redact", "list", True),
    ({"redact": ["$.a[0]"]}, "redact", "body.items[*].token", True),
    ({"redact": ["body.**"]}, "redact", "body.**.auth_token", False),
    ({"redact": ["delivery.token"]}, "redact", "write body.delivery.token", True),
    ({"redact": ["**.token"]}, "redact", "write body.**.token", True),
    ({"redact": ["headers.x-token.part"]}, "redact", "a header's value is a text", False),
    ({"redact": ["query.token"]}, "redact", "only body, document, headers", True),
    ({"answers": {"accepted": 500}}, "answers.accepted", "200 to 299", True),
    ({"answers": {"unprocessable": 302}}, "answers.unprocessable", "redirect", True),
    ({"answers": {"unavailable": 450}}, "answers.unavailable", "429", True),
    ({"answers": {"unauthenticated": "401"}}, "answers.unauthenticated", "whole number", True),
    ({"dedup": {"window_seconds": 5}}, "dedup.window_seconds", "from 60", True),
    ({"parsing": {"format": "yaml"}}, "parsing.format", "json", True),
    ({"parsing": {"content_types": "application/json"}}, "parsing.content_types", "list", True),
    ({"split": 7}, "split", "an object", True),
    ({"split": {"path": "events"}}, "split.path", "body.events", False),
    ({"flatten": {"key": "k"}}, "flatten.path", "missing", True),
    ({"title": 7}, "title", "a text", True),
    ({"preset": "muxx"}, "preset", "mux", True),
    ({"verification": "hmac"}, "verification", "an object", True),
    ({"verification": {}}, "verification.method", "hmac", False),
    ({"verification": {"method": "dsa"}}, "verification.method", "hmac", True),
    ({"verification": {"method": "hmac"}}, "verification.signature_header", "name the header", False),
    ({"verification": {"method": "none"}}, "verification.allow_unverified", "static_token", False),
    ({"verification": {**HMAC, "allow_unverified": True}}, "verification.allow_unverified", "remove", False),
    ({"verification": {**HMAC, "signature_query": "s"}}, "verification.signature_query", "keep one", False),
    ({"verification": {**HMAC, "algorithm": "md5"}}, "verification.algorithm", "sha256", True),
    ({"verification": {**HMAC, "encoding": "base58"}}, "verification.encoding", "hex", True),
    ({"verification": {**HMAC, "signature_format": "prefix:"}}, "verification.signature_format", "prefix:<text>", True),
    (
        {"verification": {**HMAC, "signature_format": {"kind": "kv"}}},
        "verification.signature_format.keys",
        '["v1"]',
        True,
    ),
    (
        {"verification": {**HMAC, "signature_format": {"kind": "kv", "keys": ["v1"], "separator": "="}}},
        "verification.signature_format.separator",
        "one character",
        True,
    ),
    ({"verification": {**HMAC, "content": "{bdy}"}}, "verification.content", "{body}", False),
    ({"verification": {**HMAC, "content": "fixed"}}, "verification.content", "{body}", False),
    ({"verification": {**HMAC, "content": "{url}"}}, "verification.content", "{body}", False),
    ({"verification": {**HMAC, "content": "{secret}{body}"}}, "verification.content", "{secret}", False),
    ({"verification": {**HMAC, "method": "digest"}}, "verification.content", "{secret}", False),
    ({"verification": {**HMAC, "timestamp": "header:x-t"}}, "verification.content", "{timestamp}", False),
    ({"verification": {**HMAC, "content": "{timestamp}.{body}"}}, "verification.timestamp", "header:", False),
    ({"verification": {**HMAC, "timestamp": "x-t"}}, "verification.timestamp", "header:<name>", True),
    (
        {"verification": {**HMAC, "timestamp": "kv:t", "content": "{timestamp}.{body}"}},
        "verification.timestamp",
        "signature_format",
        False,
    ),
    (
        {"verification": {**HMAC, "timestamp": "claim:t", "content": "{timestamp}.{body}"}},
        "verification.timestamp",
        "jwt_body",
        False,
    ),
    ({"verification": {**HMAC, "message_id": "header:x-id"}}, "verification.content", "{id}", False),
    ({"verification": {**HMAC, "message_id": "x-id"}}, "verification.message_id", "header:", True),
    ({"verification": {**HMAC, "message_id_pattern": "("}}, "verification.message_id_pattern", "regular", False),
    ({"verification": {**HMAC, "content": "{id}.{body}"}}, "verification.message_id", "header:", False),
    ({"verification": {**HMAC, "content": "{sorted_form}"}}, "id", "signed_form", False),
    ({"verification": {**HMAC, "body_digest": {"query": "d"}}}, "verification.body_digest", "{url}", False),
    ({"verification": {**HMAC, "body_digest": {}}}, "verification.body_digest.query", "query parameter", True),
    ({"verification": {**HMAC, "tolerance_seconds": -1}}, "verification.tolerance_seconds", "from 0", True),
    ({"verification": {**HMAC, "key_format": "pem"}}, "verification.key_format", "base64", True),
    ({"verification": {**HMAC, "require_headers": {"x": 1}}}, "verification.require_headers.x", "a text", True),
    ({"verification": {**HMAC, "signature_heder": "x"}}, "verification.signature_heder", "known: algorithm", True),
    (
        {"verification": {"method": "static_token", "signature_header": "x", "timestamp": "header:t"}},
        "verification.timestamp",
        "not signed",
        False,
    ),
    ({"verification": HMAC, "id": {"header": "x-id"}}, "id", "unsigned_headers", False),
    ({"verification": HMAC, "id": 'headers."x-id"'}, "id", "unsigned_headers", False),
    ({"verification": HMAC, "id": "values(headers)[0]"}, "id", "unsigned_headers", False),
    (
        {"verification": HMAC, "id": {"header": "x-id"}, "unsigned_headers": ["x-id"]},
        "id",
        "again under other ids",
        False,
    ),
    (
        {
            "verification": HMAC,
            "id": {"first": ["body.id", {"hash": ["headers.x", "body"]}]},
            "unsigned_headers": ["x"],
        },
        "id",
        "again under other ids",
        False,
    ),
    (
        {"verification": HMAC, "type": {"path": "body.type", "qualifier": {"header": "x"}}},
        "type.qualifier",
        "unsigned_headers",
        False,
    ),
    (
        {"verification": {**HMAC, "method": "digest", "content": "{secret}{body}"}},
        "verification.content",
        "extend",
        False,
    ),
    (
        {"verification": {**HMAC, "public_key_prefix": "whpk_"}},
        "verification.public_key_prefix",
        "must never be an HMAC's secret",
        False,
    ),
    (
        {
            "verification": {
                **HMAC,
                "signature_format": {"kind": "versioned", "keys": ["v1"], "ed25519_keys": ["v1a"]},
                "key_prefix": "k_",
                "public_key_prefix": "k_",
            }
        },
        "verification.public_key_prefix",
        "and differ",
        False,
    ),
    (
        {"verification": HMAC, "type": {"header": "x-kind"}, "unsigned_headers": ["X-Kind"]},
        "type.allowed",
        "list the values",
        False,
    ),
    ({"handshake": {"kind": "dance"}}, "handshake.kind", "echo_field", True),
    ({"handshake": {"kind": "echo_field"}}, "handshake.when", "needs it", False),
    ({"handshake": {"kind": "query_echo"}}, "handshake.query", "needs it", False),
]


@pytest.mark.parametrize(
    ("fields", "field", "fix", "seen"), WRONG, ids=[f"{n}-{case[1]}" for n, case in enumerate(WRONG)]
)
def test_error_names_the_field_and_the_fix(fields, field, fix, seen):
    found = problems(**fields)

    assert any(text.startswith(f"{field}:") and fix in text for text in found), found
    assert seen is not VALIDATOR.is_valid({**BASE, **fields}), "the JSON Schema and the parser disagree"


@pytest.mark.parametrize(
    ("expression", "headers"),
    [
        ("body.id", set()),
        ("body.headers.x", set()),
        ("body.list[?headers == `1`].x | [0]", set()),
        ("body.list[*].headers", set()),
        ("sort_by(body.list, &headers)[0]", set()),
        ('headers."X-Id"', {"x-id"}),
        ("body.id || headers.x", {"x"}),
        ("join('/', [body.id, headers.a, headers.b])", {"a", "b"}),
        ("{a: headers.x}.a", {"x"}),
        ("headers", {"*"}),
        ("@", {"*", "?*"}),
        ("values(headers)[0]", {"*"}),
        ("headers.* | [0]", {"*"}),
        ("@.headers.x", {"*", "?*"}),
        ("query.Name || query", {"?Name", "?*"}),
    ],
)
def test_headers_that_an_expression_reads_are_known(expression, headers):
    found = parse_specification({**BASE, "subject": expression}).subject

    assert found is not None
    assert found.headers() == headers


@pytest.mark.parametrize("value", [None, 7, "mux", [], {}, {"preset": None}, {"preset": 7}])
def test_anything_that_is_no_specification_is_refused_with_a_sentence(value):
    with pytest.raises(SpecificationError) as caught:
        parse_specification(value)
    assert caught.value.problems
    assert not VALIDATOR.is_valid(value)


def test_all_problems_are_reported_at_once():
    found = problems(id=7, types={"a": "B"}, time={"path": "x"}, verification={"method": "hmac", "encoding": "x"})

    assert {text.split(":")[0] for text in found} >= {"id", "types.a", "time.path", "verification.encoding"}


def test_nesting_without_end_is_refused():
    source: Any = "body.id"
    for _ in range(5_000):
        source = {"first": [source]}

    assert "nested" in problems(id=source)[0]


def test_webhook_without_verification_must_say_so():
    queue = parse_specification(BASE)
    opened = parse_specification({**BASE, "verification": {"method": "none", "allow_unverified": True}})

    assert "allow_unverified" in queue.webhook_problems()[0]
    assert opened.webhook_problems() == []


# Valid specifications.

RIGHT: list[dict[str, Any]] = [
    BASE,
    {"preset": "mux"},
    {"preset": "mux", "types": {"video.asset.ready": "asset.playable"}, "title": "Our Mux"},
    {"preset": "mux", "redact": None, "types": {"video.asset.ready": None}},
    {**BASE, "verification": {"method": "none", "allow_unverified": True}},
    {**BASE, "verification": {**HMAC, "tolerance_seconds": 0}},
    {
        **BASE,
        "verification": {"method": "digest", "signature_query": "s", "content": "{body}{secret}", "algorithm": "sha1"},
    },
    {**BASE, "verification": {"method": "ed25519", "signature_header": "x", "key_format": "hex"}},
    {
        **BASE,
        "id": {
            "first": [
                {"header": "x-id"},
                {"hash": ["body", {"constant": 1}], "bucket_seconds": 60, "bucket_time": "body.at"},
            ]
        },
    },
    {**BASE, "type": {"path": "body.s", "table": {"0": "queued"}, "allowed": ["queued"], "qualifier": "body.q"}},
    {**BASE, "time": {"header": "x-time", "unit": "ms"}, "sequence": {"path": "body.n", "pad": "right", "width": 32}},
    {**BASE, "split": {"path": "body.events", "optional": True}, "flatten": "field", "data": "body"},
    {**BASE, "answers": {"accepted": 200, "unprocessable": 422, "unavailable": 429}, "dedup": {"window_seconds": 600}},
    {**BASE, "handshake": {"kind": "query_echo", "query": "hub.challenge", "require_query": {"hub.mode": "subscribe"}}},
    {**BASE, "verification": {**HMAC, "signature_format": {"kind": "versioned", "separator": " ", "keys": ["v1"]}}},
]


@pytest.mark.parametrize(
    "mapping", [*RIGHT, *({"preset": name} for name in preset_names()), *map(load_preset, preset_names())]
)
def test_parser_and_schema_accept_what_is_right(mapping):
    parse_specification(mapping)

    VALIDATOR.validate(mapping)


FIELDS = st.sampled_from(sorted(schema()["properties"]))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 700),
    st.sampled_from(["body.id", "", "hmac", "x-sig", "raw", "{body}", "header:x"]),
    st.lists(st.sampled_from(["body.id", "a", ""]), max_size=2),
    st.dictionaries(
        st.sampled_from(["path", "header", "hash", "kind", "method", "keys", "unit", "signature_header", "accepted"]),
        st.sampled_from(["body.id", "hmac", "x", "", 7, None, ["body.id"]]),
        max_size=3,
    ),
)


@settings(max_examples=500, deadline=None)
@given(mapping=st.dictionaries(FIELDS, VALUES, max_size=4))
def test_whatever_the_schema_refuses_the_parser_refuses_too(mapping):
    whole = {**BASE, **mapping}
    try:
        parse_specification(whole)
    except SpecificationError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert VALIDATOR.is_valid(whole), list(VALIDATOR.iter_errors(whole))


def test_schema_is_valid_and_the_one_in_the_docs():
    jsonschema.Draft202012Validator.check_schema(schema())

    assert json.loads((ROOT / "docs" / "partner-specification.schema.json").read_text(encoding="utf-8")) == schema()


# Presets.


def test_every_named_partner_has_a_preset():
    named = {
        "mux",
        "frameio-v4",
        "frameio-v2",
        "bitmovin",
        "brightcove-cms",
        "brightcove-ingest",
        "jwplayer",
        "iconik",
        "telestream-cloud",
        "vidicore",
        "zencoder",
        "flow-production-tracking",
        "standard-webhooks",
        "github",
        "s3",
        "mediaconvert",
        "medialive",
        "mediapackage",
        "ivs",
    }
    assert named <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_preset_cites_its_source_and_describes_itself(name):
    specification = parse_specification({"preset": name})

    assert "http" in preset_text(name)
    assert specification.title != "Partner"
    assert specification.description


@pytest.mark.parametrize("name", preset_names())
def test_no_preset_lets_anybody_in(name):
    verification = parse_specification({"preset": name}).verification

    assert verification is None or verification.method != "none"


def test_unknown_preset_is_a_key_error():
    with pytest.raises(KeyError):
        load_preset("../secrets")


def test_override_merges_tables_and_replaces_the_rest():
    found = parse_specification(
        {
            "preset": "mux",
            "types": {"video.asset.ready": "asset.playable"},
            "subject": {"header": "x"},
            "unsigned_headers": ["x"],
        }
    )

    assert found.types["video.asset.ready"] == "asset.playable"
    assert found.types["video.asset.errored"] == "asset.failed"
    assert found.subject is not None
    assert found.subject.headers() == frozenset({"x"})
    assert found.verification is not None


def test_new_verification_method_starts_from_nothing():
    found = parse_specification(
        {"preset": "mux", "verification": {"method": "static_token", "signature_header": "x-s"}}
    )

    assert found.verification is not None
    assert (found.verification.timestamp, found.verification.signature_format.kind) == (None, "raw")


def test_same_verification_method_keeps_the_other_parameters():
    found = parse_specification({"preset": "mux", "verification": {"method": "hmac", "tolerance_seconds": 60}})

    assert found.verification is not None
    assert (found.verification.tolerance_seconds, found.verification.signature_header) == (60, "mux-signature")


def test_null_takes_a_presets_field_away():
    assert parse_specification({"preset": "mux", "redact": None, "verification": None}).verification is None
    assert parse_specification({"preset": "mux", "redact": None}).redact == ()


def test_words_of_the_schema_are_those_of_the_parser():
    words = schema()["properties"]["verification"]["anyOf"][0]["properties"]["method"]["anyOf"][0]["enum"]

    assert tuple(words) == signature_schemes.METHODS


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["jwt", "ecdsa", "tomllib", "boto3", "pydantic", "yaml", "importlib.resources"]
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; "
        "import media_events.partners.normalization, media_events.partners.signature_verification; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.attack("A24")
@pytest.mark.parametrize("content", ["{secret}{body}", "{secret}:{body}", "{body}{secret}{url}"])
def test_a24_digest_that_can_be_extended_is_refused(content):
    with pytest.raises(SpecificationError, match="can extend the content"):
        parse_specification({**BASE, "verification": {**HMAC, "method": "digest", "content": content}})


TIMED = {**HMAC, "timestamp": "header:x-time", "content": "{timestamp}.{body}", "tolerance_seconds": 600}


@pytest.mark.attack("A14")
@pytest.mark.parametrize(("window", "problems"), [(1199, 1), (1200, 0)])
def test_a14_repetition_is_recognised_for_as_long_as_a_request_is_accepted(window, problems):
    found = parse_specification({**BASE, "verification": TIMED, "dedup": {"window_seconds": window}})

    assert len(found.webhook_problems()) == problems
    assert found.webhook_problems(authorised=True) == []


@pytest.mark.parametrize("verification", [HMAC, {**TIMED, "tolerance_seconds": 0}])
def test_webhook_whose_time_is_not_signed_is_told(verification):
    found = parse_specification({**BASE, "verification": verification})

    assert "signs no time" in found.webhook_advice()[0]
    assert found.webhook_advice(authorised=True) == []


@pytest.mark.parametrize("verification", [TIMED, {"method": "static_token", "signature_header": "x"}])
def test_webhook_whose_time_is_signed_or_that_signs_nothing_is_fine(verification):
    assert parse_specification({**BASE, "verification": verification}).webhook_advice() == []
