"""Parked events of a route without a queue go back by the bus, for it alone, if its rule takes them."""

from __future__ import annotations

import pytest

from media_events.core.failures import PermanentConfigError, TransientError
from media_events.recovery.events_for_route import EventsForRoute
from media_events.recovery.return_by_bus import ReturnByBus
from tests.fakes.ordered_route import message
from tests.fakes.recovery import FakeEvents, FakeRules, Trap

RULE = "arn:aws:events:eu-west-1:123456789012:rule/media-dev/media-dev-cms"


def sent(events, rules):
    by_bus = ReturnByBus(route="route/cms", events=EventsForRoute(events, rules, RULE))
    return by_bus.defer(message(1), 0, prior_attempts=0, since=0, copy="0/one")


def test_event_is_put_on_the_bus_for_its_route_alone():
    events, rules = FakeEvents(Trap()), FakeRules()

    assert sent(events, rules)

    (event,) = events.published
    assert (event.metadata.id, event.metadata.redrive.route) == ("e1", "route/cms")
    assert [rule for rule, _ in rules.asked] == [RULE]


@pytest.mark.parametrize(
    ("refusal", "of_the_rule"),
    [(PermanentConfigError("not-taken", "it would be lost"), True), (TransientError("aws-down", "later"), False)],
)
def test_event_that_can_not_go_is_not_sent(refusal, of_the_rule):
    events, rules = FakeEvents(Trap()), FakeRules()
    (rules if of_the_rule else events).refusal = refusal

    with pytest.raises(type(refusal)):
        sent(events, rules)

    assert events.published == []
