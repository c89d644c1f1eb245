"""X-Ray: segments by way of the daemon beside the function, and the trace header of AWS calls."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

_PREAMBLE: Final = b'{"format":"json","version":1}\n'
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon"""

HEADER: Final = "X-Amzn-Trace-Id"
_SAFE: Final = "-=;:+&[]{}\"',"
"""As botocore writes the header."""


class XRayDaemon:
    """Sends segments by UDP to ``address``, ``host:port``, which a restored snapshot may have anew.

    "You can use the X-Ray daemon's address to send trace data to the X-Ray daemon directly, without using the X-Ray
    SDK": https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. That it passes on segments of other traces
    than the invocation's is written nowhere; the SDKs' users do it.
    """

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address

    def send(self, segment: Mapping[str, Any]) -> None:
        """Send ``segment``, or lose it: no event may fail or wait for its trace."""
        host, _, port = self._address().rpartition(":")
        if not host or not port.isdecimal():
            return
        datagram = _PREAMBLE + json.dumps(segment, separators=(",", ":")).encode()
        with contextlib.suppress(OSError, OverflowError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0)
            sender.sendto(datagram, (host, int(port)))


def carry(client: Any, header: Callable[[], str | None]) -> None:
    """Have each call of ``client`` carry ``header``, in place of the invocation's own, as long as there is one."""

    def put(params: Mapping[str, Any], **_about: Any) -> None:
        text = header()
        if text is not None:
            params["headers"][HEADER] = quote(text, safe=_SAFE)

    client.meta.events.register_first("before-call", put)
