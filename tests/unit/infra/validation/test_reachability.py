"""Routes that declared partners' events can't reach."""

import pytest

from tests.fakes.workflows import load

WORKFLOW = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
  acme:
    ingress: webhook
    specification:
      verification: {method: hmac, signature_header: x-acme-signature, content: "{body}"}
      id: body.event_id
      type: body.kind
      types: {delivery.finished: asset.ready, delivery.failed: asset.failed}
destinations:
  cms: {type: http, url: "https://cms.example.com/events"}
transforms:
  normalise:
    pattern: {source: [partner.mux], detail-type: [{prefix: asset.}]}
    steps: [{set: {seen: true}}]
routes:
  ready: {pattern: PATTERN, destination: cms}
settings: {alarms: {actions: {critical: ["arn:aws:sns:eu-west-1:123456789012:on-call"]}}}
environments:
  dev: {region: eu-west-1}
"""
READY = "{detail-type: [asset.ready]}"
STAGE = "no transform takes"


def warnings(pattern, *, more="", transforms=True):
    text = WORKFLOW.replace("PATTERN", pattern + more)
    if not transforms:
        text = text[: text.index("transforms:")] + text[text.index("routes:") :]
    found = [str(warning) for warning in load(text).warnings]
    return [warning.partition(", routes.ready: ")[2] for warning in found if "routes.ready" in warning]


def test_a_route_on_events_of_a_partner_whom_no_transform_takes_gets_nothing_and_that_is_told():
    assert warnings("{source: [partner.acme], detail-type: [asset.ready]}") == [
        (
            "it gets nothing: it takes transformed events, and no transform takes asset.ready of acme. "
            "Set stage: received to have them as they come"
        )
    ]


def test_a_route_that_gets_one_partners_events_and_misses_anothers_is_told():
    assert warnings(READY) == [
        (
            "it does not get asset.ready of acme, which no transform takes: another route with stage: received would. "
            "If that is meant, write stage: transformed"
        )
    ]


@pytest.mark.parametrize("more", [", stage: transformed", ", enabled: false"])
def test_a_route_that_says_its_stage_or_is_switched_off_is_left_in_peace(more):
    assert warnings(READY, more=more) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "{source: [partner.acme]}, stage: received",
        "{source: [partner.mux], detail-type: [asset.ready]}",
        "{source: [partner.mux], detail-type: [{prefix: asset.}], detail: {data: {data: {status: [ready]}}}}",
        "{$or: [{source: [partner.mux], detail-type: [asset.ready]}, {detail-type: [asset.created]}]}",
    ],
)
def test_a_route_that_is_reached_has_no_warning(pattern):
    assert warnings(pattern) == []


def test_without_transforms_every_event_comes_as_it_is():
    assert warnings(READY, transforms=False) == []


def test_a_type_that_no_declared_partner_sends_is_told():
    assert warnings("{source: [partner.acme], detail-type: [qc.failed]}, stage: received") == [
        "no declared partner sends events that this pattern takes: nothing is ever delivered by it"
    ]


def told(missing):
    own = f"a partner that sends it untranslated has it as native.<partner>.{missing}"
    return [f"no declared partner sends {missing}: {own}, unless its specification names it"]


def test_a_neutral_type_that_a_partner_sends_natively_is_told_of_beside_those_that_come():
    """Before a neutral type had to be named, such a route got it."""
    route = "{source: [partner.acme], detail-type: [asset.ready, qc.failed]}, stage: received"
    assert warnings(route) == told("qc.failed")
    text = WORKFLOW.replace("PATTERN", READY).replace("[{prefix: asset.}]", "[asset.ready, qc.failed]")
    (found,) = [str(warning) for warning in load(text).warnings if "transforms.normalise" in str(warning)]
    assert found.endswith(told("qc.failed")[0])


@pytest.mark.parametrize(
    ("kind", "comes"),
    [
        ("{path: body.kind, allowed: [qc.failed]}", True),
        ("{first: [body.kind, {constant: qc.failed}]}", True),
        ("body.kind", False),
    ],
)
def test_a_specification_without_translations_sends_the_neutral_types_that_it_names(kind, comes):
    text = WORKFLOW.replace("      types: {delivery.finished: asset.ready, delivery.failed: asset.failed}\n", "")
    text = text.replace("type: body.kind", f"type: {kind}")
    text = text.replace("PATTERN", "{source: [partner.acme], detail-type: [qc.failed]}, stage: received")
    assert ["routes.ready" in str(warning) for warning in load(text).warnings].count(True) == (0 if comes else 1)


def test_a_partners_own_word_may_come_although_its_specification_does_not_translate_it():
    assert warnings("{source: [partner.acme], detail-type: [delivery.paused]}, stage: received") == []


def test_a_partner_without_translations_may_send_anything():
    text = "{source: [partner.mux], detail-type: [asset.shiny]}, stage: received"
    assert STAGE not in " ".join(warnings(text))
