"""The checks of an endpoint by senders that the project had not seen, each by specification alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import ecdsa
import pytest

from media_events.partners.handshakes import MAX_UNSIGNED_BYTES
from media_events.partners.specification import SpecificationError, parse_specification
from tests.fakes.webhook_requests import SECRET

JSON = {"content-type": "application/json"}
HMAC = {"method": "hmac", "signature_header": "x-signature", "content": "{body}"}
TOKEN = {"method": "static_token", "signature_query": "token"}


@pytest.fixture(name="service_with")
def _service_with(service_of):
    def make(handshake, verification=HMAC, secret=SECRET, **fields):
        specification = {"id": "body.id", "type": "body.type", "verification": verification, "handshake": handshake}
        service = service_of(partners={"x": {"specification": {**specification, **fields}, "secret_arns": ["arn:x"]}})
        service.secrets.stored["arn:x"] = service.secrets.cached["arn:x"] = [secret]
        return service

    return make


def signed(body, secret=SECRET):
    return {**JSON, "x-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


# https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation
GRAPH = (
    "Validation%3a+Testing+client+application+reachability+for+subscription+"
    "Request-Id%3a+522a8e7e-096a-494c-aaf1-ac0dcfca45b7"
)


def test_microsoft_graph_s_token_with_spaces_is_echoed_to_its_post(service_with):
    service = service_with({"kind": "query_echo", "method": "POST", "query": "validationToken"}, TOKEN)

    reply = service.post(
        b"", partner="x", headers={"content-type": "text/plain"}, query=f"token={SECRET}&validationToken={GRAPH}"
    )

    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert reply.text == (
        "Validation: Testing client application reachability for subscription "
        "Request-Id: 522a8e7e-096a-494c-aaf1-ac0dcfca45b7"
    )
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert service.nothing_happened()


@pytest.mark.parametrize("token", ["%3Cscript%3E", "a%0d%0ab", "%22", "", "a" * 513])
def test_no_markup_or_line_break_is_echoed(service_with, token):
    service = service_with({"kind": "query_echo", "method": "POST", "query": "validationToken"}, TOKEN)

    assert service.post(b"", partner="x", headers=JSON, query=f"validationToken={token}").status == 401


def test_partner_that_checks_by_post_sends_events_by_post_as_before(service_with):
    service = service_with({"kind": "query_echo", "method": "POST", "query": "validationToken"}, TOKEN)

    assert service.post('{"id": "1", "type": "t"}', partner="x", headers=JSON, query=f"token={SECRET}").status == 202
    assert service.post('{"id": "2", "type": "t"}', partner="x", headers=JSON, query="token=no").status == 401
    assert len(service.bus.entries) == 1


# https://developers.asana.com/docs/establish-a-webhook
ASANA = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81"


def test_asana_s_header_is_echoed(service_with):
    service = service_with({"kind": "header_echo", "header": "X-Hook-Secret"})

    reply = service.post(b"{}", partner="x", headers={**JSON, "X-Hook-Secret": ASANA})

    assert (reply.status, reply.text, reply.headers["x-hook-secret"]) == (200, "", ASANA)
    assert service.nothing_happened()
    assert service.post(b"{}", partner="x", headers={**JSON, "X-Hook-Secret": "a b\r\nset-cookie: c"}).status == 401


# https://docs.x.com/x-api/webhooks/quickstart , "CRC check"
def test_x_s_challenge_is_signed(service_with):
    service = service_with(
        {
            "kind": "hmac_token",
            "query": "crc_token",
            "digest_field": "response_token",
            "digest_prefix": "sha256=",
            "encoding": "base64",
        }
    )

    reply = service.post(b"", partner="x", method="GET", headers={}, query="crc_token=challenge_string&nonce=abc")

    digest = hmac.digest(SECRET.encode(), b"challenge_string", "sha256")
    assert (reply.status, reply.json) == (200, {"response_token": "sha256=" + base64.b64encode(digest).decode()})
    assert service.nothing_happened()


@pytest.mark.attack("A25")
@pytest.mark.parametrize(
    "token", ['{"id":"1","type":"t"}', "123", "1e5", "true", "null", "id=1&type=t", "<a/>", "a b", ""]
)
def test_a25_nobody_gets_the_signature_of_what_could_be_a_body(service_with, token):
    service = service_with({"kind": "hmac_token", "query": "crc_token", "digest_field": "response_token"})

    reply = service.send(
        {
            "version": "2.0",
            "rawPath": "/webhooks/x",
            "pathParameters": {"partner": "x"},
            "rawQueryString": "crc_token=" + token.replace("&", "%26").replace(" ", "%20"),
            "requestContext": {"http": {"method": "GET"}},
        }
    )

    assert reply.status == 401
    assert "response_token" not in reply.text


@pytest.mark.attack("A25")
@pytest.mark.parametrize("parsing", [{"format": "form"}, {"format": "json-or-form"}, {"format": "query"}])
def test_a25_challenge_that_is_signed_is_refused_where_a_form_could_look_like_it(parsing):
    with pytest.raises(SpecificationError, match="would sign what a stranger asks for"):
        parse_specification(
            {
                "id": "body.id",
                "type": "body.type",
                "parsing": parsing,
                "handshake": {"kind": "hmac_token", "query": "crc_token", "digest_field": "response_token"},
            }
        )


# https://developer.monday.com/api-reference/reference/webhooks#url-verification
MONDAY = {"kind": "echo_field", "unsigned": True, "when": "body.challenge", "token": "body.challenge"}


def test_monday_s_unsigned_challenge_is_answered_as_json(service_with):
    service = service_with({**MONDAY, "response_field": "challenge"})

    reply = service.post(
        '{"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}', partner="x", headers=JSON
    )

    assert reply.json == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    assert service.nothing_happened()


@pytest.mark.parametrize("body", [b'{"id": "1", "type": "t"}', b"[" * 100, b"\xff", b"", b'{"challenge": "<b>"}'])
def test_other_body_needs_its_signature_beside_an_unsigned_challenge(service_with, body):
    service = service_with(MONDAY)

    assert service.post(body, partner="x", headers=JSON).status == 401
    assert service.nothing_happened()


def test_event_beside_an_unsigned_challenge_is_accepted_with_its_signature(service_with):
    service = service_with(MONDAY)
    body = b'{"id": "1", "type": "t", "padding": "' + b"x" * MAX_UNSIGNED_BYTES + b'"}'

    assert service.post(body, partner="x", headers=signed(body)).status == 202


# https://discord.com/developers/docs/events/webhook-events#acknowledging-ping-requests : type 0, 204.
# https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint : type 1, {"type": 1}.
@pytest.mark.parametrize(
    ("handshake", "ping", "status", "text"),
    [
        (
            {"when": "body.type == `0`", "status": 204},
            '{"version": 1, "application_id": "1234560123453231555", "type": 0}',
            204,
            "",
        ),
        (
            {"when": "body.type == `1`", "response": {"type": 1}},
            '{"type": 1, "id": "1", "version": 1}',
            200,
            '{"type": 1}',
        ),
    ],
)
def test_discord_s_ping_is_answered_after_verification_only(service_with, handshake, ping, status, text):
    key = ecdsa.SigningKey.generate(curve=ecdsa.Ed25519)
    verification = {
        "method": "ed25519",
        "signature_header": "x-signature-ed25519",
        "timestamp": "header:x-signature-timestamp",
        "content": "{timestamp}{body}",
        "key_format": "hex",
    }
    public = key.verifying_key.to_string().hex()
    service = service_with({"kind": "fixed", **handshake}, verification, public)
    stamp = str(int(service.clock()))
    proof = {**JSON, "x-signature-timestamp": stamp, "x-signature-ed25519": key.sign((stamp + ping).encode()).hex()}

    reply = service.post(ping, partner="x", headers=proof)

    assert (reply.status, reply.text, reply.headers["content-type"]) == (status, text, "application/json")
    assert service.post(ping, partner="x", headers={**proof, "x-signature-ed25519": "00" * 64}).status == 401
    assert service.nothing_happened()


# https://www.w3.org/TR/websub/#hub-verifies-intent ; https://developers.google.com/youtube/v3/guides/push_notifications
def test_websub_s_challenge_is_echoed_and_its_feed_is_an_event(service_with):
    topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id=CHANNEL_ID"
    service = service_with(
        {
            "kind": "query_echo",
            "query": "hub.challenge",
            "require_query": {"hub.mode": "subscribe", "hub.topic": topic},
        },
        {**HMAC, "signature_header": "x-hub-signature", "signature_format": "prefix:sha256="},
        id={"concat": ["body.feed.entry.videoId", "body.feed.entry.updated"]},
        type={"constant": "video.published"},
        time="body.feed.entry.updated",
        parsing={"format": "xml"},
    )
    query = "hub.topic=https%3A%2F%2Fwww.youtube.com%2Fxml%2Ffeeds%2Fvideos.xml%3Fchannel_id%3DCHANNEL_ID"
    feed = b"""<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
  <entry><yt:videoId>VIDEO_ID</yt:videoId><updated>2015-03-09T19:05:24.552394234+00:00</updated></entry></feed>"""
    proof = "sha256=" + hmac.new(SECRET.encode(), feed, hashlib.sha256).hexdigest()

    reply = service.post(
        b"",
        partner="x",
        method="GET",
        headers={},
        query=f"hub.mode=subscribe&{query}&hub.challenge=4128&hub.lease_seconds=432000",
    )
    assert (reply.status, reply.text) == (200, "4128")
    assert service.post(b"", partner="x", method="GET", headers={}, query=f"hub.mode=denied&{query}").status == 401
    assert service.nothing_happened()

    assert (
        service.post(
            feed, partner="x", headers={"content-type": "application/atom+xml", "x-hub-signature": proof}
        ).status
        == 202
    )
    assert json.loads(service.bus.entries[0].detail)["metadata"]["id"].startswith("VIDEO_ID:2015-03-09")


def test_head_is_answered_where_a_sender_checks_by_it(service_with):
    # https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/#creating-a-webhook
    service = service_with({"kind": "fixed", "method": "HEAD"})

    assert service.post(b"", partner="x", method="HEAD", headers={}).status == 200
    assert service.post(b"", partner="x", method="GET", headers={}).headers["allow"] == "HEAD, POST"
    assert service.nothing_happened()


@pytest.mark.parametrize(
    ("handshake", "problem"),
    [
        ({"kind": "header_echo"}, "handshake.header: is missing"),
        ({"kind": "hmac_token", "digest_field": "d"}, "handshake.token: is missing"),
        (
            {"kind": "hmac_token", "digest_field": "d", "query": "c", "when": "body.a"},
            "handshake.when: means nothing beside",
        ),
        ({"kind": "fixed"}, "handshake.when: is missing"),
        ({"kind": "fixed", "when": "body.a", "status": 201}, "handshake.status: must be 200"),
        ({"kind": "fixed", "when": "body.a", "status": 204, "response": {}}, "handshake.status: must be 200"),
        ({"kind": "fixed", "when": "body.a", "response": "x"}, "handshake.response: must be an object"),
        ({"kind": "fixed", "when": "body.a", "method": "GET"}, "handshake.method: is GET"),
        ({"kind": "query_echo", "query": "c", "method": "HEAD"}, "handshake.method: HEAD has no body"),
        ({"kind": "query_echo", "query": "c", "unsigned": True}, "handshake.unsigned: means nothing"),
    ],
)
def test_handshake_that_could_not_work_is_refused(handshake, problem):
    with pytest.raises(SpecificationError) as caught:
        parse_specification({"id": "body.id", "type": "body.type", "handshake": handshake})

    assert problem in "\n".join(caught.value.problems)


# Events in other formats, from the request to the bus.


def test_get_with_the_event_in_the_query_is_accepted_and_repeated(service_with):
    service = service_with(None, TOKEN, parsing={"format": "query"})

    first = service.post(b"", partner="x", method="GET", headers={}, query=f"id=1&type=t&token={SECRET}")
    again = service.post(b"", partner="x", method="GET", headers={}, query=f"id=1&type=t&token={SECRET}")

    assert (first.json["status"], again.json["status"]) == ("accepted", "duplicate")
    assert SECRET not in service.bus.entries[0].detail
    assert service.post(b"", partner="x", method="GET", headers={}, query="id=1&type=t&token=no").status == 401
    assert service.post(b"", partner="x", method="POST", headers=JSON, query=f"id=1&token={SECRET}").status == 405


def test_query_that_can_t_be_an_event_is_quarantined_without_its_secret(service_with):
    service = service_with(None, TOKEN, parsing={"format": "query"}, redact=["body.pin"])

    reply = service.post(b"", partner="x", method="GET", headers={}, query=f"type=t&pin=1234&token={SECRET}")

    assert reply.status == 202
    assert json.loads(reply.text)["id"].startswith("request-")
    stored = json.dumps([message.body for message in service.queue.dead])
    assert SECRET not in stored
    assert "1234" not in stored


def test_empty_body_is_accepted_where_it_is_expected_and_needs_no_content_type(service_with):
    service = service_with(
        None,
        {"method": "static_token", "signature_header": "x-goog-channel-token"},
        id={"header": "x-goog-message-number"},
        type={"constant": "t"},
        parsing={"empty_body": True},
    )

    reply = service.post(b"", partner="x", headers={"x-goog-channel-token": SECRET, "x-goog-message-number": "10"})

    assert reply.json == {"id": "10", "status": "accepted"}


@pytest.mark.parametrize(("compression", "status"), [("gzip", 202), ("none", 415)])
def test_gzip_is_accepted_by_declaration_only(service_with, compression, status):
    import gzip  # noqa: PLC0415

    service = service_with(None, parsing={"compression": compression})
    body = gzip.compress(b'{"id": "1", "type": "t"}')

    reply = service.post(body, partner="x", headers={**signed(body), "content-encoding": "gzip"})

    assert reply.status == status
    assert bool(service.bus.entries) == (status == 202)


def test_ignored_request_is_accepted_and_counted(service_with):
    service = service_with(None, ignore="body.type == 'ping'")
    body = b'{"id": "1", "type": "ping"}'

    reply = service.post(body, partner="x", headers=signed(body))

    assert (reply.status, reply.json) == (202, {"id": "", "status": "accepted"})
    assert service.report.counts[("MessagesIgnored", (("partner", "x"),))] == 1
    assert service.nothing_happened()


def test_quarantined_message_in_another_format_is_replayed_without_its_credentials(service_with):
    service = service_with(
        None,
        parsing={"format": "xml"},
        type={"path": "body.r.type", "allowed": ["u"]},
        id="body.r.id",
        redact=["body.**.token"],
    )
    body = b"<r><id>1</id><type>t</type><token>T0KEN</token></r>"
    service.post(body, partner="x", headers={**signed(body), "content-type": "text/xml"})
    stored = json.loads(service.queue.dead[0].body)
    assert "T0KEN" not in json.dumps(stored)

    later = service_with(None, parsing={"format": "xml"}, type="body.r.type", id="body.r.id", redact=["body.**.token"])
    done = later.receiver.replay(stored["request"], later.table.owned_by("r"), remaining=lambda: 25.0)

    assert done["status"] == "accepted"
    assert json.loads(later.bus.entries[0].detail)["data"] == {"r": {"id": "1", "type": "t", "token": "[redacted]"}}


def test_get_that_is_no_handshake_is_no_event_either_though_it_has_the_token(service_with):
    service = service_with({"kind": "query_echo", "query": "challenge"}, TOKEN)

    assert service.post(b"", partner="x", method="GET", headers={}, query=f"token={SECRET}").status == 401
    assert service.nothing_happened()
