"""docs/partners.md: each example does what the page says, through the code of the deployed functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from media_events.partners.handshake_schemes import HANDSHAKES, Handshake
from media_events.partners.notes import Notes
from media_events.partners.signature_schemes import BodyClaim, BodyDigest, Timestamp, Verification
from media_events.partners.specification import Answers, Parsing, PartnerSpecification, parse_specification
from media_events_kit.ops.partner.field_descriptions import field_rows
from media_events_kit.ops.partner.offline_ingress import Outcome, post, take
from media_events_kit.ops.partner.specification_schema import schema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "partners.md").read_text(encoding="utf-8")
NOW = 1_790_000_000.0
BLOCK = re.compile(r"```(yaml|http|json)\n(.*?)```", re.DOTALL)


def examples() -> list[tuple[str, str, str, str]]:
    """The heading of each specification with its specification, message and effect."""
    found = []
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        blocks = [match[2] for match in BLOCK.finditer(section)]
        kinds = [match[1] for match in BLOCK.finditer(section)]
        assert kinds == ["yaml", "json" if kinds[1] == "json" else "http", "json"] * (len(kinds) // 3), section[:30]
        found += [(section.partition("\n")[0], *blocks[index : index + 3]) for index in range(0, len(blocks), 3)]
    return found


EXAMPLES = examples()


def effect(specification: PartnerSpecification, message: str) -> Outcome:
    if message.startswith("{"):
        return take(
            specification,
            partner="acme",
            ingress="custom-bus",
            attributes={},
            body=message.encode(),
            now=NOW,
            notes=Notes(thorough=True),
        )
    head, _, body = message.partition("\n\n")
    first, *lines = head.splitlines()
    method, target = first.split(" ")
    return post(
        specification,
        partner="acme",
        method=method,
        url=f"https://webhooks.example.com{target}",
        headers=[(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)],
        body=body.removesuffix("\n").encode(),
        secrets=["s3cret"],
        now=NOW,
        notes=Notes(),
    )


def flat(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**event["detail"]["metadata"], "data": event["detail"]["data"]}


def test_every_shape_has_an_example():
    assert {name for name, *_ in EXAMPLES} == {"Handshake", "Batch", "Form", "XML", "Bus"}


@pytest.mark.parametrize(("name", "specification", "message", "said"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_example_has_the_effect_that_the_page_says(name, specification, message, said):  # noqa: ARG001
    outcome = effect(parse_specification(yaml.safe_load(specification)), message)
    expected = json.loads(said)

    if isinstance(expected, dict):
        assert outcome.response is not None
        assert {"status": outcome.response.status, "body": outcome.response.body} == expected
        assert (outcome.handshake, outcome.events) == (True, [])
        return
    assert outcome.error is None
    events = [flat(event) for event in outcome.events]
    assert [{name: event[name] for name in wanted} for event, wanted in zip(events, expected, strict=True)] == expected


def test_every_kind_of_handshake_is_named():
    assert [kind for kind in HANDSHAKES if f"`{kind}`" not in PAGE] == []


DESCRIBED = {"method", "methods", "content_types", "content", "kind"}
"""Their default is said in words, since it depends on other fields."""


def test_every_field_is_on_the_page_with_its_default():
    rows = {name: default for name, default, _ in field_rows(schema())}

    assert [name for name in rows if f"| `{name}` |" not in PAGE] == []
    for section, defaults in (
        ("answers", Answers()),
        ("parsing", Parsing()),
        ("handshake", Handshake(kind="fixed")),
        ("verification", Verification(method="hmac")),
        ("verification.body_claim", BodyClaim(name="x")),
        ("verification.body_digest", BodyDigest(query="x")),
        ("verification.timestamp", Timestamp(place="kv", name="t")),
    ):
        for field in fields(defaults):
            value = getattr(defaults, field.name)
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
                shown = ", ".join(value)
            elif not isinstance(value, str | bool | int):
                continue
            row = rows.get(f"{section}.{field.name}", "required")
            if shown and row != "required" and field.name not in DESCRIBED:
                assert row.partition(",")[0] == shown, field.name
