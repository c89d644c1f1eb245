"""Partners whose keys are at a URL, SNS topics, and callers' addresses, from the request to the response."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from media_events.core.failures import TransientError
from tests.fakes.webhook_requests import api_event
from tests.unit.media_events.partners.test_json_web_tokens import by_key, claims
from tests.unit.media_events.partners.test_public_keys import EC, RSA, certificate, pem, rsa_jwk

JSON = {"content-type": "application/json"}
JWKS_URL = "https://keys.example.com/jwks.json"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:assets"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
SENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def partner(verification: dict[str, Any], **more: Any) -> dict[str, Any]:
    specification = {"id": "body.id", "type": {"constant": "asset.ready"}, "verification": verification, **more}
    return {"other": {"specification": specification}}


TOKENS = partner({
    "method": "jwt", "token_algorithms": ["RS256"], "jwks_url": JWKS_URL,
    "body_claim": {"name": "sha256", "encoding": "base64"},
})  # fmt: skip


def test_a_token_is_proved_by_the_key_that_it_names(service_of):
    service = service_of(partners=TOKENS)
    service.public_keys.documents[JWKS_URL] = json.dumps({"keys": [rsa_jwk(kid="a")]})
    body, now = b'{"id":"evt-1"}', int(service.clock())

    def post(kid: str) -> int:
        token = by_key(claims(body, nbf=now, exp=now + 300), "RS256", RSA, kid=kid)
        return service.post(body, partner="other", headers=JSON | {"authorization": token}).status

    assert (post("a"), post("b")) == (202, 401)
    assert [request.key_id for request in service.public_keys.asked] == ["a", "b"]


@pytest.mark.attack("A27")
def test_a27_a_request_with_a_wrong_form_asks_for_no_key(service_of):
    service = service_of(partners=TOKENS)

    for token in ("", "junk", "a.b.c", by_key(claims(), "PS256", RSA, kid="a")):
        assert service.post(b"{}", partner="other", headers=JSON | {"authorization": token}).status == 401
    assert service.public_keys.asked == []


def test_keys_that_cannot_be_read_are_our_fault(service_of, monkeypatch):
    service = service_of(partners=TOKENS)

    def fail(_: object) -> None:
        raise TransientError("timeout", "no answer")

    monkeypatch.setattr(service.public_keys, "find", fail)
    token = by_key(claims(), "RS256", RSA)
    assert service.post(b"{}", partner="other", headers=JSON | {"authorization": token}).status == 503


SET = partner(
    {
        "method": "jwt",
        "signature_field": "body",
        "token_algorithms": ["RS256"],
        "jwks_url": JWKS_URL,
        "claims": {"iss": "https://idp.example.com/", "aud": "us"},
    },
    id="body.jti",
    parsing={"format": "jwt"},
)
SET_TYPE = {"content-type": "application/secevent+jwt"}


def test_a_security_event_token_is_the_event(service_of):
    # RFC 8935, section 2: the body of the request is the token.
    service = service_of(partners=SET)
    service.public_keys.documents[JWKS_URL] = json.dumps({"keys": [rsa_jwk(kid="a")]})
    document = {"iss": "https://idp.example.com/", "aud": ["us", "them"], "jti": "evt-1", "events": {"urn:x": {}}}
    token = by_key(document, "RS256", RSA, kid="a", typ="secevent+jwt").encode()

    assert service.post(token, partner="other", headers=SET_TYPE).status == 202
    assert service.bus.events[0].data == document
    assert service.bus.events[0].metadata.id == "evt-1"


@pytest.mark.attack("A36")
@pytest.mark.parametrize("changed", [{"iss": "https://evil.example.com/"}, {"aud": "them"}, {"exp": 1}])
def test_a36_a_security_event_token_for_another_receiver_is_refused(service_of, changed):
    service = service_of(partners=SET)
    service.public_keys.documents[JWKS_URL] = json.dumps({"keys": [rsa_jwk(kid="a")]})
    document = {"iss": "https://idp.example.com/", "aud": "us", "jti": "evt-1", **changed}

    assert (
        service.post(by_key(document, "RS256", RSA, kid="a").encode(), partner="other", headers=SET_TYPE).status == 401
    )
    assert service.nothing_happened()


SNS = partner({"method": "sns", "topics": [TOPIC]}, id="attributes.MessageId", subject="body.asset")


def signed(kind: str = "Notification", *, version: str = "1", key: Any = RSA, **changes: Any) -> bytes:
    """A message signed as SNS's page says."""
    document: dict[str, Any] = {
        "Type": kind,
        "MessageId": "11111111-2222-4333-8444-555555555555",
        "TopicArn": TOPIC,
        "Message": '{"id":"evt-1","asset":"a-1"}',
        "Timestamp": "2026-11-23T12:00:00.000Z",
    }
    if kind != "Notification":
        document |= {"Token": "2336412f37", "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&Token=2336412f37"}
    document |= {name: value for name, value in changes.items() if name not in ("Signature", "SigningCertURL")}
    text = "".join(f"{name}\n{value}\n" for name, value in sorted(document.items()))
    made = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1() if version == "1" else hashes.SHA256())
    document |= {
        "SignatureVersion": version,
        "Signature": base64.b64encode(made).decode(),
        "SigningCertURL": CERTIFICATE_URL,
        "MessageAttributes": {"id": {"Type": "String", "Value": "anybody's"}},
    }
    return json.dumps({**document, **{name: value for name, value in changes.items() if name in document}}).encode()


