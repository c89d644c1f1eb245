"""Senders, one for each ingress; each sends its event until it is accepted."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from media_events.ingress.http import WebhookRequest
from tests.faults.aws_model.scheduler import Invocation, Killed
from tests.faults.system_under_test import SECRET, Kit

EntryName = Literal["webhook", "sqs", "sns-fifo", "partner-bus", "custom-bus"]
Kind = Literal["ready", "raw", "malformed"]
ENTRY_NAMES: Final[tuple[EntryName, ...]] = ("webhook", "sqs", "sns-fifo", "partner-bus", "custom-bus")
MAX_TRIES: Final = 60
WEBHOOK_SECONDS: Final = 29.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The event with number ``number``, sent ``after`` seconds from the beginning."""

    number: int
    ingress: EntryName
    kind: Kind
    asset: int
    after: float
    padding: int = 0

    @property
    def mark(self) -> str:
        return f"evt-{self.number:06}"

    @property
    def body(self) -> dict[str, Any]:
        """The partner's own data."""
        return {
            "id": self.mark,
            "type": "video.asset.ready" if self.ingress == "webhook" else "asset.ready",
            "kind": self.kind,
            "asset": f"asset-{self.asset}",
            "data": {"id": f"asset-{self.asset}", "padding": "x" * self.padding},
            "at": "2026-11-23T12:00:00Z",
            "created_at": "2026-11-23T12:00:00Z",
        }


class Senders:
    """Sends events to a :class:`Kit`. ``accepted`` are the marks of the accepted ones."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.world = kit.world
        self.accepted: set[str] = set()

    def plan(self, events: Sequence[Sent]) -> None:
        """Schedule all ``events``."""
        start = self.world.now
        for event in events:
            # Two events at one moment are still sent in the order of their numbers.
            when = start + event.after + event.number / 1000
            self.world.at(when, functools.partial(self._send, event, 1), subject=event.mark)

    def _send(self, event: Sent, tries: int) -> None:
        if event.ingress == "sns-fifo":
            self._in_order(event)
            return
        way = {
            "webhook": self._post,
            "sqs": self._enqueue,
            "partner-bus": self._put,
            "custom-bus": self._put,
        }[event.ingress]
        if not way(event) and tries < MAX_TRIES:
            pause = min(600.0, 5.0 * 1.5**tries)
            self.world.at(self.world.now + pause, lambda: self._send(event, tries + 1), subject=event.mark)

    def _post(self, event: Sent) -> bool:
        body = self._text(event).encode()
        stamp = str(int(self.world.now))
        proof = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        incoming = WebhookRequest(
            partner="mux",
            method="POST",
            host="api.example.com",
            path="/webhooks/mux",
            headers=(("mux-signature", f"t={stamp},v1={proof}"), ("content-type", "application/json")),
            body=body,
        )

        def work(invocation: Invocation) -> int:
            kit = self.kit.at_work()
            answer = kit.receiver.receive(incoming, kit.idempotency(invocation), remaining=kit.remaining(invocation))
            return answer.status

        try:
            status = self.world.invoke("webhook", WEBHOOK_SECONDS, work, subject=event.mark)
        except Killed:
            self.world.tell("webhook is killed", event.mark)
            return False
        self.world.tell(f"webhook answers {status}", event.mark)
        if not isinstance(status, int) or not 200 <= status < 300:  # HTTP's success
            return False
        # A sender may forget an accepted event, even if the answer is lost on its way.
        self.accepted.add(event.mark)
        return not self.world.strikes("webhook/lose-answer", event.mark, self.world.mix.lose_answer)

    def _enqueue(self, event: Sent) -> bool:
        if self.world.strikes("sender/refuse", event.mark, self.world.mix.refuse):
            return False
        self.kit.queue_ingresses[event.ingress].send(self._text(event), {})
        self.accepted.add(event.mark)
        return not self.world.strikes("sender/lose-answer", event.mark, self.world.mix.lose_answer)

    def _in_order(self, event: Sent) -> None:
        """Publish to the topic, which hands over to its queue once and in order within a group.

        A publisher that keeps an order comes with the next event only when this one was taken
        (https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html).
        """
        for _ in range(3):
            self.kit.queue_ingresses[event.ingress].send(
                self._text(event), {}, group_id=f"asset-{event.asset}", deduplication_id=event.mark
            )
            self.accepted.add(event.mark)
            if not self.world.strikes("sender/lose-answer", event.mark, self.world.mix.lose_answer):
                return

    def _put(self, event: Sent) -> bool:
        bus = self.kit.partner_bus if event.ingress == "partner-bus" else self.kit.bus
        source = "aws.partner/acme.com/1" if event.ingress == "partner-bus" else "com.tool.editor"
        entry = {"Source": source, "DetailType": "Asset", "Detail": json.dumps(event.body)}
        try:
            (answer,) = bus.put_events(Entries=[entry])["Entries"]
        except (BotoCoreError, ClientError):
            # The bus may have accepted it nevertheless; the next put makes that known.
            return False
        if "EventId" not in answer:
            return False
        self.accepted.add(event.mark)
        return True

    def _text(self, event: Sent) -> str:
        text = json.dumps(event.body)
        return text[:-1] + ", and then it breaks off" if event.kind == "malformed" else text
