"""Partners' secrets in Secrets Manager: cached, read again on demand, and usable for a while if the service fails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import judge
from media_events.core.failures import ProcessingError, TransientError
from media_events.core.value_classes import dataclass
from media_events.partners.secrets import DEFAULT_PREVIOUS_SECONDS, PartnerSecrets

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TTL_SECONDS: Final = 300
STALE_SECONDS: Final = 900
"""The greatest age of a cached value that is used while Secrets Manager can't be read."""

REFRESH_SECONDS: Final = 30
"""The shortest time between two re-reads: forged requests must not drive up the load and the bill.

Reads that fill the cache don't count; otherwise genuine requests would be refused after a rotation right behind one.
A secret without a value is read this often, since its value is about to be set.
"""


@dataclass(frozen=True, slots=True)
class _Version:
    """``created``, in epoch seconds: "the date and time that this version of the secret was created".

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """

    values: tuple[str, ...] = ()
    created: float = float("-inf")


@dataclass(frozen=True, slots=True)
class _Read:
    current: _Version
    previous: _Version
    at: float

    @property
    def values(self) -> tuple[str, ...]:
        return self.current.values + self.previous.values


class SecretsManager:
    """Implements ``ingress.webhook.Secrets``. ``clock`` tells ages; ``now`` gives epoch seconds."""

    def __init__(
        self,
        client: SecretsManagerClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._clock = clock
        self._now = now
        self._cache: dict[str, _Read] = {}
        self._reread: dict[str, float] = {}

    def values(self, arns: Sequence[str]) -> list[str]:
        """The values of ``arns``, without duplicates: each one's current version, for a day its previous one too.

        Raises:
            ProcessingError: no secret could be read, or none has a value.
        """
        return list(self.verifying(arns, previous_seconds=DEFAULT_PREVIOUS_SECONDS).accepted)

    def verifying(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets:
        """The secrets that prove a request: a previous version for so long after its successor was created.

        Raises:
            ProcessingError: no secret could be read, or none has a value.
        """
        return self._verifying(self._collect(arns), previous_seconds)

    def reread(self, arns: Sequence[str], *, previous_seconds: int) -> PartnerSecrets | None:
        """Secrets read anew, for a signature that matches no cached one; ``None`` if they were re-read just now.

        Raises:
            ProcessingError: no secret could be read, or none has a value.
        """
        now = self._clock()
        due = frozenset(arn for arn in arns if now - self._reread.get(arn, float("-inf")) >= REFRESH_SECONDS)
        if not due:
            return None
        self._reread.update(dict.fromkeys(due, now))
        return self._verifying(self._collect(arns, anew=due), previous_seconds)

    def _verifying(self, reads: Sequence[_Read], previous_seconds: int) -> PartnerSecrets:
        # At every use, not at the read: a cached value must not outlive its time.
        now = self._now()
        accepted: dict[str, None] = {}
        outdated: dict[str, None] = {}
        for read in reads:
            accepted.update(dict.fromkeys(read.current.values))
            in_time = now - read.current.created < previous_seconds
            (accepted if in_time else outdated).update(dict.fromkeys(read.previous.values))
        if not accepted:
            raise TransientError("no-secret", "none of the partner's secrets has a value that is still accepted")
        return PartnerSecrets(tuple(accepted), tuple(value for value in outdated if value not in accepted))

    def _collect(self, arns: Sequence[str], *, anew: frozenset[str] = frozenset()) -> list[_Read]:
        reads: list[_Read] = []
        problem: ProcessingError | None = None
        for arn in arns:
            try:
                reads.append(self._one(arn, anew=arn in anew))
            except ProcessingError as error:
                problem = error
        if any(read.values for read in reads):
            return reads
        raise problem or TransientError("no-secret", "none of the partner's secrets has a value")

    def _one(self, arn: str, *, anew: bool) -> _Read:
        now = self._clock()
        cached = self._cache.get(arn)
        if cached is not None and not anew and now - cached.at < (TTL_SECONDS if cached.values else REFRESH_SECONDS):
            return cached
        try:
            read = _Read(self._version(arn, "AWSCURRENT"), self._version(arn, "AWSPREVIOUS"), now)
        except (BotoCoreError, ClientError) as error:
            if cached is not None and now - cached.at < STALE_SECONDS:
                return cached
            raise judge(error, "reading a secret") from error
        self._cache[arn] = read
        return read

    def _version(self, arn: str, stage: str) -> _Version:
        try:
            answer = self._client.get_secret_value(SecretId=arn, VersionStage=stage)
        except ClientError as error:
            # A secret that was never rotated has no previous version, a new one no value at all.
            if error.response["Error"].get("Code") == "ResourceNotFoundException":
                return _Version()
            raise
        text = answer.get("SecretString")
        values = parse_secret(text if text is not None else _text(answer.get("SecretBinary")))
        return _Version(tuple(values), answer["CreatedDate"].timestamp())


def parse_secret(text: str) -> list[str]:
    """The secrets in a stored value: the text itself, or a JSON object's ``secret`` and ``secrets``.

    A line break at the end came with the paste; it belongs to no secret.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and ("secret" in document or "secrets" in document):
        several = document.get("secrets")
        candidates = [document.get("secret"), *(several if isinstance(several, list) else [several])]
    else:
        candidates = [text.rstrip("\r\n")]
    return [candidate for candidate in candidates if isinstance(candidate, str) and candidate]


def _text(binary: bytes | None) -> str:
    try:
        return (binary or b"").decode()
    except UnicodeDecodeError:
        return ""
