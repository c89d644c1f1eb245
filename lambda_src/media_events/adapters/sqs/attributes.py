"""Message attributes in the form for sending."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any


def sendable(received: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """``received`` as ``SendMessage`` takes it; attributes without a value are left out.

    Lambda spells attributes in lower camel case and binary values in base64; ``SendMessage`` takes neither.
    """
    attributes: dict[str, Any] = {}
    for name, value in received.items():
        data_type, binary = value.get("dataType") or "String", value.get("binaryValue")
        if value.get("stringValue") is not None:
            attributes[name] = {"DataType": data_type, "StringValue": value["stringValue"]}
        elif binary is not None:
            raw = binary if isinstance(binary, bytes) else base64.b64decode(binary)
            attributes[name] = {"DataType": data_type, "BinaryValue": raw}
    return attributes
