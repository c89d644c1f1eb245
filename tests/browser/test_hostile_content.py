"""Whatever an attacker can fill is text in a real browser: nothing of it runs or is loaded."""

from __future__ import annotations

import json
from urllib.parse import quote

from media_events.recovery.review_item import Attempt
from media_events_kit.ops.operations.audit import Entry
from tests.fakes.review_web import SECRET, item_of

PAYLOAD = (
    "\"'><script>window.owned=1</script><img src=x onerror=window.owned=1><svg onload=window.owned=1>"
    "</textarea></pre><iframe src=javascript:window.owned=1></iframe>{{7*7}}${7*7}\u202e"
)
FIELDS = (
    *("type", "partner", "error_code", "error_message", "response", "correlation_id", "partition_key"),
    *("destination", "hop", "kind", "failure_class", "body_sha256", "edit_of"),
)


def hostile(world):
    metadata = dict.fromkeys(("entry", "time", "recordedtime", "stage", "id", "type", "partner"), PAYLOAD)
    item = item_of(
        SECRET,
        PAYLOAD,
        queue_url=world.queue_url,
        source=f"partner.{PAYLOAD}",
        group_id="hostile",
        body=json.dumps({"detail": {"metadata": metadata, "data": {PAYLOAD: [PAYLOAD]}}, "detail-type": PAYLOAD}),
        message_attributes={PAYLOAD: {"dataType": "String", "stringValue": PAYLOAD}},
        attempts=(
            Attempt(
                time=PAYLOAD,
                failure_class=PAYLOAD,
                code=PAYLOAD,
                message=PAYLOAD,
                redrivecount=1,
                message_id=PAYLOAD,
            ),
        ),
        **dict.fromkeys(FIELDS, PAYLOAD),
    )
    world.put(item)
    for action in ("note", PAYLOAD):
        entry = Entry(subject=item.item_id, at=PAYLOAD, by=PAYLOAD, action=action, allowed=False, result=PAYLOAD)
        world.place.review.audit.append(entry)
    return item


def test_a_payload_in_every_field_is_text_on_every_page(quiet_and_hostile, visit):
    world, served_page = quiet_and_hostile
    item = hostile(world)
    visitor = visit(served_page)
    requests = []
    visitor.page.on("request", lambda request: requests.append(request.url))
    pages = [
        "/",
        "/failures",
        "/groups/hostile",
        f"/items/{item.item_id}",
        "/items",
        "/operations",
        f"/items/{item.item_id}/edit",
    ]
    for path in pages:
        visitor.go(path)
        visitor.page.wait_for_load_state()
        assert visitor.page.evaluate("window.owned") is None, path
        assert visitor.page.locator("main iframe, main img, main script, svg[onload]").count() == 0, path
    visitor.go("/failures")
    assert "<script>window.owned=1</script>" in visitor.page.locator(".group").first.inner_text()
    for path in ("/items", "/trace"):
        visitor.go(path)
    for form in ("/find?id=", "/items?event=", "/items?destination=", "/trace?id="):
        visitor.page.goto(visitor.home + form + quote(PAYLOAD))
        assert visitor.page.evaluate("window.owned") is None, form
    visitor.go(f"/items/{item.item_id}")
    visitor.page.get_by_label("Leave a note").fill(PAYLOAD)
    visitor.page.get_by_role("button", name="Save the note").click()
    assert visitor.page.evaluate("window.owned") is None
    visitor.page.get_by_role("textbox", name="Why", exact=True).fill(PAYLOAD)
    visitor.page.get_by_role("button", name="Archive").click()
    assert visitor.page.evaluate("window.owned") is None
    assert {url.partition("?")[0].startswith(visitor.home) for url in requests} == {True}
