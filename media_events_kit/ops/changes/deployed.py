"""What AWS says of what a change would take away: numbers of messages, items and events, and deleted secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from media_events.adapters.aws_errors import translated
from media_events.adapters.dynamodb.key_queues import DynamoHeldKeyQueues
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.sqs.depths import depth
from media_events_kit.ops.deployment.discovery import Cloud
from media_events_kit.ops.review.queries import Query, walk

MOST_ITEMS: Final = 1000
"""Counted at most: more say nothing more."""


@dataclass(frozen=True, slots=True)
class AwsDeployed:
    """Asks AWS, and only reads. A method raises a ``ProcessingError`` where there is no answer."""

    cloud: Cloud

    def messages(self, url: str) -> int:
        """How many messages are in a queue, in flight and delayed ones included; about so many, as SQS says."""
        return depth(self.cloud.client("sqs"), url).total

    def open_items(self, table: str, hop: str | None = None) -> int:
        """How many review items wait, of one hop or of all; ``MOST_ITEMS`` at most."""
        items = walk(DynamoReviewTable(self.cloud.client("dynamodb"), table), Query(hop=hop))
        return sum(1 for _ in islice(items, MOST_ITEMS))

    def parked(self, table: str, destination: str) -> int:
        """How many events are parked at a destination that keeps, or kept, an order."""
        held = DynamoHeldKeyQueues(self.cloud.client("dynamodb")).held(table, destination)
        return sum(each.parked for each in held)

    def deleted_secret(self, name: str) -> str | None:
        """The ARN of the secret of a name, if it is scheduled for deletion.

        Only then has it a `DeletedDate`: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
        """
        client = self.cloud.client("secretsmanager")
        with translated(f"asking for the secret {name}"):
            try:
                secret = client.describe_secret(SecretId=name)
            except client.exceptions.ResourceNotFoundException:
                return None
        return None if secret.get("DeletedDate") is None else str(secret["ARN"])

    def archived_events(self, name: str) -> int:
        """How many events an archive holds, as EventBridge says."""
        with translated(f"asking for the archive {name}"):
            return int(self.cloud.client("events").describe_archive(ArchiveName=name).get("EventCount", 0))

    def running_executions(self, arn: str) -> int:
        """How many executions of a state machine of type `STANDARD` run; ``MOST_ITEMS`` at most, one page.

        Of another type Step Functions lists none:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html.
        """
        with translated(f"asking for the executions of {arn}"):
            page = self.cloud.client("stepfunctions").list_executions(
                stateMachineArn=arn, statusFilter="RUNNING", maxResults=MOST_ITEMS
            )
        return len(page["executions"])

    def holds_objects(self, bucket: str) -> bool:
        """Whether a bucket has an object, or a version or delete marker of one."""
        with translated(f"looking into the bucket {bucket}"):
            page: Any = self.cloud.client("s3").list_object_versions(Bucket=bucket, MaxKeys=1)
        return bool(page.get("Versions") or page.get("DeleteMarkers"))


def region_of(document: Mapping[str, Any]) -> str | None:
    """The region in the first ARN of a plan's or state's resources that names one."""
    found = re.search(r"arn:aws[a-z-]*:(?:sqs|lambda|dynamodb|events):([a-z0-9-]+):", json.dumps(document))
    return found and found[1]
