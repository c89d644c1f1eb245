"""A message's attributes count as its body does. MiniStack 1.5.33 measures the body alone, and takes any attributes.

A message, with the names, types and values of its attributes, has at most the queue's MaximumMessageSize, which is
1 MiB by default and at most; so has a batch. A message has at most 10 attributes.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace, replace_handler

MAX_BYTES: Final = 1_048_576
MAX_ATTRIBUTES: Final = 10


def size_of(message: Mapping[str, Any]) -> int:
    """The size of a message as SQS computes it, in bytes."""
    texts = [str(message.get("MessageBody") or "")]
    binary = 0
    for name, value in (message.get("MessageAttributes") or {}).items():
        texts += [str(name), str(value.get("DataType") or ""), str(value.get("StringValue") or "")]
        binary += len(base64.b64decode(value.get("BinaryValue") or ""))
    return binary + sum(len(text.encode()) for text in texts)


def correct(sqs: Any) -> None:
    """Correct ``ministack.services.sqs``."""
    names = vars(sqs)

    def refused(code: str, message: str) -> Any:
        return names["_Err"](code, message)

    def one(send_of_ministack: Callable[..., Any]) -> Callable[..., Any]:
        def send_message(data: Mapping[str, Any], url: str) -> Any:
            queue = names["_get_q"](data.get("QueueUrl", url))
            most = int(queue["attributes"].get("MaximumMessageSize", MAX_BYTES))
            if size_of(data) > most:
                reason = f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
                raise refused("InvalidParameterValue", reason)
            if len(data.get("MessageAttributes") or {}) > MAX_ATTRIBUTES:
                reason = f"Number of message attributes exceeds the allowed maximum {MAX_ATTRIBUTES}."
                raise refused("InvalidParameterValue", reason)
            return send_of_ministack(data, url)

        return send_message

    def batch(send_of_ministack: Callable[..., Any]) -> Callable[..., Any]:
        def send_message_batch(data: Mapping[str, Any], url: str) -> Any:
            total = sum(map(size_of, data.get("Entries") or ()))
            if total > MAX_BYTES:
                reason = f"Batch requests cannot be longer than {MAX_BYTES} bytes. You have sent {total} bytes."
                raise refused("BatchRequestTooLong", reason)
            return send_of_ministack(data, url)

        return send_message_batch

    # A batch sends each of its messages by the module's function, a request by the handler.
    replace(sqs, "_act_send_message", one)
    replace_handler(sqs, "SendMessage", one)
    replace_handler(sqs, "SendMessageBatch", batch)
