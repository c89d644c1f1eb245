"""The page on moto, with a browser's manners: Flask's own client, let in."""

from __future__ import annotations

import itertools
import re

import pytest
from moto import mock_aws

from media_events_kit.ops.review_web.app import create
from media_events_kit.ops.review_web.request_guard import Gate
from tests.fakes.review_web import SECRET, item_of, make_world

PORT = 8787
HOST = f"0123abcd.localhost:{PORT}"
KEY = "the-key-of-this-run"


@pytest.fixture(name="world", scope="module")
def _world():
    """One deployment for a file of tests: each test has items of its own."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        world = make_world()
        yield world
        world.place.runs.end()


NUMBERS = itertools.count(0x5A17C3)


@pytest.fixture(name="item")
def _item(world):
    number = next(NUMBERS)
    item = item_of(SECRET, f"mux-{number:x}", queue_url=world.queue_url, group_id=f"group-{number:x}")
    world.put(item)
    yield item
    world.denied.clear()
    world.sent()


@pytest.fixture(name="app")
def _app(world):
    return create(world.place, Gate(host=HOST, key=KEY))


class Browser:
    """Sends requests as a browser on this machine does; ``token``: with the token of a form of the page."""

    def __init__(self, app, item):
        self.client = app.test_client()
        self.item = item

    def get(self, path, **headers):
        return self.client.get(path, buffered=True, base_url=f"http://{HOST}", headers={"Host": HOST} | _named(headers))

    def enter(self, key=KEY):
        return self.get(f"/enter?key={key}")

    def post(self, path, data=None, *, token=None, **headers):
        values = dict(data or {})
        if token is not False:
            values["csrf_token"] = token or self.form_token()
        known = {"Host": HOST, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
        return self.client.post(
            path, buffered=True, base_url=f"http://{HOST}", data=values, headers=known | _named(headers)
        )

    def form_token(self):
        """The token of an item's forms."""
        page = self.get(f"/items/{self.item.item_id}").text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def _named(headers):
    return {name.replace("_", "-").title(): value for name, value in headers.items() if value is not None}


@pytest.fixture(name="stranger")
def _stranger(app, item):
    return Browser(app, item)


@pytest.fixture(name="browser")
def _browser(app, item):
    browser = Browser(app, item)
    assert browser.enter().status_code == 200
    return browser
