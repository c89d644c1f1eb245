"""The content of the planning system's FIFO queue and of the data lake's bucket."""

from __future__ import annotations

from dataclasses import dataclass, field

from media_events_kit.ops.local.clients import Clients


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a FIFO queue."""

    group: str
    body: str


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """The queue, read as the system behind ``destination`` would: each message once, in the order of its group."""

    clients: Clients
    url: str
    destination: str

    def new_messages(self) -> list[Message]:
        """The messages since the last call."""
        messages: list[Message] = []
        while True:
            answer = self.clients.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
            )
            received = answer.get("Messages", [])
            for message in received:
                messages.append(Message(message["Attributes"]["MessageGroupId"], message["Body"]))
                self.clients.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if not received:
                return messages

    def drain(self) -> None:
        """Delete the messages."""
        self.new_messages()


@dataclass(slots=True)
class Lake:
    """The bucket that the stream behind ``destination`` writes to: a line of JSON for each event."""

    clients: Clients
    bucket: str
    destination: str
    keys: set[str] = field(default_factory=set)

    def new_lines(self) -> list[str]:
        """The lines of objects that were not there at the last call."""
        lines: list[str] = []
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="events/")
        for page in pages:
            for entry in page.get("Contents", []):
                if entry["Key"] in self.keys:
                    continue
                self.keys.add(entry["Key"])
                body = self.clients.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
                lines += body.decode("utf-8").splitlines()
        return lines
