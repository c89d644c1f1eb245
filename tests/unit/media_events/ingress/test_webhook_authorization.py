"""Partners that API Gateway authorises in place of a signature, and the client certificates of mutual TLS."""

from __future__ import annotations

import json

import pytest

from media_events.core.config_fields import Fields
from media_events.handlers.api_gateway import incoming
from media_events.ingress.authorization import WebhookAuthorization, parse_authorization
from media_events.ingress.http import AuthorizedCaller
from tests.fakes.webhook_requests import BODY, SECRET, api_event

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/partners/acme-sender"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-sender/nightly"
USER = f"arn:aws:iam::{ACCOUNT}:user/partners/acme"
UNSIGNED = {"preset": "mux", "verification": None}

PARTNERS = {
    "acme": {"specification": UNSIGNED, "authentication": "iam", "principals": [ROLE, USER]},
    "bravo": {"specification": UNSIGNED, "authentication": "jwt"},
    "cert": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"], "require_client_certificate": True},
    "mux": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"], "authentication": "signature"},
}
IAM = {"iam": {"accountId": ACCOUNT, "userArn": SESSION, "userId": "AROA:nightly"}}
JWT = {"jwt": {"claims": {"iss": "https://login.example.com/", "aud": "hooks", "sub": "bravo"}, "scopes": ["send"]}}
CERTIFICATE = {"clientCert": {"subjectDN": "CN=mux", "issuerDN": "CN=ca", "serialNumber": "1"}}


@pytest.fixture(name="service")
def _service(service_of):
    return service_of(partners=PARTNERS)


def event(partner, *, authorizer=None, authentication=None, own_route=True, body=BODY, **changes):
    """An event as an HTTP API makes it, on the partner's own route or on the shared one."""
    headers = changes.pop("headers", {"content-type": "application/json"})
    made = api_event(body.encode(), partner=partner, headers=headers, **changes)
    if own_route:
        made |= {"routeKey": f"ANY /webhooks/{partner}", "pathParameters": None}
    context = made["requestContext"]
    if authorizer is not None:
        context["authorizer"] = authorizer
    if authentication is not None:
        context["authentication"] = authentication
    return made


def refused(service, reply, reason):
    assert (reply.status, reply.json) == (401, {"error": "unauthenticated"})
    assert service.nothing_happened()
    assert service.report.fields("request refused")[-1]["reason"] == reason
    return True


@pytest.mark.parametrize(("partner", "authorizer"), [("acme", IAM), ("bravo", JWT)])
def test_call_that_api_gateway_authorised_is_accepted_without_a_signature(service, partner, authorizer):
    reply = service.send(event(partner, authorizer=authorizer))

    assert (reply.status, reply.json) == (202, {"id": "evt-1", "status": "accepted"})
    assert [made.metadata.source for made in service.bus.events] == [f"partner.{partner}"]


def test_user_is_let_in_as_well_as_a_session_of_a_role(service):
    assert service.send(event("acme", authorizer={"iam": {"userArn": USER}})).status == 202


@pytest.mark.parametrize("partner", ["acme", "bravo"])
@pytest.mark.parametrize(
    "authorizer",
    [
        None,
        {},
        {"iam": None, "jwt": None},
        {"iam": {}, "jwt": {}},
        {"iam": {"userArn": None}, "jwt": {"claims": {}}},
        {"iam": {"userArn": ""}, "jwt": {"claims": None}},
        {"iam": SESSION, "jwt": "yes"},
        {"lambda": {"ok": True}},
        "iam",
        [IAM],
    ],
)
def test_call_without_proof_of_api_gateway_is_refused_with_401(service, partner, authorizer):
    assert refused(service, service.send(event(partner, authorizer=authorizer)), "authorizer-missing")


@pytest.mark.parametrize(("partner", "authorizer"), [("acme", JWT), ("bravo", IAM)])
def test_proof_of_the_other_kind_is_refused_with_401(service, partner, authorizer):
    assert refused(service, service.send(event(partner, authorizer=authorizer)), "authorizer-missing")


@pytest.mark.parametrize(("partner", "authorizer"), [("acme", IAM), ("bravo", JWT)])
def test_call_on_the_route_that_all_share_proves_nothing(service, partner, authorizer):
    assert refused(service, service.send(event(partner, authorizer=authorizer, own_route=False)), "authorizer-missing")


