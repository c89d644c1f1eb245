"""Send as partners send, by every ingress, and see what arrives on the bus.

The signatures are written down from the partners' documentation, not taken from the verifier that they are to test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3

from media_events_kit.ops.demo.senders import HttpResponse, frameio_v4_headers, mux_headers, post
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.send.samples import SAMPLES
from tests.system.polling import SECONDS

DATA = Path(__file__).resolve().parents[1] / "data"
JSON = {"content-type": "application/json"}


def _hmac(algorithm: str, secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def _standard(body: bytes, secret: str, now: int) -> dict[str, str]:
    """Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""
    identity, key = f"msg_{hashlib.sha256(body).hexdigest()[:24]}", base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{now}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {**JSON, "webhook-id": identity, "webhook-timestamp": str(now), "webhook-signature": signature}


def _jwt(body: bytes, secret: str) -> str:
    """JW Player: a JSON Web Token (HS256) whose claims are the body."""

    def part(raw: bytes) -> bytes:
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(json.loads(body)).encode())
    return (signed + b"." + part(hmac.new(secret.encode(), signed, hashlib.sha256).digest())).decode()


HEADERS: dict[str, Callable[[bytes, str, int], dict[str, str]]] = {
    "mux": mux_headers,
    "frameio-v4": frameio_v4_headers,
    "frameio-v2": frameio_v4_headers,
    "bitmovin": lambda body, secret, _: {**JSON, "bitmovin-signature": _hmac("sha512", secret, body)},
    "flow-production-tracking": lambda body, secret, _: {
        **JSON,
        "x-sg-signature": f"sha1={_hmac('sha1', secret, body)}",
    },
    "standard-webhooks": _standard,
    "jwplayer": lambda body, secret, _: {**JSON, "authorization": f"Bearer {_jwt(body, secret)}"},
    "iconik": lambda _, secret, __: {**JSON, "x-webhook-secret": secret},
    "zencoder": lambda _, secret, __: {**JSON, "x-zencoder-notification-secret": secret},
    "vidicore": lambda _, secret, __: {
        **JSON,
        "authorization": "Basic " + base64.b64encode(secret.encode()).decode(),
    },
    "brightcove-cms": lambda *_: JSON,
    "brightcove-ingest": lambda *_: JSON,
    "telestream-cloud": lambda *_: JSON,
}
"""How each preset's partner signs, by body, secret and time."""

IN_THE_ADDRESS = {"brightcove-cms", "brightcove-ingest", "telestream-cloud"}
"""Partners that sign nothing: their secret stands in the address that they are given."""


