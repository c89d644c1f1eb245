"""Connections to AWS that stay open: real sockets on loopback, whose other side does what a list says."""

from __future__ import annotations

import json
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from media_events.adapters import boto_clients, direct_calls
from media_events.adapters.kept_connections import KeptConnections, authorities_of
from tests.fakes.certificates import CertificateAuthority
from tests.fakes.scripted_endpoint import Last, Late, OtherSide, answer

STUDIO = CertificateAuthority()
CLAIM = {"TableName": "t", "Item": {"pk": {"S": "k"}}, "ConditionExpression": "attribute_not_exists(pk)"}
ENTRY = {"EventBusName": "media", "Source": "partner.mux", "DetailType": "asset.ready", "Detail": "{}"}


@contextmanager
def other_side(*script, context=None):
    with closing(OtherSide(script, context)) as side:
        yield side


@pytest.fixture(name="connections")
def _connections():
    """Makes connections to an other side; they are closed at the end."""
    with ExitStack() as ends:

        def connections(side, *, scheme="http", authorities="", read_timeout=10.0, **options):
            url = f"{scheme}://127.0.0.1:{side.port}"
            timeouts = {"connect_timeout": 5.0, "read_timeout": read_timeout}
            return ends.enter_context(closing(KeptConnections(url, authorities=authorities, **timeouts, **options)))

        yield connections


def test_one_connection_serves_request_after_request(connections):
    with other_side(answer(b'{"n": 1}'), answer(b'{"n": 2}', headers="x-amz-crc32: 7\r\n")) as side:
        kept = connections(side)
        first, second = kept.post({"Host": "aws"}, b"one"), kept.post({"Host": "aws"}, b"two")

    assert (first.status, first.body, second.body) == (200, b'{"n": 1}', b'{"n": 2}')
    assert (first.checksum, second.checksum) == (None, "7")
    assert side.connections == 1
    assert [(line, headers["Host"], body) for line, headers, body in side.requests] == [
        (b"POST / HTTP/1.1\r\n", "aws", b"one"),
        (b"POST / HTTP/1.1\r\n", "aws", b"two"),
    ]


def test_requests_at_a_time_have_a_connection_each_and_no_other_ones_answer(connections):
    meeting = threading.Barrier(8, timeout=10)
    with other_side() as side:
        kept = connections(side)

        def post(number):
            meeting.wait()
            return kept.post({}, b"%d" % number).body

        with ThreadPoolExecutor(8) as pool:
            for _ in range(3):
                assert list(pool.map(post, range(8))) == [b"%d" % number for number in range(8)]
        assert side.connections <= 8


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
    ],
    ids=["in chunks", "after an interim answer"],
)
def test_an_answer_is_read_to_its_end_however_it_comes(whole, connections):
    with other_side(whole) as side:
        kept = connections(side)
        assert [kept.post({}, b"{}").body for _ in range(2)] == [b"{}", b"{}"]
    assert side.connections == 1


@pytest.mark.parametrize(
    "last",
    [answer(headers="Connection: close\r\n"), Last(b"HTTP/1.0 200 OK\r\n\r\n{}")],
    ids=["announced", "instead of a length"],
)
def test_a_connection_that_ends_with_its_answer_is_not_kept(last, connections):
    with other_side(last) as side:
        kept = connections(side)
        assert [kept.post({}, b"{}").body for _ in range(2)] == [b"{}", b"{}"]
    assert side.connections == 2


def test_a_connection_that_the_other_side_has_closed_meanwhile_is_replaced_before_anything_is_sent(connections):
    with other_side() as side:
        kept = connections(side)
        kept.post({}, b"one")
        side.hang_up()
        kept.post({}, b"two")
    assert [body for _, _, body in side.requests] == [b"one", b"two"]
    assert side.connections == 2


def test_a_connection_is_not_used_again_after_a_minute(connections):
    now = iter([0.0, 59.9, 60.0, 120.0, 121.0])
    with other_side() as side:
        kept = connections(side, clock=lambda: next(now))
        kept.post({}, b"at 0")
        kept.post({}, b"after 59.9 s, until 60")
        assert side.connections == 1
        kept.post({}, b"60 s later")
    assert side.connections == 2


@pytest.mark.parametrize(
    "broken", [Last(), Last(b"not HTTP\r\n\r\n"), Last(answer(b"{}")[:-1])], ids=["none", "no HTTP", "cut"]
)
def test_a_connection_that_ends_before_its_answer_is_an_error_and_not_kept(broken, connections):
    with other_side(broken) as side:
        kept = connections(side)
        with pytest.raises(ConnectionError):
            kept.post({}, b"")
        assert kept.post({}, b"").status == 200
    assert side.connections == 2


@pytest.mark.parametrize("late", [Late(answer()), answer()[:-1]], ids=["no answer", "half an answer"])
def test_an_answer_that_is_late_is_told_apart_and_never_read_as_the_next_ones(late, connections):
    with other_side(late) as side:
        kept = connections(side, read_timeout=1.0)
        with pytest.raises(TimeoutError):
            kept.post({}, b"one")
        assert kept.post({}, b"two").status == 200
    assert side.connections == 2


