"""Lets `media-events local` keep and stop a demonstration that was left running. Importing this registers the hook.

Where the workflow still has the demonstration's destinations, `local up` plays the others' systems too, so that no
event fails for a queue or stream that is not there.
"""

from __future__ import annotations

import os

from media_events_kit.kit_files import KIT, project
from media_events_kit.ops.demo import external_resources, http_receiver_process, review_page
from media_events_kit.ops.demo.http_receiver_process import PORT_VARIABLE, Receiver
from media_events_kit.ops.local import process
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.hooks import HOOKS, Hook
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import Stack


def stop(paths: LocalPaths) -> None:
    """Stop the receiver and the page, and leave no keys of a stopped cloud behind."""
    http_receiver_process.stop(paths)
    review_page.stop(paths)
    external_resources.forget(paths)


def make(paths: LocalPaths, record: CloudRecord, stack: Stack) -> dict[str, str]:
    """The demonstration's resources and its receiver, where ``stack`` is of the kit's workflow and names them.

    The result is the variables of `workflow.yaml`. A project with a workflow of its own has systems of its own.
    """
    if project() != KIT:
        return {}
    document = (stack.directory / "cdk.tf.json").read_text(encoding="utf-8")
    if not any(name in document for name in (f":{external_resources.QUEUE}", f"/{external_resources.STREAM}")):
        return {}
    resources = external_resources.ensure(paths, record)
    if not os.environ.get(PORT_VARIABLE):
        receiver = Receiver.read(paths) or http_receiver_process.start(paths, process.free_port())
        for system, key in resources.keys.items():
            receiver.require_key(system, key)
    return external_resources.variables(paths)


HOOKS.append(Hook(variables=external_resources.variables, after_down=stop, external_resources=make))
