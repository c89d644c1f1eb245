"""HTTP to vetted addresses only, on the standard library.

urllib3 and httpx would resolve a host's name a second time, after it was vetted; to give them an address, their
connection has to be overridden anyway. ``http.client`` needs one such override, follows no redirects, ignores proxy
variables (a proxy would resolve names itself) and costs nothing to import.
"""

from __future__ import annotations

import heapq
import http
import http.client
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Final, Self

from media_events.adapters.tls_contexts import tls_context
from media_events.core.failures import PermanentConfigError, ProcessingError, TransientError
from media_events.outbound_http.address_guard import Network, Resolver, forbidden, vet
from media_events.outbound_http.client import Request, Response
from media_events.outbound_http.tls import TlsMaterial

DRAINED_RESPONSE_BYTES: Final = 64 * 1024
MAX_IDLE_SECONDS: Final = 15.0
"""Shorter than the idle timeout of common servers, so a reused connection is rarely dead."""

MAX_INTERIM_RESPONSES: Final = 16
_NOT_REUSED: Final = frozenset({http.HTTPStatus.SWITCHING_PROTOCOLS, http.HTTPStatus.MISDIRECTED_REQUEST})
"""A misdirected request may be repeated "over a different connection" (RFC 9110, section 15.5.20)."""
_INTERIM: Final = frozenset(range(100, 200)) - {http.HTTPStatus.SWITCHING_PROTOCOLS}

_Key = tuple[str, str, int, TlsMaterial | None]

_CERTIFICATE_ALERTS: Final = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"}
    | {"SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"}
    | {"TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED"}
)
"""OpenSSL's names of the alerts about a client's certificate (RFC 8446, section 6.2)."""

Connect = Callable[[str, int, float], socket.socket]
"""A connected socket, from address, port and timeout in seconds."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """All addresses of ``host``, from the system's resolver."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def _connect(address: str, port: int, timeout: float) -> socket.socket:
    connected = socket.create_connection((address, port), timeout=timeout)
    # http.client writes head and body separately; with Nagle's algorithm the body would wait 40 ms.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class _FinalResponse(http.client.HTTPResponse):
    """The final answer to a request: the interim ones before it are skipped.

    "A client MUST be able to parse one or more 1xx responses received prior to a final response" (RFC 9110, section
    15.2); ``http.client`` skips 100 alone. 101 stays: nobody asked for another protocol.
    """

    def _read_status(self) -> tuple[str, int, str]:
        # http.client has no public place for this; a unit test meets 103 and 102 on a socket.
        status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
        for _ in range(MAX_INTERIM_RESPONSES):
            if status[1] not in _INTERIM:
                return status
            http.client.parse_headers(self.fp)
            status = super()._read_status()  # type: ignore[misc]
        raise http.client.HTTPException("interim responses without end")


class _Connection(http.client.HTTPConnection):
    """A connection around an open socket to ``address``, so it never resolves a name."""

    auto_open = 0
    response_class = _FinalResponse

    def __init__(self, authority: str, connected: socket.socket, address: str) -> None:
        super().__init__(authority)
        self.sock = connected
        self.address = ip_address(address)
        self.used_at = 0.0


@dataclass(slots=True, eq=False)
class _Deadline:
    """Ends an exchange after ``seconds``, even if the other side keeps sending slowly; a socket's timeout can't.

    ``expired`` says afterwards whether it did.
    """

    seconds: float
    clock: Callable[[], float]
    expired: bool = False
    over: bool = False
    """Whether the exchange has ended."""
    _ends: float = 0.0
    _socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._ends = self.clock() + self.seconds
        _deadlines.watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self._socket = None  # the connection may serve another exchange by now

    def watch(self, connected: socket.socket) -> None:
        self._socket = connected
        if self.expired:
            self.cut()

    def remaining(self) -> float:
        """Seconds until the deadline.

        Raises:
            TimeoutError: it has passed.
        """
        seconds = self._ends - self.clock()
        if self.expired or seconds <= 0:
            self.expired = True
            raise TimeoutError
        return seconds

    def cut(self) -> None:
        """The time is over."""
        self.expired = True
        connected = self._socket
        if connected is not None:
            try:
                # Not SSLSocket.shutdown, which would touch the TLS object that the other thread uses.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return


