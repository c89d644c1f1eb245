"""Lets `media-events local` keep and stop a demonstration that was left running. Importing this registers the hook."""

from __future__ import annotations

from ops.demo import external_resources, http_receiver_process
from ops.local.hooks import HOOKS, Hook
from ops.local.paths import LocalPaths


def stop(paths: LocalPaths) -> None:
    """Stop the receiver, and leave no keys of a stopped cloud behind."""
    http_receiver_process.stop(paths)
    external_resources.forget(paths)


HOOKS.append(Hook(variables=external_resources.variables, after_down=stop))
