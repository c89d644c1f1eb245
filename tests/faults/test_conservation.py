"""Every accepted event is delivered or in review, once, whatever dies, refuses, repeats or reorders."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_events.delivery.ordering import resequencer
from media_events.delivery.ordering.key_queue import KeyQueue
from media_events.ingress import queue
from media_events.messaging import queue_consumer
from media_events.recovery.review_opener import ReviewOpener
from tests.faults.__main__ import EVENTS, SEEDS, main
from tests.faults.aws_model.scheduler import CALM, Mix
from tests.faults.conservation import Tally
from tests.faults.run import Run, Scenario, events_of
from tests.faults.senders import ENTRY_NAMES, Sent
from tests.faults.shrinking import report
from tests.faults.system_under_test import ORDERED

sent = st.builds(
    Sent,
    number=st.integers(1, 999),
    ingress=st.sampled_from(ENTRY_NAMES),
    kind=st.sampled_from(("ready", "raw")),
    asset=st.integers(1, 3),
    after=st.integers(0, 400).map(float),
    padding=st.sampled_from((0, 3_000, 40_000)),
)
mixes = st.builds(
    Mix,
    kill=st.sampled_from((0.0, 0.01, 0.03)),
    refuse=st.sampled_from((0.0, 0.02, 0.15)),
    lose_answer=st.sampled_from((0.0, 0.01, 0.02)),
    duplicate=st.sampled_from((0.0, 0.02)),
    resurrect=st.sampled_from((0.0, 0.02)),
    undeliverable=st.sampled_from((0.0, 0.05)),
    flap=st.sampled_from((0.0, 0.3)),
    fated=st.sampled_from((0.0, 0.04)),
    spreading=st.sampled_from((0.0, 20.0)),
)


def in_order(events: list[Sent]) -> tuple[Sent, ...]:
    """Numbered as they are sent."""
    ordered = sorted(events, key=lambda event: event.after)
    return tuple(replace(event, number=number) for number, event in enumerate(ordered, start=1))


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), mix=mixes, events=st.lists(sent, min_size=1, max_size=12).map(in_order))
def test_accepted_is_delivered_or_in_review_and_each_effect_happens_once(seed, mix, events):
    scenario = Scenario(seed=seed, events=events, mix=mix)

    tally = Run(scenario).live()

    assert not tally.problems, report(scenario)
    assert tally.accepted == tally.delivered + tally.review
    assert (tally.lost, tally.doubled) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_hundreds_of_events_at_once_are_conserved(seed):
    """Together they are those of ``make chaos-model``."""
    scenario = Scenario(seed=seed, events=events_of(seed, EVENTS // SEEDS))

    tally = Run(scenario).live()

    assert not tally.problems, tally.problems
    assert tally.accepted == EVENTS // SEEDS
    assert tally.accepted == tally.delivered + tally.review


def test_faults_of_every_kind_really_struck():
    mix = replace(Mix(), kill=0.04, refuse=0.06, lose_answer=0.04)
    run = Run(Scenario(seed=1001, events=events_of(1001, 300), mix=mix))
    faults = run.live().faults

    entries = {event.mark: event.ingress for event in run.scenario.events}
    assert {entries[mark] for mark in run.senders.accepted} == set(ENTRY_NAMES)
    # Every kind of durable write: events, a large body, the idempotency records of an ingress and a route.
    struck = {site for site, _, _ in faults}
    for write in (
        "kit/put",
        "s3/put",
        "ingress-idempotency/put",
        "ingress-idempotency/update",
        "route-idempotency/update",
    ):
        assert {f"{write}/{kind}" for kind in ("kill-before", "kill-after", "refuse", "lose-answer")} <= struck
    kinds = {site.rpartition("/")[2] for site, _, _ in faults}
    assert {"kill-before", "kill-after", "refuse", "lose-answer", "refuse-entry", "undeliverable"} <= kinds
    assert {"twice", "comes-back", "down", "refuses", "never-ready", "slow"} <= kinds
    assert {"ingress-idempotency", "route-idempotency", "review", "kit", "s3", "states"} <= {
        s.split("/")[0] for s, _, _ in faults
    }


def test_a_tight_run_meets_pages_full_key_queues_and_messages_that_are_too_large_to_park(monkeypatch):
    verdicts, parkable = set(), set()
    register, may_park = KeyQueue.register, resequencer._may_park

    def registered(*args, **options):
        key_queue, verdict = register(*args, **options)
        verdicts.add(verdict)
        return key_queue, verdict

    monkeypatch.setattr(KeyQueue, "register", registered)
    monkeypatch.setattr(resequencer, "_may_park", lambda message: parkable.add(may_park(message)) or may_park(message))

    events = tuple(Sent(n, "sqs", "ready", 0, n * 0.7, padding=n % 3 * 700) for n in range(1, 61))
    run = Run(Scenario(seed=3, events=events, mix=replace(CALM, tight=1.0)))
    for name in ORDERED:
        run.kit.receivers[name].refused = {"evt-000001"}

    assert not run.live().problems
    assert {"behind", "full"} <= verdicts
    assert parkable == {True, False}


def test_without_faults_everything_is_delivered_once_but_what_nobody_can_read():
    events = events_of(7, 200)

    tally = Run(Scenario(seed=7, events=events, mix=CALM)).live()

    malformed = sum(event.kind == "malformed" for event in events)
    assert malformed > 0
    assert (tally.delivered, tally.review, tally.repeated) == (200 - malformed, malformed, 0)
    assert not tally.problems


def while_permissions_spread(seconds: float, seed: int) -> tuple[Run, Tally]:
    events = tuple(event for event in events_of(seed, 200) if event.kind != "malformed")
    run = Run(Scenario(seed=seed, events=events, mix=replace(CALM, spreading=seconds)))
    return run, run.live()


@pytest.mark.parametrize("seed", [11, 12])
def test_while_permissions_spread_events_are_retried_and_a_person_is_asked_only_about_an_order_that_got_lost(seed):
    run, tally = while_permissions_spread(10.0, seed)

    assert not tally.problems, tally.problems
    assert tally.delivered + tally.review == len(run.senders.accepted)
    # EventBridge tried one again for longer than a key waits for an earlier event.
    assert [item.error_code for item in run.items()] in ([], ["order-late"])


def test_when_permissions_spread_slowly_only_those_are_reviewed_whose_order_or_reason_got_lost():
    run, tally = while_permissions_spread(90.0, 11)

    assert not tally.problems, tally.problems
    assert tally.delivered + tally.review == len(run.senders.accepted)
    # SQS moves a message, without a reason, where the function may never send it to the dead-letter queue itself.
    assert {item.error_code for item in run.items()} <= {"order-late", "order-waiting", "moved-by-sqs"}
    assert tally.review <= 5
    denied = {site.partition("/denied")[0] for site, _, _ in tally.faults}
    # A rule that may not send to its queue yet, and calls of the functions.
    calls = {"kit/put", "ingress-idempotency/put", "route-idempotency/put"}
    assert {"ingress/custom-bus"} | calls <= denied


def test_a_webhook_is_answered_2xx_only_once_its_event_is_safe():
    # By one route, and that without an order: what matters here is before the bus.
    events = tuple(replace(event, kind="raw") if event.kind == "ready" else event for event in events_of(5, 100))
    run = Run(Scenario(seed=5, events=events, mix=replace(CALM, refuse=0.4, kill=0.1)))

    tally = run.live()

    assert not tally.problems, tally.problems
    assert any("webhook answers 503" in what for _, what, _ in run.world.story)


def test_the_last_line_tells_the_count(capsys):
    assert main(["--events", "60", "--seeds", "2", "--seed", "9"]) == 0

    last = capsys.readouterr().out.splitlines()[-1]
    accepted, delivered, review = (int(last.split()[place]) for place in (1, 3, 5))
    assert last == f"accepted 60 delivered {delivered} review {review} lost 0 doubled 0 stuck 0"
    assert accepted == delivered + review


def dying_ways_in(seed: int, kill: float, lose_answer: float = 0.3) -> Run:
    """Senders that often don't hear that they were heard, and functions that seldom live to the end of a message."""
    entries = [entry for entry in ENTRY_NAMES if entry != "webhook"]
    events = tuple(Sent(number, entries[number % 4], "raw", number, float(number)) for number in range(1, 81))
    return Run(Scenario(seed=seed, events=events, mix=replace(CALM, kill=kill, lose_answer=lose_answer)))


