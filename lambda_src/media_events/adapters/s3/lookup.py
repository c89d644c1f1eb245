"""What S3 knows of objects, and the sidecars that lie beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import PermanentConfigError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Clients = Callable[[float], "S3Client"]
"""Seconds that a call may take in all, to a client."""

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_REFUSED: Final = frozenset({"403", "AccessDenied", "Forbidden"})
_PROPERTIES: Final = {
    "ContentLength": "size",
    "ContentType": "content_type",
    "ETag": "etag",
    "VersionId": "version_id",
    "StorageClass": "storage_class",
}


class S3Objects:
    """Fulfils ``transforming.means.Objects``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def properties(self, bucket: str, key: str, *, timeout_seconds: float) -> Mapping[str, Any] | None:
        """What S3 knows of an object; see ``transforming.means.Objects``."""
        try:
            answer: Mapping[str, Any] = self._clients(timeout_seconds).head_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            _raise_unless_absent(error, "reading an object's properties")
            return None
        found: dict[str, Any] = {name: answer[key] for key, name in _PROPERTIES.items() if answer.get(key) is not None}
        if "etag" in found:
            found["etag"] = found["etag"].strip('"')
        modified = answer.get("LastModified")
        if modified is not None:
            found["last_modified"] = modified.astimezone(UTC).isoformat().replace("+00:00", "Z")
        found["metadata"] = {name.lower(): value for name, value in (answer.get("Metadata") or {}).items()}
        return found

    def content(self, bucket: str, key: str, *, max_bytes: int, timeout_seconds: float) -> bytes | None:
        """The beginning of an object's content; see ``transforming.means.Objects``."""
        try:
            body = self._clients(timeout_seconds).get_object(Bucket=bucket, Key=key)["Body"]
            with body:
                return body.read(max_bytes)
        except (BotoCoreError, ClientError) as error:
            _raise_unless_absent(error, "reading a sidecar")
            return None


def _raise_unless_absent(error: BotoCoreError | ClientError, doing: str) -> None:
    code = str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
    if code in _ABSENT:
        return
    if code in _REFUSED:
        raise PermanentConfigError(
            "aws-AccessDenied",
            f"{doing}: S3 refused; it also does so where there is no such object and the role may not list the bucket",
        ) from error
    translate(error, doing)
