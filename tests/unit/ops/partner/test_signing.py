"""Requests signed by a specification are what its verifier accepts, which shares no code with the signer."""

from __future__ import annotations

import base64

import pytest

from media_events.ingress.probe import PROBE_FIELD, probe_number
from media_events.partners.presets import preset_names
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from media_events_kit.ops.partner.signing import UnsignableError, sign

NOW = 1_790_000_000.4
NUMBER = "0123456789abcdef0123456789abcdef"
URL = "https://hooks.example.com/webhooks/acme"
BASE = {"title": "Acme", "id": "body.id", "type": "body.type"}
SECRETS = {"standard-webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "vidicore": "user:password"}


def signed(mapping, secret="the secret"):
    specification = parse_specification(mapping)
    request = sign(specification, secret, url=URL, content={PROBE_FIELD: NUMBER}, identity=NUMBER, now=NOW)
    return specification, request


def webhooks():
    return [name for name in preset_names() if parse_specification({"preset": name}).verification is not None]


@pytest.mark.parametrize("preset", webhooks())
def test_a_probe_is_signed_as_each_preset_says(preset):
    secret = SECRETS.get(preset, "the secret")
    specification, request = signed({"preset": preset}, secret)
    assert verify(specification.verification, request, [secret], NOW).valid is True
    assert verify(specification.verification, request, ["another:secret"], NOW).valid is False
    assert probe_number(request.body) == NUMBER


@pytest.mark.parametrize(
    ("verification", "secret"),
    [
        ({"method": "hmac", "signature_header": "x-sig", "algorithm": "sha512", "encoding": "base64"}, "s"),
        ({"method": "hmac", "signature_query": "sig"}, "s"),
        ({"method": "hmac", "signature_header": "x-sig", "key_format": "hex"}, "0a1b"),
        ({"method": "digest", "signature_header": "x-sig", "content": "{body}{secret}"}, "s"),
        ({"method": "static_token", "signature_query": "token"}, "s&=/ü"),
        (
            {
                "method": "hmac",
                "signature_header": "x-sig",
                "timestamp": {"from": "header:x-time", "unit": "ms"},
                "content": "{timestamp}.{body}",
                "require_headers": {"X-App": "1"},
            },
            "s",
        ),
        (
            {
                "method": "hmac",
                "signature_header": "x-sig",
                "timestamp": {"from": "header:x-time", "unit": "iso"},
                "content": "{url}{timestamp}{body}",
            },
            "s",
        ),
        ({"method": "hmac", "signature_header": "x-sig", "encoding": "base64"}, "s"),
        ({"method": "hmac", "signature_header": "x-sig", "encoding": "base64url"}, "s"),
        ({"method": "hmac", "signature_header": "x-sig", "encoding": "base64url-unpadded"}, "s"),
        ({"method": "hmac", "signature_header": "x-sig", "encoding": "base64-unpadded"}, "s"),
        (
            {
                "method": "jwt",
                "token_algorithms": ["HS512"],
                "claims": {"iss": "acme"},
                "timestamp": "claim:iat",
                "body_claim": {"name": "sha256", "encoding": "base64"},
            },
            "s",
        ),
        (
            {
                "method": "http_signature",
                "algorithm": "hmac-sha256",
                "components": ["@method", "@target-uri", "@authority", "@path", "@query", "content-digest"],
                "label": "acme",
                "tag": "webhook",
            },
            "s",
        ),
        (
            {
                "method": "rsa",
                "signature_header": "x-old",
                "encoding": "base64",
                "jwks_url": "https://keys.example.com/jwks.json",
                "alternatives": [{"method": "hmac", "signature_header": "x-sig"}],
            },
            "s",
        ),
        (
            {
                "method": "hmac",
                "signature_header": "x-sig",
                "content": "{url}",
                "body_digest": {"query": "bodySHA256"},
            },
            "s",
        ),
    ],
)
def test_a_probe_is_signed_as_a_specification_of_one_s_own_says(verification, secret):
    specification, request = signed({**BASE, "verification": verification}, secret)
    assert verify(specification.verification, request, [secret], NOW).valid is True


def test_a_partner_that_nobody_verifies_gets_an_unsigned_probe():
    _, request = signed({**BASE, "verification": {"method": "none", "allow_unverified": True}})
    assert [name for name, _ in request.headers] == ["content-type"]


def test_a_form_s_probe_is_a_form():
    mapping = {
        **BASE,
        "parsing": {"format": "form", "content_types": ["application/x-www-form-urlencoded"]},
        "verification": {"method": "static_token", "signature_header": "x-token"},
    }
    _, request = signed(mapping)
    assert request.body == f"{PROBE_FIELD}={NUMBER}".encode()
    assert ("content-type", "application/x-www-form-urlencoded") in request.headers


@pytest.mark.parametrize(
    ("verification", "secret", "why"),
    [
        ({"method": "ed25519", "signature_header": "x-sig"}, base64.b64encode(b"k" * 32).decode(), "private key"),
        (
            {"method": "rsa", "signature_header": "x-sig", "encoding": "base64"},
            "s",
            "private key",
        ),
        ({"method": "networks", "networks": ["198.51.100.0/24"]}, "", "caller's address"),
        ({"method": "sns", "topics": ["arn:aws:sns:eu-west-1:111122223333:t"]}, "", "only SNS"),
        ({"method": "hmac", "signature_header": "x-sig", "key_format": "hex"}, "no hex", "not in the format hex"),
        ({"method": "basic"}, "no colon", "refuses what it describes"),
    ],
)
def test_what_only_the_partner_can_sign_is_said(verification, secret, why):
    with pytest.raises(UnsignableError, match=why):
        signed({**BASE, "verification": verification}, secret)


@pytest.mark.parametrize(
    ("parsing", "content_type"),
    [
        ({"format": "xml"}, "application/xml"),
        ({"format": "multipart"}, "multipart/form-data"),
    ],
)
def test_a_probe_has_a_content_type_that_the_partner_s_format_takes(parsing, content_type):
    verification = {"method": "hmac", "signature_header": "x-sig"}
    _, request = signed({**BASE, "verification": verification, "parsing": parsing})

    assert dict(request.headers)["content-type"] == content_type
    assert probe_number(request.body) == NUMBER


def test_a_partner_that_calls_by_get_gets_no_probe():
    verification = {"method": "static_token", "signature_query": "token"}

    with pytest.raises(UnsignableError, match="by GET"):
        signed({**BASE, "verification": verification, "parsing": {"format": "query"}})
