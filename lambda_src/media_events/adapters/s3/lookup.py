"""Properties of S3 objects, and the contents of their sidecars, for lookups of a transform."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate
from media_events.core.failures import UnsettledConfigError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Clients = Callable[[float], "S3Client"]
"""A client for the seconds that a call may take in all."""

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_REFUSED: Final = frozenset({"403", "AccessDenied", "Forbidden"})
_READING: Final = "reading an object's properties"
MIN_SECONDS: Final = 0.1
_PROPERTIES: Final = {
    "ContentLength": "size",
    "ContentType": "content_type",
    "ETag": "etag",
    "VersionId": "version_id",
    "StorageClass": "storage_class",
}


class S3Objects:
    """Implements ``transform.ports.Objects``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def properties(self, bucket: str, key: str, *, timeout_seconds: float) -> Mapping[str, Any] | None:
        """An object's properties; ``None`` where there is no such object."""
        began = time.monotonic()
        try:
            answer: Mapping[str, Any] = self._clients(timeout_seconds).head_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            _raise_unless_absent(error, _READING)
            self._require_bucket(bucket, key, max(MIN_SECONDS, timeout_seconds - (time.monotonic() - began)))
            return None
        properties: dict[str, Any] = {
            name: answer[key] for key, name in _PROPERTIES.items() if answer.get(key) is not None
        }
        if "etag" in properties:
            properties["etag"] = properties["etag"].strip('"')
        modified = answer.get("LastModified")
        if modified is not None:
            properties["last_modified"] = modified.astimezone(UTC).isoformat().replace("+00:00", "Z")
        properties["metadata"] = {name.lower(): value for name, value in (answer.get("Metadata") or {}).items()}
        return properties

    def _require_bucket(self, bucket: str, key: str, timeout_seconds: float) -> None:
        """Ask once more with GET, where S3 says whether the object or its bucket is absent.

        A refused HEAD has no body, and so no code but its status:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        try:
            self._clients(timeout_seconds).get_object(Bucket=bucket, Key=key)["Body"].close()
        except (BotoCoreError, ClientError) as error:
            _raise_unless_absent(error, _READING)

    def content(self, bucket: str, key: str, *, max_bytes: int, timeout_seconds: float) -> bytes | None:
        """The first ``max_bytes`` of an object; ``None`` where there is no such object."""
        try:
            body = self._clients(timeout_seconds).get_object(Bucket=bucket, Key=key)["Body"]
            with body:
                return body.read(max_bytes)
        except (BotoCoreError, ClientError) as error:
            _raise_unless_absent(error, "reading a sidecar")
            return None


def _raise_unless_absent(error: BotoCoreError | ClientError, doing: str) -> None:
    code = error_code(error)
    if code in _ABSENT:
        return
    if code in _REFUSED:
        raise UnsettledConfigError(
            "aws-AccessDenied",
            f"{doing}: S3 refused; it also refuses where there is no such object and the role may not list the bucket",
        ) from error
    translate(error, doing)
