"""A group explains itself, an operator goes through it item by item, and finds items by what they know."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from media_events.core.clock import epoch, timestamp
from media_events.core.failures import PermanentConfigError
from media_events_kit.infra.model.destinations import HttpDestination
from media_events_kit.ops.review_web.app import create
from media_events_kit.ops.review_web.curl_command import curl_command
from media_events_kit.ops.review_web.deployments import change_of, deployed_at
from media_events_kit.ops.review_web.request_guard import Gate
from tests.fakes.live_hops import TOPOLOGY
from tests.fakes.review_web import NOW, SECRET, item_of
from tests.unit.ops.review_web.conftest import HOST, KEY, Browser


def of_group(world, item, number, **changes):
    other = item_of(
        SECRET, f"{item.event_id}-{number}", failed_ago=60.0 + number, queue_url=world.queue_url,
        group_id=item.group_id, **changes,
    )  # fmt: skip
    world.put(other)
    return other


def test_a_group_shows_the_receivers_answer_and_a_sample_of_the_data(browser, item):
    page = browser.get(f"/groups/{item.group_id}").text
    example = page[page.index('id="example"') :].partition("</section>")[0]
    assert "The client secret has expired" in example
    assert "HOUSE-88412" in example
    assert "5bd28537-7491" not in example
    assert "[hidden]" in example


def test_an_operator_who_may_not_read_bodies_sees_the_group_without_an_example(browser, item, world, monkeypatch):
    def refused(*_):
        raise PermanentConfigError("aws-AccessDeniedException", "reading a review item: AccessDeniedException")

    monkeypatch.setattr(type(world.table), "get", refused)
    page = browser.get(f"/groups/{item.group_id}").text
    assert item.event_id in page
    assert 'id="example"' not in page


def test_a_group_shows_what_came_and_what_was_resolved_by_the_hour(browser, item, world):
    done = of_group(world, item, 1)
    world.table.update(replace(done, status="RESOLVED", resolved_at=timestamp(NOW - 3 * 3600), version=2), over=done)
    page = browser.get(f"/groups/{item.group_id}").text
    assert "above: opened, 2" in page
    assert "below: resolved, 1" in page
    resolved = [int(count) for count in page.partition("Resolved: ")[2].partition(".")[0].split(", ")]
    assert resolved[-4] == sum(resolved) == 1
    assert f'data-hour="{timestamp(NOW)[:13]}:00:00Z"' in page


def test_a_group_says_how_it_began(browser, item, world):
    path = f"/groups/{item.group_id}"
    assert "The first of its kind" in browser.get(path).text
    earlier = of_group(world, item, 1)
    world.table.update(replace(earlier, status="ARCHIVED", version=2), over=earlier)
    assert "It failed like this before: 1 of its items is closed." in browser.get(path).text


def test_a_group_says_what_was_deployed_before_it_began(browser, item, world, monkeypatch):
    asked = []
    monkeypatch.setattr(world.place, "deployed", lambda hop: asked.append(hop) or epoch(item.last_failed_at) - 720)
    page = browser.get(f"/groups/{item.group_id}").text
    assert "The function of its hop was deployed 12 min before it began" in page
    assert asked == [item.hop]


@pytest.mark.parametrize(
    ("before", "said"), [(8 * 86_400, ""), (60, "1 min before it began"), (-60, "was deployed since then"), (None, "")]
)
def test_only_a_deployment_that_may_matter_is_told(before, said):
    at = None if before is None else NOW - before
    assert (said in change_of(timestamp(NOW), at)) if said else change_of(timestamp(NOW), at) == ""


def test_when_a_function_was_deployed_is_asked_of_lambda_and_a_refusal_says_nothing(monkeypatch):
    asked = []

    class Lambda:
        def get_function_configuration(self, **request):
            asked.append(request["FunctionName"])
            return {"LastModified": "2026-11-26T09:00:00.000+0000"}

    deployment = SimpleNamespace(topology=TOPOLOGY, cloud=SimpleNamespace(client=lambda _: Lambda()))
    assert deployed_at(deployment)("route/ready-to-cms") == epoch("2026-11-26T09:00:00Z")
    assert asked == ["media-prod-ready-to-cms"]
    assert deployed_at(deployment)("route/none") is None

    def refused(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetFunctionConfiguration")

    monkeypatch.setattr(Lambda, "get_function_configuration", refused)
    assert deployed_at(deployment)("route/ready-to-cms") is None


def test_an_item_leads_to_the_next_and_the_previous_of_its_group(browser, item, world):
    others = [of_group(world, item, number) for number in (1, 2)]
    page = browser.get(f"/items/{others[0].item_id}").text
    before = {rel: page.partition(f'rel="{rel}"')[0] for rel in ("prev", "next")}
    links = {rel: text.rpartition('href="')[2].partition('"')[0] for rel, text in before.items()}
    assert links == {"prev": f"/items/{item.item_id}", "next": f"/items/{others[1].item_id}"}
    assert 'rel="prev"' not in browser.get(f"/items/{item.item_id}").text


@pytest.mark.slow
def test_a_retry_may_lead_on_to_the_next_item_and_after_the_last_to_the_group(browser, item, world):
    other = of_group(world, item, 1)
    form = {"version": "1", "then": "next"}
    onward = browser.post(f"/items/{item.item_id}/retry", form).headers["Location"]
    assert onward == f"/items/{other.item_id}"
    assert f"{item.event_id}: It is sent" in browser.get(onward).text
    assert (
        browser.post(f"/items/{item.item_id}/retry", form | {"version": "7"}).headers["Location"].endswith(item.item_id)
    )
    assert browser.post(f"{onward}/retry", form).headers["Location"] == f"/groups/{item.group_id}"


def test_ticked_rows_of_any_list_are_acted_on_and_the_list_comes_back(browser, item):
    path = f"/items?status=OPEN&text={item.event_id}"
    page = browser.get(path).text
    assert f'value="{item.item_id}" form="selection"' in page
    back = page.partition('name="back" value="')[2].partition('"')[0].replace("&amp;", "&")
    form = {"do": "archive", "back": back, "item": [item.item_id], "reason": "withdrawn"}
    assert browser.post("/selection", form).headers["Location"] == path
    assert "1 archived." in browser.get(path).text


ELSEWHERE = ["", "https://evil.example/items", "//evil.example/items", "/operations", "/items\\x", "/items\r\nX: y"]


@pytest.mark.parametrize("back", ELSEWHERE)
def test_a_selection_leads_back_to_no_other_place(browser, item, back):
    answer = browser.post("/selection", {"do": "retry", "back": back, "item": [item.item_id]})
    assert answer.status_code == 400


@pytest.mark.parametrize("known", ["HOUSE-88412", "qzT01rX9", "secret has EXPIRED", "answered 401"])
def test_items_are_found_by_correlation_asset_receivers_answer_and_error(browser, item, known):
    assert item.event_id in browser.get(f"/items?{urlencode({'text': known})}").text
    assert item.event_id not in browser.get("/items?text=nonsense").text


def test_who_may_not_read_receivers_answers_still_finds_by_the_rest(browser, item, world, monkeypatch):
    table = world.table
    page = type(table).page

    def refusing(self, selection, **options):
        if selection.answers:
            world.deny("dynamodb:Query")
        try:
            return page(self, selection, **options)
        finally:
            world.denied.clear()

    monkeypatch.setattr(type(table), "page", refusing)
    assert item.event_id in browser.get("/items?text=HOUSE").text
    assert item.event_id not in browser.get("/items?text=EXPIRED").text


def test_items_are_filtered_by_the_time_of_their_last_failure(browser, item):
    assert item.event_id in browser.get("/items?since=5m").text
    assert item.event_id not in browser.get("/items?until=5m").text
    page = browser.get("/items?since=never")
    assert (page.status_code, "no time" in page.text) == (400, True)


@pytest.mark.usefixtures("item")
def test_the_filters_stay_in_the_address(browser):
    page = browser.get("/items?text=HOUSE&since=6h&hop=ready").text
    for value in ('name="text" value="HOUSE"', 'name="since" value="6h"', 'name="hop" value="ready"'):
        assert value in page


def test_a_page_that_refreshes_itself_knows_when_its_groups_changed(browser, item, world):
    versions = {"/failures": "/failures/version", f"/groups/{item.group_id}": f"/failures/version/{item.group_id}"}
    for page, version in versions.items():
        before = browser.get(version).json["version"]
        assert f'data-version="{before}"' in browser.get(page).text
    of_group(world, item, 1)
    assert browser.get(version).json["version"] != before
    assert browser.get("/failures/version").status_code == 200
    assert browser.get("/failures/version/none").status_code == 404


# --- a command that says the same --------------------------------------------------------------------------------


def destination(mode="structured"):
    return HttpDestination(type="http", url="https://cms.example.com/events?a='b", mode=mode)


@pytest.mark.parametrize("mode", ["structured", "binary", "data"])
def test_a_curl_command_has_the_event_as_the_destination_gets_it_without_credentials(item, mode):
    words = shlex.split(curl_command(item.body, destination(mode)))
    sent = json.loads(words[words.index("--data-raw") + 1])
    data = sent["data"] if mode == "structured" else sent
    assert data["house_id"] == "HOUSE-88412"
    assert data["stream_key"] == "[hidden]"
    assert ("ce-id: " + item.event_id in words) == (mode == "binary")
    assert words[-1] == "https://cms.example.com/events?a='b"


@pytest.mark.parametrize("body", ["", "[]", "no json", '{"detail": {"metadata": {}}}'])
def test_no_curl_command_is_made_of_what_is_no_event(body):
    assert curl_command(body, destination()) == ""
    assert curl_command(body, None) == ""


def test_no_curl_command_is_longer_than_a_terminal_takes(item):
    large = item.body.replace("HOUSE-88412", "H" * 100_000)
    assert curl_command(large, destination()) == ""


def test_who_enters_comes_to_the_group_that_the_command_named(world, item):
    gate = Gate(host=HOST, key=KEY, start=f"/groups/{item.group_id}")
    assert Browser(create(world.place, gate), item).enter().headers["Refresh"] == f"0; url=/groups/{item.group_id}"
