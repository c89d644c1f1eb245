"""DeleteRouteSettings deletes the settings of one route. MiniStack 1.5.33 takes it for DeleteStage.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages-stagename-routesettings-routekey.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from media_events_kit.ops.local.server.corrections import Answer, replace

_PATH: Final = re.compile(r"/v2/apis/([^/]+)/stages/([^/]+)/routesettings/(.+)")


def correct(api_gateway: Any) -> None:
    """Correct ``ministack.services.apigateway``."""

    def corrected(handler_of_ministack: Callable[..., Coroutine[Any, Any, Answer]]) -> Any:
        async def handle_request(method: str, path: str, *rest: Any, **more: Any) -> Answer:
            match = _PATH.fullmatch(path) if method == "DELETE" else None
            if match is None:
                return await handler_of_ministack(method, path, *rest, **more)
            api, stage, route = map(unquote, match.groups())
            found = vars(api_gateway)["_stages"].get(api, {}).get(stage)
            if found is None or route not in (found.get("routeSettings") or {}):
                body = b'{"message": "Unable to find the route settings"}'
                return HTTPStatus.NOT_FOUND, {"x-amzn-errortype": "NotFoundException"}, body
            del found["routeSettings"][route]
            return HTTPStatus.NO_CONTENT, {}, b""

        return handle_request

    replace(api_gateway, "handle_request", corrected)
