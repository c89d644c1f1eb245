"""Which cloud a command means, where a local one runs."""

from __future__ import annotations

import os

import pytest

from media_events_kit.ops.deployment import discovery
from media_events_kit.ops.deployment.discovery import running_cloud
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.paths import LocalPaths


@pytest.fixture(name="record")
def _record(tmp_path, monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(discovery, "is_running", lambda _record: True)
    record = CloudRecord(
        endpoint="https://127.0.0.1:4599",
        port=4599,
        pid=os.getpid(),
        process_started="now",
        started_at="2026-01-01T00:00:00+00:00",
        environment="local",
        ca_bundle="/ca.pem",
        region="us-east-1",
        access_key_id="AKIALOCAL",
        secret_access_key="shh",
    )
    record.write(LocalPaths(tmp_path))
    return record


@pytest.mark.parametrize(
    ("variables", "profile", "local"),
    [
        ({}, None, True),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:4599", "AWS_ACCESS_KEY_ID": "AKIALOCAL"}, None, True),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:4599", "AWS_ACCESS_KEY_ID": "AKIAOTHER"}, None, False),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "AKIALOCAL"}, None, False),
        ({}, "media-operator", False),
    ],
    ids=["nothing said", "its own environment", "another user's key", "another cloud", "a profile"],
)
@pytest.mark.usefixtures("record")
def test_the_local_cloud_is_meant_unless_another_or_another_user_is(tmp_path, monkeypatch, variables, profile, local):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (running_cloud(LocalPaths(tmp_path), profile) is not None) == local
