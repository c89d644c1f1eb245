"""The alarms reach somebody: by an action of their own or of a composite alarm, on a topic that has a subscriber."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from media_events.core.json_fields import text
from media_events_kit.ops.verify.asking import MissingError, NotToldError, Problem, ask_pages, judged, skipped
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "alarms"
SHOWN: Final = 5
Alarm = Mapping[str, Any]
_MEMBER: Final = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*[\"']?(?P<alarm>[^)\"']+?)[\"']?\s*\)")
"""A composite alarm's rule names alarms, by name or by ARN.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""


def check(deployed: Deployed) -> Iterator[Finding]:
    """Every alarm has an action, or is in a composite alarm that has one; every topic has a confirmed subscription."""
    try:
        alarms = _alarms(deployed)
    except (NotToldError, MissingError) as error:
        told = error if isinstance(error, NotToldError) else NotToldError("there are none", "apply again")
        yield skipped(CHECK, "alarms", told)
        alarms = []
    else:
        yield judged(CHECK, "alarms", f"all {len(alarms)} have somebody to tell", _unheard, alarms)
    topics = {action for alarm in alarms for action in actions(alarm) if ":sns:" in action}
    review = text(deployed.outputs.get("topic_arn"))
    for topic in sorted(topics | ({review} if review else set())):
        yield judged(
            CHECK,
            f"topic {topic.rpartition(':')[2]}",
            "has a subscriber",
            _subscribers,
            deployed,
            topic,
            missing="make it, or correct its ARN in the workflow file: settings.alarms",
        )


def _alarms(deployed: Deployed) -> list[Alarm]:
    """The deployment's alarms, by the beginning of their names."""
    client, found = deployed.client("cloudwatch"), []
    for kind, field in (("MetricAlarm", "MetricAlarms"), ("CompositeAlarm", "CompositeAlarms")):
        pages = ask_pages(
            client.describe_alarms,
            "cloudwatch:DescribeAlarms",
            field,
            AlarmNamePrefix=f"{deployed.bus_name}-",
            AlarmTypes=[kind],
        )
        found += list(pages)
    return found


def actions(alarm: Alarm) -> Sequence[str]:
    """What an alarm does when it goes off; nothing where its actions are switched off."""
    return list(alarm.get("AlarmActions") or ()) if alarm.get("ActionsEnabled", True) else []


def unheard(alarms: Sequence[Alarm]) -> list[str]:
    """The names of alarms that tell nobody, neither by themselves nor by a composite alarm."""
    heard = {alarm["AlarmName"] for alarm in alarms if actions(alarm)}
    members = {
        alarm["AlarmName"]: {name.rpartition(":alarm:")[2] for name in _MEMBER.findall(alarm["AlarmRule"])}
        for alarm in alarms
        if "AlarmRule" in alarm
    }
    # A composite alarm may be in another one.
    pending = [name for name in members if name in heard]
    while pending:
        new = members.get(pending.pop(), set()) - heard
        heard |= new
        pending += sorted(new)
    return sorted(alarm["AlarmName"] for alarm in alarms if alarm["AlarmName"] not in heard)


def _unheard(alarms: Sequence[Alarm]) -> Iterator[Problem]:
    if not alarms:
        yield Problem("there are none, so nobody is told of any trouble", "switch alarms on in the workflow file")
    silent = unheard(alarms)
    if silent:
        shown = ", ".join(silent[:SHOWN]) + (f" and {len(silent) - SHOWN} more" if len(silent) > SHOWN else "")
        yield Problem(
            f"{len(silent)} of {len(alarms)} tell nobody: {shown}",
            "give them actions: settings.alarms in the workflow file",
        )


def _subscribers(deployed: Deployed, topic: str) -> Iterator[Problem]:
    subscriptions = list(
        ask_pages(
            deployed.client("sns").list_subscriptions_by_topic,
            "sns:ListSubscriptionsByTopic",
            "Subscriptions",
            TopicArn=topic,
        )
    )
    confirmed = [one for one in subscriptions if str(one.get("SubscriptionArn")).startswith("arn:")]
    if not confirmed:
        state = "one that is not confirmed" if subscriptions else "none"
        yield Problem(
            f"has no subscriber ({state}), so nobody reads what it says",
            f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint …, and confirm it",
        )
