"""HTTP to vetted addresses only, on the standard library.

urllib3 and httpx resolve a host's name themselves, and so again, after it has been vetted; making them connect to a
given address means overriding their connection anyway. ``http.client`` needs one such override, follows no redirects,
ignores proxy variables (a proxy would do its own resolving) and costs nothing to import.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from media_events.core.failures import ProcessingError, TransientError
from media_events.outbound_http.address_guard import Resolver, vet
from media_events.outbound_http.client import Request, Response

DRAINED_RESPONSE_BYTES: Final = 64 * 1024
MAX_IDLE_SECONDS: Final = 15.0
"""Shorter than common servers keep an idle connection, so that a reused one is rarely dead."""

_Key = tuple[str, str, int]

Connect = Callable[[str, int, float], socket.socket]
"""Address, port and timeout to a connected socket."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Every address that the system's resolver knows for ``host``."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def _connect(address: str, port: int, timeout: float) -> socket.socket:
    connected = socket.create_connection((address, port), timeout=timeout)
    # http.client writes head and body apart; waiting for the head's acknowledgement in between costs 40 ms.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class _Connection(http.client.HTTPConnection):
    """A connection that has its socket already, so that it never resolves a name."""

    auto_open = 0

    def __init__(self, authority: str, connected: socket.socket) -> None:
        super().__init__(authority)
        self.sock = connected
        self.used_at = 0.0


@dataclass(slots=True)
class _Deadline:
    """Ends an exchange at a point in time, however slowly the other side drips: a socket's own timeout can't.

    ``expired`` says afterwards whether it had to.
    """

    seconds: float
    clock: Callable[[], float]
    expired: bool = False
    _ends: float = 0.0
    _timer: threading.Timer | None = None
    _socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._ends = self.clock() + self.seconds
        self._timer = threading.Timer(self.seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def watch(self, connected: socket.socket) -> None:
        self._socket = connected
        if self.expired:
            self._cut()

    def left(self) -> float:
        """Seconds until the end.

        Raises:
            TimeoutError: it has come.
        """
        left = self._ends - self.clock()
        if self.expired or left <= 0:
            self.expired = True
            raise TimeoutError
        return left

    def _cut(self) -> None:
        self.expired = True
        connected = self._socket
        if connected is not None:
            try:
                # A plain shutdown: that of an SSLSocket would touch the TLS object in use by the other thread.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
            except OSError:
                return


@dataclass(slots=True)
class PinnedHttpClient:
    """Fulfils ``delivery.exchange.HttpClient``. Keeps idle connections; threads share it, never a connection."""

    resolve: Resolver = system_resolver
    connect: Connect = _connect
    clock: Callable[[], float] = time.monotonic
    context: ssl.SSLContext | None = None
    _idle: dict[_Key, list[_Connection]] = field(default_factory=dict)

    def post(self, request: Request) -> Response:
        """Send ``request`` to a vetted address; see ``delivery.exchange.HttpClient``."""
        return self._carried_out(request)

    def get(self, request: Request) -> Response:
        """Send ``request`` as a GET to a vetted address; see ``transforming.means.Partners``."""
        return self._carried_out(replace(request, method="GET"))

    def _carried_out(self, request: Request) -> Response:
        with _Deadline(request.timeout_seconds, self.clock) as deadline:
            try:
                return self._exchange(request, deadline)
            except ProcessingError:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise _failure(request, error, expired=deadline.expired) from error

    def _exchange(self, request: Request, deadline: _Deadline) -> Response:
        key = (request.target.scheme, request.target.host, request.target.port)
        kept = self._take(key)
        if kept is not None and kept.sock is not None and self.clock() - kept.used_at <= MAX_IDLE_SECONDS:
            try:
                return self._send(kept, request, deadline, key)
            except (http.client.RemoteDisconnected, ConnectionError):
                # The server closed the idle connection as we reached for it; the idempotency key covers the rest.
                kept.close()
                deadline.left()
        elif kept is not None:
            kept.close()
        return self._send(self._open(request, deadline), request, deadline, key)

    def _open(self, request: Request, deadline: _Deadline) -> _Connection:
        target = request.target
        addresses = _bounded(lambda: vet(target, self.resolve, request.allowed_networks), deadline)
        connected: socket.socket | None = None
        for index, address in enumerate(addresses):
            share = deadline.left() / (len(addresses) - index)
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
            connected = self._encrypt(connected, target.host, deadline)
        return _Connection(target.authority, connected)

    def _encrypt(self, connected: socket.socket, host: str, deadline: _Deadline) -> ssl.SSLSocket:
        if self.context is None:
            self.context = ssl.create_default_context()
        # The handshake comes second, so that the deadline can cut the very socket that it waits on.
        encrypted = self.context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        try:
            deadline.watch(encrypted)
            encrypted.settimeout(deadline.left())
            encrypted.do_handshake()
        except BaseException:
            encrypted.close()
            raise
        return encrypted

    def _take(self, key: _Key) -> _Connection | None:
        try:
            return self._idle[key].pop()
        except (KeyError, IndexError):
            return None

    def _send(self, connection: _Connection, request: Request, deadline: _Deadline, key: _Key) -> Response:
        try:
            connected: Any = connection.sock
            deadline.watch(connected)
            connected.settimeout(deadline.left())
            connection.request(
                request.method,
                request.target.path,
                body=request.body or None,
                headers={**request.headers, "Host": request.target.authority},
            )
            answer = connection.getresponse()
            body = answer.read(request.kept_bytes)
            response = Response(
                status=answer.status,
                headers={name.lower(): value for name, value in answer.getheaders()},
                body=body,
            )
            # A connection can be used again only when its answer has been read to the end.
            answer.read(DRAINED_RESPONSE_BYTES)
        except BaseException:
            connection.close()
            raise
        if answer.isclosed() and connection.sock is not None and not deadline.expired:
            connection.used_at = self.clock()
            self._idle.setdefault(key, []).append(connection)
        else:
            connection.close()
        return response


def _bounded(work: Callable[[], tuple[str, ...]], deadline: _Deadline) -> tuple[str, ...]:
    """Run ``work`` until the deadline; the system's resolver knows no timeout of ours."""
    outcome: list[tuple[str, ...]] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001  # raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline.left())
    if errors:
        raise errors[0]
    if not outcome:
        deadline.expired = True
        raise TimeoutError
    return outcome[0]


def _failure(request: Request, error: Exception, *, expired: bool) -> TransientError:
    where = request.target.url
    if expired or isinstance(error, TimeoutError):
        return TransientError("timeout", f"{where} did not answer within {request.timeout_seconds:g} s")
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
