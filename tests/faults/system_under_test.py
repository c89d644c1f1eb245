"""The deployed whole on the model: our own domain code and adapters, wired as in the Lambda handlers."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast

from media_events.adapters.aws_lambda.redrive import LambdaFunctions
from media_events.adapters.boto_clients import MAX_ATTEMPTS
from media_events.adapters.dynamodb.circuit_breaker import DynamoCircuitBreaker, DynamoCircuitBreakers
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore, IdempotencyReader
from media_events.adapters.dynamodb.key_queues import (
    HELD_INDEX,
    DynamoHeldKeyQueues,
    DynamoKeyQueues,
    DynamoParkedMessages,
)
from media_events.adapters.dynamodb.latest_positions import DynamoLatestPositions
from media_events.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from media_events.adapters.dynamodb.review_items import CLOSED_INDEX, GROUPS_INDEX, INDEXES, DynamoReviewTable
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies
from media_events.adapters.sqs.depths import depth
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.adapters.sqs.redrive import SqsQueues
from media_events.adapters.step_functions.executions import StepFunctions
from media_events.core.failures import ProcessingError, TransientError
from media_events.delivery.aws.step_functions import StepFunctionsDelivery
from media_events.delivery.circuit_breaker import CircuitBreaker
from media_events.delivery.config import Destination, parse_destination
from media_events.delivery.deliverer import Deliverer, Delivery
from media_events.delivery.http.delivery import HttpDelivery
from media_events.delivery.ordering.key_queue import ORDERING_ATTRIBUTE, KeyQueue
from media_events.delivery.ordering.latest_only import LatestOnly
from media_events.delivery.ordering.resequencer import Resequencer
from media_events.delivery.policies import CircuitBreakerPolicy, ResequencerPolicy
from media_events.events.publisher import Publisher
from media_events.handlers.redrive import FUNCTION_TIMEOUT_SECONDS, ONE_ATTEMPT
from media_events.ingress.idempotent_publish import IdempotentPublisher
from media_events.ingress.queue import QueueReceiver
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from media_events.ingress.webhook import WebhookReceiver, parse_partners
from media_events.messaging import message_origin
from media_events.messaging.message import Message
from media_events.messaging.queue_consumer import BatchResponse, Consumer, RetryPolicy, consume_batch
from media_events.recovery.key_maintenance import KeyMaintenance
from media_events.recovery.redrive_policy import DeadLetterQueue, RedrivePolicy, RedriveTarget
from media_events.recovery.redriver import ISOLATED_SECONDS, Redriver
from media_events.recovery.review_maintenance import ReviewMaintenance
from media_events.recovery.review_opener import INSPECTION_SECONDS
from media_events.transform import Transformer, parse_steps
from media_events.transform.ports import TransformPorts
from media_events_kit.event_patterns import effective_pattern
from media_events_kit.ops.deployment.idempotency_stores import IdempotencyTables
from media_events_kit.ops.operations.audit import AUDIT, Entry
from media_events_kit.ops.operations.table import OperationTable
from media_events_kit.ops.review.service import ReviewService
from media_events_kit.ops.review.store import DynamoRecords
from tests.faults.aws_model.clients import S3, Functions, Secrets, Sqs, StateMachines
from tests.faults.aws_model.dynamodb import IdempotencyTable, Table
from tests.faults.aws_model.eventbridge import Bus, Rule
from tests.faults.aws_model.scheduler import Invocation, Killed, World, event_id_of, marks, subject_of
from tests.faults.aws_model.sqs import EventSourceMapping, Queue, Stored, role_id
from tests.faults.receivers import HttpReceiver

_ON_THE_BUS: Final = re.compile(r'"redrive": ?{"route": ?"[^"]*", ?"count": ?([0-9]+)}')
SECRET: Final = "the-partner-s-signing-secret"
MAX_ENTRY_BYTES: Final = 2_000
"""Small, so that many events need the claim check."""
LARGE_BATCHES: Final = "sqs"
"""The ingress whose batches take several ``PutEvents``: by the number of their events, and by their size."""
LARGE_ENTRY_BYTES: Final = 100_000
MAX_RECEIVE_COUNT: Final = 5
MAX_REDRIVES_SEEN: Final = 40
"""Far more than a policy's three. The bound grows with duplicates, which have duplicates of their own."""

