"""The custom EventBridge bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from media_events.adapters.aws_errors import rejection, translated
from media_events.core.failures import ProcessingError
from media_events.events.publisher import Entry

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBus:
    """Implements ``events.publisher.Bus``.

    It names the bus by ARN: EventBridge accepts entries for a bus name that does not exist, and drops them.
    """

    def __init__(self, client: EventBridgeClient, bus_arn: str) -> None:
        self._client = client
        self._bus_arn = bus_arn

    def put(self, entries: Sequence[Entry]) -> list[ProcessingError | None]:
        """Put ``entries``; one outcome for each, since a 200 may still refuse some.

        Raises:
            ProcessingError: the call failed as a whole.
        """
        with translated("putting events on the bus"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_arn,
                        "Source": entry.source,
                        "DetailType": entry.detail_type,
                        "Detail": entry.detail,
                        **({} if entry.trace_header is None else {"TraceHeader": entry.trace_header}),
                    }
                    for entry in entries
                ]
            )
        outcomes: list[ProcessingError | None] = []
        for result in answer["Entries"]:
            code = result.get("ErrorCode")
            refused = code is not None or not result.get("EventId")
            outcomes.append(rejection(code or "NoEventId", f"the bus refused: {code}") if refused else None)
        return outcomes