def test_proof_of_another_partner_s_route_is_refused_with_401(service):
    sent = event("acme", authorizer=IAM) | {"routeKey": "ANY /webhooks/bravo", "pathParameters": {"partner": "acme"}}

    assert refused(service, service.send(sent), "authorizer-missing")


def test_own_route_names_the_partner_whatever_the_path_looks_like(service):
    sent = event("acme", authorizer=IAM) | {"rawPath": "/hooks/webhooks/%61cme"}

    assert service.send(sent).status == 202


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-sender-2/nightly",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Acme-Sender/nightly",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-sender",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/other/acme-sender",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/acme-sender/nightly\n",
        "arn:aws:sts::210987654321:assumed-role/acme-sender/nightly",
        f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/acme-sender/nightly",
        f"arn:aws:sts::{ACCOUNT}:federated-user/acme-sender",
        f"arn:aws:iam::{ACCOUNT}:user/acme",
        f"arn:aws:iam::{ACCOUNT}:user/partners/acme2",
        f"arn:aws:iam::{ACCOUNT}:root",
        "acme",
    ],
)
def test_principal_that_is_not_named_is_refused_whatever_iam_lets_it_do(service, principal):
    assert refused(
        service, service.send(event("acme", authorizer={"iam": {"userArn": principal}})), "principal-not-allowed"
    )


def test_signature_is_verified_although_api_gateway_authorised_the_call(service):
    assert service.send(event("mux", authorizer=IAM | JWT, authentication=CERTIFICATE)).status == 401
    assert service.nothing_happened()


def test_signature_does_not_take_the_place_of_authorisation(service_of):
    entry = {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"], "authentication": "jwt"}
    service = service_of(partners={"mux": entry})

    assert refused(service, service.post(), "authorizer-missing")


def test_headers_and_body_prove_nothing(service):
    claims = json.dumps({"requestContext": {"authorizer": IAM}, "routeKey": "ANY /webhooks/acme"} | json.loads(BODY))
    headers = {
        "content-type": "application/json",
        "authorization": "AWS4-HMAC-SHA256 Credential=x",
        "x-amzn-request-context": claims,
    }

    assert refused(service, service.send(event("acme", body=claims, headers=headers)), "authorizer-missing")


def test_payload_format_1_0_proves_nothing(service):
    sent = api_event(BODY.encode(), partner="acme", headers={"content-type": "application/json"}, version="1.0")
    sent["requestContext"]["authorizer"] = {"claims": {"sub": "x"}}
    sent["requestContext"]["identity"] = {"userArn": SESSION, "clientCert": CERTIFICATE["clientCert"]}

    assert refused(service, service.send(sent), "authorizer-missing")


def test_signed_call_with_a_client_certificate_is_accepted(service):
    headers = service.mux_headers(BODY.encode())

    assert service.send(event("cert", authentication=CERTIFICATE, headers=headers, own_route=False)).status == 202


@pytest.mark.parametrize(
    "authentication", [None, {}, {"clientCert": None}, {"clientCert": {}}, {"clientCert": "x"}, []]
)
def test_signed_call_without_a_client_certificate_is_refused_where_one_is_required(service, authentication):
    sent = event("cert", authentication=authentication, headers=service.mux_headers(BODY.encode()), own_route=False)

    assert refused(service, service.send(sent), "client-certificate-missing")


def test_client_certificate_does_not_take_the_place_of_the_signature(service):
    assert service.send(event("cert", authentication=CERTIFICATE, own_route=False)).status == 401
    assert service.nothing_happened()


def test_certificate_and_authorisation_are_both_needed_where_both_are_required(service_of):
    service = service_of(partners={"bravo": PARTNERS["bravo"] | {"require_client_certificate": True}})

    assert refused(service, service.send(event("bravo", authorizer=JWT)), "client-certificate-missing")
    assert refused(service, service.send(event("bravo", authentication=CERTIFICATE)), "authorizer-missing")
    assert service.send(event("bravo", authorizer=JWT, authentication=CERTIFICATE)).status == 202


def test_handshake_by_get_is_authorised_too(service_of):
    specification = UNSIGNED | {"handshake": {"kind": "query_echo", "query": "challenge"}}
    service = service_of(partners={"bravo": PARTNERS["bravo"] | {"specification": specification}})
    question = {"method": "GET", "query": "challenge=c0ffee"}

    assert refused(service, service.send(event("bravo", **question)), "authorizer-missing")
    reply = service.send(event("bravo", authorizer=JWT, **question))
    assert (reply.status, reply.text) == (200, "c0ffee")


HMAC_TOKEN = {
    "kind": "hmac_token",
    "when": "body.event == 'endpoint.url_validation'",
    "token": "body.payload.plainToken",
    "response_field": "plainToken",
    "digest_field": "encryptedToken",
}


def test_handshake_with_an_hmac_of_a_token_still_has_its_secret(service_of):
    entry = PARTNERS["bravo"] | {"specification": UNSIGNED | {"handshake": HMAC_TOKEN}, "secret_arns": ["arn:mux"]}
    service = service_of(partners={"bravo": entry})
    body = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}})

    reply = service.send(event("bravo", authorizer=JWT, body=body))

    assert (reply.status, reply.json["plainToken"]) == (200, "abc")
    assert SECRET not in reply.text


