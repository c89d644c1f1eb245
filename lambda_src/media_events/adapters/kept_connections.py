"""Connections to an endpoint of AWS that stay open, on the standard library.

An exchange over botocore's session, which is urllib3's, takes 300 µs of CPU; this takes 60. It trusts the authorities
that botocore trusts, and knows no proxies.
"""

from __future__ import annotations

import functools
import http.client
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

CHECKSUM: Final = "x-amz-crc32"
MAX_IDLE_SECONDS: Final = 60.0
"""As in AWS's SDK for Java 2 (``SdkHttpConfigurationOption.CONNECTION_MAX_IDLE_TIMEOUT``). While Lambda has frozen a
sandbox, AWS may close a connection without the sandbox's learning of it."""
_PORTS: Final = {"http": 80, "https": 443}


class Answer(NamedTuple):
    """Whatever AWS answered; ``checksum`` is DynamoDB's header of the body's CRC-32."""

    status: int
    body: bytes
    checksum: str | None


class KeptConnections:
    """Threads share them; each exchange has one by itself, so there are as many as there were exchanges at a time."""

    def __init__(
        self,
        url: str,
        *,
        authorities: str,
        connect_timeout: float,
        read_timeout: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``authorities`` is a file of certificates in PEM, ``url`` has no path, timeouts are seconds."""
        parts = urlsplit(url)
        self._host: Final = str(parts.hostname)
        self._port: Final = parts.port or _PORTS[parts.scheme]
        self._authorities: Final = authorities if parts.scheme == "https" else None
        self._connect_timeout: Final = connect_timeout
        self._read_timeout: Final = read_timeout
        self._clock: Final = clock
        self._idle: Final[list[tuple[socket.socket, float]]] = []

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post ``body`` to ``/``.

        Raises:
            TimeoutError: it was sent, and the answer did not come in time.
            ConnectionError: it could not be sent whole, or the connection ended before the answer did.
            ValueError: a header is no text for HTTP.
        """
        length = {"Accept-Encoding": "identity", "Content-Length": str(len(body))}
        head = "".join([f"{name}: {text}\r\n" for name, text in {**headers, **length}.items()])
        message = f"POST / HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        try:
            connected = self._take() or self._connect()
        except OSError as error:
            raise ConnectionError(f"no connection to {self._host}: {error}") from error
        try:
            # In one piece: ``http.client`` would send head and body one after the other.
            connected.sendall(message)
        except OSError as error:
            connected.close()
            raise ConnectionError(f"the request to {self._host} could not be sent: {error}") from error
        try:
            answer, stays_open = _answer(connected)
        except TimeoutError:
            connected.close()
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            connected.close()
            raise ConnectionError(f"{self._host} gave no whole answer: {error}") from error
        if stays_open:
            self._idle.append((connected, self._clock()))
        else:
            connected.close()
        return answer

    def close(self) -> None:
        """Close those that are idle; the next exchange opens another."""
        while (idle := self._pop()) is not None:
            idle[0].close()

    def _take(self) -> socket.socket | None:
        while (idle := self._pop()) is not None:
            connected, since = idle
            if self._clock() - since < MAX_IDLE_SECONDS and not _is_dropped(connected):
                return connected
            connected.close()
        return None

    def _pop(self) -> tuple[socket.socket, float] | None:
        try:
            return self._idle.pop()
        except IndexError:  # there is none, or another thread was first
            return None

    def _connect(self) -> socket.socket:
        connected = socket.create_connection((self._host, self._port), timeout=self._connect_timeout)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._authorities is not None:
                connected = _tls_context(self._authorities).wrap_socket(connected, server_hostname=self._host)
            connected.settimeout(self._read_timeout)
        except BaseException:
            connected.close()
            raise
        return connected


def authorities_of(configured: str | None) -> str:
    """The file of authorities that botocore trusts, where ``ca_bundle`` of its configuration is ``configured``."""
    from botocore.httpsession import get_cert_path  # noqa: PLC0415  # as in boto_clients

    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or str(get_cert_path(True))  # noqa: FBT003


def is_proxied(url: str) -> bool:
    """Whether botocore would go to ``url`` by a proxy."""
    from botocore.utils import get_environ_proxies  # noqa: PLC0415  # as in boto_clients

    return bool(get_environ_proxies(url))


def _answer(connected: socket.socket) -> tuple[Answer, bool]:
    """The answer to what was sent, and whether the connection stays open after it."""
    response = http.client.HTTPResponse(connected, method="POST")
    try:
        response.begin()
        answer = Answer(response.status, response.read(), response.headers.get(CHECKSUM))
    finally:
        response.close()
    return answer, not response.will_close


@functools.cache
def _tls_context(authorities: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authorities)
    return context


def _is_dropped(connected: socket.socket) -> bool:
    """Whether the other side has closed a connection on which no answer is due."""
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
