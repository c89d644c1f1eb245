"""What shows a stack as a whole: two alarms that tell of all others, and a resource group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.model.settings import Alarms
from media_events_kit.infra.stacks.cdk import (
    Construct,
    TerraformHclModule,
    TerraformLocal,
    TerraformResource,
    aws_resource,
)
from media_events_kit.infra.stacks.terraform_literals import literal

CHILDREN: Final = 50
"""Alarms that one composite alarm names. Its rule may name 100 and have 10,240 characters, and no name of an alarm has
120 (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html)."""

PERSON_NEEDED: Final = "person-needed"
SLOW: Final = "slow"
DESCRIPTIONS: Final = {
    PERSON_NEEDED: "A person is needed. The alarms in this one's rule say for what, as does `media-events status`.",
    SLOW: "Events wait for long. The alarms in this one's rule say where, as does `media-events status`.",
}


def left_to_modules(alarms: Alarms) -> list[str]:
    """The states of which the modules' own alarms notify: the composite alarms notify of the others.

    A lack of data is news for an alarm that must have some. No composite alarm can tell it: it would also tell of the
    first minutes of each new alarm.
    """
    return [state for state in alarms.notify_on if state == "INSUFFICIENT_DATA"]


class Monitoring:
    """Adds to the ``scope`` of an ``environment`` what shows it as a whole; ``modules`` are those that have alarms."""

    def __init__(self, scope: Construct, environment: Environment, modules: Sequence[TerraformHclModule]) -> None:
        self._scope = scope
        self._environment = environment
        self._modules = modules

    def composite_alarms(self, topic_arn: str) -> list[str]:
        """Add the alarms that notify for all others; expressions of the lists of their ARNs.

        Where the workflow names nobody for what needs a person, the review topic is told. A composite alarm costs as
        much as five others, so there is none for warnings of which nobody is told.
        """
        alarms = self._environment.workflow.settings.alarms
        if not alarms.enabled:
            return []
        critical = literal(alarms.actions.critical) or [topic_arn]
        added = []
        if "critical" in alarms.severities:
            added.append(self._composite_alarm(PERSON_NEEDED, "critical", critical))
        if "warning" in alarms.severities and alarms.actions.warning:
            added.append(self._composite_alarm(SLOW, "warning", literal(alarms.actions.warning)))
        return added

    def _composite_alarm(self, name: str, severity: Literal["critical", "warning"], actions: list[str]) -> str:
        merged = ", ".join(f"module.{module.friendly_unique_id}.alarm_names.{severity}" for module in self._modules)
        names = self._local(f"{name}-alarms", f"tolist(values(merge({merged})))")
        chunks, many = f"chunklist({names}, {CHILDREN})", f"length({names}) > {CHILDREN}"
        full_name = f"{self._environment.prefix}-{name}"
        part = f"{full_name}-${{count.index + 1}}"
        runbook = literal(f" Runbook: {self._environment.workflow.settings.alarms.runbook_url}#person-needed")
        described = f"Part of {full_name}, which notifies.{runbook}"
        some = self._alarm(f"{name}-part", part, described, f"{chunks}[count.index]")
        parts = f"aws_cloudwatch_composite_alarm.{some.friendly_unique_id}[*]"
        some.add_override("count", f"${{{many} ? length({chunks}) : 0}}")
        whole = self._alarm(name, full_name, DESCRIPTIONS[name] + runbook, f"{many} ? {parts}.alarm_name : {names}")
        whole.add_override("count", f"${{length({names}) > 0 ? 1 : 0}}")
        states = self._environment.workflow.settings.alarms.notify_on
        if "ALARM" in states:
            whole.add_override("alarm_actions", actions)
        if "OK" in states:
            whole.add_override("ok_actions", actions)
        return f"aws_cloudwatch_composite_alarm.{whole.friendly_unique_id}[*].arn"

    def _alarm(self, identifier: str, name: str, description: str, children: str) -> TerraformResource:
        """Add a composite alarm that rings when one of its ``children`` does, an expression of a list of names."""
        return aws_resource(
            self._scope,
            "aws_cloudwatch_composite_alarm",
            identifier,
            {
                "alarm_name": name,
                "alarm_description": description,
                "alarm_rule": f'${{join(" OR ", formatlist("ALARM(%q)", {children}))}}',
            },
            # CloudWatch refuses a rule with the name of an alarm that is not there, and names say nothing of that.
            depends_on=[*self._modules],
        )

    def resource_group(self, tags: Mapping[str, str]) -> None:
        """Add the group of everything that has these ``tags``."""
        query = {
            "ResourceTypeFilters": ["AWS::AllSupported"],
            "TagFilters": [{"Key": key, "Values": [value]} for key, value in tags.items()],
        }
        arguments = {
            "name": self._environment.prefix,
            "description": f"Everything of {self._environment.prefix}.",
            "resource_query": {"query": literal(json.dumps(query))},
        }
        aws_resource(self._scope, "aws_resourcegroups_group", "resources", arguments)

    def _local(self, name: str, value: str) -> str:
        """Add a local value of an expression; the expression of it."""
        local = TerraformLocal(self._scope, name, f"${{{value}}}")
        return f"local.{local.friendly_unique_id}"
