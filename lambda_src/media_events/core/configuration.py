"""Settings that functions share, and their configuration documents (docs/reference/function-configuration.md)."""

from __future__ import annotations

import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final, Protocol

from media_events.core.deferred import pattern
from media_events.core.settings import Settings, env
from media_events.core.value_classes import dataclass

PARTNER_NAME: Final = pattern(r"[a-z0-9][a-z0-9_-]{0,62}")
"""A partner's name, as configuration documents and webhook URLs have it."""


class ConfigurationError(ValueError):
    """The configuration is unusable; ``problems`` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad configuration: " + "; ".join(problems))
        self.problems = problems


class Documents(Protocol):
    """Storage of configuration documents."""

    def read(self, uri: str) -> bytes:
        """The bytes of the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings(Settings):
    """Settings of every function with a configuration document."""

    configuration_uri: str = env("CONFIGURATION_URI")
    configuration_sha256: str = env("CONFIGURATION_SHA256")
    packed_configuration: str | None = env("CONFIGURATION", default=None)
    hop: str = env("HOP")
    service_name: str | None = env("POWERTOOLS_SERVICE_NAME", default=None)
    metrics_namespace: str | None = env("POWERTOOLS_METRICS_NAMESPACE", default=None)
    log_level: str | None = env("POWERTOOLS_LOG_LEVEL", default=None)
    tracing: str | None = env("TRACING", default=None)


def load_document(documents: Documents, settings: FunctionSettings) -> Mapping[str, Any]:
    """Read, check and parse the configuration document of a function.

    It is in the function's environment if it is small, so that a cold start need not ask S3.

    Raises:
        ConfigurationError: its digest is not the one in the settings, or it is not a JSON object.
        ProcessingError: it could not be read.
    """
    packed = settings.packed_configuration
    content = documents.read(settings.configuration_uri) if packed is None else _unpacked(packed)
    where = settings.configuration_uri if packed is None else "CONFIGURATION"
    actual, expected = hashlib.sha256(content).hexdigest(), settings.configuration_sha256
    if actual != expected.lower():
        raise ConfigurationError([f"{where} has SHA-256 {actual}, but CONFIGURATION_SHA256 is {expected}"])
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([f"{where} is not JSON: {error}"]) from None
    if not isinstance(document, Mapping):
        raise ConfigurationError([f"{where} must be a JSON object"])
    return document


def _unpacked(packed: str) -> bytes:
    """The bytes that Terraform's ``base64gzip`` packed."""
    try:
        return zlib.decompress(binascii.a2b_base64(packed, strict_mode=True), wbits=zlib.MAX_WBITS | 16)
    except (ValueError, zlib.error) as error:
        raise ConfigurationError([f"CONFIGURATION is not gzip in base64: {error}"]) from None
