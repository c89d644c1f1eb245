"""Runs a command with a share of one CPU, and prints nothing: a stand-in for the quota of Lambda's cgroup.

    python -m bench.limited SHARE COMMAND …

In each period of 20 ms the process runs until it has used its share of CPU time, as the kernel counts it
(``/proc/<pid>/schedstat``), and is then stopped until the period ends. Unlike Lambda it limits the init phase too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

PERIOD_SECONDS: Final = 0.02
STEP_SECONDS: Final = 0.001


def main() -> int:
    """Run it; returns its exit status."""
    share = float(sys.argv[1])
    process = subprocess.Popen(sys.argv[2:])
    used_file = Path(f"/proc/{process.pid}/schedstat")

    def used() -> float:
        try:
            return int(used_file.read_text(encoding="ascii").split()[0]) / 1e9
        except (OSError, IndexError):
            return float("inf")

    while process.poll() is None:
        begun, allowed = time.monotonic(), used() + share * PERIOD_SECONDS
        while process.poll() is None and used() < allowed:
            time.sleep(STEP_SECONDS)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGSTOP)
            # More than its share, because of the step: it rests in proportion.
            over = (used() - allowed) / share
            time.sleep(max(0.0, PERIOD_SECONDS - (time.monotonic() - begun), over))
            os.kill(process.pid, signal.SIGCONT)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
