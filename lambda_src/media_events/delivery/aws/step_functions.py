"""Delivery of one event by one execution of a state machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final, Protocol

from media_events.core.deferred import pattern
from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.core.value_classes import dataclass
from media_events.delivery.aws.config import StepFunctionsDestination

MAX_NAME_CHARACTERS: Final = 80
MAX_INPUT_BYTES: Final = 256 * 1024
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

_DIGEST_CHARACTERS: Final = 20
_OTHER: Final = pattern(r"[^A-Za-z0-9_-]+")


class StateMachines(Protocol):
    """Starts executions."""

    def start(self, state_machine_arn: str, name: str, text: str) -> str:
        """Start an execution called ``name`` with the input ``text``; returns its ARN.

        An existing execution of that name is a success: it is the same event.

        Raises:
            ProcessingError: Step Functions did not answer or refused.
        """
        ...


def execution_name(source: str, event_id: str, destination: str) -> str:
    """The name of the event's execution: readable, valid, and the same for every attempt.

    A name is unique per state machine until 90 days after an execution of a Standard workflow ends, so a second start
    is recognised. The digest includes the source, since two partners may use the same id.
    """
    key = f"{len(source)}:{source}|{len(event_id)}:{event_id}|{destination}"
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    readable = _OTHER.sub("-", event_id)[: MAX_NAME_CHARACTERS - _DIGEST_CHARACTERS - 1].strip("-")
    return f"{readable or 'event'}-{digest[:_DIGEST_CHARACTERS]}"


def execution_input(event: Event) -> str:
    """The input: the event's ``{"metadata", "data"}``, without ``data`` where it is too large and has a ``dataref``.

    Raises:
        PermanentDataError: ``input-too-large``, without a ``dataref``; ``not-json``.
    """
    plain = replace(event, metadata=replace(event.metadata, redrive=None))
    text = _text(plain)
    if len(text.encode(errors="surrogatepass")) <= MAX_INPUT_BYTES:
        return text
    if event.metadata.dataref is not None:
        return _text(replace(plain, data=None))
    raise PermanentDataError(
        "input-too-large",
        f"the event has more than the {MAX_INPUT_BYTES // 1024} KB that an execution takes as input, and no dataref",
    )


def _text(event: Event) -> str:
    try:
        return event.to_json()
    except ValueError as error:
        raise PermanentDataError("not-json", f"the event can't be written as JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class StepFunctionsDelivery:
    """Starts executions of one state machine."""

    destination: StepFunctionsDestination
    state_machines: StateMachines

    def deliver(self, event: Event, *, seconds_left: float) -> dict[str, str | int]:  # noqa: ARG002  # HTTP needs it
        """Start the event's execution; returns the result for the idempotency record.

        Raises:
            ProcessingError: see :class:`StateMachines` and :func:`execution_input`.
        """
        name = execution_name(event.metadata.source, event.metadata.id, self.destination.name)
        arn = self.state_machines.start(self.destination.state_machine_arn, name, execution_input(event))
        return {"execution_arn": arn}