class _Deadlines:
    """Cuts exchanges whose time is over, all in one thread: one for each exchange would cost more than the exchange."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, _Deadline]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def watch(self, deadline: _Deadline) -> None:
        """Cut ``deadline`` when it has passed, unless it is over by then."""
        ends = time.monotonic() + deadline.seconds
        with self._changed:
            while self._waiting and self._waiting[0][2].over:
                heapq.heappop(self._waiting)
            heapq.heappush(self._waiting, (ends, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._waiting[0][2] is deadline:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._waiting and self._waiting[0][2].over:
                    heapq.heappop(self._waiting)
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                deadline = heapq.heappop(self._waiting)[2]
            deadline.cut()


_deadlines = _Deadlines()


@dataclass(slots=True)
class PinnedHttpClient:
    """Implements ``outbound_http.client.HttpClient``. Threads share the client, never a connection."""

    resolve: Resolver = system_resolver
    connect: Connect = _connect
    clock: Callable[[], float] = time.monotonic
    _idle: dict[_Key, list[_Connection]] = field(default_factory=dict)

    def post(self, request: Request) -> Response:
        """Send ``request`` to a vetted address."""
        return self._perform(request)

    def get(self, request: Request) -> Response:
        """Send ``request`` as a GET to a vetted address."""
        return self._perform(replace(request, method="GET"))

    def _perform(self, request: Request) -> Response:
        with _Deadline(request.timeout_seconds, self.clock) as deadline:
            try:
                return self._exchange(request, deadline)
            except ProcessingError:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _failure(request, error, expired=deadline.expired) from error

    def _exchange(self, request: Request, deadline: _Deadline) -> Response:
        key = (request.target.scheme, request.target.host, request.target.port, request.tls)
        idle = self._take(key, request.allowed_networks)
        if idle is not None and idle.sock is not None and self.clock() - idle.used_at <= MAX_IDLE_SECONDS:
            try:
                return self._send(idle, request, deadline, key)
            except (http.client.RemoteDisconnected, ConnectionError):
                # The server closed the idle connection. If it took the request first, the idempotency key protects it.
                idle.close()
                deadline.remaining()
        elif idle is not None:
            idle.close()
        return self._send(self._open(request, deadline), request, deadline, key)

    def _open(self, request: Request, deadline: _Deadline) -> _Connection:
        target = request.target
        addresses = _bounded(lambda: vet(target, self.resolve, request.allowed_networks), deadline)
        connected: socket.socket | None = None
        for index, address in enumerate(addresses):
            share = deadline.remaining() / (len(addresses) - index)
            try:
                connected = self.connect(address, target.port, share)
                break
            except OSError as error:
                if index == len(addresses) - 1:
                    raise TransientError(
                        "connect-failed", f"{target.url} did not take the connection: {_reason(error)}"
                    ) from error
        if connected is None:
            raise TransientError("connect-failed", f"{target.url} has no address")
        if target.scheme == "https":
            connected = _encrypt(connected, request, deadline)
        return _Connection(target.authority, connected, address)

    def _take(self, key: _Key, allowed: tuple[Network, ...]) -> _Connection | None:
        """An idle connection to an address that ``allowed`` lets through, whatever let it through when it was made."""
        idle = self._idle.get(key, [])
        for _ in range(len(idle)):
            try:
                connection = idle.pop()
            except IndexError:  # another thread was first
                return None
            if forbidden(connection.address, allowed) is None:
                return connection
            idle.insert(0, connection)
        return None

    def _send(self, connection: _Connection, request: Request, deadline: _Deadline, key: _Key) -> Response:
        try:
            connected: Any = connection.sock
            deadline.watch(connected)
            connected.settimeout(deadline.remaining())
            connection.request(
                request.method,
                request.target.path,
                body=request.body or None,
                headers={**request.headers, "Host": request.target.authority},
            )
            answer = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        body, cut = _body(answer, request, deadline)
        if cut is None and answer.isclosed() and connection.sock is not None and answer.status not in _NOT_REUSED:
            connection.used_at = self.clock()
            self._idle.setdefault(key, []).append(connection)
        else:
            connection.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(status=answer.status, headers=headers, body=body, cut=cut)


def _body(
    answer: http.client.HTTPResponse, request: Request, deadline: _Deadline
) -> tuple[bytes, ProcessingError | None]:
    """The beginning of the body, and the failure that ended it before its end.

    A connection can be reused only after its answer has been read to the end.
    """
    body = b""
    try:
        while len(body) < request.kept_bytes and (part := answer.read1(request.kept_bytes - len(body))):
            body += part
        answer.read(DRAINED_RESPONSE_BYTES)
        if deadline.expired or (answer.isclosed() and answer.length):
            # A socket that is shut down, here or there, reads as an end, and http.client lets it pass.
            raise ConnectionError("in the middle of the answer")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return body, _failure(request, error, expired=deadline.expired)
    return body, None


def _encrypt(connected: socket.socket, request: Request, deadline: _Deadline) -> ssl.SSLSocket:
    try:
        context = tls_context(request.tls)
        # The handshake comes later, so the deadline can shut down the socket that it waits on.
        encrypted = context.wrap_socket(connected, server_hostname=request.target.host, do_handshake_on_connect=False)
    except BaseException:
        connected.close()
        raise
    try:
        deadline.watch(encrypted)
        encrypted.settimeout(deadline.remaining())
        encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted


def _bounded(work: Callable[[], tuple[str, ...]], deadline: _Deadline) -> tuple[str, ...]:
    """Run ``work`` until the deadline; the system's resolver takes no timeout."""
    outcome: list[tuple[str, ...]] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001  # raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if errors:
        raise errors[0]
    if not outcome:
        deadline.expired = True
        raise TimeoutError
    return outcome[0]


def _failure(request: Request, error: Exception, *, expired: bool) -> ProcessingError:
    where = request.target.url
    if expired or isinstance(error, TimeoutError):
        return TransientError("timeout", f"{where} did not answer within {request.timeout_seconds:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = "an authority of your own goes into tls.ca_secret_arn"
        return PermanentConfigError("tls-untrusted", f"{where} is not trusted: {_reason(error)}; {advice}")
    if isinstance(error, ssl.SSLError) and error.reason in _CERTIFICATE_ALERTS:
        advice = "see tls.client_certificate_secret_arn"
        return PermanentConfigError("tls-refused", f"{where} does not take our certificate, or wants one: {advice}")
    if isinstance(error, ssl.SSLError):
        return TransientError("tls-failed", f"no TLS connection to {where}: {_reason(error)}")
    if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
        return TransientError("bad-response", f"{where} answered with what is not HTTP: {type(error).__name__}")
    return TransientError("connection-lost", f"the connection to {where} ended without an answer: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    text = error.strerror if isinstance(error, OSError) else None
    return text or type(error).__name__
