"""The custom EventBridge bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import rejection, translate
from media_events.core.failures import ProcessingError
from media_events.events.publisher import Entry

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBus:
    """Fulfils ``publishing.Bus``.

    Addressed by its ARN: EventBridge accepts entries for a bus name that does not exist, and drops them.
    """

    def __init__(self, client: EventBridgeClient, bus_arn: str) -> None:
        self._client = client
        self._bus_arn = bus_arn

    def put(self, entries: Sequence[Entry]) -> list[ProcessingError | None]:
        """Put ``entries``; a 200 may still refuse some of them, so that each answer is looked at.

        Raises:
            HopError: the call failed as a whole.
        """
        try:
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_arn,
                        "Source": entry.source,
                        "DetailType": entry.detail_type,
                        "Detail": entry.detail,
                    }
                    for entry in entries
                ]
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "putting events on the bus")
        outcomes: list[ProcessingError | None] = []
        for result in answer["Entries"]:
            code = result.get("ErrorCode")
            refused = code is not None or not result.get("EventId")
            outcomes.append(rejection(code or "NoEventId", f"the bus refused: {code}") if refused else None)
        return outcomes
