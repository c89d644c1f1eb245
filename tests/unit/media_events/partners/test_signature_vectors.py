"""Every published and derived signature vector verifies, and fails after any change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_events.partners.proof_parts import Request
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from tests.fakes.partners import preset, request, vectors

VECTORS = {vector["name"]: vector for vector in vectors()}
VALID = [name for name, vector in VECTORS.items() if vector["expect"] == "valid"]
TIMED = [name for name in VALID if "ts_from" in VECTORS[name]["scheme"]]

# Vectors that a preset must verify as it ships.
PRESETS = {
    "mux": "mux",
    "mux-doc": "mux",
    "slack": "slack",
    "github": "github",
    "standard-webhooks": "standard-webhooks",
    "frameio-v4": "frameio-v4",
    "bitmovin": "bitmovin",
    "flow-production-tracking": "flow-production-tracking",
    "zencoder-or-iconik-static-token": "zencoder",
}


def specification_of(scheme: dict[str, Any]) -> dict[str, Any]:
    """A vector's scheme as a specification."""
    if scheme["method"] == "static":
        return {"method": "static_token", "signature_header": scheme["header"]}
    formats: dict[str, Any] = {
        "raw": "raw",
        "prefix": f"prefix:{scheme.get('prefix')}",
        "kv": {"kind": "kv", "separator": ",", "keys": scheme.get("sig_keys")},
        "versioned": {"kind": "versioned", "separator": " ", "keys": [scheme.get("version")]},
    }
    found = {
        "method": "hmac",
        "algorithm": scheme["alg"],
        "encoding": scheme["enc"],
        "signature_header": scheme["header"],
        "signature_format": formats[scheme["format"]],
        "content": scheme["content"],
        "timestamp": scheme.get("ts_from"),
        "message_id": scheme.get("id_from"),
        "key_format": scheme.get("key"),
        "key_prefix": scheme.get("key_prefix"),
        "tolerance_seconds": scheme.get("tolerance"),
    }
    return {name: value for name, value in found.items() if value is not None}


def verification_of(name: str):
    mapping = {"id": "body.id", "type": "body.type", "verification": specification_of(VECTORS[name]["scheme"])}
    return parse_specification(mapping).verification


def judge(name: str, **changes: Any):
    vector = {**VECTORS[name], **changes}
    body = vector["body"] if isinstance(vector["body"], bytes) else vector["body"].encode()
    return verify(verification_of(name), request(body, vector["headers"]), [vector["secret"]], vector["now"])


def signature_header(name: str) -> str:
    return VECTORS[name]["scheme"]["header"]


def with_header(name: str, header: str, value: str) -> dict[str, str]:
    return {**VECTORS[name]["headers"], header: value}


@pytest.mark.parametrize("name", VALID)
def test_vector_verifies(name):
    verdict = judge(name)

    assert (verdict.valid, verdict.reason, verdict.secret_index) == (True, "verified", 0)


@pytest.mark.parametrize(("name", "preset_name"), PRESETS.items())
def test_vector_verifies_with_the_preset_as_it_ships(name, preset_name):
    vector = VECTORS[name]

    verdict = verify(
        preset(preset_name).verification,
        request(vector["body"].encode(), vector["headers"]),
        [vector["secret"]],
        vector["now"],
    )

    assert verdict.valid is True


def test_every_valid_vector_is_tried_with_a_preset():
    assert set(PRESETS) == set(VALID)


@pytest.mark.parametrize("name", [name for name in VALID if name != "zencoder-or-iconik-static-token"])
def test_every_single_changed_byte_of_the_body_is_refused(name):
    body = VECTORS[name]["body"].encode()
    for position in range(len(body)):
        changed = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert judge(name, body=changed).reason == "signature-mismatch", position
    assert judge(name, body=body + b" ").valid is False
    assert judge(name, body=body[:-1]).valid is False