def test_nobody_there_is_a_connection_error(connections):
    with other_side() as side:
        pass
    with pytest.raises(ConnectionError):
        connections(side).post({}, b"")


def test_closed_connections_are_opened_anew(connections):
    with other_side() as side:
        kept = connections(side)
        kept.post({}, b"")
        kept.close()
        kept.post({}, b"")
    assert side.connections == 2


@pytest.fixture(name="authorities")
def _authorities(tmp_path):
    file = tmp_path / "authorities.pem"
    file.write_text(STUDIO.certificate)
    return str(file)


def encrypted(tmp_path, certificate):
    file = tmp_path / "server.pem"
    file.write_text(certificate.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_an_encrypted_connection_is_kept_as_well(tmp_path, authorities, connections):
    with other_side(context=encrypted(tmp_path, STUDIO.issue())) as side:
        kept = connections(side, scheme="https", authorities=authorities)
        assert [kept.post({}, b"").status for _ in range(3)] == [200, 200, 200]
    assert side.connections == 1


@pytest.mark.parametrize(
    "certificate",
    [CertificateAuthority("Other CA").issue(), STUDIO.issue(address="127.0.0.9"), STUDIO.issue(expired=True)],
    ids=["another authority", "another host", "expired"],
)
def test_nothing_is_sent_to_whom_the_authorities_do_not_vouch_for(tmp_path, authorities, certificate, connections):
    with other_side(context=encrypted(tmp_path, certificate)) as side:
        with pytest.raises(ConnectionError, match="certificate verify failed"):
            connections(side, scheme="https", authorities=authorities).post({}, b"secret")
        assert side.requests == []


def test_the_authorities_are_botocores(monkeypatch, tmp_path):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert "BEGIN CERTIFICATE" in (tmp_path.joinpath(authorities_of(None)).read_text(encoding="utf-8"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests.pem")
    assert authorities_of(None) == "/requests.pem"
    assert authorities_of("/aws.pem") == "/aws.pem"


# --- the calls of clients ----------------------------------------------------------------------------------------


@pytest.fixture(name="environment")
def _environment(monkeypatch):
    for name, text in {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, text)
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(direct_calls, "_PAUSE_SECONDS", 0.0)
    cached = (boto_clients.client, boto_clients._make_patient_once, boto_clients._session)
    for made in cached:
        made.cache_clear()
    yield monkeypatch
    boto_clients.disconnect()
    for made in cached:
        made.cache_clear()


def reached(environment, side):
    environment.setenv("AWS_ENDPOINT_URL", side.url)


def test_a_direct_call_is_on_the_wire_what_botocores_is(environment):
    with other_side() as side:
        reached(environment, side)
        boto_clients.client("dynamodb").put_item(**CLAIM)
        boto_clients.client("dynamodb", attempts=1).put_item(**CLAIM)

    (line, direct, body), (same_line, botocores, same_body) = side.requests
    assert (line, json.loads(body)) == (same_line, json.loads(same_body))
    # botocore tells of its attempts, too.
    assert set(botocores) - set(direct) == {"amz-sdk-invocation-id", "amz-sdk-request"}
    same = ("Host", "Accept-Encoding", "Content-Type", "X-Amz-Target")
    assert [direct[name] for name in same] == [botocores[name] for name in same]


def test_a_call_whose_connection_ended_is_repeated_by_botocore_until_the_attempts_are_used_up(environment):
    with other_side(Last(), Last(), Last()) as side:
        reached(environment, side)
        with pytest.raises(ConnectionClosedError):
            boto_clients.client("dynamodb").put_item(**CLAIM)
        boto_clients.client("dynamodb").put_item(**CLAIM)
    assert len(side.requests) == boto_clients.MAX_ATTEMPTS + 1


def test_an_effect_whose_answer_is_late_is_told_as_botocore_tells_it_and_never_repeated(environment):
    with other_side(Late(answer())) as side:
        reached(environment, side)
        with pytest.raises(ReadTimeoutError, match=side.url):
            boto_clients.client_for_effects("events", read_timeout=1.0).put_events(Entries=[ENTRY])
        side.received.wait(10)
    assert len(side.requests) == 1


def test_a_claim_whose_answer_is_late_is_repeated(environment):
    with other_side(Late(answer())) as side:
        reached(environment, side)
        boto_clients.client("dynamodb", read_timeout=1.0).put_item(**CLAIM)
    assert len(side.requests) == 2


def test_no_connection_goes_into_a_snapshot(environment):
    with other_side() as side:
        reached(environment, side)
        client = boto_clients.client("dynamodb")
        client.put_item(**CLAIM)
        boto_clients.disconnect()
        client.put_item(**CLAIM)
    assert side.connections == 2


def test_behind_a_proxy_botocore_makes_all_calls(environment):
    with other_side() as side:
        environment.setenv("HTTP_PROXY", side.url)
        environment.setenv("AWS_ENDPOINT_URL", "http://dynamodb.example.com")
        boto_clients.client("dynamodb").put_item(**CLAIM)

    assert side.requests[0][0] == b"POST http://dynamodb.example.com/ HTTP/1.1\r\n"