@dataclass
class Arrivals:
    """What arrives on the buses, in order: on the workflow's under a source of the kit's, else as it was put there."""

    clients: Clients
    queue_url: str
    seen: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def on(cls, clients: Clients, buses: Mapping[str, str]) -> Arrivals:
        """Watch buses, for sources that begin with a text each, by rules and a FIFO queue of the test's own."""
        url = clients.sqs.create_queue(
            QueueName="arrivals.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        )["QueueUrl"]
        arn = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        target: Any = {"Id": "queue", "Arn": arn, "SqsParameters": {"MessageGroupId": "all"}}
        for bus, beginning in buses.items():
            pattern = json.dumps({"source": [{"prefix": beginning}]})
            clients.events.put_rule(Name="arrivals", EventBusName=bus, EventPattern=pattern)
            clients.events.put_targets(Rule="arrivals", EventBusName=bus, Targets=[target])
        return cls(clients, url)

    def fetch(self) -> None:
        """Take what has come since."""
        while True:
            answer = self.clients.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                self.seen.append(json.loads(message["Body"]))
                self.clients.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def of(self, **metadata: Any) -> list[dict[str, Any]]:
        """The events so far with these attributes."""
        self.fetch()
        return [event for event in self.seen if metadata.items() <= event["detail"].get("metadata", {}).items()]

    def as_put(self, identity: str) -> dict[str, Any]:
        """An event as it was put on its bus, by the id that EventBridge gave it."""
        self.fetch()
        return next(event for event in self.seen if event["id"] == identity)

    def wait_for(self, count: int = 1, *, seconds: float = SECONDS, **metadata: Any) -> list[dict[str, Any]]:
        """The events with these attributes, as soon as there are ``count`` of them, or when the time is up."""
        deadline = time.monotonic() + seconds
        while len(found := self.of(**metadata)) < count and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


@dataclass
class FifoQueue:
    """A FIFO queue of the test's own, and the CloudEvents that came out of it so far, in their order."""

    clients: Clients
    url: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def made(cls, clients: Clients, name: str, *, longest: int) -> FifoQueue:
        """A new queue that takes messages of up to ``longest`` bytes."""
        attributes = {"FifoQueue": "true", "MaximumMessageSize": str(longest)}
        return cls(clients, clients.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"])  # type: ignore[arg-type]

    def groups(self) -> dict[str, list[str]]:
        """The ids of the events so far, by message group."""
        while messages := self._received():
            for message in messages:
                event = json.loads(message["Body"])
                assert message["Attributes"]["MessageGroupId"] == event["partitionkey"]
                self.events.append(event)
                self.clients.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        found: dict[str, list[str]] = {}
        for event in self.events:
            found.setdefault(event["partitionkey"], []).append(event["id"])
        return found

    def _received(self) -> list[Any]:
        answer: Any = self.clients.sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
        )
        return list(answer.get("Messages", []))


@dataclass
class Ways:
    """The deployed ingresses: how to reach them, and what arrives."""

    clients: Clients
    outputs: dict[str, Any]
    urls: dict[str, str]
    secrets: dict[str, str]
    arrivals: Arrivals
    receivers_port: int
    segments: Path
    """What X-Ray's daemon has got."""

    def call(
        self, partner: str, body: bytes, *, preset: str = "", secret: str | None = None, now: int | None = None
    ) -> HttpResponse:
        """Call a webhook as the partner of a preset (the one of that name) does."""
        preset, key = preset or partner, self.secrets[partner] if secret is None else secret
        query = f"?{urlencode({'token': key})}" if preset in IN_THE_ADDRESS else ""
        headers = HEADERS[preset](body, key, int(time.time()) if now is None else now)
        return post(self.urls[partner] + query, body, headers, self.clients.record.ca_bundle)

    def as_user(self, name: str, policy: str | None) -> boto3.Session:
        """Credentials of a user with this policy alone."""
        iam = self.clients.session.client("iam", **self.where)
        iam.create_user(UserName=name)
        if policy:
            iam.put_user_policy(UserName=name, PolicyName="send", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=self.clients.record.region)

    def as_function(self, name: str) -> boto3.Session:
        """Credentials of a function's role, which this account may assume for a moment."""
        iam, sts = self.clients.session.client("iam", **self.where), self.clients.session.client("sts", **self.where)
        role = iam.get_role(RoleName=name)["Role"]
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy)
        key = sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"]
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]))
        return boto3.Session(
            key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"], region_name=self.clients.record.region
        )

    @property
    def where(self) -> dict[str, Any]:
        """Where clients find the local cloud."""
        return {"endpoint_url": self.clients.record.endpoint, "verify": self.clients.record.ca_bundle}

    def put_event(self, bus: str, source: str, kind: str, detail: Any, **more: Any) -> str:
        """Put an event on a bus; the id that EventBridge gives it."""
        entry: Any = {
            "EventBusName": bus,
            "Source": source,
            "DetailType": kind,
            "Detail": json.dumps(detail),
            **more,
        }
        answer = self.clients.events.put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        return answer["Entries"][0]["EventId"]


def payload(name: str) -> bytes:
    """A partner's sample payload."""
    return (SAMPLES / f"{name}.json").read_bytes()


def edited(name: str, changes: Mapping[str, Any]) -> bytes:
    """A sample payload with other values."""
    return json.dumps({**json.loads(payload(name)), **changes}).encode()
