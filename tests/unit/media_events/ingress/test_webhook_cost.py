"""A stranger's request costs little, whatever its scheme: the work is counted, as a clock would measure the machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import ecdsa
import pytest

from media_events.partners import (
    body_parsing,
    http_message_signatures,
    http_signature_claim,
    json_web_tokens,
    message_parsing,
    multipart_parsing,
    public_key_signatures,
    signature_verification,
    signed_content,
    sns_messages,
    xml_parsing,
)
from media_events.partners.body_parsing import MAX_BODY_BYTES, MAX_UNPROVED_VALUES
from media_events.partners.handshakes import MAX_UNSIGNED_BYTES
from media_events.partners.proof_parts import MAX_CANDIDATES, MAX_HEADER_CHARACTERS, MAX_KEYS
from media_events.partners.signed_content import MAX_SIGNED_DOCUMENT_BYTES, MAX_SORTED_FORM_BYTES
from media_events.partners.sns_messages import MAX_SNS_BYTES
from tests.fakes.counted_work import counted

KEYS = 4
"""Two secrets, an outdated one, and one that is found when they are read anew."""

PUBLIC_KEYS = [ecdsa.SigningKey.generate(curve=ecdsa.Ed25519).verifying_key.to_string() for _ in range(KEYS)]
SECRETS = ["one-secret", "two-secrets", "three-secrets", "four-secrets"]
PUBLIC = [base64.b64encode(key).decode() for key in PUBLIC_KEYS]
BODY = b"%41" * (MAX_BODY_BYTES // 3)
MAC = "ab" * 32
PARSERS = {
    **dict.fromkeys(("parse_json", "parse_form", "gunzip", "query_form"), message_parsing),
    "parse_xml": xml_parsing,
    "parse_multipart": multipart_parsing,
}
PUBLIC_SIGNATURE = base64.b64encode(bytes(32) + bytes(32)).decode()


MOST_MILLISECONDS = 50
MILLISECONDS_PER_BYTE = {"sha1": 0.6e-6, "sha256": 0.6e-6, "sha512": 1.2e-6}
"""Of a server's core; a check of ed25519 or ECDSA takes a few more."""
MILLISECONDS_PER_CHECK = 3


@dataclass
class Work:
    """The work that a request causes."""

    hashed: int = 0
    milliseconds: float = 0
    verified: int = 0
    decoded: int = 0
    parsed: list[str] = field(default_factory=list)

    def hash(self, size: int, algorithm: str) -> None:
        self.hashed += size
        self.milliseconds += size * MILLISECONDS_PER_BYTE[algorithm.removeprefix("hmac-")]

    def verify(self) -> None:
        self.verified += 1
        self.milliseconds += MILLISECONDS_PER_CHECK


