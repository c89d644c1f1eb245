"""The configuration document of the redrive function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from media_events.core.config_fields import Fields
from media_events.core.configuration import ConfigurationError
from media_events.recovery.redrive_policy import DeadLetterQueue, RedrivePolicy, RedriveTarget

_NEEDED: Final = {"queue": "queue_url", "function": "function_arn"}

MAX_COUNT: Final = 100
MAX_DELAY_SECONDS: Final = 39_600.0
"""A message can be held invisible for 12 hours in all, and an hour of that is for the redrive itself."""
MAX_AGE_SECONDS: Final = 1_166_400
MAX_PER_SECOND: Final = 10_000.0


def parse_queues(document: Mapping[str, Any]) -> dict[str, DeadLetterQueue]:
    """Read ``{"dead_letter_queues": {"<arn>": {...}}}``; the result is by ARN.

    Raises:
        ConfigurationError: naming every mistake.
    """
    queues = document.get("dead_letter_queues")
    if not isinstance(queues, Mapping) or not queues:
        raise ConfigurationError(["dead_letter_queues: must be a map of queue ARNs to their hops"])
    problems: list[str] = []
    parsed = {str(arn): _queue(str(arn), Fields(value, str(arn), problems)) for arn, value in queues.items()}
    if problems:
        raise ConfigurationError(problems)
    return parsed


def _queue(arn: str, fields: Fields) -> DeadLetterQueue:
    target = fields.choice("redrive_target", get_args(RedriveTarget), required=True)
    if target in _NEEDED and not fields.has(_NEEDED[target]):
        fields.problem("redrive_target", f"{target} needs {_NEEDED[target]}")
    queue = DeadLetterQueue(
        arn=arn,
        url=fields.text("url", required=True) or "",
        hop=fields.text("hop", required=True) or "",
        destination=fields.text("destination", required=True) or "",
        redrive_target=cast("RedriveTarget", target),
        queue_url=fields.text("queue_url"),
        function_arn=fields.text("function_arn"),
        policy=_policy(fields.table("redrive")),
        idempotency_table=fields.text("idempotency_table"),
        ordered=fields.boolean("ordered", default=False),
        consumer_arn=fields.text("consumer_arn"),
        function_role_id=fields.text("function_role_id"),
        from_rules=fields.boolean("from_rules", default=False),
        rule_arn=fields.text("rule_arn"),
    )
    if queue.inspector_arn is not None and queue.function_role_id is None:
        fields.problem("function_role_id", "an ingress's dead letters are believed by the role that sent them")
    return queue


def _policy(fields: Fields | None) -> RedrivePolicy:
    if fields is None:
        return RedrivePolicy()
    defaults = RedrivePolicy()
    return RedrivePolicy(
        max_count=fields.integer("max_count", default=defaults.max_count, low=0, high=MAX_COUNT),
        base_delay_seconds=fields.number(
            "base_delay_seconds", default=defaults.base_delay_seconds, low=0, high=MAX_DELAY_SECONDS
        ),
        max_delay_seconds=fields.number(
            "max_delay_seconds", default=defaults.max_delay_seconds, low=0, high=MAX_DELAY_SECONDS
        ),
        max_age_seconds=fields.number("max_age_seconds", default=defaults.max_age_seconds, low=0, high=MAX_AGE_SECONDS),
        max_per_second=fields.number("max_per_second", default=defaults.max_per_second, high=MAX_PER_SECOND),
    )
