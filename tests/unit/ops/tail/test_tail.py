"""`tail`: which events it shows, what it tells of each, and that nothing of it stays behind."""

from __future__ import annotations

import json
from itertools import count

import pytest
from botocore.exceptions import ClientError

from media_events.core.failures import ProcessingError
from media_events_kit.event_patterns import matches
from media_events_kit.ops.archive_replay import temporary_rule
from media_events_kit.ops.archive_replay.temporary_rule import OVER_SECONDS, Owners, clean_up, opened
from media_events_kit.ops.deployment.topology import Hop, Topology
from media_events_kit.ops.local.process import ProcessIdentity
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.tail.selection import Selection
from media_events_kit.ops.tail.watching import FOLLOW_SECONDS, MOST_FOLLOWED, Came, Ended, Watch
from media_events_kit.ops.trace.following import Follower
from tests.fakes.hop import FakeClock

BUS_ARN = "arn:aws:events:eu-west-1:123456789012:event-bus/media-dev"
READY = {"detail-type": ["asset.ready"], "detail": {"metadata": {"stage": ["transformed"]}}}
TOPOLOGY = Topology(
    hops={
        "route/cms": Hop(name="route/cms", destination="cms", pattern=json.dumps(READY)),
        "route/off": Hop(name="route/off", destination="cms"),
        "transform/shape": Hop(name="transform/shape", pattern='{"detail": {"metadata": {"stage": ["received"]}}}'),
    },
    partners=("mux", "acme"),
    patterns_known=True,
)


def event(identity="e-1", partner="mux", kind="asset.ready", stage="received"):
    return {
        "source": f"partner.{partner}",
        "detail-type": kind,
        "time": "2026-11-29T12:00:00Z",
        "detail": {"metadata": {"id": identity, "stage": stage}},
    }


def selection(**options):
    return Selection.of(TOPOLOGY, **{"partners": [], "types": [], "routes": [], **options})


@pytest.mark.parametrize(
    ("options", "shown", "not_shown"),
    [
        ({}, event(), event(stage="transformed")),
        ({"partners": ["mux"]}, event(), event(partner="acme")),
        ({"types": ["asset.*"]}, event(), event(kind="live.started")),
        ({"types": ["asset.ready"]}, event(), event(kind="asset.created")),
        ({"routes": ["cms"]}, event(stage="transformed"), event()),
        (
            {"routes": ["route/cms"], "partners": ["acme"]},
            event(partner="acme", stage="transformed"),
            event(stage="transformed"),
        ),
    ],
)
def test_a_selection_is_what_its_rule_and_its_own_test_take_together(options, shown, not_shown):
    chosen = selection(**options)

    def takes(one):
        return matches(chosen.rule_pattern(), one) and chosen.takes(one)

    assert takes(shown)
    assert not takes(not_shown)


@pytest.mark.parametrize(
    ("options", "told"),
    [({"partners": ["zoom"]}, "mux, acme"), ({"routes": ["crm"]}, "cms, off"), ({"routes": ["off"]}, "cms, off")],
)
def test_an_unknown_name_is_told_with_those_that_there_are(options, told):
    with pytest.raises(OperatorError) as refused:
        selection(**options)
    assert refused.value.exit_code == 2
    assert told in refused.value.hint


class Trace:
    found = True

    def __init__(self, verdict):
        self.verdict = verdict


def watch(batches, verdicts):
    """A watch that receives ``batches``; each look finds the next of ``verdicts``."""
    clock, waiting, found = FakeClock(), list(batches), iter(verdicts)

    def receive():
        clock.now += 2
        return waiting.pop(0) if waiting else []

    follower = Follower(lambda _id, _since: [Trace(next(found))], clock)
    return Watch(receive, selection(), TOPOLOGY, follower, clock), clock


def test_each_event_is_told_when_it_comes_and_when_it_ends():
    tail, clock = watch([[event()]], ["in flight", "finished"])
    came, ended = tail.run(clock() + 1000, 1)
    assert isinstance(came, Came)
    assert came.takers == ["transform/shape"]
    assert isinstance(ended, Ended)
    assert (ended.event_id, ended.over, ended.traces[0].verdict) == ("e-1", True, "finished")


def test_an_event_that_comes_twice_is_told_once():
    tail, clock = watch([[event()], [event()], [event(partner="acme")]], ["finished"] * 9)
    told = [one for one in tail.run(clock() + 60, None) if isinstance(one, Came)]
    assert [one.source for one in told] == ["partner.mux", "partner.acme"]


def test_no_more_are_followed_than_an_account_s_logs_allow():
    tail, clock = watch([[event(f"e-{n}") for n in range(MOST_FOLLOWED + 1)]], ["finished"] * 99)
    told = list(tail.run(clock() + 300, MOST_FOLLOWED + 1))
    assert [one.followed for one in told if isinstance(one, Came)] == [True] * MOST_FOLLOWED + [False]
    assert len([one for one in told if isinstance(one, Ended)]) == MOST_FOLLOWED