class Counting:
    """A hash or an HMAC that counts its bytes."""

    def __init__(self, inner: Any, work: Work) -> None:
        self.inner = inner
        self.work = work

    def update(self, data: bytes) -> None:
        self.work.hash(len(data), self.inner.name)
        self.inner.update(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Hashes:
    """`hashlib` or `hmac`, counting."""

    def __init__(self, module: Any, work: Work) -> None:
        self.module = module
        self.work = work

    def new(self, first: Any, message: bytes | None = None, *rest: Any) -> Counting:
        made = self.module.new(first, message or b"", *rest)
        self.work.hash(len(message or b""), made.name)
        return Counting(made, self.work)

    def digest(self, key: bytes, message: bytes, algorithm: str) -> bytes:
        self.work.hash(len(message), algorithm)
        return self.module.digest(key, message, algorithm)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("sha"):
            return self.counted(getattr(self.module, name))
        assert name == "compare_digest", f"{name} is not counted"
        return getattr(self.module, name)

    def counted(self, function: Any) -> Any:
        def called(data: bytes = b"") -> Any:
            made = function(data)
            self.work.hash(len(data), made.name)
            return made

        return called


@pytest.fixture(name="work")
def _work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()

    def parse_qsl(text: str, **options: Any) -> list[tuple[str, str]]:
        work.decoded += len(text)
        return original(text, **options)

    def verify(_key: Any, signature: bytes, content: bytes) -> bool:  # noqa: ARG001
        work.verify()
        work.hash(len(content), "sha512")
        return False

    def verify_digest(*_: Any, **__: Any) -> bool:
        work.verify()
        return False

    def parse_json(body: bytes, *rest: Any, **more: Any) -> Any:
        work.parsed.append("parse_json")
        return read(body, *rest, **more)

    original, read = signed_content.parse_qsl, body_parsing.parse_json
    hashing = (signature_verification, signed_content, json_web_tokens, http_signature_claim)
    for module in (*hashing, http_message_signatures, sns_messages):
        monkeypatch.setattr(module, "hashlib", Hashes(hashlib, work))
        monkeypatch.setattr(module, "hmac", Hashes(hmac, work), raising=False)
    monkeypatch.setattr(signed_content, "parse_qsl", parse_qsl)
    monkeypatch.setattr(public_key_signatures, "_opened", verify_digest)
    monkeypatch.setattr(ecdsa.VerifyingKey, "verify", verify)
    monkeypatch.setattr(ecdsa.VerifyingKey, "verify_digest", verify_digest)
    for module in (body_parsing, sns_messages):
        monkeypatch.setattr(module, "parse_json", parse_json)
    for name, module in PARSERS.items():
        monkeypatch.setattr(module, name, lambda *_, name=name, **__: work.parsed.append(name))
    return work


RSA_KEY = json.dumps(
    {
        "kty": "RSA",
        "n": base64.urlsafe_b64encode(b"\x80" + b"\x01" * 255).rstrip(b"=").decode(),
        "e": "AQAB",
    }
)
RSA_SIGNATURE = base64.b64encode(bytes(256)).decode()
EC_KEY = ecdsa.SigningKey.generate(curve=ecdsa.NIST256p).verifying_key.to_pem().decode()


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


HEAD = encoded({"alg": "HS256"})
RAW = {"method": "hmac", "signature_header": "x-signature", "content": "{body}"}
MANY = ",".join([f"v1={MAC}"] * (MAX_HEADER_CHARACTERS // (len(MAC) + 4)))
BOTH = " ".join([f"v1a,{PUBLIC_SIGNATURE}", "v1," + base64.b64encode(bytes(32)).decode()] * (MAX_CANDIDATES // 2))
FORM = {"content-type": "application/x-www-form-urlencoded"}
SCHEMES: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
    "hmac": (RAW, {"x-signature": MAC}, SECRETS),
    "many candidates": (
        RAW | {"signature_format": {"kind": "kv", "keys": ["v1"]}},
        {"x-signature": MANY},
        SECRETS,
    ),
    "digest": (RAW | {"method": "digest", "content": "{body}{secret}"}, {"x-signature": MAC}, SECRETS),
    "ed25519": (
        RAW | {"method": "ed25519", "encoding": "base64", "signature_format": {"kind": "kv", "keys": ["v1"]}},
        {"x-signature": ",".join([f"v1={PUBLIC_SIGNATURE}"] * MAX_CANDIDATES)},
        PUBLIC,
    ),
    "hmac beside ed25519": (
        RAW
        | {
            "encoding": "base64",
            "signature_format": {"kind": "versioned", "keys": ["v1"], "ed25519_keys": ["v1a"]},
            "key_format": "base64",
            "key_prefix": "whsec_",
            "public_key_prefix": "whpk_",
        },
        {"x-signature": BOTH},
        [f"whpk_{PUBLIC[0]}", f"whpk_{PUBLIC[1]}", f"whsec_{PUBLIC[2]}", f"whsec_{PUBLIC[3]}"],
    ),
    "body's digest in the url": (
        RAW | {"content": "{url}", "body_digest": {"query": "sum"}},
        {"x-signature": MAC},
        SECRETS,
    ),
    "sorted form": (
        RAW | {"content": "{url}{sorted_form}"},
        {"x-signature": MAC} | FORM,
        SECRETS,
    ),
    "token": (
        {"method": "static_token", "signature_header": "x-token", "signature_format": {"kind": "kv", "keys": ["t"]}},
        {"x-token": ",".join(["t=a"] * (MAX_HEADER_CHARACTERS // 4))},
        SECRETS,
    ),
    "password": (
        {"method": "basic"},
        {"authorization": "Basic " + base64.b64encode(b"a:" + b"b" * 12_000).decode()},
        SECRETS,
    ),
    "claims that are the body": (
        {"method": "jwt_body"},
        {"authorization": f"Bearer {HEAD}.{'b' * 5_000}.{'c' * 5_000}"},
        SECRETS,
    ),
    "body's digest in a token": (
        {"method": "jwt", "body_claim": {"name": "sha256"}},
        {"authorization": f"Bearer {HEAD}.{'b' * 5_000}.{'c' * 5_000}"},
        SECRETS,
    ),
    "token by a public key": (
        {
            "method": "jwt",
            "body_claim": {"name": "sha256"},
            "token_algorithms": ["RS256"],
            "jwks_url": "https://keys.example.com/jwks.json",
        },
        {"authorization": f"Bearer {encoded({'alg': 'RS256'})}.{'b' * 5_000}.{'c' * 342}"},
        [],
    ),
    "rsa": (
        RAW | {"method": "rsa", "encoding": "base64", "signature_format": {"kind": "kv", "keys": ["v1"]}},
        {"x-signature": ",".join([f"v1={RSA_SIGNATURE}"] * MAX_CANDIDATES)},
        [RSA_KEY] * KEYS,
    ),
    "ecdsa": (
        RAW | {"method": "ecdsa", "encoding": "base64", "signature_format": {"kind": "kv", "keys": ["v1"]}},
        {"x-signature": ",".join([f"v1={PUBLIC_SIGNATURE}"] * MAX_CANDIDATES)},
        [EC_KEY] * KEYS,
    ),
    "http message": (
        {"method": "http_signature", "algorithm": "hmac-sha256", "tolerance_seconds": 0},
        {
            "signature-input": ", ".join(f'a{n}=("content-digest");created=1' for n in range(8)),
            "signature": ", ".join(f"a{n}=:{base64.b64encode(bytes(32)).decode()}:" for n in range(8)),
            "content-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:",
        },
        SECRETS,
    ),
    "signature in the body": (
        {
            "method": "hmac",
            "signature_field": "body.signature.signature",
            "timestamp": "body.signature.timestamp",
            "content": "{timestamp}{body.signature.token}",
            "allow_unsigned_body": True,
            "tolerance_seconds": 0,
        },
        {},
        SECRETS,
    ),
    "sns": ({"method": "sns", "topics": ["arn:aws:sns:eu-west-1:111122223333:assets"]}, {}, []),
    "network": ({"method": "networks", "networks": ["198.51.100.0/24"]}, {}, []),
    "three schemes": (
        RAW
        | {
            "alternatives": [
                {"method": "digest", "signature_header": "x-signature", "content": "{body}{secret}"},
                {"method": "static_token", "signature_header": "x-signature"},
            ]
        },
        {"x-signature": MAC},
        SECRETS,
    ),
}
SCHEMES_TRIED = {"three schemes": 2}
"""How often a body is hashed for each secret."""


def request_of(service_of: Any, scheme: str, body: bytes, **more: Any) -> Any:
    """The answer to a stranger's request, who has no secret; and the reason that the log gives."""
    verification, headers, secrets = SCHEMES[scheme]
    specification = {"id": {"hash": ["body"]}, "type": {"constant": "a"}, "verification": verification, **more}
    if scheme == "sorted form":
        specification |= {"parsing": {"format": "form"}, "id": "signed_form"}
    partners = {"other": {"specification": specification, "secret_arns": ["arn:other"]}}
    service = service_of(partners=partners, max_body_bytes=MAX_BODY_BYTES)
    keys = [json.loads(RSA_KEY)] * (MAX_KEYS * 2)
    service.public_keys.documents["https://keys.example.com/jwks.json"] = json.dumps({"keys": keys})
    service.secrets.stored["arn:other"] = secrets[:3]
    service.secrets.cached["arn:other"] = secrets[:2]
    service.secrets.outdated["arn:other"] = secrets[3:]
    query = f"sum={hashlib.sha256(body).hexdigest()}" if scheme.startswith("body's") else ""
    headers = {"content-type": "application/json"} | headers
    reply = service.post(body, partner="other", headers=headers, query=query)
    return reply, service.report.fields("request refused")[-1]["reason"]


@pytest.mark.attack("B19")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_b19_strangers_request_is_hashed_once_for_each_secret_and_parsed_never(service_of, work, scheme):
    reply, _ = request_of(service_of, scheme, BODY)

    assert reply.status == 401
    # Of ed25519, which hashes once for each signature too, no more than four.
    hashes = 6 if scheme == "hmac beside ed25519" else (KEYS + 1) * SCHEMES_TRIED.get(scheme, 1)
    assert work.hashed <= hashes * (MAX_BODY_BYTES + MAX_HEADER_CHARACTERS)
    assert work.milliseconds <= MOST_MILLISECONDS
    assert work.decoded <= MAX_SORTED_FORM_BYTES
    assert work.parsed == []


@pytest.mark.attack("B19")
@pytest.mark.parametrize("scheme", ["signature in the body", "sns"])
@pytest.mark.parametrize("unit", ["1,", "[],", '"",', '{"a":1},'])
def test_b19_a_proof_that_is_in_the_body_is_looked_for_in_little_structure(service_of, work, scheme, unit):
    """At the greatest size that is parsed: of each value a few functions are called."""
    most = MAX_SNS_BYTES if scheme == "sns" else MAX_SIGNED_DOCUMENT_BYTES
    body = f'{{"a":[{unit * ((most - 20) // len(unit))}1]}}'.encode()

    (reply, _), calls = counted(lambda: request_of(service_of, scheme, body))

    assert (reply.status, work.parsed) == (401, ["parse_json"])
    assert calls <= 10 * MAX_UNPROVED_VALUES


@pytest.mark.attack("B19")
def test_b19_strangers_form_is_decoded_once_though_three_sets_of_secrets_are_tried(service_of, work):
    body = b"a=" + b"%41" * 20_000

    _, reason = request_of(service_of, "sorted form", body)

    assert reason == "signature-mismatch"
    assert work.decoded == len(body)


@pytest.mark.attack("B19")
def test_b19_large_form_is_refused_before_it_is_decoded(service_of, work):
    _, reason = request_of(service_of, "sorted form", b"a=" + b"%41" * 22_000)

    assert (reason, work.decoded) == ("form-too-large", 0)


@pytest.mark.attack("B19")
def test_b19_every_scheme_of_a_specification_is_tried():
    tried = {verification["method"] for verification, _, _ in SCHEMES.values()}
    placeholders = "".join(verification.get("content", "") for verification, _, _ in SCHEMES.values())

    assert tried == {*signature_verification._METHODS}
    assert all(f"{{{name}}}" in placeholders for name in ("body", "secret", "url", "sorted_form"))


@pytest.mark.attack("B19")
@pytest.mark.parametrize("parsing", [{"format": "xml"}, {"format": "multipart"}, {"compression": "gzip"}])
def test_b19_strangers_body_in_another_format_is_neither_parsed_nor_decompressed(service_of, work, parsing):
    content_type = {"xml": "text/xml", "multipart": "multipart/form-data"}.get(parsing.get("format", ""), "")

    reply, _ = request_of(
        service_of, "hmac", b"\x1f\x8b" + BODY[:100], parsing={**parsing, "content_types": [content_type or "none"]}
    )

    assert (reply.status, work.parsed) == (401, [])


UNSIGNED = {"kind": "echo_field", "unsigned": True, "when": "body.challenge", "token": "body.challenge"}


@pytest.mark.attack("B19")
@pytest.mark.parametrize(("size", "parsed"), [(MAX_UNSIGNED_BYTES, ["parse_json"]), (MAX_UNSIGNED_BYTES + 1, [])])
def test_b19_only_a_small_body_is_parsed_for_a_handshake_that_nobody_signs_and_once(service_of, work, size, parsed):
    reply, _ = request_of(service_of, "hmac", b"a" * size, handshake=UNSIGNED)

    assert (reply.status, work.parsed) == (401, parsed)


@pytest.mark.attack("B19")
@pytest.mark.parametrize(
    "handshake", [{"kind": "header_echo", "header": "x-hook-secret"}, {"kind": "query_echo", "query": "c"}]
)
def test_b19_handshake_by_header_or_query_parses_no_body(service_of, work, handshake):
    reply, _ = request_of(service_of, "hmac", b"{}", handshake=handshake)

    assert (reply.status, work.parsed) == (401, [])
