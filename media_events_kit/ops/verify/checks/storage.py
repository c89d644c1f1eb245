"""The tables and buckets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from media_events.core.json_fields import mapping
from media_events_kit.ops.verify.asking import Problem, ask, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "storage"
_TABLES: Final = ("IDEMPOTENCY_TABLE", "REVIEW_TABLE", "TASK_CALLBACKS_TABLE")
_URIS: Final = ("CONFIGURATION_URI", "BODIES_URI", "EVENT_BODIES_URI")


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each table is active, expires what is over and can be restored; each bucket is there."""
    environments = list(deployed.environments())
    tables = {variables[name] for variables in environments for name in _TABLES if name in variables}
    tables |= {str(name) for name in deployed.outputs.get("idempotency_table_names") or ()}
    tables |= {str(deployed.outputs[name]) for name in ("review_table_name",) if name in deployed.outputs}
    for table in sorted(tables):
        yield judged(
            CHECK,
            f"table {table}",
            "is active, with expiry and point-in-time recovery",
            _table,
            deployed,
            table,
        )
    uris = {variables[name] for variables in environments for name in _URIS if name in variables}
    for bucket in sorted({uri.removeprefix("s3://").partition("/")[0] for uri in uris}):
        yield judged(CHECK, f"bucket {bucket}", "is there", _bucket, deployed, bucket)


def _table(deployed: Deployed, name: str) -> Iterator[Problem]:
    client = deployed.client("dynamodb")
    table = mapping(ask(client.describe_table, "dynamodb:DescribeTable", TableName=name).get("Table"))
    if table.get("TableStatus") != "ACTIVE":
        yield Problem(f"is {table.get('TableStatus')}", "wait, then verify again")
    expiry = ask(client.describe_time_to_live, "dynamodb:DescribeTimeToLive", TableName=name)
    if mapping(expiry.get("TimeToLiveDescription")).get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        yield Problem("expires nothing, so it grows for ever", "apply again")
    backups = ask(client.describe_continuous_backups, "dynamodb:DescribeContinuousBackups", TableName=name)
    recovery = mapping(mapping(backups.get("ContinuousBackupsDescription")).get("PointInTimeRecoveryDescription"))
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        yield Problem("has no point-in-time recovery", "apply again")


def _bucket(deployed: Deployed, name: str) -> Iterator[Problem]:
    ask(deployed.client("s3").head_bucket, "s3:ListBucket", Bucket=name)
    yield from ()
