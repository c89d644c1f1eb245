"""The page in a real browser: Debian's Chromium, driven by Playwright, against the page's own server on moto."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto import mock_aws
from playwright.sync_api import expect, sync_playwright

from media_events_kit.ops.review_web import server as command
from tests.fakes.review_web import failures_of_a_night, make_world

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--font-render-hinting=none"),
]
PATIENCE_MILLISECONDS = 20_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(name="chromium", scope="session")
def _chromium():
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    assert executable, "these tests need Chromium: on Debian and Ubuntu `apt install chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, chromium_sandbox=False)
        yield browser
        browser.close()


@contextmanager
def served():
    """A deployment of its own, and its page on a port of its own."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        world = make_world()
        with command.listening(0) as listeners:
            page = command.page_on(listeners, world.place)
            thread = threading.Thread(target=page.run)
            thread.start()
            try:
                yield world, page
            finally:
                world.place.runs.end()
                page.stop()
                thread.join(30)


@pytest.fixture(name="quiet", scope="session")
def _quiet():
    """A deployment in which nothing ever failed."""
    with served() as (world, served_page):
        yield world, served_page


@pytest.fixture(name="morning", scope="session")
def _morning():
    """A deployment after a night of failures, which tests only read."""
    with served() as (world, served_page):
        world.items = failures_of_a_night(world)
        yield world, served_page


@pytest.fixture(name="busy")
def _busy():
    """A deployment with failures, which tests may change."""
    with served() as (world, served_page):
        world.items = failures_of_a_night(world, few=True)
        world.allow_edits("asset.ready")
        yield world, served_page


@pytest.fixture(name="quiet_and_hostile")
def _quiet_and_hostile():
    """A deployment with an attacker's events alone."""
    with served() as (world, served_page):
        yield world, served_page


class Visitor:
    """A person with a browser. Whatever the page's policy stops, and every dialog, is a failure."""

    def __init__(self, chromium, served_page, **options):
        self.context = chromium.new_context(viewport={"width": 1280, "height": 860}, **options)
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.troubles = []
        self.page = self.context.new_page()
        self.page.on("dialog", lambda dialog: self.troubles.append(dialog.message) or dialog.dismiss())
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._listen)
        self.home = served_page.gate.origin
        self.page.goto(served_page.link)
        self.page.wait_for_url(f"{self.home}/")

    def _listen(self, message):
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(message.text)

    def go(self, path):
        return self.page.goto(self.home + path)

    def press(self, *keys):
        for key in keys:
            # The page's script comes last.
            self.page.wait_for_load_state()
            self.page.keyboard.press(key)

    def focused(self):
        return self.page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")


@pytest.fixture(name="visit")
def _visit(chromium):
    visitors = []

    def visit(served_page, **options):
        visitors.append(Visitor(chromium, served_page, **options))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.context.close()
        assert visitor.troubles == []
