"""Rows A of the attack catalogue: requests that are not, or not quite, their partner's own."""

from __future__ import annotations

import json

import pytest

from media_events.core.failures import TransientError
from tests.fakes.webhook_requests import BODY, SECRET, api_event

OTHER_JSON = {"content-type": "application/json"}


def refused(service, reply, *, status=401):
    """The response of a refusal: it has no other effect, and does not tell the reason."""
    assert reply.status == status
    assert service.nothing_happened()
    assert SECRET not in reply.text + service.report.text()
    return True


def reason(service):
    return service.report.fields("request refused")[-1]["reason"]


def signature(text, **more):
    return {"mux-signature": text, **OTHER_JSON, **more}


def good(service):
    return service.mux_headers(BODY.encode())["mux-signature"]


def test_a0_genuine_request_is_accepted(service):
    reply = service.post()

    assert (reply.status, reply.json) == (202, {"id": "evt-1", "status": "accepted"})
    assert [event.metadata.id for event in service.bus.events] == ["evt-1"]


@pytest.mark.attack("A1")
def test_a1_missing_signature_is_refused_with_401(service):
    assert refused(service, service.post(headers=OTHER_JSON))
    assert reason(service) == "signature-missing"


@pytest.mark.attack("A1")
def test_a1_no_headers_at_all_is_refused_with_401(service):
    event = api_event(BODY.encode())
    event["headers"] = None

    assert refused(service, service.send(event))


@pytest.mark.attack("A2")
@pytest.mark.parametrize("text", ["garbage", "", "t=,v1=", "t=1", "v1=00", "=", ",", "t=1,v1=zz", "\x00", "t=1,v1"])
def test_a2_garbage_signature_is_refused_with_401(service, text):
    assert refused(service, service.post(headers=signature(text)))


@pytest.mark.attack("A3")
def test_a3_garbage_before_a_good_signature_is_skipped(service):
    stamp, _, mac = good(service).partition(",")

    assert service.post(headers=signature(f"{stamp},junk,v0=beef,v1=zz,{mac}")).status == 202


@pytest.mark.attack("A3")
def test_a3_garbage_before_a_good_standard_webhooks_signature_is_skipped(service):
    body = json.dumps({"type": "asset.ready", "timestamp": "2026-09-21T14:13:20Z", "data": {"id": "a"}}).encode()
    headers = service.standard_headers(body)
    headers["webhook-signature"] = "garbage v1,AAAA v9,xyz " + headers["webhook-signature"]

    assert service.post(body, partner="standard", headers=headers).status == 202


@pytest.mark.attack("A4")
def test_a4_double_space_between_signatures_is_accepted(service):
    body = json.dumps({"type": "asset.ready", "timestamp": "2026-09-21T14:13:20Z", "data": {"id": "a"}}).encode()
    headers = service.standard_headers(body)
    headers["webhook-signature"] = "v1,AAAA  " + headers["webhook-signature"]

    assert service.post(body, partner="standard", headers=headers).status == 202


@pytest.mark.attack("A5")
@pytest.mark.parametrize("change", [lambda s: s.replace("v1,", "v1,a,"), lambda s: s + "=", lambda s: s.rstrip("=")])
def test_a5_signature_with_one_character_more_or_less_is_refused_with_401(service, change):
    body = b'{"type": "asset.ready"}'
    headers = service.standard_headers(body)
    headers["webhook-signature"] = change(headers["webhook-signature"])

    assert refused(service, service.post(body, partner="standard", headers=headers))


@pytest.mark.attack("A6")
def test_a6_non_ascii_signature_is_refused_with_401(service):
    assert refused(service, service.post(headers=signature("t=1790000000,v1=é")))


@pytest.mark.attack("A7")
@pytest.mark.parametrize("element", ["v1,not base64 at all", "v1,!!!!", "v1,"])
def test_a7_invalid_base64_is_refused_with_401(service, element):
    headers = service.standard_headers(b"{}") | {"webhook-signature": element}

    assert refused(service, service.post(b"{}", partner="standard", headers=headers))


