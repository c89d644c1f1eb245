"""Review maintenance, without an operator: retries are confirmed, old items deleted, open ones counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from moto import mock_aws

from media_events.adapters.s3.bodies import S3Bodies, bodies_of
from media_events.core.clock import timestamp
from media_events.core.failures import TransientError
from media_events.recovery.review_item import item_id
from media_events.recovery.review_maintenance import IN_FLIGHT_SECONDS, UNCONFIRMED_SECONDS
from tests.fakes.recovery import queue
from tests.fakes.review_maintenance import DAY, REVIEW_BODIES, FakeHouse


@pytest.fixture(name="house")
def _house(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield FakeHouse()


# --- replays -----------------------------------------------------------------------------------------------------


def test_a_retry_that_the_idempotency_store_confirms_is_resolved_without_a_person(house):
    house.retrying()
    house.deliver()
    house.keep()
    assert house.status() == "RESOLVED"
    assert house.group() == {"RESOLVED": 1}
    assert house.report.fields("review item resolved")[0]["event_id"] == "evt-1"


def test_a_replay_under_way_is_left_alone(house):
    house.retrying(since=UNCONFIRMED_SECONDS - 10)
    house.keep()
    assert house.status() == "RETRYING"


def test_a_replay_that_nothing_confirmed_for_an_hour_is_a_persons_again(house):
    house.retrying(since=UNCONFIRMED_SECONDS + 1)
    house.keep()
    assert (house.status(), house.group()) == ("OPEN", {"OPEN": 1})


def test_a_replay_to_a_destination_that_is_paused_is_waited_for(house):
    house.retrying(since=UNCONFIRMED_SECONDS + 1)
    house.circuit_breakers.until = house.clock.now + 60
    house.keep()
    assert house.status() == "RETRYING"


def test_an_edited_event_that_arrived_supersedes_the_item(house):
    house.retrying(pending_edit="evt-1-edited")
    house.keep()
    assert house.status() == "RETRYING"
    house.deliver("evt-1-edited")
    house.keep()
    found = house.table.get(item_id("partner.mux", "evt-1", "cms"))
    assert (found.status, found.superseded_by, found.pending_edit) == ("SUPERSEDED", "evt-1-edited", None)


def test_an_unfinished_edit_is_its_operators(house):
    house.retrying(pending_edit="evt-1-edited", since=10 * UNCONFIRMED_SECONDS)
    house.keep()
    assert house.status() == "RETRYING"


def test_an_item_keeps_its_body_when_it_is_settled(house):
    before = house.retrying()
    house.deliver()
    house.keep()
    assert house.table.get(before.item_id).body == before.body


def test_what_fails_again_after_it_was_resolved_is_open_and_no_longer_settled(house):
    house.retrying()
    house.deliver()
    house.keep()
    resolved = house.table.get(item_id("partner.mux", "evt-1", "cms"))
    assert resolved.closed_at is not None
    assert house.change(resolved, status="OPEN").closed_at is None


# --- what is settled ---------------------------------------------------------------------------------------------


def archived(house, event_id="evt-1"):
    """An item with bodies, put away now."""
    item = house.item(event_id)
    S3Bodies(house.s3, bodies_of(REVIEW_BODIES, item.item_id)).put(b"body of " + event_id.encode())
    return house.change(item, status="ARCHIVED")


def bodies(house):
    return [one["Key"] for one in house.s3.list_object_versions(Bucket="kit").get("Versions", [])]


def test_what_was_settled_for_thirty_days_goes_with_its_bodies_and_out_of_the_counts(house):
    archived(house)
    house.clock.now += 30 * DAY + 1
    house.keep()
    assert (house.status(), house.group(), bodies(house)) == (None, {}, [])
    assert house.report.counts["ReviewItemsExpired", ()] == 1


def test_every_item_that_goes_is_counted(house):
    for number in range(3):
        house.change(house.item(f"evt-{number}"), status="ARCHIVED")
    house.clock.now += 30 * DAY + 1
    house.keep()
    assert house.report.counts["ReviewItemsExpired", ()] == 3


def test_nothing_goes_sooner_and_what_is_open_never(house):
    archived(house)
    house.item("evt-open")
    house.clock.now += 30 * DAY - 1
    house.keep()
    assert (house.status(), len(bodies(house))) == ("ARCHIVED", 1)
    house.clock.now += 3650 * DAY
    house.keep()
    assert (house.status("evt-open"), house.status()) == ("OPEN", None)


def test_the_time_counts_from_when_it_was_archived_and_not_from_the_failure(house):
    item = house.item(last_failed_at="2020-01-01T00:00:00.000Z")
    house.change(item, status="ARCHIVED")
    house.keep()
    assert house.status() == "ARCHIVED"


def test_what_was_opened_again_stays(house):
    item = archived(house)
    house.clock.now += 29 * DAY
    house.change(item, status="OPEN")
    house.clock.now += 30 * DAY
    house.keep()
    assert (house.status(), len(bodies(house))) == ("OPEN", 1)


def test_what_was_opened_again_after_it_was_listed_stays(house):
    item = archived(house)
    house.clock.now += 31 * DAY
    closed = house.table.closed

    def opened_then(status, **options):
        found = closed(status, **options)
        if found:
            house.change(item, status="OPEN")
        return found

    house.table.closed = opened_then
    house.keep()
    assert (house.status(), len(bodies(house))) == ("OPEN", 1)


def test_an_archived_item_that_fails_again_stays_for_as_long_again(house):
    item = archived(house)
    house.clock.now += 20 * DAY
    house.change(item, last_failed_at=timestamp(house.clock.now))
    house.clock.now += 20 * DAY
    house.keep()
    assert house.status() == "ARCHIVED"


def test_an_item_whose_body_has_just_been_written_again_stays_for_now(house):
    item = archived(house)
    closed = replace(item, closed_at=timestamp(house.clock.now - 31 * DAY))
    house.dynamodb.update_item(
        TableName="review",
        Key={"item_id": {"S": item.item_id}},
        UpdateExpression="SET closed_at = :then",
        ExpressionAttributeValues={":then": {"S": closed.closed_at}},
    )
    house.keep()
    assert (house.status(), len(bodies(house))) == ("ARCHIVED", 1)
    house.clock.now += IN_FLIGHT_SECONDS + 60
    house.keep()
    assert (house.status(), bodies(house)) == (None, [])


def test_an_item_that_is_opened_while_it_goes_keeps_its_bodies(house):
    item = archived(house)
    house.clock.now += 31 * DAY
    delete = house.table.delete

    def restored_meanwhile(given):
        house.change(item, status="OPEN")
        return delete(given)

    house.table.delete = restored_meanwhile
    house.keep()
    assert (house.status(), len(bodies(house))) == ("OPEN", 1)


def test_a_killed_deletion_leaves_at_most_a_body_without_an_item(house):
    archived(house)
    house.clock.now += 31 * DAY

    class Killed(BaseException):
        pass

    def die(_item):
        raise Killed

    delete, house.table.delete = house.table.delete, die
    with pytest.raises(Killed):
        house.keep()
    assert (house.status(), len(bodies(house))) == ("ARCHIVED", 1)
    house.table.delete = delete
    house.keep()
    assert (house.status(), bodies(house)) == (None, [])


# --- measuring ---------------------------------------------------------------------------------------------------


def test_what_waits_is_measured_from_counts_and_the_oldest_item_alone(house):
    now = house.clock.now
    for number in range(3):
        house.item(f"evt-{number}", last_failed_at=timestamp(now - 1000 * (number + 1)))
    house.retrying("evt-r")
    house.keep()
    assert (house.report.gauge("OpenItems"), house.report.gauge("RetryingItems")) == (3, 1)
    assert round(house.report.gauge("OldestOpenAge")) == 3000


def test_where_nothing_waits_only_the_sign_of_life_is_measured(house):
    house.keep()
    assert house.report.gauges == {("OldestOpenAge", ()): (0.0, "Seconds")}


def test_dead_letters_that_nobody_reads_are_measured(house):
    house.unread = {queue().url: 4}
    house.keep()
    assert house.report.gauge("UnreadDeadLetters") == 4


def test_the_longest_queue_of_a_hop_is_measured_with_what_is_in_flight_or_delayed(house):
    longest, other, rules = (queue(hop=name, queue_url=f"https://sqs/{name}") for name in ("long", "short", "rule"))
    house.queues = {one.hop: one for one in (longest, other, replace(rules, redrive_target="bus"))}
    house.unread = {longest.queue_url: 5, other.queue_url: 6, rules.queue_url: 1000}
    house.waiting = {longest.queue_url: (30, 200)}
    house.keep()
    assert house.report.gauge("MessagesWaiting") == 235


def test_nothing_is_measured_of_empty_queues_since_each_hour_with_a_value_costs(house):
    house.keep()
    assert house.report.gauge("MessagesWaiting") is None
    assert house.report.gauge("UnreadDeadLetters") is None


def test_a_queue_that_can_not_be_asked_stops_no_other_step(house):
    def refused(_url):
        raise TransientError("aws-down", "no answer")

    house.unread = type("Refusing", (), {"get": lambda _self, url, _none: refused(url)})()
    with pytest.raises(TransientError):
        house.keep()
    assert house.report.gauge("OldestOpenAge") == 0.0


def test_one_step_that_fails_does_not_keep_the_others_and_is_told(house):
    house.retrying()
    house.deliver()

    def down(**_given):
        raise TransientError("aws-down", "no answer")

    house.table.groups = down
    with pytest.raises(TransientError):
        house.keep()
    assert house.status() == "RESOLVED"
    assert house.report.fields("review maintenance failed")[0]["reason"] == "aws-down"


def test_without_time_nothing_is_begun(house):
    house.retrying()
    house.deliver()
    house.seconds_left = 1.0
    house.keep()
    assert house.status() == "RETRYING"


def test_hops_that_are_no_longer_there_disturb_nobody(house):
    item = house.item(hop="route/gone")
    house.change(item, status="RETRYING", retried_at=timestamp(house.clock.now))
    house.keep()
    assert house.status() == "RETRYING"
