"""Partners with other proofs than a signature over the body: forms, tokens, passwords, URLs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from tests.fakes.webhook_requests import SECRET

COMMON = {"id": "body.id", "type": {"constant": "asset.ready"}}
BODY = json.dumps({"id": "evt-1"})
JSON = {"content-type": "application/json"}


def partner(verification, **more):
    return {"other": {"specification": {**COMMON, "verification": verification, **more}, "secret_arns": ["arn:other"]}}


TWILIO = partner(
    {
        "method": "hmac",
        "algorithm": "sha1",
        "encoding": "base64",
        "signature_header": "x-twilio-signature",
        "content": "{url}{sorted_form}",
    },
    parsing={"format": "form"},
    id="signed_form",
)


def twilio_headers(fields, query=""):
    url = "https://hooks.example.com/webhooks/other" + (f"?{query}" if query else "")
    text = url + "".join(name + value for name, value in sorted(fields.items()))
    mac = hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()
    return {
        "x-twilio-signature": base64.b64encode(mac).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }


@pytest.mark.attack("A16")
def test_a16_form_is_accepted_as_it_was_signed(service_of):
    service = service_of(partners=TWILIO)
    fields = {"id": "evt-1", "Body": "hello", "From": "x"}

    assert service.post(urlencode(fields), partner="other", headers=twilio_headers(fields)).status == 202
    assert service.bus.events[0].data == fields


@pytest.mark.attack("A16")
@pytest.mark.parametrize(
    "body",
    [
        "id=evt-1&Body=hello&From=x&From=y",
        "id=evt-1&Body=hello",
        "",
    ],
)
def test_a16_other_parameters_are_refused_with_401(service_of, body):
    service = service_of(partners=TWILIO)
    headers = twilio_headers({"id": "evt-1", "Body": "hello", "From": "x"})

    assert service.post(body, partner="other", headers=headers).status == 401
    assert service.nothing_happened()


@pytest.mark.attack("A16")
@pytest.mark.parametrize(
    ("body", "query"),
    [
        ("id=evt-1&Bodyh=ello&From=x", "a=1"),
        ("id=evt-1&Body=helloFromx", "a=1"),
        ("Bodyhello=Fromxidevt-1", "a=1"),
        ("From=x&id=evt-1", "a=1Bodyhello"),
    ],
)
def test_a16_shifted_or_merged_parameters_make_no_second_event(service_of, body, query):
    service = service_of(partners=TWILIO)
    fields = {"id": "evt-1", "Body": "hello", "From": "x"}
    headers = twilio_headers(fields, query="a=1")

    first = service.post(urlencode(fields), partner="other", headers=headers, query="a=1")
    again = service.post(body, partner="other", headers=headers, query=query)

    assert (first.json["status"], again.status, again.json["status"]) == ("accepted", 202, "duplicate")
    assert len(service.bus.entries) == 1


@pytest.mark.attack("A16")
def test_a16_query_is_signed_too(service_of):
    service = service_of(partners=TWILIO)
    fields = {"id": "evt-1", "Body": "hello", "From": "x"}
    headers = twilio_headers(fields, query="a=1")

    assert service.post(urlencode(fields), partner="other", headers=headers, query="a=1").status == 202
    assert service.post(urlencode(fields), partner="other", headers=headers, query="a=2").status == 401


@pytest.mark.attack("A17")
def test_a17_json_under_a_form_s_signature_is_refused_with_415(service_of):
    service = service_of(partners=TWILIO)
    headers = twilio_headers({"id": "evt-1"}) | JSON

    assert service.post('{"id": "evt-1"}', partner="other", headers=headers).status == 415
    assert service.nothing_happened()


TOKEN = partner({"method": "static_token", "signature_header": "x-token"})


@pytest.mark.attack("C10")
@pytest.mark.parametrize("token", ["", SECRET[:-1], SECRET + "x", SECRET.upper(), "é", "x" * 100_000])
def test_c10_wrong_token_is_refused_with_401(service_of, token):
    service = service_of(partners=TOKEN)

    assert service.post(BODY, partner="other", headers={"x-token": token, **JSON}).status == 401
    assert service.nothing_happened()


@pytest.mark.attack("C10")
def test_c10_right_token_is_accepted_and_appears_nowhere(service_of):
    service = service_of(partners=TOKEN)

    assert service.post(BODY, partner="other", headers={"x-token": SECRET, **JSON}).status == 202
    assert service.post("junk", partner="other", headers={"x-token": SECRET, **JSON}).status == 202
    assert SECRET not in service.report.text() + service.queue.dead[0].body + service.bus.entries[0].detail


def test_token_in_the_query_is_not_in_the_quarantine(service_of):
    service = service_of(partners=partner({"method": "static_token", "signature_query": "k"}))

    assert service.post("junk", partner="other", headers=JSON, query=f"k={SECRET}&a=1").status == 202
    assert SECRET not in service.queue.dead[0].body
    assert json.loads(service.queue.dead[0].body)["request"]["query"] == "k=%5Bredacted%5D&a=1"


BASIC = partner({"method": "basic"})


@pytest.mark.attack("C10")
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Basic dXNlcjpwOmE6c3M=", 202),
        ("basic dXNlcjpwOmE6c3M=", 202),
        ("Bearer dXNlcjpwOmE6c3M=", 401),
        ("dXNlcjpwOmE6c3M=", 401),
        ("Basic dXNlcjpw", 401),
        ("Basic !!!", 401),
        ("Basic ", 401),
    ],
)
def test_c10_basic_takes_scheme_and_password_as_rfc_7617_has_them(service_of, text, status):
    service = service_of(partners=BASIC)
    service.secrets.stored["arn:other"] = ["user:p:a:ss"]

    assert service.post(BODY, partner="other", headers={"authorization": text, **JSON}).status == status


def test_unverified_partner_is_accepted_only_where_the_specification_says_so(service_of):
    service = service_of(partners=partner({"method": "none", "allow_unverified": True}))

    assert service.post(BODY, partner="other", headers=JSON).status == 202
    assert not service.secrets.cached


@pytest.mark.attack("C14")
def test_c14_iconik_s_live_token_is_in_no_event_no_log_and_no_quarantined_request(service_of):
    service = service_of(
        partners={
            "other": {
                "specification": {
                    **COMMON,
                    "verification": {"method": "static_token", "signature_header": "x-token"},
                    "redact": ["body.auth_token"],
                },
                "secret_arns": ["arn:other"],
            }
        }
    )
    headers = {"x-token": SECRET, **JSON}

    service.post('{"id": "evt-1", "auth_token": "live-token"}', partner="other", headers=headers)
    service.post('{"auth_token": "live-token"}', partner="other", headers=headers)

    kept = base64.b64decode(json.loads(service.queue.dead[0].body)["request"]["body_base64"]).decode()
    assert service.bus.events[0].data["auth_token"] == "[redacted]"
    assert "live-token" not in service.report.text() + service.bus.entries[0].detail + kept


def test_handshake_in_a_form_is_answered(service_of):
    specification = {
        **COMMON,
        "verification": {"method": "static_token", "signature_header": "x-token"},
        "parsing": {"format": "form"},
        "handshake": {"kind": "echo_field", "when": "body.check", "token": "body.challenge"},
    }
    service = service_of(partners={"other": {"specification": specification, "secret_arns": ["arn:other"]}})
    headers = {"x-token": SECRET, "content-type": "application/x-www-form-urlencoded"}

    assert service.post("check=1&challenge=abc", partner="other", headers=headers).text == "abc"
