"""What all tests share."""

from __future__ import annotations

import functools
import os

import botocore.loaders
from hypothesis import settings

# A change is judged by the same examples every time; who works on the code gets new ones on every run.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Every session of boto3 reads the descriptions of AWS's services anew, and moto begins one for each test.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
