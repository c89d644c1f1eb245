"""Admits requests of the operator's browser alone.

A page on loopback is reachable for every site in the operator's browser, and for every user of the machine. So every
run has a host name of its own, which nobody can guess, and a key that lets one browser in, once. A cookie is for a host
name and all its ports (RFC 6265, section 8.5), so a random name also keeps it from other servers of the machine.
A request must come from the page itself, or from the operator's own hand.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, Response, abort, request, session
from flask_wtf.csrf import CSRFProtect  # type: ignore[import-untyped]

ENTERED: Final = "entered"
OPEN_ENDPOINTS: Final = frozenset({"static", "enter"})
MAX_REQUEST_BYTES: Final = 3 * 1024 * 1024
"""An edited body of 1 MiB, escaped as forms are, fits."""
KEY_BYTES: Final = 24
NAME_BYTES: Final = 16

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


def random_name() -> str:
    """A name that browsers resolve to this machine and nobody can guess.

    ``localhost`` and all names below it are loopback (RFC 6761, section 6.3).
    """
    return f"{secrets.token_hex(NAME_BYTES)}.localhost"


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


@dataclass(slots=True, kw_only=True)
class Gate:
    """The page's own value of ``Host``, and the key that lets in the next browser.

    Each key opens once; ``entered`` is called with the link of the key that replaces it. Who enters comes to ``start``.
    """

    host: str
    key: str = field(default_factory=_new_key, repr=False)
    start: str = "/"
    entered: Callable[[str], None] = field(default=lambda _link: None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def origin(self) -> str:
        """The page's origin."""
        return f"http://{self.host}"

    @property
    def link(self) -> str:
        """The link that lets in one browser."""
        return f"{self.origin}/enter?key={self.key}"

    def opens(self, key: str) -> bool:
        """Whether ``key`` is the key; from then on it is another one."""
        with self._lock:
            if not hmac.compare_digest(key.encode(), self.key.encode()):
                return False
            self.key = _new_key()
        self.entered(self.link)
        return True


def gate_on(port: int) -> Gate:
    """The gate of a new run on ``port``."""
    # Browsers leave out HTTP's own port.
    return Gate(host=random_name() + ("" if port == 80 else f":{port}"))  # noqa: PLR2004


def install(app: Flask, gate: Gate) -> None:
    """Have ``app`` refuse requests that ``gate`` does not admit. Its ``SECRET_KEY`` must be new for every run."""
    app.config.update(
        SESSION_COOKIE_NAME="media-events-review",
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_METHODS=["POST", "PUT", "PATCH", "DELETE"],
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
    )

    @app.before_request
    def admit() -> None:
        # Werkzeug's check of trusted hosts ignores ports.
        if request.headers.get("Host", "").lower() != gate.host:
            abort(421)
        _require_own_request(gate)
        if request.endpoint not in OPEN_ENDPOINTS and session.get(ENTERED) is not True:
            abort(401)

    CSRFProtect(app)

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.pop("Server", None)
        return response


def _require_own_request(gate: Gate) -> None:
    """Refuse what another page has the browser send (https://www.w3.org/TR/fetch-metadata/).

    Browsers without these headers have the cookie, which is ``SameSite=Strict``, and the forms' token.
    """
    site, reads = request.headers.get("Sec-Fetch-Site"), request.method in {"GET", "HEAD"}
    if request.endpoint == "enter":
        # The file that --open hands over is another origin. It may be opened, and not be loaded into a page.
        if request.headers.get("Sec-Fetch-Dest", "document") != "document":
            abort(403)
    elif site not in ({None, "same-origin", "none"} if reads else {None, "same-origin"}):
        abort(403)
    origin = request.headers.get("Origin")
    if not reads and origin is not None and origin.lower() != gate.origin:
        abort(403)
