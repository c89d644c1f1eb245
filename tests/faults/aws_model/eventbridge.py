"""Amazon EventBridge: a bus, its rules and their targets."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ReadTimeoutError

from media_events_kit.event_patterns.event_fields import FlatEvent
from media_events_kit.event_patterns.matcher import matches_any
from media_events_kit.event_patterns.normal_form import Branch
from media_events_kit.event_patterns.validate import compile_pattern
from tests.faults.aws_model.scheduler import World, refusal, subject_of
from tests.faults.aws_model.sqs import Queue

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 262_144


@dataclass(eq=False, slots=True, kw_only=True)
class Rule:
    """A rule with one target, a queue, and the dead-letter queue of that target. It may miss events of before."""

    name: str
    pattern: Mapping[str, Any]
    target: Queue | None
    dead_letters: Queue | None = None
    effective_at: float = 0.0

    @property
    def arn(self) -> str:
        return f"arn:aws:events:eu-west-1:123456789012:rule/kit/{self.name}"


@dataclass
class Bus:
    """A bus.

    - ``PutEvents`` takes ten entries and 256 KiB, and may refuse some of them in a successful answer
      (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
    - An event reaches every rule that it matches at least once, and events in no order
      (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html).
    - What can't be delivered to a target in time goes to that target's dead-letter queue, with the rule's ARN and the
      reason in its attributes (…/eb-rule-dlq.html); where the target is at fault at once, else when retries have ended.
    """

    world: World
    name: str
    rules: list[Rule] = field(default_factory=list)
    put: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """The events that were put, and by which function (empty: from outside)."""
    times: list[float] = field(default_factory=list)
    """When each of them was."""
    strays: list[tuple[str, str]] = field(default_factory=list)
    """Events that were sent for some rules, and the other rules that they reached."""

    _branches: dict[str, Sequence[Branch]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:events:eu-west-1:123456789012:event-bus/{self.name}"

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        """As in boto3's client.

        Raises:
            ClientError: the call was refused.
        """
        size = sum(len(str(entry[name]).encode()) for entry in Entries for name in ("Source", "DetailType", "Detail"))
        if not 0 < len(Entries) <= MAX_ENTRIES or size > MAX_BYTES:
            raise refusal("ValidationException", "PutEvents")
        world, subject = self.world, subject_of(Entries[0]["Detail"])
        taken: list[str] = []

        def put() -> dict[str, Any]:
            answers: list[dict[str, str]] = []
            # A repetition of botocore's, whose caller can't know that the first request took effect.
            world.windows.update(("bus", about) for about in taken)
            for entry in Entries:
                about = subject_of(entry["Detail"])
                if world.strikes(f"{self.name}/refuse-entry", about, world.mix.refuse):
                    answers.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
                    continue
                answers.append({"EventId": self.take(entry)})
                taken.append(about)
                if world.current is not None:
                    world.current.effects.add(("bus", about))
            return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

        try:
            return world.request(f"{self.name}/put", subject, put, code="InternalException")
        except ReadTimeoutError:
            world.windows.update(("bus", about) for about in taken)
            raise

    def take(self, entry: Mapping[str, Any]) -> str:
        """Accept an event and schedule its delivery to the targets of the matching rules."""
        world = self.world
        identity = f"00000000-0000-4000-8000-{len(self.put) + 1:012}"
        event = {
            "version": "0",
            "id": identity,
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": "123456789012",
            "time": "2026-11-23T12:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": json.loads(entry["Detail"]),
        }
        self.put.append(("" if world.current is None else world.current.name, event))
        self.times.append(world.now)
        flat = FlatEvent.of(event)
        matched = [rule for rule in self.rules if self.matches(rule, flat) and self.is_effective(rule)]
        self._watch(event, matched)
        text, subject = json.dumps(event), subject_of(entry["Detail"])
        for rule in matched:
            world.tell(f"{self.name}: {rule.name} matches", subject)
            copies = 2 if world.strikes(f"{rule.name}/twice", subject, world.mix.duplicate) else 1
            for _ in range(copies):
                delay = 3 * world.chance(f"{rule.name}/delay", subject)
                world.at(world.now + delay, functools.partial(self.deliver, rule, text), subject=subject)
        return identity

    def matches(self, rule: Rule, event: FlatEvent) -> bool:
        """Whether the rule's pattern matches ``event``."""
        if rule.name not in self._branches:
            self._branches[rule.name] = tuple(compile_pattern(rule.pattern))
        return matches_any(self._branches[rule.name], event)

    def is_effective(self, rule: Rule) -> bool:
        """Whether the rule is there, and sees events by now."""
        return rule in self.rules and self.world.now >= rule.effective_at

    def deliver(self, rule: Rule, text: str) -> None:
        """Send a matched event to the rule's target, or to its dead-letter queue."""
        world, subject = self.world, subject_of(text)
        if rule.target is None:
            return
        if rule.dead_letters is None:
            # EventBridge tries for a day (…/eb-rule-retry-policy.html), which none of these queues is refused for.
            rule.target.send(text, {})
            return
        reason: dict[str, str] = {}
        if world.denies(rule.name, subject):
            reason = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "Lack of permissions to invoke the target"}
        elif world.strikes(f"{rule.name}/undeliverable", subject, world.mix.undeliverable):
            reason = {
                "ERROR_CODE": "THROTTLING",
                "ERROR_MESSAGE": "Rate exceeded",
                "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
                "RETRY_ATTEMPTS": "185",
            }
        if reason:
            reason |= {"RULE_ARN": rule.arn, "TARGET_ARN": rule.target.arn}
            attributes = {name: {"dataType": "String", "stringValue": value} for name, value in reason.items()}
            rule.dead_letters.send(text, attributes)
            return
        rule.target.send(text, {})

    def _watch(self, event: Mapping[str, Any], matched: list[Rule]) -> None:
        current = self.world.current
        only = () if current is None else current.only
        if only:
            self.strays += [(subject_of(json.dumps(event["detail"])), r.name) for r in matched if r.name not in only]
