"""The calls that are made for each batch, without botocore's work on their models.

Of the 1.3 ms of CPU that botocore takes for a call, three quarters are its checks of the parameters against the model,
its serializer, its parser, its events and its signature, and most of the rest its way to ``http.client``. All of these
operations speak AWS's JSON protocol (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html) with values that
JSON has, so a request is its parameters, and an answer its members. Credentials and endpoint are the client's own,
authorities and timeouts the same.

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

from media_events.adapters.kept_connections import CHECKSUM, Answer, KeptConnections
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


def make_direct(
    client: Any,
    credentials: Any,
    connections: KeptConnections,
    *,
    rest: Callable[[], Any],
    repeats_unanswered: bool,
) -> None:
    """Replace the methods of ``client`` that :data:`OPERATIONS` names; ``connections`` lead to its endpoint.

    ``rest`` makes a client of the same service that has one attempt less. A call without an answer is raised at once
    unless ``repeats_unanswered``.
    """
    meta = client.meta
    service = meta.service_model
    signer = Signer(host=host_of(meta.endpoint_url), region=meta.region_name, service=service.signing_name)
    prefix, content_type = PROTOCOLS[service.service_name]
    for method, operation in OPERATIONS[service.service_name].items():
        call = _DirectCall(
            client=client,
            credentials=credentials,
            connections=connections,
            signer=signer,
            headers={"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": content_type},
            event=f"before-send.{service.service_id.hyphenize()}.{operation}",
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
    connections: KeptConnections
    signer: Signer
    headers: Mapping[str, str]
    event: str
    """Whoever stands in for AWS answers to this event of botocore's: moto, for one."""
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
            answer = self._send(json.dumps(parameters).encode())
        except (TypeError, ValueError):
            return self._repeat(parameters)  # it says which parameter is wrong
        except (TimeoutError, ReadTimeoutError) as error:
            if not self.repeats_unanswered:
                raise ReadTimeoutError(endpoint_url=self.client.meta.endpoint_url, error=error) from error
            return self._repeat(parameters, _PAUSE_SECONDS)
        except (ConnectionError, BotoCoreError):
            return self._repeat(parameters, _PAUSE_SECONDS)
        if answer.status == _OK and _is_whole(answer):
            return _members(answer.body)
        if answer.status == _REFUSED:
            refusal = _members(answer.body)
            code = str(refusal.get("__type")).rpartition("#")[2]
            if code == _CONDITION_FAILED:
                raise self._error(code, refusal)
            throttled = any(word in code for word in _THROTTLED)
            return self._repeat(parameters, _THROTTLING_PAUSE_SECONDS if throttled else 0.0)
        return self._repeat(parameters, _PAUSE_SECONDS if answer.status >= _SERVER_FAULT else 0.0)

    def _send(self, body: bytes) -> Answer:
        from botocore.handlers import add_recursion_detection_header  # noqa: PLC0415

        headers = {
            **self.headers,
            **self.signer.signed(self.headers, body, self.credentials.get_frozen_credentials()),
            "Host": self.signer.host,
            "User-Agent": self.client.meta.config.user_agent,
        }
        add_recursion_detection_header({"headers": headers})
        return self._answer_of_a_stand_in(headers, body) or self.connections.post(headers, body)

    def _answer_of_a_stand_in(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        from botocore.awsrequest import AWSPreparedRequest  # noqa: PLC0415

        meta = self.client.meta
        # These names are in their usual case: no need of headers that are found in any.
        plain: Any = headers
        request = AWSPreparedRequest("POST", f"{meta.endpoint_url.rstrip('/')}/", plain, body, stream_output=False)
        _, answer = meta.events.emit_until_response(self.event, request=request)
        return None if answer is None else Answer(answer.status_code, answer.content, answer.headers.get(CHECKSUM))

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


def _is_whole(answer: Answer) -> bool:
    """DynamoDB sends a checksum of its answers, which botocore checks as well."""
    return answer.checksum is None or int(answer.checksum) == zlib.crc32(answer.body)


def _members(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