def test_authorised_call_costs_no_look_at_the_secrets(service):
    service.send(event("bravo", authorizer=JWT))

    assert not service.secrets.cached


def test_repetition_of_an_authorised_call_is_published_once(service):
    replies = [service.send(event("bravo", authorizer=JWT)).json["status"] for _ in range(3)]

    assert replies == ["accepted", "duplicate", "duplicate"]
    assert len(service.bus.entries) == 1


def test_quarantined_request_of_an_authorised_partner_has_no_token_and_comes_back(service):
    headers = {"content-type": "application/json", "authorization": "Bearer live-token", "x-amz-security-token": "live"}
    service.send(event("bravo", authorizer=JWT, body="junk", headers=headers))

    (dead,) = service.queue.dead
    assert "live" not in dead.body


@pytest.mark.attack("C11")
@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"specification": UNSIGNED}, "verification: is missing"),
        ({"specification": UNSIGNED, "authentication": "signature"}, "verification: is missing"),
        ({"specification": UNSIGNED, "authentication": "none"}, "authentication: must be one of signature, iam, jwt"),
        ({"specification": UNSIGNED, "authentication": None}, "verification: is missing"),
        ({"specification": UNSIGNED, "authentication": ["jwt"]}, "authentication: must be one of"),
        ({"specification": UNSIGNED, "require_client_certificate": True}, "verification: is missing"),
        ({"specification": UNSIGNED, "authentication": "iam"}, "principals: is empty"),
        (
            {"specification": UNSIGNED, "authentication": "iam", "principals": ["*"]},
            "principals: must be a list of ARNs",
        ),
        (
            {"specification": UNSIGNED, "authentication": "iam", "principals": ROLE},
            "principals: must be a list of ARNs",
        ),
        (
            {"specification": UNSIGNED, "authentication": "jwt", "principals": [ROLE]},
            "belongs to the authentication iam",
        ),
        ({"specification": UNSIGNED, "authentication": "jwt", "require_client_certificate": "no"}, "true or false"),
        ({"specification": UNSIGNED | {"handshake": HMAC_TOKEN}, "authentication": "jwt"}, "handshake: needs a secret"),
    ],
)
def test_c11_partner_that_nothing_would_authenticate_is_named_and_nothing_is_accepted(service_of, entry, problem):
    with pytest.raises(ValueError, match=problem):
        service_of(partners=PARTNERS | {"broken": entry})


def test_by_default_the_signature_decides():
    fields = Fields({}, "partners.mux", [])

    assert parse_authorization(fields) == WebhookAuthorization()
    assert (fields.problems, WebhookAuthorization().by_signature) == ([], True)


def test_unknown_method_admits_nobody():
    caller = AuthorizedCaller(partner="acme", principal=SESSION, jwt=True, certificate=True)

    assert WebhookAuthorization(method="none").refusal(caller, "acme") == "authorizer-missing"


@pytest.mark.parametrize("key", [None, 7, "", "$default", "ANY /webhooks/{partner}", "ANY /{proxy+}"])
def test_only_an_own_route_names_a_partner(key):
    sent = api_event(BODY.encode(), partner="acme") | {"routeKey": key}

    assert incoming(sent).caller.partner == ""