def test_what_does_not_end_is_told_as_it_is():
    tail, clock = watch([[event()]], ["in flight"] * 999)
    *_, ended = tail.run(clock() + FOLLOW_SECONDS + 60, 1)
    assert (ended.over, ended.traces[0].verdict) == (False, "in flight")


class Account:
    """EventBridge's rules and SQS's queues by their names; ``denied`` operations are refused."""

    def __init__(self, names=(), denied=()):
        self.rules, self.queues, self.denied = set(names), set(names), set(denied)

    def client(self, _service):
        return self

    def __getattr__(self, operation):
        def call(**parameters):
            if operation in self.denied:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
            return getattr(self, f"_{operation}")(**parameters)

        return call

    def _list_rules(self, NamePrefix, **_):  # noqa: N803
        return {"Rules": [{"Name": name} for name in self.rules if name.startswith(NamePrefix)]}

    def _list_queues(self, QueueNamePrefix, **_):  # noqa: N803
        return {"QueueUrls": [f"https://sqs/1/{name}" for name in self.queues if name.startswith(QueueNamePrefix)]}

    def _create_queue(self, QueueName, **_):  # noqa: N803
        self.queues.add(QueueName)
        return {"QueueUrl": f"https://sqs/1/{QueueName}"}

    def _get_queue_attributes(self, **_):
        return {"Attributes": {"QueueArn": "arn:aws:sqs:eu-west-1:123456789012:q"}}

    def _set_queue_attributes(self, **_):
        pass

    def _put_rule(self, Name, **_):  # noqa: N803
        self.rules.add(Name)

    def _put_targets(self, **_):
        return {"FailedEntryCount": 0}

    def _get_queue_url(self, QueueName):  # noqa: N803
        return {"QueueUrl": f"https://sqs/1/{QueueName}"}

    def _remove_targets(self, **_):
        pass

    def _delete_rule(self, Name, **_):  # noqa: N803
        self.rules.discard(Name)

    def _delete_queue(self, QueueUrl):  # noqa: N803
        self.queues.discard(QueueUrl.rpartition("/")[2])


def open_rule(account, owners, until=1000.0):
    return opened(account, account, BUS_ARN, kind="tail", pattern={"source": ["x"]}, until=until, owners=owners)


def _interrupt(account):
    assert account.rules == account.queues
    assert len(account.rules) == 1
    raise KeyboardInterrupt


def test_rule_and_queue_go_again_however_it_ends(tmp_path):
    account, owners = Account(), Owners(tmp_path)
    with pytest.raises(KeyboardInterrupt), open_rule(account, owners):
        _interrupt(account)
    assert (account.rules, account.queues, list(tmp_path.iterdir())) == (set(), set(), [])


def test_what_cannot_be_made_whole_is_removed(tmp_path):
    account = Account(denied={"put_targets"})
    with pytest.raises(ProcessingError), open_rule(account, Owners(tmp_path)):
        pytest.fail("it must not open")
    assert (account.rules, account.queues) == (set(), set())


def test_a_killed_one_of_this_machine_is_removed_at_once_and_a_living_one_stays(tmp_path, monkeypatch):
    account, owners, until = Account(), Owners(tmp_path), 10_000.0
    dead, living = (open_rule(account, owners, until + n) for n in count(1)), None
    monkeypatch.setattr(temporary_rule, "this_process", lambda: ProcessIdentity(0, "gone"))
    killed = next(dead)
    killed.__enter__()
    monkeypatch.undo()
    living = open_rule(account, owners, until)
    with living:
        (gone,) = clean_up(account.client, BUS_ARN, owners, now=5000.0)
        assert gone not in account.rules | account.queues
        assert len(account.rules) == 1
        assert clean_up(account.client, BUS_ARN, owners, now=5000.0) == []


def test_those_of_other_machines_are_removed_when_their_time_is_over(tmp_path):
    old, new = "media-dev-replay-tail-00000001aa", "media-dev-replay-tail-00002000bb"
    account = Account([old, new, "media-dev-replay-of-somebody", "media-dev-to-cms"])
    assert clean_up(account.client, BUS_ARN, Owners(tmp_path), now=OVER_SECONDS + 2) == [old]
    assert account.rules == account.queues == {new, "media-dev-replay-of-somebody", "media-dev-to-cms"}


def test_who_may_not_list_is_not_disturbed(tmp_path):
    account = Account(["media-dev-replay-tail-00000001aa"], denied={"list_rules"})
    assert clean_up(account.client, BUS_ARN, Owners(tmp_path), now=1e9) == []
