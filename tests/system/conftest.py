"""One local cloud for the session, on which the demonstration has run, with a state directory and a port of its own.

With `-n 4` all tests on that cloud run in one process, one after the other, and each file that starts a cloud of its
own in another. An apply mostly waits, so several clouds at a time cost little.
"""

from __future__ import annotations

import io
import json
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from xdist.scheduler import LoadScopeScheduling

from media_events_kit.ops.demo import http_receiver_process, review_page
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.runner import PRESETS, DemoRun
from media_events_kit.ops.demo.senders import HttpResponse, Sender, post
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.send.samples import SAMPLES

pytest.register_assert_rewrite("tests.system.recipes")  # what they assert is told as a test's is

OWN_CLOUD = {
    "test_changes_under_traffic.py",
    "test_destinations.py",
    "test_ingress.py",
    "test_killed_commands.py",
    "test_recipes.py",
    "test_transform_steps.py",
}
"""Files with a cloud of their own; all others share the demonstration's."""

FIRST, LAST = ("test_demo.py", "test_webhook_attacks.py"), ("test_secrecy.py",)
"""On the shared cloud, first the tests that count its traffic, last the search for secrets."""


class _ByCloud(LoadScopeScheduling):
    """Sends the tests that share a local cloud to one process. xdist's own groups don't work with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        return "demonstration" if file.parent.name == "system" and file.name not in OWN_CLOUD else file.name


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByCloud:
    """How `-n` spreads these tests."""
    return _ByCloud(config, log)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if item.path.is_relative_to(here)]
    shared = {item.path.name for item in ours if "demonstration" in item.fixturenames}
    if wrong := OWN_CLOUD - ({file.name for file in here.glob("test_*.py")} - shared):
        raise pytest.UsageError(f"tests/system/conftest.py: {', '.join(sorted(wrong))} have no cloud of their own")
    for item in ours:
        item.add_marker(pytest.mark.local)
    ours.sort(key=lambda item: (item.path.name in LAST, item.path.name not in FIRST))
    items[:] = [item for item in items if item not in set(ours)] + ours


@dataclass(frozen=True)
class Demonstration:
    """The demonstration as it went: its result, and what it printed."""

    result: dict[str, Any]
    printed: str
    paths: LocalPaths


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    paths = LocalPaths(tmp_path_factory.mktemp("local-cloud"))
    text = io.StringIO()
    previous = _interrupt_when_terminated()
    try:
        result = DemoRun(paths, Console(file=text, width=160), page=True).run()
        yield Demonstration(result, text.getvalue(), paths)
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
        lifecycle.down(paths)
        http_receiver_process.stop(paths)
        review_page.stop(paths)


def _interrupt_when_terminated() -> Any:
    # A test run that is ended from outside leaves no cloud behind.
    if threading.current_thread() is not threading.main_thread():
        return None

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    return signal.signal(signal.SIGTERM, interrupt)


@pytest.fixture(scope="session")
def clients(demonstration: Demonstration) -> Clients:
    return Clients(lifecycle.require_record(demonstration.paths))


@pytest.fixture(scope="session")
def outputs(demonstration: Demonstration) -> dict[str, Any]:
    return lifecycle.read_outputs(demonstration.paths)


@pytest.fixture(scope="session")
def receiver(demonstration: Demonstration) -> Receiver:
    running = Receiver.read(demonstration.paths)
    assert running is not None
    return running


@pytest.fixture(scope="session")
def senders(clients: Clients, outputs: dict[str, Any]) -> dict[str, Sender]:
    urls = webhook_urls(outputs, clients.record)
    return {
        partner: Sender(preset, urls[partner], _secret(clients, outputs, partner), clients.record.ca_bundle)
        for partner, preset in PRESETS.items()
    }


def _secret(clients: Clients, outputs: dict[str, Any], partner: str) -> str:
    return clients.secretsmanager.get_secret_value(SecretId=outputs["secret_names"][partner])["SecretString"]


@pytest.fixture(scope="session")
def mux(senders: dict[str, Sender]) -> Sender:
    return senders["mux"]


@pytest.fixture(scope="session")
def request_mux(mux: Sender) -> Callable[..., HttpResponse]:
    """Send Mux's webhook an arbitrary request."""

    def send(
        body: bytes, headers: dict[str, str] | None = None, *, method: str = "POST", url: str = ""
    ) -> HttpResponse:
        return post(url or mux.url, body, headers or {}, mux.ca_bundle, method)

    return send


@pytest.fixture
def log_lines(clients: Clients, outputs: dict[str, Any]) -> Callable[[], list[LogLine]]:
    """Every log line of every function so far."""
    return LogReader(clients.logs, sorted(outputs["functions"].values())).new_lines


@pytest.fixture
def mux_event() -> Callable[[str], dict[str, Any]]:
    def make(event_id: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((SAMPLES / "mux-video.asset.created.json").read_text(encoding="utf-8"))
        return event | {"id": event_id}

    return make
