"""The queues: each is there, and what its consumer can't process goes to the hop's dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events.adapters.sqs.depths import queue_name
from media_events.messaging.waiting import SQS_RETENTION_SECONDS
from media_events_kit.ops.deployment.topology import Hop
from media_events_kit.ops.verify.asking import Problem, ask, judged
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "queues"


def check(deployed: Deployed) -> Iterator[Finding]:
    """Each hop's queue sends to the hop's dead-letter queue, which keeps messages as long as SQS can."""
    for hop in deployed.topology.hops.values():
        if hop.queue_url is not None:
            yield judged(
                CHECK,
                f"queue {queue_name(hop.queue_url)}",
                "is there, with its dead-letter queue",
                _queue,
                deployed,
                hop,
            )
        if hop.dead_letter_queue_url is not None:
            yield judged(
                CHECK,
                f"queue {queue_name(hop.dead_letter_queue_url)}",
                "is there, and keeps messages for 14 days",
                _dead_letters,
                deployed,
                hop,
            )


def attributes(deployed: Deployed, url: str, *names: str) -> Mapping[str, Any]:
    """Attributes of a queue."""
    client = deployed.client("sqs")
    answer = ask(client.get_queue_attributes, "sqs:GetQueueAttributes", QueueUrl=url, AttributeNames=list(names))
    found: Mapping[str, Any] = answer.get("Attributes") or {}
    return found


def _queue(deployed: Deployed, hop: Hop) -> Iterator[Problem]:
    found = attributes(deployed, str(hop.queue_url), "RedrivePolicy")
    policy = json.loads(found.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2]
    if target != queue_name(str(hop.dead_letter_queue_url)):
        yield Problem(
            f"sends dead letters to {target}" if target else "has no redrive policy: what fails stays until it expires",
            "apply again",
        )


def _dead_letters(deployed: Deployed, hop: Hop) -> Iterator[Problem]:
    found = attributes(deployed, str(hop.dead_letter_queue_url), "MessageRetentionPeriod")
    kept = int(found.get("MessageRetentionPeriod", SQS_RETENTION_SECONDS))
    if kept != SQS_RETENTION_SECONDS:
        yield Problem(f"keeps messages for {kept} s only", "apply again")
