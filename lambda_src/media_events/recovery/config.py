"""The configuration document of the redrive function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from media_events.core.config_fields import Fields
from media_events.core.configuration import ConfigurationError
from media_events.core.json_fields import is_number
from media_events.recovery.redrive_policy import DeadLetterQueue, RedrivePolicy, RedriveTarget

_NEEDED: Final = {"queue": "queue_url", "function": "function_arn"}
_NUMBERS: Final = ("max_count", "base_delay_seconds", "max_delay_seconds", "max_age_seconds", "max_per_second")


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
    return DeadLetterQueue(
        arn=arn,
        url=fields.text("url", required=True) or "",
        hop=fields.text("hop", required=True) or "",
        destination=fields.text("destination", required=True) or "",
        redrive_target=cast("RedriveTarget", target),
        queue_url=fields.text("queue_url"),
        function_arn=fields.text("function_arn"),
        policy=_policy(fields.table("redrive")),
        idempotency_table=fields.text("idempotency_table"),
        consumer_arn=fields.text("consumer_arn"),
    )


def _policy(fields: Fields | None) -> RedrivePolicy:
    if fields is None:
        return RedrivePolicy()
    numbers = {name: fields.values[name] for name in _NUMBERS if fields.has(name)}
    for name, number in numbers.items():
        if not is_number(number) or not 0 <= number < 2**31:
            fields.problem(name, "must be a number of 0 or more")
    if numbers.get("max_per_second") == 0:
        fields.problem("max_per_second", "must be above 0; max_count = 0 switches redriving off")
    return RedrivePolicy(**numbers)
