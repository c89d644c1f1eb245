"""What steps ask of the world outside, and may ask it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # Transforms without lookups start faster without them.
    from media_events.outbound_http.authentication import ReadSecrets
    from media_events.outbound_http.client import Request, Response


class PartnerHttp(Protocol):
    """HTTP to partners (``adapters.http_client.PinnedHttpClient``), a ``delivery.exchange.HttpClient`` that can get."""

    def post(self, request: Request) -> Response:
        """Send ``request``; see ``delivery.exchange.HttpClient``."""
        ...

    def get(self, request: Request) -> Response:
        """Send ``request`` as a GET, and no redirect is followed.

        Raises:
            PermanentConfigError: the host's address is forbidden.
            TransientError: no answer: resolver, connection, TLS, timeout.
        """
        ...


class Tables(Protocol):
    """DynamoDB (``adapters.lookup_tables.DynamoTables``)."""

    def item(
        self, table_arn: str, key: Mapping[str, str | int | float], *, consistent: bool, timeout_seconds: float
    ) -> Mapping[str, Any] | None:
        """The item with ``key``, as JSON has it; ``None`` where there is none.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        ...


class Objects(Protocol):
    """S3 (``adapters.lookup_objects.S3Objects``)."""

    def properties(self, bucket: str, key: str, *, timeout_seconds: float) -> Mapping[str, Any] | None:
        """What S3 knows of an object beside its content; ``None`` where there is none.

        ``{"size", "content_type", "etag", "last_modified", "version_id", "storage_class", "metadata"}``, each only
        where S3 says it; ``metadata`` has the names in lower case, ``last_modified`` is RFC 3339.

        Raises:
            HopError: S3 did not answer or refused.
        """
        ...

    def content(self, bucket: str, key: str, *, max_bytes: int, timeout_seconds: float) -> bytes | None:
        """The first ``max_bytes`` of an object's content; ``None`` where there is none.

        Raises:
            HopError: S3 did not answer or refused.
        """
        ...


class Functions(Protocol):
    """Functions of the user's in Lambda (``adapters.lookup_functions.LambdaFunctions``)."""

    def answer(self, function_arn: str, payload: str, *, timeout_seconds: float) -> bytes:
        """Invoke a function, wait, and give what it returned as JSON.

        Raises:
            PermanentDataError, PermanentConfigError: the function raised an error of that name.
            TransientError: it raised another one, timed out, or did not answer.
            HopError: Lambda refused.
        """
        ...


PythonFunction = Callable[[dict[str, Any]], Any]
"""A step of the user's: ``{"metadata", "data"}`` to new data, a list of data, or ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPorts:
    """All of them. ``clock`` is epoch seconds; ``seconds_left`` is how long the function may still run.

    ``load`` finds a Python function by ``module:function``, and raises ``ConfigurationError`` where there is none.
    """

    partners: PartnerHttp
    read_secrets: ReadSecrets
    tables: Tables
    objects: Objects
    functions: Functions
    load: Callable[[str], PythonFunction]
    clock: Callable[[], float]
    seconds_left: Callable[[], float]
