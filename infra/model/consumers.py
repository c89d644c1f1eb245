"""How a hop consumes its queue, and what becomes of an event that it can't process."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from infra.model.types import Pattern, Section


class Retry(Section):
    """How long a message that failed for the time being waits before it is tried again, with jitter."""

    base_seconds: float = Field(default=5, ge=1, le=43200, description="The first wait; it doubles each time.")
    max_seconds: float = Field(default=900, ge=1, le=43200, description="The longest wait.")


class RuleRetry(Section):
    """How long and how often EventBridge itself tries to reach a hop's queue."""

    max_age_seconds: int = Field(default=86400, ge=60, le=86400)
    max_attempts: int = Field(default=185, ge=0, le=185)


class FunctionRetry(Section):
    """How often Lambda itself invokes a function again that rules invoke directly, and how long an event may wait."""

    max_attempts: int = Field(default=2, ge=0, le=2, description="After one and two minutes.")
    max_age_seconds: int = Field(default=21600, ge=60, le=21600)


class Redrive(Section):
    """How often, and after which wait, a dead letter goes back to the hop that failed before a person has to look."""

    max_count: int = Field(default=3, ge=0, le=100, description="0 sends every dead letter straight to review.")
    base_delay_seconds: int = Field(default=60, ge=0, le=39600)
    max_delay_seconds: int = Field(default=3600, ge=0, le=39600)
    max_age_seconds: int = Field(default=86400, ge=0, description="Older events are not re-driven any more.")
    max_per_second: float = Field(
        default=5, gt=0, le=10000, description="How many go back in a second at most, so that live events don't wait."
    )


class FailureHandling(Section):
    """What happens to an event that a hop can't process: tried again in the hop, re-driven to it, then review."""

    max_receive_count: int = Field(default=5, ge=1, le=1000, description="Tries in the hop before the dead letter.")
    retry: Retry = Retry()
    rule_retry: RuleRetry = RuleRetry()
    function_retry: FunctionRetry = Field(default=FunctionRetry(), description="For `invocation: direct`.")
    redrive: Redrive = Redrive()


class Consumer(Section):
    """The function of a transform or route, and how it consumes its queue. Without meaning for `sqs` destinations."""

    memory_mb: int = Field(default=256, ge=128, le=10240)
    timeout_seconds: int = Field(default=30, ge=1, le=900)
    batch_size: int = Field(default=10, ge=1, le=10000)
    batch_window_seconds: int = Field(default=0, ge=0, le=300)
    maximum_concurrency: int | None = Field(default=None, ge=2, le=1000)

    @model_validator(mode="after")
    def _window_for_large_batches(self) -> Self:
        if self.batch_size > 10 and self.batch_window_seconds < 1:  # noqa: PLR2004 - Lambda's own limit
            raise ValueError("a batch_size above 10 needs a batch_window_seconds of at least 1")
        return self


class Hop(Consumer):
    """A consumer that may also do without its queue."""

    invocation: Literal["queue", "direct"] = Field(
        default="queue",
        description="`direct`: the rule invokes the function itself, without a queue in between; `maximum_concurrency` "
        "is then reserved for it.",
    )

    @model_validator(mode="after")
    def _batches_of_a_queue(self) -> Self:
        given = [name for name in ("batch_size", "batch_window_seconds") if name in self.model_fields_set]
        if self.invocation == "direct" and given:
            raise ValueError(f"{given[0]} belongs to a queue, and with invocation direct there is none")
        return self


class Archive(Section):
    """The bus's archive, from which past events can be replayed."""

    retention_days: int = Field(default=30, ge=0, description="0 keeps events for ever.")
    pattern: Pattern | None = Field(default=None, description="Which events are kept; all, if left out.")
