"""The systems behind the receiver: their authentication, and the answers of Frame.io's API and of a transcoder.

A system with a key lets in only callers that have it: the CMS verifies Standard Webhooks signatures (with the library
of the standard's authors, not with the kit's), the transcoder requires its API key, and Frame.io a token that its token
endpoint issued for a client's secret.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from media_events_kit.ops.shared.json_files import object_in

SIGNED: Final = "cms"
TRANSCODER: Final = "transcoder"
FILES: Final = "frameio"
"""The systems that authenticate their callers, by the first part of their paths."""

TOKENS: Final = "_token"
"""The path below a system at which anybody gets a token of OAuth, for systems that ask for no particular one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, and the document that becomes its body."""

    status: HTTPStatus
    document: Any


@dataclass(slots=True)
class FakeSystems:
    """The systems' keys, by system; ``tokens`` are those that Frame.io has issued."""

    keys: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request; names of ``headers`` are in lower case."""
        url = urlsplit(path)
        system, _, rest = url.path.strip("/").partition("/")
        if rest == TOKENS:
            return Reply(HTTPStatus.OK, {"access_token": "any", "token_type": "bearer", "expires_in": 3600})
        if system == FILES:
            return self._frameio(method, rest, headers, body)
        if system == SIGNED and system in self.keys and not _is_signed(self.keys[system], headers, body):
            return Reply(HTTPStatus.UNAUTHORIZED, {"error": "the signature is wrong"})
        if system == TRANSCODER:
            return self._job(headers, body)
        return Reply(HTTPStatus.OK, {"status": "OK"})

    def _job(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """`POST /jobs` orders a transcode. A webhook with the body of ``finished`` follows."""
        if TRANSCODER in self.keys and headers.get("x-api-key") != self.keys[TRANSCODER]:
            return Reply(HTTPStatus.UNAUTHORIZED, {"error": "unknown API key"})
        order = object_in(body)
        missing = [name for name in ("order_id", "input", "output") if not order.get(name)]
        if missing:
            return Reply(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": f"missing: {', '.join(missing)}"})
        return Reply(HTTPStatus.CREATED, {"job": secrets.token_hex(8)})

    def _frameio(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Adobe's token endpoint, and `GET /v4/accounts/<account>/files/<file>` of Frame.io's API."""
        if method == "POST" and path == "ims/token/v3":
            return self._token(body)
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Reply(HTTPStatus.UNAUTHORIZED, {"errors": [{"detail": "unauthorized"}]})
        match path.split("/"):
            case ["v4", "accounts", _, "files", file] if method == "GET":
                return Reply(HTTPStatus.OK, {"data": _file(file)})
        return Reply(HTTPStatus.NOT_FOUND, {"errors": [{"detail": "Not Found"}]})

    def _token(self, body: bytes) -> Reply:
        form = parse_qs(body.decode("utf-8", errors="replace"))
        client = object_in(self.keys.get(FILES, ""))
        credentials = {name: form.get(name, [""])[0] for name in ("client_id", "client_secret", "grant_type")}
        if not client or credentials != {**client, "grant_type": "client_credentials"}:
            return Reply(HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"})
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return Reply(HTTPStatus.OK, {"access_token": token, "token_type": "bearer", "expires_in": 86399})


def finished(order: Mapping[str, Any]) -> bytes:
    """The body of the transcoder's webhook for a finished order."""
    place = f"https://storage.example.com/{order.get('asset_id')}/1080.mp4"
    data = {"order_id": order.get("order_id"), "asset_id": order.get("asset_id"), "output": {"url": place}}
    document = {"type": "job.completed", "timestamp": datetime.now(UTC).isoformat(), "data": data}
    return json.dumps(document, separators=(",", ":")).encode()


def _is_signed(key: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(key).verify(body, dict(headers))
    except (WebhookVerificationError, ValueError, RuntimeError):
        return False
    return True


def _file(file: str) -> dict[str, Any]:
    # Every file exists, and always has the same properties.
    number = int.from_bytes(hashlib.sha256(file.encode()).digest()[:2])
    name = f"reel-{number}.mov"
    link = f"https://storage.example.com/{file}/{name}"
    return {
        "id": file,
        "type": "file",
        "name": name,
        "status": "transcoded",
        "media_type": "video/quicktime",
        "file_size": 700_000_000 + number,
        "media_links": {"original": {"download_url": link}},
    }
