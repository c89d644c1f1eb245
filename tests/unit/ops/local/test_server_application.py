"""The local cloud's corrected answers, with fakes of MiniStack's own handlers."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

APPLICATION = Path(__file__).parents[4] / "ops" / "local" / "server" / "application.py"

STATIC = {
    "AlarmName": "cms-errors",
    "AlarmDescription": "It's <down> & out",
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:eu-west-1:000000000000:operators"],
    "Statistic": "Sum",
    "MetricName": "Errors",
    "Namespace": "AWS/Lambda",
    "Period": 300,
    "Threshold": 1.0,
    "Dimensions": [{"Name": "FunctionName", "Value": "cms"}],
    "StateUpdatedTimestamp": 0,
}
PERCENTILE = STATIC | {"AlarmName": "latency", "ExtendedStatistic": "p99"}
EXPRESSION = STATIC | {"AlarmName": "rate", "MetricName": "", "Namespace": "", "Dimensions": []}

QUERY = (False, False)
CBOR = (True, False)


PARTNER_BUS = "aws.partner/shop.example/media/1"
RULE = f"arn:aws:events:eu-west-1:000000000000:rule/{PARTNER_BUS}/shop"


@pytest.fixture(name="modules")
def _modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """MiniStack's services as the application leaves them."""
    cloudwatch = ModuleType("ministack.services.cloudwatch")

    def answer(_params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> tuple[int, dict[str, str], bytes]:  # noqa: FBT001, FBT002
        if is_cbor or not is_json:
            return 200, {}, b"as MiniStack answers"
        if data.get("MaxRecords") == "0":
            return 400, {}, b"{}"
        found = [alarm for alarm in (STATIC, PERCENTILE, EXPRESSION) if alarm["AlarmName"] in data["AlarmNames"]]
        return 200, {}, json.dumps({"MetricAlarms": found, "CompositeAlarms": []}).encode()

    def xml(status: int, root: str, inner: str) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/xml"}, f"<{root}>{inner}</{root}>".encode()

    vars(cloudwatch).update(_describe_alarms=answer, _xml=xml)
    eventbridge = ModuleType("ministack.services.eventbridge")

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
    app = ModuleType("ministack.app")
    vars(app)["app"] = object()
    iam = ModuleType("ministack.core.iam_actions")
    vars(iam)["extract_iam_action"] = lambda service, operation: operation and f"{service}:{operation}"
    vars(iam)["extract_resource_arn"] = lambda *_: "as MiniStack says"
    sqs, sns = ModuleType("ministack.services.sqs"), ModuleType("ministack.services.sns")
    queues = {name: {"is_fifo": name.endswith(".fifo"), "messages": []} for name in ("steps.fifo", "standard")}

    def deliver(endpoint: str, body: str, *, message_group_id: str = "") -> None:
        # As MiniStack does it: the message is made, completed, and put into the queue.
        message: dict[str, Any] = {"body": body, "group_id": message_group_id}
        vars(sqs)["_ensure_msg_fields"](message)
        queues[endpoint.rpartition(":")[2]]["messages"].append(message)

    vars(sqs).update(
        _collect_msgs=lambda queue, most, _timeout: [*queue["messages"][:most], f"of {len(queue['messages'])} shown"],
        _ensure_msg_fields=lambda message: message.setdefault("seq", None),
        _queue_by_arn=lambda arn: queues.get(arn.rpartition(":")[2]),
        queues=queues,
    )
    vars(sns)["_deliver_to_sqs"] = deliver
    for module in (cloudwatch, eventbridge, sqs, sns, iam, app):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    runpy.run_path(str(APPLICATION))
    services = {"cloudwatch": cloudwatch, "eventbridge": eventbridge, "sqs": sqs, "sns": sns, "iam": iam}
    return {name: vars(module) for name, module in services.items()}


@pytest.fixture(name="describe")
def _describe(modules: dict[str, dict[str, Any]]) -> Any:
    """The handler of `DescribeAlarms`."""
    return modules["cloudwatch"]["_describe_alarms"]


@pytest.fixture(name="eventbridge")
def _eventbridge(modules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """EventBridge's handlers and what they know."""
    return modules["eventbridge"]


def alarm(describe: Any, name: str) -> ET.Element:
    """The one alarm of the answer to a query for ``name``."""
    status, _, body = describe({"Action": ["DescribeAlarms"], "AlarmNames.member.1": [name]}, {}, *QUERY)
    assert status == 200
    (found,) = ET.fromstring(body).iterfind("DescribeAlarmsResult/MetricAlarms/member")
    return found


def test_an_alarm_has_everything_that_it_was_declared_with(describe: Any) -> None:
    found = alarm(describe, "cms-errors")

    texts = {name: found.findtext(name) for name in ("AlarmDescription", "ActionsEnabled", "Statistic", "Period")}
    assert texts == {
        "AlarmDescription": "It's <down> & out",
        "ActionsEnabled": "true",
        "Statistic": "Sum",
        "Period": "300",
    }
    assert [action.text for action in found.iterfind("AlarmActions/member")] == STATIC["AlarmActions"]
    assert found.findtext("Dimensions/member/Name") == "FunctionName"
    assert found.findtext("StateUpdatedTimestamp") == "1970-01-01T00:00:00+00:00"


def test_an_alarm_on_a_percentile_has_no_statistic(describe: Any) -> None:
    found = alarm(describe, "latency")

    assert (found.findtext("ExtendedStatistic"), found.find("Statistic")) == ("p99", None)


def test_an_alarm_on_an_expression_has_no_metric_of_its_own(describe: Any) -> None:
    found = alarm(describe, "rate")

    assert [found.find(name) for name in ("MetricName", "Namespace", "Statistic", "Period")] == [None] * 4


def test_other_protocols_and_refusals_are_ministacks_own(describe: Any) -> None:
    assert describe({}, {}, *CBOR)[2] == b"as MiniStack answers"
    assert describe({"MaxRecords": ["0"]}, {}, *QUERY)[2] == b"as MiniStack answers"


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
    ("operation", "action"),
    [
        ("SendMessageBatch", "sqs:SendMessage"),
        ("DeleteMessageBatch", "sqs:DeleteMessage"),
        ("SendMessage", "sqs:SendMessage"),
        ("PurgeQueue", "sqs:PurgeQueue"),
        (None, None),
    ],
)
def test_a_batch_needs_the_permission_of_its_messages(
    modules: dict[str, dict[str, Any]], operation: Any, action: Any
) -> None:
    assert modules["iam"]["extract_iam_action"]("sqs", operation) == action


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


@pytest.mark.parametrize(
    ("service", "request_body", "arn"),
    [
        ("events", {"ArchiveName": "media"}, "arn:aws:events:eu-west-1:000000000000:archive/media"),
        ("events", {"ReplayName": "again"}, "arn:aws:events:eu-west-1:000000000000:replay/again"),
        ("events", {"Rule": "cms", "EventBusName": "media"}, "arn:aws:events:eu-west-1:000000000000:rule/media/cms"),
        ("events", {"Rule": "cms"}, "as MiniStack says"),
        ("events", {}, "as MiniStack says"),
        ("sqs", {"ArchiveName": "media"}, "as MiniStack says"),
    ],
)
def test_policies_are_asked_for_archives_replays_and_rules_by_their_own_arns(
    modules: dict[str, dict[str, Any]], service: str, request_body: dict[str, str], arn: str
):
    body = json.dumps(request_body).encode()
    extract = modules["iam"]["extract_resource_arn"]
    assert extract(service, "POST", "/", {}, body, {}, "eu-west-1", "000000000000") == arn


def test_a_topics_messages_in_a_fifo_queue_are_numbered(
    modules: dict[str, dict[str, Any]],
) -> None:
    sqs, deliver = modules["sqs"], modules["sns"]["_deliver_to_sqs"]
    sqs["queues"]["steps.fifo"]["fifo_seq"] = 9

    for body in ("a", "b"):
        deliver("arn:aws:sqs:eu-west-1:0:steps.fifo", body, message_group_id="film")
        deliver("arn:aws:sqs:eu-west-1:0:standard", body)
    with pytest.raises(KeyError):
        deliver("arn:aws:sqs:eu-west-1:0:nobody's", "c")
    own: dict[str, Any] = {}
    sqs["_ensure_msg_fields"](own)

    numbers = {name: [message["seq"] for message in queue["messages"]] for name, queue in sqs["queues"].items()}
    assert numbers == {"steps.fifo": ["0" * 18 + "10", "0" * 18 + "11"], "standard": [None, None]}
    assert own == {"seq": None}


@pytest.mark.parametrize(("is_fifo", "shown"), [(False, 2), (True, 5)])
def test_who_receives_from_a_standard_queue_looks_at_no_more_messages_than_it_may_take(
    modules: dict[str, dict[str, Any]],
    is_fifo: bool,  # noqa: FBT001
    shown: int,
) -> None:
    times = [0.0, 4e9, 0.0, 0.0]
    messages: list[dict[str, Any]] = [{"visible_at": at, "body": str(number)} for number, at in enumerate(times)]
    messages.insert(2, {"body": "from a topic"})
    queue = {"is_fifo": is_fifo, "messages": messages}

    *taken, note = modules["sqs"]["_collect_msgs"](queue, 2, 30)

    assert note == f"of {shown} shown"
    assert [message["body"] for message in taken] == (["0", "1"] if is_fifo else ["0", "from a topic"])
    assert len(messages) == len(times) + 1
