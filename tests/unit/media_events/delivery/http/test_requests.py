"""From an event to a request, and from an answer to a verdict."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime

import pytest
from standardwebhooks import Webhook

from media_events.core.envelope import Redrive
from media_events.core.failures import Failure, PermanentConfigError, PermanentDataError, TransientError
from media_events.delivery.config import HttpDestination
from media_events.delivery.http.delivery import HttpDelivery, build_request
from media_events.outbound_http.address_guard import parse_target
from media_events.outbound_http.authentication import ApiKey, Basic, ClientCredentials, StandardWebhooks, signed_headers
from media_events.outbound_http.client import Response
from media_events.outbound_http.endpoint import HttpEndpoint
from media_events.outbound_http.response_failure import response_failure
from media_events.outbound_http.tls import TlsSecrets
from tests.fakes.events import make_event

NOW = 1_790_000_000.0
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def destination(**changes):
    mode = {"mode": changes.pop("mode")} if "mode" in changes else {}
    target = parse_target("https://cms.example.com/events?a=b")
    return HttpDestination(name="cms", endpoint=HttpEndpoint(**{"target": target, **changes}), **mode)


def request(event=None, secrets=(), **changes):
    return build_request(
        event or make_event(),
        destination(**changes),
        now=NOW,
        read_secrets=lambda _arn: list(secrets),
        timeout_seconds=5.0,
    )


def lowered(built):
    return {name.lower(): value for name, value in built.headers.items()}


# --- modes -------------------------------------------------------------------------------------------------------


def test_structured_mode_puts_attributes_and_data_into_the_body():
    built = request()
    document = json.loads(built.body)
    assert document["id"] == "evt-1"
    assert document["data"] == {"asset": {"id": "asset-1"}}
    assert lowered(built)["content-type"].startswith("application/cloudevents+json")


def test_binary_mode_puts_attributes_into_headers():
    built = request(mode="binary")
    assert json.loads(built.body) == {"asset": {"id": "asset-1"}}
    assert lowered(built)["ce-type"] == "asset.ready"


def test_data_mode_sends_the_data_alone():
    built = request(mode="data")
    assert json.loads(built.body) == {"asset": {"id": "asset-1"}}
    assert not any(name.startswith("ce-") for name in lowered(built))


@pytest.mark.parametrize("mode", ["structured", "binary", "data"])
def test_the_idempotency_key_is_the_events_source_and_id_in_every_mode(mode):
    assert request(mode=mode).headers["Idempotency-Key"] == "partner.mux/evt-1"


def test_no_receiver_takes_one_partners_event_for_anothers_with_the_same_id():
    signed = StandardWebhooks("arn")
    events = [make_event(id="job-17", source=f"partner.{name}") for name in ("mux", "bitmovin")]
    headers = [request(event, authentication=signed, secrets=[WHSEC]).headers for event in events]
    for name in ("Idempotency-Key", "webhook-id"):
        assert len({each[name] for each in headers}) == 2


def test_an_id_that_would_break_a_header_is_encoded():
    key = request(make_event(id="a\r\nX-Evil: é")).headers["Idempotency-Key"]
    assert key == "partner.mux/a%0D%0AX-Evil:%20%C3%A9"


@pytest.mark.parametrize("long", ["x" * 243, "x" * 244, "é" * 250, "x" * 1000])
def test_an_idempotency_key_is_never_longer_than_a_receiver_keeps_and_tells_long_ids_apart(long):
    first, second = (request(make_event(id=long + end)).headers["Idempotency-Key"] for end in ("", "!"))
    assert first != second
    assert all(len(key) <= 255 and key.isascii() and key.isprintable() for key in (first, second))
    assert first.startswith("partner.mux/" + ("x" if long[0] == "x" else "%C3%A9"))


def test_a_redriven_event_looks_to_the_receiver_as_it_did_the_first_time():
    marked = make_event(redrive=Redrive("route/cms", 2))
    assert request(marked).body == request().body


def test_configured_headers_never_replace_our_own():
    built = request(headers={"X-Tenant": "a"})
    assert built.headers["X-Tenant"] == "a"
    assert built.headers["User-Agent"].startswith("media-events/")


def test_the_trace_travels_on():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert request(make_event(traceparent=parent)).headers["traceparent"] == parent


def test_a_number_that_json_can_not_say_is_the_events_fault():
    with pytest.raises(PermanentDataError):
        request(make_event(data={"x": float("nan")}))


# --- authentication ----------------------------------------------------------------------------------------------


def test_an_api_key_goes_into_its_header():
    assert request(authentication=ApiKey("X-Key", "arn"), secrets=["s3cret\n"]).headers["X-Key"] == "s3cret"


@pytest.mark.parametrize("secret", ["user:pa:ss", '{"username": "user", "password": "pa:ss"}'])
def test_basic_credentials_come_as_a_pair_or_as_json(secret):
    value = request(authentication=Basic("arn"), secrets=[secret]).headers["Authorization"]
    assert base64.b64decode(value.removeprefix("Basic ")) == b"user:pa:ss"


def test_a_signed_request_verifies_with_an_independent_library(monkeypatch):
    built = request(authentication=StandardWebhooks("arn"), secrets=[WHSEC])
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", _clock_at(NOW))
    assert Webhook(WHSEC).verify(built.body, lowered(built))["id"] == "evt-1"


def test_one_changed_byte_breaks_the_signature(monkeypatch):
    built = request(authentication=StandardWebhooks("arn"), secrets=[WHSEC])
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", _clock_at(NOW))
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(WHSEC).verify(built.body.replace(b"evt-1", b"evt-2"), lowered(built))


def test_the_previous_secret_signs_as_well(monkeypatch):
    older = "whsec_" + base64.b64encode(b"o" * 32).decode()
    built = request(authentication=StandardWebhooks("arn"), secrets=[WHSEC, older])
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", _clock_at(NOW))
    for secret in (WHSEC, older):
        Webhook(secret).verify(built.body, lowered(built))


def test_the_published_vector_is_reproduced():
    headers = signed_headers(
        [WHSEC], "arn", webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek", body=b'{"test": 2432232314}', now=1614265330
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("event_id", ["a.b", "é", "x" * 300, "a b"])
def test_an_id_that_the_scheme_can_not_carry_is_derived_and_stays_the_same(event_id):
    built = request(make_event(id=event_id), authentication=StandardWebhooks("arn"), secrets=[WHSEC])
    again = request(make_event(id=event_id), authentication=StandardWebhooks("arn"), secrets=[WHSEC])
    assert built.headers["webhook-id"] == again.headers["webhook-id"]
    assert "." not in built.headers["webhook-id"]


@pytest.mark.parametrize(
    ("authentication", "secret"),
    [
        (ApiKey("X-Key", "arn"), ""),
        (ApiKey("X-Key", "arn"), "a\r\nb"),
        (ApiKey("X-Key", "arn"), "é"),
        (Basic("arn"), "no-colon"),
        (Basic("arn"), '{"username": "a:b", "password": "c"}'),
        (Basic("arn"), "{broken"),
        (StandardWebhooks("arn"), "whsec_"),
        (StandardWebhooks("arn"), "whsec_###"),
        (StandardWebhooks("arn"), "whsec_dG9vc2hvcnQ="),
    ],
)
def test_an_unusable_secret_is_named_and_not_shown(authentication, secret):
    with pytest.raises(PermanentConfigError) as refused:
        request(authentication=authentication, secrets=[secret])
    assert refused.value.code == "secret-unusable"
    assert not secret or secret not in refused.value.message


def _clock_at(epoch):
    class Frozen(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(epoch, tz)

    return Frozen


def test_a_destination_s_private_authority_and_client_certificate_go_with_its_requests():
    arns = [f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf" for name in ("ca", "client")]
    values = {arns[0]: ["the authority"], arns[1]: ["certificate and key"]}
    secrets = TlsSecrets(ca_secret_arn=arns[0], client_certificate_secret_arn=arns[1])

    built = build_request(
        make_event(), destination(tls=secrets), now=NOW, read_secrets=lambda arn: values[arn], timeout_seconds=5.0
    )

    assert built.tls is not None
    assert (built.tls.authorities, built.tls.certificate) == ("the authority", "certificate and key")
    assert request().tls is None


# --- verdicts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status):
    assert response_failure(Response(status), now=NOW) is None


@pytest.mark.parametrize("status", [408, 421, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_transient(status):
    assert isinstance(response_failure(Response(status), now=NOW), TransientError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_of_the_configuration(status):
    assert isinstance(response_failure(Response(status), now=NOW), PermanentConfigError)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 410])
def test_a_refusal_of_us_is_a_failure_of_the_configuration(status):
    assert isinstance(response_failure(Response(status), now=NOW), PermanentConfigError)


@pytest.mark.parametrize("status", [400, 409, 413, 415, 418, 422])
def test_a_refusal_of_the_event_is_the_events_fault(status):
    assert isinstance(response_failure(Response(status), now=NOW), PermanentDataError)


def test_a_receiver_that_still_works_on_our_earlier_request_is_asked_again():
    error = response_failure(Response(409, {"retry-after": "30"}), now=NOW)
    assert isinstance(error, TransientError)
    assert error.retry_after == 30


def test_retry_after_reaches_the_consumer():
    error = response_failure(Response(503, {"retry-after": "30"}), now=NOW)
    assert error.retry_after == 30


def test_the_answer_is_kept_scrubbed_and_bounded():
    body = b'{"error": "bad", "access_token": "abcdef0123456789"}' + b"\x1b[31m" + b"x" * 8000
    error = response_failure(Response(500, body=body), now=NOW)
    failure = Failure.of(error, hop="route/cms", receivecount=1, firsttime="t", lasttime="t")
    assert "abcdef0123456789" not in failure.response
    assert "\x1b" not in failure.response
    assert len(failure.response) <= 2048


def test_an_answer_that_is_no_text_is_kept_as_far_as_it_goes():
    assert response_failure(Response(500, body=b"\xff\xfe"), now=NOW).response == "\ufffd\ufffd"


# --- time --------------------------------------------------------------------------------------------------------


class Client:
    def __init__(self):
        self.requests = []

    def post(self, sent):
        self.requests.append(sent)
        return Response(204)


def delivery(client, **changes):
    return HttpDelivery(
        destination=destination(**changes), client=client, read_secrets=lambda _arn: [], clock=lambda: NOW
    )


def test_a_request_never_outlives_the_function():
    client = Client()
    assert delivery(client).deliver(make_event(), seconds_left=4.0) == {"status": 204}
    assert client.requests[0].timeout_seconds == 4.0


def test_a_request_that_would_outlive_the_function_is_not_begun():
    client = Client()
    with pytest.raises(TransientError) as refused:
        delivery(client).deliver(make_event(), seconds_left=0.5)
    assert refused.value.code == "no-time-left"
    assert client.requests == []


# --- a receiver that says what it was sent ----------------------------------------------------------------------


class Echo:
    """Refuses, and repeats the request's headers."""

    def post(self, sent):
        if sent.target.path.startswith("/token"):
            answer = {"access_token": "PLANTED-token", "token_type": "Bearer", "expires_in": 60}
            return Response(200, body=json.dumps(answer).encode())
        words = " ".join(value for header in sent.headers.values() for value in header.split())
        return Response(403, body=f"no: {words} {_decoded(words)}".encode())


