"""With 100,000 open items a page asks DynamoDB for no more than with ten.

How long that takes on the local cloud, with so many items in its table, `bench/review_page.py` measures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from playwright.sync_api import expect

from media_events.adapters.dynamodb.review_items import DynamoReviewTable, _stored, _to_dynamo
from media_events.core.clock import epoch, timestamp
from media_events.recovery.review_item import item_id
from tests.fakes.review_web import NOW, SECRET, item_of

MANY = 100_000


@dataclass
class Endless:
    """A review table with ``count`` open items of one group, one failure a second, made as they are read."""

    count: int
    template: dict
    requests: Counter = field(default_factory=Counter)
    largest: int = 0
    listed: dict = field(default_factory=dict)

    def _item(self, number):
        event_id = f"evt-{number:06d}"
        change = {
            "event_id": event_id,
            "item_id": item_id("partner.mux", event_id, "cms"),
            "last_failed_at": _at(number),
        }
        return self.template | {name: {"S": value} for name, value in change.items()}

    def query(self, *, IndexName, Limit=None, ExclusiveStartKey=None, **_):  # noqa: N803
        self.requests[f"query {IndexName}"] += 1
        if IndexName == "by-waiting":
            return {"Items": [self._group()]}
        if IndexName == "by-event":
            return {"Items": []}
        assert Limit is not None
        self.largest = max(self.largest, Limit)
        start = 0 if ExclusiveStartKey is None else _number(ExclusiveStartKey["last_failed_at"]["S"]) + 1
        end = min(start + Limit, self.count)
        items = [self._item(number) for number in range(start, end)]
        self.listed |= {item["item_id"]["S"]: item for item in items}
        last = {name: items[-1][name] for name in ("item_id", "last_failed_at")} if end < self.count else None
        return {"Items": items, **({"LastEvaluatedKey": last} if last else {})}

    def get_item(self, *, Key, **_):  # noqa: N803
        self.requests["get"] += 1
        key = Key["item_id"]["S"]
        if key.startswith("group/"):
            return {"Item": self._group()}
        return {} if "/" in key else {"Item": self._item(0)}

    def batch_get_item(self, *, RequestItems):  # noqa: N803
        self.requests["batch"] += 1
        assert all(len(asked["Keys"]) <= 100 for asked in RequestItems.values())
        keys = [(table, key["item_id"]["S"]) for table, asked in RequestItems.items() for key in asked["Keys"]]
        found = [(table, self.listed[key]) for table, key in keys if key in self.listed]
        return {"Responses": {table: [item for other, item in found if other == table] for table in RequestItems}}

    def _group(self):
        group_id = self.template["group_id"]["S"]
        texts = {name: self.template[name]["S"] for name in ("hop", "destination", "failure_class", "error_code")}
        texts |= {"item_id": f"group/{group_id}", "register": "groups", "error_message": "the destination answered 401"}
        texts |= {"first_opened_at": _at(self.count), "last_opened_at": _at(0)}
        counts = {name: {"N": str(self.count)} for name in ("items_open", "waiting", "opened")}
        return {name: {"S": value} for name, value in texts.items()} | counts


def _at(number):
    return timestamp(NOW - 1 - number)


def _number(at):
    return round(NOW - 1 - epoch(at))


@pytest.fixture(name="table")
def _table(quiet):
    world, _ = quiet
    kept = world.place.review
    template = {
        name: _to_dynamo(value) for name, value in _stored(item_of(SECRET, "x", queue_url=world.queue_url)).items()
    }

    def fill(count):
        client = Endless(count, template)
        table = DynamoReviewTable(client, "review")
        world.place.review = replace(kept, service=replace(kept.service, table=table))
        return client

    yield fill
    world.place.review = kept


def test_a_page_costs_the_same_with_a_hundred_thousand_items_as_with_ten(quiet, table, visit):
    _, served_page = quiet
    asked = {}
    for count in (10, MANY):
        client = table(count)
        group = client.template["group_id"]["S"]
        visitor = visit(served_page)
        asked[count] = {}
        for path in ("/", f"/groups/{group}", "/items"):
            client.requests.clear()
            visitor.go(path)
            asked[count][path] = dict(client.requests)
    assert asked[MANY] == asked[10]
    assert max(sum(requests.values()) for requests in asked[MANY].values()) <= 6
    assert client.largest <= 60
    visitor.go("/")
    expect(visitor.page.get_by_text("100,000", exact=True).first).to_be_visible()


def test_the_last_of_many_pages_is_reached_and_costs_no_more(quiet, table, visit):
    _, served_page = quiet
    client = table(120)
    visitor = visit(served_page)
    visitor.go(f"/groups/{client.template['group_id']['S']}")
    seen = []
    for keys in ("n", "n", ""):
        seen += visitor.page.locator("table.items .row").all_inner_texts()
        client.requests.clear()
        if keys:
            visitor.press(keys)
            expect(visitor.page.get_by_role("link", name="Newest")).to_be_visible()
            expect(visitor.page.locator("table.items .row").first).not_to_have_text(seen[-50])
            assert client.requests["query by-group"] == 1
    assert seen == [f"evt-{number:06d}" for number in range(120)]
