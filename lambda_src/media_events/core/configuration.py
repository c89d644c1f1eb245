"""Settings that functions share, and their configuration documents (docs/reference/function-configuration.md)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from media_events.core.settings import Settings, env

PARTNER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
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
    hop: str = env("HOP")
    service_name: str | None = env("POWERTOOLS_SERVICE_NAME", default=None)
    metrics_namespace: str | None = env("POWERTOOLS_METRICS_NAMESPACE", default=None)
    log_level: str | None = env("POWERTOOLS_LOG_LEVEL", default=None)


def load_document(documents: Documents, uri: str, sha256: str) -> Mapping[str, Any]:
    """Read, check and parse the configuration document of a function.

    Raises:
        ConfigurationError: its digest is not ``sha256``, or it is not a JSON object.
        ProcessingError: it could not be read.
    """
    content = documents.read(uri)
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256.lower():
        raise ConfigurationError([f"{uri} has SHA-256 {actual}, but CONFIGURATION_SHA256 is {sha256}"])
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([f"{uri} is not JSON: {error}"]) from None
    if not isinstance(document, Mapping):
        raise ConfigurationError([f"{uri} must be a JSON object"])
    return document
