"""Signatures of the scheme ``v1a``, verified by another library than the one that makes them."""

from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.failures import Failure, PermanentConfigError
from media_events.outbound_http.authentication import StandardWebhooks, authenticate
from media_events.partners.proof_parts import Request
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification

NOW = 1_790_000_000.0
SEED = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
PRIVATE_KEY = "whsk_" + base64.b64encode(SEED).decode()
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def signed(*secrets, body=b'{"a": 1}', event_id="evt-1"):
    return authenticate(
        StandardWebhooks("arn"), identity=event_id, body=body, now=NOW, read_secrets=lambda _arn: list(secrets)
    )


def check(headers, body, public_key: Ed25519PublicKey):
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    version, _, signature = headers["webhook-signature"].partition(",")
    assert version == "v1a"
    public_key.verify(base64.b64decode(signature), content)


@given(body=st.binary(max_size=200), seed=st.binary(min_size=32, max_size=32))
def test_a_signature_verifies_with_an_independent_library(body, seed):
    headers = signed("whsk_" + base64.b64encode(seed).decode(), body=body)
    check(headers, body, Ed25519PrivateKey.from_private_bytes(seed).public_key())


def test_one_changed_byte_breaks_the_signature():
    with pytest.raises(InvalidSignature):
        check(signed(PRIVATE_KEY, body=b"paid"), b"pald", PUBLIC)


def test_our_own_verifier_takes_it_too():
    public = "whpk_" + base64.b64encode(PUBLIC.public_bytes_raw()).decode()
    headers = signed(PRIVATE_KEY, body=b"{}")
    specification = parse_specification({"preset": "standard-webhooks"})
    request = Request(method="POST", url="https://example.com/", headers=list(headers.items()), body=b"{}")
    assert verify(specification.verification, request, [public], NOW).valid is True


def test_a_key_may_come_with_its_public_half():
    whole = "whsk_" + base64.b64encode(SEED + PUBLIC.public_bytes_raw()).decode()
    assert signed(whole) == signed(PRIVATE_KEY)


def test_while_keys_are_exchanged_both_sign_each_in_its_scheme():
    versions = [each.split(",")[0] for each in signed(PRIVATE_KEY, WHSEC)["webhook-signature"].split(" ")]
    assert versions == ["v1a", "v1"]


@pytest.mark.parametrize(
    "secret",
    [
        "whsk_",
        "whsk_****",
        "whsk_" + base64.b64encode(SEED[:31]).decode(),
        "whsk_" + base64.b64encode(SEED + b"planted-public-key-of-another-one").decode(),
        "whsk_" + base64.b64encode(SEED + SEED).decode(),
    ],
)
def test_a_key_that_is_none_is_told_without_its_value(secret):
    with pytest.raises(PermanentConfigError) as refused:
        signed(secret)
    failure = Failure.of(refused.value, hop="route/cms", receivecount=1, firsttime="", lasttime="")
    assert failure.code == "secret-unusable"
    assert secret[5:] == "" or secret[5:] not in failure.to_json()
