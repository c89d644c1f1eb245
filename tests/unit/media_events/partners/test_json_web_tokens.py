"""Tokens that hold the body's hash, or are the body: RFC 7515's cases, and the attacks of RFC 8725."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from media_events.partners.json_web_tokens import parse_token
from media_events.partners.proof_parts import Key, Request
from media_events.partners.public_keys import jwk_key
from media_events.partners.signature_verification import Proof, verify
from media_events.partners.specification import parse_specification
from tests.unit.media_events.partners.test_public_keys import EC, RSA, ec_jwk, pem, rsa_jwk

NOW = 1_790_000_000
BODY = b'{"event":"room_started","id":"EV_1"}'
SECRET = "the-api-secret"
LIVEKIT = {"method": "jwt", "body_claim": {"name": "sha256", "encoding": "base64"}, "timestamp": "claim:nbf"}
PLAID = {
    "method": "jwt",
    "signature_header": "plaid-verification",
    "token_algorithms": ["ES256"],
    "body_claim": {"name": "request_body_sha256"},
    "timestamp": "claim:iat",
}


def scheme(verification: dict[str, Any]):
    return parse_specification({"id": "body.id", "type": "body.event", "verification": verification}).verification


def b64(content: bytes | str | dict[str, Any]) -> str:
    raw = json.dumps(content).encode() if isinstance(content, dict) else content
    return base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


def hs(claims: dict[str, Any], secret: str = SECRET, **header: Any) -> str:
    content = f"{b64({'alg': 'HS256', **header})}.{b64(claims)}"
    return f"{content}.{b64(hmac.digest(secret.encode(), content.encode(), 'sha256'))}"


def by_key(claims: dict[str, Any], algorithm: str, key: Any, **header: Any) -> str:
    """A token signed by another implementation."""
    content = f"{b64({'alg': algorithm, **header})}.{b64(claims)}"
    name = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(algorithm[2:], hashes.SHA256())
    if algorithm.startswith("RS"):
        signature = key.sign(content.encode(), padding.PKCS1v15(), name)
    elif algorithm.startswith("PS"):
        signature = key.sign(content.encode(), padding.PSS(padding.MGF1(name), name.digest_size), name)
    elif algorithm == "EdDSA":
        signature = key.sign(content.encode())
    else:
        size = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(content.encode(), ec.ECDSA(name)))
        signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return f"{content}.{b64(signature)}"


def claims(body: bytes = BODY, **changes: Any) -> dict[str, Any]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    found = {"iss": "key", "nbf": NOW, "exp": NOW + 300, "sha256": digest, **changes}
    return {name: value for name, value in found.items() if value is not None}


def judge(token: str, secrets: tuple[str, ...] = (SECRET,), *, body: bytes = BODY, **more: Any) -> str:
    verification = scheme({**LIVEKIT, **more})
    sent = Request("POST", "https://h/", [("authorization", token)], body)
    return verify(verification, sent, list(secrets), NOW).reason


def test_livekit_s_token_is_accepted_with_and_without_bearer():
    # https://docs.livekit.io/home/server/webhooks/ : the hash of the body is in the claim sha256, in base64.
    assert judge(hs(claims())) == "verified"
    assert judge(f"Bearer {hs(claims())}") == "verified"
    assert judge(f"bearer {hs(claims())}", claims={"iss": "key"}) == "verified"


@pytest.mark.attack("A30")
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (hs(claims(body=b"other")), "body-digest-mismatch"),
        (hs(claims(sha256=None)), "body-digest-missing"),
        (hs(claims(sha256=7)), "body-digest-missing"),
        (hs(claims(sha256="!")), "body-digest-missing"),
        (hs(claims(nbf=NOW - 301)), "timestamp-too-old"),
        (hs(claims(nbf=NOW + 61)), "token-not-yet-valid"),
        (hs(claims(nbf=None)), "timestamp-missing"),
        (hs(claims(exp=NOW - 61)), "token-expired"),
        (hs(claims(exp="never")), "claims-mismatch"),
        (hs(claims(), secret="another"), "signature-mismatch"),
        (hs(claims())[:-3], "signature-mismatch"),
        (hs(claims()) + "=", "token-malformed"),
        (hs(claims()) + ".x", "token-malformed"),
        (hs(claims()).rpartition(".")[0] + ".", "token-malformed"),
        (hs(claims(), crit=["exp"]), "token-malformed"),
        (hs(claims(), b64=False), "token-malformed"),
        (hs(claims(), kid=7), "token-malformed"),
        (hs(claims(), kid="k" * 600), "token-malformed"),
        (f"{b64('[]')}.{b64('{}')}.AA", "token-malformed"),
        (f"{b64('{' + chr(34) + 'alg' + chr(34))}.{b64('{}')}.AA", "token-malformed"),
        ("a" * 20_000, "signature-malformed"),
        ("", "token-missing"),
    ],
)
def test_a30_token_of_another_body_time_or_form_is_refused(token, reason):
    assert judge(token) == reason


@pytest.mark.attack("A36")
@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "hs256", "HS512", "RS256", "ES256", "EdDSA"])
def test_a36_another_algorithm_than_the_configured_one_is_refused(name):
    head, payload, _ = hs(claims()).split(".")
    for signature in ("AA", hs(claims()).rpartition(".")[2]):
        assert judge(f"{b64({'alg': name})}.{payload}.{signature}") == "algorithm-not-allowed"
    assert judge(f"{b64({'alg': None})}.{payload}.AA") == "token-malformed"
    assert head


@pytest.mark.attack("A36")
def test_a36_a_key_in_the_token_s_header_means_nothing():
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = other.public_key().public_numbers()
    own = {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    for header in (
        {"jwk": own},
        {"jku": "https://evil.example.com/"},
        {"x5u": "https://evil.example.com/"},
        {"kid": "k"},
    ):
        token = by_key(claims(), "RS256", other, **header)
        assert judge(token, (pem(RSA),), token_algorithms=["RS256"]) == "signature-mismatch"


@pytest.mark.attack("A26")
def test_a26_a_public_key_as_shared_secret_proves_nothing():
    public = pem(RSA)
    forged = hs(claims(), secret=public)

    assert judge(forged, (public,)) == "secret-unusable"
    assert judge(forged, (json.dumps(rsa_jwk()),)) == "secret-unusable"
    assert judge(forged, (public,), token_algorithms=["RS256", "ES256"]) == "algorithm-not-allowed"
    with pytest.raises(ValueError, match="must not mix"):
        scheme({**LIVEKIT, "token_algorithms": ["HS256", "RS256"]})


SIGNERS: dict[str, Any] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
    "ES256": EC,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.mark.attack("A26")
@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a26_every_algorithm_takes_its_own_kind_of_key_alone(algorithm):
    token = parse_token(by_key(claims(), algorithm, SIGNERS[algorithm]))
    assert token is not None
    for name, key in SIGNERS.items():
        text = pem(key)
        found = judge(by_key(claims(), algorithm, SIGNERS[algorithm]), (text,), token_algorithms=[algorithm])
        assert found == ("verified" if key is SIGNERS[algorithm] else "signature-mismatch"), name
    assert not token.proved_by(Key(b"secret"))


@pytest.mark.attack("A26")
def test_a26_a_jwk_for_another_algorithm_proves_nothing():
    token = parse_token(by_key(claims(), "RS256", RSA))
    assert token is not None
    assert token.proved_by(Key(public=jwk_key(rsa_jwk(alg="RS256"))))
    assert not token.proved_by(Key(public=jwk_key(rsa_jwk(alg="PS256"))))


def test_plaid_s_token_names_its_key():
    # https://plaid.com/docs/api/webhooks/webhook-verification/ : ES256, request_body_sha256 in hex, iat of 5 minutes.
    verification = scheme({**PLAID, "jwks_url": "https://keys.example.com/jwks.json"})
    token = by_key({"iat": NOW, "request_body_sha256": hashlib.sha256(BODY).hexdigest()}, "ES256", EC, kid="k1")
    sent = Request("POST", "https://h/", [("plaid-verification", token)], BODY)
    proof = Proof(verification, sent, NOW)
    (wanted,) = proof.key_requests()

    assert (wanted.kind, wanted.url, wanted.key_id) == ("jwks", "https://keys.example.com/jwks.json", "k1")
    assert proof.verdict(()).reason == "key-unknown"
    assert proof.verdict((), found={wanted: [json.dumps(ec_jwk(kid="k1"))]}).valid is True
    assert proof.verdict((), found={wanted: [json.dumps(rsa_jwk())]}).reason == "signature-mismatch"


def test_rfc_7515_s_cases_are_verified():
    # Appendix A.1, A.2's key in JWK is RSA of 2,048 bits; A.3 is ES256.
    hs256 = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlL"
        "mNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    es256 = (
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    point = {
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }
    first, third = parse_token(hs256), parse_token(es256)

    assert first is not None
    assert first.proved_by(Key(base64.urlsafe_b64decode(key + "==")))
    assert not first.proved_by(Key(b"other"))
    assert third is not None
    assert third.proved_by(Key(public=jwk_key(point)))


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ({"method": "jwt"}, "body_claim"),
        ({**LIVEKIT, "token_algorithms": ["none"]}, "token_algorithms"),
        ({**LIVEKIT, "timestamp": "header:x"}, "timestamp"),
        ({**LIVEKIT, "algorithm": "sha256"}, "algorithm"),
        ({**LIVEKIT, "public_keys": ["x"]}, "public_keys"),
        ({**LIVEKIT, "jwks_url": "https://keys.example.com"}, "jwks_url"),
        ({**LIVEKIT, "signature_field": "body"}, "body_claim"),
    ],
)
def test_a_token_that_proves_nothing_of_the_body_is_refused_at_synthesis(mapping, field):
    with pytest.raises(ValueError, match=f"verification.{field}"):
        scheme(mapping)


FUZZED = settings(max_examples=max(1, int(os.environ.get("FUZZ_EXAMPLES", "2000")) // 10), deadline=None)


@pytest.mark.slow
@FUZZED
@given(
    parts=st.lists(
        st.one_of(
            st.text(max_size=20),
            st.sampled_from([b64({"alg": "HS256"}), b64({"alg": "RS256", "kid": "k"}), b64(claims()), "AA", ""]),
        ),
        max_size=5,
    ),
    mark=st.sampled_from([".", "..", " ", ""]),
    body=st.binary(max_size=30),
)
def test_fuzz_no_token_raises_and_none_verifies_by_chance(parts, mark, body):
    for more in ({}, {"token_algorithms": ["RS256"], "public_keys": [pem(RSA)]}):
        sent = Request("POST", "https://h/", [("authorization", mark.join(parts))], body)
        verdict = verify(scheme({**LIVEKIT, **more}), sent, [SECRET], NOW)
        assert verdict.valid is False
        assert verdict.reason != "verifier-fault"
