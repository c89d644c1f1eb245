"""The `dev` stack and the examples, applied once to moto's server."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops.local import certificates, process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.lifecycle import terraform_variables
from media_events_kit.ops.local.paths import LocalPaths
from tests.moto.whole import STATE, Whole, write_root

ACCOUNT = "123456789012"
PARTNER_SOURCES = ("aws.partner/shop.example/media/1", "aws.partner/tickets.example/media/1")
START_SECONDS = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.local)


@dataclass(frozen=True)
class Applied:
    """Everything on moto: the names of the root's modules, Terraform in it, and clients."""

    modules: list[str]
    terraform: Whole
    clients: Clients


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudRecord]:
    """A running server."""
    paths = LocalPaths(tmp_path_factory.mktemp("moto"), "dev")
    paths.temporary.mkdir(parents=True)
    port = process.free_port()
    server = process.start(
        [sys.executable, str(Path(__file__).with_name("server.py")), str(port)],
        environment={"PATH": "", "TMPDIR": str(paths.temporary), "MOTO_PORT": str(port), "PYTHONPATH": str(KIT)},
        directory=KIT,
        log=paths.cloud_log,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/moto-api/", server, paths.cloud_log)
        yield CloudRecord(
            endpoint=f"http://127.0.0.1:{port}",
            port=port,
            pid=server.pid,
            process_started=server.started,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            region=str(STATE["region"]),
            ca_bundle=str(certificates.ensure(paths.certificates).authority),
            environment=paths.environment,
            access_key_id="test",
            secret_access_key="test",
        )
    finally:
        process.stop(server)


def _wait(url: str, server: process.ProcessIdentity, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.alive():
        try:
            opener.open(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"moto's server does not answer: {log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="session")
def applied(moto: CloudRecord, tmp_path_factory: pytest.TempPathFactory) -> Applied:
    paths = LocalPaths(tmp_path_factory.mktemp("whole"), "dev")
    root = paths.root / "root"
    modules = write_root(root, paths)
    clients = Clients(moto)
    for source in PARTNER_SOURCES:
        clients.events.create_partner_event_source(Name=source, Account=ACCOUNT)
    location: Any = {"LocationConstraint": STATE["region"]}
    clients.s3.create_bucket(Bucket=str(STATE["bucket"]), CreateBucketConfiguration=location)
    # Nearly all of the time goes into the waits of queues and buckets, which run beside each other.
    terraform = Whole(
        root, paths.terraform_state, paths.terraform_log, terraform_variables(paths, moto), parallelism=200
    )
    terraform.init()
    terraform.apply(lambda _: None)
    return Applied(modules, terraform, clients)