SPECIFICATION: Final[dict[str, Any]] = {
    "id": "body.id",
    "type": "body.type",
    "time": "body.at",
    "subject": "body.asset",
    "partitionkey": "body.asset",
    "types": {"asset.ready": "asset.ready"},
}
ENTRIES: Final[Mapping[str, dict[str, Any]]] = {
    "sqs": {"mam": {"specification": SPECIFICATION}},
    "sns-fifo": {"edit": {"specification": SPECIFICATION}},
    "partner-bus": {"acme": {"specification": SPECIFICATION, "sources": ["aws.partner/acme.com/*"]}},
    "custom-bus": {"tool": {"specification": SPECIFICATION, "sources": ["com.tool.*"]}},
}
EDITABLE_TYPES: Final = ("video.asset.ready", "asset.ready")
CLOSED_KEPT_SECONDS: Final = 30 * 86_400.0
STATE_MACHINE: Final = "arn:aws:states:eu-west-1:123456789012:stateMachine:process"
READY: Final[dict[str, Any]] = {"detail": {"data": {"kind": ["ready"]}}}
RAW: Final[dict[str, Any]] = {"detail": {"data": {"kind": ["raw"]}}}
ORDERED: Final[Mapping[str, dict[str, Any]]] = {
    "waiting": {"ordering": "strict", "strict": {"on_failure": "block", "hold_seconds": 300, "reorder_seconds": 8}},
    "parking": {"ordering": "strict", "strict": {"on_failure": "park", "hold_seconds": 300, "reorder_seconds": 8}},
}
"""Destinations that receive the events of a key in order."""
_BREAKER: Final = {"failures": 10, "delay_seconds": 30, "max_delay_seconds": 240, "hold_seconds": 3600}
HTTP_DESTINATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    name: {"circuit_breaker": _BREAKER, **ORDERED.get(name, {})} for name in ("cms", "plain", "search", *ORDERED)
}
"""The settings of the HTTP endpoints, by name."""
DESTINATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ready": ("cms", "plain", "process", "archive", *ORDERED),
    "raw": ("search",),
    "malformed": (),
}
"""The destinations of each kind of event."""


def _redrive_count(attributes: Mapping[str, Mapping[str, Any]]) -> int:
    return int(attributes.get("redrivecount", {}).get("stringValue") or 0)


def _count_on_the_bus(body: str) -> int:
    """The redrive count in the metadata of an event that went back on the bus."""
    found = _ON_THE_BUS.search(body)
    return int(found[1]) if found else 0


class EndlessError(Exception):
    """A dead letter is redriven without end."""


class Quiet:
    """Telemetry that drops everything."""

    def info(self, message: str, /, **fields: object) -> None: ...

    def warning(self, message: str, /, **fields: object) -> None: ...

    def error(self, message: str, /, **fields: object) -> None: ...

    def count(self, metric: str, /, value: int = 1, **dimensions: str) -> None: ...

    def measure(self, metric: str, value: float, /, *, unit: str = "Count", **dimensions: str) -> None: ...


class _Unused:
    """A port that this deployment does not use."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nothing uses {name}")


class _NoBodies:
    """The model deletes no items' bodies."""

    def of(self, _item_id: str) -> list[Any]:
        return []

    def delete(self, _objects: Sequence[Any]) -> None: ...


def _known(kind: Any, **options: Any) -> dict[str, Any]:
    """Those of ``options`` that ``kind`` has: the version before may lack some."""
    return {name: value for name, value in options.items() if name in kind.__dataclass_fields__}


class _Endpoint:
    """A receiver as this version of the code knows it: two versions have an error of one name each."""

    def __init__(self, receiver: HttpReceiver) -> None:
        self._receiver = receiver

    def post(self, request: Any) -> Any:
        try:
            return self._receiver.post(request)
        except Exception as error:
            if type(error).__name__ == "TransientError":
                raise TransientError(error.code, error.message) from None  # type: ignore[attr-defined]
            raise


