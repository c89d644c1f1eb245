"""Actions on the page: each is done once, recorded and reported, or refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.failures import TransientError
from media_events.recovery.review_item import GROUPINGS
from tests.fakes.review_web import BY, COLLEAGUE, SECRET, item_of


def done(world, subject):
    return [(entry.action, entry.allowed) for entry in world.place.review.audit.entries(subject)]


def follow(browser, answer):
    assert answer.status_code == 303
    return browser.get(answer.headers["Location"]).text


def test_a_retry_sends_the_original_body_once_and_says_that_it_waits(browser, item, world):
    page = follow(browser, browser.post(f"/items/{item.item_id}/retry", {"version": "1", "reason": "it is back"}))
    assert "It is sent, and not confirmed yet." in page
    assert 'data-version="2"' in page
    assert world.sent() == [item.body]
    assert world.get(item).status == "RETRYING"
    asked = [entry for entry in world.place.review.audit.entries(item.item_id) if entry.action == "retry asked for"]
    assert [(entry.by, entry.reason) for entry in asked] == [(BY, "it is back")]


def test_only_an_event_that_came_too_late_can_be_delivered_out_of_order(browser, item, world):
    assert "out_of_order" not in browser.get(f"/items/{item.item_id}").text
    late = item_of(
        SECRET, f"late-{item.event_id}", queue_url=world.queue_url, group_id="group-late", error_code="order-late"
    )
    world.put(late)
    assert 'name="out_of_order"' in browser.get(f"/items/{late.item_id}").text
    browser.post(f"/items/{late.item_id}/retry", {"version": "1", "out_of_order": "yes"})
    assert world.sent() == [late.body]
    assert ("retry out of order asked for", True) in done(world, late.item_id)


def test_a_delivery_is_shown_when_the_idempotency_store_has_it(browser, item, world):
    browser.post(f"/items/{item.item_id}/retry", {"version": "1"})
    assert browser.get(f"/items/{item.item_id}/state").json == {"status": "RETRYING", "version": 2}
    world.delivered(item)
    assert browser.get(f"/items/{item.item_id}/state").json == {"status": "RESOLVED", "version": 3}
    assert "Nothing remains to do." in browser.get(f"/items/{item.item_id}").text


@pytest.mark.parametrize("action", ["retry", "archive"])
def test_an_item_that_has_changed_since_it_was_shown_is_left_alone(browser, item, world, action):
    change = {"action": "note", "by": COLLEAGUE, "at": "2026-11-26T09:19:00.000Z"}
    assert world.table.update(replace(item, version=2, change=change), over=item)
    page = follow(browser, browser.post(f"/items/{item.item_id}/{action}", {"version": "1", "reason": "x"}))
    assert "Nothing was done: it has changed since you looked at it" in page
    assert COLLEAGUE in page
    assert world.sent() == []
    assert world.get(item).status == "OPEN"
    assert (action, False) in done(world, item.item_id)


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "1.0"])
def test_a_form_without_a_usable_version_does_nothing(browser, item, world, version):
    assert "Nothing was done" in follow(browser, browser.post(f"/items/{item.item_id}/retry", {"version": version}))
    assert world.get(item) == item


def test_an_item_is_archived_with_the_reason_and_restored(browser, item, world):
    assert "Say why" in follow(browser, browser.post(f"/items/{item.item_id}/archive", {"version": "1", "reason": " "}))
    assert world.get(item).status == "OPEN"
    browser.post(f"/items/{item.item_id}/archive", {"version": "1", "reason": "withdrawn"})
    assert world.get(item).status == "ARCHIVED"
    browser.post(f"/items/{item.item_id}/restore", {"version": "2"})
    assert world.get(item).status == "OPEN"
    assert done(world, item.item_id)[0] == ("restore", True)


def test_a_note_is_stored_and_shown(browser, item):
    page = follow(browser, browser.post(f"/items/{item.item_id}/note", {"text": "asked <the> CMS team"}))
    assert "asked &lt;the&gt; CMS team" in page
    assert "The note is empty" in follow(browser, browser.post(f"/items/{item.item_id}/note", {"text": " "}))


@pytest.mark.attack("D10")
def test_d10_credentials_are_hidden_until_the_operator_reveals_them_on_the_record(browser, item, world):
    path = f"/items/{item.item_id}"
    hidden = browser.get(path).text
    for secret in ("eyJhbGciOiJSUzI1NiJ9", "5bd28537-7491"):
        assert secret not in hidden
    assert "2 values look like credentials" in hidden
    assert "5bd28537-7491" in browser.post(f"{path}/body").text
    assert done(world, item.item_id) == [("hidden values shown", True)]
    assert "5bd28537-7491" not in browser.get(path).text


# --- many items --------------------------------------------------------------------------------------------------


def several(world, item, count):
    more = [
        item_of(SECRET, f"{item.event_id}-{number}", queue_url=world.queue_url, group_id=item.group_id)
        for number in range(count)
    ]
    world.put(*more)
    return [item, *more]


@pytest.mark.slow
def test_a_selection_is_done_one_by_one_and_counted(browser, item, world):
    items = several(world, item, 2)
    back, ids = f"/groups/{item.group_id}", [one.item_id for one in items]
    form = {"do": "archive", "back": back, "item": ids, "reason": "withdrawn"}
    assert "3 archived." in follow(browser, browser.post("/selection", form))
    assert {world.get(one).status for one in items} == {"ARCHIVED"}
    assert "not archived: it is ARCHIVED" in follow(browser, browser.post("/selection", form))
    assert "3 restored." in follow(browser, browser.post("/selection", form | {"do": "restore"}))
    assert "3 sent." in follow(browser, browser.post("/selection", form | {"do": "retry"}))
    assert len(world.sent()) == 3


def test_an_empty_selection_says_so(browser, item):
    form = {"do": "retry", "back": f"/groups/{item.group_id}"}
    assert "Nothing is selected" in follow(browser, browser.post("/selection", form))


@pytest.mark.parametrize("form", [{"do": "purge"}, {}, {"do": "retry", "item": [str(n) for n in range(101)]}])
def test_a_selection_that_no_page_of_ours_makes_is_refused(browser, item, form):
    assert browser.post("/selection", {"back": f"/groups/{item.group_id}"} | form).status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "x"),
        ("limit", "1e3"),
        ("rate", "0"),
        ("rate", "nan"),
        ("rate", "inf"),
        ("canary", "-1"),
    ],
)
def test_a_retry_of_a_group_with_an_unusable_number_says_which(browser, item, world, field, value):
    form = {"limit": "5", "rate": "10", "canary": "0", "do": "start", "reason": "kept"} | {field: value}
    answer = browser.post(f"/groups/{item.group_id}/retry", form)
    assert answer.status_code == 422
    assert {"limit": "At most:", "rate": "Rate:", "canary": "Canaries:"}[field] in answer.text
    assert 'value="kept"' in answer.text
    assert world.sent() == []


@pytest.mark.slow
@pytest.mark.parametrize("grouping", GROUPINGS)
def test_a_dry_run_counts_the_items_and_sends_nothing(browser, item, world, grouping):
    several(world, item, 3)
    form = {"limit": "3", "rate": "1", "canary": "0", "do": "plan"}
    page = browser.post(f"/groups/{item.group_ids[grouping]}/retry", form).text
    assert "<strong>3</strong> items, in 3 s or more" in page
    assert "route/ready-to-cms" in page
    assert world.sent() == []
    assert done(world, item.group_id) == []


def run(browser, item, **changes):
    form = {"limit": "10", "rate": "1000", "canary": "0", "do": "start", "reason": "back"} | changes
    answer = browser.post(f"/groups/{item.group_id}/retry", form)
    assert answer.status_code == 303
    return answer.headers["Location"]


def ended(world, path):
    operation_id = path.rpartition("/")[2]
    world.place.runs._threads[operation_id].join(30)
    return world.place.review.records.operation(operation_id)


@pytest.mark.slow
def test_a_group_is_retried_in_the_background_and_tells_how_far_it_is(browser, item, world):
    items = several(world, item, 3)
    path = run(browser, item)
    operation = ended(world, path)
    assert (operation.state, operation.taken, operation.by) == ("completed", 4, BY)
    state = browser.get(f"{path}/state").json
    assert (state["taken"], state["of"], state["over"], state["counts"]) == (4, 4, False, {"unconfirmed": 4})
    for one in items:
        world.delivered(one)
    state = browser.get(f"{path}/state").json
    assert (state["over"], state["counts"]) == (True, {"resolved": 4})
    assert state["says"] == "4 of 4 delivered, 0 failed again, 0 waiting."
    page = browser.get(path).text
    assert "Completed" in page
    assert "back" in page
    assert path in browser.get("/operations").text
    assert len(world.sent()) == 4


@pytest.mark.slow
def test_the_progress_of_an_operation_tells_of_a_lost_contact(browser, item, world, monkeypatch):
    path = run(browser, item)
    ended(world, path)

    def lost(_operation_id):
        raise TransientError("aws-EndpointConnectionError", "reading an operation: EndpointConnectionError")

    monkeypatch.setattr(world.place.review.records, "operation", lost)
    assert "contact with AWS" in browser.get(f"{path}/state").json["lost"]


@pytest.mark.slow
def test_canaries_that_fail_again_stop_the_retry(browser, item, world):
    items = several(world, item, 3)
    path = run(browser, item, canary="1", rate="2")
    oldest = min(items, key=lambda one: (one.last_failed_at, one.item_id))
    operation_id = path.rpartition("/")[2]
    while not (operation := world.place.review.records.operation(operation_id)).canary_ids:
        pass
    sent = world.table.get(operation.canary_ids[0])
    while sent.status != "RETRYING":
        sent = world.table.get(operation.canary_ids[0])
    assert world.table.update(replace(sent, status="OPEN", error_code="http-500", version=sent.version + 1), over=sent)
    operation = ended(world, path)
    assert operation.state == "stopped"
    assert "did not pass" in browser.get(path).text
    assert oldest.item_id in {one.item_id for one in items}
    assert len(world.sent()) == 1


@pytest.mark.slow
def test_an_operation_is_cancelled_and_resumed_and_sends_none_twice(browser, item, world):
    several(world, item, 4)
    path = run(browser, item, rate="1")
    assert "It stops before its next item" in follow(browser, browser.post(f"{path}/cancel"))
    assert ended(world, path).state == "cancelled"
    before = ended(world, path).taken
    assert before < 5
    assert "It continues" in follow(browser, browser.post(f"{path}/resume"))
    world.place.runs.end(wait_seconds=30)
    world.place.runs._ending.clear()
    again = follow(browser, browser.post(f"{path}/cancel"))
    assert "It is" in again or "It stops" in again
    bodies = [json.loads(message)["detail"]["metadata"]["id"] for message in world.sent()]
    assert len(bodies) == len(set(bodies))


@pytest.mark.slow
def test_a_group_is_archived_as_an_operation(browser, item, world):
    items = several(world, item, 2)
    path = f"/groups/{item.group_id}/archive"
    assert "Say why" in follow(browser, browser.post(path))
    operation = ended(world, browser.post(path, {"reason": "withdrawn"}).headers["Location"])
    assert (operation.action, operation.state, operation.taken) == ("archive", "completed", 3)
    assert {world.get(one).status for one in items} == {"ARCHIVED"}


@pytest.mark.parametrize(
    "path", ["/items/{0}/retry", "/items/{0}/note", "/items/{0}/body", "/groups/{0}/retry", "/groups/{0}/archive"]
)
def test_an_unknown_id_is_not_found(browser, path):
    form = {"reason": "x", "text": "x", "limit": "1", "rate": "1", "canary": "0", "do": "start"}
    assert browser.post(path.format("0" * 20), form).status_code == 404
    assert browser.post("/operations/none/cancel").status_code == 404


# --- permissions -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/items/{item.item_id}/retry", "retry"),
        ("/items/{item.item_id}/archive", "administer"),
        ("/items/{item.item_id}/note", "retry"),
        ("/items/{item.item_id}/body", "retry"),
        ("/groups/{item.group_id}/retry", "retry"),
        ("/groups/{item.group_id}/archive", "administer"),
    ],
)
def test_a_permission_that_is_missing_is_named_and_nothing_is_done(browser, item, world, path, policy):
    token = browser.form_token()
    world.deny("dynamodb:PutItem", "s3:PutObject")
    form = {"version": "1", "reason": "x", "text": "x", "limit": "1", "rate": "1", "canary": "0", "do": "start"}
    answer = browser.post(path.format(item=item), form, token=token)
    assert answer.status_code == 403
    assert f"operator_policies.{policy}</code>" in answer.text
    assert "AccessDeniedException" in answer.text
    assert "boto" not in answer.text
    assert world.get(item) == item
    assert world.sent() == []


@pytest.mark.parametrize("path", ["/", "/items", "/items/{item.item_id}", "/groups/{item.group_id}", "/operations"])
def test_a_missing_permission_names_its_policy(browser, item, world, path):
    world.deny("dynamodb:Query", "dynamodb:GetItem", "dynamodb:BatchGetItem")
    answer = browser.get(path.format(item=item))
    assert answer.status_code == 403
    assert "operator_policies.read</code>" in answer.text


@pytest.mark.slow
def test_a_permission_lost_in_the_middle_of_a_selection_says_how_far_it_came(browser, item, world):
    token = browser.form_token()
    world.deny("dynamodb:PutItem", "s3:PutObject")
    form = {"do": "retry", "back": f"/groups/{item.group_id}", "item": [item.item_id]}
    page = follow(browser, browser.post("/selection", form, token=token))
    assert "It ended after 0 of 1" in page
    assert "operator_policies.retry" in page


def test_an_operator_who_may_not_read_bodies_sees_the_rest(browser, item, world):
    world.deny("dynamodb:GetItem:whole")
    page = browser.get(f"/items/{item.item_id}").text
    assert "operator_policies.read allows them" in page
    assert "http-401" in page
    assert "HOUSE-88412" in page
    assert "The client secret has expired" not in page
