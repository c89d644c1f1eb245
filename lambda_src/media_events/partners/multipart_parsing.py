"""Reads ``multipart/form-data`` (RFC 7578) into an object of fields.

A part without a file name is a text. A file is ``{"filename", "content_type", "size", "base64"}``.

Every refusal is a :class:`PermanentDataError` with a code of :mod:`form_parsing`, or ``multipart-invalid``,
``multipart-too-many-parts``.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import decode
from media_events.partners.form_parsing import MAX_FORM_FIELDS, form_of

MAX_PART_HEADER_BYTES: Final = 4_096

_OPENING: Final = pattern(rb"--([0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-])\r\n")
_PARAMETER: Final = pattern(r';[ \t]*+([a-z-]{1,20}\*?)=(?:"((?:[^"\\]|\\.)*+)"|([^;" \t]++))', re.IGNORECASE)


def parse_multipart(body: bytes, charset: str = "utf-8", *, nested: bool = False) -> dict[str, Any]:
    """The parts by name. The boundary is the body's first line, not the header's, which no signature covers.

    Raises:
        PermanentDataError: with one of the module's codes.
    """
    if not body:
        raise PermanentDataError("body-empty", "the body is empty")
    opening = _OPENING.match(body)
    if opening is None:
        raise PermanentDataError("multipart-invalid", "the body does not begin with the boundary of its first part")
    delimiter = b"\r\n--" + opening[1]
    if body.count(delimiter) > MAX_FORM_FIELDS:
        raise PermanentDataError("multipart-too-many-parts", f"the body has more than {MAX_FORM_FIELDS} parts")
    # The delimiter of the first part has no line break before it, but that of an empty preamble.
    *parts, last = (b"\r\n" + body).split(delimiter)[1:]
    if not last.startswith(b"--"):
        raise PermanentDataError("multipart-invalid", "the body has no closing boundary")
    return form_of([_part(part, charset) for part in parts], nested=nested)


def _part(part: bytes, charset: str) -> tuple[str, Any]:
    end = part.find(b"\r\n\r\n", 0, MAX_PART_HEADER_BYTES)
    if end < 0 or not part.startswith(b"\r\n"):
        raise PermanentDataError("multipart-invalid", f"a part has no header of {MAX_PART_HEADER_BYTES} bytes at most")
    content = part[end + 4 :]
    # `find` may meet the blank line at once, if a part has no header at all.
    headers = decode(part[2:end]) if end > 2 else ""  # noqa: PLR2004
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in headers.split("\r\n"))
    }
    kind, parameters = _disposition(fields.get("content-disposition", ""))
    if kind != "form-data" or "name" not in parameters:
        raise PermanentDataError("multipart-invalid", "a part has no Content-Disposition: form-data with a name")
    if "filename" not in parameters:
        return parameters["name"], decode(content, charset) if content else ""
    return parameters["name"], {
        "filename": parameters["filename"],
        "content_type": fields.get("content-type", "application/octet-stream"),
        "size": len(content),
        "base64": base64.b64encode(content).decode("ascii"),
    }


def _disposition(header: str) -> tuple[str, dict[str, str]]:
    kind, semicolon, rest = header.partition(";")
    parameters = {
        match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        for match in _PARAMETER.finditer(semicolon + rest)
    }
    return kind.strip().lower(), parameters
