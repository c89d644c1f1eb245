"""The webhook under test, behind its Lambda handler."""

from __future__ import annotations

import pytest

from media_events.handlers import webhook
from tests.fakes.webhook_requests import Desk


@pytest.fixture(name="service")
def _desk(monkeypatch):
    service = Desk()
    monkeypatch.setattr(webhook, "application", service.application)
    return service


@pytest.fixture(name="desk_of")
def _desk_of(monkeypatch):
    """A webhook with partners or limits of the test's own."""

    def build(**changes):
        service = Desk(**changes)
        monkeypatch.setattr(webhook, "application", service.application)
        return service

    return build
