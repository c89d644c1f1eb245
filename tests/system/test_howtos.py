"""From the state that `make demo KEEP=1` leaves, by the page alone: a failure is understood and put right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo.http_receiver import CONTROL
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.scenario import BROKEN
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE
from tests.system.conftest import Demonstration
from tests.system.operators import with_policy
from tests.system.polling import eventually

GUIDE = KIT / "docs" / "tutorials" / "first-events.md"


def command(demonstration: Demonstration, *arguments: str) -> str:
    """What `media-events` prints, as the docs say to type it."""
    typed = " ".join(arguments)
    done = subprocess.run(
        [str(KIT / "bin" / "media-events"), *arguments],
        env=os.environ | {DIRECTORY_VARIABLE: str(demonstration.paths.directory), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, f"{typed}: {done.stdout}{done.stderr}"
    return done.stdout


def open_items(demonstration: Demonstration, group: str) -> dict[str, str]:
    """The open items of a group by their events."""
    listed = json.loads(command(demonstration, "review", "list", "--group", group, "--status", "OPEN", "--json"))
    return {item["event_id"]: item["item_id"] for item in listed["items"]}


@dataclass(frozen=True)
class Failed:
    """What a newcomer is told to bring about: an event that failed, and its group. The receiver is still broken."""

    group: dict[str, Any]
    event: str


@pytest.fixture(name="failed", scope="module")
def _failed(demonstration: Demonstration, receiver: Receiver) -> Iterator[Failed]:
    """An event, sent as the docs say. Other tests leave groups of their own."""
    receiver.answer_with(BROKEN, HTTPStatus.SERVICE_UNAVAILABLE)
    typed = ("send", "frameio", "comment.created", "--wait", "0", "--json")
    event = json.loads(command(demonstration, *typed))["messages"][0]["events"][0]["id"]

    def waiting() -> Failed | None:
        for group in json.loads(command(demonstration, "review", "groups", "--json"))["groups"]:
            of_it = (group["destination"], group["error_code"]) == (BROKEN, "http-503")
            if of_it and event in open_items(demonstration, group["group_id"]):
                return Failed(group, event)
        return None

    failed = eventually(waiting)
    assert failed, "no group of failures, however patient one is"
    yield failed
    receiver.answer_with(BROKEN, HTTPStatus.OK)


def test_a_newcomer_does_it_by_page_with_the_ready_policy(
    demonstration: Demonstration, clients: Clients, outputs: dict[str, Any], receiver: Receiver, failed: Failed
) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for part in (
        "bin/media-events review serve",
        f"`http-503 at {BROKEN}`",
        "*Why it failed*",
        "*Retry*",
        "*Resolved*",
    ):
        assert part in guide
    # It includes `read`, and nothing else is allowed: the local cloud enforces IAM.
    newcomer = with_policy(demonstration.paths, clients, "newcomer", outputs["operator_policies"]["retry"])
    receiver.answer_with(BROKEN, HTTPStatus.SERVICE_UNAVAILABLE)
    mend = f"{receiver.url}{CONTROL}/{BROKEN}?status=200"
    with newcomer.page() as link:
        walked = subprocess.run(
            [sys.executable, "-m", "tests.system.web_client", link, failed.event, mend],
            cwd=KIT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert walked.returncode == 0, walked.stderr
    said = json.loads(walked.stdout)
    assert said["group"].startswith(f"http-503 at {BROKEN}")
    assert "Make sure that the receiver is up again." in said["advice"]
    assert f"the destination answered {HTTPStatus.SERVICE_UNAVAILABLE}" in said["why"]
    assert BROKEN in said["way"]
    assert "comment" in said["body"]
    assert "Nothing remains to do." in said["after"]
    assert "the review tool is back" in said["story"]
    assert "user/newcomer" in said["who"]
    delivered = [request for request in receiver.requests() if (request.system, request.status) == (BROKEN, 200)]
    assert [failed.event in json.dumps(dict(request.headers)) for request in delivered].count(True) == 1
