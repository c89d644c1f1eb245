"""Finding items and groups page by page: complete, without repetition, at the same price however many there are."""

from __future__ import annotations

import pytest

from media_events.core.clock import timestamp
from media_events.recovery.review_item import Slice
from media_events_kit.ops.review.failure_groups import checked_grouping, close_delivered, group_page, growth, stats
from media_events_kit.ops.review.queries import Query, QueryError, find_page, time_bound, walk
from tests.fakes.review_items import make_item
from tests.unit.ops.review.test_service import FakeReview

NOW = 1_795_440_000.0  # 2026-11-23T13:20:00Z


def service_of(size, **changes):
    return FakeReview(
        *(
            make_item(f"evt-{n}", last_failed_at=f"2026-11-23T{10 + n // 60:02}:{n % 60:02}:00.000Z", **changes)
            for n in range(size)
        )
    )


def pages(review, query, limit):
    cursor, found = None, []
    while True:
        page = find_page(review.service(), query, limit=limit, cursor=cursor)
        found.append([item.event_id for item in page.items])
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 50])
def test_pages_hold_every_item_once(limit):
    review = service_of(10)
    found = pages(review, Query(), limit)
    assert [event for page in found for event in page] == [f"evt-{n}" for n in reversed(range(10))]
    assert all(len(page) == limit for page in found[:-1])


def test_the_last_page_says_that_it_is_the_last():
    assert len(pages(service_of(10), Query(), 10)) == 1


def test_one_status_follows_the_other():
    review = FakeReview(*(make_item(f"e{n}", status=("OPEN", "RETRYING", "ARCHIVED")[n % 3]) for n in range(9)))
    found = [event for page in pages(review, Query(), 2) for event in page]
    assert sorted(found[:3]) == ["e0", "e3", "e6"]
    assert sorted(found[3:]) == ["e1", "e4", "e7"]


def test_items_that_come_while_somebody_pages_shift_nothing():
    review = service_of(10)
    first = find_page(review.service(), Query(), limit=5)
    new = make_item("evt-new", last_failed_at="2026-11-23T12:59:00.000Z")
    review.table.items[new.item_id] = new
    second = find_page(review.service(), Query(), limit=5, cursor=first.cursor)
    assert [item.event_id for item in second.items] == [f"evt-{n}" for n in reversed(range(5))]


def test_a_page_of_many_costs_what_a_page_of_few_does():
    review = service_of(300)
    asked = []
    page = review.table.page
    review.table.page = lambda selection, **options: asked.append(options["limit"]) or page(selection, **options)
    find_page(review.service(), Query(statuses=("OPEN",)), limit=50)
    assert asked == [51]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"destination": "cms"}, 6),
        ({"destination": "elsewhere"}, 0),
        ({"partner": "mux", "type": "asset.ready"}, 6),
        ({"failure_class": "poison"}, 0),
        ({"error_code": "http-503", "hop": "route/cms"}, 6),
        ({"group": "g-1"}, 6),
        ({"group": "partner:mux"}, 6),
        ({"group": "hop:route/cms", "type": "asset.ready"}, 6),
        ({"group": "destination:dam"}, 0),
        ({"event": "evt-3"}, 1),
        ({"event": "evt-3", "destination": "elsewhere"}, 0),
        ({"since": "2026-11-23T10:04:00.000Z"}, 2),
        ({"until": "2026-11-23T10:01:00.000Z", "group": "g-1"}, 2),
    ],
)
def test_items_are_found_by_their_properties(asked, expected):
    review = service_of(6)
    query = Query(statuses=("OPEN",), **asked)
    assert sum(len(page) for page in pages(review, query, 4)) == expected
    assert len(list(walk(review.table, query))) == expected


