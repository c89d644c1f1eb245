"""HTTP message signatures: RFC 9421's own cases, the strict rules, and forgeries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from media_events.partners.http_message_signatures import (
    StructureError,
    content_digest_matches,
    read_byte_sequences,
    read_signature_input,
    signature_base,
)
from media_events.partners.http_signature_claim import _CHECKS
from media_events.partners.proof_parts import Key, Request
from media_events.partners.public_keys import parse_public_key
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from tests.fakes.partners import DATA

VECTORS = json.loads((DATA / "http_message_signatures.json").read_text(encoding="utf-8"))
HEADERS = [(name.lower(), value) for name, value in VECTORS["headers"]]
NOW = 1_618_884_473
SECRET = "the-shared-secret"
BODY = b'{"id":"evt-1"}'
URL = "https://hooks.example.com/webhooks/acme?a=1"


def key_of(name: str) -> Key:
    text = VECTORS["keys"][name]
    return Key(base64.b64decode(text)) if name == "test-shared-secret" else Key(public=parse_public_key(text))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["label"])
def test_the_rfc_s_cases_have_its_signature_base_and_its_signature(case):
    signed = read_signature_input(case["input"])[case["label"]]
    base = signature_base(signed, method="POST", url=VECTORS["url"], headers=HEADERS)
    signature = read_byte_sequences(case["signature"])[case["label"]]

    assert base.decode() == case["base"]
    assert _CHECKS[case["algorithm"]](key_of(case["key"]), signature, base)
    assert not _CHECKS[case["algorithm"]](key_of(case["key"]), signature, base + b" ")


def test_the_rfc_s_request_with_its_body_digest_is_verified():
    case = next(case for case in VECTORS["cases"] if case["label"] == "sig-b23")
    verification = scheme(
        algorithm="rsa-pss-sha512",
        public_keys=[VECTORS["keys"]["test-key-rsa-pss"]],
        components=["@method", "@authority", "@path", "@query", "content-digest", "content-type"],
    )
    headers = [*HEADERS, ("signature-input", case["input"]), ("signature", case["signature"])]
    sent = Request("POST", VECTORS["url"], headers, VECTORS["body"].encode())

    assert verify(verification, sent, [], NOW + 300).valid is True
    assert verify(verification, sent, [], NOW + 301).reason == "timestamp-too-old"
    assert verify(verification, Request("PUT", *_rest(sent)), [], NOW).reason == "signature-mismatch"


def _rest(sent: Request) -> tuple[str, Any, bytes]:
    return sent.url, sent.headers, sent.body


def scheme(**changes: Any):
    verification = {"method": "http_signature", "algorithm": "hmac-sha256", **changes}
    return parse_specification({"id": "body.id", "type": "body.type", "verification": verification}).verification


def digest(body: bytes = BODY) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signed(
    listed: str = '"@method" "content-digest"',
    parameters: str = f";created={NOW}",
    *,
    label: str = "sig1",
    secret: str = SECRET,
    headers: tuple[tuple[str, str], ...] = (),
) -> list[tuple[str, str]]:
    """Headers signed as the RFC says, by code of its own."""
    values = {"@method": "POST", "@authority": "hooks.example.com", "@query": "?a=1", "@target-uri": URL}
    values |= {"content-digest": digest(), **dict(headers)}
    lines = [f"{item}: {values[item.strip(chr(34))]}" for item in listed.split()]
    base = "\n".join([*lines, f'"@signature-params": ({listed}){parameters}'])
    mac = base64.b64encode(hmac.digest(secret.encode(), base.encode(), "sha256")).decode()
    return [
        ("content-digest", digest()),
        ("signature-input", f"{label}=({listed}){parameters}"),
        ("signature", f"{label}=:{mac}:"),
        *headers,
    ]


def judge(headers: list[tuple[str, str]], verification: Any = None, body: bytes = BODY, now: float = NOW) -> str:
    return verify(verification or scheme(), Request("POST", URL, headers, body), [SECRET], now).reason


def changed(headers: list[tuple[str, str]], **values: str) -> list[tuple[str, str]]:
    by_name = {name.replace("_", "-"): value for name, value in values.items()}
    return [(name, by_name.get(name, value)) for name, value in headers]


def test_a_signature_over_what_is_demanded_is_accepted_with_more_components_and_parameters():
    assert judge(signed()) == "verified"
    assert judge(signed('"@target-uri" "@query" "@authority" "content-digest"')) == "verified"
    assert judge(signed(parameters=f';created={NOW};keyid="a;b\\"c";nonce="x";alg="hmac-sha256"')) == "verified"
    assert judge(signed('"x-a" "content-digest"', headers=(("x-a", "1"),))) == "verified"


def test_spaces_in_the_header_do_not_change_what_is_signed():
    headers = dict(signed())
    spaced = headers["signature-input"].replace('"@method" "content-digest"', '  "@method"   "content-digest" ')
    assert judge(changed(signed(), signature_input=spaced)) == "verified"


@pytest.mark.attack("A29")
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "body-digest-missing"),
        (signed()[:2], "signature-missing"),
        (signed()[1:], "body-digest-missing"),
        (signed('"@method"'), "component-not-signed"),
        (signed("", f";created={NOW}"), "component-not-signed"),
        (signed(parameters=""), "timestamp-missing"),
        (signed(parameters=';created="1618884473"'), "timestamp-malformed"),
        (signed(parameters=f";created={NOW - 301}"), "timestamp-too-old"),
        (signed(parameters=f";created={NOW + 301}"), "timestamp-in-future"),
        (signed(parameters=f";created={NOW};expires={NOW - 1}"), "timestamp-too-old"),
        (signed(parameters=f";created={NOW};expires=?1"), "timestamp-too-old"),
        (signed(parameters=f';created={NOW};alg="ed25519"'), "algorithm-not-allowed"),
        (signed(secret="another"), "signature-mismatch"),
        (changed(signed(), signature="sig1=:AAAA:"), "signature-mismatch"),
        (changed(signed(), signature="sig1=:AAB=:"), "signature-malformed"),
        (changed(signed(), signature="sig1=AAAA"), "signature-malformed"),
        (changed(signed(), signature="other=:AAAA:"), "signature-missing"),
        (changed(signed(), signature_input="sig1=()"), "component-not-signed"),
        (changed(signed(), signature_input="sig1"), "signature-malformed"),
        (
            changed(signed(), signature_input='sig1=("content-digest" "content-digest");created=1'),
            "signature-malformed",
        ),
        (changed(signed(), signature_input='sig1=("content-digest""@method");created=1'), "signature-malformed"),
        (changed(signed(), content_digest="md5=:AAAA:"), "body-digest-mismatch"),
        ([*signed(), ("signature", "sig1=:AAAA:")], "header-duplicate"),
        ([*signed(), ("content-digest", digest())], "header-duplicate"),
        (changed(signed(), signature_input="a=" + "(" * 20_000), "signature-malformed"),
        (changed(signed(), signature_input=", ".join(f"a{n}=()" for n in range(9))), "signature-malformed"),
    ],
)
def test_a29_a_signature_of_less_or_in_another_form_is_refused(headers, reason):
    assert judge(headers) == reason


@pytest.mark.attack("A29")
def test_a29_another_body_under_the_signed_digest_is_refused():
    assert judge(signed(), body=BODY + b" ") == "body-digest-mismatch"
    assert judge(changed(signed(), content_digest=digest(BODY + b" ")), body=BODY + b" ") == "signature-mismatch"
    assert judge(changed(signed(), content_digest=f"{digest()}, sha-512=:AAAA:")) == "body-digest-mismatch"


@pytest.mark.attack("A29")
@pytest.mark.parametrize("listed", ['"content-digest";sf', '"content-digest";bs', '"content-digest";req', '"@status"'])
def test_a29_a_component_with_a_parameter_is_not_the_whole_one(listed):
    headers = signed('"content-digest"')
    assert judge(changed(headers, signature_input=f"sig1=({listed});created={NOW}")) == "component-not-signed"
    both = f'sig1=("content-digest" {listed if listed.startswith(chr(34) + "@") else listed + "x"});created={NOW}'
    assert judge(changed(headers, signature_input=both)) == "signature-malformed"


def test_label_and_tag_choose_among_signatures():
    mine, other = signed(parameters=f';created={NOW};tag="webhook"', label="b"), signed(label="a", secret="theirs")
    joined = [
        mine[0],
        *((name, f"{value}, {dict(mine)[name]}") for name, value in other[1:]),
    ]

    assert judge(joined, scheme(label="b")) == "verified"
    assert judge(joined, scheme(tag="webhook")) == "verified"
    assert judge(joined) == "verified"
    assert judge(joined, scheme(label="a")) == "signature-mismatch"
    assert judge(joined, scheme(tag="other")) == "signature-missing"


@pytest.mark.attack("A26")
def test_a26_a_public_key_is_no_shared_secret_and_a_shared_secret_no_public_key():
    key = ed25519.Ed25519PrivateKey.generate()
    from tests.unit.media_events.partners.test_public_keys import pem  # noqa: PLC0415

    public = pem(key)
    forged = signed(secret=public)

    assert verify(scheme(), Request("POST", URL, forged, BODY), [public], NOW).reason == "secret-unusable"
    assert (
        verify(scheme(algorithm="ed25519"), Request("POST", URL, forged, BODY), [public], NOW).reason
        == "signature-mismatch"
    )
    assert (
        verify(scheme(algorithm="rsa-pss-sha512"), Request("POST", URL, forged, BODY), [public], NOW).reason
        == "signature-mismatch"
    )


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ({"components": ["@method"]}, "components"),
        ({"components": ["@status", "content-digest"]}, "components"),
        ({"components": ["Content-Digest"]}, "components"),
        ({"algorithm": "sha256"}, "algorithm"),
        ({"signature_header": "signature"}, "signature_header"),
        ({"jwks_url": "https://keys.example.com/jwks.json"}, "jwks_url"),
        ({"algorithm": "ed25519", "jwks_url": "http://keys.example.com"}, "jwks_url"),
        ({"algorithm": "ed25519", "jwks_url": "https://10.0.0.1/jwks"}, "jwks_url"),
        ({"algorithm": "ed25519", "public_keys": ["x"]}, "public_keys"),
    ],
)
def test_what_proves_less_than_it_seems_is_refused(mapping, field):
    with pytest.raises(ValueError, match=f"verification.{field}"):
        scheme(**mapping)


def test_an_id_may_read_signed_headers_and_a_signed_query_only():
    signature = {"method": "http_signature", "algorithm": "hmac-sha256"}
    covering = {**signature, "components": ["x-id", "@query", "content-digest"]}
    for identity in ({"header": "x-id"}, "query.id"):
        parse_specification({"id": identity, "type": "body.type", "verification": covering})
        with pytest.raises(ValueError, match="does not cover"):
            parse_specification({"id": identity, "type": "body.type", "verification": signature})


PIECES = st.lists(
    st.sampled_from(
        [
            *('sig1=("@method" "content-digest");created=1618884473', ", ", "=", "(", ")", '"', "\\", ";", ":", "?1"),
            *("a", "é", "-1", "999999999999999", "1.5", '"x";name="y"', "@query-param", "\t", "sig1=:AAAA:"),
        ]
    ),
    max_size=12,
).map("".join)


FUZZED = settings(max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "2000")) // 10), deadline=None)


@pytest.mark.slow
@FUZZED
@given(text=PIECES | st.text(max_size=40), other=PIECES, url=st.text(max_size=20), value=PIECES)
def test_fuzz_no_header_raises_anything_else_in_the_parsers(text, other, url, value):
    for parse in (read_byte_sequences, lambda each: content_digest_matches(each, BODY)):
        try:
            parse(other)
        except StructureError:
            continue
    try:
        inputs = read_signature_input(text)
    except StructureError:
        inputs = {}
    for found in inputs.values():
        try:
            signature_base(found, method="POST", url=url, headers=[("a", value)])
        except ValueError:
            continue
    headers = [("signature-input", text), ("signature", other), ("content-digest", value)]
    verdict = verify(scheme(), Request("POST", url, headers, BODY), [SECRET], NOW)
    assert verdict.valid is False
    assert verdict.reason != "verifier-fault"
