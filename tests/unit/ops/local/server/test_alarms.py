"""`DescribeAlarms` as Terraform reads it, with a fake of MiniStack's own handler."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from media_events_kit.ops.local.server import alarms

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


@pytest.fixture(name="cloudwatch")
def _cloudwatch() -> ModuleType:
    """CloudWatch as the local cloud leaves it."""
    cloudwatch = ModuleType("cloudwatch")

    def answer(_params: Any, data: Any, is_cbor: bool, is_json: bool = False) -> tuple[int, dict[str, str], bytes]:  # noqa: FBT001, FBT002
        if is_cbor or not is_json:
            return 200, {}, b"as MiniStack answers"
        if data.get("MaxRecords") == "0":
            return 400, {}, b"{}"
        found = [alarm for alarm in (STATIC, PERCENTILE, EXPRESSION) if alarm["AlarmName"] in data["AlarmNames"]]
        return 200, {}, json.dumps({"MetricAlarms": found, "CompositeAlarms": []}).encode()

    def xml(status: int, root: str, inner: str) -> tuple[int, dict[str, str], bytes]:
        return status, {"Content-Type": "application/xml"}, f"<{root}>{inner}</{root}>".encode()

    def put(params: Any, _data: Any, is_cbor: bool, is_json: bool = False) -> tuple[int, dict[str, str], bytes]:  # noqa: FBT001, FBT002
        if params["AlarmName"] == ["refused"]:
            return 400, {}, b""
        told = [] if not is_cbor and not is_json else ["as MiniStack remembers"]
        stored[params["AlarmName"][0]] = {"InsufficientDataActions": told}
        return 200, {}, b""

    stored: dict[str, Any] = {}
    vars(cloudwatch).update(_describe_alarms=answer, _put_metric_alarm=put, _alarms=stored, _xml=xml)
    alarms.correct(cloudwatch)
    return cloudwatch


@pytest.fixture(name="describe")
def _describe(cloudwatch: ModuleType) -> Any:
    """The handler of `DescribeAlarms` as the local cloud leaves it."""
    return vars(cloudwatch)["_describe_alarms"]


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


@pytest.mark.parametrize(
    ("name", "protocol", "remembered"),
    [
        ("oldest-open", QUERY, {"oldest-open": {"InsufficientDataActions": ["topic-1", "topic-2"]}}),
        ("oldest-open", CBOR, {"oldest-open": {"InsufficientDataActions": ["as MiniStack remembers"]}}),
        ("refused", QUERY, {}),
    ],
)
def test_whom_to_tell_of_a_lack_of_data_is_remembered(
    cloudwatch: ModuleType, name: str, protocol: tuple[bool, bool], remembered: dict[str, Any]
) -> None:
    actions = {f"InsufficientDataActions.member.{n}": [f"topic-{n}"] for n in (1, 2)}

    vars(cloudwatch)["_put_metric_alarm"]({"AlarmName": [name]} | actions, {}, *protocol)

    assert vars(cloudwatch)["_alarms"] == remembered


def test_an_alarm_on_a_percentile_has_no_statistic(describe: Any) -> None:
    found = alarm(describe, "latency")

    assert (found.findtext("ExtendedStatistic"), found.find("Statistic")) == ("p99", None)


def test_an_alarm_on_an_expression_has_no_metric_of_its_own(describe: Any) -> None:
    found = alarm(describe, "rate")

    assert [found.find(name) for name in ("MetricName", "Namespace", "Statistic", "Period")] == [None] * 4


def test_other_protocols_and_refusals_are_ministacks_own(describe: Any) -> None:
    assert describe({}, {}, *CBOR)[2] == b"as MiniStack answers"
    assert describe({"MaxRecords": ["0"]}, {}, *QUERY)[2] == b"as MiniStack answers"
