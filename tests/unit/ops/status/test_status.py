"""A deployment on one screen: its needs of a person, its unreadable parts, and the exit status."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.adapters.sqs.depths import Depth
from media_events.core.failures import PermanentConfigError, TransientError
from media_events.recovery.review_item import Group
from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment import discovery
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.shared.contact import Contact
from media_events_kit.ops.status import bootstrap, collector, commands
from media_events_kit.ops.status.circuit_breakers import read_circuit_breakers
from media_events_kit.ops.status.collector import MAX_GROUPS, StatusCollector
from media_events_kit.ops.status.message_ages import OldestMessages
from media_events_kit.ops.status.model import CircuitBreaker, Parked, age
from tests.fakes.review_items import make_item
from tests.fakes.trace_evidence import NOW, OUTPUTS, TOPOLOGY

REFUSED = PermanentConfigError("aws-AccessDenied", "asking: AccessDenied")


class Deployment:
    """All sources, in memory. A value that is an exception is raised."""

    def __init__(self):
        self.items = []
        self.depths = {}
        self.oldest = {}
        self.circuit_breakers = {}
        self.parked = {}
        self.asked_ages = []
        self.delivered = set()
        self.topology = TOPOLOGY
        self.now = NOW

    def collector(self):
        return StatusCollector(
            topology=self.topology,
            groups=self._groups,
            retries=lambda: (item for item in self.items if item.status == "RETRYING"),
            delivered=lambda item: item.item_id in self.delivered,
            depth=lambda url: _raised(self.depths.get(url.rpartition("/")[2], Depth(0, 0))),
            ages=self._ages,
            circuit_breakers=lambda _table, destinations: {
                name: _raised(self.circuit_breakers.get(name, CircuitBreaker())) for name in destinations
            },
            parked=lambda _table, destination: _raised(self.parked.get(destination)),
            clock=lambda: self.now,
        )

    def status(self):
        return self.collector().collect()

    def _groups(self, limit):
        counts = defaultdict(Counter)
        examples = {}
        for item in _raised(self.items):
            counts[item.group_id][item.status] += 1
            examples[item.group_id] = item
        found = [
            Group(
                group_id=group_id,
                hop=item.hop,
                destination=item.destination,
                failure_class=item.failure_class,
                error_code=item.error_code,
                error_message=item.error_message,
                counts=counts[group_id],
                opened=sum(counts[group_id].values()),
                first_opened_at=item.last_failed_at,
                last_opened_at=item.last_failed_at,
            )
            for group_id, item in examples.items()
        ]
        found.sort(key=lambda group: -group.waiting)
        return found[:limit], len(found) > limit

    def _ages(self, names):
        self.asked_ages.append(list(names))
        return _raised(self.oldest)


def _raised(value):
    if isinstance(value, Exception):
        raise value
    return value


@pytest.fixture(name="deployment")
def _deployment():
    return Deployment()


def needs(status):
    return [need.what for need in status.needs]


# --- needs of a person -------------------------------------------------------------------------------------------


def test_a_quiet_deployment_needs_nobody(deployment):
    status = deployment.status()
    assert (status.verdict, status.needs, status.open_items) == ("nothing", [], 0)
    assert [hop.hop for hop in status.hops] == sorted(OUTPUTS["hops"])


def test_every_group_of_open_items_needs_a_person_the_largest_first(deployment):
    deployment.items = [
        make_item("evt-1"),
        make_item("evt-2", group_id="g-2", error_code="http-404", failure_class="permanent-config"),
        make_item("evt-3"),
    ]
    status = deployment.status()
    assert needs(status) == [
        "2 open items: http-503 (transient) at route/cms → cms, since 2026-11-23T12:00:00.000Z",
        "1 open item: http-404 (permanent-config) at route/cms → cms, since 2026-11-23T12:00:00.000Z",
    ]
    assert status.needs[0].do == "media-events review list --group g-1 --status OPEN"
    assert status.verdict == "something"


def test_more_groups_than_a_screen_has_room_for_are_not_read(deployment):
    deployment.items = [make_item(f"evt-{number}", group_id=f"g-{number}") for number in range(MAX_GROUPS + 5)]
    status = deployment.status()
    assert (status.open_items, status.more_open) == (MAX_GROUPS, True)


@pytest.mark.parametrize(("minutes", "needed"), [(1, False), (16, True)])
def test_a_retry_that_was_never_confirmed_needs_a_person(deployment, minutes, needed):
    at = datetime.fromtimestamp(NOW, UTC) - timedelta(minutes=minutes)
    deployment.items = [make_item(status="RETRYING", retried_at=at.isoformat())]
    status = deployment.status()
    assert (status.open_items, status.retrying, status.groups) == (0, 1, [])
    assert bool(status.needs) == needed
    deployment.delivered = {deployment.items[0].item_id}
    assert deployment.status().needs == []


@pytest.mark.parametrize(("seconds", "needed"), [(3599, False), (3601, True)])
def test_a_queue_that_does_not_drain_needs_a_person(deployment, seconds, needed):
    deployment.depths["media-dev-ready-to-cms"] = Depth(10, 0)
    deployment.oldest["media-dev-ready-to-cms"] = seconds
    assert bool(deployment.status().needs) == needed


def test_a_queue_behind_an_open_circuit_breaker_needs_nobody(deployment):
    deployment.depths["media-dev-ready-to-cms"] = Depth(0, 0, 10)
    deployment.oldest["media-dev-ready-to-cms"] = 7200
    deployment.circuit_breakers["cms"] = CircuitBreaker(failures=5, opened=1, open_until=NOW + 30)
    status = deployment.status()
    assert status.verdict == "nothing"
    (hop,) = [hop for hop in status.to_dict()["hops"] if hop["destination"] == "cms"]
    assert hop["circuit_breaker"]["state"] == "open"


def test_events_that_are_parked_for_long_need_a_person(deployment):
    deployment.parked["cms"] = Parked(19, 7200.0)
    (need,) = deployment.status().needs
    assert (
        need.what == "19 events are parked at route/ready-to-cms behind earlier ones of their keys, the oldest for 2 h"
    )
    assert "--destination cms" in need.do
    deployment.circuit_breakers["cms"] = CircuitBreaker(failures=5, opened=1, open_until=NOW + 30)
    assert deployment.status().needs == []


def test_what_is_parked_for_a_moment_needs_nobody_and_is_shown(deployment, run_status):
    deployment.parked["cms"] = Parked(19, 60.0)
    status = deployment.status()
    assert (status.needs, status.verdict) == ([], "nothing")
    (hop,) = [hop for hop in status.to_dict()["hops"] if hop["destination"] == "cms"]
    _, out, _ = run_status()
    assert "parked" in out
    assert hop["parked"] == {"events": 19, "oldest_seconds": 60.0}


def test_what_is_parked_and_can_not_be_read_may_hide_a_need(deployment):
    deployment.parked["cms"] = TransientError("aws-Throttling", "listing key queues: Throttling")
    assert deployment.status().verdict == "unknown"


def test_a_circuit_breaker_that_opens_again_and_again_needs_a_person(deployment):
    deployment.circuit_breakers["cms"] = CircuitBreaker(failures=9, opened=3, opened_at=NOW - 7500, open_until=NOW + 30)
    (need,) = needs(deployment.status())
    assert "cms does not recover: its circuit breaker has been open for 2 h 5 min" in need


@pytest.mark.parametrize(("opened", "needed"), [(2, False), (3, True)])
def test_one_that_holds_back_suspects_alone_needs_a_person_if_nothing_closes_it(deployment, opened, needed):
    deployment.circuit_breakers["cms"] = CircuitBreaker(opened=opened, suspect_only=True, open_until=NOW + 30)
    found = needs(deployment.status())
    assert [("they or it may be at fault" in need) for need in found] == [True] * needed


def test_a_circuit_breaker_whose_time_is_over_is_closed(deployment):
    deployment.circuit_breakers["cms"] = CircuitBreaker(failures=9, opened=3, open_until=NOW - 1)
    assert deployment.status().verdict == "nothing"


@pytest.mark.parametrize(("seconds", "needed"), [(600 + 899, False), (600 + 901, True)])
def test_dead_letters_that_stay_longer_than_their_redrives_need_a_person(deployment, seconds, needed):
    hops = OUTPUTS["hops"] | {
        "route/ready-to-cms": OUTPUTS["hops"]["route/ready-to-cms"] | {"redrive_max_delay_seconds": 600}
    }
    deployment.topology = Topology.of(OUTPUTS | {"hops": hops})
    deployment.depths["media-dev-ready-to-cms-dlq"] = Depth(0, 2)
    deployment.oldest["media-dev-ready-to-cms-dlq"] = seconds
    assert bool(deployment.status().needs) == needed


def test_dead_letters_that_wait_for_their_redrive_need_nobody(deployment):
    deployment.depths["media-dev-ready-to-cms-dlq"] = Depth(0, 2)
    deployment.oldest["media-dev-ready-to-cms-dlq"] = 60
    assert deployment.status().verdict == "nothing"


def test_an_age_that_a_queue_had_before_it_was_emptied_does_not_count(deployment):
    deployment.oldest["media-dev-ready-to-cms"] = 99_999
    assert deployment.status().verdict == "nothing"
    assert deployment.asked_ages == []


# --- unreadable parts --------------------------------------------------------------------------------------------


def test_an_unreadable_table_may_hide_a_need(deployment):
    deployment.items = REFUSED
    status = deployment.status()
    assert status.verdict == "unknown"
    assert status.unknown == ["the review table: asking: AccessDenied"]


def test_an_unreadable_queue_may_hide_a_need(deployment):
    deployment.depths["media-dev-ready-to-cms"] = REFUSED
    assert deployment.status().verdict == "unknown"


def test_an_unreadable_circuit_breaker_may_hide_a_need(deployment):
    deployment.circuit_breakers["cms"] = TransientError("aws-Throttling", "reading a circuit breaker: Throttling")
    assert deployment.status().unknown == ["the circuit breakers in deliveries: reading a circuit breaker: Throttling"]


def test_without_ages_the_counts_are_shown(deployment):
    deployment.depths["media-dev-ready-to-cms"] = Depth(10, 0)
    deployment.oldest = REFUSED
    status = deployment.status()
    assert status.verdict == "nothing"
    assert status.notes == ["ages of messages are not known: asking: AccessDenied"]


def test_a_need_outweighs_an_unreadable_part(deployment):
    deployment.items = [make_item()]
    deployment.depths["media-dev-ready-to-cms"] = REFUSED
    assert deployment.status().verdict == "something"


def test_without_outputs_the_verdict_is_unknown(deployment):
    deployment.topology = Topology()
    assert deployment.status().verdict == "unknown"


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture(name="run_status")
def _run_status(deployment, monkeypatch, tmp_path, capsys):
    for name in (
        "AWS_ENDPOINT_URL",
        discovery.ENVIRONMENT_VARIABLE,
        discovery.REVIEW_TABLE_VARIABLE,
        discovery.IDEMPOTENCY_TABLES_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(bootstrap, "collector", lambda _deployment: deployment.collector())

    def command(*arguments):
        ended = run(["status", *arguments, "--table", "review"])
        printed = capsys.readouterr()
        return ended, printed.out, printed.err

    return command


def test_the_exit_status_is_for_scripts(deployment, run_status):
    assert run_status()[0] == 0
    deployment.depths["media-dev-ready-to-cms"] = REFUSED
    assert run_status()[0] == 2
    deployment.items = [make_item()]
    assert run_status()[0] == 1


def test_the_screen_shows_needs_first_and_what_to_type(deployment, run_status):
    deployment.items = [make_item(error_code="http-[bold]503\x1b[31m")]
    deployment.depths["media-dev-ready-to-cms"] = Depth(7, 0)
    deployment.oldest["media-dev-ready-to-cms"] = 3900
    deployment.circuit_breakers["cms"] = CircuitBreaker(failures=2)
    _, out, _ = run_status()
    assert out.index("needs a person now") < out.index("review list --group g-1") < out.index("route/ready-to-cms")
    for part in ("1 h 5 min", "closed, 2 failed", "1 open in 1 groups", "[bold]503"):
        assert part in out
    assert "\x1b[31m" not in out


def test_for_programs_it_is_json(deployment, run_status):
    deployment.items = [make_item()]
    ended, out, _ = run_status("--json")
    document = json.loads(out)
    assert ended == 1
    assert document["verdict"] == "something"
    assert document["review"]["groups"][0]["group_id"] == "g-1"
    assert "body" not in out


def test_watching_refreshes_until_it_is_stopped(deployment, run_status, monkeypatch):
    refreshes = count()

    def sleep(_seconds):
        if next(refreshes) == 2:
            raise KeyboardInterrupt
        deployment.items = [make_item()]

    # The module's alone: a thread that another test has left behind may sleep, too.
    monkeypatch.setattr(commands, "time", SimpleNamespace(sleep=sleep))
    ended, out, _ = run_status("--watch", "--every", "1")
    assert ended == 1, "the exit status is that of the last refresh"
    assert "1 open in 1 groups" in out


@pytest.mark.parametrize("arguments", [["--watch", "--json"], ["--every", "0"], ["--nonsense"]])
def test_unusable_arguments_end_with_2(run_status, arguments):
    assert run_status(*arguments)[0] == 2


# --- adapters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (5.9, "5 s"), (60, "1 min"), (3900, "1 h 5 min"), (90_000, "1 d 1 h"), (86_400, "1 d")],
)
def test_ages_are_shown_in_two_units(seconds, text):
    assert age(seconds) == text


@pytest.fixture(name="_aws")
def _mocked(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.mark.usefixtures("_aws")
def test_ages_are_the_newest_that_cloudwatch_has():
    client = boto3.client("cloudwatch", region_name="eu-west-1")
    now = datetime.now(UTC)
    for minutes, value in ((9, 100.0), (4, 400.0)):
        client.put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": "q"}],
                    "Timestamp": now - timedelta(minutes=minutes),
                    "Value": value,
                }
            ],
        )
    reader = OldestMessages(client, now.timestamp)
    assert reader.ages(["other", "q"]) == {"q": 400.0}


@pytest.mark.usefixtures("_aws")
def test_an_event_that_sqs_does_not_count_is_as_old_as_its_function_says():
    client = boto3.client("cloudwatch", region_name="eu-west-1")
    now = datetime.now(UTC)
    for namespace, metric, dimension, name, value in (
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "cms.fifo", 40.0),
        ("MediaEvents", "WaitingEventAge", "service", "cms", 7200.0),
    ):
        data = {"MetricName": metric, "Dimensions": [{"Name": dimension, "Value": name}], "Value": value}
        client.put_metric_data(Namespace=namespace, MetricData=[data | {"Timestamp": now - timedelta(minutes=9)}])
    assert OldestMessages(client, now.timestamp).ages(["cms.fifo"]) == {"cms.fifo": 7200.0}


class Paged:
    """CloudWatch that answers in pages, and in batches of no more than it takes."""

    def __init__(self):
        self.requests = []

    def get_metric_data(self, **request):
        self.requests.append(request)
        if "NextToken" not in request:
            return {"MetricDataResults": [{"Id": "q0", "Values": []}], "NextToken": "more"}
        return {"MetricDataResults": [{"Id": "q0", "Values": [7.0]}, {"Id": "q0", "Values": [9.0]}]}


def test_ages_of_many_queues_are_asked_for_in_requests_that_cloudwatch_takes():
    client = Paged()
    found = OldestMessages(client, lambda: NOW).ages([f"queue-{number}" for number in range(501)])
    assert found == {"queue-0": 7.0, "queue-250": 7.0, "queue-500": 7.0}
    assert [len(request["MetricDataQueries"]) for request in client.requests] == [500, 500, 500, 500, 2, 2]


@pytest.mark.usefixtures("_aws")
def test_a_circuit_breaker_is_read_as_the_functions_write_it():
    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.create_table(
        TableName="deliveries",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    writer = DynamoCircuitBreaker(client, "deliveries", "cms")
    writer.add_failures(5)
    writer.open(until=NOW * 2, opened=2, suspect_only=False)
    circuit_breaker = read_circuit_breakers(client, "deliveries", ["cms", "other"])["cms"]
    assert (circuit_breaker.failures, circuit_breaker.opened, circuit_breaker.is_open(NOW)) == (5, 2, True)


def test_a_lost_contact_is_told_with_its_age_and_asks_no_more(deployment, monkeypatch):
    contact = Contact(clock=lambda: 112.0, heard_at=100.0)
    monkeypatch.setattr(collector, "CONTACT", contact)
    deployment.items = TransientError("aws-EndpointConnectionError", "reading groups: Could not connect")

    status = deployment.status()

    assert status.verdict == "unknown"
    assert status.unknown == ["lost contact with AWS 12 s ago (reading groups: Could not connect)"]
    assert status.notes == [collector.HOW_TO_RESUME]
    assert not status.hops
    assert not deployment.asked_ages
