"""Ports of the steps: the systems outside that they may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from media_events.core.value_classes import dataclass

if TYPE_CHECKING:
    # A transform without lookups starts faster without them.
    from media_events.outbound_http.authentication import ReadSecrets
    from media_events.outbound_http.client import Request, Response


class PartnerHttp(Protocol):
    """HTTP to partners (``adapters.http_client.PinnedHttpClient``): an ``outbound_http.client.HttpClient`` with GET."""

    def post(self, request: Request) -> Response:
        """Send ``request``; see ``outbound_http.client.HttpClient``."""

    def get(self, request: Request) -> Response:
        """Send ``request`` as a GET; redirects are not followed.

        Raises:
            PermanentConfigError: the host's address is forbidden.
            TransientError: no answer: resolver, connection, TLS, timeout.
        """


class Tables(Protocol):
    """DynamoDB (``adapters.dynamodb.lookup.DynamoTables``)."""

    def item(
        self, table_arn: str, key: Mapping[str, str | int | float], *, consistent: bool, timeout_seconds: float
    ) -> Mapping[str, Any] | None:
        """The item with ``key``, as JSON; ``None`` if there is none.

        Raises:
            ProcessingError: DynamoDB did not answer or refused.
        """


class Objects(Protocol):
    """S3 (``adapters.s3.lookup.S3Objects``)."""

    def properties(self, bucket: str, key: str, *, timeout_seconds: float) -> Mapping[str, Any] | None:
        """An object's properties; ``None`` if there is no object.

        ``{"size", "content_type", "etag", "last_modified", "version_id", "storage_class", "metadata"}``, as far as S3
        has them; ``metadata`` has the names in lower case, ``last_modified`` is RFC 3339.

        Raises:
            ProcessingError: S3 did not answer or refused.
        """

    def content(self, bucket: str, key: str, *, max_bytes: int, timeout_seconds: float) -> bytes | None:
        """The first ``max_bytes`` of an object's content; ``None`` if there is no object.

        Raises:
            ProcessingError: S3 did not answer or refused.
        """


class Functions(Protocol):
    """Users' functions in Lambda (``adapters.aws_lambda.user_code.LambdaFunctions``)."""

    def answer(self, function_arn: str, payload: str, *, timeout_seconds: float) -> bytes:
        """Invoke a function and return its result, in JSON.

        Raises:
            PermanentDataError, PermanentConfigError: the function raised an error of that name.
            TransientError: it raised another one, timed out, or did not answer.
            ProcessingError: Lambda refused.
        """


PythonFunction = Callable[[dict[str, Any]], Any]
"""A user's step: from ``{"metadata", "data"}`` to new data, a list of data, or ``None``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformPorts:
    """All ports. ``clock`` is epoch seconds; ``seconds_left`` is the rest of the function's time.

    ``load`` finds a Python function by ``module:function``, or raises :class:`ConfigurationError`.
    """

    partners: PartnerHttp
    read_secrets: ReadSecrets
    tables: Tables
    objects: Objects
    functions: Functions
    load: Callable[[str], PythonFunction]
    clock: Callable[[], float]
    seconds_left: Callable[[], float]
