"""Whatever a host of keys answers, and whatever stands in the headers of RFC 9421: no exception, no 5xx.

``FUZZ_EXAMPLES`` says how many inputs all these tests share.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_events.handlers import webhook
from media_events.outbound_http.client import Request, Response
from media_events.partners.key_sources import KeyRequest
from media_events.partners.remote_keys import MAX_DOCUMENT_BYTES, MAX_KEYS, RemoteKeys
from tests.fakes.webhook_requests import WebhookHarness
from tests.unit.media_events.partners.test_http_message_signatures import PIECES
from tests.unit.media_events.partners.test_json_web_tokens import by_key, claims
from tests.unit.media_events.partners.test_public_keys import RSA, ec_jwk, rsa_jwk

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
SHARE = settings(max_examples=max(1, EXAMPLES // 10), deadline=None, suppress_health_check=list(HealthCheck))

JWKS_URL = "https://keys.example.com/jwks.json"
BODY = b'{"id":"evt-1"}'
JSON = {"content-type": "application/json"}
PARTNERS: dict[str, Any] = {
    name: {
        "specification": {"id": "body.id", "type": {"constant": "asset.ready"}, "verification": verification},
        "secret_arns": ["arn:other"],
    }
    for name, verification in {
        "jwks": {
            "method": "jwt",
            "token_algorithms": ["RS256"],
            "jwks_url": JWKS_URL,
            "body_claim": {"name": "sha256", "encoding": "base64"},
        },
        "hmac": {"method": "http_signature", "algorithm": "hmac-sha256", "components": ["content-digest"]},
        "remote": {"method": "http_signature", "algorithm": "rsa-v1_5-sha256", "jwks_url": JWKS_URL},
    }.items()
}


@pytest.fixture(name="service", scope="module")
def _service():
    service = WebhookHarness(PARTNERS)
    original, webhook.application = webhook.application, service.application
    yield service
    webhook.application = original


class Host:
    """Answers one document."""

    def __init__(self, document: bytes) -> None:
        self.document = document

    def get(self, request: Request) -> Response:
        return Response(200, {}, self.document[: request.kept_bytes])


def known(service: WebhookHarness, document: bytes) -> RemoteKeys:
    """Keys at a host, of which the webhook asks the real code."""
    host = Host(document)
    keys = RemoteKeys(lambda: host)
    service.public_keys.find = keys.find  # type: ignore[method-assign]
    return keys


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "use", "key_ops", "alg", "kid", "x5c", "d", "oth"])
VALUES = JUNK | st.sampled_from(["RSA", "EC", "OKP", "AQAB", "sig", "a", "P-256", "Ed25519", "====", "A" * 400])
JWKS = st.one_of(
    st.builds(lambda base, more: {**base, **more}, st.sampled_from([rsa_jwk(kid="a"), ec_jwk(kid="a")]),
              st.dictionaries(MEMBERS, VALUES, max_size=3)),
    st.dictionaries(MEMBERS, VALUES, max_size=6),
    JUNK,
)  # fmt: skip
SETS = st.one_of(
    st.builds(lambda keys, times: json.dumps({"keys": keys * times}), st.lists(JWKS, max_size=5), st.integers(0, 30)),
    st.builds(lambda keys: json.dumps({"keys": keys}), JUNK),
    st.builds(
        lambda depth, text: text.replace("null", "[" * depth + "]" * depth),
        st.integers(0, 3_000),
        st.just(json.dumps({"keys": [rsa_jwk(kid="a", x=None)]})),
    ),
    st.text(max_size=60),
).map(lambda text: b" " + text.encode("utf-8", "surrogatepass")[: MAX_DOCUMENT_BYTES - 100])
CHANGES = st.lists(st.tuples(st.integers(0, 3_000), st.binary(max_size=4)), max_size=3)


@pytest.mark.slow
@SHARE
@given(document=SETS, changes=CHANGES)
def test_fuzz_no_jwk_set_of_a_host_is_more_than_a_key_that_fits_or_does_not(service, document, changes):
    for place, octets in changes:
        at = place % len(document)
        document = document[:at] + octets + document[at + len(octets) :]
    keys = known(service, document or b" ")
    now = int(service.clock())
    token = by_key(claims(BODY, nbf=now, exp=now + 300), "RS256", RSA, kid="a")
    try:
        status = service.post(BODY, partner="jwks", headers=JSON | {"authorization": token}).status

        found = keys.find(KeyRequest("jwks", JWKS_URL))
        assert status in (202, 401)
        assert len(found) <= MAX_KEYS
        # Each character that is not ASCII is at most six in JSON, and a space may follow each colon and comma.
        assert sum(map(len, found)) <= 6 * len(document)
        assert status == 401 or len(service.bus.entries) + len(service.queue.dead) == 1
    finally:
        service.bus.entries.clear()
        service.bus.calls.clear()
        service.queue.dead.clear()
        service.table.items.clear()
        service.report.lines.clear()


@pytest.mark.slow
@SHARE
@given(
    partner=st.sampled_from(["hmac", "remote"]),
    headers=st.fixed_dictionaries({
        "signature-input": PIECES | st.text(max_size=40),
        "signature": PIECES | st.text(max_size=40),
        "content-digest": PIECES,
    }),
    query=st.text(max_size=20),
)  # fmt: skip
def test_fuzz_no_header_of_http_message_signatures_is_answered_by_5xx(service, partner, headers, query):
    known(service, json.dumps({"keys": [rsa_jwk(kid="a")]}).encode())
    headers = JSON | headers

    assert 400 <= service.post(BODY, partner=partner, headers=headers, query=query).status < 500
    assert service.nothing_happened()
    service.report.lines.clear()
