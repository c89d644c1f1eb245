"""Nobody but who knows the key of this run is root, and MiniStack's own paths are closed."""

from __future__ import annotations

import asyncio
import hashlib
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import access

KEY, SECRET = "AKIAABCDEFGHIJKLMNOP", "the-secret-of-this-run"


@pytest.fixture(name="modules")
def _modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    made = {name: ModuleType(name) for name in ("evaluator", "sts", "runtime")}
    for name in ("evaluator", "sts"):
        vars(made[name])["is_root_access_key"] = lambda _key: True
    vars(made["runtime"])["hashlib"] = hashlib
    access.correct(*made.values())
    return made


@pytest.mark.attack("L1")
@pytest.mark.parametrize("key", ["", "test", "000000000000", KEY[:-1], KEY.lower(), "\udcff"])
def test_l1_only_the_key_of_this_run_is_root(modules: dict[str, ModuleType], key: str) -> None:
    for name in ("evaluator", "sts"):
        is_root = vars(modules[name])["is_root_access_key"]
        assert (is_root(KEY), is_root(key)) == (True, False)


@pytest.mark.attack("L3")
def test_l3_what_is_derived_from_an_arn_needs_the_secret_of_this_run(modules: dict[str, ModuleType]) -> None:
    derived = vars(modules["runtime"])["hashlib"].sha256(b"arn").hexdigest()

    assert derived != hashlib.sha256(b"arn").hexdigest()
    assert derived == vars(modules["runtime"])["hashlib"].sha256(b"arn").hexdigest()


def answered(path: str, kind: str = "http") -> list[dict[str, Any]]:
    """What is sent for a request of ``path``; MiniStack itself sends its scope."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def ministack(scope: dict[str, Any], _receive: Any, reply: Any) -> None:
        await reply(scope)

    asyncio.run(access.guarded(ministack)({"type": kind, "path": path}, None, send))
    return sent


@pytest.mark.attack("L4")
@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "//_ministack/config", "/_ministack/health/x", "/_localstack/init"]
)
def test_l4_ministack_s_own_paths_are_closed(path: str) -> None:
    assert answered(path)[0]["status"] == 403
    assert answered(path, "websocket") == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("path", ["/_ministack/health", "/bucket/_ministack/key", "/"])
def test_other_paths_are_ministacks(path: str) -> None:
    assert answered(path) == [{"type": "http", "path": path}]
