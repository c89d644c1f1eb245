"""The contact with AWS: since when there is none, and what to do about an error of AWS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.failures import ProcessingError
from media_events_kit.ops.shared.times import span

LOST: Final = frozenset(
    f"aws-{name}"
    for name in (
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError"),
        *("ConnectionError", "HTTPClientError", "ProxyConnectionError", "SSLError"),
    )
)
"""botocore's errors of a call that nobody answered (botocore/exceptions.py)."""


@dataclass(slots=True)
class Contact:
    """When AWS last answered this process, whatever it said."""

    clock: Callable[[], float] = time.monotonic
    heard_at: float | None = None

    def watch(self, client: Any) -> Any:
        """``client``, whose answers are noted from now on."""
        client.meta.events.register("after-call", self._heard)
        return client

    def _heard(self, **_: Any) -> None:
        self.heard_at = self.clock()

    def problem(self, error: ProcessingError) -> str:
        """One sentence without a full stop about ``error``; where nobody answered, since when."""
        if error.code not in LOST:
            return error.message
        if self.heard_at is None:
            return f"AWS does not answer ({error.message})"
        return f"lost contact with AWS {span(self.clock() - self.heard_at)} ago ({error.message})"


CONTACT: Final = Contact()
"""The contact of this process: a command has one cloud."""


def hint(error: ProcessingError, otherwise: str) -> str:
    """Advice after ``error``; ``otherwise`` is that for an answer of AWS."""
    if error.code in LOST:
        return "nothing was lost: run it again when AWS answers (the local cloud: media-events local status)"
    return otherwise
