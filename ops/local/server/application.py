"""MiniStack's application, with some answers corrected. Runs in its own environment, on the standard library alone.

MiniStack 1.5.33 differs from AWS in these points:

- The AWS provider uses CloudWatch's Query protocol. There MiniStack omits an alarm's description, dimensions, period,
  statistic and actions (its JSON answer has them), and invents a period and a statistic for an alarm with a percentile
  or an expression. Every plan would set them again.
- IAM has no actions for the batches of SQS and SNS: the permission to send one message covers ten. MiniStack checks the
  batches under names of their own.
- For EventBridge it knows the ARNs of buses, and of rules only in requests that have them as Name. It checks archives,
  replays and a rule's targets against ``*`` or the bus.
- It loses the policy that an event bus is given as a whole.
- It has no tags for rules on a bus with slashes in its name, as a partner's has, so that the provider can't read them.
- It sends a replay to every rule of the bus, in spite of the replay's FilterArns.
- A message from a FIFO topic gets no SequenceNumber in a FIFO queue.
- Each receive completes all messages of the queue first, which takes 20 ms for ten thousand and blocks everything.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Any

Answer = tuple[int, dict[str, str], bytes]

_cloudwatch: Any = importlib.import_module("ministack.services.cloudwatch")
_answer_of_ministack: Any = vars(_cloudwatch)["_describe_alarms"]
_answer_in_xml: Any = vars(_cloudwatch)["_xml"]


def _describe_alarms(params: Mapping[str, Any], data: Mapping[str, Any], *protocol: bool) -> Answer:
    """MiniStack's handler; ``protocol`` says whether the request is CBOR, and whether it is JSON."""
    if any(protocol):
        answer: Answer = _answer_of_ministack(params, data, *protocol)
        return answer
    is_cbor, is_json = False, True
    status, _, body = _answer_of_ministack({}, _as_json(params), is_cbor, is_json)
    if status != HTTPStatus.OK:
        refusal: Answer = _answer_of_ministack(params, data, *protocol)
        return refusal
    alarms = json.loads(body)
    alarms["MetricAlarms"] = [_as_declared(alarm) for alarm in alarms["MetricAlarms"]]
    result = as_xml("DescribeAlarmsResult", {"DescribeAlarmsResult": alarms})
    completed: Answer = _answer_in_xml(status, "DescribeAlarmsResponse", result)
    return completed


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


vars(_cloudwatch)["_describe_alarms"] = _describe_alarms

_eventbridge: Any = importlib.import_module("ministack.services.eventbridge")
_permission_of_ministack: Any = vars(_eventbridge)["_put_permission"]
_tagged_of_ministack: Any = vars(_eventbridge)["_resolve_taggable_events_arn"]


def _put_permission(data: Mapping[str, Any]) -> Answer:
    """MiniStack's handler, and the form with a whole policy, which replaces what the bus has."""
    done: Answer = _permission_of_ministack(data)
    policy = data.get("Policy")
    if policy and done[0] == HTTPStatus.OK:
        vars(_eventbridge)["_event_bus_policies"][data.get("EventBusName", "default")] = json.loads(policy)
    return done


def _resolve_taggable_events_arn(arn: str) -> tuple[str | None, Answer | None]:
    """MiniStack's look-up, and rules on partners' buses: ``…:rule/aws.partner/<partner>/<name>/<rule>``."""
    found: tuple[str | None, Answer | None] = _tagged_of_ministack(arn)
    bus, _, rule = arn.partition(":rule/")[2].rpartition("/")
    record = vars(_eventbridge)["_rules"].get(f"{bus}|{rule}") if "/" in bus else None
    return (arn, None) if record and record.get("Arn") == arn else found


_invoke_of_ministack: Any = vars(_eventbridge)["_invoke_target"]


def _invoke_target(
    target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
) -> None:
    """MiniStack's, which sends a replay with FilterArns to those rules alone."""
    replay = vars(_eventbridge)["_replays"].get(event.get("ReplayName")) or {}
    wanted = replay.get("Destination", {}).get("FilterArns")
    if not wanted or rule.get("Arn") in wanted:
        _invoke_of_ministack(target, event, rule, view)