class _RedriveFunctions:
    """As in ``handlers.redrive``: three clients with their own patience."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def _waiting(self, read_timeout: float, attempts: int = ONE_ATTEMPT) -> LambdaFunctions:
        client: Any = self._functions.waiting(read_timeout, attempts=attempts)
        return LambdaFunctions(client)

    def invoke(self, function_arn: str, payload: str) -> None:
        self._waiting(FUNCTION_TIMEOUT_SECONDS, MAX_ATTEMPTS).invoke(function_arn, payload)

    def consume(self, function_arn: str, payload: str) -> None:
        self._waiting(ISOLATED_SECONDS).consume(function_arn, payload)

    def inspect(self, function_arn: str, payload: str) -> Message:
        return self._waiting(INSPECTION_SECONDS).inspect(function_arn, payload)


@dataclass
class _Hop:
    """A hop's queue, dead-letter queue and consumer."""

    name: str
    queue: Queue
    dead: Queue


class Kit:
    """One deployment on one :class:`World`: five ingresses, a transform, the routes, the redrive function.

    ``http`` are the settings of the HTTP destinations, by name; a workflow and a queue are destinations as well.

    A ``twin`` is the same deployment with another version of the code: the two share all but the code, and each
    invocation is of one of them, as while an upgrade or a rollback is under way.
    """

    def __init__(
        self,
        world: World,
        http: Mapping[str, Mapping[str, Any]] = HTTP_DESTINATIONS,
        *,
        twin: Any = None,
    ) -> None:
        self.world = world
        self.handlers: dict[str, Callable[[dict[str, Any], Invocation], object]] = {}
        self._twin = twin
        self._other: Any = None
        self._turns = random.Random(f"{world.seed}/versions")
        if twin is not None:
            twin._other = self
        self.report = Quiet()
        self.rng = random.Random(world.seed)
        sort_keys = {name: sort for name, (_, sort) in INDEXES.items()}
        sort_keys |= {name: sort for name, _, sort in (GROUPS_INDEX, CLOSED_INDEX)}
        self.queues: dict[str, Queue] = {} if twin is None else twin.queues
        self.sqs: Any = Sqs(world, self.queues)
        self.s3: S3 = S3(world) if twin is None else twin.s3
        self.functions: Functions = Functions(world) if twin is None else twin.functions
        self._functions: Any = self.functions
        self.bus: Bus = Bus(world, "kit") if twin is None else twin.bus
        self.partner_bus: Bus = Bus(world, "acme") if twin is None else twin.partner_bus
        self.ingress_idempotency: Any = (
            IdempotencyTable(world, "ingress-idempotency", "pk") if twin is None else twin.ingress_idempotency
        )
        self.route_idempotency: Any = (
            IdempotencyTable(world, "route-idempotency", "pk", sort_keys={HELD_INDEX: "held_since"})
            if twin is None
            else twin.route_idempotency
        )
        self.reviews: Any = (
            Table(world, "review", "item_id", sort_keys=sort_keys, transactions=True) if twin is None else twin.reviews
        )
        self.events: Any = self.bus
        self.bodies = S3Bodies(cast("Any", self.s3), "s3://kit/bodies/events/")
        self.dead_letter_queues: dict[str, DeadLetterQueue] = {}
        self.redrives: Counter[tuple[str, str]] = Counter()
        self.dead_lettered: set[str] = set()
        self.miscounted: list[tuple[str, str]] = []
        """Events that were sent back without a higher redrive count, and where to."""
        self._attending: dict[str, set[tuple[str, int]]] = {} if twin is None else twin._attending
        self.http = http
        self.receivers = (
            {name: HttpReceiver(world, name, idempotent=name != "plain") for name in http}
            if twin is None
            else twin.receivers
        )
        self.key_queues = DynamoKeyQueues(self.route_idempotency, "idempotency", clock=world.clock)
        self.executions: Counter[str] = Counter()
        self.execution_times: list[tuple[float, str]] = []
        self.machines: Any = StateMachines(world, self._executed) if twin is None else twin.machines
        self.receiver = self._webhook()
        self.queue_ingresses = {entry: self._queue_ingress(entry, partners) for entry, partners in ENTRIES.items()}
        self._transform()
        self._routes()
        self.archive = self._archive()
        self._review()

    def at_work(self) -> Any:
        """The version that the next invocation is of: this one, or its twin's."""
        return self if self._other is None or self._turns.random() < 0.5 else self._other  # as often

    def _consume(self, queue: Queue, function: str, handler: Any, **options: Any) -> None:
        """Have ``handler`` handle the messages of ``queue``."""
        self.handlers[function] = handler
        if self._twin is None:
            EventSourceMapping(queue, function, functools.partial(self._invoked, function), **options)

    def _invoked(self, function: str, event: dict[str, Any], invocation: Invocation) -> object:
        return self.at_work().handlers[function](event, invocation)

    def _invocable(self, function: str, handler: Any) -> None:
        """Have ``handler`` be what is invoked by the function's name."""
        self.handlers[function] = handler
        if self._twin is None:
            self.functions.functions[function] = functools.partial(self._invoked, function)

    # --- hops --------------------------------------------------------------------------------------------------------

    def _hop(self, name: str, *, fifo: bool = False) -> _Hop:
        stem, end = "kit-" + name.rpartition("/")[2], ".fifo" if fifo else ""
        dead = self._queue(f"{stem}-dlq{end}", visibility=360.0)
        queue = self._queue(f"{stem}{end}", max_receive_count=MAX_RECEIVE_COUNT, dead_letters=dead)
        if self._twin is None:
            queue.sent = functools.partial(self._sent_back, name)
        return _Hop(name, queue, dead)

    def _sent_back(self, hop: str, body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """Check that each redrive has a redrive count one above its dead letter's; a skipped event is not redriven."""
        current = self.world.current
        dead_letters = None if current is None else self._attending.get(current.request_id)
        mark, count = subject_of(body), _redrive_count(attributes)
        if dead_letters is None or attributes.get(ORDERING_ATTRIBUTE, {}).get("stringValue") == "skip":
            return
        if (mark, count - 1) not in dead_letters:
            self.miscounted.append((mark, hop))

    def _queue(self, name: str, **options: Any) -> Queue:
        queue = Queue(self.world, name, **options)
        # A twin has the queue already.
        return self.queues.setdefault(queue.url, queue)

    def _rule(self, hop: _Hop, pattern: Mapping[str, Any], bus: Bus | None = None) -> None:
        if self._twin is None:
            rule = Rule(name=hop.name, pattern=pattern, target=hop.queue, dead_letters=hop.dead)
            (bus or self.bus).rules.append(rule)

    def _attended(
        self, hop: _Hop, destination: str, redrive_target: RedriveTarget, function: str | None = None
    ) -> None:
        # Redrive feeds the function that fills the dead-letter queue, so each of the two is in a loop.
        self.world.may_loop |= {function or hop.name, f"redrive of {hop.name}"}
        # The version before believed what a sender says of a failure.
        authenticated = "function_role_id" in DeadLetterQueue.__dataclass_fields__
        self.dead_letter_queues[hop.dead.arn] = DeadLetterQueue(
            arn=hop.dead.arn,
            url=hop.dead.url,
            hop=hop.name,
            destination=destination,
            redrive_target=redrive_target,
            queue_url=hop.queue.url if redrive_target == "queue" else None,
            function_arn=function,
            consumer_arn=hop.name if hop.name in self.functions.functions else None,
            # A FIFO queue's dead letters go back before and after SQS has forgotten their deduplication ids.
            policy=RedrivePolicy(base_delay_seconds=400) if hop.queue.fifo else RedrivePolicy(),
            ordered=destination in ORDERED,
            **({"function_role_id": role_id(hop.name)} if authenticated else {}),
            idempotency_table="idempotency" if hop.name.startswith("route/") and redrive_target == "queue" else None,
        )

    def _consumer(self, hop: _Hop, **options: Any) -> Consumer:
        return Consumer(
            queue=options.pop("queue", None) or self._sqs_queue(hop),
            hop=hop.name,
            report=self.report,
            policy=RetryPolicy(max_receive_count=MAX_RECEIVE_COUNT),
            clock=self.world.clock,
            rng=self.rng,
            **options,
        )

    def _sqs_queue(self, hop: _Hop) -> SqsQueue:
        return SqsQueue(self.sqs, queue_url=hop.queue.url, dead_letter_queue_url=hop.dead.url)

    def _publisher(self, *, bodies: bool = True, max_entry_bytes: int = MAX_ENTRY_BYTES) -> Publisher:
        return Publisher(
            bus=EventBus(self.events, self.bus.arn),
            bodies=self.bodies if bodies else None,
            max_entry_bytes=max_entry_bytes,
            sleep=self.world.pause,
            rng=self.rng,
        )

    def _idempotent_publisher(
        self, hop: str, dead: SqsQueue, *, max_entry_bytes: int = MAX_ENTRY_BYTES
    ) -> IdempotentPublisher:
        return IdempotentPublisher(
            publisher=self._publisher(max_entry_bytes=max_entry_bytes),
            dead_letters=dead,
            hop=hop,
            report=self.report,
            bodies=self.bodies,
            inline_bytes=MAX_ENTRY_BYTES,
            clock=self.world.clock,
            sleep=self.world.pause,
            rng=self.rng,
        )

    def idempotency(self, invocation: Invocation, table: Any = None) -> DynamoIdempotencyStore:
        store = DynamoIdempotencyStore(
            table or self.ingress_idempotency, "idempotency", owner=invocation.request_id, clock=self.world.clock
        )
        store.parallel = 1  # the model has one thread
        return store

    def remaining(self, invocation: Invocation) -> Callable[[], float]:
        return lambda: invocation.deadline - self.world.now

    # --- ingresses ---------------------------------------------------------------------------------------------------

    def _webhook(self) -> WebhookReceiver:
        hop = _Hop("ingress/webhook", Queue(self.world, "none"), self._queue("kit-webhook-dlq", visibility=360.0))
        dead = SqsQueue(self.sqs, dead_letter_queue_url=hop.dead.url)
        self._attended(hop, "bus", "bus", "webhook")
        unused: Any = _Unused()
        receiver = WebhookReceiver(
            partners=parse_partners({"mux": {"specification": {"preset": "mux"}, "secret_arns": ["arn:mux"]}}),
            secrets=Secrets(
                self.world, {"arn:mux": [SECRET]}, lambda: TransientError("aws-InternalServiceError", "no secrets now")
            ),
            **_known(WebhookReceiver, public_keys=unused),
            idempotent_publisher=self._idempotent_publisher(hop.name, dead),
            report=self.report,
            hop=hop.name,
            clock=self.world.clock,
        )

        def replay(payload: dict[str, Any], invocation: Invocation) -> object:
            return receiver.replay(
                payload["request"], self.idempotency(invocation), remaining=self.remaining(invocation)
            )

        self._invocable("webhook", replay)
        return receiver

    def _queue_ingress(self, entry: str, partners: dict[str, Any]) -> Queue:
        hop = self._hop(f"ingress/{entry}", fifo=entry == "sns-fifo")
        receiver = QueueReceiver(
            ingress=parse_queue_ingress(entry),
            partners=parse_queue_partners(partners, parse_queue_ingress(entry)),
            idempotent_publisher=self._idempotent_publisher(
                hop.name,
                self._sqs_queue(hop),
                max_entry_bytes=LARGE_ENTRY_BYTES if entry == LARGE_BATCHES else MAX_ENTRY_BYTES,
            ),
            bodies=self.bodies,
            clock=self.world.clock,
        )
        consumer = self._consumer(
            hop, queue=self._sqs_queue(hop), dead_letter_of=receiver.dead_letter, about=receiver.about
        )

        # The version before believed a sender's attributes.
        as_sent = getattr(message_origin, "as_sent", list)

        def handler(event: dict[str, Any], invocation: Invocation) -> object:
            if "record" in event:
                return receiver.replay(
                    event["record"], self.idempotency(invocation), remaining=self.remaining(invocation)
                )
            if "inspect" in event:
                return receiver.inspect(event["inspect"])

            def receive(messages: Sequence[Message]) -> Sequence[BaseException | None]:
                return receiver.receive(messages, self.idempotency(invocation), remaining=self.remaining(invocation))

            return consume_batch({"Records": as_sent(event["Records"])}, receive, consumer)

        batches: dict[str, Any] = {"batch_size": 25, "window": 5.0} if entry == LARGE_BATCHES else {}
        self._consume(hop.queue, hop.name, handler, **batches)
        self._invocable(hop.name, handler)
        self._attended(hop, "bus", "queue")
        if entry == "partner-bus":
            self._rule(hop, {"source": [{"prefix": "aws.partner/acme.com/"}]}, self.partner_bus)
        if entry == "custom-bus":
            self._rule(hop, {"source": [{"prefix": "com.tool."}]})
        return hop.queue

    # --- transform and routes ----------------------------------------------------------------------------------------

    def _transform(self) -> None:
        hop = self._hop("transform/enrich")
        self._rule(hop, effective_pattern(RAW, hop=hop.name, stage="received"))
        unused: Any = _Unused()
        steps = parse_steps([{"set": {"enriched": True}}])
        consumer = self._consumer(hop)

        def handler(event: dict[str, Any], invocation: Invocation) -> BatchResponse:
            transformer = Transformer(
                steps=steps,
                ports=TransformPorts(
                    partners=unused,
                    read_secrets=unused,
                    tables=unused,
                    objects=unused,
                    functions=unused,
                    load=unused,
                    clock=self.world.clock,
                    seconds_left=self.remaining(invocation),
                ),
                publisher=self._publisher(),
                hop=hop.name,
                report=self.report,
                bodies=self.bodies,
            )
            return consume_batch(event, transformer.handle, consumer)

        self._consume(hop.queue, hop.name, handler)
        self._invocable(hop.name, handler)
        self._attended(hop, hop.name, "queue")

    def _routes(self) -> None:
        for name, receiver in self.receivers.items():
            destination: Any = parse_destination(
                {
                    "destination": {
                        "name": name,
                        "type": "http",
                        "url": f"https://{name}.example.com/events",
                        **self.http[name],
                    }
                }
            )
            delivery: Any = HttpDelivery(
                destination=destination,
                client=_Endpoint(receiver),
                read_secrets=lambda _arn: [],
                clock=self.world.clock,
            )
            self._route(destination, delivery, transformed=name == "search")
        states: Any = parse_destination(
            {"destination": {"name": "process", "type": "step-functions", "state_machine_arn": STATE_MACHINE}}
        )
        self._route(states, StepFunctionsDelivery(destination=states, state_machines=StepFunctions(self.machines)))

    def _route(self, destination: Destination, delivery: Delivery, *, transformed: bool = False) -> None:
        hop = self._hop(f"route/{destination.name}")
        if transformed:
            self._rule(hop, effective_pattern(RAW, hop=hop.name, stage="transformed"))
        else:
            self._rule(hop, effective_pattern(READY, hop=hop.name, stage="received"))
        consumer = self._consumer(hop, deferrals=self._sqs_queue(hop))
        store = DynamoCircuitBreaker(self.route_idempotency, "idempotency", destination.name, clock=self.world.clock)

        @functools.cache
        def circuit_breaker(_sandbox: int) -> CircuitBreaker:
            return CircuitBreaker(
                destination=destination.name,
                policy=destination.circuit_breaker or CircuitBreakerPolicy(),
                store=store,
                table="idempotency",
                report=self.report,
                clock=self.world.clock,
                rng=self.rng,
            )

        def handler(event: dict[str, Any], invocation: Invocation) -> BatchResponse:
            idempotency = self.idempotency(invocation, self.route_idempotency)
            latest = None
            if destination.latest:
                positions = DynamoLatestPositions(
                    self.route_idempotency, "idempotency", owner=invocation.request_id, clock=self.world.clock
                )
                hold_seconds = (destination.circuit_breaker or CircuitBreakerPolicy()).hold_seconds
                latest = LatestOnly(destination=destination.name, positions=positions, hold_seconds=hold_seconds)
            strict = None
            if destination.strict is not None:
                strict = Resequencer(
                    destination=destination.name,
                    policy=destination.strict,
                    key_queues=self.key_queues,
                    parked_messages=DynamoParkedMessages(self.route_idempotency, "idempotency", clock=self.world.clock),
                    idempotency=idempotency,
                    waiting=self._sqs_queue(hop),
                    owner=invocation.request_id,
                    clock=self.world.clock,
                )
            deliverer = Deliverer(
                destination=destination.name,
                hop=hop.name,
                delivery=delivery,
                idempotency=idempotency,
                strict=strict,
                latest=latest,
                report=self.report,
                seconds_left=self.remaining(invocation),
                clock=self.world.clock,
                parallel=1,
                max_receive_count=MAX_RECEIVE_COUNT,
                circuit_breaker=circuit_breaker(invocation.sandbox),
            )
            copies = self.idempotency(invocation, self.route_idempotency)
            return consume_batch(event, deliverer, replace(consumer, deferral_records=copies))

        self._consume(hop.queue, hop.name, handler)
        self._invocable(hop.name, handler)
        self._attended(hop, destination.name, "queue")

    def _archive(self) -> Queue:
        """A user's queue that a rule sends to directly."""
        queue = self._queue("users-archive")
        hop = _Hop("route/archive", queue, self._queue("kit-archive-dlq", visibility=360.0))
        self._rule(hop, effective_pattern(READY, hop=hop.name, stage="received"))
        self._attended(hop, "archive", "bus")
        return queue

    def _executed(self, name: str, mark: str) -> None:
        self.executions[mark] += 1
        self.execution_times.append((self.world.now, event_id_of(name)))
        if self.world.current is not None:
            self.world.current.effects.add(("process", mark))

    # --- redrive -----------------------------------------------------------------------------------------------------

    def _review(self) -> None:
        self.records = DynamoRecords(self.reviews, "review")
        self.audit = _Audit(self.reviews, "review")
        self.reviews.items["settings/review"] = {
            "item_id": {"S": "settings/review"},
            "editable_types": {"S": json.dumps(dict.fromkeys(EDITABLE_TYPES))},
        }
        self.table = DynamoReviewTable(self.reviews, "review", sleep=self.world.pause, clock=self.world.clock)
        redriver = Redriver(
            dead_letter_queues=self.dead_letter_queues,
            bus_arn=self.bus.arn,
            queues=SqsQueues(self.sqs),
            events=self._publisher(bodies=False, max_entry_bytes=262_144),
            functions=_RedriveFunctions(self.functions),
            table=self.table,
            bodies=lambda item_id: S3Bodies(cast("Any", self.s3), f"s3://kit/bodies/review/{item_id}/"),
            event_bodies=self.bodies,
            topic=None,
            report=self.report,
            clock=self.world.clock,
            circuit_breakers=DynamoCircuitBreakers(self.route_idempotency, clock=self.world.clock),
            rate_limiter=DynamoRateLimiter(self.reviews, "review", clock=self.world.clock),
            sleep=self.world.pause,
        )
        for queue in self.dead_letter_queues.values():
            dead = self.queues[queue.url]

            def handler(event: dict[str, Any], invocation: Invocation, queue: DeadLetterQueue = queue) -> BatchResponse:
                invocation.only = () if queue.hop.startswith("ingress/") else (queue.hop,)
                dead_letters = {
                    (subject_of(record["body"]), count)
                    for record in event["Records"]
                    for count in (_redrive_count(record["messageAttributes"]), _count_on_the_bus(record["body"]))
                }
                self._attending[invocation.request_id] = dead_letters
                return replace(redriver, seconds_left=self.remaining(invocation)).handle_batch(event)

            self._consume(dead, f"redrive of {queue.hop}", handler, timeout=60.0, concurrency=2)
            if self._twin is None:
                self._watch(dead, queue)

    def service(self) -> ReviewService:
        """The review service of an operator."""
        idempotency_stores = IdempotencyTables(self.route_idempotency, ["idempotency"], clock=self.world.clock)
        return ReviewService(
            table=self.table,
            delivery_records=idempotency_stores,
            key_queues=idempotency_stores,
            queues=SqsQueues(self.sqs),
            bus=lambda _arn: self._publisher(bodies=False),
            functions=LambdaFunctions(self._functions),
            bodies=lambda uri: S3Bodies(cast("Any", self.s3), uri.rpartition("/")[0]),
            clock=self.world.clock,
            sleep=self.world.pause,
        )

    def maintain(self) -> None:
        """Run the review maintenance once, as its schedule does."""
        queues = {queue.hop: queue for queue in self.dead_letter_queues.values()}

        def work(invocation: Invocation) -> None:
            ReviewMaintenance(
                table=self.table,
                delivery_records=IdempotencyReader(self.route_idempotency, clock=self.world.clock),
                circuit_breakers=DynamoCircuitBreakers(self.route_idempotency, clock=self.world.clock),
                bodies=_NoBodies(),
                depth=functools.partial(depth, self.sqs),
                queues=queues,
                keep_seconds=CLOSED_KEPT_SECONDS,
                report=self.report,
                clock=self.world.clock,
                seconds_left=self.remaining(invocation),
                keys=self._key_maintenance(invocation),
            ).run()

        with contextlib.suppress(Killed, ProcessingError):
            self.world.invoke("maintenance", 60.0, work)

    def _key_maintenance(self, invocation: Invocation) -> KeyMaintenance:
        store: Any = self.route_idempotency

        def resequencer(queue: DeadLetterQueue) -> Resequencer:
            return Resequencer(
                destination=queue.destination,
                policy=ResequencerPolicy(),
                key_queues=self.key_queues,
                parked_messages=DynamoParkedMessages(store, "idempotency", clock=self.world.clock),
                idempotency=DynamoIdempotencyStore(store, "idempotency", owner=queue.hop, clock=self.world.clock),
                waiting=SqsQueue(self.sqs, queue_url=queue.queue_url, dead_letter_queue_url=queue.url),
                owner=queue.hop,
                clock=self.world.clock,
            )

        return KeyMaintenance(
            held_keys=DynamoHeldKeyQueues(store),
            key_queues=lambda _table: self.key_queues,
            resequencer=resequencer,
            items=self.table,
            delivery_records=IdempotencyReader(store, clock=self.world.clock),
            circuit_breakers=DynamoCircuitBreakers(store, clock=self.world.clock),
            queues=list(self.dead_letter_queues.values()),
            report=self.report,
            clock=self.world.clock,
            seconds_left=self.remaining(invocation),
            rng=self.rng,
        )

    def maintain_hourly(self, *, until: float) -> None:
        """Schedule the review maintenance."""
        world, when, step = self.world, self.world.now, 3600.0
        while (when := when + step) < until:
            world.at(when, lambda: self.at_work().maintain(), subject="maintenance")
            # It says the same again when nothing happens any more.
            step = min(step * 1.3, 6 * 3600.0)

    def waiting(self) -> dict[str, KeyQueue]:
        """The key queues that are not empty, by their keys."""
        texts = {
            key: item["key_queue"]["S"]
            for key, item in self.route_idempotency.items.items()
            if key.startswith("key-queue|")
        }
        key_queues = {key: KeyQueue.from_json(text) for key, text in texts.items()}
        return {key: key_queue for key, key_queue in key_queues.items() if key_queue.entries}

    def _watch(self, dead: Queue, queue: DeadLetterQueue) -> None:
        keep = dead._keep
        mix = self.world.mix
        bound = int(MAX_REDRIVES_SEEN * (1 + 30 * (mix.duplicate + mix.resurrect)))

        def kept(message: Stored) -> None:
            if message.visible_at <= self.world.now + 5 and message.receive_count == 0:
                for mark in marks(message.body):
                    self.dead_lettered.add(mark)
                    self.redrives[(queue.hop, mark)] += 1
                    if self.redrives[(queue.hop, mark)] > bound:
                        raise EndlessError(f"{mark} was dead-lettered more than {bound} times at {queue.hop}")
            keep(message)

        dead._keep = kept  # type: ignore[method-assign]


class _Audit(OperationTable):
    """The audit, in the review table: its requests fail as those of the table do."""

    def append(self, entry: Entry) -> None:
        """Add a line."""
        columns = {
            "event_id": {"S": AUDIT + entry.subject},
            "first_failed_at": {"S": entry.at},
            "ingress": {"S": json.dumps(asdict(entry))},
        }
        self._write(AUDIT + uuid.uuid4().hex, columns, "writing the audit")

    def entries(self, subject: str) -> Iterator[Entry]:
        """The lines about a subject, newest first."""
        for row in self._indexed(AUDIT, subject, "reading the audit"):
            yield Entry(**json.loads(row["ingress"]["S"]))
