"""Errors that Lambda functions raise, as the runtime reports them: ``{"errorType", "errorMessage"}``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from media_events.core.failures import (
    PermanentConfigError,
    PermanentDataError,
    PoisonError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
)
from media_events.core.value_classes import dataclass

_MAX_KIND_CHARACTERS: Final = 128
_MAX_MESSAGE_CHARACTERS: Final = 512
_BY_NAME: Final = {error.__name__: error for error in (PermanentDataError, PermanentConfigError, UnsettledConfigError)}


@dataclass(frozen=True, slots=True)
class RaisedError:
    """``kind`` is the name of the error's class, without characters that drive a terminal."""

    kind: str
    message: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read a function's answer with ``FunctionError``."""
        kind, message = (str(document.get(name) or "") for name in ("errorType", "errorMessage"))
        kind = "".join(c for c in kind[:_MAX_KIND_CHARACTERS] if c.isprintable())
        return cls(kind or "unknown", message[:_MAX_MESSAGE_CHARACTERS])

    @property
    def code(self) -> str:
        return f"function-{self.kind}"

    def failure(self, message: str, *, response: str | None = None) -> ProcessingError:
        """The failure: of the class of ours that the error is named like, else transient."""
        error = _BY_NAME.get(self.kind.rpartition(".")[2], TransientError)
        return error(self.code, message, response=response)

    def poison(self, when: str) -> PoisonError:
        """The failure of a function that handled this one message, for example "when it was invoked alone"."""
        return PoisonError(self.code, f"the function failed when {when}: {self.kind}: {self.message}")


def answer_document(content: bytes) -> Mapping[str, Any]:
    """A function's answer as an object; empty where it is none."""
    try:
        document = json.loads(content or b"null")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, Mapping) else {}
