"""Replays from the archive: counted, delivered, delivered again; stopped, resumed, cancelled.

moto's AWS stands for AWS: its archive, rules, queues and tables. It replays at once, and to every rule.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from media_events.core.envelope import Redrive
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.delivery.deliverer import destination_key
from media_events_kit.event_patterns import matches
from media_events_kit.ops.archive_replay import staging_queue
from media_events_kit.ops.archive_replay.plan import choose
from media_events_kit.ops.archive_replay.service import ABANDONED_SECONDS
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.archive_replay.store import SUBJECT
from media_events_kit.ops.shared.console import OperatorError
from tests.fakes.eventbridge_archive import NAME, ArchiveCloud
from tests.fakes.events import make_event

READY = {"detail-type": ["asset.ready"]}


@pytest.fixture(name="cloud")
def _cloud(monkeypatch):
    monkeypatch.setattr(staging_queue, "LONG_POLL_SECONDS", 0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        cloud = ArchiveCloud()
        cloud.hop("route/cms", READY)
        cloud.hop("route/review", {"detail-type": [{"prefix": "asset."}]})
        yield cloud


def replay(cloud, *, service=None, stopping=lambda: False, reason="", **options):
    """Run a replay to its end; ``options`` are those of `replay start`."""
    service = service or cloud.service()
    names = {"routes": (), "transforms": (), "partners": (), **{k: v for k, v in options.items() if k.endswith("s")}}
    effects, dry_run = options.get("repeat", False), options.get("dry_run", False)
    choice = choose(service.bus, **names, repeat_effects=effects or dry_run)
    begun = service.start(
        choice,
        since=cloud.now - 7200,
        until=cloud.now,
        dry_run=dry_run,
        repeat_effects=effects,
        rate=1000,
        reason=reason,
    )
    return service.run(begun, choice, stopping=stopping, progress=lambda _replay: None)


def audit(cloud):
    entries = cloud.service().audit.entries
    starts = list(entries(SUBJECT))
    return [*starts, *(entry for start in starts for entry in entries(start.operation_id))]


# --- counting ------------------------------------------------------------------------------------------------------


def test_dry_run_counts_recorded_effects_by_hop_and_sends_nothing(cloud):
    cloud.put("a", "b", "c")
    cloud.put("d", type="asset.created")
    cloud.delivered("a", "b")

    ended = replay(cloud, dry_run=True)

    assert (ended.state, ended.events) == ("completed", 4)
    assert ended.counts == {"route/cms": {"suppressed": 2, "new": 1}, "route/review": {"new": 4}}
    assert cloud.reached("route/cms") == cloud.reached("route/review") == []


def test_rule_and_queue_of_a_replay_are_gone_when_it_is_over(cloud):
    cloud.put("a")
    replay(cloud, dry_run=True)
    replay(cloud)
    assert cloud.left_behind() == []


def test_event_of_which_the_archive_has_two_copies_counts_once_as_an_effect(cloud):
    cloud.put("a", "a")
    assert replay(cloud, routes=["cms"], dry_run=True).counts == {"route/cms": {"new": 1, "suppressed": 1}}


def test_received_events_and_those_of_other_sources_are_not_counted(cloud):
    cloud.put("a")
    cloud.put("a", stage="received")
    cloud.events.put_events(
        Entries=[{"EventBusName": NAME, "Source": "acme", "DetailType": "asset.ready", "Detail": '{"metadata": {}}'}]
    )
    assert replay(cloud, dry_run=True).events == 1


# --- delivering ----------------------------------------------------------------------------------------------------


def test_replay_delivers_to_each_route_the_events_that_it_has_not_had(cloud):
    cloud.put("a", "b", "c")
    cloud.delivered("a", "b")

    ended = replay(cloud)

    assert ended.state == "completed"
    assert cloud.reached("route/cms") == ["c"]
    assert cloud.reached("route/review") == ["a", "b", "c"]


def test_replay_of_one_route_reaches_that_route_alone(cloud):
    cloud.put("a")
    replay(cloud, routes=["cms"])
    (event,) = cloud.messages("route/cms")
    assert event["detail"]["metadata"]["redrive"] == {"route": "route/cms", "count": 0}
    assert cloud.reached("route/review") == []


def test_replay_of_a_partner_leaves_out_the_others(cloud):
    cloud.put("a")
    cloud.put("b", partner="frameio")
    assert replay(cloud, partners=["frameio"]).events == 1
    assert cloud.reached("route/cms") == ["b"]


def test_second_replay_does_not_take_the_first_ones_copies_for_events(cloud):
    cloud.put("a")
    replay(cloud)
    assert replay(cloud, dry_run=True).events == 1


def test_a_replay_does_not_collect_redriven_events(cloud):
    """The command would leave it out as well; but it need not come in the first place."""
    choice = choose(cloud.bus, routes=(), transforms=(), partners=("mux",), repeat_effects=False)
    pattern = choice.pattern("media-dev-replay-1")
    event = {
        "id": "1",
        "replay-name": "media-dev-replay-1",
        "detail-type": "asset.ready",
        "source": "partner.mux",
        "detail": make_event(stage="transformed").to_detail(),
    }
    assert matches(pattern, event)
    again = make_event(stage="transformed", redrive=Redrive(route="route/cms", count=0)).to_detail()
    assert not matches(pattern, {**event, "detail": again})
    assert not matches(pattern, {**event, "source": "partner.frameio"})
    assert not matches(pattern, {name: value for name, value in event.items() if name != "replay-name"})
    assert choice.read(json.dumps({**event, "detail": again}), "media-dev-replay-1") is None


def test_received_events_go_through_a_transform_anew(cloud):
    cloud.hop("transform/shape", {}, stage="received", idempotency=None)
    cloud.put("a", stage="received")
    ended = replay(cloud, transforms=["shape"])
    assert ended.counts == {"transform/shape": {"to_transform": 1}}
    assert cloud.reached("transform/shape") == ["a"]
    assert cloud.reached("route/cms") == []


def test_event_that_the_bus_refuses_for_good_is_counted_as_refused(cloud):
    cloud.put("a", "b")
    refusals = {"a": PermanentDataError("hop-limit", "it runs in a loop")}
    service = cloud.service(publisher=Refusing(refusals, cloud.publisher()))
    ended = replay(cloud, service=service, routes=["cms"])
    assert ended.counts == {"route/cms": {"refused": 1, "new": 1}}
    assert cloud.reached("route/cms") == ["b"]


class Times:
    """Says yes at the nth question."""

    def __init__(self, number):
        self.left = number

    def __call__(self):
        self.left -= 1
        return self.left < 0


class Refusing:
    """A publisher that refuses some events by their id."""

    def __init__(self, refusals, publisher):
        self.refusals, self.publisher = refusals, publisher
        self.refused = 0

    def publish(self, events):
        refused = [self.refusals.get(event.metadata.id) for event in events]
        self.refused += sum(why is not None for why in refused)
        self.publisher.publish([event for event, why in zip(events, refused, strict=True) if why is None])
        return refused


def test_event_that_the_bus_throttles_is_sent_when_it_comes_again(cloud, monkeypatch):
    monkeypatch.setattr(staging_queue, "VISIBILITY_SECONDS", 0)
    cloud.put("a", "b")
    publisher = Refusing({"a": TransientError("aws-Throttling", "later")}, cloud.publisher())
    service = cloud.service(publisher=publisher)

    def until_it_was_refused():
        if publisher.refused:
            publisher.refusals.clear()
        return False

    ended = replay(cloud, service=service, routes=["cms"], stopping=until_it_was_refused)
    assert publisher.refused
    assert ended.state == "completed"
    assert ended.counts == {"route/cms": {"new": 2}}
    assert (ended.events, cloud.reached("route/cms")) == (2, ["a", "b"])


def test_event_whose_idempotency_record_cannot_be_read_is_sent_to_every_route_when_it_comes_again(cloud, monkeypatch):
    monkeypatch.setattr(staging_queue, "VISIBILITY_SECONDS", 0)
    cloud.put("a")
    service = cloud.service(idempotency_stores=Away(cloud.service().idempotency_stores, at=2))
    ended = replay(cloud, service=service)
    assert ended.state == "completed"
    assert cloud.reached("route/cms") == cloud.reached("route/review") == ["a"]


class Away:
    """Idempotency tables that don't answer one read."""

    def __init__(self, idempotency_stores, at):
        self.idempotency_stores, self.left = idempotency_stores, at

    def done_at(self, table, key):
        self.left -= 1
        if not self.left:
            raise TransientError("aws-InternalServerError", "reading an idempotency table")
        return self.idempotency_stores.done_at(table, key)


