"""Nobody is asked who they are where an HTTP API has no route, by a fake of MiniStack's API Gateway."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import missing_routes


@pytest.fixture(name="service")
def _service() -> Any:
    service = ModuleType("apigateway")
    vars(service).update(
        route_authorization_type=lambda _api, _stage, _method, path: {"/webhooks/acme": "AWS_IAM"}.get(path),
        find_api_scope=lambda api: ("000000000000", "eu-west-1") if api == "a1" else None,
    )
    missing_routes.correct(service)
    return service


@pytest.mark.parametrize(
    ("api", "path", "wanted"),
    [
        ("a1", "/webhooks/acme", "AWS_IAM"),
        ("a1", "/", "NONE"),
        ("a1", "/webhooks/acme/more", "NONE"),
        ("b2", "/", None),
    ],
)
def test_a_path_without_a_route_needs_no_proof(service: Any, api: str, path: str, wanted: str | None) -> None:
    assert vars(service)["route_authorization_type"](api, "$default", "POST", path) == wanted
