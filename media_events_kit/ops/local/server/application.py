"""MiniStack 1.5.33's application, with some answers corrected. Runs in its own environment, on the standard library.

Each module beside this one corrects one subject and says where MiniStack differs from AWS.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

if importlib.util.find_spec("media_events_kit") is None:
    # The server has an environment of its own, in which the kit is not installed. The folder around the kit stays out
    # of its path: installed from a wheel, everything that the operator's Python has would be there.
    kit = Path(__file__).resolve().parents[3]
    found = importlib.util.spec_from_file_location("media_events_kit", kit / "__init__.py")
    assert found is not None  # noqa: S101 - the file is this package's
    sys.modules["media_events_kit"] = importlib.util.module_from_spec(found)

from media_events_kit.ops.local.server import access, wiring

wiring.correct_ministack()

app: Any = access.guarded(importlib.import_module("ministack.app").app)
