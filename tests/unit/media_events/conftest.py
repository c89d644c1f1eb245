"""The webhook under test, behind its Lambda handler."""

from __future__ import annotations

import pytest

from media_events.handlers import webhook
from tests.fakes.webhook_requests import Desk


@pytest.fixture(name="desk")
def _desk(monkeypatch):
    desk = Desk()
    monkeypatch.setattr(webhook, "application", desk.application)
    return desk


@pytest.fixture(name="desk_of")
def _desk_of(monkeypatch):
    """A webhook with partners or limits of the test's own."""

    def build(**changes):
        desk = Desk(**changes)
        monkeypatch.setattr(webhook, "application", desk.application)
        return desk

    return build
