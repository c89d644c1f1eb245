"""The first page: the map of the deployment, live, and the way of an event on it."""

from __future__ import annotations

import threading
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from media_events.adapters.sqs.depths import Depth
from media_events.core.failures import TransientError
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.diagram.aggregation import MOST_ROWS
from media_events_kit.ops.review_web import trace
from media_events_kit.ops.review_web.live_hops import REFRESH_SECONDS, Live, LiveHops
from media_events_kit.ops.review_web.live_map import map_view
from media_events_kit.ops.status.collector import StatusCollector
from media_events_kit.ops.status.event_rates import EventRates
from media_events_kit.ops.status.model import CircuitBreaker, HopReading, Queue
from media_events_kit.ops.trace.model import EventTrace, HopStatus, Reading, Step
from tests.fakes.live_hops import RATES, TOPOLOGY, live, outputs_of, reading_of, troubled
from tests.fakes.review_web import NOW

HOSTILE = "<script>alert(1)</script>\"'>{{7*7}}\u202e"


@pytest.fixture(name="shows")
def _shows(world, monkeypatch):
    return lambda reader: monkeypatch.setattr(world.place, "live", reader)


def words(link):
    return " ".join(text.strip() for text in link.itertext() if text.strip())


def drawing(page):
    return ET.fromstring(page[page.index('<svg class="map"') :].partition("</svg>")[0] + "</svg>")


def test_what_needs_a_person_is_in_front_and_each_part_of_the_map_leads_on(browser, item, shows):
    shows(live(troubled(NOW)))
    page = browser.get("/").text

    assert page.index(f'href="/groups/{item.group_id}"') < page.index('class="map"')
    links = {link.get("href"): words(link) for link in drawing(page).iter("a")}
    assert any(href == f"/groups/{item.group_id}" and "ready-to-cms" in links[href] for href in links)
    assert links["/failures"].endswith("to review")
    assert links["/items?partner=mux"] == "mux 38/min"
    anchors = [href for href in links if href.startswith("#")]
    assert anchors
    assert all(f'id="{href[1:]}"' in page for href in anchors)


@pytest.mark.usefixtures("item")
def test_the_table_says_all_that_the_map_says(browser, shows):
    shows(live(troubled(NOW)))
    page = browser.get("/").text

    row = page[page.index('data-cell="route/comments-to-review-tool rate"') :].partition("</tr>")[0]
    assert [cell.partition(">")[2].partition("<")[0] for cell in row.split("<td")] == [
        *("0/min", "15", "6 min 52 s", "4", "open, 6 min 40 s", ""),
    ]
    said = [words(link) for link in drawing(page).iter("a")]
    assert any("15 wait, 6 min 52 s · 4 dead" in text for text in said if "comments-to-review-tool" in text)
    assert "review-tool breaker open, 6 min 40 s" in said


def test_the_figures_come_without_a_reload_and_a_new_group_is_another_version(browser, item, world, shows):
    shows(live(troubled(NOW)))
    page = browser.get("/").text
    state = browser.get("/map/state").json

    assert f'data-version="{state["version"]}"' in page
    assert state["cells"]["route/comments-to-review-tool waiting"] == "15"
    assert state["marks"]["route/ready-to-cms"]["tone"] == "bad"
    shows(live(reading_of(NOW)))
    calm = browser.get("/map/state").json
    assert calm["cells"]["route/comments-to-review-tool waiting"] == "0"
    assert calm["version"] == state["version"]
    world.table.update(replace(item, status="ARCHIVED", version=2), over=item)
    assert browser.get("/map/state").json["version"] != state["version"]


def test_a_need_that_only_grows_older_is_no_other_version(browser, shows):
    states = []
    for seconds in (9000.0, 9600.0):
        stuck = {"dead_letters": Queue(name="d", depth=Depth(7, 0), oldest_seconds=seconds)}
        shows(live(reading_of(NOW, ready_to_cms=stuck)))
        states.append(browser.get("/map/state").json)
    assert [state["cells"]["need 0"].rpartition(" is ")[2] for state in states] == ["2 h 30 min old", "2 h 40 min old"]
    assert states[0]["version"] == states[1]["version"]


def test_a_deployment_whose_hops_are_not_known_says_so(browser, item, shows):
    nothing = HopReading(now=NOW, hops=[], unknown=[], notes=[])
    for reader, text in (
        (None, "Terraform's outputs are not at hand"),
        (
            LiveHops(topology=Topology, hops=lambda: nothing, rates=lambda _: {}),
            "no map",
        ),
        (LiveHops(topology=Topology, hops=_refused, rates=lambda _: {}), "can't be drawn: asking: Throttling"),
    ):
        shows(reader)
        page = browser.get("/").text.replace("&#39;", "'")
        assert text in page
        assert item.group_id in page


def _refused(*_):
    raise TransientError("aws-Throttling", "asking: Throttling")


@pytest.mark.usefixtures("item")
def test_names_from_outside_are_text_on_the_map(browser, shows):
    topology = Topology.of(
        outputs_of({f"ingress/{HOSTILE}": ("bus", None), f"route/{HOSTILE}": (HOSTILE, None)}, [HOSTILE])
    )
    reading = replace(reading_of(NOW), unknown=[HOSTILE])
    shows(LiveHops(topology=lambda: topology, hops=lambda: reading, rates=lambda _: {}))

    page = browser.get("/").text

    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert ">49<" not in page
    assert {"script", "img"}.isdisjoint({element.tag for element in drawing(page).iter()})


