"""Edits on the page: the difference first, then the edited event in the original's place, once."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest

from tests.fakes.review_web import COLLEAGUE, SECRET, item_of


@pytest.fixture(name="path", autouse=True)
def _path(world, item):
    world.allow_edits("asset.ready")
    return f"/items/{item.item_id}/edit"


def opened(browser, path):
    """The edit form of an event with hidden values."""
    return browser.post(path, {"do": "open", "version": "1"}).text


def text_of(page):
    found = re.search(r'<textarea id="text"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    return html.unescape(found[1])


def edited(text, **changes):
    document = json.loads(text)
    document["data"] |= changes
    return json.dumps(document)


def test_an_item_offers_the_edit_only_where_its_type_allows_it(browser, item, path, world):
    assert path in browser.get(f"/items/{item.item_id}").text
    world.allow_edits("comment.created")
    assert path not in browser.get(f"/items/{item.item_id}").text
    answer = browser.get(path)
    assert answer.status_code == 409
    assert "may not be edited here" in answer.text


def test_the_difference_is_shown_and_nothing_is_sent(browser, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    answer = browser.post(path, {"do": "check", "version": "1", "text": text})
    assert answer.status_code == 200
    assert re.search(r"<del>-\s+&#34;house_id&#34;: &#34;HOUSE-88412&#34;", answer.text)
    assert re.search(r"<ins>\+\s+&#34;house_id&#34;: &#34;HOUSE-9&#34;", answer.text)
    assert world.sent() == []


def test_an_edited_event_is_sent_in_the_original_s_place_with_an_id_of_its_own(browser, item, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    answer = browser.post(path, {"do": "send", "version": "1", "text": text, "reason": "typing error"})
    assert answer.status_code == 303
    (message,) = world.sent()
    metadata = json.loads(message)["detail"]["metadata"]
    assert metadata["editof"] == item.event_id
    assert world.get(item).status == "SUPERSEDED"
    assert world.get(item).body == item.body
    page = browser.get(answer.headers["Location"]).text
    assert metadata["id"] in page
    assert "Superseded" in page
    page = browser.get(f"/items/{item.item_id}").text
    assert "another event took its place" in page
    for old in ("failed here", "unconfirmed", 'id="advice"'):
        assert old not in page


def test_an_edit_without_a_reason_is_not_sent_and_keeps_the_text(browser, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    answer = browser.post(path, {"do": "send", "version": "1", "text": text})
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert "HOUSE-9" in answer.text
    assert world.sent() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"metadata": {}, "data": 1}', "x" * 300_000])
def test_an_edit_that_can_not_be_sent_says_why_and_keeps_the_text(browser, path, world, text):
    answer = browser.post(path, {"do": "check", "version": "1", "text": text})
    assert answer.status_code == 422
    assert "It can't be sent:" in answer.text
    assert text_of(answer.text).strip() == text
    assert world.sent() == []


def test_identity_is_locked(browser, path):
    document = json.loads(text_of(opened(browser, path)))
    document["metadata"]["id"] = "another"
    answer = browser.post(path, {"do": "check", "version": "1", "text": json.dumps(document)})
    assert answer.status_code == 422
    assert "metadata.id is locked" in answer.text


def test_a_stale_edit_is_refused_with_the_first_operators_name(browser, item, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    change = {"action": "archive", "by": COLLEAGUE, "at": "2026-11-26T09:19:00.000Z"}
    assert world.table.update(replace(item, version=2, status="ARCHIVED", change=change), over=item)
    for does in ("check", "send"):
        answer = browser.post(path, {"do": does, "version": "1", "text": text, "reason": "x"})
        assert answer.status_code == 409
        assert COLLEAGUE in answer.text
        assert "HOUSE-9" in answer.text
    assert world.sent() == []


def test_an_edit_of_an_older_version_is_refused_though_the_item_is_open(browser, item, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    assert world.table.update(replace(item, version=2), over=item)
    answer = browser.post(path, {"do": "send", "version": "1", "text": text, "reason": "x"})
    assert answer.status_code == 409
    assert "changed since you looked at it" in answer.text
    assert world.sent() == []


@pytest.mark.attack("D10")
def test_d10_an_edit_shows_hidden_values_only_when_the_audit_has_it(browser, item, path, world):
    asked = browser.get(path).text
    assert "5bd28537-7491" not in asked
    assert "Show and edit" in asked
    assert list(world.place.review.audit.entries(item.item_id)) == []
    assert "5bd28537-7491" in opened(browser, path)
    (entry,) = world.place.review.audit.entries(item.item_id)
    assert (entry.action, entry.result) == ("hidden values shown", "for an edit")


@pytest.mark.attack("D10")
def test_d10_a_difference_that_nobody_opened_shows_hidden_values_on_the_record_alone(browser, item, path, world):
    world.deny("dynamodb:PutItem", "s3:PutObject")
    answer = browser.post(path, {"do": "check", "version": "1", "text": item.body})
    assert answer.status_code == 403
    assert "5bd28537-7491" not in answer.text
    world.denied.clear()
    browser.post(path, {"do": "check", "version": "1", "text": item.body})
    browser.post(path, {"do": "check", "version": "1", "text": item.body})
    (entry,) = world.place.review.audit.entries(item.item_id)
    assert entry.action == "hidden values shown"


def test_an_event_without_hidden_values_opens_at_once(browser, world):
    item = item_of(SECRET, "mux-plain", queue_url=world.queue_url)
    world.put(replace(item, body=item.body.replace("token=", "t=").replace("stream_key", "stream")))
    assert '<textarea id="text"' in browser.get(f"/items/{item.item_id}/edit").text


def test_an_edit_that_may_have_been_sent_is_finished_or_abandoned(browser, item, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    world.deny("sqs:SendMessage")
    # AWS refuses for good: the item is open again, and nothing is pending.
    browser.post(path, {"do": "send", "version": "1", "text": text, "reason": "x"})
    assert world.get(item).status == "OPEN"
    world.denied.clear()
    for action in ("finish", "abandon"):
        answer = browser.post(f"{path}/{action}", {"reason": "x"})
        assert answer.status_code == 409
        assert f"there is no edit to {action}" in answer.text.lower()


def test_without_the_policy_for_edits_nothing_is_sent_and_it_is_named(browser, item, path, world):
    text = edited(text_of(opened(browser, path)), house_id="HOUSE-9")
    token = browser.form_token()
    world.deny("dynamodb:PutItem", "s3:PutObject")
    answer = browser.post(path, {"do": "send", "version": "1", "text": text, "reason": "x"}, token=token)
    assert answer.status_code == 403
    assert "operator_policies.edit</code>" in answer.text
    assert world.get(item) == item


def test_lines_come_back_as_they_were_sent_whatever_ends_a_browser_gives_them(browser, path):
    text = text_of(opened(browser, path))
    answer = browser.post(path, {"do": "again", "version": "1", "text": text.replace("\n", "\r\n")})
    assert text_of(answer.text) == text
