"""Frame.io's API as far as a lookup knows it, with Adobe's token endpoint, on this machine."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CREDENTIALS = {"client_id": "kit", "client_secret": "s3cret/+"}


class FrameIo(ThreadingHTTPServer):
    """Serves ``files`` by id. ``failing`` answers come first; ``served`` counts what was asked."""

    daemon_threads = True

    def __init__(self, account: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.account = account
        self.files: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.failing: list[tuple[int, dict[str, str]]] = []
        self.served: Counter[str] = Counter()
        self.connections = 0
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def go_away(self) -> None:
        """Stop, and take no more connections."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FrameIo

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        with self.server.lock:
            self.server.served["token"] += 1
            token = f"token-{self.server.served['token']}"
        if form.get("client_secret") != [CREDENTIALS["client_secret"]] or form["grant_type"] != ["client_credentials"]:
            return self._answer(401, {"error": "invalid_client"})
        self.server.tokens.add(token)
        return self._answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 86399})

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.served["file"] += 1
            failing = self.server.failing.pop(0) if self.server.failing else None
        if failing is not None:
            return self._answer(failing[0], {"errors": []}, failing[1])
        if self.headers["Authorization"].removeprefix("Bearer ") not in self.server.tokens:
            return self._answer(401, {"errors": [{"detail": "token expired"}]})
        paths = {f"/v4/accounts/{self.server.account}/files/{name}": file for name, file in self.server.files.items()}
        if self.path not in paths:
            return self._answer(404, {"errors": [{"detail": "Not Found"}]})
        return self._answer(200, {"data": paths[self.path]})

    def _answer(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""