# --- again ---------------------------------------------------------------------------------------------------------


def test_effects_are_repeated_on_request_and_only_their_records_are_deleted(cloud):
    cloud.put("a", "b")
    cloud.delivered("a", "b", "other")

    ended = replay(cloud, routes=["cms"], repeat=True, reason="restored from a backup")

    assert ended.counts == {"route/cms": {"repeated": 2}}
    assert cloud.reached("route/cms") == ["a", "b"]
    left = [item["pk"]["S"] for item in cloud.dynamodb.scan(TableName="idempotency")["Items"]]
    assert [key for key in left if "other" in key] == left


def test_effect_that_was_repeated_already_is_not_repeated_by_the_same_replay(cloud):
    """As when the command was killed after it had sent, and goes on."""
    cloud.put("a")
    cloud.delivered("a")
    cloud.now -= 7200
    service = cloud.service()
    ended = replay(cloud, service=service, routes=["cms"], repeat=True, reason="restored")
    assert ended.counts == {"route/cms": {"suppressed": 1}}


@pytest.mark.parametrize(("ahead", "count"), [(59, {"suppressed": 1}), (61, {"repeated": 1})])
def test_effect_whose_function_may_have_a_clock_behind_the_operators_is_not_repeated_again(cloud, ahead, count):
    cloud.put("a")
    cloud.delivered("a")
    cloud.now += -3600 + ahead
    ended = replay(cloud, routes=["cms"], repeat=True, reason="restored")
    assert ended.counts == {"route/cms": count}


