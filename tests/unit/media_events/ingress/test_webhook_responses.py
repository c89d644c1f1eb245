"""Rows C of the attack catalogue, and the promise of a 202: the event is already on the bus or stored."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading

import pytest

from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.handlers import webhook
from media_events.messaging.idempotency import record_key
from tests.fakes.hop import FakeReport
from tests.fakes.webhook_requests import BODY, PARTNERS, SECRET, Context, api_event

BATCH = {
    "batch": {
        "specification": {
            "preset": "mux",
            "split": "body.events",
            "answers": {"accepted": 200, "duplicate": 208, "unavailable": 500, "retry_after_seconds": 7},
        },
        "secret_arns": ["arn:mux"],
    }
}


def bodies(*ids):
    return json.dumps(
        {"events": [{"type": "video.asset.ready", "id": i, "object": {"type": "asset", "id": "a"}} for i in ids]}
    )


@pytest.mark.attack("C1")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "", "POST\n", "post"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_c1_every_method_but_post_is_refused_with_405(service, method, version):
    reply = service.post(method=method, version=version)

    if method == "post":
        assert reply.status == 202
        return
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert service.nothing_happened()


@pytest.mark.attack("C2")
@pytest.mark.parametrize(
    "partner",
    ["nobody", "../mux", "mux/../mux", "MUX", "", "x" * 10_240, "%2e%2e", "mux\x00", "__proto__", "é\n\x1b[31m"],
)
def test_c2_unknown_partner_is_refused_with_404_and_not_echoed(service, partner):
    reply = service.post(partner=partner)

    assert (reply.status, reply.json) == (404, {"error": "not found"})
    assert service.nothing_happened()
    assert not partner or partner == "MUX" or partner not in service.report.text()


@pytest.mark.attack("C2")
def test_c2_partner_is_read_from_the_path_where_there_is_no_parameter(service):
    event = api_event(BODY.encode(), headers=service.mux_headers(BODY.encode()))
    event["pathParameters"] = None

    assert service.send(event).status == 202


@pytest.mark.attack("C3")
def test_c3_disabled_partner_is_answered_410(service):
    assert service.post(partner="closed").status == 410
    assert service.nothing_happened()


@pytest.mark.attack("C6")
def test_c6_event_that_the_bus_refuses_is_dead_lettered_and_acknowledged(service):
    service.bus.failing = TransientError("aws-ThrottlingException", "slow down")

    reply = service.post()

    assert (reply.status, reply.json["status"]) == (202, "accepted")
    (dead,) = service.queue.dead
    assert json.loads(dead.body)["metadata"]["id"] == "evt-1"
    assert (dead.failure.failure_class, dead.failure.hop) == ("transient", "ingress/webhook")
    assert service.post().json["status"] == "duplicate"


@pytest.mark.attack("C6")
def test_c6_single_entry_that_the_bus_refuses_is_dead_lettered_and_the_others_are_published(service_of):
    service = service_of(partners=BATCH)
    service.bus.refuse = lambda entry: PermanentConfigError("aws-Denied", "no") if '"id":"b"' in entry.detail else None

    assert service.post(bodies("a", "b", "c"), partner="batch").status == 200
    assert [event.metadata.id for event in service.bus.events] == ["a", "c"]
    assert [json.loads(dead.body)["metadata"]["id"] for dead in service.queue.dead] == ["b"]


@pytest.mark.attack("C6")
def test_c6_nothing_is_acknowledged_when_bus_and_queue_both_refuse_and_nothing_is_lost_on_retry(service):
    service.bus.failing = service.queue.failing = TransientError("aws-unavailable", "down")

    reply = service.post()

    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    service.bus.failing = service.queue.failing = None
    assert service.post().json["status"] == "accepted"
    assert len(service.bus.entries) == 1


@pytest.mark.attack("C6")
def test_c6_oversize_event_is_dead_lettered_by_reference_when_the_bus_refuses_it(service):
    service.bus.failing = TransientError("aws-ThrottlingException", "slow down")

    service.post(json.dumps(json.loads(BODY) | {"note": "n" * 150_000}))

    (dead,) = service.queue.dead
    assert json.loads(dead.body)["metadata"]["dataref"] in service.bodies.kept
    assert len(dead.body) < 5_000


@pytest.mark.attack("C6")
def test_c6_failed_part_of_a_batch_is_free_for_the_retry_and_the_rest_is_not_repeated(service_of):
    service = service_of(partners=BATCH)
    service.bus.refuse = lambda entry: TransientError("aws-x", "no") if '"id":"b"' in entry.detail else None
    service.queue.failing = TransientError("aws-unavailable", "down")

    first = service.post(bodies("a", "b", "c"), partner="batch")
    service.bus.refuse = lambda _entry: None
    second = service.post(bodies("a", "b", "c"), partner="batch")

    assert (first.status, first.headers["retry-after"]) == (500, "7")
    assert second.status == 200
    assert sorted(event.metadata.id for event in service.bus.events) == ["a", "b", "c"]


def test_twin_at_work_on_one_event_of_a_batch_leaves_the_others_free(service_of):
    service = service_of(partners=BATCH)
    body = bodies("a", "b")
    service.table.owned_by("twin").acquire(record_key("partner.batch", "b", "ingress"), lease_seconds=60)

    assert service.post(body, partner="batch").status == 500

    assert len(service.table.items) == 1
    assert not service.bus.calls


@pytest.mark.attack("C6")
def test_c6_throttled_entries_are_put_again_before_anything_else(service):
    refusals = [TransientError("aws-ThrottlingException", "slow down"), None]
    service.bus.refuse = lambda _entry: refusals.pop(0)

    assert service.post().status == 202
    assert len(service.bus.calls) == 2
    assert not service.queue.dead


@pytest.mark.attack("C7")
def test_c7_secret_store_that_is_down_is_our_fault(service):
    service.secrets.failing = TransientError("aws-InternalServiceError", "down")

    reply = service.post()

    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    assert service.nothing_happened()


def test_idempotency_store_that_is_down_is_our_fault(service):
    service.table.failing["begin"] = TransientError("aws-ProvisionedThroughputExceededException", "slow down")

    assert service.post().status == 503
    assert service.nothing_happened()


def test_published_event_is_acknowledged_although_the_idempotency_store_fails_afterwards(service):
    service.table.failing["complete"] = TransientError("aws-x", "down")

    assert service.post().status == 202


@pytest.mark.parametrize("place", ["bus", "queue", "table", "secrets"])
def test_bug_of_our_own_is_503_and_never_500(service, place):
    boom = ZeroDivisionError("the payload says: sesame")
    if place == "bus":
        service.bus.refuse = lambda _entry: 1 / 0
    if place == "queue":
        service.bus.failing, service.queue.failing = TransientError("x", "x"), boom
    if place == "table":
        service.table.failing["begin"] = boom
    if place == "secrets":
        service.secrets.failing = boom

    assert service.post().status == 503
    assert "sesame" not in service.report.text()


def test_unusable_configuration_is_503_with_a_log_line_about_the_mistake(monkeypatch):
    report = FakeReport()
    monkeypatch.setattr(webhook, "telemetry", lambda: report)
    for variable in ("CONFIGURATION_URI", "BUS_ARN"):
        monkeypatch.delenv(variable, raising=False)
    webhook.application.cache_clear()

    answer = webhook.handler(api_event(BODY.encode()), Context())

    assert answer["statusCode"] == 503
    assert "CONFIGURATION_URI is not set" in report.text()


def test_hundred_identical_requests_at_once_publish_once_and_are_all_acknowledged(service):
    headers = service.mux_headers(BODY.encode())
    event = api_event(BODY.encode(), headers=headers)
    barrier, replies = threading.Barrier(100), []

    def call(number):
        barrier.wait()
        replies.append(webhook.handler(event, Context(f"request-{number}")))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [reply["statusCode"] for reply in replies] == [202] * 100
    assert sorted(json.loads(reply["body"])["status"] for reply in replies) == ["accepted"] + ["duplicate"] * 99
    assert len(service.bus.entries) == 1


def test_retry_after_a_crash_before_publication_waits_for_the_lease_and_then_publishes(service):
    crash = SystemExit("the sandbox dies")
    service.bus.failing = crash
    with pytest.raises(SystemExit):
        service.post()
    service.bus.failing = None

    within = service.post()
    service.clock.now += 91
    after = service.post(headers=service.mux_headers(BODY.encode()))

    assert (within.status, within.headers["retry-after"]) == (503, "30")
    assert (after.status, after.json["status"]) == (202, "accepted")
    assert len(service.bus.entries) == 1


def test_event_that_its_owner_finishes_meanwhile_is_a_duplicate(service):
    service.post()
    (item,) = service.table.items.values()
    item.update(state="started", lease_expires=service.clock() + 60)
    waits = []

    def finish(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            item["state"] = "done"

    object.__setattr__(service.receiver.idempotent_publisher, "sleep", finish)

    assert service.post().json["status"] == "duplicate"
    assert len(waits) == 3


def test_too_little_time_left_is_503_and_leaves_the_event_free(service):
    event = api_event(BODY.encode(), headers=service.mux_headers(BODY.encode()))

    assert service.send(event, context=Context(milliseconds=2_000)).status == 503
    assert service.send(event).json["status"] == "accepted"


def test_lease_outlives_the_invocation(service):
    service.bus.failing = SystemExit("the sandbox dies")
    with pytest.raises(SystemExit):
        service.send(
            api_event(BODY.encode(), headers=service.mux_headers(BODY.encode())), context=Context(milliseconds=29_000)
        )

    (item,) = service.table.items.values()
    assert item["lease_expires"] > service.clock() + 29


def test_same_id_of_two_partners_is_two_events(service_of):
    service = service_of(
        partners={
            "one": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]},
            "two": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]},
        }
    )

    assert [service.post(partner=name).json["status"] for name in ("one", "two")] == ["accepted", "accepted"]
    assert [event.metadata.source for event in service.bus.events] == ["partner.one", "partner.two"]


@pytest.mark.attack("C13")
@pytest.mark.usefixtures("socket_disabled")
def test_c13_urls_in_a_body_are_passed_on_as_text_and_never_fetched(service):
    urls = {"callback": "http://169.254.169.254/latest/meta-data/", "dataref": "s3://ours/configuration/x.json"}
    body = json.dumps(json.loads(BODY) | {"data": urls})

    assert service.post(body).status == 202
    assert service.bus.events[0].data["data"] == urls
    assert service.bus.events[0].metadata.dataref is None
    assert service.bodies.kept == {}


@pytest.mark.attack("C12", "C15")
def test_c12_c15_source_and_control_attributes_are_never_the_sender_s(service):
    forged = {"source": "aws.s3", "dataref": "s3://ours/x", "redrive": {"route": "route/a", "count": 1}, "hops": 9}
    body = json.dumps(json.loads(BODY) | forged | {"metadata": forged, "ingress": "sqs", "stage": "transformed"})

    service.post(body)

    metadata = service.bus.events[0].metadata
    assert (metadata.source, metadata.ingress, metadata.stage) == ("partner.mux", "webhook", "received")
    assert (metadata.dataref, metadata.redrive, metadata.hops) == (None, None, 0)


def test_answers_are_the_partner_s_to_choose(service_of):
    answers = {"accepted": 200, "duplicate": 200, "unprocessable": 422, "unauthenticated": 403, "malformed": 422}
    service = service_of(
        partners={"mux": {"specification": {"preset": "mux", "answers": answers}, "secret_arns": ["arn:mux"]}}
    )

    assert [service.post().status, service.post().status] == [200, 200]
    assert service.post("junk").status == 422
    assert service.post(headers={}).status == 403


def test_no_response_tells_a_forger_why(service):
    answers = {
        service.post(headers=headers).text
        for headers in (
            {},
            {"mux-signature": "t=1,v1=00"},
            service.mux_headers(b"", at=0),
            service.mux_headers(b"other"),
        )
    }

    assert answers == {'{"error":"unauthenticated"}'}


def test_handshake_that_echoes_a_field_is_answered_after_verification_only(service_of):
    service = service_of(
        partners=handshake({"kind": "echo_field", "when": "body.type == 'hello'", "token": "body.challenge"})
    )
    body = '{"type": "hello", "challenge": "c0ffee"}'

    assert service.post(body, headers={"content-type": "application/json"}).status == 401
    reply = service.post(body)
    assert (reply.status, reply.text, reply.headers["content-type"]) == (200, "c0ffee", "text/plain; charset=utf-8")
    assert not service.bus.calls


def test_handshake_with_the_hmac_of_a_token_is_answered_after_verification_only(service_of):
    rule = {
        "kind": "hmac_token",
        "when": "body.event == 'endpoint.url_validation'",
        "token": "body.payload.plainToken",
        "response_field": "plainToken",
        "digest_field": "encryptedToken",
    }
    service = service_of(partners=handshake(rule))
    body = '{"event": "endpoint.url_validation", "payload": {"plainToken": "c0ffee"}}'

    assert service.post(body, headers={"content-type": "application/json"}).status == 401
    reply = service.post(body)

    digest = hmac.new(SECRET.encode(), b"c0ffee", hashlib.sha256).hexdigest()
    assert (reply.status, reply.json) == (200, {"plainToken": "c0ffee", "encryptedToken": digest})
    assert service.nothing_happened()


def test_partner_with_a_handshake_sends_events_as_before(service_of):
    service = service_of(
        partners=handshake({"kind": "echo_field", "when": "body.type == 'hello'", "token": "body.challenge"})
    )

    assert service.post().json["status"] == "accepted"
    assert service.post("junk").json["id"].startswith("request-")


def test_handshake_by_query_is_answered_on_get(service_of):
    rule = {"kind": "query_echo", "query": "challenge", "secret_query": "verify"}
    service = service_of(partners=handshake(rule))

    reply = service.post(b"", method="GET", headers={}, query=f"challenge=c0ffee&verify={SECRET}")

    assert (reply.status, reply.text) == (200, "c0ffee")
    assert service.post(b"", method="GET", headers={}, query="challenge=c0ffee&verify=x").status == 401
    assert service.post(b"", method="PUT", headers={}).headers["allow"] == "GET, POST"
    assert service.nothing_happened()


def handshake(rule):
    return {"mux": {"specification": {"preset": "mux", "handshake": rule}, "secret_arns": ["arn:mux"]}}


@pytest.mark.attack("C11")
@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, "specification: must be an object"),
        ({"specification": {"preset": "mux"}}, "secret_arns: is empty"),
        ({"specification": {"preset": "nobody"}, "secret_arns": ["a"]}, "specification.preset"),
        ({"specification": {"preset": "mux"}, "secret_arns": "a"}, "must be a list of ARNs"),
        ({"specification": {"preset": "mux"}, "secret_arns": ["a"], "enabled": "no"}, "enabled: must be true or false"),
        ({"specification": {"preset": "mux", "verification": None}, "secret_arns": ["a"]}, "webhook needs it"),
    ],
)
def test_c11_unusable_partner_is_named_and_nothing_is_accepted(service_of, entry, problem):
    with pytest.raises(ValueError, match=problem):
        service_of(partners={**PARTNERS, "broken": entry})


def test_every_unusable_partner_is_named_at_once(service_of):
    with pytest.raises(ValueError, match=r"partners\.a\..*partners\.b\."):
        service_of(partners={"a": {}, "b": {}})


@pytest.mark.attack("C9")
def test_c9_log_lines_hold_no_header_no_payload_and_no_signature(service):
    planted = {"x-evil": '\n{"level":"INFO"}\x1b[31m', "user-agent": "live-agent"}
    headers = service.mux_headers(BODY.encode())

    service.post(headers=headers | planted)
    service.post(headers=planted)
    service.post("live-junk", headers=service.mux_headers(b"live-junk") | planted)

    for secret in ("live-", "\\u001b", headers["mux-signature"], SECRET):
        assert secret not in service.report.text()


def test_a_refusal_is_counted_by_its_reason(service):
    service.post(headers={})

    assert service.report.counts[("RequestsRefused", (("reason", "signature-missing"),))] == 1


def test_hop_limit_or_other_permanent_refusal_keeps_the_event_with_its_class(service):
    service.bus.refuse = lambda _entry: PermanentDataError("aws-MalformedDetail", "the bus refused: MalformedDetail")

    assert service.post().status == 202
    assert service.queue.dead[0].failure.failure_class == "permanent-data"
