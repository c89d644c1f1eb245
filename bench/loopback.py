"""An AWS that answers at once, on loopback: what is left of a function's time is its own.

It checks nothing. Every put is stored, every condition holds, and it counts the calls by service and operation, and
their bytes. It runs in a process of its own, so that its work is not counted.

    python -m bench.loopback DOCUMENTS      serves the files of the folder to S3's GetObject, and says its port
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

SECRET: Final = "the-partner-s-signing-secret"  # noqa: S105
_QUERY_ACTION: Final = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")


def _put_events(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": "0" * 36} for _ in request["Entries"]]}


def _secret(request: Mapping[str, Any]) -> dict[str, Any] | None:
    if request.get("VersionStage") == "AWSPREVIOUS":
        return None
    return {"ARN": request["SecretId"], "Name": "s", "SecretString": SECRET, "CreatedDate": 1.7e9}


def _statements(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"Responses": [{"TableName": "t"} for _ in request["Statements"]]}


def _item(request: Mapping[str, Any]) -> dict[str, Any]:
    """A circuit breaker has noted a success a moment ago, as that of a receiver that answers has."""
    now = time.time()
    noted = {"alive_at": {"N": str(now)}, "expires": {"N": str(int(now) + 3600)}}
    return {"Item": noted} if request["Key"]["pk"]["S"].startswith("circuit-breaker|") else {}


def _sent(request: Mapping[str, Any]) -> dict[str, Any]:
    sent = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32} for entry in request["Entries"]]
    return {"Successful": sent, "Failed": []}


ANSWERS: Final[Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]]] = {
    "AWSEvents.PutEvents": _put_events,
    "secretsmanager.GetSecretValue": _secret,
    "DynamoDB_20120810.BatchExecuteStatement": _statements,
    "DynamoDB_20120810.ExecuteStatement": lambda _: {"Items": []},
    "DynamoDB_20120810.GetItem": _item,
    "DynamoDB_20120810.BatchGetItem": lambda _: {"Responses": {}, "UnprocessedKeys": {}},
    "AmazonSQS.SendMessageBatch": _sent,
}


class Loopback(ThreadingHTTPServer):
    """The endpoint of every service, and a receiver of HTTP deliveries under ``/receiver``."""

    daemon_threads = True

    def __init__(self, documents: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents = documents
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write for an answer
    server: Loopback

    def do_GET(self) -> None:
        if self.path == "/counts":
            answer = json.dumps({"calls": self.server.calls, "bytes": self.server.bytes}).encode()
            self.server.calls.clear()
            self.server.bytes.clear()
            return self._answer(200, answer)
        self._count("s3.GetObject", 0)
        document = self.server.documents / self.path.rpartition("/")[2].partition("?")[0]
        return self._answer(200, document.read_bytes()) if document.is_file() else self._answer(404, b"")

    def do_PUT(self) -> None:
        self._count("s3.PutObject", len(self._body()))
        self._answer(200, b"")

    def do_POST(self) -> None:
        body = self._body()
        if self.path.startswith("/receiver"):
            self._count("receiver", len(body))
            return self._answer(204, b"")
        target = self.headers.get("X-Amz-Target")
        if target is None:
            action = _QUERY_ACTION.search(body)
            self._count(f"query.{action[1].decode() if action else 'unknown'}", len(body))
            return self._answer(200, b"<Response><Result/></Response>")
        self._count(target, len(body))
        answer = ANSWERS.get(target, lambda _: {})(json.loads(body))
        if answer is None:
            return self._answer(400, b'{"__type": "ResourceNotFoundException"}')
        return self._answer(200, json.dumps(answer).encode())

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _count(self, operation: str, size: int) -> None:
        self.server.calls[operation] += 1
        self.server.bytes[operation] += size

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if content:
            self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    endpoint = Loopback(Path(sys.argv[1]))
    print(endpoint.server_address[1], flush=True)
    endpoint.serve_forever()
