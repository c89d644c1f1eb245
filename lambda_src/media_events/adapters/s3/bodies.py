"""Bodies in S3, each under its digest as name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.events.claim_check import digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URI: Final = pattern(r"s3://([^/]+)/(.*)", re.DOTALL)
_NAME: Final = pattern(r"[0-9a-f]{64}")


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://bucket/key`` URI.

    Raises:
        ValueError: ``uri`` is not one.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValueError(f"must be s3://bucket/key, not {uri!r}")
    return match[1], match[2]


class S3Bodies:
    """Implements ``events.claim_check.Bodies``. ``base_uri`` is ``s3://bucket/prefix/``."""

    def __init__(self, client: S3Client, base_uri: str) -> None:
        self._client = client
        self._base = base_uri if base_uri.endswith("/") else base_uri + "/"
        self._bucket, self._prefix = parse_uri(self._base)

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:
        """Store ``content``; returns its URI."""
        name = digest(content)
        with translated("storing a body"):
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + name, Body=content, ContentType=content_type
            )
        return self._base + name

    def get(self, uri: str) -> bytes:
        """Read a body.

        Raises:
            PermanentDataError: ``foreign-dataref``, ``body-missing`` or ``body-changed``.
            ProcessingError: S3 did not answer or refused.
        """
        name = uri.removeprefix(self._base)
        if name == uri or not _NAME.fullmatch(name):
            raise PermanentDataError("foreign-dataref", "the body's URI is not one of ours, so it is not read")
        try:
            content = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            if error_code(error) in ("NoSuchKey", "404"):
                raise PermanentDataError("body-missing", "the body is no longer in the bucket") from error
            translate(error, "reading a body")
        if digest(content) != name:
            raise PermanentDataError("body-changed", "the body in the bucket is not the one that was stored")
        return content


def bodies_of(base_uri: str, item_id: str) -> str:
    """The base URI of one review item's bodies."""
    return f"{base_uri.rstrip('/')}/{item_id}/"


class S3Documents:
    """Implements ``core.configuration.Documents``."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def read(self, uri: str) -> bytes:
        """The bytes of ``uri``."""
        bucket, key = parse_uri(uri)
        with translated("reading the configuration"):
            return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
