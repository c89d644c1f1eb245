"""Every target that the local cloud has, with IAM enforced; each event comes three times at once, out of order."""

from __future__ import annotations

import base64
import io
import json
import random
import re
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from media_events.core.envelope import Event
from media_events.recovery.review_item import item_id
from media_events_kit.ops.demo.external_resources import lake_destination
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.local import endpoint, lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.server.lineage import hash_of, header_with
from media_events_kit.ops.local.server.loops import LIMIT
from media_events_kit.ops.review.bootstrap import service
from tests.fakes.events import make_event
from tests.fakes.http_receiver import CLIENT, Receivers, event_of
from tests.system.polling import eventually

HERE = Path(__file__).parent
SEED = bytes(range(32))
ON_ASSET = """\
class PermanentDataError(Exception):
    pass

def handler(event, context):
    if event["metadata"]["type"] == "asset.odd":
        raise PermanentDataError("no film")
    print("on-asset took", event["metadata"]["id"])
"""
EVENTS = [
    make_event({"take": take}, id=f"a{asset}-{take}", partitionkey=f"asset {asset}", sequence=f"{take:04}")
    for take in range(4)
    for asset in range(3)
]
IDS = sorted(event.metadata.id for event in EVENTS)


@dataclass(frozen=True)
class Targets:
    """The workflow, deployed, and what it delivers to."""

    clients: Clients
    outputs: dict[str, Any]
    receivers: Receivers
    queues: dict[str, str]

    def publish(self, *events: Event, at_once: int = 1) -> None:
        """Put events on the bus, as if they had come in, ``at_once`` of them side by side."""
        with ThreadPoolExecutor(max_workers=at_once) as pool:
            assert list(pool.map(self._put, events)) == [0] * len(events)

    def _put(self, event: Event) -> int:
        entry: Any = {
            "EventBusName": self.outputs["bus_name"],
            "Source": event.metadata.source,
            "DetailType": event.metadata.type,
            "Detail": event.to_json(),
        }
        return self.clients.events.put_events(Entries=[entry])["FailedEntryCount"]

    def arrived(self, path: str, identity: str) -> int:
        """How often a receiver took an event."""
        return [event_of(headers) for headers, _ in self.receivers.at(path)].count(identity)

    def receive(self, queue: str, count: int) -> list[dict[str, Any]]:
        """What a queue has, in its order, once there are ``count`` messages, and a while after that.

        A standard queue may hand out a message again, before it is deleted: it counts once.
        """
        found: dict[str, dict[str, Any]] = {}

        def poll() -> bool:
            answer: Any = self.clients.sqs.receive_message(
                QueueUrl=self.queues[queue],
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                found.setdefault(message["MessageId"], message)
                self.clients.sqs.delete_message(QueueUrl=self.queues[queue], ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        eventually(poll)
        poll()
        return list(found.values())

    def receive_all(self, queue: str, identity: Callable[[dict[str, Any]], str]) -> list[dict[str, Any]]:
        """What a queue has, once there is a message with each of :data:`IDS` as its ``identity``, and a while after."""
        found: dict[str, dict[str, Any]] = {}

        def all_there(count: int = 1) -> bool:
            found.update({each["MessageId"]: each for each in self.receive(queue, count)})
            return {identity(each) for each in found.values()} >= set(IDS)

        eventually(all_there)
        all_there(0)
        return list(found.values())

    def review(self) -> dict[str, str]:
        """Open review items: the reason by event id."""
        items = open_review_items(self.clients, self.outputs["review_table_name"])
        return {item.event_id: item.reason for item in items}


def _log(targets: Targets, beginning: str) -> list[LogLine]:
    """Log lines of the functions whose hops begin so."""
    functions = [name for hop, name in targets.outputs["functions"].items() if hop.startswith(beginning)]
    return LogReader(targets.clients.logs, functions).new_lines()


def _story(targets: Targets, hop: str) -> str:
    """What a hop says of its events, and what of them is in review: for the message of a failed assertion."""
    lines = [line.text.rstrip() for line in _log(targets, hop) if "event_id" in line.fields or not line.is_noise]
    return "\n".join([*lines, f"in review: {targets.review()}"])


def _miscounted(targets: Targets, hop: str, found: Counter[str]) -> dict[str, Any]:
    """Of ``found``, effects by event id, those of events that had none, or more than their attempts explain.

    An attempt may fail after its effect: no answer came, it could not be recorded, or the function was killed by its
    timeout, as happens on a busy machine. Its event has another one, and another effect if the target takes duplicates.
    With them the hop's story is returned.
    """
    lines = _log(targets, hop)
    failed = Counter(line.fields.get("event_id") for line in lines if line.message == "hop failed")
    killed = _killed(targets, lines)
    odd = {identity: found[identity] for identity in IDS if not 1 <= found[identity] <= 1 + failed[identity] + killed}
    return odd and odd | {"story": _story(targets, hop)}


def _killed(targets: Targets, lines: list[LogLine]) -> int:
    """How many invocations took all of their time; the local cloud's reports have no status."""
    timeouts = {
        function: targets.clients.lambda_.get_function_configuration(FunctionName=function)["Timeout"]
        for function in {line.function for line in lines}
    }
    reports = [(line, re.match(r"REPORT .*\tDuration: ([0-9.]+) ms", line.text)) for line in lines]
    return sum(float(report[1]) >= 1000 * timeouts[line.function] for line, report in reports if report)


@pytest.fixture(name="targets", scope="module")
def _targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    paths = LocalPaths(tmp_path_factory.mktemp("every-target"))
    receivers = Receivers()
    paths.root.mkdir(parents=True)
    try:
        # The ARNs of secrets are known only once they are made, so the cloud is there before the workflow.
        clients = Clients(endpoint.start(paths, region="us-east-1", port=None))
        queues = _surroundings(clients)
        signing = "whsk_" + base64.b64encode(SEED).decode()
        variables = {
            "MEDIA_EVENTS_WORKFLOW": str(HERE / "workflows" / "every-target.yaml"),
            "RECEIVER_PORT": str(receivers.server_port),
            "CLIENT_SECRET_ARN": _secret(clients, "client", json.dumps(CLIENT)),
            "SIGNING_SECRET_ARN": _secret(clients, "signing", signing),
            "CONNECTION_ARN": _connection(clients),
        }
        up = lifecycle.up(paths, lifecycle.UpOptions(variables=variables))
        targets = Targets(clients, up.outputs, receivers, queues)
        three_times = EVENTS * 3
        random.Random(7).shuffle(three_times)
        targets.publish(*three_times, at_once=6)
        yield targets
    finally:
        lifecycle.down(paths)
        receivers.go_away()


def _secret(clients: Clients, name: str, text: str) -> str:
    return clients.secretsmanager.create_secret(Name=name, SecretString=text)["ARN"]


def _connection(clients: Clients) -> str:
    """How EventBridge makes itself known to the receiver; on AWS the module makes it."""
    key: Any = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Crm-Key", "ApiKeyValue": "crm-key"}}
    return clients.events.create_connection(Name="crm", AuthorizationType="API_KEY", AuthParameters=key)[
        "ConnectionArn"
    ]


def _surroundings(clients: Clients) -> dict[str, str]:
    """Queues, a topic, a bus, a function and a stream that are not the kit's; the queues' URLs by name."""
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    queues: dict[str, str] = {}
    for name in ("per-asset.fifo", "straight-seen", "topic-seen", "bus-seen"):
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        queues[name] = clients.sqs.create_queue(QueueName=name, Attributes={"Policy": policy, **fifo})["QueueUrl"]
    session = {"endpoint_url": clients.record.endpoint, "verify": clients.record.ca_bundle}
    sns, firehose, iam = (clients.session.client(name, **session) for name in ("sns", "firehose", "iam"))  # type: ignore[call-overload]
    topic = sns.create_topic(Name="notices")["TopicArn"]
    account = topic.split(":")[4]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:us-east-1:{account}:topic-seen",
        Attributes={"FilterPolicy": '{"type": ["asset.ready"]}', "RawMessageDelivery": "true"},
    )
    clients.events.create_event_bus(Name="shared")
    clients.events.put_rule(Name="all", EventBusName="shared", EventPattern='{"source": ["partner.mux"]}')
    clients.events.put_targets(
        Rule="all", EventBusName="shared", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{account}:bus-seen"}]
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": ["lambda.amazonaws.com", "firehose.amazonaws.com"]},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(
        RoleName="theirs", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    writes = {"Effect": "Allow", "Action": ["s3:PutObject", "logs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName="theirs",
        PolicyName="writes",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [writes]}),
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("on_asset.py", ON_ASSET)
    clients.lambda_.create_function(
        FunctionName="on-asset",
        Runtime="python3.13",
        Handler="on_asset.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
    )
    clients.s3.create_bucket(Bucket="the-lake")
    firehose.create_delivery_stream(
        DeliveryStreamName="lake",
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration=lake_destination(role, "the-lake"),
    )
    return queues


# --- one effect per event and destination ------------------------------------------------------------------------


@pytest.mark.proves("destination: sqs")
def test_fifo_queue_has_each_event_once_in_the_group_of_its_asset(targets: Targets) -> None:
    received = targets.receive("per-asset.fifo", len(IDS))

    assert sorted(json.loads(each["Body"])["id"] for each in received) == IDS
    groups = {json.loads(each["Body"])["partitionkey"]: each["Attributes"]["MessageGroupId"] for each in received}
    assert [groups[f"asset {n}"].rpartition("-")[0] for n in range(3)] == ["asset-0", "asset-1", "asset-2"]


@pytest.mark.proves("destination: sqs")
def test_queue_that_the_rule_itself_sends_to_has_each_event_as_the_route_makes_it(targets: Targets) -> None:
    # Nobody remembers what a rule has sent: three times is three times.
    received = targets.receive("straight-seen", 3 * len(IDS))

    assert sorted({json.loads(each["Body"])["event"] for each in received}) == IDS


@pytest.mark.proves("destination: sns")
def test_topic_has_each_event_once_with_attributes_that_filter(targets: Targets) -> None:
    def identity(message: dict[str, Any]) -> str:
        return message["MessageAttributes"]["id"]["StringValue"]

    received = targets.receive_all("topic-seen", identity)

    taken = {identity(each): json.loads(each["Body"])["take"] for each in received}
    assert taken == {event.metadata.id: event.data["take"] for event in EVENTS}, _story(targets, "route/to-topic")
    assert _miscounted(targets, "route/to-topic", Counter(map(identity, received))) == {}


@pytest.mark.proves("destination: event-bus")
def test_other_bus_has_each_event_once_one_hop_on(targets: Targets) -> None:
    def identity(message: dict[str, Any]) -> str:
        return json.loads(message["Body"])["detail"]["metadata"]["id"]

    seen = [json.loads(each["Body"]) for each in targets.receive_all("bus-seen", identity)]

    # By the ids that the bus gave: a standard queue may well have one of its events twice.
    puts = Counter(identity for _, identity in {(each["id"], each["detail"]["metadata"]["id"]) for each in seen})
    assert _miscounted(targets, "route/to-bus", puts) == {}
    assert {(each["source"], each["detail"]["metadata"]["hops"]) for each in seen} == {("partner.mux", 1)}


@pytest.mark.proves("destination: http")
def test_receiver_with_bearer_tokens_has_each_event_once(targets: Targets) -> None:
    def at_bearer() -> Counter[str]:
        return Counter(event_of(headers) for headers, _ in targets.receivers.at("/bearer"))

    eventually(lambda: at_bearer().keys() >= set(IDS))

    assert _miscounted(targets, "route/to-bearer", at_bearer()) == {}


def test_receiver_that_revokes_a_token_is_given_a_new_one(targets: Targets) -> None:
    targets.receivers.token = "token-2"
    event = make_event(id="after-revocation")

    targets.publish(event)

    assert eventually(lambda: "after-revocation" in [event_of(h) for h, _ in targets.receivers.at("/bearer")])


@pytest.mark.proves("destination: api-destination")
def test_api_destination_has_each_event_with_its_key_and_what_the_route_makes_of_it(targets: Targets) -> None:
    def all_there() -> bool:
        return {event_of(headers) for headers, _ in targets.receivers.at("/crm/events")} >= set(IDS)

    assert eventually(all_there)
    for headers, body in targets.receivers.at("/crm/events"):
        identity = event_of(headers)
        if identity not in IDS:
            continue
        assert json.loads(body) == {"event": identity}
        assert headers["x-crm-key"] == "crm-key"
        assert headers["x-asset"] == f"asset {identity[1]}"


@pytest.mark.proves("destination: firehose")
def test_lake_has_each_event_once_partitioned(targets: Targets) -> None:
    def lines() -> Counter[str]:
        listed: Any = targets.clients.s3.list_objects_v2(Bucket="the-lake", Prefix="events/")
        found = []
        for entry in listed.get("Contents", []):
            assert entry["Key"].startswith("events/partner=mux/type=asset.ready/day=2026-11-23/")
            body = targets.clients.s3.get_object(Bucket="the-lake", Key=entry["Key"])["Body"].read()
            found += [json.loads(line)["id"] for line in body.splitlines()]
        return Counter(found)

    eventually(lambda: lines().keys() >= set(IDS))

    assert _miscounted(targets, "route/to-lake", lines()) == {}


@pytest.mark.proves("destination: lambda")
def test_function_that_raises_is_tried_again_and_then_a_person_is_asked(targets: Targets) -> None:
    targets.publish(make_event(id="odd", type="asset.odd"))

    reason = eventually(lambda: targets.review().get("odd"))

    # The local cloud has one name for whatever a function raises.
    assert reason.startswith("function-")
    assert not set(IDS) & targets.review().keys()


# --- one of three routes fails -----------------------------------------------------------------------------------


@pytest.mark.proves("routes: a failure is redriven to its own hop alone")
def test_event_of_three_routes_is_delivered_once_to_two_and_re_driven_to_the_third_alone(targets: Targets) -> None:
    targets.receivers.down.add("/third")
    targets.publish(make_event(id="three", type="asset.three"))
    # Twice by the queue, and once more or oftener by what is redriven to it.
    assert eventually(lambda: len(targets.receivers.at("/third", status=503)) >= 3)
    targets.receivers.down.clear()

    assert eventually(lambda: targets.arrived("/third", "three"))

    seen = [json.loads(each["Body"])["detail"]["metadata"] for each in targets.receive("bus-seen", 1)]
    assert [metadata["id"] for metadata in seen if metadata["id"] == "three"] == ["three"]
    assert [targets.arrived(path, "three") for path in ("/bearer", "/third")] == [1, 1]
    assert "three" not in targets.review()
    re_driven = [line for line in _log(targets, "review/") if line.message == "event redriven"]
    assert {line.fields["hop"] for line in re_driven if line.fields["event_id"] == "three"} == {"route/to-third"}


# --- without a queue ---------------------------------------------------------------------------------------------


@pytest.mark.proves("invocation: direct")
def test_function_that_its_rule_invokes_delivers_each_event_once(targets: Targets) -> None:
    events = [make_event(id=f"swift-{n}", type="asset.swift") for n in range(3)]

    targets.publish(*events, *events, at_once=6)

    assert eventually(lambda: all(targets.arrived("/swift", event.metadata.id) for event in events))
    assert [targets.arrived("/swift", event.metadata.id) for event in events] == [1, 1, 1]


@pytest.mark.proves("invocation: direct")
def test_event_that_lambda_gave_up_on_comes_back_by_the_bus_to_the_same_function(targets: Targets) -> None:
    """It is invoked as a rule does: the local cloud's own rules do without Lambda's retries and destinations.

    The rule does not take one of the two any more, as after a change of its pattern: a person is asked about it.
    """
    targets.receivers.down.add("/swift")
    for event in (make_event(id="swift-late", type="asset.swift"), make_event(id="swift-once", type="asset.slow")):
        detail = json.loads(event.to_json())
        handed_over = {"id": "0", "source": event.metadata.source, "detail-type": event.metadata.type, "detail": detail}
        targets.clients.lambda_.invoke(
            FunctionName=targets.outputs["functions"]["route/to-swift"],
            InvocationType="Event",
            Payload=json.dumps(handed_over).encode(),
        )
    assert eventually(lambda: len(targets.receivers.at("/swift", status=503)) >= 4)
    targets.receivers.down.clear()

    assert eventually(lambda: targets.arrived("/swift", "swift-late"))
    assert eventually(lambda: targets.review().get("swift-once")).startswith("not-taken: ")

    re_driven = [line for line in _log(targets, "review/") if line.message == "event redriven"]
    (line,) = [line for line in re_driven if line.fields["event_id"] == "swift-late"]
    assert (line.fields["hop"], line.fields["kind"], line.fields["reason"]) == (
        "route/to-swift",
        "function",
        "http-503",
    )
    assert "swift-late" not in targets.review()


# --- signatures, and only the latest -----------------------------------------------------------------------------


@pytest.mark.proves("destination: http")
def test_signed_receiver_sees_only_ever_newer_states_and_can_verify_them(targets: Targets) -> None:
    states = [make_event(id=f"state-{n}", type="asset.state", sequence=f"{n:03}") for n in range(8)]
    random.Random(5).shuffle(states)
    for state in states:
        targets.publish(state, state)

    def newest() -> bool:
        return "state-7" in [event_of(headers) for headers, _ in targets.receivers.at("/signed")]

    assert eventually(newest)
    time.sleep(5)
    arrived = targets.receivers.at("/signed")
    identities = [event_of(headers) for headers, _ in arrived]
    assert identities == sorted(set(identities))
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    for headers, body in arrived:
        version, _, signature = headers["webhook-signature"].partition(",")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        assert version == "v1a"
        public.verify(base64.b64decode(signature), signed)


# --- in order ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("ordering: strict")
def test_events_of_each_key_arrive_in_order_and_a_refused_one_holds_up_its_key_alone(targets: Targets) -> None:
    steps = {
        key: [
            make_event(id=f"key-{key}-{n}", type="asset.step", partitionkey=f"key {key}", sequence=f"{n:03}")
            for n in range(6)
        ]
        for key in range(5)
    }
    held_up = "key-2-2"
    targets.receivers.refused.add(held_up)
    shuffled = [event for events in steps.values() for event in events]
    random.Random(3).shuffle(shuffled)
    targets.publish(*shuffled)

    def arrived() -> dict[int, list[str]]:
        found = [event_of(headers) for headers, _ in targets.receivers.at("/ordered")]
        return {key: [identity for identity in found if identity.startswith(f"key-{key}-")] for key in steps}

    whole = {key: [event.metadata.id for event in events] for key, events in steps.items()}
    before = {**whole, 2: whole[2][:2]}
    eventually(lambda: arrived() == before and held_up in targets.review())
    assert arrived() == before
    assert targets.review()[held_up].startswith("http-422")
    outputs = targets.outputs
    cloud_of = Cloud(region="us-east-1", profile=None, record=targets.clients.record)
    review = service(Deployment(cloud_of, outputs["review_table_name"], outputs["idempotency_table_names"]))
    item = review.table.get(item_id("partner.mux", held_up, "ordered"))
    assert item is not None
    parked = lambda: str(review.order_position(item)) == "3 later of its key wait behind it, 3 of them parked"  # noqa: E731
    assert eventually(parked)

    targets.receivers.refused.clear()
    (outcome,) = review.retry([item.item_id], wait_seconds=60)

    assert outcome.result == "resolved"
    eventually(lambda: arrived() == whole)
    assert arrived() == whole


# --- a receiver that is down -------------------------------------------------------------------------------------


@pytest.mark.proves("circuit breaker: an outage loses nothing and uses up no attempts")
def test_receiver_that_is_down_for_long_loses_nothing_and_eats_no_attempts(targets: Targets) -> None:
    targets.receivers.down.add("/fragile")
    burst = [make_event(id=f"burst-{n:02}", type="asset.burst") for n in range(30)]
    # The breaker opens before the crowd comes.
    targets.publish(*burst[:4])
    assert eventually(lambda: len(targets.receivers.at("/fragile", status=503)) >= 4)
    targets.publish(*burst[4:])
    # Each copy continues its event's chain of requests, which Lambda's loop detection would stop after so many rounds.
    assert eventually(lambda: max(_deferrals(targets, "route/to-fragile").values(), default=0) > LIMIT + 2)
    asked = len(targets.receivers.at("/fragile", status=503))
    targets.receivers.down.clear()

    def delivered() -> list[str]:
        return [event_of(headers) for headers, _ in targets.receivers.at("/fragile")]

    assert eventually(lambda: {*delivered()} == {event.metadata.id for event in burst})
    assert len(delivered()) == len(set(delivered()))
    assert not [name for name in targets.review() if name.startswith("burst-")]
    assert asked < 2 * len(burst)


@pytest.mark.parametrize(("setting", "runs"), [("Allow", True), ("Terminate", False)])
def test_message_that_came_round_sixteen_times_reaches_a_function_only_where_it_may_loop(
    targets: Targets,
    setting: Any,
    runs: bool,  # noqa: FBT001
) -> None:
    function, clients = targets.outputs["functions"]["route/to-third"], targets.clients
    assert clients.lambda_.get_function_recursion_config(FunctionName=function)["RecursiveLoop"] == "Allow"
    (mapping,) = clients.lambda_.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    queue = clients.sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
    arn = clients.lambda_.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    header: Any = {"DataType": "String", "StringValue": header_with({hash_of(arn): LIMIT})}
    event = make_event(id=f"round-{setting}")
    clients.lambda_.put_function_recursion_config(FunctionName=function, RecursiveLoop=setting)
    try:
        clients.sqs.send_message(
            QueueUrl=queue,
            MessageBody=json.dumps({"id": event.metadata.id, "detail": event.to_detail()}),
            MessageSystemAttributes={"AWSTraceHeader": header},
        )
        assert eventually(lambda: targets.arrived("/third", event.metadata.id) == 1 or _dropped(targets, function) > 0)
    finally:
        clients.lambda_.put_function_recursion_config(FunctionName=function, RecursiveLoop="Allow")

    assert (targets.arrived("/third", event.metadata.id), _dropped(targets, function)) == ((1, 0) if runs else (0, 1))


def _deferrals(targets: Targets, hop: str) -> Counter[str]:
    """How often each event was deferred."""
    return Counter(line.fields["event_id"] for line in _log(targets, hop) if line.message == "event deferred")


def _dropped(targets: Targets, function: str) -> float:
    """How many invocations Lambda has stopped because the function is in a loop."""
    now = datetime.now(UTC)
    found = targets.clients.cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in found["Datapoints"])


# --- waiting workflows -------------------------------------------------------------------------------------------


def execution(targets: Targets, job: str) -> Any:
    """The execution that the job's event started, once there is one."""
    machine = targets.outputs["state_machine_arns"]["ingest"]

    def find() -> Any:
        for each in targets.clients.stepfunctions.list_executions(stateMachineArn=machine)["executions"]:
            if each["name"].startswith(job):
                return targets.clients.stepfunctions.describe_execution(executionArn=each["executionArn"])
        return None

    return eventually(find)


def ended(targets: Targets, job: str) -> Any:
    """The job's execution when it has ended."""
    return eventually(lambda: (found := execution(targets, job))["status"] != "RUNNING" and found)


def new(job: str) -> Event:
    return make_event({"job": job}, id=job, type="asset.new")


def encoded(job: str, kind: str = "encode.completed") -> Event:
    return make_event({"job": job}, id=f"{job}-{kind}", type=kind)


@pytest.mark.proves("destination: step-functions", "destination: task-callback")
def test_workflow_goes_on_with_the_event_that_it_waits_for(targets: Targets) -> None:
    targets.publish(new("job-a"))
    assert execution(targets, "job-a")["status"] == "RUNNING"

    targets.publish(encoded("job-a"), encoded("job-a"), encoded("job-a"))

    found = ended(targets, "job-a")
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"])["metadata"]["id"] == "job-a-encode.completed"


@pytest.mark.proves("destination: task-callback")
def test_workflow_finds_the_event_that_came_before_it_waited(targets: Targets) -> None:
    targets.publish(encoded("job-b"))
    time.sleep(4)

    targets.publish(new("job-b"))

    assert ended(targets, "job-b")["status"] == "SUCCEEDED"


@pytest.mark.proves("destination: task-callback")
def test_workflow_catches_the_failure_that_the_event_reports(targets: Targets) -> None:
    targets.publish(new("job-c"))
    assert execution(targets, "job-c")["status"] == "RUNNING"

    targets.publish(encoded("job-c", "encode.failed"))

    # It went on to report the failure on the bus, which it may.
    assert ended(targets, "job-c")["status"] == "SUCCEEDED"


def test_event_that_comes_after_the_timeout_is_no_failure(targets: Targets) -> None:
    targets.publish(new("job-d"))
    assert ended(targets, "job-d")["status"] in {"FAILED", "TIMED_OUT"}

    targets.publish(encoded("job-d"))
    time.sleep(8)

    assert not {name for name in targets.review() if name.startswith("job-")}
