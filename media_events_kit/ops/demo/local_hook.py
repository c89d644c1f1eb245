"""Lets `media-events local` keep and stop a demonstration that was left running. Importing this registers the hook."""

from __future__ import annotations

from media_events_kit.ops.demo import external_resources, http_receiver_process
from media_events_kit.ops.local.hooks import HOOKS, Hook
from media_events_kit.ops.local.paths import LocalPaths


def stop(paths: LocalPaths) -> None:
    """Stop the receiver, and leave no keys of a stopped cloud behind."""
    http_receiver_process.stop(paths)
    external_resources.forget(paths)


HOOKS.append(Hook(variables=external_resources.variables, after_down=stop))
