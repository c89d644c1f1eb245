"""The senders sign as the partners' own documentation says."""

from __future__ import annotations

import json

import pytest

from media_events.partners.proof_parts import Request
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo.scenario import EXPECTATIONS, PRESETS, fresh
from media_events_kit.ops.demo.senders import (
    SIGNERS,
    frameio_v4_headers,
    mux_headers,
    new_secret,
    standard_webhooks_headers,
)
from media_events_kit.ops.send.samples import SAMPLES

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((KIT / "tests/data/signature_vectors.json").read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", ["mux", "mux-doc"])
def test_mux_signatures_are_those_that_mux_publishes(name):
    vector = VECTORS[name]
    headers = mux_headers(vector["body"].encode(), vector["secret"], vector["now"])
    assert headers["mux-signature"] == vector["headers"]["mux-signature"]


def test_frameio_signatures_are_those_that_frameio_publishes():
    vector = VECTORS["frameio-readme-EMPTY-SECRET"]
    published = {name.lower(): value for name, value in vector["headers"].items()}
    headers = frameio_v4_headers(
        vector["body"].encode(), vector["secret"], int(published["x-frameio-request-timestamp"])
    )
    assert headers["x-frameio-signature"] == published["x-frameio-signature"]


def test_standard_webhooks_signatures_verify_with_our_verifier_too():
    body, secret = b'{"type": "job.completed"}', new_secret("standard-webhooks")
    headers = standard_webhooks_headers(body, secret, 1741083300)
    verification = parse_specification({"preset": "standard-webhooks"}).verification
    request = Request("POST", "", list(headers.items()), body)
    assert verify(verification, request, [secret], 1741083300.0).valid


def test_secrets_differ_from_run_to_run():
    for preset in PRESETS.values():
        assert new_secret(preset) != new_secret(preset)


def test_every_expectation_has_its_payload_and_its_signer():
    for expectation in EXPECTATIONS:
        if expectation.payload is not None:
            assert (SAMPLES / f"{expectation.payload}.json").exists()
            assert PRESETS[expectation.partner] in SIGNERS
    assert set(PRESETS.values()) <= set(SIGNERS)


def test_a_fresh_payload_differs_in_the_id_alone():
    original = json.loads((SAMPLES / "mux-video.asset.ready.json").read_bytes())
    one, two = (json.loads(fresh("mux-video.asset.ready")) for _ in range(2))
    assert one["id"] != two["id"]
    assert one | {"id": original["id"]} == original


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ("mux-video.asset.created", "data"),
        ("mux-video.asset.ready", "data"),
        ("frameio-v4-file.upload.completed", "resource"),
        ("frameio-v4-file.ready", "resource"),
    ],
)
def test_a_fresh_payload_is_about_the_given_asset(payload, place):
    one, two = (json.loads(fresh(payload, "asset-1")) for _ in range(2))
    assert one[place]["id"] == two[place]["id"] == "asset-1"


def test_a_fresh_payload_without_an_id_is_about_something_else():
    original = json.loads((SAMPLES / "frameio-v4-file.ready.json").read_bytes())
    one, two = (json.loads(fresh("frameio-v4-file.ready")) for _ in range(2))
    assert one["resource"]["id"] != two["resource"]["id"]
    assert one["resource"]["type"] == original["resource"]["type"]
    assert one | {"resource": None} == original | {"resource": None}
