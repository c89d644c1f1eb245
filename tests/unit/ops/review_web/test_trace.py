"""An event's trace over all hops, on the page."""

from __future__ import annotations

from tests.unit.ops.review_web.conftest import HOST


def test_an_event_s_story_leads_to_its_item(browser, item):
    page = browser.get(f"/trace?id={item.event_id}").text
    assert "It needs a person" in page
    assert f'href="/items/{item.item_id}"' in page
    assert "given up after its attempts" in page


def test_an_unknown_id_is_reported(browser):
    assert "No trace of it" in browser.get("/trace?id=none").text
    assert "No trace of it" not in browser.get("/trace").text


def test_a_hostile_id_is_text(browser):
    page = browser.client.get("/trace", query_string={"id": "<script>alert(1)</script>"}, base_url=f"http://{HOST}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_a_deployment_that_can_not_be_traced_says_why(browser, item, world):
    world.deny("dynamodb:Query")
    answer = browser.get(f"/trace?id={item.event_id}")
    assert answer.status_code in {200, 403}
    assert "Traceback" not in answer.text
