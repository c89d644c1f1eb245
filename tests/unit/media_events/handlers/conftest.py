"""The handlers' AWS."""

from __future__ import annotations

import pytest
from moto import mock_aws

from media_events.adapters.boto_clients import client as make_client
from media_events.handlers import deliver, invocation, queue_ingress, redrive, transform, webhook
from tests.fakes.handler_cloud import REGION, Cloud

CACHED = (make_client, webhook.application, transform.settings, transform.steps, transform._ports)
CACHED += (transform._bus, invocation.tracer)
CACHED += (deliver._settings, deliver._destination, deliver._delivery, deliver._circuit_breaker)
CACHED += (queue_ingress.settings, queue_ingress.receiver)
CACHED += (redrive._settings, redrive._dead_letter_queues, redrive._events, redrive._redriver)


@pytest.fixture(name="cloud")
def _cloud(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        for cached in CACHED:
            cached.cache_clear()
        yield Cloud(monkeypatch)
        for cached in CACHED:
            cached.cache_clear()
