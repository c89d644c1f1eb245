"""AWS clients, one per service and sandbox, that can't outlive the invocation on a hung connection."""

from __future__ import annotations

import functools
from typing import Any, Final

CONNECT_TIMEOUT_SECONDS: Final = 2
READ_TIMEOUT_SECONDS: Final = 5
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
