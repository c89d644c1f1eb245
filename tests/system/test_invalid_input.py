"""What hostile and broken requests get from the deployed HTTP API: a clear refusal, never a server error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from media_events_kit.ops.demo.senders import HttpResponse, Sender, mux_headers
from media_events_kit.ops.local.addresses import reachable
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine
from media_events_kit.ops.local.overview import open_review_items
from tests.system.polling import eventually

Send = Callable[..., HttpResponse]
LogLines = Callable[[], list[LogLine]]


def refusals(lines: list[LogLine]) -> list[tuple[Any, Any]]:
    return [(line.fields["status"], line.fields["reason"]) for line in lines if line.message == "request refused"]


# Refused before anything is verified


@pytest.mark.attack("C1")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_another_method_is_answered_405(request_mux: Send, method: str):
    assert request_mux(b"", method=method).status == 405


@pytest.mark.attack("C2")
def test_a_partner_that_nobody_knows_is_answered_404(request_mux: Send, mux: Sender):
    assert request_mux(b"{}", url=mux.url.replace("/mux", "/nobody")).status == 404


@pytest.mark.attack("C2")
@pytest.mark.parametrize(
    "path", ["/", "/webhooks", "/webhooks/", "/webhooks/mux/more", "/webhooks/%00", "/webhooks/%ff"]
)
def test_a_path_that_is_none_is_answered_404(request_mux: Send, clients: Clients, outputs, path: str):
    assert request_mux(b"{}", url=reachable(outputs["api_endpoint"] + path, clients.record)).status == 404


@pytest.mark.attack("C2")
def test_a_name_that_is_far_too_long_is_answered_404(request_mux: Send, mux: Sender):
    assert request_mux(b"{}", url=mux.url.replace("/mux", "/" + "a" * 5000)).status == 404


@pytest.mark.attack("B10")
def test_a_body_above_the_limit_is_answered_413(mux: Sender):
    assert mux.send(b"x" * 6_500_000).status == 413


# Not authenticated


@pytest.mark.attack("A1")
@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "garbage",
        "t=,v1=",
        "t=1,v1=" + "0" * 64,
        "t=" + "9" * 400 + ",v1=00",
        "t=-1,v1=00",
        "v1=" + "0" * 64,
        ",".join(["v1=00"] * 2000),
    ],
)
def test_a_signature_that_is_none_is_answered_401(request_mux: Send, signature: str | None):
    headers = {} if signature is None else {"mux-signature": signature}
    assert request_mux(b'{"id": "x"}', headers).status == 401


def test_a_forged_signature_is_answered_401(mux: Sender, log_lines: LogLines):
    assert mux.send("mux-video.asset.ready", secret="not the secret").status == 401
    assert (401, "signature-mismatch") in eventually(lambda: refusals(log_lines()))


@pytest.mark.attack("A11")
@pytest.mark.parametrize("offset", [-4000, 4000])
def test_a_signed_time_outside_the_tolerance_is_answered_401(mux: Sender, offset: int):
    assert mux.send("mux-video.asset.ready", now=int(time.time()) + offset).status == 401


def test_one_byte_changed_after_signing_is_answered_401(request_mux: Send, mux: Sender):
    body = b'{"id": "x", "type": "video.asset.ready"}'
    headers = mux_headers(body, mux.secret, int(time.time()))
    assert request_mux(body.replace(b"x", b"y"), headers).status == 401


def test_a_large_body_without_a_signature_is_answered_401(request_mux: Send):
    assert request_mux(b"x" * 2_000_000).status == 401


# Authenticated, and not to be processed: kept for a person


@pytest.mark.attack("B1")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"id":',
        b"null",
        b"[1, 2]",
        b'{"id": "nan", "data": NaN}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"type": 7, "id": {"no": "text"}}',
    ],
    ids=["empty", "cut off", "null", "array", "not a number", "deep array", "deep object", "wrong types"],
)
def test_what_cannot_be_processed_is_acknowledged_and_opens_a_review_item(
    mux: Sender, clients: Clients, outputs, body: bytes
):
    answer = mux.send(body)
    assert answer.status == 202
    identity = json.loads(answer.body)["id"]
    table = outputs["review_table_name"]
    assert eventually(lambda: [item for item in open_review_items(clients, table) if item.event_id == identity])


@pytest.mark.attack("B7")
def test_bytes_that_are_no_text_are_no_server_error(mux: Sender):
    # The HTTP API itself replaces such bytes where the content type says JSON, so that the signature can't match.
    assert mux.send(b"\xff\xfe{}").status in {202, 401}


# Large, repeated


@pytest.mark.attack("B9")
def test_a_signed_body_of_2_mb_is_accepted_and_delivered_by_claim_check(
    mux: Sender, mux_event: Callable[[str], dict[str, Any]], log_lines: LogLines
):
    event = mux_event("two-megabytes")
    event["data"]["padding"] = "y" * 2_000_000
    assert mux.send(json.dumps(event).encode()).status == 202
    seen: list[LogLine] = []

    def transformed() -> bool:
        seen.extend(line for line in log_lines() if line.fields.get("event_id") == "two-megabytes")
        return any(line.message == "event transformed" for line in seen)

    assert eventually(transformed), [line.text for line in seen]


@pytest.mark.attack("A13")
def test_a_verbatim_replay_is_acknowledged_and_published_once(
    mux: Sender, mux_event: Callable[[str], dict[str, Any]], log_lines: LogLines
):
    body = json.dumps(mux_event("twice")).encode()
    assert [mux.send(body).status, mux.send(body).status] == [202, 202]
    lines: list[str] = []

    def both() -> bool:
        lines.extend(line.message for line in log_lines() if line.fields.get("event_id") == "twice")
        return "event duplicate" in lines

    assert eventually(both)
    assert lines.count("event accepted") == 1
