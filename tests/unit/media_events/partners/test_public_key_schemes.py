"""Signatures over the body that a public key proves; unusual encodings; a signature in the body; two schemes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

from media_events.partners.proof_parts import Request
from media_events.partners.signature_verification import Proof, verify
from media_events.partners.specification import parse_specification
from tests.unit.media_events.partners.test_public_keys import EC, RSA, certificate, ec_jwk, pem, rsa_jwk

BODY = b'{"id":"evt-1","type":"asset.ready"}'
NOW = 1_790_000_000
RSA_SCHEME = {"method": "rsa", "signature_header": "x-sig", "encoding": "base64"}
EC_SCHEME = {"method": "ecdsa", "signature_header": "x-sig", "encoding": "base64"}
HMAC = {"method": "hmac", "signature_header": "x-sig"}


def scheme(verification: dict[str, Any]):
    return parse_specification({"id": "body.id", "type": "body.type", "verification": verification}).verification


def sent(signature: bytes | str, body: bytes = BODY, **headers: str) -> Request:
    text = signature if isinstance(signature, str) else base64.b64encode(signature).decode()
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "https://h/", [("x-sig", text), *more], body)


def judge(verification: dict[str, Any], request: Request, *secrets: str, now: float = NOW) -> str:
    return verify(scheme(verification), request, secrets, now).reason


def rsa_signature(content: bytes = BODY, *, pss: bool = False) -> bytes:
    form = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if pss else padding.PKCS1v15()
    return RSA.sign(content, form, hashes.SHA256())


@pytest.mark.parametrize("key", [pem(RSA), certificate(), json.dumps(rsa_jwk())])
def test_rsa_is_proved_by_a_key_in_the_secret_or_in_the_specification(key):
    assert judge(RSA_SCHEME, sent(rsa_signature()), "junk", key) == "verified"
    assert judge({**RSA_SCHEME, "public_keys": [key]}, sent(rsa_signature())) == "verified"
    assert judge({**RSA_SCHEME, "padding": "pss"}, sent(rsa_signature(pss=True)), key) == "verified"
    assert judge({**RSA_SCHEME, "padding": "pss"}, sent(rsa_signature()), key) == "signature-mismatch"
    assert judge(RSA_SCHEME, sent(rsa_signature(pss=True)), key) == "signature-mismatch"


def test_ecdsa_is_proved_in_the_configured_encoding_alone():
    signature = EC.sign(BODY, ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signature)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    assert judge(EC_SCHEME, sent(signature), pem(EC)) == "verified"
    assert judge({**EC_SCHEME, "ecdsa_encoding": "raw"}, sent(raw), json.dumps(ec_jwk())) == "verified"
    assert judge(EC_SCHEME, sent(raw), pem(EC)) == "signature-mismatch"
    assert judge({**EC_SCHEME, "ecdsa_encoding": "raw"}, sent(signature), pem(EC)) == "signature-mismatch"


def test_a_signed_time_and_several_signatures_are_as_with_hmac():
    verification = {
        **RSA_SCHEME,
        "signature_format": {"kind": "kv", "keys": ["v1"]},
        "timestamp": "kv:t",
        "content": "{timestamp}.{body}",
    }
    good = base64.b64encode(rsa_signature(f"{NOW}.".encode() + BODY)).decode()
    other = base64.b64encode(rsa_signature(b"other")).decode()

    assert judge(verification, sent(f"t={NOW},v1={other},v1={good}"), pem(RSA)) == "verified"
    assert judge(verification, sent(f"t={NOW},v1={good}"), pem(RSA), now=NOW + 301) == "timestamp-too-old"
    assert judge(verification, sent(f"t={NOW + 1},v1={good}"), pem(RSA)) == "signature-mismatch"


@pytest.mark.attack("A31")
@pytest.mark.attack("A34")
@pytest.mark.parametrize(
    "forged",
    [
        b"",
        bytes(256),
        rsa_signature(b"other"),
        rsa_signature()[:-1],
        rsa_signature() + b"\x00",
        b"\x00" + rsa_signature(),
        (int.from_bytes(rsa_signature(), "big") + RSA.public_key().public_numbers().n).to_bytes(257, "big"),
        (1).to_bytes(256, "big"),
        hmac.digest(pem(RSA).encode(), BODY, "sha256"),
    ],
    ids=[
        *("empty", "zeros", "of another body", "too short", "too long", "with a zero before it"),
        *("with the modulus added", "one", "an HMAC by the public key"),
    ],
)
def test_a31_a34_forged_truncated_and_oversized_signatures_are_refused(forged):
    for verification in (RSA_SCHEME, {**RSA_SCHEME, "padding": "pss"}, {**EC_SCHEME}):
        reason = judge(verification, sent(forged), pem(RSA))
        assert reason in ("signature-mismatch", "signature-missing")


@pytest.mark.attack("A34")
def test_a34_a_signature_has_one_spelling_though_the_modulus_can_be_added_to_it():
    modulus = RSA.public_key().public_numbers().n
    body, other = next(
        (content, number.to_bytes(256, "big"))
        for content in (str(each).encode() for each in range(1_000))
        if (number := int.from_bytes(rsa_signature(content), "big") + modulus) < 1 << 2048
    )

    assert judge(RSA_SCHEME, sent(rsa_signature(body), body), pem(RSA)) == "verified"
    assert judge(RSA_SCHEME, sent(other, body), pem(RSA)) == "signature-mismatch"


@pytest.mark.attack("A26")
def test_a26_a_key_of_another_kind_proves_nothing():
    assert judge(RSA_SCHEME, sent(rsa_signature()), pem(EC)) == "signature-mismatch"
    assert judge(EC_SCHEME, sent(rsa_signature()), pem(RSA)) == "signature-mismatch"
    for public in (pem(RSA), certificate(), json.dumps(rsa_jwk())):
        forged = hmac.digest(public.encode(), BODY, "sha256").hex()
        assert judge(HMAC, sent(forged), public) == "secret-unusable"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("base64", lambda raw: base64.b64encode(raw).decode()),
        ("base64-unpadded", lambda raw: base64.b64encode(raw).decode().rstrip("=")),
        ("base64url", lambda raw: base64.urlsafe_b64encode(raw).decode()),
        ("base64url-unpadded", lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    ],
)
def test_each_encoding_has_one_spelling(encoding, shown):
    # A digest with characters that differ between the alphabets.
    body = next(b for b in (str(n).encode() for n in range(99)) if _differs(hmac.digest(b"s", b, "sha256")))
    mac = hmac.digest(b"s", body, "sha256")
    verification = {**HMAC, "encoding": encoding}

    assert judge(verification, sent(shown(mac), body), "s") == "verified"
    for other in {
        base64.b64encode(mac).decode(),
        base64.b64encode(mac).decode().rstrip("="),
        base64.urlsafe_b64encode(mac).decode(),
        base64.urlsafe_b64encode(mac).decode().rstrip("="),
        shown(mac) + "=",
        mac.hex(),
    } - {shown(mac)}:
        assert judge(verification, sent(other, body), "s") == "signature-malformed"


def _differs(mac: bytes) -> bool:
    text = base64.b64encode(mac).decode()
    return "+" in text and "/" in text


def test_ed25519_takes_pem_as_well_as_bare_keys():
    key = ed25519.Ed25519PrivateKey.generate()
    verification = {"method": "ed25519", "signature_header": "x-sig", "encoding": "base64"}

    assert judge(verification, sent(key.sign(BODY)), pem(key)) == "verified"
    assert judge({**verification, "public_keys": [pem(key)]}, sent(key.sign(BODY))) == "verified"


ADOBE = {
    **RSA_SCHEME,
    "signature_header": "x-adobe-digital-signature-1",
    "key_url": {"origin": "https://static.adobeioevents.com", "header": "x-adobe-public-key1-path"},
}


def adobe(path: str) -> Request:
    headers = [("x-adobe-digital-signature-1", base64.b64encode(rsa_signature()).decode())]
    return Request("POST", "https://h/", [*headers, ("x-adobe-public-key1-path", path)], BODY)


def test_adobe_s_key_is_asked_for_by_the_path_in_a_header():
    proof = Proof(scheme(ADOBE), adobe("/prod/keys/pub-key-voy5XEbWmT.pem"), NOW)
    (wanted,) = proof.key_requests()

    assert wanted.url == "https://static.adobeioevents.com/prod/keys/pub-key-voy5XEbWmT.pem"
    assert proof.verdict((), found={wanted: [pem(RSA)]}).valid is True
    assert proof.verdict((), found={wanted: []}).reason == "key-unknown"


@pytest.mark.attack("A27")
@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "prod",
            "//evil.example.com/k.pem",
            "/../k.pem",
            "/a/../k",
            "/.k",
            "/k?x=1",
            "/k#x",
            "@evil.example.com/k",
        ),
        *("/%2e%2e/k", "/k\n", "/" + "a" * 200, "/a" * 20, "https://evil.example.com/k.pem", ":8080/k", "\\evil"),
    ],
)
def test_a27_a_path_that_leaves_the_host_is_asked_for_nowhere(path):
    proof = Proof(scheme(ADOBE), adobe(path), NOW)

    assert proof.key_requests() == []
    assert proof.verdict(()).reason == "key-path-malformed"


MAILGUN = {
    "method": "hmac",
    "signature_field": "body.signature.signature",
    "timestamp": "body.signature.timestamp",
    "content": "{timestamp}{body.signature.token}",
    "allow_unsigned_body": True,
}


def mailgun(stamp: int = NOW, token: str = "a" * 50, **changes: Any) -> Request:
    mac = hmac.new(b"key", f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": str(stamp), "token": token, "signature": mac, **changes}
    return Request("POST", "https://h/", [], json.dumps({"id": 1, "type": "a", "signature": signature}).encode())


def test_a_signature_in_the_body_is_verified():
    # https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
    assert judge(MAILGUN, mailgun(), "key") == "verified"
    assert judge(MAILGUN, mailgun(timestamp=NOW), "key") == "verified"


@pytest.mark.attack("A33")
@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (mailgun(stamp=NOW - 301), "timestamp-too-old"),
        (mailgun(token="b"), "verified"),
        (mailgun(signature="00" * 32), "signature-mismatch"),
        (mailgun(signature="zz"), "signature-malformed"),
        (mailgun(signature=None), "signature-missing"),
        (mailgun(signature={"a": 1}), "signature-missing"),
        (mailgun(timestamp=None), "timestamp-missing"),
        (mailgun(timestamp=True), "timestamp-missing"),
        (Request("POST", "https://h/", [], b"{"), "signed-document-malformed"),
        (Request("POST", "https://h/", [], b'{"signature":7}'), "signature-missing"),
        (Request("POST", "https://h/", [], b"[" * 1_000), "signed-document-malformed"),
        (Request("POST", "https://h/", [], b" " * 300_000), "signed-document-too-large"),
    ],
)
def test_a33_a_body_s_own_signature_is_checked_with_its_time(request_, reason):
    assert judge(MAILGUN, request_, "key") == reason


@pytest.mark.attack("A33")
def test_a33_a_signature_that_leaves_the_body_out_must_be_allowed_and_have_a_time():
    changed = {name: value for name, value in MAILGUN.items() if name != "allow_unsigned_body"}
    with pytest.raises(ValueError, match="leaves the body unsigned"):
        scheme(changed)
    with pytest.raises(ValueError, match="needs a signed timestamp"):
        scheme({**HMAC, "content": "{body.token}", "allow_unsigned_body": True})
    with pytest.raises(ValueError, match="contradicts content"):
        scheme({**HMAC, "allow_unsigned_body": True})
    advice = parse_specification({"id": "body.id", "type": "body.type", "verification": MAILGUN}).webhook_advice()
    assert "signs no body" in advice[0]


TWO = {**HMAC, "alternatives": [{**HMAC, "signature_header": "x-new", "algorithm": "sha512"}]}


def mac(algorithm: str = "sha256", secret: bytes = b"s", body: bytes = BODY) -> str:
    return hmac.digest(secret, body, algorithm).hex()


@pytest.mark.attack("A35")
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"x-sig": mac()}, "verified"),
        ({"x-new": mac("sha512")}, "verified"),
        ({"x-sig": mac(), "x-new": "junk"}, "verified"),
        ({"x-sig": "junk", "x-new": mac("sha512")}, "verified"),
        ({"x-sig": mac(secret=b"t"), "x-new": mac("sha512", b"t")}, "signature-mismatch"),
        ({"x-sig": mac("sha512"), "x-new": mac()}, "signature-malformed"),
        ({"x-new": mac("sha512", b"t")}, "signature-mismatch"),
        ({}, "signature-missing"),
    ],
)
def test_a35_one_of_two_schemes_must_prove_the_request(headers, reason):
    assert judge(TWO, Request("POST", "https://h/", list(headers.items()), BODY), "s") == reason


@pytest.mark.attack("A35")
def test_a35_an_id_must_be_signed_by_every_scheme():
    timed = {**HMAC, "timestamp": "header:x-time", "content": "{timestamp}{body}"}
    both = {"id": {"concat": ["body.id", {"header": "x-time"}]}, "type": "body.type"}
    parse_specification({**both, "verification": timed})
    with pytest.raises(ValueError, match="does not cover"):
        parse_specification({**both, "verification": {**timed, "alternatives": [HMAC]}})


@pytest.mark.attack("A26")
@pytest.mark.parametrize(
    ("verification", "words"),
    [
        ({**HMAC, "alternatives": [RSA_SCHEME]}, "mix shared secrets and public keys"),
        ({**HMAC, "alternatives": [{"method": "none", "allow_unverified": True}]}, "let anybody in"),
        ({**HMAC, "alternatives": [{**HMAC, "alternatives": [HMAC]}]}, "without alternatives"),
        ({**HMAC, "alternatives": []}, "one to 2"),
        ({**HMAC, "alternatives": [HMAC] * 3}, "one to 2"),
        ({**HMAC, "alternatives": [{"method": "sns", "topics": ["arn:aws:sns:eu-west-1:111122223333:t"]}]}, "beside"),
        ({**HMAC, "public_keys": [pem(RSA)]}, "public_keys"),
        ({**RSA_SCHEME, "algorithm": "sha1"}, "sha1 is broken"),
        ({**RSA_SCHEME, "public_keys": [pem(RSA)], "jwks_url": "https://k.example.com/"}, "exclude each other"),
        ({**RSA_SCHEME, "key_url": {"origin": "https://k.example.com/a", "header": "x"}}, "without a path"),
        ({**RSA_SCHEME, "key_url": {"origin": "https://localhost", "header": "x"}}, "local machine"),
        ({**RSA_SCHEME, "key_url": {"origin": "https://k.example.com"}}, "name the header"),
        ({**RSA_SCHEME, "signature_query": "s"}, "exclude each other"),
    ],
)
def test_a26_what_would_let_a_forger_choose_is_refused_at_synthesis(verification, words):
    with pytest.raises(ValueError, match=words):
        scheme(verification)


def test_public_keys_stand_beside_a_secret_where_they_have_a_place_of_their_own():
    verification = {**HMAC, "alternatives": [{**RSA_SCHEME, "public_keys": [pem(RSA)]}]}

    assert judge(verification, sent(rsa_signature()), "s") == "verified"
    assert judge(verification, sent(mac()), "s") == "verified"
    assert judge(verification, sent(mac())) == "secret-unusable"


NETWORKS = {"method": "networks", "networks": ["198.51.100.0/24", "2001:db8::/32"]}


@pytest.mark.attack("A32")
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("198.51.100.7", "verified"),
        ("::ffff:198.51.100.7", "verified"),
        ("2001:db8::1", "verified"),
        ("198.51.101.7", "address-not-allowed"),
        ("2001:db9::1", "address-not-allowed"),
        ("", "address-unknown"),
        ("198.51.100.7, 1.2.3.4", "address-unknown"),
    ],
)
def test_a32_only_callers_of_the_networks_are_admitted(address, reason):
    headers = [("x-forwarded-for", "198.51.100.7"), ("x-sig", mac()), ("forwarded", "for=198.51.100.7")]
    request = Request("POST", "https://h/", headers, BODY, address)

    assert judge(NETWORKS, request) == reason
    assert judge({**HMAC, "networks": NETWORKS["networks"]}, request, "s") == reason


@pytest.mark.attack("A32")
@pytest.mark.parametrize("networks", [["0.0.0.0/0"], ["::/0"], ["x"], ["198.51.100.7/24"], []])
def test_a32_everybody_is_no_network(networks):
    with pytest.raises(ValueError, match=r"verification\.networks"):
        scheme({"method": "networks", "networks": networks})


def test_networks_alone_are_warned_of():
    specification = parse_specification({"id": "body.id", "type": "body.type", "verification": NETWORKS})

    assert "address alone" in specification.webhook_advice()[0]
    assert specification.verification is not None
    assert not specification.verification.needs_secret