def _decoded(words):
    found = re.search(r"Basic (\S+)", words)
    return "" if found is None else base64.b64decode(found[1]).decode()


@pytest.mark.parametrize(
    ("authentication", "secret"),
    [
        (ApiKey("X-Api-Key", "arn:a"), "PLANTED key of several words"),
        (Basic("arn:a"), "kit:PLANTED"),
        (Basic("arn:a"), '{"username": "kit", "password": "PLANTED"}'),
        (
            ClientCredentials(secret_arn="arn:a", token_target=parse_target("https://cms.example.com/token")),
            '{"client_id": "kit", "client_secret": "PLANTED"}',
        ),
        (StandardWebhooks("arn:a"), WHSEC),
    ],
)
def test_what_we_proved_ourselves_with_is_not_kept_of_an_answer_that_repeats_it(authentication, secret):
    hop = HttpDelivery(
        destination=destination(authentication=authentication),
        client=Echo(),
        read_secrets=lambda _arn: [secret],
        clock=lambda: NOW,
    )
    with pytest.raises(PermanentConfigError) as refused:
        hop.deliver(make_event(), seconds_left=20)
    response = refused.value.response
    assert response.startswith("no: ")
    assert "***" in response
    assert "PLANTED" not in response
    assert not re.search(r"v1,\S+", response)


def test_an_answer_is_kept_as_it_is_where_there_is_nothing_to_hide():
    answer = response_failure(Response(403, body=b"asset a-1 is locked"), now=NOW)
    assert answer.response == "asset a-1 is locked"
