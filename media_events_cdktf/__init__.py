"""Media events in a CDKTF program of your own: a workflow as one construct, and one for each Terraform module.

    from media_events_cdktf import IngressSqs, Workflow

Outputs are references, so that your resources and these name each other without ARN text. Import it before a prebuilt
AWS provider, of which then only the parts in use are loaded.
"""

from __future__ import annotations

from media_events_cdktf import inputs, prebuilt
from media_events_cdktf.modules import (
    BusCustom,
    BusPartner,
    DlqReview,
    IngressApigw,
    IngressSnsFifo,
    IngressSqs,
    LambdaPackage,
    Router,
    StateMachine,
    StorageBucket,
    TaskCallbacks,
)
from media_events_cdktf.workflow import Workflow
from media_events_kit.infra.stacks.cdk import AWS_PROVIDER

prebuilt.leave_submodules_unloaded()

__all__ = [
    "AWS_PROVIDER",
    "BusCustom",
    "BusPartner",
    "DlqReview",
    "IngressApigw",
    "IngressSnsFifo",
    "IngressSqs",
    "LambdaPackage",
    "Router",
    "StateMachine",
    "StorageBucket",
    "TaskCallbacks",
    "Workflow",
    "inputs",
]
