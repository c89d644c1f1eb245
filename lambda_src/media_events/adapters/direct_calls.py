"""The calls that are made for each batch, without botocore's work on their models.

Of the 1.3 ms of CPU that botocore takes for a call, three quarters are its checks of the parameters against the model,
its serializer, its parser, its events and its signature. All of these operations speak AWS's JSON protocol
(https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html) with values that JSON has, so a request is its
parameters, and an answer its members. Credentials, endpoint, proxies, certificates, connections and timeouts are the
client's own.

A direct call is the first of a call's attempts. The others are botocore's, as ever: whatever is neither a success nor a
condition that does not hold is its to repeat or to raise.
"""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from media_events.adapters.signature_v4 import Signer, host_of
from media_events.core.value_classes import dataclass

OPERATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "dynamodb": {
        "batch_execute_statement": "BatchExecuteStatement",
        "put_item": "PutItem",
        "update_item": "UpdateItem",
    },
    "events": {"put_events": "PutEvents"},
}
"""By service, the client's methods that are made direct. None has a parameter or an answer with bytes or times."""

PROTOCOLS: Final[Mapping[str, tuple[str, str]]] = {
    "dynamodb": ("DynamoDB_20120810", "application/x-amz-json-1.0"),
    "events": ("AWSEvents", "application/x-amz-json-1.1"),
}
"""By service, the prefix of ``X-Amz-Target``, and the type of contents."""

_OK: Final = 200
_REFUSED: Final = 400
_SERVER_FAULT: Final = 500
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_THROTTLED: Final = ("Throttl", "ThroughputExceeded", "LimitExceeded")
_THROTTLING_PAUSE_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.05


def make_direct(client: Any, credentials: Any, *, rest: Callable[[], Any], repeats_unanswered: bool) -> None:
    """Replace the methods of ``client`` that :data:`OPERATIONS` names.

    ``rest`` makes a client of the same service that has one attempt less. A call without an answer is raised at once
    unless ``repeats_unanswered``. A client whose endpoint has a path stays as it is, and one of a botocore that keeps
    its connections elsewhere: Lambda's runtime brings its own
    (https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html).
    """
    connections = getattr(getattr(client, "_endpoint", None), "http_session", None)
    url = f"{client.meta.endpoint_url.rstrip('/')}/"
    if connections is None or credentials is None or urlsplit(url).path != "/":
        return
    service = client.meta.service_model
    signer = Signer(host=host_of(url), region=client.meta.region_name, service=service.signing_name)
    for method, operation in OPERATIONS.get(service.service_name, {}).items():
        call = _DirectCall(
            client=client,
            credentials=credentials,
            connections=connections,
            url=url,
            signer=signer,
            operation=operation,
            method=method,
            rest=rest,
            repeats_unanswered=repeats_unanswered,
        )
        setattr(client, method, call)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DirectCall:
    """One operation of a client, as the client's method."""

    client: Any
    credentials: Any
    connections: Any
    url: str
    signer: Signer
    operation: str
    method: str
    rest: Callable[[], Any]
    repeats_unanswered: bool

    def __call__(self, **parameters: Any) -> Any:
        """The answer's members.

        Raises:
            BotoCoreError: as botocore's method does.
            ClientError: likewise.
        """
        from botocore.exceptions import BotoCoreError, ReadTimeoutError  # noqa: PLC0415  # as in boto_clients

        try:
            response = self._send(json.dumps(parameters).encode())
        except (TypeError, ValueError):
            return self._repeat(parameters)  # it says which parameter is wrong
        except ReadTimeoutError:
            if not self.repeats_unanswered:
                raise
            return self._repeat(parameters, _PAUSE_SECONDS)
        except BotoCoreError:
            return self._repeat(parameters, _PAUSE_SECONDS)
        if response.status_code == _OK and _is_whole(response):
            return _members(response.content)
        if response.status_code == _REFUSED:
            refusal = _members(response.content)
            code = str(refusal.get("__type")).rpartition("#")[2]
            if code == _CONDITION_FAILED:
                raise self._error(code, refusal)
            throttled = any(word in code for word in _THROTTLED)
            return self._repeat(parameters, _THROTTLING_PAUSE_SECONDS if throttled else 0.0)
        return self._repeat(parameters, _PAUSE_SECONDS if response.status_code >= _SERVER_FAULT else 0.0)

    def _send(self, body: bytes) -> Any:
        from botocore.awsrequest import AWSPreparedRequest  # noqa: PLC0415
        from botocore.handlers import add_recursion_detection_header  # noqa: PLC0415

        meta = self.client.meta
        service = meta.service_model
        prefix, content_type = PROTOCOLS[service.service_name]
        headers = {"X-Amz-Target": f"{prefix}.{self.operation}", "Content-Type": content_type}
        headers |= self.signer.signed(headers, body, self.credentials.get_frozen_credentials())
        headers |= {"User-Agent": meta.config.user_agent, "Content-Length": str(len(body))}
        add_recursion_detection_header({"headers": headers})
        # These names are in their usual case: no need of headers that are found in any.
        plain: Any = headers
        prepared = AWSPreparedRequest("POST", self.url, plain, body, stream_output=False)
        # Whoever stands in for AWS answers here: moto, for one.
        event = f"before-send.{service.service_id.hyphenize()}.{self.operation}"
        _, answer = meta.events.emit_until_response(event, request=prepared)
        return answer or self.connections.send(prepared)

    def _repeat(self, parameters: Mapping[str, Any], most_seconds: float = 0.0) -> Any:
        """The other attempts, after a pause as in botocore's standard mode, which has the greater of them everywhere.

        https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
        """
        time.sleep(random.SystemRandom().random() * most_seconds)
        return getattr(self.rest(), self.method)(**parameters)

    def _error(self, code: str, refusal: Mapping[str, Any]) -> Exception:
        """The error that botocore raises: with the members that the model has, such as ``Item``."""
        message = refusal.get("message", refusal.get("Message", ""))
        members = {name: value for name, value in refusal.items() if name not in ("__type", "message", "Message")}
        metadata = {"HTTPStatusCode": _REFUSED}
        response = {**members, "Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
        error: Exception = self.client.exceptions.from_code(code)(response, self.operation)
        return error


def _is_whole(response: Any) -> bool:
    """DynamoDB sends a checksum of its answers, which botocore checks as well."""
    expected = response.headers.get("x-amz-crc32")
    return expected is None or int(expected) == zlib.crc32(response.content)


def _members(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