def test_only_records_from_before_the_replay_are_deleted(cloud):
    idempotency_stores = cloud.service().idempotency_stores
    cloud.delivered("a")
    key = destination_key("partner.mux", "a", "cms")
    done_at = idempotency_stores.done_at("idempotency", key)
    assert not idempotency_stores.forget("idempotency", key, done_before=done_at)
    assert idempotency_stores.done_at("idempotency", key) == done_at
    assert idempotency_stores.forget("idempotency", key, done_before=done_at + 1)
    assert idempotency_stores.done_at("idempotency", key) is None


def test_queue_without_an_idempotency_store_is_left_out_unless_the_operator_says_so(cloud):
    cloud.hop("route/archive", READY, idempotency=None)
    cloud.put("a")
    with pytest.raises(OperatorError, match="route/archive would get every event again"):
        replay(cloud)
    assert replay(cloud, routes=["archive"], dry_run=True).counts == {"route/archive": {"unguarded": 1}}
    assert replay(cloud, routes=["archive"], repeat=True, reason="lost").counts == {"route/archive": {"unguarded": 1}}
    assert cloud.reached("route/archive") == ["a"]


def test_transform_is_refused_where_its_results_would_reach_a_queue_without_an_idempotency_store(cloud):
    cloud.hop("route/archive", READY, idempotency=None)
    cloud.hop("transform/shape", {}, stage="received", idempotency=None)
    with pytest.raises(OperatorError, match="route/archive"):
        replay(cloud, transforms=["shape"])


# --- stopping, going on, ending ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_event_that_comes_after_eventbridge_calls_the_replay_complete_is_sent(cloud, monkeypatch):
    cloud.put("a")
    receive, looks = Staging.receive, iter(range(99))
    monkeypatch.setattr(Staging, "receive", lambda self, url: receive(self, url) if next(looks) >= 9 else [])
    # SQS's count is approximate, too.
    monkeypatch.setattr(Staging, "waiting", lambda _self, _url: 0)

    ended = replay(cloud, service=cloud.service(settle_seconds=8.0), routes=["cms"])

    assert (ended.state, cloud.reached("route/cms")) == ("completed", ["a"])


