"""TLS with a system of a private certificate authority, or one that wants a certificate of ours.

``tls`` of an HTTP destination or lookup names secrets, never their values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from media_events.core.config_fields import Fields
from media_events.core.value_classes import dataclass
from media_events.outbound_http.authentication import SECRET_ARN, ReadSecrets, unusable

TLS_KEYS: Final = ("ca_secret_arn", "client_certificate_secret_arn")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSecrets:
    """The secrets' ARNs. With ``ca_secret_arn`` the public authorities are not trusted."""

    ca_secret_arn: str | None = None
    client_certificate_secret_arn: str | None = None


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """The secrets' values: PEM text of authorities, and of our certificate chain with its private key."""

    secrets: TlsSecrets
    authorities: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)


def read_tls(value: Any, problems: list[str]) -> TlsSecrets | None:
    """Read ``tls``: an object with at least one of :data:`TLS_KEYS`."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.append('tls: must be an object such as {"ca_secret_arn": "..."}')
        return None
    fields = Fields({key: arn for key, arn in value.items() if arn is not None}, "tls", problems)
    hint = "the ARN of a Secrets Manager secret"
    arns = {key: fields.matching(key, SECRET_ARN, hint) for key in TLS_KEYS if fields.has(key)}
    fields.done()
    if not arns:
        problems.append(f"tls: must name {' or '.join(TLS_KEYS)}")
    return TlsSecrets(**arns)


def tls_material(secrets: TlsSecrets | None, read_secrets: ReadSecrets) -> TlsMaterial | None:
    """The current values of ``secrets``.

    Raises:
        ProcessingError: a secret can't be read or used.
    """
    if secrets is None:
        return None
    arn = secrets.client_certificate_secret_arn
    return TlsMaterial(
        secrets,
        None if secrets.ca_secret_arn is None else _current(secrets.ca_secret_arn, read_secrets),
        None if arn is None else _chain_and_key(_current(arn, read_secrets), arn),
    )


def _current(arn: str, read_secrets: ReadSecrets) -> str:
    values = read_secrets(arn)
    if not values:
        raise unusable(arn, "it is empty")
    return values[0]


def _chain_and_key(text: str, arn: str) -> str:
    """PEM text with the chain and the key, or JSON with ``certificate`` and ``private_key``."""
    if not text.startswith("{"):
        return text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise unusable(arn, "it looks like JSON but is not") from None
    parts = [document.get("certificate"), document.get("private_key")]
    if not all(isinstance(part, str) for part in parts):
        raise unusable(arn, 'as JSON it must be {"certificate": PEM text, "private_key": PEM text}')
    return "\n".join(parts)
