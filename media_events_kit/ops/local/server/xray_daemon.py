"""A fake of X-Ray's daemon, which MiniStack 1.5.33 has not: it keeps each segment as a line of a file.

Lambda tells its address to functions, by ``AWS_XRAY_DAEMON_ADDRESS``
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). X-Ray itself is not played.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from pathlib import Path
from typing import Final

ADDRESS: Final = "AWS_XRAY_DAEMON_ADDRESS"
FILE: Final = "xray.jsonl"
"""In ``TMPDIR``."""
MAX_DATAGRAM: Final = 65_536


def begin() -> None:
    """Listen, in a thread; functions that start from now on inherit the address."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    os.environ[ADDRESS] = f"127.0.0.1:{listener.getsockname()[1]}"
    threading.Thread(target=keep, args=(listener, Path(tempfile.gettempdir()) / FILE), daemon=True).start()


def keep(listener: socket.socket, file: Path) -> None:
    """Write what comes to ``file``, each segment without the daemon's header, until an empty datagram."""
    while datagram := listener.recv(MAX_DATAGRAM):
        _, _, segment = datagram.partition(b"\n")
        with file.open("ab") as kept:
            kept.write(segment + b"\n")
