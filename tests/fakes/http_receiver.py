"""Receivers on this machine: one that wants bearer tokens and gives them out, and one that is down when told to be."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CLIENT = {"client_id": "kit", "client_secret": "s3cret/+"}


def event_of(headers: dict[str, str]) -> str:
    """The id of the event that a request with these headers (in lower case) is about."""
    return headers.get("idempotency-key", "").rpartition("/")[2]


class Receivers(ThreadingHTTPServer):
    """What came, by path: headers in lower case and the body. ``down`` are paths that answer 503.

    ``refused`` are events that are answered 422, by their ids. Without ``keep_alive`` each connection ends with its
    answer, so that what comes later goes to the port's next owner.
    """

    daemon_threads = True

    def __init__(self, port: int = 0, *, keep_alive: bool = True) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.arrived: list[tuple[str, dict[str, str], bytes, int]] = []
        self.keep_alive = keep_alive
        self.down: set[str] = set()
        self.refused: set[str] = set()
        self.token = "token-1"
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def at(self, path: str, *, status: int = 204) -> list[tuple[dict[str, str], bytes]]:
        """What came to ``path`` and was answered with ``status``."""
        with self.lock:
            return [(headers, body) for came, headers, body, given in self.arrived if (came, given) == (path, status)]

    def go_away(self) -> None:
        """Stop, and take no more connections."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receivers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path == "/token":
            return self._token(headers, body)
        status = 503 if self.path in self.server.down else 204
        if event_of(headers) in self.server.refused:
            status = 422
        if self.path == "/bearer" and headers.get("authorization") != f"Bearer {self.server.token}":
            status = 401
        with self.server.lock:
            self.server.arrived.append((self.path, headers, body, status))
        return self._answer(status)

    def _token(self, headers: dict[str, str], body: bytes) -> None:
        expected = base64.b64encode(b"kit:s3cret%2F%2B").decode()
        form = parse_qs(body.decode())
        if headers.get("authorization") != f"Basic {expected}" or form.get("scope") != ["assets"]:
            return self._answer(401, {"error": "invalid_client"})
        return self._answer(200, {"access_token": self.server.token, "token_type": "Bearer", "expires_in": 3600})

    def _answer(self, status: int, document: Any = None) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if not self.server.keep_alive:
            self.send_header("Connection", "close")  # which also ends it here
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: what came is in ``arrived``."""