vars(_eventbridge).update(
    _put_permission=_put_permission,
    _resolve_taggable_events_arn=_resolve_taggable_events_arn,
    _invoke_target=_invoke_target,
)

_sqs: Any = importlib.import_module("ministack.services.sqs")
_sns: Any = importlib.import_module("ministack.services.sns")
_message_of_ministack: Any = vars(_sqs)["_ensure_msg_fields"]
_delivery_of_ministack: Any = vars(_sns)["_deliver_to_sqs"]
_collected_by_ministack: Any = vars(_sqs)["_collect_msgs"]
_numbered = threading.local()


def _deliver_to_sqs(endpoint: str, *arguments: Any, **named: Any) -> None:
    """MiniStack's, which numbers a topic's messages in a FIFO queue too."""
    queue = vars(_sqs)["_queue_by_arn"](endpoint) or {}
    if queue.get("is_fifo"):
        queue["fifo_seq"] = queue.get("fifo_seq", 0) + 1
        _numbered.next = str(queue["fifo_seq"]).zfill(20)
    try:
        _delivery_of_ministack(endpoint, *arguments, **named)
    finally:
        _numbered.next = None


def _ensure_msg_fields(message: dict[str, Any]) -> None:
    """MiniStack's, and the number of a message from a topic."""
    number = getattr(_numbered, "next", None)
    if number is not None:
        message.setdefault("seq", number)
    _message_of_ministack(message)


def _collect_msgs(queue: Mapping[str, Any], most: int, visibility_timeout: int) -> list[dict[str, Any]]:
    """MiniStack's, which sees only as many messages of a standard queue as it may take."""
    if queue["is_fifo"]:
        ordered: list[dict[str, Any]] = _collected_by_ministack(queue, most, visibility_timeout)
        return ordered
    now = time.time()
    visible = (message for message in queue["messages"] if message.get("visible_at", now) <= now)
    first = {**queue, "messages": list(islice(visible, most))}
    collected: list[dict[str, Any]] = _collected_by_ministack(first, most, visibility_timeout)
    return collected


vars(_sqs)["_ensure_msg_fields"] = _ensure_msg_fields
vars(_sqs)["_collect_msgs"] = _collect_msgs
vars(_sns)["_deliver_to_sqs"] = _deliver_to_sqs

_iam: Any = importlib.import_module("ministack.core.iam_actions")
_action_of_ministack: Any = vars(_iam)["extract_iam_action"]
BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}


def _extract_iam_action(*request: Any) -> str | None:
    """MiniStack's answer; for a batch the action that a policy names."""
    action: str | None = _action_of_ministack(*request)
    return BATCHES.get(action, action) if action else None


_resource_of_ministack: Any = vars(_iam)["extract_resource_arn"]


def _extract_resource_arn(  # noqa: PLR0913, PLR0917 - as MiniStack calls it
    service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any, region: str, account_id: str
) -> str:
    """MiniStack's answer; for EventBridge's archives, replays and the targets of rules, the ARN that a policy names."""
    if service == "events":
        request = json.loads(body or b"{}")
        head = f"arn:aws:events:{region}:{account_id}"
        if "ReplayName" in request:
            return f"{head}:replay/{request['ReplayName']}"
        if "ArchiveName" in request:
            return f"{head}:archive/{request['ArchiveName']}"
        if "Rule" in request and "EventBusName" in request:
            bus = str(request["EventBusName"]).rpartition("event-bus/")[2]
            return f"{head}:rule/{bus}/{request['Rule']}"
    found: str = _resource_of_ministack(service, method, path, headers, body, query_params, region, account_id)
    return found


vars(_iam).update(extract_iam_action=_extract_iam_action, extract_resource_arn=_extract_resource_arn)

app: Any = importlib.import_module("ministack.app").app
