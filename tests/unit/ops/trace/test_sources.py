"""Reading logs, idempotency tables, queues and executions from AWS."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.sqs.depths import Depth, depth
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import ProcessingError
from media_events.delivery.deliverer import SUPERSEDED, destination_key
from media_events.messaging.idempotency import record_key
from media_events_kit.ops.trace.executions import Executions, execution_arn
from media_events_kit.ops.trace.idempotency_source import IdempotencyRecords
from media_events_kit.ops.trace.log_source import MAX_CALLS, CloudWatchLogs, LogSearch, patterns
from tests.fakes.trace_evidence import MACHINE, TOPOLOGY

REGION = "eu-west-1"
WEBHOOK, CMS = "/aws/lambda/media-dev-webhook", "/aws/lambda/media-dev-ready-to-cms"
GROUPS = {WEBHOOK: "ingress/media-dev-webhook", CMS: "route/ready-to-cms"}
T0 = 1_795_000_000.0


@pytest.fixture(autouse=True)
def _aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


# --- logs --------------------------------------------------------------------------------------------------------


def written(*lines, at=None):
    """Log groups with lines; each is a group, seconds after now, and its fields or its text."""
    client = boto3.client("logs", region_name=REGION)
    now = time.time() if at is None else at
    for group in GROUPS:
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName="s")
    for group, seconds, content in lines:
        text = content if isinstance(content, str) else json.dumps(content)
        event = {"timestamp": int((now + seconds) * 1000), "message": text}
        client.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
    return CloudWatchLogs(client, GROUPS), now


def line(message, event_id="evt-1", **fields):
    return {"level": "INFO", "message": message, "event_id": event_id, **fields}


def test_lines_about_an_event_are_found_in_every_group():
    logs, now = written(
        (WEBHOOK, -9, line("event accepted")),
        (WEBHOOK, -8, line("event accepted", "evt-10")),
        (WEBHOOK, -8, "START RequestId: evt-1"),
        (WEBHOOK, -8, {"_aws": {}, "event_id": "evt-1"}),
        (CMS, -7, line("event delivered", hop="route/ready-to-cms")),
    )
    search = LogSearch()

    logs.about(["evt-1"], since=now - 60, until=now, search=search)

    assert [(record.by, record.line.message) for record in search.records] == [
        ("ingress/media-dev-webhook", "event accepted"),
        ("route/ready-to-cms", "event delivered"),
    ]
    assert search.problems == []
    assert search.calls == 2
    assert search.events >= 2


def test_parts_of_a_split_event_are_found_with_it():
    logs, now = written((CMS, -9, line("event transformed", "evt-1/a")), (CMS, -9, line("event transformed", "evt-1a")))
    search = LogSearch()

    logs.about(["evt-1"], since=now - 60, until=now, search=search)

    assert [record.text("event_id") for record in search.records] == ["evt-1/a"]


def test_an_event_is_found_in_the_line_of_its_batch():
    logs, now = written(
        (
            WEBHOOK,
            -9,
            line("event accepted", " evt-1 evt-2 evt-1/a ", events=3, subject=" s-1 s-2 s-3 ", partner="mux"),
        ),
    )
    search = LogSearch()

    logs.about(["evt-1"], since=now - 60, until=now, search=search)
    logs.naming("s-2", since=now - 60, until=now, search=search)

    found = [(record.text("event_id"), record.text("subject"), record.text("partner")) for record in search.records]
    assert found == [("evt-1", "s-1", "mux"), ("evt-1/a", "s-3", "mux"), ("evt-2", "s-2", "mux")]


def test_only_the_period_asked_for_is_read():
    logs, now = written((WEBHOOK, -100, line("event accepted")), (WEBHOOK, -9, line("event duplicate")))
    search = LogSearch()

    logs.about(["evt-1"], since=now - 60, until=now, search=search)

    assert [record.line.message for record in search.records] == ["event duplicate"]


@pytest.mark.parametrize("named", [{"correlation_id": "job-1"}, {"subject": "job-1"}, {"event_id": "job-1"}])
def test_an_event_is_found_by_id_correlation_id_or_subject(named):
    logs, now = written((WEBHOOK, -9, {**line("event accepted"), **named}), (WEBHOOK, -9, line("event accepted", "e")))
    search = LogSearch()

    logs.naming("job-1", since=now - 60, until=now, search=search)

    assert len(search.records) == 1


def test_an_id_is_looked_for_as_the_log_writes_it():
    long = "ä" * 300
    written_as = "ä" * 255 + "…"
    logs, now = written((WEBHOOK, -9, line("event accepted", written_as)))
    search = LogSearch()

    logs.about([long], since=now - 60, until=now, search=search)

    assert len(search.records) == 1


def test_a_log_that_can_not_be_read_is_a_problem_and_no_end():
    logs, now = written((CMS, -9, line("event delivered")))
    logs = CloudWatchLogs(logs.client, {"/aws/lambda/gone": "route/gone", **GROUPS})
    search = LogSearch()

    logs.about(["evt-1"], since=now - 60, until=now, search=search)

    assert search.problems == ["route/gone: its log can't be read: /aws/lambda/gone: ResourceNotFoundException"]
    assert len(search.records) == 1


def test_a_search_ends_after_a_number_of_requests():
    class Endless:
        def filter_log_events(self, **_request):
            return {"events": [], "nextToken": "more"}

    search = LogSearch()
    CloudWatchLogs(Endless(), GROUPS).about(["evt-1"], since=0, until=1, search=search)

    assert search.calls == MAX_CALLS
    assert "choose a shorter --since" in search.problems[0]


def test_the_filter_selects_in_cloudwatch():
    (pattern,) = patterns(["evt-1"], ["event_id", "subject"])
    alone = '($.event_id = "evt-1") || ($.event_id = "* evt-1 *") || ($.subject = "evt-1") || ($.subject = "* evt-1 *")'
    assert pattern == f'{{ {alone} || ($.event_id = "evt-1/*") || ($.event_id = "* evt-1/*") }}'


@pytest.mark.attack("O3")
@pytest.mark.parametrize("hostile", ['x" || ($.message = "*', 'a\\" }', "{}", "*", "line\nbreak"])
def test_an_id_can_not_change_the_filter(hostile):
    (pattern,) = patterns([hostile], ["event_id"])
    inner = pattern.removeprefix('{ ($.event_id = "').partition('")')[0]
    assert not set(inner) & set('"\\{}()|$\n')


def test_many_ids_are_asked_for_in_filters_that_cloudwatch_takes():
    ids = [f"{number:0100d}" for number in range(40)]
    found = patterns(ids, ["event_id"])
    assert len(found) > 1
    assert all(len(pattern) <= 1024 for pattern in found)
    assert all(any(f'"{identity}"' in pattern for pattern in found) for identity in ids)


# --- idempotency tables ------------------------------------------------------------------------------------------


def tables(*names):
    client = boto3.client("dynamodb", region_name=REGION)
    for name in names:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
    return client


def idempotency(client, table, clock=lambda: T0):
    return DynamoIdempotencyStore(client, table, owner="r", clock=clock)


def test_records_are_read_from_the_tables_that_may_have_them():
    client = tables("ingress", "deliveries")
    for table, key, result in (
        ("ingress", record_key("partner.mux", "evt-1", "ingress"), None),
        ("deliveries", destination_key("partner.mux", "evt-1", "cms"), dict(SUPERSEDED)),
        ("deliveries", destination_key("partner.mux", "evt-1", "publish"), {"execution_arn": "arn:x"}),
    ):
        idempotency(client, table).acquire(key, lease_seconds=30)
        idempotency(client, table).complete(key, result=result)
    idempotency(client, "deliveries").acquire(destination_key("partner.mux", "evt-1", "lake"), lease_seconds=30)
    reader = IdempotencyRecords(client, ["ingress", "deliveries"], TOPOLOGY, lambda: T0)

    records = reader.read("evt-1", ["partner.frameio", "partner.mux"], ["cms", "publish", "lake", "other"])

    found = {record.scope: record for record in records}
    assert set(found) == {"ingress", "destination/cms", "destination/publish", "destination/lake"}
    assert {record.source for record in records} == {"partner.mux"}
    assert found["destination/cms"].superseded
    assert found["destination/publish"].execution_arn == "arn:x"
    assert (found["destination/lake"].state, found["destination/lake"].lease_expires) == (
        "started",
        T0 + 30 + CLOCK_SKEW_SECONDS,
    )
    assert (found["ingress"].state, found["ingress"].at) == ("done", T0)


def test_an_expired_record_is_left_out():
    client = tables("ingress", "deliveries")
    key = destination_key("partner.mux", "evt-1", "cms")
    idempotency(client, "deliveries").acquire(key, lease_seconds=30)
    idempotency(client, "deliveries").complete(key)
    reader = IdempotencyRecords(client, ["ingress", "deliveries"], TOPOLOGY, lambda: T0 + 159 * 86_400)

    assert reader.read("evt-1", ["partner.mux"], ["cms"]) == []


def test_more_keys_than_a_request_takes_are_read():
    client = tables("deliveries")
    names = [f"d{number}" for number in range(250)]
    for name in names[::50]:
        key = destination_key("partner.mux", "evt-1", name)
        idempotency(client, "deliveries").acquire(key, lease_seconds=30)
        idempotency(client, "deliveries").complete(key)
    reader = IdempotencyRecords(client, ["deliveries"], TOPOLOGY, lambda: T0)

    assert len(reader.read("evt-1", ["partner.mux"], names)) == 5


def test_a_missing_idempotency_table_is_named():
    client = tables("ingress")
    with pytest.raises(ProcessingError, match="reading the idempotency table deliveries: ResourceNotFoundException"):
        IdempotencyRecords(client, ["ingress"], TOPOLOGY, lambda: T0).read("evt-1", ["partner.mux"], ["cms"])


# --- queues and executions ---------------------------------------------------------------------------------------


def test_a_queues_messages_are_counted_wherever_they_are():
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    for _ in range(3):
        client.send_message(QueueUrl=url, MessageBody="x")
    client.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=600)
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=1)

    assert depth(client, url) == Depth(2, 1, 1)
    with pytest.raises(ProcessingError, match="asking for the queue none"):
        depth(client, url.replace("/q", "/none"))


class Machines:
    """Step Functions with one execution, whose input must never be looked at."""

    def __init__(self, code=None):
        self.code = code

    def describe_execution(self, *, executionArn):  # noqa: N803  # boto3's name
        if self.code is not None:
            raise ClientError({"Error": {"Code": self.code, "Message": "m"}}, "DescribeExecution")

        return {
            "executionArn": executionArn,
            "status": "RUNNING",
            "startDate": datetime.fromtimestamp(T0, UTC),
            "input": '{"secret": 1}',
        }


def test_an_execution_is_described_without_its_input():
    execution = Executions(Machines()).describe("arn:x", "publish")
    assert execution is not None
    assert (execution.status, execution.started, execution.stopped) == ("RUNNING", T0, None)
    assert "secret" not in repr(execution)


def test_no_execution_is_none_and_a_refusal_an_error():
    assert Executions(Machines("ExecutionDoesNotExist")).describe("arn:x", "publish") is None
    with pytest.raises(ProcessingError, match="AccessDenied"):
        Executions(Machines("AccessDeniedException")).describe("arn:x", "publish")


def test_an_executions_arn_follows_from_the_event():
    arn = execution_arn(MACHINE, "partner.mux", "evt-1", "publish")
    assert arn.startswith("arn:aws:states:eu-west-1:123456789012:execution:publish:evt-1-")