@pytest.mark.parametrize(
    ("asked", "index", "value", "left"),
    [
        ({"partner": "mux"}, "by-partner", "partner:mux/OPEN", {}),
        ({"type": "asset.ready"}, "by-type", "type:asset.ready/OPEN", {}),
        ({"hop": "route/cms"}, "by-hop", "hop:route/cms/OPEN", {}),
        ({"destination": "cms"}, "by-destination", "destination:cms/OPEN", {}),
        ({"group": "partner:mux"}, "by-partner", "partner:mux/OPEN", {}),
        ({"group": "0af3"}, "by-group", "0af3/OPEN", {}),
        ({"partner": "mux", "type": "t"}, "by-type", "type:t/OPEN", {"partner": "mux"}),
        ({"group": "0af3", "partner": "mux"}, "by-group", "0af3/OPEN", {"partner": "mux"}),
    ],
)
def test_an_index_finds_the_items_and_nothing_else_is_read(asked, index, value, left):
    (selection,) = Query(statuses=("OPEN",), **asked).selections()
    assert (selection.index, selection.value, selection.where) == (index, value, left)


def test_a_rare_partners_item_among_many_costs_one_small_page():
    review = service_of(300)
    rare = make_item("evt-rare", partner="small", last_failed_at="2026-11-23T00:00:00.000Z")
    review.table.items[rare.item_id] = rare
    asked = []
    page = review.table.page
    review.table.page = lambda selection, **options: asked.append(options["limit"]) or page(selection, **options)
    found = find_page(review.service(), Query(statuses=("OPEN",), partner="small"), limit=5)
    assert ([item.event_id for item in found.items], found.cursor, asked) == (["evt-rare"], None, [6])


def test_a_page_of_rare_items_is_short_and_has_a_cursor():
    review = service_of(3)

    def barren(_selection, *, limit, after):  # noqa: ARG001
        return Slice((), ("2026", "x"))

    review.table.page = barren
    page = find_page(review.service(), Query(error_code="rare"), limit=5)
    assert page.items == ()
    assert page.cursor is not None


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!", "W10", "WzksICJhIiwgImIiXQ", "WzAsICIiLCAiIl0", "WzAsIDEsIDJd", "W3RydWVd", "é"],
)
def test_a_cursor_that_no_page_gave_is_refused(cursor):
    with pytest.raises(QueryError):
        find_page(service_of(1).service(), Query(), limit=5, cursor=cursor)
    with pytest.raises(QueryError):
        group_page(service_of(1).service(), limit=5, cursor=cursor)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23", "2026-11-23T00:00:00.000Z"),
        ("2026-11-23T12:30", "2026-11-23T12:30:00.000Z"),
        ("2026-11-23T12:30:00+02:00", "2026-11-23T10:30:00.000Z"),
        ("90m", "2026-11-23T11:50:00.000Z"),
        ("2d", "2026-11-21T13:20:00.000Z"),
    ],
)
def test_times_are_read_as_people_write_them(text, expected):
    assert time_bound(text, now=NOW) == expected


def test_until_a_date_means_until_its_end():
    assert time_bound("2026-11-23", now=NOW, upper=True) == "2026-11-23T23:59:59.999Z"


@pytest.mark.parametrize("text", ["yesterday", "", "12", "9999999d", "-1h", "2026-13-01", "0001-01-01T00:00+23:59"])
def test_an_invalid_time_is_refused(text):
    with pytest.raises(QueryError):
        time_bound(text, now=NOW)


# --- groups ------------------------------------------------------------------------------------------------------


def groups_of(review, limit):
    cursor, found = None, []
    while True:
        page = group_page(review.service(), limit=limit, cursor=cursor)
        found.append([(group.group_id, group.waiting) for group, _ in page.groups])
        cursor = page.cursor
        if cursor is None:
            return found


def test_groups_come_largest_first_page_by_page_and_done_ones_not_at_all():
    sizes = {"g-1": 2, "g-2": 5, "g-3": 1}
    items = [make_item(f"{group}-{n}", group_id=group) for group, size in sizes.items() for n in range(size)]
    review = FakeReview(*items, make_item("done", group_id="g-4", status="RESOLVED"))
    assert groups_of(review, 2) == [[("g-2", 5), ("g-1", 2)], [("g-3", 1)]]
    assert groups_of(review, 3) == [[("g-2", 5), ("g-1", 2), ("g-3", 1)]]


