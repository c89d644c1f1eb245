"""From the state that `make demo KEEP=1` leaves, by docs/review.md alone: a failure is understood and put right."""

from __future__ import annotations

import json
import os
import subprocess
import time
from http import HTTPStatus
from typing import Any

from ops.demo.cast import BROKEN
from ops.demo.receiver_process import Receiver
from ops.local.paths import DIRECTORY_VARIABLE, REPOSITORY
from tests.local.conftest import Told
from tests.local.patience import SECONDS

GUIDE = REPOSITORY / "docs" / "review.md"


def command(told: Told, *arguments: str) -> str:
    """What `media-events` prints, as the docs say to type it."""
    typed = " ".join(arguments)
    done = subprocess.run(
        [str(REPOSITORY / "bin" / "media-events"), *arguments],
        env=os.environ | {DIRECTORY_VARIABLE: str(told.paths.directory), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, f"{typed}: {done.stdout}{done.stderr}"
    return done.stdout


def until_waiting(told: Told) -> dict[str, Any]:
    """The group of what is broken, once there is one: what to look at until it shows. Other tests leave theirs."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        groups: list[dict[str, Any]] = json.loads(command(told, "review", "groups", "--json"))["groups"]
        for group in groups:
            if group["destination"] == BROKEN:
                return group
        time.sleep(1)
    raise AssertionError("no group of failures in two minutes")


def test_a_newcomer_finds_understands_and_delivers_the_event(told: Told, receiver: Receiver) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for typed in ("demo send frameio-v4-comment.created", "review groups", "review list", "review show ITEM"):
        assert f"bin/media-events {typed}" in guide
    receiver.answer_with(BROKEN, HTTPStatus.SERVICE_UNAVAILABLE)
    command(told, "demo", "send", "frameio-v4-comment.created")

    group = until_waiting(told)
    assert (group["error_code"], group["failure_class"], group["destination"]) == ("http-503", "transient", BROKEN)
    assert "see whether the receiver is back, then replay" in command(told, "review", "groups")
    open_ones = ("review", "list", "--group", group["group_id"], "--status", "OPEN", "--json")
    (item,) = json.loads(command(told, *open_ones))["items"]
    shown = command(told, "review", "show", item["item_id"])
    for part in ("http-503", "comment", "attempt", f"route/comments-to-{BROKEN}"):
        assert part in shown

    receiver.answer_with(BROKEN, HTTPStatus.OK)
    replayed = command(told, "review", "replay", item["item_id"], "--reason", "the review tool is back")
    assert f"delivered to {BROKEN}" in replayed
    assert json.loads(command(told, *open_ones))["items"] == []
