"""Senders to the deployed ingresses; each event is sent until it is accepted."""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from media_events_kit.ops.demo.senders import mux_headers
from media_events_kit.ops.local.clients import Clients
from tests.faults.senders import Sent

SAAS_SOURCE: Final = "played.media-partner"
STUDIO_SOURCE: Final = "media.partner.example"
GIVE_UP_SECONDS: Final = 180.0
AGAIN: Final = 0.03
"""How often a sender repeats an accepted event, since its own bookkeeping failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses of the ingresses. ``queue_topic_arn`` is the topic in front of the queue, if there is one."""

    webhook: str
    secret: str
    queue_url: str
    queue_topic_arn: str
    topic_arn: str
    partner_bus: str
    bus: str


@dataclass(slots=True)
class Senders:
    """``accepted`` are the marks of accepted events; ``given_up`` those that no attempt got accepted."""

    clients: Clients
    addresses: Addresses
    seed: int
    accepted: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    _http: Any = field(init=False, repr=False)
    _sns: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the clients, once: they are shared by threads."""
        record = self.clients.record
        context = ssl.create_default_context(cafile=record.ca_bundle)
        self._http = httpx.Client(verify=context, trust_env=False, timeout=60)
        self._sns = self.clients.sns
        # Clients are made on first use, which is not safe for several threads at once.
        _ = self.clients.sqs, self.clients.events

    @property
    def ways(self) -> dict[str, Callable[[Sent], bool]]:
        """What sends an event to each ingress, at the addresses of the moment."""
        return {
            "webhook": self._post,
            "sqs": self._enqueue,
            "sns-fifo": self._publish,
            "partner-bus": lambda event: self._put(event, self.addresses.partner_bus, SAAS_SOURCE),
            "custom-bus": lambda event: self._put(event, self.addresses.bus, STUDIO_SOURCE),
        }

    def send(self, events: Sequence[Sent], *, since: float) -> list[threading.Thread]:
        """Send each event ``after`` seconds from ``since``, until the threads end."""
        key_queues: list[tuple[Callable[[Sent], bool], Iterable[Sent]]] = []
        ways = {entry: way for entry, way in self.ways.items() if entry != "webhook"}
        key_queues += [(way, [event for event in events if event.ingress == entry]) for entry, way in ways.items()]
        calls = [event for event in events if event.ingress == "webhook"]
        key_queues += [(self._post, calls[key_queue::4]) for key_queue in range(4)]
        threads = [
            threading.Thread(target=self._lane, args=(*key_queue, since), daemon=True) for key_queue in key_queues
        ]
        for thread in threads:
            thread.start()
        return threads

    def _lane(self, way: Callable[[Sent], bool], events: Iterable[Sent], since: float) -> None:
        for event in events:
            time.sleep(max(0.0, since + event.after - time.monotonic()))
            chance = random.Random(f"{self.seed}/{event.mark}")
            until = time.monotonic() + GIVE_UP_SECONDS
            while not self.taken(way, event):
                if time.monotonic() > until:
                    self.given_up.add(event.mark)
                    break
                time.sleep(chance.uniform(0.1, 1.0))
            else:
                self.accepted.add(event.mark)
                if chance.random() < AGAIN:
                    self.taken(way, event)

    def taken(self, way: Callable[[Sent], bool], event: Sent) -> bool:
        """Whether the ingress has accepted the event."""
        try:
            return way(event)
        except (httpx.TransportError, BotoCoreError, ClientError):
            return False

    def _post(self, event: Sent) -> bool:
        body = _text(event, _mux_body(event)).encode()
        headers = mux_headers(body, self.addresses.secret, int(time.time()))
        return bool(self._http.post(self.addresses.webhook, content=body, headers=headers).is_success)

    def _enqueue(self, event: Sent) -> bool:
        text, topic = _text(event, _mux_body(event)), self.addresses.queue_topic_arn
        if topic:
            self._sns.publish(TopicArn=topic, Message=text)
        else:
            self.clients.sqs.send_message(QueueUrl=self.addresses.queue_url, MessageBody=text)
        return True

    def _publish(self, event: Sent) -> bool:
        self._sns.publish(
            TopicArn=self.addresses.topic_arn,
            Message=_text(event, _house_body(event)),
            MessageGroupId=f"asset-{event.asset}",
            MessageDeduplicationId=event.mark,
        )
        return True

    def _put(self, event: Sent, bus: str, source: str) -> bool:
        entry: Any = {
            "EventBusName": bus,
            "Source": source,
            "DetailType": "Asset",
            "Detail": json.dumps(_house_body(event)),
        }
        return self.clients.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


def _mux_body(event: Sent) -> dict[str, Any]:
    return {
        "id": event.mark,
        "type": f"chaos.{event.kind}",
        "created_at": "2026-11-23T12:00:00.000000Z",
        "data": {"id": f"asset-{event.asset}", "padding": "x" * event.padding},
        "object": {"type": "asset", "id": f"asset-{event.asset}"},
    }


def _house_body(event: Sent) -> dict[str, Any]:
    return {
        "id": event.mark,
        "type": f"chaos.{event.kind}",
        "assetId": f"asset-{event.asset}",
        "occurredAt": "2026-11-23T12:00:00Z",
        "padding": "x" * event.padding,
    }


def _text(event: Sent, body: dict[str, Any]) -> str:
    text = json.dumps(body)
    return text[:-1] + ", and then it breaks off" if event.kind == "malformed" else text
