"""Takes a message to its way into a deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import translate
from media_events.core.failures import TransientError
from media_events.ingress.queue_config import BUSES
from media_events.partners.proof_parts import Request
from media_events_kit.ops.send.message import Outgoing
from media_events_kit.ops.send.ways_in import WayIn


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ingress answered. ``event_id`` is the id that EventBridge gave, ``status`` an HTTP status."""

    accepted: bool
    text: str
    status: int | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends. ``post`` returns an HTTP answer's status and body, and raises ``OSError`` if there is none."""

    client: Callable[[str], Any]
    post: Callable[[Request], tuple[int, str]]
    random: Callable[[], str]

    def send(self, way: WayIn, outgoing: Outgoing) -> Answer:
        """Send a message by ``way``.

        Raises:
            ProcessingError: AWS refuses it, or nobody answers.
        """
        if outgoing.request is not None:
            try:
                status, body = self.post(outgoing.request)
            except OSError as error:
                raise TransientError("no-answer", f"{way.address} does not answer: {error}") from error
            accepted = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
            return Answer(accepted, f"{status} {body}".strip(), status=status)
        text = outgoing.body.decode("utf-8", "surrogatepass")
        try:
            if way.by_queue:
                return self._to_queue(str(way.queue_url), text)
            if way.kind in BUSES:
                return self._to_bus(way, text)
            return self._to_topic(way.address, text) if way.kind == "sns-fifo" else self._to_queue(way.address, text)
        except (BotoCoreError, ClientError) as error:
            translate(error, f"sending to {way.address}")

    def _to_queue(self, url: str, body: str) -> Answer:
        answer = self.client("sqs").send_message(QueueUrl=url, MessageBody=body, **self._fifo(url))
        return Answer(accepted=True, text=f"is in the queue: {answer['MessageId']}")

    def _to_topic(self, arn: str, body: str) -> Answer:
        answer = self.client("sns").publish(TopicArn=arn, Message=body, **self._fifo(arn))
        return Answer(accepted=True, text=f"is on the topic: {answer['MessageId']}")

    def _to_bus(self, way: WayIn, body: str) -> Answer:
        event = json.loads(body)
        entry = {
            "EventBusName": way.address,
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
        }
        (result,) = self.client("events").put_events(Entries=[entry])["Entries"]
        if "EventId" not in result:
            return Answer(accepted=False, text=f"{result.get('ErrorCode')}: {result.get('ErrorMessage')}")
        return Answer(accepted=True, text=f"is on the bus {way.address}", event_id=str(result["EventId"]))

    def _fifo(self, name: str) -> dict[str, str]:
        if not name.endswith(".fifo"):
            return {}
        return {"MessageGroupId": "media-events-send", "MessageDeduplicationId": self.random()}
