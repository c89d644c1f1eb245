"""Rules deliver to queues by the queues' policies, with fakes of MiniStack's own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import queue_targets

RULE = "arn:aws:events:eu-west-1:000000000000:rule/media/to-cms"
QUEUE = "arn:aws:sqs:eu-west-1:000000000000:cms"
DEAD = "arn:aws:sqs:eu-west-1:000000000000:cms-dlq"


class Cloud:
    def __init__(self) -> None:
        self.queues: dict[str, dict[str, Any]] = {QUEUE: {"messages": []}, DEAD: {"messages": []}}
        self.open = {DEAD}
        self.asked: list[tuple[str, ...]] = []
        eventbridge, sqs, arns = ModuleType("eventbridge"), ModuleType("sqs"), ModuleType("arn")
        vars(arns).update(parse_arn=lambda arn: arn)
        vars(sqs).update(_queue_by_arn=self.queues.get, queue_policy_allows=self._allows)
        names = vars(eventbridge)
        names["_dispatch_to_sqs"] = lambda spec, payload, _parameters=None: self.queues[str(spec)]["messages"].append(
            {"body": payload}
        )
        names["_invoke_target"] = lambda target, event, _rule, _view: names["_dispatch_to_sqs"](target["Arn"], event)
        queue_targets.correct(eventbridge, sqs, arns)
        self.invoke = names["_invoke_target"]

    def _allows(self, *asked: str) -> bool:
        self.asked.append(asked)
        return asked[0] in self.open

    def deliver(self, **target: Any) -> None:
        self.invoke({"Arn": QUEUE, **target}, "event", {"Arn": RULE})

    def got(self, queue: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.queues[queue]["messages"]
        return messages


@pytest.fixture(name="cloud")
def _cloud() -> Cloud:
    return Cloud()


def test_a_queue_whose_policy_takes_the_rule_gets_its_events(cloud: Cloud) -> None:
    cloud.open.add(QUEUE)
    cloud.deliver()
    assert [message["body"] for message in cloud.got(QUEUE)] == ["event"]
    assert cloud.asked == [(QUEUE, "events.amazonaws.com", RULE, "000000000000")]


def test_a_queue_without_a_policy_gets_nothing(cloud: Cloud) -> None:
    cloud.deliver()
    assert cloud.got(QUEUE) == cloud.got(DEAD) == []


def test_what_may_not_be_delivered_goes_to_the_targets_dead_letter_queue_with_the_reason(cloud: Cloud) -> None:
    cloud.deliver(DeadLetterConfig={"Arn": DEAD})
    (message,) = cloud.got(DEAD)
    assert message["body"] == "event"
    values = {name: attribute["StringValue"] for name, attribute in message["message_attributes"].items()}
    assert (values["ERROR_CODE"], values["RULE_ARN"], values["TARGET_ARN"]) == ("NO_PERMISSIONS", RULE, QUEUE)


def test_a_dead_letter_queue_needs_a_policy_too(cloud: Cloud) -> None:
    cloud.open.clear()
    cloud.deliver(DeadLetterConfig={"Arn": DEAD})
    assert cloud.got(DEAD) == []


def test_a_role_takes_the_place_of_the_policy(cloud: Cloud) -> None:
    cloud.deliver(RoleArn="arn:aws:iam::000000000000:role/deliver")
    assert [message["body"] for message in cloud.got(QUEUE)] == ["event"]