@pytest.mark.attack("A8")
@pytest.mark.parametrize("insert", ["!!", "\n", " ", "\r\n"])
def test_a8_non_canonical_base64_is_refused_with_401(service, insert):
    headers = service.standard_headers(b"{}")
    text = headers["webhook-signature"]
    headers["webhook-signature"] = text[:20] + insert + text[20:]

    assert refused(service, service.post(b"{}", partner="standard", headers=headers))


@pytest.mark.attack("A9")
@pytest.mark.parametrize("stamp", ["abc", "", "-1790000000", "nan", "inf", "1" * 400, "1790000000\x00"])
def test_a9_timestamp_that_is_no_number_is_refused_with_401(service, stamp):
    mac = good(service).partition("v1=")[2]

    assert refused(service, service.post(headers=signature(f"t={stamp},v1={mac}")))


@pytest.mark.attack("A10")
@pytest.mark.parametrize("form", ["+{}", " {} ", "{}.9", "1_790_000_000", "{}e0", "0x6AB1", "{}abc", "۱۷۹۰۰۰۰۰۰۰"])
def test_a10_timestamp_in_another_spelling_is_refused_with_401(service, form):
    headers = service.standard_headers(b"{}")
    headers["webhook-timestamp"] = form.format(headers["webhook-timestamp"])

    assert refused(service, service.post(b"{}", partner="standard", headers=headers))


@pytest.mark.attack("A11")
@pytest.mark.parametrize("age", [301, -301])
def test_a11_signature_out_of_tolerance_by_a_second_is_refused_with_401(service, age):
    headers = service.mux_headers(BODY.encode(), at=service.clock() - age)

    assert refused(service, service.post(headers=headers))


@pytest.mark.attack("A11")
@pytest.mark.parametrize("age", [300, -300, 0])
def test_a11_signature_at_the_edge_of_tolerance_is_accepted(service, age):
    assert service.post(headers=service.mux_headers(BODY.encode(), at=service.clock() - age)).status == 202


@pytest.mark.attack("A12")
@pytest.mark.parametrize("ahead", [86_400, 315_360_000])
def test_a12_signature_from_the_future_is_refused_with_401(service, ahead):
    assert refused(service, service.post(headers=service.mux_headers(BODY.encode(), at=service.clock() + ahead)))
    assert reason(service) == "timestamp-in-future"


@pytest.mark.attack("A13")
def test_a13_verbatim_repetition_is_a_duplicate_and_published_once(service):
    headers = service.mux_headers(BODY.encode())

    replies = [service.post(headers=headers) for _ in range(3)]

    assert [reply.status for reply in replies] == [202, 202, 202]
    assert [reply.json["status"] for reply in replies] == ["accepted", "duplicate", "duplicate"]
    assert len(service.bus.entries) == 1


@pytest.mark.attack("A14")
def test_a14_repetition_after_the_retention_of_its_record_is_refused_by_its_time(service):
    headers = service.mux_headers(BODY.encode())
    service.post(headers=headers)
    service.clock.now += 15 * 86_400

    assert service.post(headers=headers).status == 401
    assert len(service.bus.entries) == 1


@pytest.mark.attack("A15")
def test_a15_unsigned_header_does_not_choose_the_type(service):
    headers = service.mux_headers(BODY.encode()) | {
        "x-github-event": "evil",
        "ce-type": "evil",
        "x-event-type": "evil",
        "type": "evil",
    }

    service.post(headers=headers)

    assert [(e.metadata.type, e.metadata.nativetype) for e in service.bus.events] == [
        ("asset.ready", "video.asset.ready")
    ]


@pytest.mark.attack("A18")
def test_a18_message_id_with_a_dot_is_refused_with_400(service):
    headers = service.standard_headers(b"{}", message_id="msg_a.1614265330")

    assert refused(service, service.post(b"{}", partner="standard", headers=headers), status=400)
    assert reason(service) == "message-id-malformed"


@pytest.mark.attack("A19")
def test_a19_security_header_given_twice_is_refused_with_400(service):
    pairs = [*service.mux_headers(BODY.encode()).items(), ("Mux-Signature", "t=1,v1=00")]

    assert refused(service, service.send(api_event(BODY.encode(), headers=pairs, version="1.0")), status=400)
    assert refused(service, service.send(api_event(BODY.encode(), headers=pairs)), status=400)
    assert reason(service) == "header-duplicate"


