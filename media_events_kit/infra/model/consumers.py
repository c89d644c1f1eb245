"""How a hop consumes its queue, and handles events that it can't process."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from media_events_kit.infra.model.renames import Renamable
from media_events_kit.infra.model.settings import Vpc
from media_events_kit.infra.model.types import Pattern, Section

WAIT_SECONDS: Final = 1_166_400
"""A message may wait so long: SQS keeps it for 14 days, and may hide it for half a day. In a dead-letter queue SQS
counts from when it was sent first.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""


class Retry(Section):
    """Waits between attempts, doubling, with jitter."""

    base_seconds: float = Field(default=5, ge=1, le=43200, description="First wait.")
    max_seconds: float = Field(default=900, ge=1, le=43200, description="Longest wait.")


class RuleRetry(Section):
    """How long and how often EventBridge tries to reach a hop's queue, function or target."""

    max_age_seconds: int = Field(default=86400, ge=60, le=86400, description="Oldest event that is tried again.")
    max_attempts: int = Field(default=185, ge=0, le=185, description="Most attempts.")


class FunctionRetry(Section):
    """Lambda's own retries with `invocation: direct`."""

    max_attempts: int = Field(default=2, ge=0, le=2, description="Retries, after one and two minutes.")
    max_age_seconds: int = Field(
        default=21600, ge=60, le=21600, description="How long an event may wait for the function."
    )


class Redrive(Section):
    """How a dead letter goes back to the hop that failed, before it is reviewed."""

    max_count: int = Field(default=3, ge=0, le=100, description="Most redrives; 0 sends every dead letter to review.")
    base_delay_seconds: float = Field(default=60, ge=0, le=39600, description="First wait; it doubles each time.")
    max_delay_seconds: float = Field(default=3600, ge=0, le=39600, description="Longest wait.")
    max_age_seconds: float = Field(default=172800, ge=0, le=WAIT_SECONDS, description="Older events go to review.")
    max_per_second: float = Field(
        default=5, gt=0, le=10000, description="Rate limit of the hop, so that live events do not wait."
    )


class FailureHandling(Section):
    """Retries in a hop, redrives to it, then review."""

    max_receive_count: int = Field(
        default=5, ge=1, le=1000, description="Attempts in the hop before the event becomes a dead letter."
    )
    retry: Retry = Field(default=Retry(), description="Waits between attempts.")
    rule_retry: RuleRetry = Field(default=RuleRetry(), description="EventBridge's attempts.")
    function_retry: FunctionRetry = Field(default=FunctionRetry(), description="For `invocation: direct`.")
    redrive: Redrive = Field(default=Redrive(), description="Redrives of dead letters.")

    @model_validator(mode="after")
    def _tried_before_it_expires(self) -> Self:
        if self.max_receive_count * self.retry.max_seconds > WAIT_SECONDS:
            raise ValueError(
                f"max_receive_count x retry.max_seconds must not be above {WAIT_SECONDS}: SQS deletes a message after "
                "14 days, also one that is still being tried"
            )
        return self


class Consumer(Section):
    """The function of a transform or route, and how it consumes its queue. Without meaning for `sqs` destinations."""

    memory_mb: int = Field(default=256, ge=128, le=10240, description="Memory of the function.")
    timeout_seconds: int = Field(default=30, ge=1, le=900, description="Time limit of the function.")
    snap_start: bool | None = Field(default=None, description="SnapStart of this function. Default: the settings'.")
    batch_size: int = Field(
        default=10,
        ge=1,
        le=10000,
        description="Most messages per invocation; above 10 it needs a batch_window_seconds of at least 1.",
    )
    batch_window_seconds: int = Field(
        default=0, ge=0, le=300, description="How long Lambda collects messages for a batch."
    )
    maximum_concurrency: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="Most concurrent invocations: protects systems behind the function, and other functions.",
    )

    @model_validator(mode="after")
    def _window_for_large_batches(self) -> Self:
        if self.batch_size > 10 and self.batch_window_seconds < 1:  # noqa: PLR2004 - Lambda's own limit
            raise ValueError("a batch_size above 10 needs a batch_window_seconds of at least 1")
        return self


class Hop(Consumer, Renamable):
    """Base of transforms and routes: consumers of the events that match, also without a queue."""

    pattern: Pattern
    match_all: bool = Field(default=False, description="Must be true for the empty pattern.")
    enabled: bool = Field(default=True, description="False takes no events, and keeps none for later.")
    failure: FailureHandling = Field(default=FailureHandling(), description="Overrides the top level's `failure`.")
    invocation: Literal["queue", "direct"] = Field(
        default="queue",
        description="`direct`: the rule invokes the function; a `maximum_concurrency` is then reserved for it.",
    )
    vpc: Vpc | None = Field(default=None, description="VPC of this function, in place of that of the settings.")

    @model_validator(mode="after")
    def _batches_of_a_queue(self) -> Self:
        for name in ("batch_size", "batch_window_seconds"):
            if self.invocation == "direct" and name in self.model_fields_set:
                raise ValueError(f"{name} belongs to a queue, and with invocation direct there is none")
        return self


class Archive(Section):
    """An archive of a bus."""

    retention_days: int = Field(default=30, ge=0, description="0 keeps events for ever.")
    pattern: Pattern | None = Field(default=None, description="Which events are kept. Default: all.")
