"""The audit: what operators did, each entry an object in S3 that nobody can change or delete.

A key is ``<subject>/<time>-<random>/<principal id>``, so a list of a subject's keys is in the order of time. The
bucket's policy takes new keys alone, which end with the writer's ``aws:userid``
(``modules/internal/append-only-policy``): the principal id is AWS's word, and all else of an entry the writer's.
Entries from before that are in the review table under ``audit/``, and are only read.
"""

from __future__ import annotations

import functools
import heapq
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from botocore.exceptions import ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.core.clock import epoch, timestamp
from media_events.core.failures import PermanentConfigError
from media_events_kit.ops.operations.table import OperationTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

AUDIT: Final = "audit/"
AUDIT_SETTINGS: Final = "settings/audit"
"""Terraform's entry of the review table with the bucket's name."""

MAX_ENTRY_BYTES: Final = 65_536
"""The review service writes shorter ones; a writer of his own could store gigabytes, which nobody should read."""
MAX_CLOCK_DIFFERENCE_SECONDS: Final = 900.0
"""S3 refuses requests whose time differs by more from its own (``RequestTimeTooSkewed``:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), so an entry that does was made to deceive."""
AT_ONCE: Final = 16
"""Entries that are read in parallel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: STS's ARN, and the unique id that IAM knows as ``aws:userid``."""

    arn: str
    principal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the audit. ``subject`` is the id of an item or operation; ``allowed`` is false if it was refused.

    ``principal_id`` is of whom AWS let write it; empty in old entries.
    """

    subject: str
    at: str
    by: str
    action: str
    allowed: bool
    result: str
    reason: str = ""
    operation_id: str = ""
    principal_id: str = ""


class Audit:
    """The audit of a deployment. Every method raises ``ProcessingError`` where AWS refuses or does not answer."""

    def __init__(
        self, s3: S3Client, dynamodb: DynamoDBClient, review_table: str, *, caller: Callable[[], Caller]
    ) -> None:
        self._s3 = s3
        self._table = _OldEntries(dynamodb, review_table)
        self._caller = caller
        self._bucket = functools.cache(self._table.bucket)

    def append(self, entry: Entry) -> None:
        """Add a line."""
        principal_id = self._caller().principal_id
        key = f"{_prefix(entry.subject)}{entry.at}-{uuid.uuid4().hex}/{principal_id}"
        body = json.dumps({name: value for name, value in asdict(entry).items() if name != "principal_id"})
        try:
            self._s3.put_object(
                Bucket=self._bucket(),
                Key=key,
                Body=body.encode(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            # The key is random: botocore has repeated a request whose answer was lost.
            if error_code(error) != "PreconditionFailed":
                translate(error, "writing the audit")

    def entries(self, subject: str) -> Iterator[Entry]:
        """The audit of an item or operation, newest first."""
        return heapq.merge(
            self._stored(subject), self._table.entries(subject), key=lambda entry: entry.at, reverse=True
        )

    def _stored(self, subject: str) -> Iterator[Entry]:
        objects: list[Mapping[str, Any]] = []
        with translated("reading the audit"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket(), Prefix=_prefix(subject))
            for page in pages:
                objects += page.get("Contents", [])
        with ThreadPoolExecutor(AT_ONCE) as pool:
            newest_first = objects[::-1]
            for start in range(0, len(newest_first), AT_ONCE):
                yield from pool.map(functools.partial(self._entry, subject), newest_first[start : start + AT_ONCE])

    def _entry(self, subject: str, listed: Mapping[str, Any]) -> Entry:
        body = b""
        if listed["Size"] <= MAX_ENTRY_BYTES:
            with translated("reading the audit"):
                body = self._s3.get_object(Bucket=self._bucket(), Key=listed["Key"])["Body"].read()
        stored = listed["LastModified"].timestamp()
        return _vouched(body, subject, listed["Key"].rpartition("/")[2], stored)


class _OldEntries(OperationTable):
    """What the review table has of the audit."""

    def bucket(self) -> str:
        """The bucket with the audit.

        Raises:
            ProcessingError: also if the table does not name it.
        """
        with translated("looking the audit up"):
            answer = self._client.get_item(
                TableName=self._table, Key={"item_id": {"S": AUDIT_SETTINGS}}, ProjectionExpression="audit"
            )
        if "Item" not in answer:
            raise PermanentConfigError(
                "no-audit", "the review table names no bucket for the audit: apply this version of dlq-review first"
            )
        return answer["Item"]["audit"]["S"]

    def entries(self, subject: str) -> Iterator[Entry]:
        """The old entries about a subject, newest first."""
        for row in self._indexed(AUDIT, subject, "reading the audit"):
            yield Entry(**json.loads(row["ingress"]["S"]))


def _prefix(subject: str) -> str:
    return quote(subject, safe="") + "/"


def _vouched(body: bytes, subject: str, principal_id: str, stored: float) -> Entry:
    """The entry, as far as AWS does not contradict it; ``stored`` is S3's time in epoch seconds."""
    entry = _read(body) or Entry(
        subject=subject, at="", by=principal_id, action="unknown", allowed=True, result="the entry is not readable"
    )
    claimed = epoch(entry.at)
    if claimed is None or abs(claimed - stored) > MAX_CLOCK_DIFFERENCE_SECONDS:
        entry = replace(entry, at=timestamp(stored))
    session = principal_id.partition(":")[2]
    if session and entry.by.rpartition("/")[2] != session:
        entry = replace(entry, by=principal_id)
    return replace(entry, subject=subject, principal_id=principal_id)


def _read(body: bytes) -> Entry | None:
    """``None`` if a writer of his own has stored something else."""
    try:
        values = json.loads(body)
        entry = Entry(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    kinds = {field.name: bool if field.name == "allowed" else str for field in fields(Entry)}
    return entry if all(isinstance(getattr(entry, name), kind) for name, kind in kinds.items()) else None
