"""The docs say what the code does: the table of event types, the partner specification, the example of a partner."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from media_events.partners.neutral_types import VOCABULARY
from media_events.partners.normalization import normalise
from media_events.partners.presets import preset_names
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from media_events_kit.ops.partner.event_types import natives
from scripts.reference.partners import refusal_reasons
from tests.fakes.partners import hex_hmac, request

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "partners"
PARTNERS = (ROOT / "docs" / "reference" / "partner-specification.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PARTNERS, re.DOTALL)


@pytest.mark.parametrize("name", preset_names())
def test_preset_uses_the_words_of_the_vocabulary(name):
    assert set(parse_specification({"preset": name}).types.values()) <= set(VOCABULARY)


def test_every_word_of_the_vocabulary_is_said_by_somebody():
    assert [neutral for neutral, pairs in natives().items() if not pairs] == []


@pytest.mark.parametrize(
    "vendor",
    [
        *(
            "api.video",
            "Cloudflare Stream",
            "Bunny",
            "Wistia",
            "Cloudinary",
            "Kaltura",
            "Vimeo",
            "Zoom",
            "Dropbox",
            "Box",
        ),
        *(
            "Google Drive",
            "SharePoint",
            "OneDrive",
            "Brightcove Dynamic Ingest",
            "Elemental Server",
            "Vantage",
            "Encoding.com",
        ),
        *("Dalet", "Flowworks", "EVS"),
    ],
)
def test_vendor_has_a_preset_or_the_reason_why_it_has_none(vendor):
    titles = [parse_specification({"preset": name}).title or "" for name in preset_names()]
    missing = PARTNERS.partition("These have no preset")[2].partition("\n## ")[0]

    assert any(vendor in title for title in titles) != (vendor in missing)


def test_partner_of_the_docs_works_as_they_say():
    specification = parse_specification(yaml.safe_load((EXAMPLES / "acme.yaml").read_text(encoding="utf-8")))
    body = (EXAMPLES / "acme-event.json").read_bytes()
    signature = hex_hmac("acme-secret", b"1741083310." + body)
    sent = request(body, {"x-acme-signature": f"t=1741083310,v1={signature}"})

    assert verify(specification.verification, sent, ["acme-secret"], 1741083310).valid is True
    (event,) = normalise(
        specification, partner="acme", ingress="webhook", body=body, headers=sent.headers, now=1741083310
    )
    metadata = event.metadata
    assert (metadata.id, metadata.type, metadata.subject) == ("acme-evt-0001", "asset.ready", "house-id-0001")
    assert (metadata.time, metadata.sequence) == ("2025-03-04T10:15:09Z", "00000000000000000003")
    assert event.data["delivery"]["upload_token"] == "[redacted]"
    assert "not-for-you" not in event.to_json()


def test_every_specification_in_the_docs_can_be_used():
    specifications = [yaml.safe_load(text) for text in blocks("yaml")]

    assert specifications
    for mapping in specifications:
        parse_specification(mapping)


def test_every_preset_and_every_reason_of_a_refusal_is_in_the_docs():
    source = Path(verify.__code__.co_filename).read_text(encoding="utf-8")
    reasons = set(re.findall(r'_RefusedError\("([a-z-]+)"\)', source)) | set(re.findall(r'missing="([a-z-]+)"', source))

    assert reasons <= refusal_reasons()
    assert [reason for reason in sorted(refusal_reasons()) if f"`{reason}`" not in PARTNERS] == []
    assert [name for name in preset_names() if f"`{name}`" not in PARTNERS] == []


def test_every_field_of_the_schema_is_in_the_docs():
    schema = json.loads((ROOT / "docs" / "partner-specification.schema.json").read_text(encoding="utf-8"))
    verification = schema["properties"]["verification"]["anyOf"][0]["properties"]

    missing = [name for name in [*schema["properties"], *verification] if f"`{name}`" not in PARTNERS]
    assert missing == []
