"""`DescribeAlarms` with everything that Terraform declared.

The AWS provider uses CloudWatch's Query protocol. There MiniStack omits an alarm's description, dimensions, period,
statistic and actions (its JSON answer has them), and invents a period and a statistic for an alarm with a percentile or
an expression. It forgets whom to tell of a lack of data. Every plan would set them again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from media_events_kit.ops.local.server.corrections import Answer, replace


def correct(cloudwatch: Any) -> None:
    """Complete the answers and the alarms of ``ministack.services.cloudwatch``."""

    def remembering(put_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def put_metric_alarm(params: Mapping[str, Any], data: Mapping[str, Any], *protocol: bool) -> Answer:
            answer = put_of_ministack(params, data, *protocol)
            if answer[0] == HTTPStatus.OK and not any(protocol):
                declared = _as_json(params)
                alarm = vars(cloudwatch)["_alarms"][declared["AlarmName"]]
                alarm["InsufficientDataActions"] = declared.get("InsufficientDataActions", [])
            return answer

        return put_metric_alarm

    def completed(answer_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def describe_alarms(params: Mapping[str, Any], data: Mapping[str, Any], *protocol: bool) -> Answer:
            """``protocol`` says whether the request is CBOR, and whether it is JSON."""
            if any(protocol):
                return answer_of_ministack(params, data, *protocol)
            is_cbor, is_json = False, True
            status, _, body = answer_of_ministack({}, _as_json(params), is_cbor, is_json)
            if status != HTTPStatus.OK:
                return answer_of_ministack(params, data, *protocol)
            alarms = json.loads(body)
            alarms["MetricAlarms"] = [_as_declared(alarm) for alarm in alarms["MetricAlarms"]]
            result = as_xml("DescribeAlarmsResult", {"DescribeAlarmsResult": alarms})
            answer: Answer = vars(cloudwatch)["_xml"](status, "DescribeAlarmsResponse", result)
            return answer

        return describe_alarms

    replace(cloudwatch, "_describe_alarms", completed)
    replace(cloudwatch, "_put_metric_alarm", remembering)


def _as_declared(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm without MiniStack's inventions: an expression has no metric of its own, a percentile no statistic."""
    invented: set[str] = {"Statistic"} if alarm.get("ExtendedStatistic") else set()
    if not alarm.get("MetricName"):
        invented |= {"MetricName", "Namespace", "Statistic", "Period", "Dimensions"}
    return {name: value for name, value in alarm.items() if name not in invented}


def _as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """``AlarmNames.member.1=a`` as ``{"AlarmNames": ["a"]}``."""
    data: dict[str, Any] = {}
    for name, values in sorted(params.items()):
        value = values[0] if isinstance(values, list) else values
        head, _, member = name.partition(".member.")
        if member:
            data.setdefault(head, []).append(value)
        else:
            data[head] = value
    return data


def as_xml(name: str, value: Any) -> str:
    """A JSON value as the Query protocol writes it; ``name`` is the element that it is in."""
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{as_xml(key, item)}</{key}>" for key, item in value.items() if item is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(f"<member>{as_xml(name, item)}</member>" for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if name.endswith("Timestamp") and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
