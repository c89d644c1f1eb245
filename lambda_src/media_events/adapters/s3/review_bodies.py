"""The bodies of review items in S3, which are deleted with their items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import rejection, translated
from media_events.adapters.s3.bodies import bodies_of, parse_uri
from media_events.recovery.review_maintenance import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_OBJECTS_A_CALL: Final = 1000


class S3ReviewBodies:
    """Implements ``recovery.review_maintenance.ReviewBodies``, below ``base_uri`` (``s3://bucket/prefix/``)."""

    def __init__(self, client: S3Client, base_uri: str) -> None:
        self._client = client
        self._base = base_uri

    def of(self, item_id: str) -> list[ObjectVersion]:
        """All versions of all objects of an item."""
        bucket, prefix = parse_uri(bodies_of(self._base, item_id))
        objects: list[ObjectVersion] = []
        with translated("listing an item's bodies"):
            for page in self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                versions: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                objects += [ObjectVersion(v["Key"], v["VersionId"], v["LastModified"].timestamp()) for v in versions]
        return objects

    def delete(self, objects: Sequence[ObjectVersion]) -> None:
        """Delete these versions, and none that was written since."""
        bucket, _ = parse_uri(self._base)
        for start in range(0, len(objects), _OBJECTS_A_CALL):
            batch = objects[start : start + _OBJECTS_A_CALL]
            keys: Any = [{"Key": version.key, "VersionId": version.version} for version in batch]
            with translated("deleting an item's bodies"):
                answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            for refused in answer.get("Errors", ()):
                code = refused.get("Code", "Unknown")
                raise rejection(code, f"deleting an item's bodies: {code}")
