"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# A change is judged by the same examples every time; who works on the code gets new ones on every run.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
