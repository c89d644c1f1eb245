"""The pages of groups, items and help; foreign content is always shown as text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from media_events.core.failures import TransientError
from media_events.delivery.ordering import key_queue as lanes_of
from media_events.delivery.ordering.latest_only import Position
from media_events.recovery.review_item import Attempt
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.operations.audit import Entry
from media_events_kit.ops.review import redaction
from media_events_kit.ops.review_web.groups import SHORTCUTS
from tests.fakes.review_web import MAPPING, SECRET, item_of
from tests.unit.ops.review_web.conftest import HOST

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}\u202egnp.exe\x1b[31m"


def test_a_group_shows_its_count_its_age_and_its_advice(browser, item, world):
    page = browser.get("/failures").text
    assert f'href="/groups/{item.group_id}"' in page
    assert "check the destination&#39;s secret" in page
    assert re.search(r"growing, 1 since <span[^>]*>08:00 UTC<", page)
    world.table.update(replace(item, status="ARCHIVED", version=2), over=item)
    assert f'href="/groups/{item.group_id}"' not in browser.get("/failures").text


@pytest.mark.parametrize("grouping", ["type", "partner", "hop", "destination"])
def test_groups_of_every_grouping_are_listed_and_shown(browser, item, grouping):
    page = browser.get(f"/failures?by={grouping}").text
    group = item.group_ids[grouping]
    path = f"/groups/{quote(group, safe=':/')}"
    assert f'href="{path}"' in page
    assert f"The latest: <code>{item.error_code}</code>" in page
    shown = browser.get(path).text
    assert item.event_id in shown
    assert f"{grouping.capitalize()} {getattr(item, grouping)}" in shown
    assert browser.get("/failures?by=colour").status_code == 404


def test_a_group_shows_its_items_by_status(browser, item, world):
    path = f"/groups/{item.group_id}"
    assert item.event_id in browser.get(path).text
    assert "No archived items here" in browser.get(f"{path}?status=ARCHIVED").text
    world.table.update(replace(item, status="ARCHIVED", version=2), over=item)
    assert item.event_id in browser.get(path).text
    assert browser.get(f"{path}?status=LOST").status_code == 404
    assert browser.get("/groups/none").status_code == 404


def test_an_open_item_whose_retry_may_yet_arrive_is_shown_as_on_its_way(browser, item, world):
    world.table.update(replace(item, retried_at="2099-01-01T00:00:00.000Z", version=2), over=item)
    for path in (f"/items/{item.item_id}", f"/groups/{item.group_id}", "/items"):
        assert "n its way since" in browser.get(path).text


def test_an_item_whose_hop_is_gone_says_what_can_be_done(browser, item, world, monkeypatch):
    review = world.place.review
    topology = Topology.of({"hops": {"route/other": {"destination": "other"}}})
    monkeypatch.setattr(review, "service", replace(review.service, topology=lambda: topology))
    page = browser.get(f"/items/{item.item_id}").text
    assert f"{item.hop} is gone from the deployment: name the hop that takes its place" in page.replace(
        "Route", "route"
    )
    assert "A retry sends the original body" not in page


def test_an_item_tells_its_story(browser, item, world):
    world.place.review.record(item.item_id, "note", result="asked the CMS team", reason="")
    page = browser.get(f"/items/{item.item_id}").text
    for part in (
        "The client secret has expired",
        "Received by the webhook",
        "It happened at the partner",
        "asked the CMS team",
        "failed here",
        "route/ready-to-publication",
        "HOUSE-88412",
    ):
        assert part in page
    happened = [page.index(text) for text in ("It happened at the partner", "Received by", "asked the CMS team")]
    assert happened == sorted(happened)


def test_an_item_shows_the_routes_that_match_it_now(browser, item):
    page = browser.get(f"/items/{item.item_id}").text
    row = page[page.index("<code>route/comments-to-review-tool") :]
    assert "no" in row[: row.index("</tr>")]
    assert "failed here" in page[page.index("<code>route/ready-to-cms</code> <span") :][:120]


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ("not json", "The body is not JSON"),
        ("[]", "The body is no event"),
        ('{"a": 1}', "neither detail"),
        ("[" * 100_000, "The body is not JSON"),
        ('{"detail":' + '{"a":' * 5000 + "1" + "}" * 5001, ""),
    ],
)
def test_a_body_that_is_no_event_is_shown_and_matches_nothing(browser, item, world, body, output):
    other = item_of(SECRET, f"odd-{abs(hash(body))}", queue_url=world.queue_url, group_id=item.group_id, body=body)
    world.put(other)
    answer = browser.get(f"/items/{other.item_id}")
    assert answer.status_code == 200
    assert output in answer.text


def test_an_unreadable_body_is_reported_and_the_rest_is_shown(browser, item, world):
    other = item_of(
        SECRET, "gone", queue_url=world.queue_url, group_id=item.group_id, body=None, bodyref="s3://elsewhere/x"
    )
    world.put(other)
    page = browser.get(f"/items/{other.item_id}").text
    assert "It can't be read:" in page
    assert "http-401" in page


def hostile_item(world, item):
    return item_of(
        SECRET,
        f"evil-{item.event_id}{HOSTILE}",
        queue_url=world.queue_url,
        **dict.fromkeys(("type", "partner", "error_code", "error_message", "response", "correlation_id"), HOSTILE),
        **dict.fromkeys(("partition_key", "destination", "hop", "kind"), HOSTILE),
        body=json.dumps({"detail": {"metadata": {"ingress": HOSTILE, "time": HOSTILE}, HOSTILE: HOSTILE}}),
        group_id=item.group_id,
        source=HOSTILE,
        attempts=(
            Attempt(
                time=HOSTILE, failure_class="transient", code=HOSTILE, message=HOSTILE, redrivecount=1, message_id="x"
            ),
        ),
    )


def test_whatever_came_from_outside_is_text(browser, item, world):
    evil = hostile_item(world, item)
    world.put(evil)
    world.place.review.audit.append(
        Entry(
            subject=evil.item_id, at=HOSTILE, by=HOSTILE, action=HOSTILE, allowed=True, result=HOSTILE, reason=HOSTILE
        )
    )
    paths = ["/", "/failures", f"/groups/{item.group_id}", f"/items/{evil.item_id}", "/items"]
    for path in [*paths, f"/items?destination={HOSTILE}", f"/items?event={HOSTILE}", f"/find?id={HOSTILE}"]:
        answer = browser.client.get(
            path.partition("?")[0],
            query_string=dict([path.partition("?")[2].split("=", 1)]) if "?" in path else None,
            base_url=f"http://{HOST}",
            follow_redirects=True,
        )
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert "<img" not in answer.text, path
        assert "\u202e" not in answer.text, path
        assert "\x1b" not in answer.text, path
        assert ">49<" not in answer.text, path


def test_an_event_is_found_by_its_id_and_an_item_by_its_own(browser, item):
    assert browser.get(f"/find?id={item.item_id}").headers["Location"] == f"/items/{item.item_id}"
    found = browser.get(f"/find?id={item.event_id}").headers["Location"]
    assert item.item_id in browser.get(found).text
    assert "No item of this event" in browser.get("/items?event=none").text


def test_filters_match_parts(browser, item):
    for part in ("error_code=401", "type=ready", "destination=cm", f"partner={item.partner[:2]}", "hop=to-cms"):
        assert item.event_id in browser.get(f"/items?{part}").text
    for other in ("error_code=402", "failure_class=permanent"):
        assert item.event_id not in browser.get(f"/items?{other}").text


def test_an_id_of_no_item_is_looked_for_in_the_traces(browser):
    assert browser.get("/find?id=qzT01rX9v8pR").headers["Location"] == "/trace?id=qzT01rX9v8pR"


def test_the_data_that_a_body_refers_to_is_shown_and_that_is_recorded(browser, item, world, monkeypatch):
    other, copy = "s3://secrets/of-others", "s3://review/copies/1"
    body = json.dumps({"detail": {"metadata": {"id": item.event_id, "dataref": other}, "data": {}}})
    world.table.update(replace(item, body=body, retained_bodies={other: copy}, version=2), over=item)
    read = []

    class Kept:
        def get(self, uri):
            read.append(uri)
            return b'{"clip": "c-4711"}'

    review = world.place.review
    monkeypatch.setattr(review, "service", replace(review.service, bodies=lambda _uri: Kept()))
    page = browser.get(f"/items/{item.item_id}").text
    assert "Show the data that it refers to" in page
    assert (read, "c-4711" in page) == ([], False)
    shown = browser.post(f"/items/{item.item_id}/data", {}).text
    assert "c-4711" in shown
    assert read == [copy]
    assert "the data that its body refers to" in [entry.result for entry in review.audit.entries(item.item_id)]


def test_items_are_filtered(browser, item):
    assert item.event_id in browser.get("/items?destination=cms&failure_class=permanent-config").text
    assert "No open items like that" in browser.get("/items?destination=nowhere").text


@pytest.mark.parametrize("cursor", ["x", "eyJ9", "!!!", "W10", "x" * 5000, "WzAsIjEiXQ"])
def test_a_cursor_that_no_page_gave_is_refused(browser, item, cursor):
    for path in ("/failures", "/items", f"/groups/{item.group_id}"):
        answer = browser.get(f"{path}?after={cursor}")
        assert answer.status_code == 400, path
        assert "begin with the first page" in answer.text


@pytest.mark.slow
def test_a_cursor_continues_a_list(browser, world, item):
    group = f"many-{item.event_id}"
    made = [
        item_of(SECRET, f"{group}-{n}", failed_ago=60.0 + n, queue_url=world.queue_url, group_id=group)
        for n in range(120)
    ]
    world.load(made)
    seen, path = [], f"/groups/{group}"
    while path:
        page = browser.get(path).text
        seen += [one.event_id for one in made if f">{one.event_id}</a>" in page]
        path = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        path = path if 'rel="next"' in page else ""
    assert seen == [one.event_id for one in made]


def test_a_hop_before_the_routes_is_on_the_way(browser, item, world):
    other = item_of(MAPPING, "mapped", queue_url=world.queue_url, group_id=item.group_id)
    world.put(other)
    page = browser.get(f"/items/{other.item_id}").text
    assert page.index("normalise-asset") < page.index("not reached")


def test_the_help_names_every_key_state_class_and_policy(browser):
    page = browser.get("/help").text
    for part in ("next and previous row", "Superseded", "poison", "administer", "operator_policies"):
        assert part in page


def test_no_shortcut_is_promised_that_no_page_has():
    folder = Path(__file__).parents[4] / "media_events_kit/ops/review_web"
    templates = "".join(path.read_text() for path in (folder / "templates").glob("*.html"))
    script = (folder / "static/review.js").read_text()
    for keys, _ in SHORTCUTS:
        for key in keys:
            of_browser = key in {"Enter", "Esc"}
            assert of_browser or f'data-key="{key}"' in templates or f"'{key}')" in templates or f"{key}:" in script, (
                key
            )


def test_a_body_of_10_000_keys_is_read_once_and_its_page_stays_small(browser, item, world, monkeypatch):
    judged = []
    known = redaction.is_secret_name
    monkeypatch.setattr(redaction, "is_secret_name", lambda name: judged.append(name) or known(name))
    data = {f"key-{number}": f"value {number}" for number in range(10_000)}
    large = item_of(replace(SECRET, data=data), "many-keys", queue_url=world.queue_url, group_id=item.group_id)
    world.put(large)
    page = browser.get(f"/items/{large.item_id}").text
    assert "key-100" in page
    assert "The body is longer" in page
    assert len(judged) < 10_000 + 200
    assert len(page) < 400_000
    assert page.count("<span") < 10_000


# --- an order ----------------------------------------------------------------------------------------------------


@pytest.fixture(name="key_queues")
def _lanes(world, item):
    """The content of the item's key queue, set by tests."""
    key_queues, kept = {}, world.place.review

    class FakeKeyQueues:
        def key_queue(self, key):
            if isinstance(key_queues.get(key), TransientError):
                raise key_queues[key]
            return key_queues.get(key)

    def hold(*event_ids, parked=(), problem=None):
        entries = [
            lanes_of.Entry(event_id=name, position=Position(time=number), since=0.0, parked=name in parked)
            for number, name in enumerate(event_ids)
        ]
        key = lanes_of.key_queue_id(item.source, item.partition_key, item.destination)
        key_queues[key] = problem or lanes_of.KeyQueue(entries=tuple(entries))

    world.place.review = replace(kept, service=replace(kept.service, key_queues=FakeKeyQueues()))
    yield hold
    world.place.review = kept


def test_an_item_in_a_key_queue_shows_the_events_that_wait_for_it(browser, item, key_queues):
    page = f"/items/{item.item_id}"
    assert "delivered in order" not in browser.get(page).text
    key_queues("earlier", item.event_id, "later-1", "later-2", parked=("later-2",))
    output = " ".join(browser.get(page).text.split())
    assert "Its key is delivered in order." in output
    assert "1 event before it waits too: retry or archive it first." in output
    assert "2 later events wait for it, 1 parked, and continue once it is delivered or archived." in output
    key_queues(item.event_id)
    assert "No later event of its key waits for it." in browser.get(page).text


def test_an_unreadable_key_queue_is_reported_and_the_rest_is_shown(browser, item, key_queues):
    key_queues(problem=TransientError("aws-Throttling", "reading a key queue: Throttling"))
    page = browser.get(f"/items/{item.item_id}").text
    assert "not known: reading a key queue: Throttling" in page
    assert item.error_message in page