@pytest.mark.parametrize(("seed", "kill", "lose_answer"), [(3, 0.3, 0.3), (2, 0.2, 0.5), (4, 0.2, 0.5)])
def test_however_many_messages_of_an_event_are_moved_by_sqs_it_has_one_item_with_its_name(seed, kill, lose_answer):
    run = dying_ways_in(seed, kill, lose_answer)

    tally = run.live()

    assert not tally.problems, tally.problems
    moved = [item for item in run.items() if item.kind == "moved"]
    assert moved
    assert [item.event_id for item in moved if item.event_id not in run.senders.accepted] == []


def test_second_items_of_an_event_are_noticed(monkeypatch):
    monkeypatch.setattr(ReviewOpener, "_inspected", lambda _self, dead_letter, _queue: dead_letter)

    tally = dying_ways_in(2, 0.2, 0.5).live()

    assert any("review items at bus" in problem for problem in tally.problems)


def test_an_order_that_is_not_kept_is_noticed(monkeypatch):
    monkeypatch.setattr(queue_consumer, "waves", lambda batch, _: [[message] for message in reversed(batch)])
    events = tuple(Sent(number, "sns-fifo", "ready", 1, 0.0) for number in range(1, 6))

    tally = Run(Scenario(seed=1, events=events, mix=CALM)).live()

    assert any("was published after" in problem for problem in tally.problems)


def test_an_unanswered_accepted_event_is_counted_as_lost(monkeypatch):
    monkeypatch.setattr(queue.QueueReceiver, "_publish", lambda _self, works, *_: [w.steps.popleft() for w in works])
    events = (Sent(1, "sqs", "raw", 1, 0.0), Sent(2, "webhook", "raw", 1, 0.0))

    tally = Run(Scenario(seed=1, events=events, mix=CALM)).live()

    assert (tally.accepted, tally.delivered, tally.lost) == (2, 1, 1)
    assert tally.problems == ["evt-000001 (sqs, raw) is lost: search"]
