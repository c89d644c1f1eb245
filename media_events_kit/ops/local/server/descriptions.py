"""How long a description may be. MiniStack 1.5.33 takes any.

- Lambda: 256 characters (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html).
- API Gateway: 1,024 (https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html).
- EventBridge: 512 (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from media_events_kit.ops.local.server.corrections import Answer, replace


def correct(lambdas: Any, api_gateway: Any, eventbridge: Any) -> None:
    """Correct ``ministack.services``' ``lambda_svc``, ``apigateway`` and ``eventbridge``."""
    _limit(lambdas, "Description", 256, "InvalidParameterValueException")
    _limit(api_gateway, "description", 1_024, "BadRequestException")
    _limit(eventbridge, "Description", 512, "ValidationException")


def _limit(service: Any, name: str, most: int, code: str) -> None:
    def limited(handler_of_ministack: Callable[..., Coroutine[Any, Any, Answer]]) -> Any:
        async def handle_request(method: str, path: str, headers: Any, body: bytes, *rest: Any, **more: Any) -> Answer:
            # An invocation's payload is the function's own.
            if path.endswith("/invocations") or _length(body, name) <= most:
                return await handler_of_ministack(method, path, headers, body, *rest, **more)
            message = f"1 validation error detected: '{name}' must have length less than or equal to {most}"
            answer = json.dumps({"__type": code, "message": message}).encode()
            return HTTPStatus.BAD_REQUEST, {"Content-Type": "application/json", "x-amzn-errortype": code}, answer

        return handle_request

    replace(service, "handle_request", limited)


def _length(body: bytes, name: str) -> int:
    if name.encode() not in body:
        return 0
    try:
        request = json.loads(body)
    except ValueError:
        return 0
    value = request.get(name) if isinstance(request, dict) else None
    return len(value) if isinstance(value, str) else 0
