"""The downstream systems of the demonstration: an HTTP server on loopback that records its requests.

Each path below `/` is a system of its own (`/cms`, `/review-tool`). It can be made to fail, and be given a key that its
callers must have (``fake_systems`` says which kind):

    PUT /_control/review-tool?status=503     answer 503 from now on (200: work again)
    PUT /_keys/cms                           the body is the key
    GET /_control                            the answers that were set, by system
    GET /_requests?after=N                   the requests after the first N, oldest first, as JSON
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from media_events_kit.ops.demo.fake_systems import FakeSystems, Reply
from media_events_kit.ops.shared.json_files import object_in

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
_SECRET: Final = frozenset({"authorization", "x-api-key"})
"""Headers that are not recorded: anybody who reaches the port can read the records."""
CONTROL: Final = "/_control"
KEYS: Final = "/_keys"
REQUESTS: Final = "/_requests"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request and the status of its answer. ``time`` is RFC 3339 text in UTC."""

    time: str
    system: str
    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: str

    @property
    def event_id(self) -> str | None:
        """The event's id: from a header (binary mode; every delivery's key) or from the body (structured mode)."""
        if "ce-id" in self.headers:
            return self.headers["ce-id"]
        if "idempotency-key" in self.headers:
            return self.headers["idempotency-key"].partition("/")[2]  # after the source
        event_id = object_in(self.body).get("id")
        return event_id if isinstance(event_id, str) else None


@dataclass(slots=True)
class Systems:
    """The systems behind the paths: their set answers, and their requests."""

    answers: dict[str, int] = field(default_factory=dict)
    fake_systems: FakeSystems = field(default_factory=FakeSystems)
    received: list[ReceivedRequest] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Record a request, and answer it."""
        system = urlsplit(path).path.strip("/").split("/")[0]
        named = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            if self.answers.get(system, HTTPStatus.OK) == HTTPStatus.OK:
                reply = self.fake_systems.reply(method, path, named, body)
            else:
                status = HTTPStatus(self.answers[system])
                reply = Reply(status, {"status": status.phrase})
            self.received.append(
                ReceivedRequest(
                    time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                    system=system,
                    method=method,
                    path=path,
                    status=int(reply.status),
                    headers={name: value for name, value in named.items() if name not in _SECRET},
                    body="" if "ims/token" in path else body.decode("utf-8", errors="replace"),
                )
            )
        return reply

    def set_answer(self, system: str, status: int) -> None:
        """Answer requests to ``system`` with ``status`` from now on."""
        with self._lock:
            self.answers[system] = status

    def set_key(self, system: str, key: str) -> None:
        """Accept only callers with ``key`` from now on."""
        with self._lock:
            self.fake_systems.keys[system] = key

    def after(self, count: int) -> list[dict[str, Any]]:
        """The requests after the first ``count``."""
        with self._lock:
            return [asdict(request) for request in self.received[max(0, count) :]]


class ReceiverServer(ThreadingHTTPServer):
    """The server of ``systems``."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.systems = Systems()


class _Handler(BaseHTTPRequestHandler):
    server: ReceiverServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        self._reply("POST", body)

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        body = self._body()
        if body is None:
            return
        if url.path.startswith(KEYS + "/"):
            self.server.systems.set_key(url.path.removeprefix(KEYS + "/"), body.decode("utf-8", errors="replace"))
            self._answer(HTTPStatus.OK, {"status": "OK"})
            return
        try:
            status = HTTPStatus(int(parse_qs(url.query)["status"][0]))
        except (KeyError, ValueError):
            self._answer(HTTPStatus.BAD_REQUEST, {"error": f"PUT {CONTROL}/<system>?status=<HTTP status>"})
            return
        if not url.path.startswith(CONTROL + "/"):
            self._answer(HTTPStatus.NOT_FOUND, {"error": "not found"})
            return
        self.server.systems.set_answer(url.path.removeprefix(CONTROL + "/"), status)
        self._answer(HTTPStatus.OK, self.server.systems.answers)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == REQUESTS:
            after = parse_qs(url.query).get("after", ["0"])[0]
            self._answer(HTTPStatus.OK, self.server.systems.after(int(after) if after.isdigit() else 0))
        elif url.path == CONTROL:
            self._answer(HTTPStatus.OK, self.server.systems.answers)
        else:
            self._reply("GET", b"")

    def _reply(self, method: str, body: bytes) -> None:
        reply = self.server.systems.take(method, self.path, dict(self.headers.items()), body)
        self._answer(reply.status, reply.document)

    def _body(self) -> bytes | None:
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "too large"})
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def main() -> None:
    """Serve until stopped: `python -m media_events_kit.ops.demo.http_receiver --port PORT [--down SYSTEM]…`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--down", action="append", default=[], help="a system that answers 503 from the start")
    options = parser.parse_args()
    server = ReceiverServer(options.port)
    for system in options.down:
        server.systems.set_answer(system, HTTPStatus.SERVICE_UNAVAILABLE)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