PLAIN = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}


@pytest.fixture(name="topic")
def _topic(service_of):
    service = service_of(partners=SNS)
    service.clock.now = SENT.timestamp()
    service.public_keys.documents[CERTIFICATE_URL] = certificate()
    return service


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": 'Grüße\nan "alle"'}])
def test_a_notification_is_published_as_its_message(topic, version, subject):
    reply = topic.post(signed(version=version, **subject), partner="other", headers=PLAIN)

    assert (reply.status, reply.json["status"]) == (202, "accepted")
    event = topic.bus.events[0]
    assert event.data == {"id": "evt-1", "asset": "a-1"}
    assert (event.metadata.id, event.metadata.subject) == ("11111111-2222-4333-8444-555555555555", "a-1")
    assert topic.post(signed(version=version, **subject), partner="other", headers=PLAIN).json["status"] == "duplicate"


@pytest.mark.attack("A28")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (signed(TopicArn="arn:aws:sns:eu-west-1:999999999999:assets"), "topic-not-allowed"),
        (signed(SigningCertURL=CERTIFICATE_URL.replace("eu-west-1", "us-east-1")), "certificate-url-not-allowed"),
        (signed(SigningCertURL=CERTIFICATE_URL.replace(".com/", ".com.evil.example/")), "certificate-url-not-allowed"),
        (signed(SigningCertURL=CERTIFICATE_URL.replace("https", "http")), "certificate-url-not-allowed"),
        (signed(SigningCertURL=f"{HOST}/other.pem"), "certificate-url-not-allowed"),
        (signed(SigningCertURL=f"{HOST}/SimpleNotificationService-0.pem?x=1"), "certificate-url-not-allowed"),
        (signed(SigningCertURL=f"{HOST}@evil.example/SimpleNotificationService-0.pem"), "certificate-url-not-allowed"),
        (signed(SigningCertURL=7), "certificate-url-not-allowed"),
        (signed(SigningCertURL=f"{HOST}/SimpleNotificationService-1.pem"), "key-unknown"),
        (signed(version="2").replace(b'"2"', b'"1"'), "signature-mismatch"),
        (signed(version="2").replace(b'"2"', b'"3"'), "signature-malformed"),
        (signed(Signature="AAAA"), "signature-mismatch"),
        (signed(Signature=None), "signature-malformed"),
        (signed().replace(b"a-1", b"a-2"), "signature-mismatch"),
        (signed(Timestamp="2026-11-23T10:54:59.000Z"), "timestamp-too-old"),
        (signed(Timestamp="yesterday"), "timestamp-malformed"),
        (signed().replace(b'"Notification"', b'"Other"'), "sns-message-malformed"),
        (b"{}", "topic-not-allowed"),
        (b"{", "sns-message-malformed"),
        (b" " * 700_000, "signed-document-too-large"),
    ],
)  # fmt: skip
def test_a28_a_message_that_is_not_the_topic_s_own_is_refused(service_of, body, reason):
    service = service_of(partners=SNS, max_body_bytes=1_000_000)
    service.clock.now = SENT.timestamp()
    service.public_keys.documents[CERTIFICATE_URL] = certificate()

    assert service.post(body, partner="other", headers=PLAIN).status == 401
    assert service.report.fields("request refused")[-1]["reason"] == reason
    assert all(request.url.startswith(f"{HOST}/Simple") for request in service.public_keys.asked)
    assert service.nothing_happened()


