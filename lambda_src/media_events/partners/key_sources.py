"""Where a scheme's keys are: in the partner's secret, in the specification, or at a URL that it names.

A URL's host always comes from the configuration. A request chooses among that host's keys: by a key's id in a JWK Set,
or by a path.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import TargetError, parse_target
from media_events.partners.public_keys import PublicKey, parse_public_key
from media_events.partners.value_expressions import read_header_name

KEY_PATH: Final = pattern(r"/(?:[A-Za-z0-9_-][A-Za-z0-9._~-]*/){0,8}[A-Za-z0-9_-][A-Za-z0-9._~-]{0,127}")
"""A path without query, dot segments or escapes."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A document with keys: a JWK Set, of which ``key_id`` is wanted, or a PEM text."""

    kind: Literal["jwks", "pem"]
    url: str
    key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """At most one of the three; without any, the keys are in the secret.

    ``key_origin`` (``https://host``) serves PEM texts, by the path in the header ``key_header``.
    """

    public_keys: tuple[PublicKey, ...] = ()
    jwks_url: str | None = None
    key_origin: str | None = None
    key_header: str | None = None

    @property
    def secret(self) -> bool:
        """Whether the keys are in the partner's secret."""
        return not (self.public_keys or self.jwks_url or self.key_origin)

    def request(self, *, key_id: str | None = None, path: str = "") -> KeyRequest | None:
        """The document to ask for; ``None`` if there is none, or the request's ``path`` is no key's."""
        if self.jwks_url is not None:
            return KeyRequest("jwks", self.jwks_url, key_id)
        if self.key_origin is not None and KEY_PATH.fullmatch(path):
            return KeyRequest("pem", self.key_origin + path)
        return None


def parse_key_source(fields: Fields) -> KeySource:
    """Read ``public_keys``, ``jwks_url`` and ``key_url`` of a verification."""
    keys = []
    for index, text in enumerate(fields.texts("public_keys", hint="a list of public keys, PEM or JWK")):
        key = parse_public_key(text)
        if key is None:
            fields.problem(
                f"public_keys[{index}]",
                "is no public key; give PEM (PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE) or a JWK of RSA with 2,048 "
                "to 8,192 bits, P-256, P-384, P-521 or Ed25519",
            )
        else:
            keys.append(key)
    jwks_url = fields.text("jwks_url", hint="the https URL of a JWK Set")
    if jwks_url is not None:
        _check_url(fields, "jwks_url", jwks_url)
    origin, header = None, None
    table = fields.table("key_url")
    if table is not None:
        origin = table.text("origin", required=True, hint="https:// and the host that serves the keys")
        header = read_header_name(table, "header")
        table.done()
        if not table.has("header"):
            table.problem("header", "is missing; name the header that has the key's path")
        if origin is not None and re.fullmatch(r"https://[^/]+", origin) is None:
            table.problem("origin", "must be https:// and a host, without a path")
        elif origin is not None:
            _check_url(table, "origin", origin)
    given = [name for name in ("public_keys", "jwks_url", "key_url") if fields.has(name)]
    if len(given) > 1:
        fields.problem(given[1], f"and {given[0]} exclude each other; keep one")
    return KeySource(public_keys=tuple(keys), jwks_url=jwks_url, key_origin=origin, key_header=header)


def _check_url(fields: Fields, key: str, url: str) -> None:
    try:
        parse_target(url)
    except TargetError as error:
        fields.problem(key, str(error))
