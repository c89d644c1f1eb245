"""AWS clients, one per service and sandbox, with timeouts that end before the invocation does."""

from __future__ import annotations

import functools
from typing import Any, Final

CONNECT_TIMEOUT_SECONDS: Final = 2
READ_TIMEOUT_SECONDS: Final = 5
PATIENT_READ_TIMEOUT_SECONDS: Final = 15
"""Of :func:`client_for_effects`: half the default timeout of a function that delivers."""
MAX_ATTEMPTS: Final = 3


@functools.cache
def client(
    service: str,
    *,
    read_timeout: float = READ_TIMEOUT_SECONDS,
    attempts: int = MAX_ATTEMPTS,
    region: str | None = None,
) -> Any:
    """The client of ``service``, with short timeouts and botocore's standard retries, by default in our region."""
    return _make(service, read_timeout=read_timeout, attempts=attempts, region=region)


def client_for_effects(
    service: str, *, region: str | None = None, read_timeout: float = PATIENT_READ_TIMEOUT_SECONDS
) -> Any:
    """A client of ``service`` that does not retry a call without an answer. Make it once.

    Such a call may have taken effect, so only the code that holds the idempotency record may repeat it. A refused call
    (throttling, a fault of the service) or one that could not be sent is retried as usual. This client waits longer
    for an answer: a late one is better than none.
    """
    patient = _make(service, read_timeout=read_timeout, attempts=MAX_ATTEMPTS, region=region)
    patient.meta.events.register_first("needs-retry.*", _unless_unanswered)
    return patient


def _unless_unanswered(caught_exception: Exception | None = None, **_about: Any) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415  # 100 ms: only where a client is made

    if isinstance(caught_exception, ReadTimeoutError):
        # The call raises this error at once, before botocore counts attempts.
        raise caught_exception


def _make(service: str, *, read_timeout: float, attempts: int, region: str | None) -> Any:
    import boto3  # noqa: PLC0415  # 100 ms: only where a client is made
    from botocore.config import Config  # noqa: PLC0415

    make_client: Any = boto3.client
    return make_client(
        service,
        region_name=region,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
