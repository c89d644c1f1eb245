"""Probes of `media-events verify --send`: signed as the partner's events, and on the bus where no hop takes them."""

from __future__ import annotations

import json

import pytest

from media_events.core.failures import TransientError
from media_events.ingress.probe import MAX_PROBE_BYTES, PROBE_FIELD, PROBE_TYPE, probe_event, probe_number
from media_events_kit.event_patterns import effective_pattern, matches
from media_events_kit.ops.send.samples import SAMPLES
from tests.fakes.webhook_requests import BODY, SECRET, WebhookHarness

NUMBER = "0123456789abcdef0123456789abcdef"
PROBE = json.dumps({PROBE_FIELD: NUMBER}).encode()


@pytest.fixture(name="webhook")
def _webhook(monkeypatch) -> WebhookHarness:
    harness = WebhookHarness()
    monkeypatch.setattr("media_events.handlers.webhook.application", harness.application)
    return harness


def bus_event(detail):
    return {"source": detail["metadata"]["source"], "detail-type": detail["metadata"]["type"], "detail": detail}


def test_a_signed_probe_reaches_the_bus_under_the_partner_s_source(webhook):
    reply = webhook.post(PROBE)
    assert (reply.status, reply.json) == (202, {"id": f"probe-{NUMBER}", "status": "accepted"})
    (entry,) = webhook.bus.entries
    assert (entry.source, entry.detail_type) == ("partner.mux", PROBE_TYPE)
    assert json.loads(entry.detail)["metadata"]["stage"] == "probe"


def test_the_same_probe_again_is_a_duplicate(webhook):
    webhook.post(PROBE)
    assert webhook.post(PROBE).json["status"] == "duplicate"
    assert len(webhook.bus.entries) == 1


def test_a_forged_probe_is_refused(webhook):
    assert webhook.post(PROBE, headers=webhook.mux_headers(PROBE, secret=f"not-{SECRET}")).status == 401
    assert webhook.nothing_happened()


def test_a_probe_that_the_bus_refuses_is_answered_503_and_is_no_dead_letter(webhook):
    webhook.bus.failing = TransientError("aws-InternalException", "the bus is down")
    assert webhook.post(PROBE).status == 503
    assert webhook.queue.dead == []


def test_no_rule_of_a_hop_takes_a_probe_not_even_one_that_takes_everything():
    event = bus_event(probe_event("mux", NUMBER, 1_790_000_000.0).to_detail())
    for stage in ("received", "transformed"):
        for pattern in ({}, {"source": [{"prefix": ""}]}, {"detail-type": [{"anything-but": ["asset.ready"]}]}):
            rule = effective_pattern(pattern, hop="route/lake", stage=stage)
            assert not matches(rule, event)


@pytest.mark.parametrize(
    "body",
    [
        BODY.encode(),
        b"",
        b"[]",
        b"{",
        json.dumps({PROBE_FIELD: "short"}).encode(),
        json.dumps({PROBE_FIELD: 5}).encode(),
        json.dumps({"type": "video.asset.ready", "data": {PROBE_FIELD: NUMBER}}).encode(),
        PROBE + b" " * MAX_PROBE_BYTES,
    ],
)
def test_what_is_no_probe_is_an_event(body):
    assert probe_number(body) is None


@pytest.mark.parametrize(
    "body", [PROBE, json.dumps({PROBE_FIELD: NUMBER, "iat": 5}).encode(), f"{PROBE_FIELD}={NUMBER}".encode()]
)
def test_a_probe_is_a_json_object_or_a_form(body):
    assert probe_number(body) == NUMBER


def test_no_payload_that_a_partner_documents_is_a_probe():
    payloads = sorted(SAMPLES.glob("*.json"))
    assert payloads
    assert [path.name for path in payloads if probe_number(path.read_bytes()) is not None] == []
