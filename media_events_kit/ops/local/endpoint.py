"""The local cloud's process: MiniStack, on a loopback port, with every IAM policy enforced."""

from __future__ import annotations

import base64
import json
import os
import secrets
import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from media_events_kit.ops.local import certificates, cloud_environment, process
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.process import ProcessIdentity
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.json_files import object_in, read_record
from media_events_kit.ops.shared.times import span

APPLICATION: Final = Path(__file__).parent / "server" / "application.py"
SERVING: Final = APPLICATION.with_name("hypercorn.toml")
HEALTH_PATH: Final = "/_ministack/health"
START_SECONDS: Final = 60.0
GONE: Final = 3
"""The exit status where no local cloud runs."""


@dataclass(frozen=True, slots=True)
class CloudRecord:
    """A started cloud, as in ``cloud.json``. ``started_at`` is RFC 3339 text in UTC.

    The access key is new for each cloud, and is the account's root, which may do everything: run code as this user too.
    """

    endpoint: str
    port: int
    pid: int
    process_started: str
    started_at: str
    region: str
    ca_bundle: str
    environment: str
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)

    @property
    def identity(self) -> ProcessIdentity:
        """The process behind the endpoint."""
        return ProcessIdentity(self.pid, self.process_started)

    def variables(self) -> dict[str, str]:
        """The environment variables with which any AWS client reaches this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The operator's own profiles and roles stay out.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def write(self, paths: LocalPaths) -> None:
        """Store the record, with the variables spelled out for other programs."""
        paths.make_private()
        document = asdict(self) | {"variables": self.variables()}
        temporary = paths.cloud_record.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        temporary.replace(paths.cloud_record)

    @classmethod
    def read(cls, paths: LocalPaths) -> Self | None:
        """The stored record; ``None`` where there is none or it can't be read."""
        return read_record(cls, paths.cloud_record)


def client_environment(record: CloudRecord, inherited: Mapping[str, str]) -> dict[str, str]:
    """``inherited`` without its AWS settings, with those of this cloud, and no proxy in between."""
    others = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    no_proxy = ",".join(filter(None, (inherited.get("NO_PROXY") or inherited.get("no_proxy"), "127.0.0.1")))
    return others | record.variables() | {"NO_PROXY": no_proxy, "no_proxy": no_proxy}


def trust(record: CloudRecord) -> ssl.SSLContext:
    """A TLS context that trusts this cloud's authority and nobody else."""
    return ssl.create_default_context(cafile=record.ca_bundle)


def health(record: CloudRecord, *, timeout_seconds: float = 5.0) -> dict[str, Any] | None:
    """The endpoint's health document; ``None`` where it does not answer."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust(record))
    )
    try:
        with opener.open(record.endpoint + HEALTH_PATH, timeout=timeout_seconds) as answer:
            return object_in(answer.read()) or None
    except OSError:
        return None


def is_running(record: CloudRecord) -> bool:
    """Whether the record's process runs and answers."""
    return record.identity.alive() and Path(record.ca_bundle).exists() and health(record) is not None


def lost_contact(paths: LocalPaths, record: CloudRecord, *, exit_code: int) -> OperatorError:
    """That a cloud was there and is not: since when, what became of it, and how to go on."""
    state = (
        "its process runs, and does not answer"
        if record.identity.alive()
        else "its process has gone, with everything in it"
    )
    try:
        # Each request writes a line.
        since = f" {span(time.time() - paths.cloud_log.stat().st_mtime)} ago"
    except OSError:
        since = ""
    return OperatorError(
        f"lost contact with the local cloud of {paths.environment!r}{since} (started {record.started_at}, "
        f"{record.endpoint}): {state}",
        hint="nothing was done; start it again: media-events local up",
        exit_code=exit_code,
    )


def start(
    paths: LocalPaths,
    *,
    region: str,
    port: int | None,
    application: Path = APPLICATION,
) -> CloudRecord:
    """Start the cloud and wait until it answers. It starts empty.

    ``port`` ``None`` takes any free one. ``application`` is the file with the ASGI application that plays AWS.

    Raises:
        OperatorError: a tool is missing, the port is taken, or the process dies.
    """
    binaries = cloud_environment.ensure() / "bin"
    if port is not None and not process.port_is_free(port):
        raise OperatorError(
            f"port {port} is in use by another program",
            hint="choose another with --port, or leave --port out to take a free one",
        )
    chosen = port or process.free_port()
    paths.make_private()
    tls = certificates.ensure(paths.certificates)
    # As AWS writes a key: AKIA and 16 characters of 5 bits.
    access_key_id = "AKIA" + base64.b32encode(secrets.token_bytes(10)).decode()
    secret_access_key = secrets.token_urlsafe(30)
    paths.temporary.mkdir(parents=True, exist_ok=True)
    identity = process.start(
        # As root the `ministack` program would listen on port 443 too.
        [
            str(binaries / "python"), "-m", "hypercorn", f"{application}:app",
            "--bind", f"127.0.0.1:{chosen}", "--certfile", str(tls.certificate), "--keyfile", str(tls.key),
            "--keep-alive", "75", "--log-level", "WARNING", "--config", str(SERVING),
        ],
        environment={
            **_environment(paths, chosen, region, tls, binaries),
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret_access_key,
        },
        directory=paths.root,
        log=paths.cloud_log,
    )  # fmt: skip
    record = CloudRecord(
        endpoint=f"https://127.0.0.1:{chosen}",
        port=chosen,
        pid=identity.pid,
        process_started=identity.started,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        region=region,
        ca_bundle=str(tls.authority),
        environment=paths.environment,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
    record.write(paths)
    try:
        _wait(record, paths)
    except BaseException:
        process.stop(identity)
        paths.cloud_record.unlink(missing_ok=True)
        raise
    return record


def _wait(record: CloudRecord, paths: LocalPaths) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not record.identity.alive():
            raise OperatorError(
                f"the local cloud ended as soon as it was started. The end of its log:\n{_tail(paths.cloud_log)}",
                hint=f"the whole log is {paths.cloud_log}",
            )
        if health(record) is not None:
            return
        time.sleep(0.1)
    raise OperatorError(
        f"the local cloud does not answer on {record.endpoint} after {START_SECONDS:.0f} s. "
        f"The end of its log:\n{_tail(paths.cloud_log)}",
        hint=f"the whole log is {paths.cloud_log}",
    )


def _tail(log: Path, lines: int = 10) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return "(none)"


def _environment(
    paths: LocalPaths, port: int, region: str, tls: certificates.Certificates, binaries: Path
) -> dict[str, str]:
    """The whole environment of MiniStack. Its functions inherit it, so the operator's variables stay out."""
    temporary = str(paths.temporary)
    return {
        "PATH": os.pathsep.join((str(binaries), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": temporary,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": region,
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(tls.certificate),
        "MINISTACK_SSL_KEY": str(tls.key),
        "AWS_CA_BUNDLE": str(tls.authority),
        "STATE_DIR": str(paths.temporary / "state"),
        "S3_DATA_DIR": str(paths.temporary / "s3"),
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "LOG_LEVEL": "INFO",
    }
