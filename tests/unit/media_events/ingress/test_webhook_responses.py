"""Rows C of the attack catalogue, and the promise behind a 202: it is on the bus, or kept, before it is said."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading

import pytest

from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.handlers import webhook
from media_events.messaging.idempotency import ledger_key
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
def test_c1_every_method_but_post_is_refused_with_405(desk, method, version):
    reply = desk.post(method=method, version=version)

    if method == "post":
        assert reply.status == 202
        return
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert desk.nothing_happened()


@pytest.mark.attack("C2")
@pytest.mark.parametrize(
    "partner",
    ["nobody", "../mux", "mux/../mux", "MUX", "", "x" * 10_240, "%2e%2e", "mux\x00", "__proto__", "é\n\x1b[31m"],
)
def test_c2_unknown_partner_is_refused_with_404_and_not_echoed(desk, partner):
    reply = desk.post(partner=partner)

    assert (reply.status, reply.json) == (404, {"error": "not found"})
    assert desk.nothing_happened()
    assert not partner or partner == "MUX" or partner not in desk.report.text()


@pytest.mark.attack("C2")
def test_c2_partner_is_read_from_the_path_where_there_is_no_parameter(desk):
    event = api_event(BODY.encode(), headers=desk.mux_headers(BODY.encode()))
    event["pathParameters"] = None

    assert desk.send(event).status == 202


@pytest.mark.attack("C3")
def test_c3_disabled_partner_is_answered_410(desk):
    assert desk.post(partner="closed").status == 410
    assert desk.nothing_happened()


@pytest.mark.attack("C6")
def test_c6_event_that_the_bus_refuses_is_kept_and_acknowledged(desk):
    desk.bus.failing = TransientError("aws-ThrottlingException", "slow down")

    reply = desk.post()

    assert (reply.status, reply.json["status"]) == (202, "accepted")
    (dead,) = desk.queue.dead
    assert json.loads(dead.body)["metadata"]["id"] == "evt-1"
    assert (dead.failure.failure_class, dead.failure.hop) == ("transient", "ingress/webhook")
    assert desk.post().json["status"] == "duplicate"


@pytest.mark.attack("C6")
def test_c6_single_entry_that_the_bus_refuses_is_kept_and_the_others_are_published(desk_of):
    desk = desk_of(partners=BATCH)
    desk.bus.refuse = lambda entry: PermanentConfigError("aws-Denied", "no") if '"id":"b"' in entry.detail else None

    assert desk.post(bodies("a", "b", "c"), partner="batch").status == 200
    assert [event.metadata.id for event in desk.bus.events] == ["a", "c"]
    assert [json.loads(dead.body)["metadata"]["id"] for dead in desk.queue.dead] == ["b"]


@pytest.mark.attack("C6")
def test_c6_nothing_is_acknowledged_when_bus_and_queue_both_refuse_and_nothing_is_lost_on_retry(desk):
    desk.bus.failing = desk.queue.failing = TransientError("aws-unavailable", "down")

    reply = desk.post()

    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    desk.bus.failing = desk.queue.failing = None
    assert desk.post().json["status"] == "accepted"
    assert len(desk.bus.entries) == 1


@pytest.mark.attack("C6")
def test_c6_oversize_event_is_kept_by_pointer_when_the_bus_refuses_it(desk):
    desk.bus.failing = TransientError("aws-ThrottlingException", "slow down")

    desk.post(json.dumps(json.loads(BODY) | {"note": "n" * 150_000}))

    (dead,) = desk.queue.dead
    assert json.loads(dead.body)["metadata"]["dataref"] in desk.bodies.kept
    assert len(dead.body) < 5_000


@pytest.mark.attack("C6")
def test_c6_failed_part_of_a_batch_is_free_for_the_retry_and_the_rest_is_not_repeated(desk_of):
    desk = desk_of(partners=BATCH)
    desk.bus.refuse = lambda entry: TransientError("aws-x", "no") if '"id":"b"' in entry.detail else None
    desk.queue.failing = TransientError("aws-unavailable", "down")

    first = desk.post(bodies("a", "b", "c"), partner="batch")
    desk.bus.refuse = lambda _entry: None
    second = desk.post(bodies("a", "b", "c"), partner="batch")

    assert (first.status, first.headers["retry-after"]) == (500, "7")
    assert second.status == 200
    assert sorted(event.metadata.id for event in desk.bus.events) == ["a", "b", "c"]


def test_twin_at_work_on_one_event_of_a_batch_leaves_the_others_free(desk_of):
    desk = desk_of(partners=BATCH)
    body = bodies("a", "b")
    desk.table.owned_by("twin").begin(ledger_key("partner.batch", "b", "ingress"), lease_seconds=60)

    assert desk.post(body, partner="batch").status == 500

    assert len(desk.table.items) == 1
    assert not desk.bus.calls


@pytest.mark.attack("C6")
def test_c6_throttled_entries_are_put_again_before_anything_else(desk):
    refusals = [TransientError("aws-ThrottlingException", "slow down"), None]
    desk.bus.refuse = lambda _entry: refusals.pop(0)

    assert desk.post().status == 202
    assert len(desk.bus.calls) == 2
    assert not desk.queue.dead


@pytest.mark.attack("C7")
def test_c7_secret_store_that_is_down_is_our_fault(desk):
    desk.secrets.failing = TransientError("aws-InternalServiceError", "down")

    reply = desk.post()

    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    assert desk.nothing_happened()


def test_ledger_that_is_down_is_our_fault(desk):
    desk.table.failing["begin"] = TransientError("aws-ProvisionedThroughputExceededException", "slow down")

    assert desk.post().status == 503
    assert desk.nothing_happened()


def test_published_event_is_acknowledged_though_the_ledger_fails_afterwards(desk):
    desk.table.failing["complete"] = TransientError("aws-x", "down")

    assert desk.post().status == 202


@pytest.mark.parametrize("place", ["bus", "queue", "table", "secrets"])
def test_bug_of_our_own_is_503_and_never_500(desk, place):
    boom = ZeroDivisionError("the payload says: sesame")
    if place == "bus":
        desk.bus.refuse = lambda _entry: 1 / 0
    if place == "queue":
        desk.bus.failing, desk.queue.failing = TransientError("x", "x"), boom
    if place == "table":
        desk.table.failing["begin"] = boom
    if place == "secrets":
        desk.secrets.failing = boom

    assert desk.post().status == 503
    assert "sesame" not in desk.report.text()


def test_unusable_configuration_is_503_with_a_log_line_that_says_what_to_mend(monkeypatch):
    report = FakeReport()
    monkeypatch.setattr(webhook, "reporter", lambda: report)
    for variable in ("CONFIGURATION_URI", "BUS_ARN"):
        monkeypatch.delenv(variable, raising=False)
    webhook.application.cache_clear()

    answer = webhook.handler(api_event(BODY.encode()), Context())

    assert answer["statusCode"] == 503
    assert "CONFIGURATION_URI is not set" in report.text()


def test_hundred_identical_requests_at_once_publish_once_and_are_all_acknowledged(desk):
    headers = desk.mux_headers(BODY.encode())
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
    assert len(desk.bus.entries) == 1


def test_retry_after_a_crash_before_publication_waits_for_the_lease_and_then_publishes(desk):
    crash = SystemExit("the sandbox dies")
    desk.bus.failing = crash
    with pytest.raises(SystemExit):
        desk.post()
    desk.bus.failing = None

    within = desk.post()
    desk.clock.now += 31
    after = desk.post(headers=desk.mux_headers(BODY.encode()))

    assert (within.status, within.headers["retry-after"]) == (503, "30")
    assert (after.status, after.json["status"]) == (202, "accepted")
    assert len(desk.bus.entries) == 1


def test_event_that_its_owner_finishes_meanwhile_is_a_duplicate(desk):
    desk.post()
    (item,) = desk.table.items.values()
    item.update(state="started", lease_expires=desk.clock() + 60)
    waits = []

    def finish(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            item["state"] = "done"

    object.__setattr__(desk.receiver.acceptor, "sleep", finish)

    assert desk.post().json["status"] == "duplicate"
    assert len(waits) == 3


def test_too_little_time_left_is_503_and_leaves_the_event_free(desk):
    event = api_event(BODY.encode(), headers=desk.mux_headers(BODY.encode()))

    assert desk.send(event, context=Context(milliseconds=2_000)).status == 503
    assert desk.send(event).json["status"] == "accepted"


def test_lease_outlives_the_invocation(desk):
    desk.bus.failing = SystemExit("the sandbox dies")
    with pytest.raises(SystemExit):
        desk.send(
            api_event(BODY.encode(), headers=desk.mux_headers(BODY.encode())), context=Context(milliseconds=29_000)
        )

    (item,) = desk.table.items.values()
    assert item["lease_expires"] > desk.clock() + 29


def test_same_id_of_two_partners_is_two_events(desk_of):
    desk = desk_of(
        partners={
            "one": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]},
            "two": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]},
        }
    )

    assert [desk.post(partner=name).json["status"] for name in ("one", "two")] == ["accepted", "accepted"]
    assert [event.metadata.source for event in desk.bus.events] == ["partner.one", "partner.two"]


@pytest.mark.attack("C13")
@pytest.mark.usefixtures("socket_disabled")
def test_c13_urls_in_a_body_are_passed_on_as_text_and_never_fetched(desk):
    urls = {"callback": "http://169.254.169.254/latest/meta-data/", "dataref": "s3://ours/configuration/x.json"}
    body = json.dumps(json.loads(BODY) | {"data": urls})

    assert desk.post(body).status == 202
    assert desk.bus.events[0].data["data"] == urls
    assert desk.bus.events[0].metadata.dataref is None
    assert desk.bodies.kept == {}


@pytest.mark.attack("C12", "C15")
def test_c12_c15_source_and_control_attributes_are_never_the_sender_s(desk):
    forged = {"source": "aws.s3", "dataref": "s3://ours/x", "redrive": {"route": "route/a", "count": 1}, "hops": 9}
    body = json.dumps(json.loads(BODY) | forged | {"metadata": forged, "entry": "sqs", "stage": "transformed"})

    desk.post(body)

    metadata = desk.bus.events[0].metadata
    assert (metadata.source, metadata.entry, metadata.stage) == ("partner.mux", "webhook", "received")
    assert (metadata.dataref, metadata.redrive, metadata.hops) == (None, None, 0)


def test_answers_are_the_partner_s_to_choose(desk_of):
    answers = {"accepted": 200, "duplicate": 200, "unprocessable": 422, "unauthenticated": 403, "malformed": 422}
    desk = desk_of(
        partners={"mux": {"specification": {"preset": "mux", "answers": answers}, "secret_arns": ["arn:mux"]}}
    )

    assert [desk.post().status, desk.post().status] == [200, 200]
    assert desk.post("junk").status == 422
    assert desk.post(headers={}).status == 403


def test_no_answer_tells_a_forger_why(desk):
    answers = {
        desk.post(headers=headers).text
        for headers in ({}, {"mux-signature": "t=1,v1=00"}, desk.mux_headers(b"", at=0), desk.mux_headers(b"other"))
    }

    assert answers == {'{"error":"unauthenticated"}'}


def test_handshake_that_echoes_a_field_is_answered_after_verification_only(desk_of):
    desk = desk_of(
        partners=handshake({"kind": "echo_field", "when": "body.type == 'hello'", "token": "body.challenge"})
    )
    body = '{"type": "hello", "challenge": "c0ffee"}'

    assert desk.post(body, headers={"content-type": "application/json"}).status == 401
    reply = desk.post(body)
    assert (reply.status, reply.text, reply.headers["content-type"]) == (200, "c0ffee", "text/plain; charset=utf-8")
    assert not desk.bus.calls


def test_handshake_with_the_hmac_of_a_token_is_answered_after_verification_only(desk_of):
    rule = {
        "kind": "hmac_token",
        "when": "body.event == 'endpoint.url_validation'",
        "token": "body.payload.plainToken",
        "response_field": "plainToken",
        "digest_field": "encryptedToken",
    }
    desk = desk_of(partners=handshake(rule))
    body = '{"event": "endpoint.url_validation", "payload": {"plainToken": "c0ffee"}}'

    assert desk.post(body, headers={"content-type": "application/json"}).status == 401
    reply = desk.post(body)

    digest = hmac.new(SECRET.encode(), b"c0ffee", hashlib.sha256).hexdigest()
    assert (reply.status, reply.json) == (200, {"plainToken": "c0ffee", "encryptedToken": digest})
    assert desk.nothing_happened()


def test_partner_with_a_handshake_sends_events_as_before(desk_of):
    desk = desk_of(
        partners=handshake({"kind": "echo_field", "when": "body.type == 'hello'", "token": "body.challenge"})
    )

    assert desk.post().json["status"] == "accepted"
    assert desk.post("junk").json["id"].startswith("request-")


def test_handshake_by_query_is_answered_on_get(desk_of):
    rule = {"kind": "query_echo", "query": "challenge", "secret_query": "verify"}
    desk = desk_of(partners=handshake(rule))

    reply = desk.post(b"", method="GET", headers={}, query=f"challenge=c0ffee&verify={SECRET}")

    assert (reply.status, reply.text) == (200, "c0ffee")
    assert desk.post(b"", method="GET", headers={}, query="challenge=c0ffee&verify=x").status == 401
    assert desk.post(b"", method="PUT", headers={}).headers["allow"] == "GET, POST"
    assert desk.nothing_happened()


def handshake(rule):
    return {"mux": {"specification": {"preset": "mux", "handshake": rule}, "secret_arns": ["arn:mux"]}}


@pytest.mark.attack("C11")
@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({}, "must be an object with a specification"),
        ({"specification": {"preset": "mux"}}, "secret_arns is empty"),
        ({"specification": {"preset": "nobody"}, "secret_arns": ["a"]}, "specification.preset"),
        ({"specification": {"preset": "mux"}, "secret_arns": "a"}, "must be a list of ARNs"),
        ({"specification": {"preset": "mux"}, "secret_arns": ["a"], "enabled": "no"}, "enabled must be true or false"),
        ({"specification": {"preset": "mux", "verification": None}, "secret_arns": ["a"]}, "webhook needs it"),
    ],
)
def test_c11_unusable_partner_is_named_and_nothing_is_accepted(desk_of, entry, problem):
    with pytest.raises(ValueError, match=problem):
        desk_of(partners={**PARTNERS, "broken": entry})


def test_every_unusable_partner_is_named_at_once(desk_of):
    with pytest.raises(ValueError, match=r"partners\.a .*partners\.b "):
        desk_of(partners={"a": {}, "b": {}})


@pytest.mark.attack("C9")
def test_c9_log_lines_hold_no_header_no_payload_and_no_signature(desk):
    planted = {"x-evil": '\n{"level":"INFO"}\x1b[31m', "user-agent": "live-agent"}
    headers = desk.mux_headers(BODY.encode())

    desk.post(headers=headers | planted)
    desk.post(headers=planted)
    desk.post("live-junk", headers=desk.mux_headers(b"live-junk") | planted)

    for secret in ("live-", "\\u001b", headers["mux-signature"], SECRET):
        assert secret not in desk.report.text()


def test_a_refusal_is_counted_by_its_reason(desk):
    desk.post(headers={})

    assert desk.report.counts[("RequestsRefused", (("reason", "signature-missing"),))] == 1


def test_hop_limit_or_other_permanent_refusal_keeps_the_event_with_its_class(desk):
    desk.bus.refuse = lambda _entry: PermanentDataError("aws-MalformedDetail", "the bus refused: MalformedDetail")

    assert desk.post().status == 202
    assert desk.queue.dead[0].failure.failure_class == "permanent-data"
