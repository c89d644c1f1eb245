"""Secrets from Secrets Manager, kept in memory for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.errors import translate
from media_events.failures import PermanentConfigError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS: Final = 300.0
"""How long a replaced secret may still be used: rotation needs an overlap of at least that."""


@dataclass(slots=True)
class Secrets:
    """Reads secrets by ARN; a value is asked for again after ``cache_seconds``."""

    client: SecretsManagerClient
    cache_seconds: float = CACHE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)

    def read(self, arn: str) -> str:
        """The current value of the secret ``arn``.

        Raises:
            PermanentConfigError: ``secret-unusable``: it has no value, or a binary one.
            HopError: Secrets Manager did not answer or refused.
        """
        now = self.clock()
        kept = self._cache.get(arn)
        if kept is not None and now - kept[0] < self.cache_seconds:
            return kept[1]
        try:
            answer = self.client.get_secret_value(SecretId=arn)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a secret")
        value = answer.get("SecretString")
        if not value:
            raise PermanentConfigError("secret-unusable", f"the secret {arn} has no text value yet")
        self._cache[arn] = (now, value)
        return value
