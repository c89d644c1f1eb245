"""Downstream systems on this machine that flap, refuse some events for good, and accept some without an answer."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.faults.aws_model.scheduler import event_id_of, subject_of

FLAP_SECONDS: Final = 3.0
PLAIN: Final = ("chaos-plain", "chaos-archive")
"""Those that know no key again."""
TIMEOUT_SECONDS: Final = 9.0
"""The deliverer's timeout is ten."""


class Receivers(ThreadingHTTPServer):
    """Each path is a system of its own. ``healed`` ones are not down any more, and lose no answers.

    ``taken`` is when which system took which event, ``keys`` by which idempotency keys: those are the effects at a
    system that knows such a key again. ``unanswered`` are requests that were taken, and whose answer did not arrive.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, *, seed: int, flap: float, fated: float, lose_answer: float) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.seed = seed
        self.flap, self.fated, self.lose_answer = flap, fated, lose_answer
        self.healed = threading.Event()
        self.taken: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.keys: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.effects: list[tuple[float, str, str]] = []
        self.unanswered: Counter[tuple[str, str]] = Counter()
        self.answers: Counter[int] = Counter()
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def draw(self, *about: object) -> float:
        """A number below 1 that is the same for the same seed and subject."""
        text = "/".join(str(part) for part in (self.seed, *about))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64

    def status(self, name: str, mark: str) -> int:
        """The answer to a request about ``mark``."""
        if not self.healed.is_set() and self.draw(name, "down", int(time.time() / FLAP_SECONDS)) < self.flap:
            return 503
        if self.draw(name, "refuses", mark) < self.fated:
            return 422
        return 503 if self.draw(name, "never-ready", mark) < self.fated / 2 else 204

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a killed caller's connection may end in any way, and the count finds what is missing."""

    def go_away(self) -> None:
        """Stop, and take no more connections."""
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receivers

    def do_POST(self) -> None:
        began = time.monotonic()
        self.rfile.read(int(self.headers["Content-Length"]))
        name, key = self.path.strip("/"), self.headers["Idempotency-Key"]
        mark, server = subject_of(key), self.server
        status = server.status(name, mark)
        lost = False
        with server.lock:
            server.answers[status] += 1
            if status == 204:
                times = server.taken[name, mark]
                times.append(time.time())
                if key not in server.keys[name, mark] or name in PLAIN:
                    server.effects.append((times[-1], name, event_id_of(key)))
                server.keys[name, mark].add(key)
                lost = not server.healed.is_set() and server.draw(name, "lose", mark, len(times)) < server.lose_answer
        arrived = False
        if not lost:
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                arrived = time.monotonic() - began < TIMEOUT_SECONDS
            except OSError:
                pass
        if not arrived:
            self.close_connection = True
            with server.lock:
                server.unanswered[name, mark] += 1

    def log_message(self, *_: Any) -> None:
        """Nothing: what came is in ``taken``."""
