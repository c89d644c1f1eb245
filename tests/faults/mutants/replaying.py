"""Mutants of the operators' command that replays the archive."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_RUNNER: Final = "/media_events_kit/ops/archive_replay/runner.py"
_SERVICE: Final = "/media_events_kit/ops/archive_replay/service.py"
_STAGING: Final = "/media_events_kit/ops/archive_replay/staging_queue.py"
_TESTS: Final = "tests/unit/ops/archive_replay/test_runner.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "replay to all rules of the bus",
        _STAGING,
        'Destination={"Arn": self.bus.bus_arn, "FilterArns": [self.rule_arn]},',
        'Destination={"Arn": self.bus.bus_arn},',
        harm="routes without an idempotency store have their effects again",
        seen=Seen("replayed"),
    ),
    mutant(
        "send a replayed event to all routes",
        _RUNNER,
        "redrive=Redrive(route=hop.hop, count=0)",
        "redrive=None",
        harm="routes that nobody chose have their effects again",
        seen=Seen("replayed"),
    ),
    mutant(
        "start a replay before its rule works",
        _SERVICE,
        "            self.sleep(self.settle_seconds)\n",
        "",
        harm="the first events of the period are never replayed: lost",
        test=f"{_TESTS}::test_replay_starts_when_its_new_rule_sees_every_event",
    ),
    mutant(
        "call a replay complete before the last events have come",
        _RUNNER,
        "self.clock() - quiet_since >= self.settle_seconds:",
        "self.clock() - quiet_since >= 0.0:",
        harm="the last events of the period are never replayed: lost",
        test=f"{_TESTS}::test_event_that_comes_after_eventbridge_calls_the_replay_complete_is_sent",
    ),
    mutant(
        "take a refused event for replayed",
        _RUNNER,
        "                events.pop(sending.message.receipt, None)\n",
        "",
        harm="what the bus refused for the moment is never replayed: lost",
        test=f"{_TESTS}::test_event_that_the_bus_throttles_is_sent_when_it_comes_again",
    ),
    mutant(
        "repeat what the same replay has repeated",
        _RUNNER,
        " and current.repeat_effects and done_at < _from_before(current):",
        " and current.repeat_effects:",
        harm="a replay that is resumed repeats its effects once more",
        seen=Seen("replayed", 2),
        also=[(_RUNNER, "before = _from_before(current)\n", "before = 9e15\n")],
    ),
    mutant(
        "leave rule and queue of a replay",
        _RUNNER,
        "        self.staging.remove()\n        return self._save(replace(current, state=state",
        "        return self._save(replace(current, state=state",
        harm="the limits of rules and queues are used up",
        seen=Seen("replayed"),
    ),
    mutant(
        "look for the record of another destination's effect",
        "/media_events_kit/ops/archive_replay/plan.py",
        "hop.destination or hop.name)",
        '"effect")',
        harm="delivered events are sent again, and missing ones are counted wrongly",
        test=f"{_TESTS}::test_replay_delivers_to_each_route_the_events_that_it_has_not_had",
    ),
)
