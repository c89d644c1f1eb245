"""Admits requests of the operator's browser alone.

A page on loopback is reachable for every site in the operator's browser, and for every user of the machine. So a
request must name the page's own address (a rebound DNS name does not) and carry the cookie that only the printed link
sets. A request that changes something must come from a form of the page.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, abort, request, session
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]

ENTERED: Final = "entered"
OPEN_ENDPOINTS: Final = frozenset({"static", "enter"})
MAX_REQUEST_BYTES: Final = 3 * 1024 * 1024
"""An edited body of 1 MiB, escaped as forms are, fits."""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        *("style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'", "form-action 'self'"),
        *("frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"),
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers send `Origin: null` with the page's own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """The page's key, and the values of ``Host`` that it answers to."""

    hosts: frozenset[str]
    key: str

    def opens(self, key: str) -> bool:
        """Whether ``key`` is the key, compared in constant time."""
        return hmac.compare_digest(key.encode(), self.key.encode())


def hosts_of(port: int) -> frozenset[str]:
    """The values of ``Host`` for a page on ``port``."""
    names = frozenset({"127.0.0.1", "localhost"})
    return frozenset(f"{name}:{port}" for name in names) | (names if port == 80 else frozenset())  # noqa: PLR2004


def install(app: Flask, gate: Gate) -> None:
    """Have ``app`` refuse requests that ``gate`` does not admit. Its ``SECRET_KEY`` must be new for every run."""
    app.config.update(
        # Strict would break links to items in tickets. The linking site can't read the page.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_METHODS=["POST", "PUT", "PATCH", "DELETE"],
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
    )

    @app.before_request
    def admit() -> None:
        # Werkzeug's check of trusted hosts ignores ports.
        if request.headers.get("Host", "").lower() not in gate.hosts:
            abort(421)
        if request.method not in {"GET", "HEAD"}:
            _require_same_origin()
        if request.endpoint not in OPEN_ENDPOINTS and session.get(ENTERED) is not True:
            abort(401)

    CSRFProtect(app)

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.pop("Server", None)
        return response


def _require_same_origin() -> None:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and origin.lower() != f"http://{request.headers['Host'].lower()}":
        abort(403)
    if site is not None and site != "same-origin":
        abort(403)
