"""The other side of connections to AWS: a real socket on loopback that does what a list says."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

LATE_SECONDS = 5.0


def answer(body=b"{}", *, status=200, headers=""):
    """An answer that is whole."""
    return f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class Late(bytes):
    """Sent ``LATE_SECONDS`` later."""

    __slots__ = ()


class Last(bytes):
    """Sent before the other side hangs up."""

    __slots__ = ()


class OtherSide:
    """Does with each request on any connection what ``script`` says next, and after that answers what it was sent.

    ``requests`` has the first line, the headers and the body of each.
    """

    def __init__(self, script, context=None):
        self.script, self.context = list(script), context
        self.connections, self.requests, self.received = 0, [], threading.Event()
        self._open, self._ended = [], threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected):
        with suppress(OSError):
            if self.context is not None:
                connected = self.context.wrap_socket(connected, server_side=True)
            self.connections += 1
            self._open.append(connected)
            stream = connected.makefile("rb")
            while (line := stream.readline()).strip():
                head = [line, *iter(stream.readline, b"\r\n")]
                headers = dict(line.decode().rstrip().split(": ", 1) for line in head[1:])
                body = stream.read(int(headers["Content-Length"]))
                self.requests.append((head[0], headers, body))
                self.received.set()
                step = self.script.pop(0) if self.script else answer(body)
                if isinstance(step, Late):
                    self._ended.wait(LATE_SECONDS)
                connected.sendall(step)
                if isinstance(step, Last):
                    socket.socket.shutdown(connected, socket.SHUT_RDWR)
                    return

    def hang_up(self):
        """Close all connections."""
        for connected in self._open:
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def close(self):
        """End it, too late for whoever waits."""
        self._ended.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listening.close()
        for connected in self._open:
            connected.close()
