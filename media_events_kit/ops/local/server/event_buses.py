"""EventBridge: policies of buses, tags of rules, and replays to chosen rules.

MiniStack loses the policy that an event bus is given as a whole. It has no tags for rules on a bus with slashes in its
name, as a partner's has, so that the provider can't read them. It sends a replay to every rule of the bus, in spite of
the replay's FilterArns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from media_events_kit.ops.local.server.corrections import Answer, replace


def correct(eventbridge: Any) -> None:
    """Correct ``ministack.services.eventbridge``."""
    known = vars(eventbridge)

    def with_whole_policies(permission_of_ministack: Callable[..., Answer]) -> Callable[..., Answer]:
        def put_permission(data: Mapping[str, Any]) -> Answer:
            """The form with a whole policy replaces what the bus has."""
            done = permission_of_ministack(data)
            policy = data.get("Policy")
            if policy and done[0] == HTTPStatus.OK:
                known["_event_bus_policies"][data.get("EventBusName", "default")] = json.loads(policy)
            return done

        return put_permission

    def with_partner_buses(tagged_of_ministack: Callable[..., Any]) -> Callable[..., Any]:
        def resolve_taggable_events_arn(arn: str) -> tuple[str | None, Answer | None]:
            """A rule on a partner's bus is ``…:rule/aws.partner/<partner>/<name>/<rule>``."""
            found: tuple[str | None, Answer | None] = tagged_of_ministack(arn)
            bus, _, rule = arn.partition(":rule/")[2].rpartition("/")
            record = known["_rules"].get(f"{bus}|{rule}") if "/" in bus else None
            return (arn, None) if record and record.get("Arn") == arn else found

        return resolve_taggable_events_arn

    def with_chosen_rules(invoke_of_ministack: Callable[..., None]) -> Callable[..., None]:
        def invoke_target(
            target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
        ) -> None:
            """A replay with FilterArns goes to those rules alone."""
            replay = known["_replays"].get(event.get("ReplayName")) or {}
            wanted = replay.get("Destination", {}).get("FilterArns")
            if not wanted or rule.get("Arn") in wanted:
                invoke_of_ministack(target, event, rule, view)

        return invoke_target

    replace(eventbridge, "_put_permission", with_whole_policies)
    replace(eventbridge, "_resolve_taggable_events_arn", with_partner_buses)
    replace(eventbridge, "_invoke_target", with_chosen_rules)
