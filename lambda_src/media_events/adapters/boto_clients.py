"""AWS clients, one per service and sandbox, that can't outlive the invocation on a hung connection."""

from __future__ import annotations

import functools
from typing import Any, Final

CONNECT_TIMEOUT_SECONDS: Final = 2
READ_TIMEOUT_SECONDS: Final = 5
PATIENT_READ_TIMEOUT_SECONDS: Final = 15
"""Of :func:`client_for_effects`: half of what a function that delivers has, unless its user says otherwise."""
MAX_ATTEMPTS: Final = 3


@functools.cache
def client(
    service: str,
    *,
    read_timeout: float = READ_TIMEOUT_SECONDS,
    attempts: int = MAX_ATTEMPTS,
    region: str | None = None,
) -> Any:
    """The client of ``service``, with short timeouts and botocore's standard retries; ``region`` is ours by default."""
    return _made(service, read_timeout=read_timeout, attempts=attempts, region=region)


def client_for_effects(
    service: str, *, region: str | None = None, read_timeout: float = PATIENT_READ_TIMEOUT_SECONDS
) -> Any:
    """A client of ``service`` that never repeats a call which was not answered; to be made once.

    Nobody knows whether such a call has brought its effect about, so whether to make it again is for those to decide
    who keep the ledger. What was refused (throttling, a fault of the service) or could not be sent is tried again as
    ever. It waits longer for an answer than others do: a late one is better than none.
    """
    made = _made(service, read_timeout=read_timeout, attempts=MAX_ATTEMPTS, region=region)
    made.meta.events.register_first("needs-retry.*", _unless_unanswered)
    return made


def _unless_unanswered(caught_exception: Exception | None = None, **_about: Any) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415  # 100 ms: only where a client is made at all

    if isinstance(caught_exception, ReadTimeoutError):
        # What is raised here is what the call raises, before anybody counts attempts.
        raise caught_exception


def _made(service: str, *, read_timeout: float, attempts: int, region: str | None) -> Any:
    import boto3  # noqa: PLC0415  # 100 ms: only where a client is made at all
    from botocore.config import Config  # noqa: PLC0415

    make: Any = boto3.client
    return make(
        service,
        region_name=region,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
