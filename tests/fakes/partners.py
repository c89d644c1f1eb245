"""Payloads, vectors, requests and signatures for the tests of partners."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from media_events.core.envelope import Event
from media_events.partners.normalization import normalise
from media_events.partners.proof_parts import Request
from media_events.partners.specification import PartnerSpecification, parse_specification
from media_events_kit.ops.send.samples import SAMPLES

DATA = Path(__file__).resolve().parents[1] / "data"
PAYLOADS = SAMPLES
NOW = 1741083331.5
RECEIVED = "2025-03-04T10:15:31.500Z"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def vectors() -> list[dict[str, Any]]:
    return json.loads((DATA / "signature_vectors.json").read_text(encoding="utf-8"))


def preset(name: str, **changes: Any) -> PartnerSpecification:
    return parse_specification({"preset": name, **changes})


def request(
    body: bytes = b"{}",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    *,
    url: str = "https://hooks.example.com/webhooks/partner",
    method: str = "POST",
) -> Request:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return Request(method, url, [(name.lower(), value) for name, value in pairs], body)


def events_of(spec: PartnerSpecification, body: bytes, **changes: Any) -> list[Event]:
    arguments: dict[str, Any] = {"partner": "acme", "ingress": "webhook", "now": NOW, **changes}
    return normalise(spec, body=body, **arguments)


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def hex_hmac(secret: str, content: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), content, algorithm).hexdigest()


def standard_signature(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{identity}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
