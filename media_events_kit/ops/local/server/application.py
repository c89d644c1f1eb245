"""MiniStack 1.5.33's application, with some answers corrected. Runs in its own environment, on the standard library.

Each module beside this one corrects one subject and says where MiniStack differs from AWS.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

# The server has an environment of its own, in which this repository is not installed.
sys.path.append(str(Path(__file__).resolve().parents[4]))

from media_events_kit.ops.local.server import access, wiring

wiring.correct_ministack()

app: Any = access.guarded(importlib.import_module("ministack.app").app)
