"""EventBridge's rules as they are deployed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.core.clock import timestamp
from media_events.core.failures import PermanentConfigError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import DescribeRuleResponseTypeDef

    from media_events.core.envelope import Event


class EventRules:
    """Implements ``recovery.ports.Rules``.

    EventBridge itself judges, by ``DescribeRule`` and ``TestEventPattern``
    (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html). Between its answer and the
    event's arrival a change of the rule can still come: seconds at most, where there were days.
    """

    def __init__(self, client: EventBridgeClient) -> None:
        self._client = client

    def require_taken(self, rule_arn: str, event: Event) -> None:
        """See ``recovery.ports.Rules``."""
        name = rule_arn.rpartition("/")[2]
        rule = self._rule(rule_arn)
        if rule.get("State") == "DISABLED":
            raise PermanentConfigError("rule-disabled", f"the rule {name} is disabled, so it would not take the event")
        with translated(f"testing the pattern of the rule {name}"):
            answer = self._client.test_event_pattern(
                EventPattern=rule["EventPattern"], Event=_on_the_bus(event, rule_arn)
            )
        if not answer["Result"]:
            raise PermanentConfigError(
                "not-taken", f"the pattern of the rule {name} does not match the event any more, so it would be lost"
            )

    def _rule(self, rule_arn: str) -> DescribeRuleResponseTypeDef:
        # …:rule/<bus>/<rule>; a rule of the default bus has no bus in its ARN.
        *bus, name = rule_arn.split("/")[1:]
        try:
            return self._client.describe_rule(Name=name, EventBusName=bus[0] if bus else "default")
        except (BotoCoreError, ClientError) as error:
            if error_code(error) == "ResourceNotFoundException":
                raise PermanentConfigError(
                    "rule-gone", f"there is no rule {name} any more: none takes the event"
                ) from error
            translate(error, f"reading the rule {name}")


def _on_the_bus(event: Event, rule_arn: str) -> str:
    """``event`` as EventBridge would hand it to the rule, with an id that stands for the one that it would give."""
    _, _, _, region, account, _ = rule_arn.split(":", 5)
    return json.dumps(
        {
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "detail-type": event.metadata.type,
            "source": event.metadata.source,
            "account": account,
            "time": timestamp(time.time()),
            "region": region,
            "resources": [],
            "detail": json.loads(event.to_json()),
        }
    )
