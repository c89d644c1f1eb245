"""What a sandbox remembers of a circuit breaker from batch to batch: only that all is well, for a second at most."""

from __future__ import annotations

import pytest

from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker
from media_events.core.failures import DeferredError
from media_events.delivery.circuit_breaker import (
    ALIVE_NOTED_SECONDS,
    CALM_SECONDS,
    REMEMBERED_SECONDS,
    CircuitBreaker,
)
from media_events.delivery.policies import CircuitBreakerPolicy
from tests.fakes.hop import FakeClock, FakeReport
from tests.faults.aws_model.dynamodb import Table
from tests.faults.aws_model.scheduler import CALM, World

POLICY = CircuitBreakerPolicy(failures=3, delay_seconds=30, max_delay_seconds=100, hold_seconds=3600)
ALIVE = ["alive"] * 10
DOWN = ["down"]


class Requests:
    """The table, and how often it was read and written."""

    def __init__(self):
        self._table = Table(World(1, CALM), "table", "pk")
        self.reads = self.writes = 0

    def get_item(self, **request):
        self.reads += 1
        return self._table.get_item(**request)

    def update_item(self, **request):
        self.writes += 1
        return self._table.update_item(**request)


class Sandboxes:
    """Sandboxes of one function, each with its memory, and the table that they share."""

    def __init__(self):
        self.clock, self.table, self.report = FakeClock(), Requests(), FakeReport()
        self.store = DynamoCircuitBreaker(self.table, "table", "cms", clock=self.clock)

    def start(self):
        return CircuitBreaker(
            destination="cms",
            policy=POLICY,
            store=self.store,
            table="table",
            report=self.report,
            clock=self.clock,
        )

    def start_well(self):
        """One that has delivered, and remembers."""
        made = self.start()
        batch(made)
        batch(made)
        return made

    def reads(self, *batches):
        """How often ``batches`` read the table."""
        before = self.table.reads
        for circuit_breaker, signals in batches:
            batch(circuit_breaker, signals)
        return self.table.reads - before


def batch(circuit_breaker, signals=ALIVE):
    """Deliver a batch with these outcomes, unless it is held back; whether it was delivered, or why not."""
    passage, state = circuit_breaker.before_delivery(fresh=True)
    if passage == "free":
        circuit_breaker.record(state, signals)
    return passage


@pytest.fixture(name="sandboxes")
def _sandboxes():
    return Sandboxes()


# --- how often it reads ----------------------------------------------------------------------------------------------


def test_a_busy_one_reads_about_once_a_second(sandboxes):
    busy = sandboxes.start_well()
    before = sandboxes.table.reads
    for _ in range(200):
        batch(busy)
        sandboxes.clock.sleep(0.05)
    # Beside the ten, one before and one after the success is noted anew.
    assert 9 <= sandboxes.table.reads - before <= 12


def test_a_quiet_one_reads_for_each_batch(sandboxes):
    quiet = sandboxes.start_well()
    for _ in range(20):
        sandboxes.clock.sleep(REMEMBERED_SECONDS)
        assert sandboxes.reads((quiet, ALIVE)) == 1


def test_to_remember_makes_no_sandbox_note_a_success_that_another_one_has_noted(sandboxes):
    busy = [sandboxes.start() for _ in range(5)]
    for _ in range(300):
        for each in busy:
            batch(each)
        sandboxes.clock.sleep(0.1)
    assert sandboxes.table.writes == 30 // ALIVE_NOTED_SECONDS


def test_where_no_success_was_noted_it_reads_for_each_batch(sandboxes):
    untried = sandboxes.start()
    assert sandboxes.reads((untried, []), (untried, []), (untried, [])) == 3


# --- what it never goes by -------------------------------------------------------------------------------------------


def failures(sandboxes):
    sandboxes.store.add_failures(1)


def opened(sandboxes):
    sandboxes.store.open(until=sandboxes.clock() + 90, opened=1, suspect_only=False)


def half_open(sandboxes):
    sandboxes.store.open(until=sandboxes.clock(), opened=1, suspect_only=False)
    sandboxes.store.claim_probe(now=sandboxes.clock(), until=sandboxes.clock() + 60)


def opened_for_suspects(sandboxes):
    sandboxes.store.open(until=sandboxes.clock() + 90, opened=1, suspect_only=True)


@pytest.mark.parametrize("happens", [failures, opened, half_open, opened_for_suspects])
def test_any_other_state_is_read_for_each_batch(sandboxes, happens):
    watching = sandboxes.start_well()
    happens(sandboxes)
    sandboxes.clock.sleep(REMEMBERED_SECONDS)
    before = sandboxes.table.reads
    for _ in range(5):
        watching.before_delivery(fresh=False)
    assert sandboxes.table.reads - before == 5


def test_what_another_sandbox_has_opened_it_knows_within_a_second(sandboxes):
    late = sandboxes.start_well()
    opened(sandboxes)
    sandboxes.clock.sleep(REMEMBERED_SECONDS - 0.1)
    assert batch(late) == "free"
    sandboxes.clock.sleep(0.1)
    assert isinstance(batch(late), DeferredError)


@pytest.mark.parametrize("signals", [["down"], ["suspect"], ["alive", "down"]])
def test_after_a_failure_of_its_own_it_reads_at_once(sandboxes, signals):
    late = sandboxes.start_well()
    opened(sandboxes)
    assert batch(late, signals) == "free"
    assert isinstance(batch(late), DeferredError)


def test_its_own_failures_open_it_at_once(sandboxes):
    alone = sandboxes.start_well()
    assert [batch(alone, DOWN) for _ in range(POLICY.failures)] == ["free"] * POLICY.failures
    assert isinstance(batch(alone), DeferredError)


@pytest.mark.parametrize("seconds", [30 * 86_400.0, -3600.0, -0.5], ids=["weeks-later", "an-hour-back", "a-bit-back"])
def test_one_that_was_frozen_or_restored_from_a_snapshot_or_whose_clock_was_set_back_reads(sandboxes, seconds):
    thawed = sandboxes.start_well()
    opened(sandboxes)
    before = sandboxes.table.reads
    sandboxes.clock.sleep(seconds)
    thawed.before_delivery(fresh=True)
    assert sandboxes.table.reads - before == 1


# --- scattered failures ----------------------------------------------------------------------------------------------


def test_one_that_has_read_of_failures_reads_for_each_batch_for_a_while(sandboxes):
    wary = sandboxes.start_well()
    batch(wary, DOWN)
    batch(wary)
    assert sandboxes.reads(*[(wary, ALIVE)] * 5) == 5
    sandboxes.clock.sleep(CALM_SECONDS)
    assert sandboxes.reads(*[(wary, ALIVE)] * 5) == 1


def test_failures_between_successes_of_several_sandboxes_do_not_add_up(sandboxes):
    wary, *others = (sandboxes.start_well() for _ in range(4))
    batch(wary, DOWN)
    for _ in range(10):
        batch(wary)
        batch(wary)
        for other in others[:2]:
            batch(other, DOWN)
        sandboxes.clock.sleep(0.1)
    assert "circuit breaker opened" not in sandboxes.report.messages()