@pytest.mark.attack("A19")
def test_a19_header_names_count_in_any_case(service):
    headers = {name.upper(): value for name, value in service.mux_headers(BODY.encode()).items()}

    assert service.post(headers=headers).status == 202


def test_one_changed_byte_of_the_body_is_refused_with_401(service):
    headers = service.mux_headers(BODY.encode())

    assert refused(service, service.post(BODY.replace("asset-1", "asset-2"), headers=headers))
    assert reason(service) == "signature-mismatch"


def test_signature_of_another_secret_is_refused_with_401(service):
    assert refused(service, service.post(headers=service.mux_headers(BODY.encode(), secret="another")))


def test_signature_of_another_partner_is_refused_with_401(service):
    assert refused(service, service.post(partner="frameio", headers=service.mux_headers(BODY.encode())))


@pytest.mark.parametrize("secrets", [[""], ["", ""]])
def test_empty_secret_never_verifies(service, secrets):
    service.secrets.stored["arn:mux"] = secrets

    reply = service.post(headers=service.mux_headers(BODY.encode(), secret=""))

    assert refused(service, reply, status=503)


def test_malformed_secret_does_not_break_the_good_one(service):
    service.secrets.stored["arn:standard"] = ["whsec_###", *service.secrets.stored["arn:standard"]]
    body = json.dumps({"type": "asset.ready", "timestamp": "2026-09-21T14:13:20Z", "data": {"id": "a"}}).encode()

    assert service.post(body, partner="standard", headers=service.standard_headers(body)).status == 202


def test_request_that_its_form_refutes_costs_no_look_at_the_secrets(service):
    service.post(headers=OTHER_JSON)
    service.post(headers=service.mux_headers(BODY.encode(), at=0))

    assert not service.secrets.cached


def test_rotated_secret_is_found_by_a_second_look(service):
    service.post()
    service.secrets.stored["arn:mux"] = ["the-new-secret", SECRET]
    body = BODY.replace("evt-1", "evt-2")

    reply = service.post(body, headers=service.mux_headers(body.encode(), secret="the-new-secret"))

    assert reply.status == 202
    assert service.secrets.rereads == 1


def test_use_of_the_previous_secret_is_counted(service):
    service.secrets.stored["arn:mux"] = ["the-new-secret", SECRET]

    assert service.post().status == 202
    assert service.report.counts[("OlderSecretUsed", (("partner", "mux"),))] == 1


@pytest.mark.attack("A20")
def test_a20_outdated_secret_proves_nothing_and_its_use_is_counted(service):
    service.secrets.stored["arn:mux"] = ["the-new-secret"]
    service.secrets.outdated["arn:mux"] = [SECRET]

    assert refused(service, service.post())
    assert reason(service) == "secret-outdated"
    assert service.report.counts[("OutdatedSecretUsed", ())] == 1


def test_outdated_secret_is_looked_at_again_as_it_may_be_the_current_one_once_more(service):
    service.secrets.stored["arn:mux"] = ["the-new-secret"]
    service.secrets.outdated["arn:mux"] = [SECRET]
    service.post()
    service.secrets.stored["arn:mux"] = [SECRET]

    assert service.post().status == 202


def test_outdated_secret_does_not_answer_a_handshake_either(service_of):
    rule = {"kind": "query_echo", "query": "challenge", "secret_query": "token"}
    service = service_of(
        partners={"mux": {"specification": {"preset": "mux", "handshake": rule}, "secret_arns": ["arn:mux"]}}
    )
    service.secrets.stored["arn:mux"] = ["the-new-secret"]
    service.secrets.outdated["arn:mux"] = [SECRET]

    answers = [
        service.send(api_event(b"", method="GET", query=f"challenge=abc&token={secret}", headers={})).status
        for secret in (SECRET, "the-new-secret")
    ]

    assert answers == [401, 200]


def test_cached_verdict_stands_when_the_store_fails_at_the_second_look(service):
    service.post()
    service.secrets.reread = raise_unavailable

    assert service.post(headers=service.mux_headers(BODY.encode(), secret="another")).status == 401


def raise_unavailable(_arns, *, previous_seconds):  # noqa: ARG001
    raise TransientError("aws-InternalServiceError", "down")
