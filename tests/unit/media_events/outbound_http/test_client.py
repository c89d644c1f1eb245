"""The HTTP client on sockets that are none: pinning, no redirects, reuse, deadlines, hostile answers."""

from __future__ import annotations

import io
import socket
import threading
from http.client import NotConnected

import pytest

from media_events.adapters.http_client import MAX_IDLE_SECONDS, PinnedHttpClient, _Connection
from media_events.core.failures import PermanentConfigError, TransientError
from media_events.outbound_http.address_guard import parse_networks, parse_target
from media_events.outbound_http.client import Request
from tests.fakes.hop import FakeClock

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PRIVATE = parse_networks(["10.0.0.0/8"])


class FakeSocket:
    """Answers each request with the next of ``answers``; an exception is raised, ``None`` hangs until it is cut."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = b""
        self.cut = threading.Event()
        self.closed = False

    def sendall(self, data):
        self.sent += data

    def makefile(self, *_arguments, **_options):
        answer = self.answers.pop(0) if self.answers else b""
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            return Hanging(self.cut)
        return io.BytesIO(answer)

    def settimeout(self, seconds):
        assert seconds > 0

    def close(self):
        self.closed = True


class Hanging(io.RawIOBase):
    def __init__(self, cut):
        self.cut = cut

    def readline(self, _limit=-1):
        assert self.cut.wait(10)
        return b""


class Network:
    """Connects to ``sockets`` in order and remembers to which addresses; an exception refuses a connection."""

    def __init__(self, *sockets):
        self.sockets = list(sockets)
        self.connected = []

    def __call__(self, address, port, timeout):
        assert timeout > 0
        self.connected.append((address, port))
        made = self.sockets.pop(0)
        if isinstance(made, Exception):
            raise made
        return made


@pytest.fixture(autouse=True)
def _cut_without_a_kernel(monkeypatch):
    monkeypatch.setattr(socket.socket, "shutdown", lambda connected, _how: connected.cut.set())


def client(network, *, addresses=("8.8.8.8",), clock=None):
    return PinnedHttpClient(resolve=lambda _host, _port: list(addresses), connect=network, clock=clock or (lambda: 0.0))


def request(url="http://hooks.example.com/in?a=b", *, timeout=10.0, allowed=()):
    target = parse_target(url, allow_http=True, allowed=allowed)
    return Request(target, {"X-A": "1"}, b"{}", timeout, allowed)


def test_a_request_goes_to_the_vetted_address_and_names_the_host():
    wire = FakeSocket(OK)
    network = Network(wire)
    response = client(network).post(request())
    assert (response.status, response.body) == (200, b"ok")
    assert network.connected == [("8.8.8.8", 80)]
    assert wire.sent.startswith(b"POST /in?a=b HTTP/1.1\r\n")
    assert wire.sent.count(b"Host: hooks.example.com\r\n") == 1
    assert wire.sent.endswith(b"\r\n\r\n{}")


@pytest.mark.attack("N1")
def test_nothing_is_sent_to_a_forbidden_address():
    network = Network()
    with pytest.raises(PermanentConfigError):
        client(network, addresses=("8.8.8.8", "169.254.169.254")).post(request())
    assert network.connected == []


def test_a_name_is_resolved_once_per_connection():
    asked = []

    def resolve(host, _port):
        asked.append(host)
        return ["8.8.8.8"]

    network = Network(FakeSocket(OK))
    PinnedHttpClient(resolve=resolve, connect=network, clock=lambda: 0.0).post(request())
    assert asked == ["hooks.example.com"]


@pytest.mark.attack("N7")
def test_a_redirect_is_reported_and_not_followed():
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    network = Network(FakeSocket(answer))
    assert client(network).post(request()).status == 302
    assert len(network.connected) == 1


@pytest.mark.attack("N8")
def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://10.0.0.1:3128")
    network = Network(FakeSocket(OK))
    client(network).post(request())
    assert network.connected == [("8.8.8.8", 80)]


def test_a_private_address_is_reached_where_it_is_allowed():
    network = Network(FakeSocket(OK))
    client(network, addresses=("10.1.2.3",)).post(request(allowed=PRIVATE))
    assert network.connected == [("10.1.2.3", 80)]


# --- connections -------------------------------------------------------------------------------------------------


def test_a_connection_serves_several_requests():
    wire = FakeSocket(OK, OK)
    network = Network(wire)
    sender = client(network)
    sender.post(request())
    sender.post(request())
    assert len(network.connected) == 1
    assert wire.sent.count(b"POST ") == 2


def test_a_connection_that_the_server_closed_meanwhile_is_replaced():
    network = Network(FakeSocket(OK, b""), FakeSocket(OK))
    sender = client(network)
    sender.post(request())
    assert sender.post(request()).status == 200
    assert len(network.connected) == 2


@pytest.mark.attack("N4")
def test_a_replaced_connection_is_vetted_anew():
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    network = Network(FakeSocket(OK, b""))
    sender = PinnedHttpClient(resolve=lambda _h, _p: answers.pop(0), connect=network, clock=lambda: 0.0)
    sender.post(request())
    with pytest.raises(PermanentConfigError):
        sender.post(request())


@pytest.mark.attack("N5")
def test_n5_an_idle_connection_is_for_those_alone_who_may_reach_its_address():
    private, public = FakeSocket(OK, OK), FakeSocket(OK)
    network = Network(private, public)
    answers = [["10.0.0.7"], ["10.0.0.7"], ["8.8.8.8"]]
    sender = PinnedHttpClient(resolve=lambda _h, _p: answers.pop(0), connect=network, clock=lambda: 0.0)
    sender.post(request(allowed=PRIVATE))
    with pytest.raises(PermanentConfigError) as refused:
        sender.post(request())
    assert refused.value.code == "address-forbidden"
    # Who may reach the address still reuses the connection to it.
    sender.post(request(allowed=PRIVATE))
    assert private.sent.count(b"POST ") == 2
    sender.post(request())
    assert public.sent.count(b"POST ") == 1
    assert len(network.connected) == 2


def test_an_idle_connection_is_not_kept_for_long():
    clock = FakeClock()
    first = FakeSocket(OK)
    network = Network(first, FakeSocket(OK))
    sender = client(network, clock=clock)
    sender.post(request())
    clock.now += MAX_IDLE_SECONDS + 1
    sender.post(request())
    assert (len(network.connected), first.closed) == (2, True)


def test_a_connection_is_closed_when_the_server_says_so():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    network = Network(FakeSocket(closing), FakeSocket(OK))
    sender = client(network)
    sender.post(request())
    sender.post(request())
    assert len(network.connected) == 2


def test_a_connection_never_connects_by_itself():
    connection = _Connection("hooks.example.com", FakeSocket(), "8.8.8.8")
    connection.close()
    with pytest.raises(NotConnected):
        connection.request("POST", "/")


def test_the_next_address_is_tried_when_one_refuses():
    network = Network(ConnectionRefusedError(), FakeSocket(OK))
    assert client(network, addresses=("8.8.8.8", "1.1.1.1")).post(request()).status == 200
    assert [address for address, _ in network.connected] == ["8.8.8.8", "1.1.1.1"]


# --- hostile and broken answers ----------------------------------------------------------------------------------


@pytest.mark.attack("N10")
def test_only_the_beginning_of_an_answer_is_kept():
    body = b"x" * 200_000
    answer = b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    wire = FakeSocket(answer)
    response = client(Network(wire)).post(request())
    assert len(response.body) == 8192
    assert wire.closed


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "connection-lost"),
        (b"SSH-2.0-OpenSSH\r\n", "bad-response"),
        (b"HTTP/1.1 abc\r\n\r\n", "bad-response"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", "bad-response"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "bad-response"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + OK, "bad-response"),
        (ConnectionResetError(), "connection-lost"),
        (TimeoutError(), "timeout"),
    ],
)
def test_a_broken_answer_is_a_failure_that_may_pass(answer, code):
    with pytest.raises(TransientError) as failed:
        client(Network(FakeSocket(answer))).post(request())
    assert failed.value.code == code


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"])
def test_interim_answers_before_the_final_one_are_skipped(interim):
    hints = f"HTTP/1.1 {interim}\r\nLink: </a.css>; rel=preload\r\n\r\n".encode()
    wire = FakeSocket(hints + hints + b"HTTP/1.1 200 OK\r\nX-Final: yes\r\nContent-Length: 2\r\n\r\nok", OK)
    sender = client(Network(wire))
    response = sender.post(request())
    assert (response.status, response.headers.get("x-final"), response.body) == (200, "yes", b"ok")
    assert sender.post(request()).status == 200, "the connection is in step and is used again"


def test_nobody_asked_for_another_protocol():
    wire = FakeSocket(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")
    assert client(Network(wire)).post(request()).status == 101
    assert wire.closed


@pytest.mark.parametrize("status", [b"200 OK", b"422 Unprocessable Content"])
@pytest.mark.parametrize(
    ("rest", "read", "code"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", b"ab", "bad-response"),
        (b"Content-Length: 9\r\n\r\nab", b"ab", "connection-lost"),
    ],
)
def test_the_status_stands_whatever_becomes_of_the_body(status, rest, read, code):
    wire = FakeSocket(b"HTTP/1.1 " + status + b"\r\n" + rest)
    response = client(Network(wire)).post(request())
    assert (response.status, response.body) == (int(status[:3]), read)
    assert response.cut is not None
    assert response.cut.code == code
    assert wire.closed


def test_a_misdirected_request_is_repeated_on_another_connection():
    first, second = FakeSocket(b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n"), FakeSocket(OK)
    sender = client(Network(first, second))
    assert [sender.post(request()).status for _ in range(2)] == [421, 200]


def test_a_refused_connection_may_be_accepted_later():
    with pytest.raises(TransientError) as failed:
        client(Network(ConnectionRefusedError())).post(request())
    assert failed.value.code == "connect-failed"


@pytest.mark.attack("N9")
def test_an_answer_that_never_comes_is_cut_at_the_deadline():
    wire = FakeSocket(None)
    with pytest.raises(TransientError) as failed:
        client(Network(wire)).post(request(timeout=0.05))
    assert failed.value.code == "timeout"
    assert wire.cut.is_set()


@pytest.mark.attack("N9")
def test_a_short_deadline_is_kept_while_a_longer_one_runs():
    patient, hasty = FakeSocket(None), FakeSocket(None)
    waiting = threading.Thread(target=lambda: _outcome(client(Network(patient)), request(timeout=5)), daemon=True)
    waiting.start()
    while not patient.sent:
        waiting.join(0.01)

    assert _outcome(client(Network(hasty)), request(timeout=0.05)) == "timeout"

    assert hasty.cut.is_set()
    assert not patient.cut.is_set()
    patient.cut.set()
    waiting.join(10)


def test_an_exchange_that_was_in_time_cuts_no_later_one_and_all_share_a_thread():
    wire = FakeSocket(OK, OK)
    sender = client(Network(wire))
    before = threading.active_count()
    assert sender.post(request(timeout=1)).status == 200
    assert not wire.cut.wait(1.2)
    assert sender.post(request(timeout=5)).status == 200
    assert threading.active_count() <= before + 1


def _outcome(sender, asked):
    try:
        return sender.post(asked).status
    except TransientError as error:
        return error.code


@pytest.mark.attack("N9")
def test_a_resolver_that_never_answers_is_left_at_the_deadline():
    never = threading.Event()
    network = Network()

    def resolve(_host, _port):
        never.wait(10)
        return ["8.8.8.8"]

    sender = PinnedHttpClient(resolve=resolve, connect=network)
    with pytest.raises(TransientError) as failed:
        sender.post(request(timeout=0.05))
    never.set()
    assert failed.value.code == "timeout"


@pytest.mark.attack("N11")
def test_the_query_which_may_hold_a_token_is_in_no_message():
    with pytest.raises(TransientError) as failed:
        client(Network(ConnectionRefusedError())).post(request("http://hooks.example.com/in?token=planted"))
    assert "planted" not in failed.value.message
