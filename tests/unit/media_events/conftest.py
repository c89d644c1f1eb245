"""The webhook under test, behind its Lambda handler."""

from __future__ import annotations

import pytest

from media_events.handlers import webhook
from tests.fakes.webhook_requests import WebhookHarness


@pytest.fixture(name="service")
def _service(monkeypatch):
    service = WebhookHarness()
    monkeypatch.setattr(webhook, "application", service.application)
    return service


@pytest.fixture(name="service_of")
def _service_of(monkeypatch):
    """A webhook with partners or limits of the test's own."""

    def build(**changes):
        service = WebhookHarness(**changes)
        monkeypatch.setattr(webhook, "application", service.application)
        return service

    return build
