"""A partner can't send another partner's by writing it as its own."""

from __future__ import annotations

import json

import pytest

from media_events.core.failures import PermanentDataError
from media_events.partners.envelope_producers import validate_envelope
from media_events.partners.neutral_types import VOCABULARY, untranslated
from media_events.partners.normalization import normalise
from media_events.partners.presets import preset_names
from media_events.partners.specification import parse_specification

MAM = {"id": "body.id", "type": "body.type", "types": {"clip.done": "asset.ready"}}
NOW = 1_795_684_800.0


def types_of(native, **changes):
    spec = parse_specification({**MAM, **changes})
    body = json.dumps({"id": "e-1", "type": native}).encode()
    (event,) = normalise(spec, partner="mam", ingress="webhook", body=body, now=NOW)
    return event.metadata.type, event.metadata.nativetype


def envelope_type(kind, **changes):
    spec = parse_specification({**MAM, **changes})
    detail = {"metadata": {"specversion": "1.0", "id": "e-1", "type": kind}, "data": {}}
    return validate_envelope(detail, partner="mam", ingress="custom-bus", now=NOW, specification=spec).metadata.type


@pytest.mark.attack("F2")
@pytest.mark.parametrize("native", ["asset.ready", "rights.expired", "encode.failed", "native.mux.asset.ready"])
def test_f2_a_neutral_type_that_is_no_translation_is_the_partner_s_own(native):
    expected = f"native.mam.{native}" if native in VOCABULARY or native.startswith("native.") else native
    assert types_of(native) == (expected, native)


@pytest.mark.attack("F2")
def test_f2_no_preset_lets_its_partner_send_a_neutral_type_that_it_does_not_translate():
    for name in preset_names():
        spec = parse_specification({"preset": name})
        foreign = next(kind for kind in VOCABULARY if kind not in spec.types)
        assert untranslated(spec, "p", foreign) == f"native.p.{foreign}", name


@pytest.mark.parametrize("native", ["clip.archived", "Asset.Ready", "asset.ready2"])
def test_a_type_that_is_not_neutral_stays_as_it_is(native):
    assert types_of(native) == (native, native)


def test_a_translation_is_a_neutral_type_as_before():
    assert types_of("clip.done") == ("asset.ready", "clip.done")


@pytest.mark.attack("F2")
def test_f2_nor_can_a_partner_of_which_nothing_is_translated():
    assert types_of("asset.ready", types={}) == ("native.mam.asset.ready", "asset.ready")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": {"path": "body.type", "allowed": ["asset.ready"]}},
        {"types": {"asset.ready": "asset.ready"}},
        {"type": {"constant": "asset.ready"}, "types": {}},
        {"type": {"path": "body.type", "table": {"asset.ready": "asset.ready"}}, "types": {}},
        {"type": {"first": ["body.kind", {"constant": "asset.ready"}]}, "types": {}},
        {"type": "body.type && 'asset.ready' || 'asset.failed'", "types": {}},
    ],
)
def test_a_neutral_type_is_taken_from_whom_the_specification_allows_it(changes):
    assert types_of("asset.ready", **changes)[0] == "asset.ready"


@pytest.mark.attack("F3")
def test_f3_an_envelope_has_the_types_that_a_message_could_have():
    assert envelope_type("asset.ready") == "asset.ready"
    assert envelope_type("encode.failed") == "native.mam.encode.failed"
    assert envelope_type("clip.archived") == "clip.archived"
    assert envelope_type("encode.failed", types={}) == "native.mam.encode.failed"
    assert envelope_type("encode.failed", types={"encode.failed": "encode.failed"}) == "encode.failed"
    with pytest.raises(PermanentDataError, match="does not list this type"):
        envelope_type("encode.failed", type={"path": "body.type", "allowed": ["clip.done"]})


@pytest.mark.parametrize(
    ("changes", "warns"),
    [
        ({"types": {}}, True),
        ({}, False),
        ({"types": {}, "type": {"path": "body.type", "allowed": ["asset.ready"]}}, False),
        ({"types": {}, "type": {"constant": "asset.ready"}}, False),
    ],
)
def test_a_specification_by_which_any_type_comes_is_told_of(changes, warns):
    advice = parse_specification({**MAM, **changes}).advice()
    assert bool(advice) == warns
    assert all("native.<partner>" in text for text in advice)
