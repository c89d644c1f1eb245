"""The configuration document of the redrive function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from media_events.core.configuration import ConfigurationError
from media_events.recovery.redrive_policy import DeadLetterQueue, RedrivePolicy, RedriveTarget


def parse_queues(document: Mapping[str, Any]) -> dict[str, DeadLetterQueue]:
    """Read ``{"dead_letter_queues": {"<arn>": {...}}}``; the result is by ARN.

    Raises:
        ConfigurationError: naming every mistake.
    """
    queues = document.get("dead_letter_queues")
    if not isinstance(queues, Mapping) or not queues:
        raise ConfigurationError(["dead_letter_queues must be a map of queue ARNs to their hops"])
    problems: list[str] = []
    parsed = {str(arn): _queue(str(arn), value, problems) for arn, value in queues.items()}
    if problems:
        raise ConfigurationError(problems)
    return {arn: queue for arn, queue in parsed.items() if queue is not None}


def _queue(arn: str, value: Any, problems: list[str]) -> DeadLetterQueue | None:
    if not isinstance(value, Mapping):
        problems.append(f"{arn} must be an object")
        return None
    mistakes = [
        f"{arn}: {name} must be text" for name in ("url", "hop", "destination") if not _is_text(value.get(name))
    ]
    mistakes += [
        f"{arn}: {name} must be text or null"
        for name in ("queue_url", "function_arn", "idempotency_table", "consumer_arn")
        if value.get(name) is not None and not _is_text(value.get(name))
    ]
    redrive_target = value.get("redrive_target")
    needs = {"queue": "queue_url", "function": "function_arn", "bus": None, "none": None}
    if redrive_target not in needs:
        mistakes.append(f"{arn}: redrive_target must be queue, bus, function or none")
    elif needs[redrive_target] is not None and value.get(needs[redrive_target] or "") is None:
        mistakes.append(f"{arn}: redrive_target = {redrive_target} needs {needs[redrive_target]}")
    policy = _policy(arn, value.get("redrive"), mistakes)
    problems.extend(mistakes)
    if mistakes:
        return None
    return DeadLetterQueue(
        arn=arn,
        url=value["url"],
        hop=value["hop"],
        destination=value["destination"],
        redrive_target=cast("RedriveTarget", redrive_target),
        queue_url=value.get("queue_url"),
        function_arn=value.get("function_arn"),
        policy=policy,
        idempotency_table=value.get("idempotency_table"),
        consumer_arn=value.get("consumer_arn"),
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _policy(arn: str, value: Any, mistakes: list[str]) -> RedrivePolicy:
    if value is None:
        return RedrivePolicy()
    if not isinstance(value, Mapping):
        mistakes.append(f"{arn}: redrive must be an object")
        return RedrivePolicy()
    numbers: dict[str, Any] = {}
    for name in ("max_count", "base_delay_seconds", "max_delay_seconds", "max_age_seconds", "max_per_second"):
        number = value.get(name)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 2**31:
            mistakes.append(f"{arn}: redrive.{name} must be a number of 0 or more")
        else:
            numbers[name] = number
    if numbers.get("max_per_second") == 0:
        mistakes.append(f"{arn}: redrive.max_per_second must be above 0; max_count = 0 switches re-driving off")
    return RedrivePolicy(**numbers)