def test_replay_starts_when_its_new_rule_sees_every_event(cloud, monkeypatch):
    prepare, start, steps = Staging.prepare, Staging.start, []
    monkeypatch.setattr(Staging, "prepare", lambda *given: (steps.append("rule"), prepare(*given))[1])
    monkeypatch.setattr(Staging, "start", lambda *given, **period: (steps.append("replay"), start(*given, **period))[1])
    service = cloud.service(settle_seconds=8.0, sleep=steps.append)
    choice = choose(service.bus, routes=["cms"], transforms=(), partners=(), repeat_effects=False)

    service.start(choice, since=0, until=cloud.now, dry_run=False, repeat_effects=False, rate=10, reason="")

    assert steps == ["rule", 8.0, "replay"]


def test_stopped_replay_goes_on_where_it_stopped_and_sends_nothing_twice(cloud):
    cloud.put(*(f"evt-{number:02}" for number in range(25)))
    service = cloud.service()

    stopped = replay(cloud, service=service, routes=["cms"], stopping=Times(1))
    first = cloud.reached("route/cms")
    taken = service.take_over(stopped.replay_id, reason="")
    choice = choose(service.bus, routes=["cms"], transforms=(), partners=(), repeat_effects=False)
    ended = service.run(taken, choice, stopping=lambda: False, progress=lambda _replay: None)

    assert (stopped.state, ended.state) == ("stopped", "completed")
    assert sorted(first + cloud.reached("route/cms")) == [f"evt-{number:02}" for number in range(25)]
    assert ended.counts == {"route/cms": {"new": 25}}
    assert cloud.left_behind() == []


@pytest.mark.slow
def test_stopped_dry_run_leaves_nothing(cloud):
    cloud.put("a")
    assert replay(cloud, dry_run=True, stopping=lambda: True).state == "cancelled"
    assert cloud.left_behind() == []


def test_cancelled_replay_stops_its_command_and_leaves_nothing(cloud):
    cloud.put("a", "b")
    service = cloud.service()

    def cancel_meanwhile():
        (running,) = service.latest(1)
        if not running.ended:
            service.cancel(running.replay_id, reason="wrong day")
        return False

    ended = replay(cloud, service=service, routes=["cms"], stopping=cancel_meanwhile)

    assert ended.state == "cancelled"
    assert cloud.left_behind() == []
    with pytest.raises(OperatorError, match="it is cancelled"):
        service.cancel(ended.replay_id, reason="")
    with pytest.raises(OperatorError, match="it is cancelled"):
        service.take_over(ended.replay_id, reason="")


def test_rule_and_queue_of_a_killed_dry_run_are_removed_next_time(cloud):
    cloud.put("a")
    service = cloud.service()
    choice = choose(service.bus, routes=(), transforms=(), partners=(), repeat_effects=True)
    period = {"since": cloud.now - 7200, "until": cloud.now, "repeat_effects": False, "rate": 1000, "reason": ""}
    killed = service.start(choice, dry_run=True, **period)
    real = service.start(choice, dry_run=False, **period)
    assert service.remove_abandoned() == ([], [])

    cloud.now += ABANDONED_SECONDS + 60
    removed, unfinished = service.remove_abandoned()

    assert [one.replay_id for one in removed] == [killed.replay_id]
    assert [one.replay_id for one in unfinished] == [real.replay_id]
    assert {name.rpartition("-")[2] for name in cloud.left_behind()} == {real.replay_id}
    assert service.replays.get(killed.replay_id).state == "cancelled"


def test_replay_that_cannot_be_started_leaves_nothing_and_says_why(cloud, monkeypatch):
    def refuse(**_):
        raise ClientError({"Error": {"Code": "LimitExceededException"}}, "StartReplay")

    service = cloud.service()
    monkeypatch.setattr(cloud.events, "start_replay", refuse)
    with pytest.raises(OperatorError, match="ten replays"):
        replay(cloud, service=service)
    assert cloud.left_behind() == []
    assert [one.state for one in service.latest(5)] == ["failed"]


