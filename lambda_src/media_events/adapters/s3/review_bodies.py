"""The bodies of review items in S3, to be deleted with their items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import rejection, translate
from media_events.adapters.s3.bodies import bodies_of, parse_uri
from media_events.recovery.review_maintenance import KeptObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_OBJECTS_A_CALL: Final = 1000


class ItemBodies:
    """Fulfils ``housekeeping.Kept``. ``base_uri`` is ``s3://bucket/prefix/``, below which each item has a place."""

    def __init__(self, client: S3Client, base_uri: str) -> None:
        self._client = client
        self._base = base_uri

    def of(self, item_id: str) -> list[KeptObject]:
        """All versions of all objects of an item.

        Raises:
            HopError: S3 did not answer or refused.
        """
        bucket, prefix = parse_uri(bodies_of(self._base, item_id))
        found: list[KeptObject] = []
        try:
            for page in self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                versions: list[Any] = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                found += [KeptObject(one["Key"], one["VersionId"], one["LastModified"].timestamp()) for one in versions]
        except (BotoCoreError, ClientError) as error:
            translate(error, "listing an item's bodies")
        return found

    def delete(self, objects: Sequence[KeptObject]) -> None:
        """Delete these versions, and none that has been written since.

        Raises:
            HopError: S3 did not answer or refused.
        """
        bucket, _ = parse_uri(self._base)
        for start in range(0, len(objects), _OBJECTS_A_CALL):
            some = objects[start : start + _OBJECTS_A_CALL]
            keys: Any = [{"Key": one.key, "VersionId": one.version} for one in some]
            try:
                answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            except (BotoCoreError, ClientError) as error:
                translate(error, "deleting an item's bodies")
            for refused in answer.get("Errors", ()):
                code = refused.get("Code", "Unknown")
                raise rejection(code, f"deleting an item's bodies: {code}")