def test_groups_are_of_the_chosen_grouping():
    partners = ("mux", "iconik", "mux", None)
    review = FakeReview(*(make_item(f"e{n}", partner=partner) for n, partner in enumerate(partners)))
    found = group_page(review.service(), limit=9, grouping=checked_grouping("Partner")).groups
    assert [(group.group_id, group.waiting) for group, _ in found] == [("partner:mux", 2), ("partner:iconik", 1)]


def test_an_unknown_grouping_is_refused_with_the_known_ones():
    with pytest.raises(QueryError, match="use error, type, partner, hop, destination"):
        checked_grouping("colour")


def test_a_group_that_still_fails_grows():
    quiet = [make_item(f"a{n}", group_id="g-1", last_failed_at=f"2026-11-23T0{n}:00:00.000Z") for n in range(5)]
    loud = [make_item(f"b{n}", group_id="g-2", last_failed_at="2026-11-23T13:10:00.000Z") for n in range(4)]
    review = FakeReview(*quiet, *loud, make_item("c", group_id="g-3", last_failed_at="2026-11-01T00:00:00.000Z"))
    trends = {group.group_id: trend for group, trend in group_page(review.service(), limit=9).groups}
    assert (trends["g-1"].growing, trends["g-1"].day) == (False, 5)
    assert (trends["g-2"].growing, trends["g-2"].this_hour) == (True, 4)
    assert (trends["g-3"].growing, trends["g-3"].day) == (False, 0)


@pytest.mark.parametrize("grouping", ["error", "destination"])
def test_a_group_that_was_empty_before_is_dated_by_what_waits_now(grouping):
    was = {"last_failed_at": "2026-10-01T00:00:00.000Z", "first_failed_at": "2026-10-01T00:00:00.000Z"}
    now = {"last_failed_at": "2026-11-23T13:00:00.000Z", "first_failed_at": "2026-11-23T12:30:00.000Z"}
    later = {"last_failed_at": "2026-11-23T13:20:00.000Z", "first_failed_at": "2026-11-23T13:20:00.000Z"}
    items = [make_item("a", status="RESOLVED", **was), make_item("b", **now), make_item("c", **later)]
    ((group, _),) = group_page(FakeReview(*items).service(), limit=9, grouping=grouping).groups
    assert group.first_opened_at == "2026-11-23T12:30:00.000Z"


def test_a_group_that_has_been_quiet_for_a_while_does_not_grow():
    now = 1_795_440_000.0
    assert growth(timestamp(now - 37 * 60), (0,) * 23 + (163,), now).text.startswith("quiet for 37 min, 163 since ")
    assert growth(timestamp(now - 60), (0,) * 23 + (163,), now).kind == "growing"


def test_stats_tell_of_all_groups_without_reading_their_items():
    review = FakeReview(
        make_item("a", group_id="g-1", last_failed_at="2026-11-20T00:00:00.000Z"),
        make_item("b", group_id="g-1", status="RESOLVED"),
        make_item("c", group_id="g-2", failure_class="poison", destination="dam"),
    )
    asked = []
    page = review.table.page
    review.table.page = lambda selection, **options: asked.append(options["limit"]) or page(selection, **options)
    found = stats(review.service())
    assert {status: count for status, count in found.by_status.items() if count} == {"OPEN": 2, "RESOLVED": 1}
    assert (found.by_class, found.by_destination) == ({"poison": 1, "transient": 1}, {"cms": 1, "dam": 1})
    assert (found.groups, found.oldest) == (2, "2026-11-20T00:00:00.000Z")
    assert asked == [1, 1]


def test_counts_close_items_that_were_confirmed_after_their_command_had_gone():
    review = FakeReview()
    review.retry(wait=0)
    review.idempotency.delivered(review.item)
    close_delivered(review.service())
    assert stats(review.service()).by_status["RESOLVED"] == 1
