"""OpenSSL's settings for a TLS connection, made from secrets."""

from __future__ import annotations

import functools
import ssl
import tempfile

from media_events.core.failures import PermanentConfigError
from media_events.outbound_http.authentication import unusable
from media_events.outbound_http.tls import TlsMaterial


@functools.lru_cache(maxsize=16)
def tls_context(material: TlsMaterial | None) -> ssl.SSLContext:
    """The context for ``material``; ``None`` stands for the public authorities and no certificate of ours.

    Host names are always checked. A rotated secret gives other material, and so a context of its own.

    Raises:
        PermanentConfigError: ``secret-unusable``; the message names the secret and never holds its value.
    """
    if material is None:
        return ssl.create_default_context()
    return _with_certificate(_trusting(material), material)


def _trusting(material: TlsMaterial) -> ssl.SSLContext:
    if material.authorities is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=material.authorities)
    except (ssl.SSLError, ValueError, TypeError):
        reason = "it must be one certificate authority or more in PEM (-----BEGIN CERTIFICATE-----)"
        raise unusable(str(material.secrets.ca_secret_arn), reason) from None


def _with_certificate(context: ssl.SSLContext, material: TlsMaterial) -> ssl.SSLContext:
    if material.certificate is None:
        return context
    # OpenSSL reads a chain with its key from a file alone. The file's mode is 0600, and it is gone after the call.
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        try:
            file.write(material.certificate)
            file.flush()
            # Without a password of ours OpenSSL would ask for one at the terminal.
            context.load_cert_chain(file.name, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unusable_certificate(material, error) from None
    return context


def _no_password() -> str:
    return ""


def _unusable_certificate(material: TlsMaterial, error: Exception) -> PermanentConfigError:
    reason = "it must be a certificate, its chain and its private key without a password, in PEM"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        reason = "its private key belongs to another certificate"
    return unusable(str(material.secrets.client_certificate_secret_arn), reason)
