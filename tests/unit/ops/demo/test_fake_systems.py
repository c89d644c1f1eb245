"""The systems behind the demonstration's receiver: their authentication and their answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from standardwebhooks.webhooks import Webhook

from media_events_kit.ops.demo.fake_systems import FakeSystems, finished
from media_events_kit.ops.demo.http_receiver import Systems

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CLIENT = {"client_id": "kit", "client_secret": "s3cret/+"}
ORDER = {"order_id": "o-1", "asset_id": "a-1", "input": "https://example.com/a.mov", "output": {"format": "mp4"}}


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    moment = datetime.now(UTC)
    return {
        "webhook-id": "e-1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(key).sign("e-1", moment, body.decode()),
    }


def fake_systems() -> FakeSystems:
    return FakeSystems({"cms": KEY, "transcoder": "api key", "frameio": json.dumps(CLIENT)})


def test_cms_accepts_requests_signed_with_its_key():
    assert fake_systems().reply("POST", "/cms", signed(b"{}"), b"{}").status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        (signed(b"{}"), b"{ }"),
        (signed(b"{}", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), b"{}"),
        (signed(b"{}") | {"webhook-signature": "v1,not base64"}, b"{}"),
        (signed(b"{}") | {"webhook-timestamp": "1"}, b"{}"),
    ],
    ids=["unsigned", "changed", "another key", "garbage", "old"],
)
def test_cms_refuses_other_requests(headers, body):
    assert fake_systems().reply("POST", "/cms", headers, body).status == 401


def test_system_without_a_key_takes_everything():
    assert FakeSystems().reply("POST", "/cms", {}, b"").status == 200
    assert fake_systems().reply("POST", "/review-tool", {}, b"").status == 200


def test_transcoder_takes_orders_of_callers_with_its_key():
    body = json.dumps(ORDER).encode()

    assert fake_systems().reply("POST", "/transcoder/jobs", {"x-api-key": "api key"}, body).status == 201
    assert fake_systems().reply("POST", "/transcoder/jobs", {"x-api-key": "another"}, body).status == 401
    assert fake_systems().reply("POST", "/transcoder/jobs", {"x-api-key": "api key"}, b"[]").status == 422


def test_transcoder_names_the_order_when_it_is_done():
    webhook = json.loads(finished(ORDER))

    assert webhook["type"] == "job.completed"
    assert (webhook["data"]["order_id"], webhook["data"]["asset_id"]) == ("o-1", "a-1")


def test_frameio_answers_callers_with_a_token():
    frameio = fake_systems()
    form = urlencode({**CLIENT, "grant_type": "client_credentials"}).encode()
    token = frameio.reply("POST", "/frameio/ims/token/v3", {}, form).document["access_token"]
    path = "/frameio/v4/accounts/a/files/f-1?include=media_links.original"

    answer = frameio.reply("GET", path, {"authorization": f"Bearer {token}"}, b"")

    assert (answer.status, answer.document["data"]["id"]) == (200, "f-1")
    assert frameio.reply("GET", path, {"authorization": "Bearer another"}, b"").status == 401
    assert frameio.reply("GET", path, {}, b"").status == 401


@pytest.mark.parametrize("changed", [{"client_secret": "wrong"}, {"client_id": "wrong"}, {"grant_type": "password"}])
def test_frameio_gives_no_token_to_anybody_else(changed):
    form = urlencode({**CLIENT, "grant_type": "client_credentials"} | changed).encode()

    assert fake_systems().reply("POST", "/frameio/ims/token/v3", {}, form).status == 401
    assert FakeSystems().reply("POST", "/frameio/ims/token/v3", {}, form).status == 401


def test_no_credentials_are_remembered():
    systems = Systems()
    systems.set_key("frameio", json.dumps(CLIENT))
    systems.take("POST", "/frameio/ims/token/v3", {}, urlencode(CLIENT).encode())
    systems.take("POST", "/transcoder/jobs", {"X-Api-Key": "api key", "Authorization": "Bearer t"}, b"{}")

    remembered = json.dumps(systems.after(0))

    assert "s3cret" not in remembered
    assert "api key" not in remembered
    assert "Bearer" not in remembered


def test_system_that_is_down_is_down_for_everybody():
    systems = Systems()
    systems.set_key("cms", KEY)
    systems.set_answer("cms", 503)

    assert systems.take("POST", "/cms", signed(b"{}"), b"{}").status == 503
