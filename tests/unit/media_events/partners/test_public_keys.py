"""Public keys and what they prove, by Project Wycheproof's vectors and by another implementation's keys."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from media_events.partners.public_key_signatures import ecdsa_valid, ed25519_valid, rsa_pss_valid, rsa_valid
from media_events.partners.public_keys import (
    CurveKey,
    RsaKey,
    jwk_key,
    looks_public,
    parse_certificate,
    parse_public_key,
)
from tests.fakes.partners import DATA

GROUPS = json.loads((DATA / "wycheproof_signatures.json").read_text(encoding="utf-8"))["groups"]
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def pem(key: Any, form: serialization.PublicFormat = SPKI) -> str:
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def number(value: int, size: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def rsa_jwk(**changes: Any) -> dict[str, Any]:
    numbers = RSA.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3), **changes}


def ec_jwk(**changes: Any) -> dict[str, Any]:
    numbers = EC.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), **changes}


def certificate(key: Any = RSA, *, start: datetime = datetime(2025, 1, 1, tzinfo=UTC)) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * 30))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.attack("A31")
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group['file']}-{group['tests'][0][0]}")
def test_a31_signatures_are_judged_as_wycheproof_says(group):
    key = parse_public_key(group["key"])
    assert key is not None
    for number_, comment, message, signature, valid in group["tests"]:
        content, signed = bytes.fromhex(message), bytes.fromhex(signature)
        digest = hashlib.new(group["hash"], content).digest()
        judged = {
            "rsa": lambda: rsa_valid(key, signed, digest, group["hash"]),  # noqa: B023 - called here
            "rsa-pss": lambda: rsa_pss_valid(key, signed, digest, group["hash"]),  # noqa: B023
            "ecdsa-der": lambda: ecdsa_valid(key, signed, digest),  # noqa: B023
            "ecdsa-raw": lambda: ecdsa_valid(key, signed, digest, raw=True),  # noqa: B023
            "ed25519": lambda: ed25519_valid(key, signed, content),  # noqa: B023
        }[group["scheme"]]()
        assert judged is valid, (number_, comment)


def test_one_rsa_key_is_read_from_every_form():
    numbers = RSA.public_key().public_numbers()
    expected = RsaKey(numbers.n, numbers.e)

    for text in (pem(RSA), pem(RSA, serialization.PublicFormat.PKCS1), certificate(), json.dumps(rsa_jwk())):
        assert parse_public_key(f"\n{text}\n") == expected


@pytest.mark.parametrize(
    ("made", "curve"), [(ec.SECP256R1(), "P-256"), (ec.SECP384R1(), "P-384"), (ec.SECP521R1(), "P-521")]
)
def test_curves_are_read_from_pem(made, curve):
    found = parse_public_key(pem(ec.generate_private_key(made)))

    assert isinstance(found, CurveKey)
    assert found.curve == curve


def test_ed25519_is_read_from_pem_and_jwk():
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}

    assert parse_public_key(pem(key)) == parse_public_key(json.dumps(jwk)) == CurveKey("Ed25519", raw)


def private(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    "text",
    [
        private(RSA),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem(ec.generate_private_key(ec.SECP256K1())),
        pem(RSA).replace("PUBLIC KEY", "EC PARAMETERS"),
        pem(RSA) + pem(RSA),
        pem(RSA)[:-80],
        pem(RSA).replace("A", "!", 3),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "x" * 100_000,
        "{" * 20_000,
        json.dumps(rsa_jwk(d="AQAB")),
        json.dumps(rsa_jwk(use="enc")),
        json.dumps(rsa_jwk(key_ops=["sign"])),
        json.dumps(rsa_jwk(key_ops="verify")),
        json.dumps(rsa_jwk(alg=1)),
        json.dumps(rsa_jwk(e="AQ")),
        json.dumps(rsa_jwk(e="Ag")),
        json.dumps(rsa_jwk(e="AQAAAAAB")),
        json.dumps(rsa_jwk(n="AQAB")),
        json.dumps(rsa_jwk(n=7)),
        json.dumps(rsa_jwk(n=number((1 << 8_200) + 1, 1_026))),
        json.dumps(ec_jwk(y=number(1, 32))),
        json.dumps(ec_jwk(x=number(1, 31))),
        json.dumps(ec_jwk(crv="secp256k1")),
        json.dumps({"kty": "oct", "k": "AAAA"}),
        json.dumps({"kty": "OKP", "crv": "X25519", "x": number(9, 32)}),
        "[]",
        "",
    ],
)
def test_private_weak_malformed_and_foreign_keys_are_none(text):
    assert parse_public_key(text) is None


def test_a_certificate_has_times():
    found = parse_certificate(certificate(start=datetime(2045, 1, 2, 3, 4, 5, tzinfo=UTC)))

    assert found is not None
    assert (found.not_before, found.not_after[:4]) == ("20450102030405Z", "2074")
    assert parse_certificate(pem(RSA)) is None


def test_public_texts_are_known_as_such():
    assert all(looks_public(text) for text in (pem(RSA), certificate(), json.dumps(rsa_jwk())))
    assert not looks_public("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


FUZZED = settings(max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "2000")) // 10), deadline=None)


@pytest.mark.slow
@FUZZED
@given(
    text=st.one_of(st.text(max_size=60), st.sampled_from([pem(RSA), pem(EC), certificate()])),
    place=st.integers(0, 3_000),
    cut=st.integers(0, 40),
    other=st.text("ABab01+/=-\n {}", max_size=4),
)
def test_fuzz_no_text_raises_as_a_key(text, place, cut, other):
    changed = text[: place % (len(text) + 1)] + other + text[place % (len(text) + 1) + cut :]

    parse_public_key(changed)
    parse_certificate(changed)


@pytest.mark.slow
@FUZZED
@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kty", "n", "e", "crv", "x", "y", "use", "key_ops", "alg", "keys"]), inner, max_size=6
            )
        ),
        max_leaves=8,
    )
)
def test_fuzz_no_document_raises_as_a_jwk(document):
    jwk_key(document)
