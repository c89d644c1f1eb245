"""The claim check: bodies too large for the bus or a table, kept elsewhere under a pointer that we minted."""

from __future__ import annotations

import hashlib
from typing import Protocol


class Bodies(Protocol):
    """Content-addressed storage. Any exception of an adapter is a :class:`failures.HopError`."""

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        """Store ``content`` and return its ``s3://`` URI; the same content has the same URI."""

    def get(self, uri: str) -> bytes:
        """Read what :meth:`put` stored.

        Raises:
            PermanentDataError: ``uri`` is not a pointer that we minted (``foreign-dataref``), its content is gone
                (``body-missing``) or has changed (``body-changed``).
        """


def digest(content: bytes) -> str:
    """SHA-256 as lower-case hex: the name under which a body is kept."""
    return hashlib.sha256(content).hexdigest()
