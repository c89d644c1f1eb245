"""Settings of one route are deleted alone, by a fake of MiniStack's API Gateway."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import route_settings

SETTINGS = "/v2/apis/a1/stages/%24default/routesettings/"


@pytest.fixture(name="service")
def _service() -> Any:
    async def handle_request(method: str, path: str, *_rest: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, f"{method} {path}".encode()

    service = ModuleType("apigateway")
    stage = {"routeSettings": {"POST /webhooks/{partner}": {}, "ANY /webhooks/mux": {}}}
    vars(service).update(handle_request=handle_request, _stages={"a1": {"$default": stage}})
    route_settings.correct(service)
    return service


def ask(service: Any, method: str, path: str) -> Any:
    return asyncio.run(vars(service)["handle_request"](method, path, {}, b"", {}))


@pytest.mark.parametrize("route", ["POST%20%2Fwebhooks%2F%7Bpartner%7D", "POST /webhooks/{partner}"])
def test_settings_of_one_route_go_and_the_stage_stays(service: Any, route: str) -> None:
    assert ask(service, "DELETE", SETTINGS + route)[0] == 204
    assert vars(service)["_stages"] == {"a1": {"$default": {"routeSettings": {"ANY /webhooks/mux": {}}}}}
    assert ask(service, "DELETE", SETTINGS + route)[0] == 404


def test_everything_else_is_left_to_ministack(service: Any) -> None:
    assert ask(service, "DELETE", "/v2/apis/a1/stages/dev")[2] == b"DELETE /v2/apis/a1/stages/dev"
    assert ask(service, "DELETE", "/v2/apis/a2/stages/dev/routesettings/x")[0] == 404
