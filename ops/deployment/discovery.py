"""Where the operator's commands find a deployment: its names, and clients for the cloud that it is in."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ops.deployment.topology import Topology
from ops.local.endpoint import CloudRecord, is_running
from ops.local.paths import DEFAULT_ENVIRONMENT, REPOSITORY, LocalPaths, default_directory
from ops.shared.console import OperatorError, fail

ENVIRONMENT_VARIABLE: Final = "MEDIA_EVENTS_ENVIRONMENT"
REVIEW_TABLE_VARIABLE: Final = "MEDIA_EVENTS_REVIEW_TABLE"
IDEMPOTENCY_TABLES_VARIABLE: Final = "MEDIA_EVENTS_IDEMPOTENCY_TABLES"
OUTPUTS_VARIABLE: Final = "MEDIA_EVENTS_OUTPUTS"
UNUSABLE: Final = 2


@dataclass(frozen=True)
class Cloud:
    """AWS, or a local cloud: makes clients, one per service. ``record`` is that of the local cloud."""

    region: str | None = None
    profile: str | None = None
    record: CloudRecord | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """The client of ``service``.

        Raises:
            OperatorError: there is no region, or no such profile.
        """
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def lazy(self, service: str) -> Any:
        """The client of ``service``, made when it is first used: a command may need none of some services."""
        return _Lazy(self, service)

    def _make(self, service: str) -> Any:
        if self.record is not None:
            from ops.local.clients import Clients  # noqa: PLC0415

            names = {"lambda": "lambda_"}
            return getattr(Clients(self.record), names.get(service, service))
        import boto3  # noqa: PLC0415  # half a second: only where AWS is asked at all
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
                f"AWS can't be asked: {error}",
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
    """One deployed environment. ``outputs`` are Terraform's, name to value, read when they are asked for."""

    cloud: Cloud
    review_table: str
    idempotency_tables: Sequence[str]
    outputs: Callable[[], Mapping[str, Any]] = dict

    @cached_property
    def topology(self) -> Topology:
        """What it is made of; empty where Terraform's outputs are nowhere to be found."""
        return Topology.of(self.outputs())


def find(
    *,
    environment: str | None,
    region: str | None,
    profile: str | None,
    table: str | None,
    idempotency_tables: Sequence[str],
) -> Deployment:
    """Find a deployment by what the operator said, the variables, or what Terraform put out.

    Raises:
        OperatorError: its review table's name is nowhere to be found.
    """
    name = environment or os.environ.get(ENVIRONMENT_VARIABLE) or None
    paths = LocalPaths(default_directory(), _checked(name or DEFAULT_ENVIRONMENT))
    cloud = Cloud(region=region, profile=profile, record=_local_cloud(paths, profile))
    table = table or os.environ.get(REVIEW_TABLE_VARIABLE) or None
    idempotency_stores = list(idempotency_tables) or _words(os.environ.get(IDEMPOTENCY_TABLES_VARIABLE, ""))
    outputs = functools.cache(functools.partial(_outputs, paths, cloud))
    if table is None or not idempotency_stores:
        found = outputs()
        table = table or _text(found.get("review_table_name"))
        idempotency_stores = idempotency_stores or [
            str(idempotency) for idempotency in found.get("idempotency_table_names") or [] if idempotency
        ]
    if table is None:
        raise OperatorError(
            f"the review table of the environment {paths.environment!r} is not known",
            hint=f"name it with --table or {REVIEW_TABLE_VARIABLE}, choose another --environment, or deploy this one "
            "(media-events local up, or main.py and Terraform)",
            exit_code=UNUSABLE,
        )
    return Deployment(cloud=cloud, review_table=table, idempotency_tables=idempotency_stores, outputs=outputs)


def _checked(environment: str) -> str:
    # It becomes part of a path.
    if not environment.replace("-", "").replace("_", "").isalnum():
        raise OperatorError(f"{environment!r} is no environment's name", exit_code=UNUSABLE)
    return environment


def _local_cloud(paths: LocalPaths, profile: str | None) -> CloudRecord | None:
    if profile is not None or os.environ.get("AWS_ENDPOINT_URL"):
        return None
    record = CloudRecord.read(paths)
    return record if record is not None and is_running(record) else None


def _outputs(paths: LocalPaths, cloud: Cloud) -> Mapping[str, Any]:
    said = os.environ.get(OUTPUTS_VARIABLE)
    if said:
        return _values(_document(Path(said))) or fail(
            f"{OUTPUTS_VARIABLE}: {said} is no file with Terraform's outputs",
            hint=f"terraform output -json > {said}",
            exit_code=UNUSABLE,
        )
    if cloud.record is not None or os.environ.get("AWS_ENDPOINT_URL"):
        found = _document(paths.outputs)
        if found:
            return found
    return _terraform_outputs(REPOSITORY / "cdktf.out" / "stacks" / f"media-events-{paths.environment}")


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, Mapping) else {}


def _terraform_outputs(stack: Path) -> Mapping[str, Any]:
    terraform = shutil.which("terraform")
    if terraform is None or not stack.is_dir():
        return {}
    try:
        done = subprocess.run(
            [terraform, "output", "-json"], cwd=stack, capture_output=True, text=True, check=False, timeout=60
        )
        document = json.loads(done.stdout or "{}")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    return _values(document) if isinstance(document, Mapping) else {}


def _values(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of what `terraform output -json` prints, the values."""
    return {name: output.get("value") for name, output in document.items() if isinstance(output, Mapping)}


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
