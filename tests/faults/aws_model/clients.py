"""boto3's clients over the model, with the calls that our own adapters make."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from media_events.partners.secrets import PartnerSecrets
from tests.faults.aws_model.scheduler import Invocation, Killed, LoopError, World, refusal, subject_of
from tests.faults.aws_model.sqs import Queue


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
        self.world.before_write(f"{queue.name}/send", subject, code="RequestThrottled")
        attributes = {
            name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
            for name, value in MessageAttributes.items()
        }
        message_id = queue.send(
            MessageBody,
            attributes,
            group_id=MessageGroupId,
            deduplication_id=MessageDeduplicationId,
            delay=DelaySeconds,
        )
        self.world.tell(f"sent to {queue.name}", subject)
        self.world.after_write(f"{queue.name}/send", subject)
        return {"MessageId": message_id}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        queue = self._queue(QueueUrl)
        self.world.before_write(f"{queue.name}/visibility", ReceiptHandle, code="RequestThrottled")
        queue.set_visibility(ReceiptHandle, VisibilityTimeout)

    def _queue(self, url: str) -> Queue:
        queue = self.queues.get(url)
        if queue is None:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue", "SQS")
        return queue


@dataclass
class S3:
    """``s3``: every reader sees a write at once (strong consistency since 2020)."""

    world: World
    objects: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: ARG002, N803
        self.world.before_write("s3/put", Key[-12:], code="SlowDown")
        self.objects[f"{Bucket}/{Key}"] = Body
        self.world.after_write("s3/put", Key[-12:])

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.world.before_write("s3/get", Key[-12:], code="SlowDown")
        if f"{Bucket}/{Key}" not in self.objects:
            raise refusal("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"])}


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
    """``lambda``: a function that dies answers with ``FunctionError``."""

    world: World
    functions: dict[str, Callable[[dict[str, Any], Invocation], object]] = field(default_factory=dict)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: ARG002, N803
        payload = json.loads(Payload)
        self.world.before_write("lambda/invoke", subject_of(Payload.decode()), code="TooManyRequestsException")
        lineage = {} if self.world.current is None else self.world.current.lineage
        try:
            answer = self.world.invoke(
                FunctionName, 30, lambda i: self.functions[FunctionName](payload, i), lineage=lineage
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


@dataclass
class StateMachines:
    """``stepfunctions``: a Standard execution's name is taken for 90 days.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """

    world: World
    effect: Callable[[str], None]
    executions: dict[str, str] = field(default_factory=dict)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803
        subject = subject_of(input)
        execution = {"executionArn": f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"}
        self.world.before_write("states/start", subject, code="ThrottlingException")
        if name in self.executions:
            if self.executions[name] == input:
                return execution
            raise refusal("ExecutionAlreadyExists", "StartExecution")
        self.executions[name] = input
        self.effect(subject)
        self.world.after_write("states/start", subject)
        return execution
