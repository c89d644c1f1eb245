"""In-memory ports of the steps: partners' APIs, tables, objects and functions."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from media_events.outbound_http.client import Response
from media_events.transform import TransformPorts


@dataclass
class Outside:
    """Answers as configured, and collects the questions.

    ``pages`` has a response, or several in turn, for each URL (host and path); an exception is raised. ``items``,
    ``objects`` and ``sidecars`` are by key; ``functions`` and ``python`` are functions by name.
    """

    pages: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    sidecars: dict[str, bytes] = field(default_factory=dict)
    functions: dict[str, Any] = field(default_factory=dict)
    python: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    now: float = 1_790_000_000.0
    left: float = 30.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ports_with(self, **others: Any) -> TransformPorts:
        """These ports, with some replaced."""
        return replace(self.ports, **others)

    @property
    def ports(self) -> TransformPorts:
        return TransformPorts(
            partners=self,
            read_secrets=lambda arn: self.secrets[arn],
            tables=self,
            objects=self,
            functions=self,
            load=self.python.__getitem__,
            clock=lambda: self.now,
            seconds_left=lambda: self.left,
        )

    def _answer(self, what: Any, known: dict[str, Any], key: str) -> Any:
        with self.lock:
            self.asked.append(what)
            found = known.get(key)
            if isinstance(found, list):
                found = found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def get(self, request: Any) -> Response:
        return self._page(replace(request, method="GET"))

    def post(self, request: Any) -> Response:
        assert request.method == "POST"
        return self._page(request)

    def _page(self, request: Any) -> Response:
        found = self._answer(request, self.pages, request.target.authority + request.target.path)
        if found is None:
            return Response(404)
        return found if isinstance(found, Response) else page(found)

    def item(self, table_arn: str, key: Any, *, consistent: bool, timeout_seconds: float) -> Any:
        return self._answer((table_arn, dict(key), consistent, timeout_seconds), self.items, json.dumps(dict(key)))

    def properties(self, bucket: str, key: str, *, timeout_seconds: float) -> Any:
        return self._answer((bucket, key, timeout_seconds), self.objects, key)

    def content(self, bucket: str, key: str, *, max_bytes: int, timeout_seconds: float) -> Any:
        found = self._answer((bucket, key, timeout_seconds), self.sidecars, key)
        return None if found is None else found[:max_bytes]

    def answer(self, function_arn: str, payload: str, *, timeout_seconds: float) -> bytes:
        with self.lock:
            self.asked.append((function_arn, json.loads(payload), timeout_seconds))
        found = self.functions[function_arn](json.loads(payload))
        return found if isinstance(found, bytes) else json.dumps(found).encode()


def page(document: Any, status: int = 200, **headers: str) -> Response:
    """A response with JSON in it."""
    return Response(status, headers, json.dumps(document).encode())
