"""EventBridge's corrected handlers, with fakes of MiniStack's own."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import event_buses

PARTNER_BUS = "aws.partner/shop.example/media/1"
RULE = f"arn:aws:events:eu-west-1:000000000000:rule/{PARTNER_BUS}/shop"


@pytest.fixture(name="eventbridge")
def _eventbridge() -> dict[str, Any]:
    """EventBridge's handlers and what they know, as the local cloud leaves them."""
    eventbridge = ModuleType("eventbridge")

    def put_permission(data: Any) -> tuple[int, dict[str, str], bytes]:
        if data.get("EventBusName") == "nobody's":
            return 400, {}, b"no such bus"
        vars(eventbridge)["_event_bus_policies"][data["EventBusName"]] = "a statement of its own making"
        return 200, {}, b"{}"

    vars(eventbridge).update(
        _event_bus_policies={},
        _rules={f"{PARTNER_BUS}|shop": {"Arn": RULE}},
        _put_permission=put_permission,
        _replays={"all": {"Destination": {}}, "one": {"Destination": {"FilterArns": ["arn:wanted"]}}},
        _invoke_target=lambda target, _event, rule, _view: target.append(rule["Arn"]),
        _resolve_taggable_events_arn=lambda arn: (arn, None) if arn.endswith("known") else (None, "not found"),
    )
    event_buses.correct(eventbridge)
    return vars(eventbridge)


def test_a_bus_has_the_policy_that_it_was_given(eventbridge: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Sid": "studio"}]}

    assert eventbridge["_put_permission"]({"EventBusName": "media", "Policy": json.dumps(policy)})[0] == 200
    assert eventbridge["_event_bus_policies"]["media"] == policy


def test_single_permissions_and_refusals_are_ministacks_own(eventbridge: dict[str, Any]) -> None:
    assert eventbridge["_put_permission"]({"EventBusName": "media"})[0] == 200
    assert eventbridge["_put_permission"]({"EventBusName": "nobody's", "Policy": "{}"})[2] == b"no such bus"
    assert eventbridge["_event_bus_policies"] == {"media": "a statement of its own making"}


def test_a_rule_on_a_partners_bus_is_found(eventbridge: dict[str, Any]) -> None:
    assert eventbridge["_resolve_taggable_events_arn"](RULE) == (RULE, None)
    assert eventbridge["_resolve_taggable_events_arn"](RULE + "s") == (None, "not found")
    assert eventbridge["_resolve_taggable_events_arn"]("arn:known") == ("arn:known", None)


@pytest.mark.parametrize(
    ("event", "reached"),
    [
        ({}, ["arn:wanted", "arn:other"]),
        ({"ReplayName": "all"}, ["arn:wanted", "arn:other"]),
        ({"ReplayName": "one"}, ["arn:wanted"]),
    ],
)
def test_replay_goes_to_the_rules_that_it_names(eventbridge: dict[str, Any], event: dict[str, Any], reached: list[str]):
    targets: list[str] = []
    for arn in ("arn:wanted", "arn:other"):
        eventbridge["_invoke_target"](targets, event, {"Arn": arn})
    assert targets == reached
