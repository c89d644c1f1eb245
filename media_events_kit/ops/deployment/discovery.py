"""Finds the deployment that an operator's command is for: its names, and clients for its cloud."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from media_events.core.json_fields import text
from media_events_kit.kit_files import project
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.local.endpoint import CloudRecord, is_running, lost_contact
from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT, LocalPaths, local_paths
from media_events_kit.ops.local.synthesis import stacks_of
from media_events_kit.ops.shared.console import OperatorError, fail
from media_events_kit.ops.shared.contact import CONTACT
from media_events_kit.ops.shared.json_files import object_in, read_object
from media_events_kit.ops.shared.options import Where

ENVIRONMENT_VARIABLE: Final = "MEDIA_EVENTS_ENVIRONMENT"
REVIEW_TABLE_VARIABLE: Final = "MEDIA_EVENTS_REVIEW_TABLE"
IDEMPOTENCY_TABLES_VARIABLE: Final = "MEDIA_EVENTS_IDEMPOTENCY_TABLES"
OUTPUTS_VARIABLE: Final = "MEDIA_EVENTS_OUTPUTS"
UNUSABLE: Final = 2


@dataclass(frozen=True)
class Cloud:
    """AWS, or the local cloud of ``record``: makes one client per service."""

    region: str | None = None
    profile: str | None = None
    record: CloudRecord | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """The client of ``service``.

        Raises:
            OperatorError: there is no region, or no such profile.
        """
        with self._lock:
            if service not in self._clients:
                self._clients[service] = CONTACT.watch(self._make(service))
            return self._clients[service]

    def lazy(self, service: str) -> Any:
        """The client of ``service``, made at its first use: a command may not need it."""
        return _Lazy(self, service)

    def _make(self, service: str) -> Any:
        if self.record is not None:
            from media_events_kit.ops.local.clients import Clients  # noqa: PLC0415

            return getattr(Clients(self.record), "lambda_" if service == "lambda" else service.replace("-", "_"))
        import boto3  # noqa: PLC0415  # half a second: only where AWS is used
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        make: Any = functools.partial(boto3.Session, profile_name=self.profile, region_name=self.region)
        try:
            session = make()
            return session.client(
                service,
                config=Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 3}),
            )
        except BotoCoreError as error:
            raise OperatorError(
                f"no AWS client can be made: {error}",
                hint="set --region and credentials (AWS_PROFILE), or use --environment",
                exit_code=UNUSABLE,
            ) from error


class _Lazy:
    def __init__(self, cloud: Cloud, service: str) -> None:
        self._cloud = cloud
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud.client(self._service), name)


@dataclass(frozen=True)
class Deployment:
    """One deployed environment.

    ``outputs`` reads Terraform's outputs, name to value; ``folder`` is for what commands note about it on this machine.
    """

    cloud: Cloud
    review_table: str
    idempotency_tables: Sequence[str]
    outputs: Callable[[], Mapping[str, Any]] = dict
    folder: Path = Path(".local")

    @cached_property
    def topology(self) -> Topology:
        """Its hops; empty where there are no outputs of Terraform."""
        return Topology.of(self.outputs())


def find(where: Where) -> Deployment:
    """Find a deployment by the operator's options, the environment variables or Terraform's outputs.

    Raises:
        OperatorError: none of them names its review table.
    """
    name = where.environment or os.environ.get(ENVIRONMENT_VARIABLE) or None
    paths = local_paths(name or DEFAULT_ENVIRONMENT)
    cloud = Cloud(region=where.region, profile=where.profile, record=running_cloud(paths, where.profile))
    table = where.table or os.environ.get(REVIEW_TABLE_VARIABLE) or None
    tables = where.idempotency_table or os.environ.get(IDEMPOTENCY_TABLES_VARIABLE, "").replace(",", " ").split()
    outputs = functools.cache(functools.partial(_outputs, paths, cloud))
    if table is None or not tables:
        table = table or text(outputs().get("review_table_name"))
        tables = tables or [str(name) for name in outputs().get("idempotency_table_names") or [] if name]
    if table is None:
        _require_local_cloud(paths, where.profile)
        raise OperatorError(
            f"the review table of the environment {paths.environment!r} is not known",
            hint=f"name it with --table or {REVIEW_TABLE_VARIABLE}, choose another --environment, or deploy this one "
            "(media-events local up, or main.py and Terraform)",
            exit_code=UNUSABLE,
        )
    return Deployment(cloud=cloud, review_table=table, idempotency_tables=tables, outputs=outputs, folder=paths.root)


def _require_local_cloud(paths: LocalPaths, profile: str | None) -> None:
    """Say that the local cloud of an environment has gone, if it had one and nothing says that another is meant.

    Raises:
        OperatorError: it has gone.
    """
    record = _meant(paths, profile)
    if record is not None:
        raise lost_contact(paths, record, exit_code=UNUSABLE)


def running_cloud(paths: LocalPaths, profile: str | None = None) -> CloudRecord | None:
    """The local cloud of an environment, if it runs and nothing says that another cloud is meant."""
    record = _meant(paths, profile)
    return record if record is not None and is_running(record) else None


def _meant(paths: LocalPaths, profile: str | None) -> CloudRecord | None:
    """The local cloud that was recorded, unless somebody else's credentials or another cloud are meant.

    Who typed `eval "$(media-events local env)"` means the same cloud, by its own key.
    """
    record = CloudRecord.read(paths)
    if record is None or profile is not None:
        return None
    own, named = record.variables(), ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")
    if os.environ.get("AWS_ENDPOINT_URL") and any(os.environ.get(name) != own.get(name) for name in named):
        return None
    return record


def _outputs(paths: LocalPaths, cloud: Cloud) -> Mapping[str, Any]:
    file = os.environ.get(OUTPUTS_VARIABLE)
    if file:
        return _values(read_object(Path(file))) or fail(
            f"{OUTPUTS_VARIABLE}: {file} is no file with Terraform's outputs",
            hint=f"terraform output -json > {file}",
            exit_code=UNUSABLE,
        )
    if cloud.record is not None or os.environ.get("AWS_ENDPOINT_URL"):
        outputs = read_object(paths.outputs)
        if outputs:
            return outputs
    stacks = stacks_of(project() / "cdktf.out", paths.environment)
    return _terraform_outputs(stacks[0].directory) if stacks else {}


def _terraform_outputs(stack: Path) -> Mapping[str, Any]:
    terraform = shutil.which("terraform")
    if terraform is None or not stack.is_dir():
        return {}
    try:
        done = subprocess.run([terraform, "output", "-json"], cwd=stack, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return _values(object_in(done.stdout))


def _values(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values in the output of `terraform output -json`."""
    return {name: output.get("value") for name, output in document.items() if isinstance(output, Mapping)}