def test_many_looks_within_ten_seconds_are_one_reading_and_a_failed_one_keeps_the_last():
    now, readings = [0.0], []
    answers = [reading_of(NOW), None, troubled(NOW)]

    def hops():
        readings.append(now[0])
        answer = answers[len(readings) - 1]
        if answer is None:
            _refused()
        return answer

    reader = LiveHops(topology=lambda: TOPOLOGY, hops=hops, rates=_refused, clock=lambda: now[0])
    first = [reader.latest(wait=30) for _ in range(5)][-1]
    assert (len(readings), first.reading, first.rates) == (1, answers[0], {})
    _settled()
    for expected in (answers[0], answers[2]):
        now[0] += REFRESH_SECONDS
        reader.latest()
        _settled()
        assert reader.latest().reading is expected
    assert len(readings) == 3
    assert reader.problem == ""


def _settled():
    for thread in threading.enumerate():
        if thread.name == "live-hops":
            thread.join(30)


def large(routes, partners):
    hops = {"ingress/media-prod-webhook": ("bus", None)} | {f"route/r{n}": (f"d{n}", "{}") for n in range(routes)}
    return Topology.of(outputs_of(hops, [f"p{n}" for n in range(partners)]))


class Metrics:
    """CloudWatch, with one event a minute of each metric."""

    def __init__(self):
        self.calls = 0

    def get_metric_data(self, *, MetricDataQueries, **_):  # noqa: N803 - the API's name
        self.calls += 1
        assert len(MetricDataQueries) <= 500
        return {"MetricDataResults": [{"Id": query["Id"], "Values": [1.0] * 5} for query in MetricDataQueries]}


@pytest.mark.parametrize(("routes", "partners"), [(5, 3), (100, 60)])
def test_a_map_costs_one_request_a_queue_and_otherwise_the_same_for_any_number_of_hops(routes, partners):
    topology, metrics, asked = large(routes, partners), Metrics(), {"depth": 0, "breakers": 0, "ages": 0}

    def counted(name, answer):
        def ask(*arguments):
            asked[name] += 1
            return answer(*arguments)

        return ask

    reading = StatusCollector(
        topology=topology,
        groups=_refused,
        retries=_refused,
        delivered=_refused,
        depth=counted("depth", lambda _: Depth(1, 0)),
        ages=counted("ages", lambda names: dict.fromkeys(names, 5.0)),
        circuit_breakers=counted("breakers", lambda _, names: dict.fromkeys(names, CircuitBreaker())),
        parked=lambda *_: None,
        clock=lambda: NOW,
    ).hops()
    rates = EventRates(metrics, lambda: NOW).read(topology)

    assert asked == {"depth": 2 * routes + 1, "breakers": 1, "ages": 1}
    assert metrics.calls == 1
    assert (rates["route/r0"], rates["partner/p0"], rates["ingress/media-prod-webhook"]) == (1.0, 1.0, partners)
    view = map_view(Live(topology=topology, reading=reading, rates=rates), [], "large")
    assert len(view.rows) == routes + 1


def test_a_calm_map_of_100_routes_is_short_and_the_one_with_trouble_stands_out():
    topology = large(100, 60)
    names = [hop.name for hop in topology.hops.values()]
    calm = replace(reading_of(NOW).hops[-1], queue=Queue(name="q", depth=Depth(0, 0)))
    hops = [replace(calm, hop=name, destination=f"d{name[7:]}") for name in names]
    hops[40] = replace(hops[40], dead_letters=Queue(name="x", depth=Depth(3, 0)))
    reading = HopReading(now=NOW, hops=hops, unknown=[], notes=[])

    view = map_view(Live(topology=topology, reading=reading, rates=RATES), [], "large")

    assert len(view.flow.of("route")) <= MOST_ROWS
    assert hops[40].hop in {node.key for node in view.flow.nodes}
    assert view.rows[0].hop == hops[40].hop


def test_the_way_of_an_event_is_drawn_on_the_map(browser, item, world, shows, monkeypatch):
    shows(live(reading_of(NOW)))
    hops = (
        HopStatus(hop="route/ready-to-cms", destination="cms", state="in review", where="", item_id=item.item_id),
        HopStatus(hop="route/ready-to-publication", destination="publish-asset", state="delivered", where=""),
    )
    steps = (
        Step(
            at="2026-11-26T09:00:00Z", hop="ingress/media-prod-webhook", what="received", tone="good", recorded_in="log"
        ),
    )
    found = EventTrace(
        event_id="evt-1", source="partner.mux", partner="mux", type=None, correlation_id=None, subject=None,
        steps=steps, hops=hops, unknown=(), verdict="needs a person", reading=Reading(),
    )  # fmt: skip
    monkeypatch.setattr(world.place, "trace", lambda _: [found])

    drawn = drawing(browser.get("/trace?id=evt-1").text)

    passed = {e.get("data-part") for e in drawn.iter("g") if "passed" in e.get("class").split() and e.get("data-part")}
    assert passed == {
        *("partner/mux", "ingress/media-prod-webhook", "route/ready-to-cms"),
        *("route/ready-to-publication", "destination/publish-asset"),
    }
    assert [link.get("href") for link in drawn.iter("a")] == [f"/items/{item.item_id}"]
    assert trace.STATES["in review"] == "bad"
