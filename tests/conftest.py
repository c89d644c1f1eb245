"""What all tests share."""

from __future__ import annotations

import functools
import os

import botocore.loaders
from hypothesis import settings

from tests import aws_provider

# A change is judged by the same examples every time, however long one takes; `make fuzz` looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None)
settings.load_profile("fuzz" if os.environ.get("FUZZ_EXAMPLES") else "repeatable")

# Every session of boto3 reads the descriptions of AWS's services anew, and moto begins one for each test.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)


def pytest_sessionfinish() -> None:
    """Leave nothing running."""
    aws_provider.end()
