"""From the failure to the delivery, by click and by keyboard alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from media_events_kit.ops.review_web.server import hand_over
from tests.fakes.live_hops import live, reading_of
from tests.fakes.review_web import BY, COLLEAGUE, NOW, SECRET, item_of

WAITING = re.compile("Waiting for the delivery to cms")


def status(page, text):
    expect(page.locator("h1 .status")).to_have_text(text)


def test_one_item_is_found_understood_and_delivered_by_click(busy, visit):
    world, served_page = busy
    item = world.items["secret"]
    page = visit(served_page).page
    page.get_by_role("link", name="http-401 at cms").click()
    expect(page.get_by_role("heading", name="Advice")).to_be_visible()
    expect(page.get_by_text("check the destination's secret")).to_be_visible()
    page.get_by_role("link", name=item.event_id).click()
    expect(page.get_by_text("The client secret has expired")).to_be_visible()
    page.get_by_label("Leave a note").fill("the secret is renewed")
    page.get_by_role("button", name="Save the note").click()
    expect(page.get_by_text("The note is saved.")).to_be_visible()
    page.get_by_role("textbox", name="Why", exact=True).fill("the secret is renewed")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text(WAITING)).to_be_visible()
    world.delivered(item)
    status(page, "Resolved")
    assert world.sent() == [item.body]
    entries = list(world.place.review.audit.entries(item.item_id))
    assert {entry.by for entry in entries} == {BY}
    assert [entry.reason for entry in entries if entry.action == "retry asked for"] == ["the secret is renewed"]


def test_one_item_is_delivered_by_keyboard_alone(busy, visit):
    world, served_page = busy
    item = world.items["secret"]
    visitor = visit(served_page)
    visitor.press("Tab")
    assert visitor.focused() == "Skip to the content"
    visitor.press("Enter", "j")
    rows = visitor.page.locator(".needs .row").all_inner_texts()
    assert visitor.focused() == rows[0]
    visitor.press("j", "j", "k")
    assert visitor.focused() == rows[1]
    for _ in rows:
        visitor.press("k")
    for _ in range(rows.index("http-401 at cms")):
        visitor.press("j")
    assert visitor.focused() == "http-401 at cms"
    visitor.press("Enter")
    expect(visitor.page).to_have_url(re.compile("/groups/"))
    visitor.press("j", "Enter")
    expect(visitor.page).to_have_url(re.compile(f"/items/{item.item_id}"))
    visitor.press("r")
    visitor.page.keyboard.type("just a test: j k g ?")
    visitor.press("Enter")
    expect(visitor.page.get_by_text(WAITING)).to_be_visible()
    world.delivered(item)
    status(visitor.page, "Resolved")
    visitor.press("?")
    expect(visitor.page.get_by_role("heading", name="Keyboard")).to_be_visible()
    visitor.press("/")
    visitor.page.keyboard.type(item.event_id)
    visitor.press("Enter")
    expect(visitor.page.get_by_role("link", name=item.event_id)).to_be_visible()
    visitor.press("g")
    expect(visitor.page.get_by_role("heading", name="Failures", exact=True)).to_be_visible()
    visitor.press("o")
    expect(visitor.page.get_by_role("heading", name="Operations", exact=True)).to_be_visible()


def test_a_selection_is_archived_and_restored_by_keyboard_alone(busy, visit):
    world, served_page = busy
    item = world.items["content"]
    visitor = visit(served_page)
    visitor.go(f"/groups/{item.group_id}")
    visitor.press("j", "s", "j", "s")
    expect(visitor.page.get_by_text("2 selected")).to_be_visible()
    visitor.page.locator("#why").focus()
    visitor.page.keyboard.type("the asset was withdrawn")
    visitor.press("Tab", "Tab", "Enter")
    expect(visitor.page.get_by_text("2 archived.")).to_be_visible()
    visitor.page.get_by_role("link", name="Archived 2").press("Enter")
    # Both pages have such a box.
    visitor.page.wait_for_url(re.compile("status=ARCHIVED"))
    visitor.page.get_by_label("Select all on this page").press("Space")
    expect(visitor.page.get_by_text("2 selected")).to_be_visible()
    visitor.page.get_by_role("button", name="Restore").press("Enter")
    expect(visitor.page.get_by_text("2 restored.")).to_be_visible()
    assert world.get(item).status == "OPEN"


def test_a_group_is_retried_cancelled_and_resumed_with_its_progress(busy, visit):
    world, served_page = busy
    item = world.items["down"]
    page = visit(served_page).page
    page.get_by_role("link", name="http-503 at review-tool").click()
    page.get_by_label("Canaries").fill("0")
    page.get_by_label("Rate").fill("1")
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    expect(page.locator("main .count strong")).to_have_text("5")
    assert world.sent() == []
    page.get_by_role("button", name="Start the retry").click()
    expect(page.locator("[data-field=taken]")).not_to_have_text("0")
    page.get_by_role("button", name="Cancel").click()
    status(page, "Cancelled")
    sent = world.sent()
    assert 0 < len(sent) < 5
    page.get_by_role("button", name="Resume").click()
    # The page shows its progress without being reloaded.
    expect(page.locator("[data-field=taken]")).to_have_text("5")
    status(page, "Completed")
    ids = [json.loads(message)["detail"]["metadata"]["id"] for message in [*sent, *world.sent()]]
    assert len(ids) == len(set(ids)) == 5
    assert item.event_id in ids


def test_the_map_leads_on_by_keyboard_and_refreshes_itself_in_its_place(busy, visit):
    world, served_page = busy
    visitor = visit(served_page)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    group = f"/groups/{world.items['mapping'].group_id}"
    visitor.page.locator(f'svg.map a[href="{group}"]').focus()
    visitor.press("Enter")
    expect(visitor.page).to_have_url(re.compile(group))
    visitor.page.get_by_role("button", name="Copy the group's id").click()
    expect(visitor.page.get_by_text("Copied")).to_be_visible()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == world.items["mapping"].group_id
    item = world.items["secret"]
    visitor.go(f"/items/{item.item_id}")
    copies = {"Copy the event's id": item.event_id, "Copy the item's id": item.item_id, "Copy as curl": "curl"}
    for label, begins in (copies | {"Copy the body as shown": "{"}).items():
        visitor.page.get_by_role("button", name=label).click()
        expect(visitor.page.get_by_role("button", name="Copied").last).to_be_visible()
        assert visitor.page.evaluate("navigator.clipboard.readText()").startswith(begins)
    visitor.press("m")
    waiting = visitor.page.locator('[data-cell="route/comments-to-review-tool waiting"]')
    expect(waiting).to_have_text("15")
    visitor.press("j", "j")
    focused = visitor.focused()
    visitor.page.evaluate("window.same = true")
    world.place.live = live(reading_of(NOW))
    expect(waiting).to_have_text("0")
    assert visitor.page.evaluate("window.same")
    world.put(item_of(SECRET, "evt-new", queue_url=world.queue_url, group_id="group-new"))
    expect(visitor.page.locator(".needs li")).to_have_count(5)
    expect(visitor.page.get_by_role("link", name="All 6 groups")).to_be_visible()
    assert visitor.page.evaluate("window.same")
    assert visitor.focused() == focused


HEAR = """() => {
  window.heard = [];
  const words = document.querySelector("[data-loading]");
  const hear = () => { if (words.textContent) window.heard.push(words.textContent); };
  new MutationObserver(hear).observe(words, { childList: true });
}"""


def test_a_list_refreshes_itself_and_nobody_loses_the_place(busy, visit):
    world, served_page = busy
    visitor = visit(served_page)
    page = visitor.page
    page.set_viewport_size({"width": 1280, "height": 400})
    visitor.go("/items?destination=cms&since=2d")
    page.evaluate(HEAR)
    row = page.get_by_role("link", name=world.items["content"].event_id)
    page.get_by_label(f"Select {world.items['secret'].event_id}").check()
    page.get_by_label("Partner").fill("half a wo")
    row.focus()
    row.evaluate("row => { row.same = true; row.scrollIntoView({ block: 'center' }); }")
    place = row.bounding_box()
    world.put(item_of(SECRET, "evt-new", failed_ago=5.0, queue_url=world.queue_url))
    expect(page.locator("table.items .row").first).to_have_text("evt-new")
    assert row.evaluate("row => row.same && row === document.activeElement")
    assert abs(row.bounding_box()["y"] - place["y"]) < 2
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.get_by_label(f"Select {world.items['secret'].event_id}")).to_be_checked()
    expect(page.get_by_label("Partner")).to_have_value("half a wo")
    assert page.url.endswith("/items?destination=cms&since=2d")
    (heard,) = page.evaluate("window.heard")
    assert heard == "The list has changed: 11 items on this page."
    # The row that has the focus goes: the next one has it.
    item = world.get(world.items["content"])
    after = page.locator("table.items .row").all_inner_texts()
    world.table.update(replace(item, status="ARCHIVED", version=item.version + 1), over=item)
    expect(row).to_have_count(0)
    assert visitor.focused() == after[after.index(item.event_id) + 1]


def test_a_group_and_an_item_refresh_themselves_around_what_somebody_does(busy, visit):
    world, served_page = busy
    item = world.items["content"]
    visitor = visit(served_page)
    page = visitor.page
    visitor.go(f"/groups/{item.group_id}")
    page.get_by_text("Archive the group").click()
    page.locator("#archive-why").fill("half a reas")
    colleague = {"action": "archive", "by": COLLEAGUE, "at": "2026-11-26T09:19:00.000Z"}
    other = world.get(world.items["content"])
    world.table.update(replace(other, status="ARCHIVED", version=2, change=colleague), over=other)
    expect(page.get_by_role("link", name="Archived 1")).to_be_visible()
    expect(page.locator("#archive-why")).to_have_value("half a reas")
    expect(page.locator("#archive-why")).to_be_focused()
    secret = world.items["secret"]
    visitor.go(f"/items/{secret.item_id}")
    why = page.get_by_role("textbox", name="Why", exact=True)
    why.fill("half a reason")
    page.evaluate("window.same = true")
    world.table.update(replace(secret, status="ARCHIVED", version=2, change=colleague), over=secret)
    status(page, "Archived")
    assert page.evaluate("window.same")
    expect(why.last).to_have_value("half a reason")
    # What was on the screen when they began is what they send, and it is refused.
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text(f"archive by {COLLEAGUE}").first).to_be_visible()
    assert world.sent() == []


def test_a_page_that_is_hidden_asks_nothing_and_one_without_contact_says_since_when(busy, visit):
    world, served_page = busy
    visitor = visit(served_page)
    page = visitor.page
    visitor.go("/items")
    asked = []
    # The browser may still be after the page's icon.
    page.on("request", lambda request: None if "/static/" in request.url else asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    page.wait_for_timeout(6500)
    assert asked == []
    world.deny("dynamodb:Query")
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    contact = page.locator("[data-contact]")
    expect(contact).to_contain_text("You may not see or do this")
    expect(contact).to_contain_text("The page is as of")
    expect(contact.locator("[data-age]")).to_contain_text(re.compile(r"\(\d+ s ago\)"))
    world.denied.clear()
    expect(contact).to_be_hidden()
    page.route("**/items/version*", lambda route: route.abort())
    expect(contact).to_contain_text("The page's command does not answer")


def test_on_a_phone_the_retry_comes_before_the_failure_and_keys_act_on_ticked_rows(busy, visit):
    world, served_page = busy
    item = world.items["down"]
    visitor = visit(served_page)
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    visitor.go(f"/items/{item.item_id}")
    assert visitor.page.get_by_role("button", name="Retry").bounding_box()["y"] < 844
    visitor.go(f"/groups/{item.group_id}")
    link = visitor.page.locator("table.items a.row").first
    assert link.bounding_box()["height"] < 50
    visitor.page.locator('input[name="item"]').first.check()
    visitor.page.locator("h1").click()
    visitor.press("r")
    assert visitor.page.evaluate("document.activeElement.form.id") == "selection"
    assert visitor.focused() == "Retry"


def test_an_edit_shows_the_difference_and_goes_in_the_original_s_place(busy, visit):
    world, served_page = busy
    item = world.items["content"]
    visitor = visit(served_page)
    visitor.go(f"/items/{item.item_id}")
    visitor.press("e")
    visitor.page.get_by_role("button", name="Show and edit").click()
    text = visitor.page.get_by_label("Event", exact=True)
    document = json.loads(text.input_value())
    document["data"]["house_id"] = "88412"
    text.fill(json.dumps(document))
    visitor.page.get_by_role("button", name="Show the difference").click()
    expect(visitor.page.locator("del")).to_contain_text("HOUSE-88412")
    expect(visitor.page.locator("ins")).to_contain_text('"88412"')
    visitor.page.get_by_role("textbox", name="Why", exact=True).fill("the house number has no prefix")
    visitor.page.get_by_role("button", name="Send the edited event").click()
    status(visitor.page, "Superseded")
    (message,) = world.sent()
    assert json.loads(message)["detail"]["metadata"]["editof"] == item.event_id


def test_the_second_of_two_edits_is_refused_with_the_first_operators_name(busy, visit):
    world, served_page = busy
    item = world.items["content"]
    path = f"/items/{item.item_id}/edit"
    first, second = visit(served_page), visit(served_page)
    for visitor, number in ((first, "1"), (second, "2")):
        visitor.go(path)
        visitor.page.get_by_role("button", name="Show and edit").click()
        text = visitor.page.get_by_label("Event", exact=True)
        text.fill(text.input_value().replace('"house_id": "HOUSE-88412"', f'"house_id": "{number}"'))
        visitor.page.get_by_role("button", name="Show the difference").click()
        visitor.page.get_by_role("textbox", name="Why", exact=True).fill("typing error")
    first.page.get_by_role("button", name="Send the edited event").click()
    status(first.page, "Superseded")
    second.page.get_by_role("button", name="Send the edited event").click()
    expect(second.page.get_by_role("heading", name="It can't be edited")).to_be_visible()
    expect(second.page.get_by_text(BY).first).to_be_visible()
    expect(second.page.get_by_text('"house_id": "2"')).to_be_visible()
    assert len(world.sent()) == 1


def test_a_permission_that_is_lost_meanwhile_is_named(busy, visit):
    world, served_page = busy
    item = world.items["crash"]
    visitor = visit(served_page)
    visitor.go(f"/items/{item.item_id}")
    world.deny("dynamodb:PutItem", "s3:PutObject")
    visitor.page.get_by_role("button", name="Retry").click()
    expect(visitor.page.get_by_role("heading", name="You may not see or do this")).to_be_visible()
    expect(visitor.page.get_by_text("operator_policies.retry")).to_be_visible()
    world.deny("dynamodb:Query")
    visitor.page.get_by_role("link", name="Back to the failures").click()
    expect(visitor.page.get_by_text("operator_policies.read")).to_be_visible()
    world.denied.clear()
    visitor.page.reload()
    expect(visitor.page.get_by_role("heading", name="Failures", exact=True)).to_be_visible()
    assert world.sent() == []


LISTEN = """() => {
  const words = document.querySelector("[data-loading]");
  new MutationObserver(() => {
    const pressed = document.querySelector("[aria-disabled]");
    console.log(words.textContent + (pressed ? " " + pressed.textContent : ""));
    // Who is impatient does nothing twice.
    if (pressed) pressed.click();
  }).observe(words, { childList: true });
}"""


def hears(visitor, *, until, then):
    """The texts that the page announces until ``until``."""
    heard = []

    def listen(message):
        heard.append(message.text)
        if until in message.text:
            then.set()

    visitor.page.evaluate(LISTEN)
    visitor.page.on("console", listen)
    return heard


def test_a_page_that_takes_long_says_so_until_it_is_there(busy, visit):
    world, served_page = busy
    visitor = visit(served_page)
    expect(visitor.page.locator("[data-loading]")).to_be_empty()
    heard = hears(visitor, until="Still loading", then=world.hold("dynamodb:Query"))
    visitor.page.get_by_role("link", name="http-401 at cms").click()
    expect(visitor.page.get_by_role("heading", name="Advice")).to_be_visible()
    assert heard == ["Loading…", "Still loading: AWS is slow. The request continues."]
    expect(visitor.page.locator("[data-loading]")).to_be_empty()


def test_a_slow_action_is_announced_and_done_once(busy, visit):
    world, served_page = busy
    item = world.items["crash"]
    visitor = visit(served_page)
    visitor.go(f"/items/{item.item_id}")
    heard = hears(visitor, until="Loading", then=world.hold("sqs:SendMessage"))
    visitor.page.get_by_role("button", name="Retry").click()
    expect(visitor.page.get_by_text("Waiting for the delivery to publish-asset")).to_be_visible()
    assert heard == ["Loading… Working…"]
    assert world.sent() == [item.body]


@pytest.mark.attack("D2")
def test_d2_the_file_that_open_hands_over_leads_in_and_its_link_lets_nobody_else_in(quiet, chromium, tmp_path):
    _, served_page = quiet
    file = hand_over(served_page.link, tmp_path)
    operator, other = chromium.new_context().new_page(), chromium.new_context().new_page()
    operator.goto(file.as_uri())
    operator.wait_for_url(f"{served_page.gate.origin}/")
    expect(operator.get_by_role("heading", name="Nothing waits for a person")).to_be_visible()
    other.goto(file.as_uri())
    expect(other.get_by_role("heading", name="Open the page by its link")).to_be_visible()
    for page in (operator, other):
        page.context.close()


def test_an_empty_review_page_says_that_nothing_waits(quiet, visit):
    _, served_page = quiet
    visitor = visit(served_page)
    expect(visitor.page.get_by_role("heading", name="Nothing waits for a person")).to_be_visible()
    visitor.go("/items")
    expect(visitor.page.get_by_text("No open items")).to_be_visible()
    visitor.go("/operations")
    expect(visitor.page.get_by_text("No operation yet")).to_be_visible()


def test_a_colleague_s_change_is_not_run_over(busy, visit):
    world, served_page = busy
    item = world.items["crash"]
    visitor = visit(served_page)
    visitor.go(f"/items/{item.item_id}")
    change = {"action": "archive", "by": COLLEAGUE, "at": "2026-11-26T09:19:00.000Z"}
    world.table.update(replace(item, status="ARCHIVED", version=2, change=change), over=item)
    visitor.page.get_by_role("button", name="Retry").click()
    expect(visitor.page.get_by_text(f"archive by {COLLEAGUE}").first).to_be_visible()
    assert world.sent() == []
