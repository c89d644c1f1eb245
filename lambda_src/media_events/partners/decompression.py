"""Undoes gzip (RFC 1952), bounded in size and ratio: a kilobyte can hold a megabyte, and hostile ones do.

Every refusal is a :class:`PermanentDataError` with one of these codes: ``gzip-invalid``, ``gzip-damaged``,
``gzip-too-large``.
"""

from __future__ import annotations

import zlib
from typing import Final

from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import MAX_BODY_BYTES

MAX_RATIO: Final = 100
"""Real JSON and XML is 5 to 20 times its gzip; deflate can do a thousand."""

FREE_BYTES: Final = 65_536
"""So much may come of any body, however small."""

_MAGIC: Final = b"\x1f\x8b"
_DAMAGED: Final = b"\x1f\xef\xbf\xbd"
"""The same after somebody read it as UTF-8. API Gateway passes bodies on in base64 "if the content type of the request
is binary", and documents no list: https://docs.aws.amazon.com/apigateway/latest/developerguide/\
http-api-develop-integrations-lambda.html . By measurements of others ``text/*`` and ``application/json``, ``xml`` and
``javascript`` are not."""

_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS
_STEP_BYTES: Final = 64


def gunzip(body: bytes, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The content of a gzip body; any other body as it is, since the header that would tell is not signed.

    ``max_bytes`` is the limit of a body, compressed or not.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    if body.startswith(_DAMAGED):
        raise PermanentDataError("gzip-damaged", "the body was gzip until somebody on its way read it as text")
    if not body.startswith(_MAGIC):
        return body
    most = _most(body, max_bytes)
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        content = stream.decompress(body, most + 1)
    except zlib.error:
        raise PermanentDataError("gzip-invalid", "the body is no gzip, though it begins like one") from None
    if len(content) > most:
        raise PermanentDataError("gzip-too-large", f"the body is more than {most} bytes without gzip")
    if not stream.eof or stream.unused_data:
        raise PermanentDataError("gzip-invalid", "the body is not one whole gzip member")
    return content


def gunzip_beginning(body: bytes, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """What can be unpacked of a broken gzip body; one that unpacks to too much, or to nothing, as it is."""
    if not body.startswith(_MAGIC):
        return body
    most = _most(body, max_bytes)
    stream = zlib.decompressobj(_GZIP_FORMAT)
    content = bytearray()
    # In steps: what comes before the broken place would be lost with it.
    for start in range(0, len(body), _STEP_BYTES):
        try:
            content += stream.decompress(body[start : start + _STEP_BYTES], most + 1 - len(content))
        except zlib.error:
            break
        if len(content) > most:
            return body
    return bytes(content + stream.unused_data) or body


def _most(body: bytes, max_bytes: int) -> int:
    return min(max_bytes, max(FREE_BYTES, MAX_RATIO * len(body)))
