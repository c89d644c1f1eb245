"""An HTTP API answers 404 where no route matches, whoever asks. MiniStack 1.5.33 first asks who it is.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from media_events_kit.ops.local.server.corrections import replace


def correct(api_gateway: Any) -> None:
    """Correct ``ministack.services.apigateway``."""

    def corrected(of_ministack: Callable[[str, str, str, str], str | None]) -> Any:
        def route_authorization_type(api: str, stage: str, method: str, path: str) -> str | None:
            found = of_ministack(api, stage, method, path)
            return "NONE" if found is None and vars(api_gateway)["find_api_scope"](api) is not None else found

        return route_authorization_type

    replace(api_gateway, "route_authorization_type", corrected)
