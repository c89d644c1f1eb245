"""The rule and the queue in which a replay collects events.

EventBridge replays an archive to rules of the archive's own bus. With a rule and a queue of its own, a replay reads the
archive without any transform or route seeing its events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.messaging.waiting import SQS_RETENTION_SECONDS
from media_events_kit.ops.archive_replay.plan import Bus
from media_events_kit.ops.shared.console import OperatorError

TARGET: Final = "collect"
VISIBILITY_SECONDS: Final = 300
LONG_POLL_SECONDS: Final = 2
OVER: Final = frozenset({"COMPLETED", "CANCELLED", "FAILED"})
NOT_RUNNING: Final = frozenset({"IllegalStatusException", "ResourceNotFoundException", "ValidationException"})
NO_QUEUE: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


@dataclass(frozen=True, slots=True)
class Collected:
    """One message of the staging queue."""

    receipt: str
    body: str


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive's settings. ``since`` is in epoch seconds; 0 days of retention mean for ever."""

    since: float
    retention_days: int
    pattern: str


@dataclass(frozen=True, slots=True)
class ReplayState:
    """A replay's state and its reason, and the time of the event that was replayed last."""

    state: str
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """A replay's queue, rule and EventBridge replay, all under one name; ``purpose`` is the rule's description.

    Methods raise ``ProcessingError`` where AWS refuses or does not answer.
    """

    events: Any
    sqs: Any
    bus: Bus
    replay_id: str
    purpose: str = "Collects a replay of `media-events archive-replay`; removed when that is over"

    @property
    def name(self) -> str:
        """The name of queue, rule and replay."""
        return f"{self.bus.name}-replay-{self.replay_id}"

    @property
    def rule_arn(self) -> str:
        """The rule's ARN; the queue's policy names it before the rule exists."""
        head = self.bus.bus_arn.partition(":event-bus/")[0]
        return f"{head}:rule/{self.bus.name}/{self.name}"

    def archive(self) -> Archive:
        """The settings of the bus's archive."""
        with translated("reading the archive"):
            archive = self.events.describe_archive(ArchiveName=self.bus.archive_arn.rpartition("/")[2])
        return Archive(
            since=_epoch(archive.get("CreationTime")),
            retention_days=int(archive.get("RetentionDays", 0)),
            pattern=_without_default_condition(archive.get("EventPattern", "")),
        )

    def prepare(self, pattern: Mapping[str, Any]) -> None:
        """Create queue and rule. If it fails, :meth:`remove` removes what was created."""
        with translated("making the replay's rule and queue"):
            url = self.sqs.create_queue(
                QueueName=self.name,
                Attributes={
                    "VisibilityTimeout": str(VISIBILITY_SECONDS),
                    "MessageRetentionPeriod": str(SQS_RETENTION_SECONDS),
                    "SqsManagedSseEnabled": "true",
                },
            )["QueueUrl"]
            attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": self._policy(attributes["QueueArn"])})
            self.events.put_rule(
                Name=self.name,
                EventBusName=self.bus.name,
                Description=self.purpose,
                EventPattern=json.dumps(pattern, separators=(",", ":")),
            )
            result = self.events.put_targets(
                Rule=self.name,
                EventBusName=self.bus.name,
                Targets=[{"Id": TARGET, "Arn": attributes["QueueArn"]}],
            )
            _require_all(result)

    def start(self, *, since: float, until: float) -> None:
        """Have EventBridge replay a period to the rule.

        Raises:
            OperatorError: the limit of concurrent replays is reached.
        """
        try:
            self.events.start_replay(
                ReplayName=self.name,
                EventSourceArn=self.bus.archive_arn,
                EventStartTime=datetime.fromtimestamp(since, UTC),
                EventEndTime=datetime.fromtimestamp(until, UTC),
                Destination={"Arn": self.bus.bus_arn, "FilterArns": [self.rule_arn]},
            )
        except (BotoCoreError, ClientError) as error:
            if error_code(error) == "LimitExceededException":
                raise OperatorError(
                    "EventBridge refuses one more: ten replays may run at a time in an account and region",
                    hint="wait until one is over: aws events list-replays --state RUNNING",
                ) from error
            translate(error, "starting the replay")

    def state(self) -> ReplayState:
        """EventBridge's progress."""
        try:
            replay = self.events.describe_replay(ReplayName=self.name)
        except (BotoCoreError, ClientError) as error:
            if error_code(error) == "ResourceNotFoundException":
                return ReplayState("FAILED", "EventBridge knows no such replay")
            translate(error, "asking for the replay")
        at = _epoch(replay.get("EventLastReplayedTime"))
        shown = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
        return ReplayState(str(replay.get("State")), str(replay.get("StateReason") or ""), shown)

    def queue_url(self) -> str:
        """The staging queue's URL.

        Raises:
            OperatorError: it is gone, and the collected events with it.
        """
        try:
            return str(self.sqs.get_queue_url(QueueName=self.name)["QueueUrl"])
        except (BotoCoreError, ClientError) as error:
            if error_code(error) in NO_QUEUE:
                raise OperatorError(
                    f"the queue {self.name} is gone, and the events that this replay had collected with it",
                    hint="start another one: the idempotency store leaves out delivered events",
                ) from error
            translate(error, "finding the staging queue")

    def receive(self, url: str) -> list[Collected]:
        """Up to ten messages, invisible to others for :data:`VISIBILITY_SECONDS`."""
        with translated("receiving collected events"):
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL_SECONDS)
        return [Collected(message["ReceiptHandle"], message["Body"]) for message in answer.get("Messages", [])]

    def delete(self, url: str, messages: Sequence[Collected]) -> None:
        """Delete messages. One that is not deleted comes again, and is recognised."""
        if not messages:
            return
        entries = [{"Id": str(index), "ReceiptHandle": message.receipt} for index, message in enumerate(messages)]
        with translated("deleting collected events"):
            self.sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def waiting(self, url: str) -> int:
        """The approximate number of messages, invisible ones included."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        with translated("counting collected events"):
            answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        return sum(int(answer["Attributes"].get(name, "0")) for name in names)

    def cancel(self) -> None:
        """Cancel EventBridge's replay, unless it is over."""
        try:
            self.events.cancel_replay(ReplayName=self.name)
        except (BotoCoreError, ClientError) as error:
            if error_code(error) not in NOT_RUNNING:
                translate(error, "cancelling the replay")

    def remove(self) -> None:
        """Delete rule and queue, if they exist. AWS itself lists the replay for 90 days."""
        missing = {"ResourceNotFoundException", *NO_QUEUE}
        for step in (self._remove_target, self._remove_rule, self._remove_queue):
            try:
                step()
            except (BotoCoreError, ClientError) as error:
                if error_code(error) not in missing:
                    translate(error, "removing the replay's rule and queue")

    def _remove_target(self) -> None:
        self.events.remove_targets(Rule=self.name, EventBusName=self.bus.name, Ids=[TARGET])

    def _remove_rule(self) -> None:
        self.events.delete_rule(Name=self.name, EventBusName=self.bus.name)

    def _remove_queue(self) -> None:
        self.sqs.delete_queue(QueueUrl=self.sqs.get_queue_url(QueueName=self.name)["QueueUrl"])

    def _policy(self, queue_arn: str) -> str:
        return json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Collect",
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue_arn,
                        "Condition": {"ArnEquals": {"aws:SourceArn": self.rule_arn}},
                    }
                ],
            }
        )


def _require_all(answer: Mapping[str, Any]) -> None:
    if answer.get("FailedEntryCount"):
        code = answer["FailedEntries"][0].get("ErrorCode", "unknown")
        raise OperatorError(f"EventBridge refused the rule's target: {code}")


def _without_default_condition(pattern: str) -> str:
    """``pattern`` without the condition that EventBridge adds to every archive: no replayed events."""
    try:
        document = json.loads(pattern or "{}")
    except ValueError:
        return pattern
    document.pop("replay-name", None)
    return json.dumps(document) if document else ""


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else 0.0
