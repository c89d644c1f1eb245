"""boto3's clients over the model, with the calls that our own adapters make."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ReadTimeoutError

from media_events.partners.secrets import PartnerSecrets
from media_events_kit.ops.local.server.lineage import Lineage
from tests.faults.aws_model.scheduler import Invocation, Killed, LoopError, World, refusal, subject_of
from tests.faults.aws_model.sqs import Queue

FUNCTION_SECONDS: Final = 30.0
NAME_TAKEN_SECONDS: Final = 90 * 86_400.0
EVENT_BODIES: Final = "kit/bodies/events/"
BODY_EXPIRATION_SECONDS: Final = 90 * 86_400.0
"""The default of ``body_expiration_days``."""


@dataclass
class Sqs:
    """``sqs``. An unknown queue is refused."""

    world: World
    queues: dict[str, Queue]

    def send_message(  # one keyword for each of the API's
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageAttributes: Mapping[str, Mapping[str, Any]],  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
        MessageDeduplicationId: str | None = None,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> dict[str, Any]:
        queue, subject = self._queue(QueueUrl), subject_of(MessageBody)
        attributes = {
            name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
            for name, value in MessageAttributes.items()
        }

        def send() -> str:
            message_id = queue.send(
                MessageBody,
                attributes,
                group_id=MessageGroupId,
                deduplication_id=MessageDeduplicationId,
                delay=DelaySeconds,
            )
            self.world.tell(f"sent to {queue.name}", subject)
            return message_id

        message_id = self.world.request(f"{queue.name}/send", subject, send, code="RequestThrottled")
        return {"MessageId": message_id}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        queue = self._queue(QueueUrl)
        self.world.request(
            f"{queue.name}/visibility",
            ReceiptHandle,
            lambda: queue.set_visibility(ReceiptHandle, VisibilityTimeout),
            code="RequestThrottled",
            writes=False,
        )

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        queue = self._queue(QueueUrl)
        now, messages = self.world.now, queue.messages.values()
        hidden = sum(message.in_flight_until > now for message in messages)
        visible = sum(message.visible_at <= now for message in messages)
        known = {
            "ApproximateNumberOfMessages": visible,
            "ApproximateNumberOfMessagesNotVisible": hidden,
            "ApproximateNumberOfMessagesDelayed": len(messages) - visible - hidden,
        }
        return {"Attributes": {name: str(known[name]) for name in AttributeNames}}

    def _queue(self, url: str) -> Queue:
        queue = self.queues.get(url)
        if queue is None:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue", "SQS")
        return queue


@dataclass
class S3:
    """``s3``: every reader sees a write at once (strong consistency since 2020).

    Event bodies expire by the bucket's lifecycle rule
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html).
    """

    world: World
    objects: dict[str, bytes] = field(default_factory=dict)
    put_at: dict[str, float] = field(default_factory=dict)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: ARG002, N803
        def put() -> None:
            self.objects[f"{Bucket}/{Key}"] = Body
            self.put_at[f"{Bucket}/{Key}"] = self.world.now

        self.world.request("s3/put", Key[-12:], put, code="SlowDown")

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        def get() -> bytes:
            name = f"{Bucket}/{Key}"
            expired = name.startswith(EVENT_BODIES) and self.world.now >= self.put_at[name] + BODY_EXPIRATION_SECONDS
            if expired or name not in self.objects:
                raise refusal("NoSuchKey", "GetObject")
            return self.objects[name]

        return {"Body": io.BytesIO(self.world.request("s3/get", Key[-12:], get, code="SlowDown", writes=False))}


@dataclass
class Secrets:
    """``secretsmanager``, behind our own protocol: a read may be refused."""

    world: World
    stored: Mapping[str, list[str]]
    error: Callable[[], Exception]

    def values(self, arns: Any) -> list[str]:
        if self.world.strikes("secrets/refuse", "secrets", self.world.mix.refuse):
            raise self.error()
        return [value for arn in arns for value in self.stored[arn]]

    def verifying(self, arns: Any, *, previous_seconds: int) -> PartnerSecrets:  # noqa: ARG002
        return PartnerSecrets(self.values(arns))

    def reread(self, arns: Any, *, previous_seconds: int) -> PartnerSecrets | None:
        return self.verifying(arns, previous_seconds=previous_seconds)


@dataclass
class Functions:
    """``lambda``: a function that dies answers with ``FunctionError``.

    The client waits ``read_timeout`` seconds, and asks again ``attempts`` times in all; the function runs on.
    """

    world: World
    functions: dict[str, Callable[[dict[str, Any], Invocation], object]] = field(default_factory=dict)
    read_timeout: float = 30.0
    attempts: int = 1

    def waiting(self, read_timeout: float, *, attempts: int = 1) -> Functions:
        """Another client of the same functions."""
        return Functions(self.world, self.functions, read_timeout, attempts)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: ARG002, N803
        subject = subject_of(Payload.decode())
        lineage = {} if self.world.current is None else self.world.current.lineage

        def run() -> dict[str, Any]:
            return self._answer(FunctionName, json.loads(Payload), lineage, subject)

        def invoke() -> dict[str, Any]:
            for _ in range(self.attempts):
                answer = self.world.await_other(run, self.read_timeout)
                if answer is not None:
                    return answer
            raise ReadTimeoutError(endpoint_url=FunctionName)

        # The process may not die without an answer here: the function that it invokes is a task of its own.
        return self.world.request(
            "lambda/invoke", subject, invoke, code="TooManyRequestsException", repeats=False, writes=False
        )

    def _answer(self, name: str, payload: dict[str, Any], lineage: Lineage, subject: str) -> dict[str, Any]:
        try:
            answer = self.world.invoke(
                name,
                FUNCTION_SECONDS,
                lambda invocation: self.functions[name](payload, invocation),
                lineage=lineage,
                subject=subject,
            )
        except LoopError:
            raise refusal("RecursiveInvocationException", "Invoke") from None
        except Killed:
            return self._failed("Runtime.ExitError", "the process exited")
        except Exception as error:  # noqa: BLE001  # as Lambda's runtime does
            return self._failed(type(error).__name__, str(error))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def _failed(self, kind: str, text: str) -> dict[str, Any]:
        document = json.dumps({"errorType": kind, "errorMessage": text}).encode()
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(document)}


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of a state machine; it ends at ``ends``."""

    text: str
    began: float
    ends: float


@dataclass
class StateMachines:
    """``stepfunctions``: a Standard execution's name is taken for 90 days after it has ended.

    While it runs, the same name and input find it; afterwards they are refused.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """

    world: World
    effect: Callable[[str, str], None]
    """Called with the name and the event of each execution that begins."""
    executions: dict[str, Execution] = field(default_factory=dict)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        subject, world = subject_of(input), self.world
        execution = {"executionArn": f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"}

        def start() -> dict[str, str]:
            known = self.executions.get(name)
            if known is not None and world.now < known.ends + NAME_TAKEN_SECONDS:
                if known.text == input and world.now < known.ends:
                    return execution
                raise refusal("ExecutionAlreadyExists", "StartExecution")
            seconds = 3600 * world.chance("states/runs", subject) ** 2
            self.executions[name] = Execution(input, world.now, world.now + seconds)
            self.effect(name, subject)
            return execution

        # The client for effects repeats nothing by itself (``adapters.boto_clients.client_for_effects``).
        return world.request("states/start", subject, start, code="ThrottlingException", repeats=False)