@pytest.mark.parametrize("name", VALID)
def test_every_single_changed_byte_of_the_secret_is_refused(name):
    secret = VECTORS[name]["secret"]
    start = len("whsec_") if secret.startswith("whsec_") else 0
    for position in range(start, len(secret)):
        changed = secret[:position] + ("x" if secret[position] != "x" else "y") + secret[position + 1 :]
        assert judge(name, secret=changed).valid is False, position


@pytest.mark.parametrize("name", VALID)
def test_every_single_changed_character_of_the_signature_is_refused(name):
    header = signature_header(name)
    value = VECTORS[name]["headers"][header]
    start = value.rfind("v1,") if name == "standard-webhooks" else 0
    for position in range(start, len(value)):
        changed = value[:position] + ("0" if value[position] != "0" else "1") + value[position + 1 :]
        assert judge(name, headers=with_header(name, header, changed)).valid is False, (position, changed)
    assert judge(name, headers=with_header(name, header, value[:-1])).valid is False


@pytest.mark.parametrize("name", TIMED)
def test_every_single_changed_digit_of_the_signed_time_is_refused_even_with_a_clock_that_follows(name):
    vector = VECTORS[name]
    place, where = vector["scheme"]["ts_from"].split(":", 1)
    said = str(vector["now"])
    for position in range(len(said)):
        changed = said[:position] + str((int(said[position]) + 1) % 10) + said[position + 1 :]
        if place == "header":
            headers = with_header(name, where, changed)
        else:
            header = signature_header(name)
            headers = with_header(
                name, header, vector["headers"][header].replace(f"{where}={said}", f"{where}={changed}")
            )
        assert judge(name, headers=headers, now=int(changed)).reason == "signature-mismatch"


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize("offset", [-300, -1, 0, 1, 300, 300.999])
def test_time_within_the_tolerance_is_accepted_in_both_directions(name, offset):
    assert judge(name, now=VECTORS[name]["now"] + offset).valid is True


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (301, "timestamp-too-old"),
        (86_400, "timestamp-too-old"),
        (-301, "timestamp-in-future"),
        (-300.5, "timestamp-in-future"),
        (-86_400, "timestamp-in-future"),
        (-315_360_000, "timestamp-in-future"),
    ],
)
def test_time_outside_the_tolerance_is_refused_in_both_directions(name, offset, reason):
    assert judge(name, now=VECTORS[name]["now"] + offset).reason == reason


@pytest.mark.parametrize("name", VALID)
def test_signed_header_names_are_matched_in_any_case(name):
    vector = VECTORS[name]
    shouted = Request("POST", "/", [(key.upper(), value) for key, value in vector["headers"].items()], b"")

    verdict = verify(
        verification_of(name),
        Request("POST", "/", shouted.headers, vector["body"].encode()),
        [vector["secret"]],
        vector["now"],
    )

    assert verdict.valid is True


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_empty_secret_never_verifies(name, secrets):
    vector = VECTORS[name]

    verdict = verify(verification_of(name), request(vector["body"].encode(), vector["headers"]), secrets, vector["now"])

    assert (verdict.valid, verdict.reason) == (False, "secret-unusable")


def test_the_readme_vector_that_was_signed_with_no_secret_is_refused():
    assert judge("frameio-readme-EMPTY-SECRET").reason == "secret-unusable"


@pytest.mark.parametrize("name", VALID)
def test_previous_secret_verifies_beside_the_current_one_and_says_which_matched(name):
    vector = VECTORS[name]
    secrets = ["", "not base64 !", "c29tZS1vdGhlci1zZWNyZXQ=", vector["secret"]]

    verdict = verify(verification_of(name), request(vector["body"].encode(), vector["headers"]), secrets, vector["now"])

    assert (verdict.valid, verdict.secret_index) == (True, 3)


def test_the_vectors_are_the_published_ones():
    assert json.dumps(VECTORS["mux"]["headers"]).count(
        "854ece4c22acef7c66b57d4e504153bc512595e8e9c772ece2a68150548c19a7"
    )
    assert len(VECTORS) == 10
