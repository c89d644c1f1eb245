"""Behind CloudFront: nobody gets past it, and signatures hold for what the sender sent to CloudFront."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from media_events.core.failures import TransientError
from media_events.ingress.cloudfront import HEADERS, MAX_SECRET_CHARACTERS
from tests.fakes.webhook_requests import WebhookHarness, api_event

ORIGIN, OLD, NEW = "arn:origin", "old-secret", "new-secret"
VIEWED = {"x-viewer-address": "203.0.113.9", "x-viewer-host": "hooks.example.com", "x-viewer-query": ""}
PROVED = VIEWED | {"x-origin-secret": OLD}
JSON = {"content-type": "application/json"}


@pytest.fixture(name="service")
def _service(service_of: Callable[..., WebhookHarness]) -> WebhookHarness:
    service = service_of(origin_secret_arn=ORIGIN)
    service.secrets.stored[ORIGIN] = [OLD]
    return service


def mux(
    service: WebhookHarness, origin: dict[str, str] | Sequence[tuple[str, str]], body: bytes = b'{"id": "e-1"}'
) -> int:
    headers = [*service.mux_headers(body).items(), *(origin.items() if isinstance(origin, dict) else origin)]
    return service.post(body, headers=headers).status


def test_a_request_that_cloudfront_passes_on_is_taken_and_has_none_of_its_headers(service: WebhookHarness) -> None:
    assert mux(service, PROVED, b"{not json") == 202
    (dead,) = service.queue.dead
    assert json.loads(dead.body)["request"]["headers"]
    assert not any(name in dead.body for name in HEADERS)
    assert OLD not in dead.body


@pytest.mark.attack("C17")
@pytest.mark.parametrize(
    "origin",
    [
        {},
        VIEWED,
        PROVED | {"x-origin-secret": ""},
        PROVED | {"x-origin-secret": "guess"},
        PROVED | {"x-origin-secret": OLD[:-1]},
        PROVED | {"x-origin-secret": f"{OLD} "},
        PROVED | {"x-origin-secret": "é"},
        PROVED | {"x-origin-secret": "x" * (MAX_SECRET_CHARACTERS + 1)},
        [*PROVED.items(), ("x-origin-secret", OLD)],
    ],
)
def test_c17_a_call_past_cloudfront_is_refused_however_well_it_is_signed(service: WebhookHarness, origin: Any) -> None:
    assert mux(service, origin) == 403
    assert service.nothing_happened()


@pytest.mark.attack("C17")
def test_c17_without_a_secret_nothing_is_asked_for(service: WebhookHarness) -> None:
    service.secrets.failing = TransientError("secret-store", "no answer")

    assert mux(service, VIEWED) == 403
    assert service.post(b"", partner="nobody", headers={}).status == 403
    assert mux(service, PROVED) == 503


def test_a_rotated_secret_is_found_and_the_one_before_is_taken_while_it_is_accepted(service: WebhookHarness) -> None:
    assert mux(service, PROVED) == 202
    service.secrets.stored[ORIGIN] = [NEW, OLD]

    assert mux(service, PROVED | {"x-origin-secret": NEW}) == 202
    assert mux(service, PROVED) == 202
    service.secrets.cached[ORIGIN] = service.secrets.stored[ORIGIN] = [NEW]
    assert mux(service, PROVED) == 403


@pytest.mark.attack("A20")
def test_a20_an_outdated_origin_secret_lets_nobody_in_and_its_use_is_counted(service: WebhookHarness) -> None:
    service.secrets.cached[ORIGIN] = service.secrets.stored[ORIGIN] = [NEW]
    service.secrets.outdated[ORIGIN] = [OLD]

    assert mux(service, PROVED) == 403
    assert service.report.counts[("OutdatedSecretUsed", ())] == 1


@pytest.mark.attack("A32")
def test_a32_the_address_is_the_viewer_s_and_never_cloudfront_s(service_of: Callable[..., WebhookHarness]) -> None:
    specification = {
        "verification": {"method": "networks", "networks": ["203.0.113.0/24"]},
        "id": "body.id",
        "type": "body.id",
    }
    service = service_of(origin_secret_arn=ORIGIN, partners={"other": {"specification": specification}})
    service.secrets.stored[ORIGIN] = [OLD]

    def post(address: str | None) -> int:
        viewer = {name: value for name, value in PROVED.items() if name != "x-viewer-address"}
        headers = JSON | viewer | ({} if address is None else {"x-viewer-address": address})
        return service.post(json.dumps({"id": str(address)}), partner="other", headers=headers).status

    # API Gateway's own view of the caller is 203.0.113.9, as if CloudFront's were in the network.
    assert [post(one) for one in ("203.0.113.77", "198.51.100.1", None)] == [202, 401, 401]


def test_a_signed_url_is_the_one_that_the_sender_called(service_of: Callable[..., WebhookHarness]) -> None:
    specification = {
        "verification": {"method": "hmac", "signature_header": "x-signature", "content": "{url}{body}"},
        "id": "body.id",
        "type": "body.id",
    }
    service = service_of(
        origin_secret_arn=ORIGIN, partners={"other": {"specification": specification, "secret_arns": ["arn:other"]}}
    )
    service.secrets.stored[ORIGIN] = [OLD]
    (key,) = service.secrets.stored["arn:other"]
    body, url = b'{"id": "1"}', "https://media.example.com/webhooks/other?b=%41&a=2&b=1"
    signature = hmac.new(key.encode(), url.encode() + body, hashlib.sha256).hexdigest()
    viewer = {
        "x-viewer-host": "media.example.com",
        "x-viewer-query": "b=%41&a=2&b=1",
        "x-viewer-address": "203.0.113.9",
    }
    headers = JSON | viewer | {"x-origin-secret": OLD, "x-signature": signature}

    # CloudFront may write the query anew.
    event = api_event(body, partner="other", headers=headers, query="a=2&b=A&b=1")
    event["requestContext"]["domainName"] = "abc.execute-api.eu-west-1.amazonaws.com"

    assert service.send(event).status == 202


def test_without_cloudfront_its_headers_mean_nothing(service_of: Callable[..., WebhookHarness]) -> None:
    assert mux(service_of(), PROVED) == 202