def test_missing_permission_stops_a_replay_and_keeps_the_collected_events(cloud):
    cloud.put("a")
    refusals = {"a": PermanentConfigError("aws-AccessDeniedException", "putting events on the bus")}
    service = cloud.service(publisher=Refusing(refusals, cloud.publisher()))
    ended = replay(cloud, service=service, routes=["cms"])
    assert (ended.state, ended.counts) == ("stopped", {})
    assert "AccessDenied" in ended.problem
    assert len(cloud.left_behind()) == 2


def test_a_deleted_staging_queue_is_reported(cloud):
    service = cloud.service()
    choice = choose(service.bus, routes=(), transforms=(), partners=(), repeat_effects=False)
    begun = service.start(choice, since=0, until=cloud.now, dry_run=False, repeat_effects=False, rate=10, reason="")
    cloud.staging(begun.replay_id).remove()
    with pytest.raises(OperatorError, match="is gone"):
        service.run(begun, choice, stopping=lambda: False, progress=lambda _replay: None)


# --- the audit -----------------------------------------------------------------------------------------------------


def test_audit_has_operator_period_and_reason_of_a_replay(cloud):
    cloud.put("a")
    ended = replay(cloud, routes=["cms"], reason="CMS is back")
    entries = audit(cloud)
    assert {(entry.action, entry.by.rpartition("/")[2]) for entry in entries} == {
        ("start of a replay from the archive", "ada"),
        ("end of a replay from the archive", "ada"),
    }
    assert {entry.operation_id for entry in entries} == {ended.replay_id}
    assert "CMS is back" in {entry.reason for entry in entries}


def test_nothing_is_started_that_the_audit_cannot_take(cloud):
    service = cloud.service()

    def refuse(_entry):
        raise TransientError("aws-Throttling", "the audit")

    service.audit.append = refuse
    with pytest.raises(TransientError):
        replay(cloud, service=service)
    assert cloud.left_behind() == []


# --- the choice --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"routes": ["nothing"]}, "there is no route/nothing"),
        ({"routes": ["off"]}, "route/off is switched off"),
        ({"routes": ["cms"], "transforms": ["shape"]}, "exclude each other"),
    ],
)
def test_contradictory_choice_is_refused(cloud, options, message):
    cloud.hop("route/off", READY, enabled=False)
    with pytest.raises(OperatorError, match=message):
        replay(cloud, **options)


def test_route_that_is_switched_off_is_not_among_all_routes(cloud):
    cloud.hop("route/off", READY, enabled=False)
    cloud.put("a")
    assert set(replay(cloud, dry_run=True).counts) == {"route/cms", "route/review"}


def test_bus_without_an_archive_is_refused(cloud):
    cloud.document["archive_arn"] = None
    with pytest.raises(OperatorError, match="no archive"):
        cloud.bus  # noqa: B018


@pytest.mark.parametrize("document", [None, [], {}, {"hops": {"route/cms": {}}}, {"hops": 1}])
def test_file_that_is_no_deployment_is_refused(cloud, document):
    with pytest.raises(OperatorError, match="does not say which hops"):
        type(cloud.bus).from_document(document, where="x.json")


def test_message_that_is_none_of_this_replay_is_left_out(cloud):
    choice = choose(cloud.bus, routes=(), transforms=(), partners=(), repeat_effects=False)
    good = {"id": "1", "replay-name": "r", "detail-type": "asset.ready", "source": "partner.mux"}
    event = {**good, "detail": make_event(stage="transformed").to_detail()}
    assert choice.read(json.dumps(event), "r").hops
    assert choice.read(json.dumps(event), "another") is None
    assert choice.read(json.dumps({**event, "detail": {}}), "r") is None
    assert choice.read("no JSON", "r") is None


def test_warnings_name_events_that_the_archive_does_not_have(cloud):
    service = cloud.service()
    warnings = service.warnings(since=0, until=cloud.now)
    assert any("ten minutes" in line for line in warnings)
    assert any("the archive began" in line for line in warnings)


def test_row_that_was_changed_meanwhile_is_not_overwritten(cloud):
    service = cloud.service()
    ended = replay(cloud, service=service)
    assert not service.replays.put(replace(ended, problem="x"), expected_version=ended.version - 1)
