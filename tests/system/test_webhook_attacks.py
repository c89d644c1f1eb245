"""A selection of the attack catalogue (docs/reference/attacks.md) against the deployed HTTP API."""

from __future__ import annotations

import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from media_events_kit.ops.demo.senders import Sender, mux_headers, post, standard_webhooks_headers
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine

Headers = dict[str, str]


@dataclass(frozen=True)
class Partners:
    """A partner that signs with a list of keys and values, and one that signs as Standard Webhooks says."""

    mux: Sender
    standard: Sender

    def post_mux(self, change: Callable[[str], str], body: bytes = b'{"id": "x"}', **more: str) -> int:
        """Mux's call with another signature."""
        headers = mux_headers(body, self.mux.secret, int(time.time()))
        headers["mux-signature"] = change(headers["mux-signature"])
        return post(self.mux.url, body, headers | more, self.mux.ca_bundle).status

    def post_standard(self, change: Callable[[Headers], Headers]) -> int:
        """The other one's call with other headers."""
        body = json.dumps({"type": f"catalogue.{uuid.uuid4()}"}).encode()
        headers = change(standard_webhooks_headers(body, self.standard.secret, int(time.time())))
        return post(self.standard.url, body, headers, self.standard.ca_bundle).status


@pytest.fixture(name="partners")
def _partners(senders: dict[str, Sender]) -> Partners:
    return Partners(senders["mux"], senders["transcoder"])


def signed(change: Callable[[str], str]) -> Callable[[Headers], Headers]:
    return lambda headers: headers | {"webhook-signature": change(headers["webhook-signature"])}


def timed(form: str) -> Callable[[Headers], Headers]:
    return lambda headers: headers | {"webhook-timestamp": form.format(headers["webhook-timestamp"])}


def marked(rows: Iterable[str]) -> list[Any]:
    """The rows of a table as parameters, each marked with the attack that its key begins with."""
    return [pytest.param(row, marks=pytest.mark.attack(row.partition("-")[0].upper())) for row in rows]


SIGNATURES = {
    "a1-missing": (lambda h: {name: h[name] for name in h if name != "webhook-signature"}, 401),
    "a2-garbage": (signed(lambda _: "garbage"), 401),
    "a3-garbage-before": (signed(lambda good: f"garbage v9,xyz {good}"), 202),
    "a4-double-space": (signed(lambda good: f"v1,AAAA  {good}"), 202),
    "a5-one-more": (signed(lambda good: f"{good}="), 401),
    "a7-no-base64": (signed(lambda _: "v1,!!!!"), 401),
    "a8-not-canonical": (signed(lambda good: f"{good[:20]}!!{good[20:]}"), 401),
    "a9-no-number": (timed("nan"), 401),
    "a9-long": (timed("1" * 400), 401),
    "a10-fraction": (timed("{}.9"), 401),
    "a10-plus": (timed("+{}"), 401),
    "a12-years-ahead": (timed("9{}"), 401),
    "a18-dot-in-the-id": (lambda h: h | {"webhook-id": "a.b"}, 400),
}


@pytest.mark.parametrize("row", marked(SIGNATURES))
def test_row_about_signatures_is_answered_by_the_deployed_api(partners: Partners, row: str):
    change, status = SIGNATURES[row]
    assert partners.post_standard(change) == status


MUX: dict[str, tuple[Callable[[str], str], Headers, int]] = {
    "a19-given-twice": (lambda good: f"{good},{good.replace('v1=', 't=1,v1=')}", {}, 401),
    "b13-encoded": (str, {"content-encoding": "gzip"}, 415),
    "b14-another-type": (str, {"content-type": "text/plain"}, 415),
    "b15-multipart": (str, {"content-type": "multipart/form-data; boundary=x"}, 415),
}


@pytest.mark.parametrize("row", marked(MUX))
def test_row_about_headers_is_answered_by_the_deployed_api(partners: Partners, row: str):
    change, more, status = MUX[row]
    assert partners.post_mux(change, **more) == status


BODIES = {
    "b2-text": b'"text"',
    "b3-empty": b"",
    "b4-infinity": b'{"id": "x", "data": Infinity}',
    "b4-lone-surrogate": b'{"id": "x", "type": "\\ud800"}',
    "b5-twice": b'{"id": "x", "type": "video.asset.ready", "type": "video.asset.deleted"}',
    "b6-long-type": json.dumps({"id": "x", "type": "t" * 10_000}).encode(),
    "b8-mark": b"\xef\xbb\xbf{}",
    "b8-nul": b'{"id": "x\x00"}',
}


@pytest.mark.parametrize("row", marked(BODIES))
def test_row_about_bodies_is_kept_for_review_by_the_deployed_api(partners: Partners, row: str):
    answer = partners.mux.send(BODIES[row])
    # An id of the request's own: none of an event's.
    assert (answer.status, json.loads(answer.body)["id"].partition("-")[0]) == (202, "request")


@pytest.mark.attack("C5")
def test_c5_call_that_breaks_off_leaves_no_trace(
    partners: Partners, log_lines: Callable[[], list[LogLine]], clients: Clients
):
    marker = f"broken-off-{uuid.uuid4()}"
    body = json.dumps({"id": marker, "type": "video.asset.ready"}).encode()
    url = urlsplit(partners.mux.url)
    headers = mux_headers(body, partners.mux.secret, int(time.time()))
    head = f"POST {url.path} HTTP/1.1\r\nhost: {url.netloc}\r\ncontent-length: {len(body) + 100}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    context = ssl.create_default_context(cafile=clients.record.ca_bundle)
    with (
        socket.create_connection((url.hostname or "", url.port or 443)) as plain,
        context.wrap_socket(plain, server_hostname=url.hostname) as stream,
    ):
        stream.sendall(head.encode() + body)

    # Whoever calls next is answered, and the broken call has become nothing.
    assert partners.mux.send(b"{}").status == 202
    assert [line.text for line in log_lines() if marker in line.text] == []


@pytest.mark.attack("A13")
def test_a13_verbatim_replay_is_answered_as_a_duplicate(partners: Partners, mux_event: Callable[[str], Any]):
    body = json.dumps(mux_event(f"catalogue-{uuid.uuid4()}")).encode()
    answers = [json.loads(partners.mux.send(body).body)["status"] for _ in range(2)]
    assert answers == ["accepted", "duplicate"]
