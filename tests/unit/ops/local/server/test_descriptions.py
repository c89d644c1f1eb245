"""Descriptions have AWS's length, by fakes of MiniStack's services."""

from __future__ import annotations

import asyncio
import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import descriptions


@pytest.fixture(name="services")
def _services() -> dict[str, Any]:
    async def handle_request(*_request: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, b"done"

    services = {name: ModuleType(name) for name in ("lambda_svc", "apigateway", "eventbridge")}
    for service in services.values():
        vars(service)["handle_request"] = handle_request
    descriptions.correct(*services.values())
    return {name: vars(service)["handle_request"] for name, service in services.items()}


@pytest.mark.parametrize(
    ("service", "name", "most"),
    [("lambda_svc", "Description", 256), ("apigateway", "description", 1_024), ("eventbridge", "Description", 512)],
)
def test_a_description_has_the_length_that_the_service_takes(
    services: dict[str, Any], service: str, name: str, most: int
) -> None:
    def status(length: int) -> int:
        body = json.dumps({name: "ä" * length}).encode()
        return int(asyncio.run(services[service]("POST", "/", {}, body, {}))[0])

    assert (status(most), status(most + 1)) == (200, 400)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/2015-03-31/functions/f/invocations", json.dumps({"Description": "x" * 999}).encode()),
        ("/2015-03-31/functions", b"Description, not JSON"),
        ("/2015-03-31/functions", b'["Description"]'),
        ("/2015-03-31/functions", b'{"Description": null}'),
        ("/2015-03-31/functions", b""),
    ],
)
def test_other_requests_are_ministacks_own(services: dict[str, Any], path: str, body: bytes) -> None:
    assert asyncio.run(services["lambda_svc"]("POST", path, {}, body, {}))[0] == 200
