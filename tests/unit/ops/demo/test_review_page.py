"""The page of a demonstration: a process of its own, whose link nobody else may read."""

from __future__ import annotations

import stat
import sys

import pytest

from media_events_kit.ops.demo import review_page
from media_events_kit.ops.local.paths import LocalPaths

SERVER = """
import time
print("The review page of local: http://abc.localhost:8787/enter?key=first-key", flush=True)
print("A browser has entered. For another browser: http://abc.localhost:8787/enter?key=second_key", flush=True)
time.sleep(60)
"""


@pytest.fixture(name="paths")
def _paths(tmp_path):
    paths = LocalPaths(tmp_path)
    paths.root.mkdir(parents=True, exist_ok=True)
    yield paths
    review_page.stop(paths)


def test_the_latest_link_is_told_as_long_as_the_page_runs(paths, monkeypatch):
    monkeypatch.setattr(review_page, "media_events", lambda *_: [sys.executable, "-c", SERVER])
    assert "key=" in (review_page.start(paths) or "")
    while "second" not in (link := review_page.link(paths) or ""):
        pass
    assert link == "http://abc.localhost:8787/enter?key=second_key"
    assert stat.S_IMODE((paths.root / "review-page.log").stat().st_mode) == 0o600
    review_page.stop(paths)
    assert review_page.link(paths) is None


def test_a_page_that_does_not_come_up_has_no_link(paths, monkeypatch):
    monkeypatch.setattr(review_page, "media_events", lambda *_: [sys.executable, "-c", "raise SystemExit(1)"])
    assert review_page.start(paths) is None