@pytest.mark.attack("A28")
@pytest.mark.parametrize(
    "document",
    [
        pem(RSA),
        certificate(EC),
        certificate(start=datetime(2027, 1, 1, tzinfo=UTC)),
        certificate(start=datetime(1990, 1, 1, tzinfo=UTC)),
        "junk",
    ],
)
def test_a28_only_a_certificate_in_its_time_proves_a_message(topic, document):
    topic.public_keys.documents[CERTIFICATE_URL] = document

    assert topic.post(signed(), partner="other", headers=PLAIN).status == 401


def test_a_subscription_is_confirmed_at_sns_s_own_host_whatever_url_is_in_the_message(topic):
    body = signed("SubscriptionConfirmation", SubscribeURL="https://evil.example.com/?Action=ConfirmSubscription")

    assert topic.post(body, partner="other", headers=PLAIN).status == 202
    assert topic.public_keys.confirmed == [
        f"{HOST}/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3Aassets&Token=2336412f37"
    ]
    assert topic.nothing_happened()


@pytest.mark.attack("A28")
def test_a28_a_forged_confirmation_confirms_nothing(topic):
    body = signed("SubscriptionConfirmation").replace(b"2336412f37", b"other")

    assert topic.post(body, partner="other", headers=PLAIN).status == 401
    assert topic.public_keys.confirmed == []


def test_a_confirmation_that_fails_is_tried_again_by_sns(topic, monkeypatch):
    def fail(_: object) -> None:
        raise TransientError("timeout", "no answer")

    monkeypatch.setattr(topic.public_keys, "confirm", fail)
    assert topic.post(signed("SubscriptionConfirmation"), partner="other", headers=PLAIN).status == 503


def test_the_end_of_a_subscription_is_acknowledged(topic):
    assert topic.post(signed("UnsubscribeConfirmation"), partner="other", headers=PLAIN).status == 202
    assert topic.public_keys.confirmed == []
    assert topic.nothing_happened()


def test_a_message_that_cannot_be_read_is_kept_without_credentials_and_read_again(service_of):
    partners = partner({"method": "sns", "topics": [TOPIC]}, id="body.new", redact=["body.token"])
    service = service_of(partners=partners)
    service.clock.now = SENT.timestamp()
    service.public_keys.documents[CERTIFICATE_URL] = certificate()
    reply = service.post(signed(Message='{"id":"evt-1","token":"t0ken"}'), partner="other", headers=PLAIN)

    assert reply.status == 202
    request = json.loads(service.queue.dead[0].body)["request"]
    kept = base64.b64decode(request["body_base64"])
    assert b"t0ken" not in kept
    again = service_of(partners=SNS)
    again.receiver.replay(request, again.table.owned_by("x"), remaining=lambda: 20.0)
    assert again.bus.events[0].data == {"id": "evt-1", "token": "[redacted]"}


NETWORK = partner({"method": "networks", "networks": ["203.0.113.0/24"]})


@pytest.mark.attack("A32")
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a32_the_address_is_api_gateway_s_and_no_header_s(service_of, version):
    service = service_of(partners=NETWORK)

    def post(address: str, identity: str) -> int:
        headers = JSON | {"x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9"}
        event = api_event(f'{{"id":"{identity}"}}'.encode(), partner="other", headers=headers, version=version)
        if version == "2.0":
            event["requestContext"]["http"]["sourceIp"] = address
        else:
            event["requestContext"]["identity"] = {"sourceIp": address}
        return service.send(event).status

    assert (post("203.0.113.9", "1"), post("198.51.100.1", "2"), post("", "3")) == (202, 401, 401)
    assert len(service.bus.entries) == 1
