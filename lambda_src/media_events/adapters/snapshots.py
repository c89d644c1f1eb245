"""What must not go into a SnapStart snapshot, of which many sandboxes come, perhaps weeks later.

Clients go into it, made and without a connection. Credentials don't: botocore would use those of the init phase until
they expire. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html and …/snapstart-activate.html
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from media_events.adapters.boto_clients import disconnect, set_credentials_provider


class RenewableCredentials:
    """Stands for botocore's credentials: what ``load`` returns, at the first use and anew after :meth:`forget`."""

    method = "container-role"
    """Lambda gives them so to a function with SnapStart. Without it, to make a client would ask for them."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._loaded: Any = None

    def forget(self) -> None:
        """Ask again at the next use."""
        self._loaded = None

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """As botocore's credentials have it."""
        return lambda: getattr(self, property_name, None)

    def load_credentials(self) -> RenewableCredentials:
        """Themselves, as a session's provider of credentials."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        loaded = self._loaded
        if loaded is None:
            loaded = self._loaded = self._load()
        return getattr(loaded, name)


def survive_snapshot() -> None:
    """Have Lambda's runtime drop before the snapshot, and renew after a restore, what sandboxes must not share.

    Call it before anything is made. Lambda's runtimes from Python 3.12 on have the library of its hooks
    (https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html); nothing else does.
    """
    from snapshot_restore_py import (  # type: ignore[import-not-found]  # noqa: PLC0415
        register_after_restore,
        register_before_snapshot,
    )

    credentials = set_credentials_provider(RenewableCredentials)
    # Connections would be dead, and the other side would not say so.
    register_before_snapshot(disconnect)
    register_before_snapshot(credentials.forget)
    # The jitter of botocore and of our retries. `SystemRandom` and `uuid4` ask the kernel, which AWS reseeds.
    register_after_restore(random.seed)
