"""Bodies in S3, under names that are their digests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import PermanentDataError
from media_events.events.claim_check import digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URI: Final = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)
_NAME: Final = re.compile(r"[0-9a-f]{64}")


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://bucket/key`` URI.

    Raises:
        ValueError: it is none.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"must be s3://bucket/key, not {uri!r}")
    return match[1], match[2]


class S3Bodies:
    """Fulfils ``bodies.Bodies``. ``base_uri`` is ``s3://bucket/prefix/``."""

    def __init__(self, client: S3Client, base_uri: str) -> None:
        self._client = client
        self._base = base_uri if base_uri.endswith("/") else base_uri + "/"
        self._bucket, self._prefix = parse_uri(self._base)

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        """Store ``content``; see ``bodies.Bodies``.

        Raises:
            HopError: S3 did not answer or refused.
        """
        name = digest(content)
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + name, Body=content, ContentType=content_type
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "storing a body")
        return self._base + name

    def get(self, uri: str) -> bytes:
        """Read a body back; see ``bodies.Bodies``.

        Raises:
            HopError: S3 did not answer or refused, or the pointer or the content is not ours.
        """
        name = uri.removeprefix(self._base)
        if name == uri or not _NAME.fullmatch(name):
            raise PermanentDataError("foreign-dataref", "the body's pointer was not minted here; it is not followed")
        try:
            content = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                raise PermanentDataError("body-missing", "the body is no longer in the bucket") from error
            translate(error, "reading a body")
        except BotoCoreError as error:
            translate(error, "reading a body")
        if digest(content) != name:
            raise PermanentDataError("body-changed", "the body in the bucket is not the one that was stored")
        return content


def bodies_of(base_uri: str, item_id: str) -> str:
    """Where the bodies of one review item are."""
    return f"{base_uri.rstrip('/')}/{item_id}/"


class S3Documents:
    """Fulfils ``configuration.Documents``."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """The bytes of ``uri``.

        Raises:
            HopError: S3 did not answer or refused.
        """
        bucket, key = parse_uri(uri)
        try:
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading the configuration")
