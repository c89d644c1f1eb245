"""The adapters against moto, which validates as AWS does."""

from __future__ import annotations

import base64
import json
from functools import partial

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ParamValidationError
from moto import mock_aws

from media_events.adapters.aws_errors import judge, rejection
from media_events.adapters.boto_clients import client as make_client
from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore, IdempotencyReader
from media_events.adapters.eventbridge import EventBus
from media_events.adapters.s3.bodies import S3Bodies, S3Documents, parse_uri
from media_events.adapters.sqs.hop_queue import SqsQueue
from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.failures import (
    Failure,
    PermanentConfigError,
    PermanentDataError,
    ProcessingError,
    TransientError,
    UnsettledConfigError,
)
from media_events.events.publisher import Entry
from media_events.messaging.idempotency import RETENTION_SECONDS, Acquisition, record_key
from media_events.messaging.message import Message
from tests.fakes.hop import FakeClock, failure_attribute, sqs_record

REGION = "eu-west-1"
FAILURE = Failure(
    failure_class="transient",
    code="http-503",
    message="m" * 1024,
    hop="route/cms",
    firsttime="2026-11-23T12:00:00Z",
    lasttime="2026-11-23T12:00:00Z",
    response="r" * 2048,
)


@pytest.fixture(name="aws", autouse=True)
def _aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


class TestIdempotencyStore:
    @pytest.fixture(name="store_of")
    def _store_of(self, clock):
        client = boto3.client("dynamodb")
        client.create_table(
            TableName="idempotency",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return lambda owner: DynamoIdempotencyStore(client, "idempotency", owner=owner, clock=clock)

    def test_new_entry_is_ours_and_a_twin_s_is_in_progress(self, store_of, clock):
        assert store_of("one").acquire("k", lease_seconds=30) == Acquisition("owned")
        assert store_of("two").acquire("k", lease_seconds=30) == Acquisition(
            "in-progress", lease_expires=clock.now + 30 + CLOCK_SKEW_SECONDS
        )

    def test_completed_entry_is_a_duplicate_with_its_result(self, store_of):
        store_of("one").acquire("k", lease_seconds=30)
        store_of("one").complete("k", result={"status": 200})

        assert store_of("two").acquire("k", lease_seconds=30) == Acquisition("done", result={"status": 200})

    def test_entry_whose_lease_has_run_out_is_taken_over(self, store_of, clock):
        store_of("one").acquire("k", lease_seconds=30)
        clock.now += 30 + CLOCK_SKEW_SECONDS

        assert store_of("two").acquire("k", lease_seconds=30) == Acquisition("owned")

    def test_owner_that_lost_its_lease_can_not_complete_or_release(self, store_of, clock):
        store_of("one").acquire("k", lease_seconds=30)
        clock.now += 31 + CLOCK_SKEW_SECONDS
        store_of("two").acquire("k", lease_seconds=30)

        with pytest.raises(ProcessingError):
            store_of("one").complete("k")
        store_of("one").release("k")

        assert store_of("three").acquire("k", lease_seconds=30).state == "in-progress"

    def test_released_entry_is_free(self, store_of):
        store_of("one").acquire("k", lease_seconds=30)
        store_of("one").release("k")

        assert store_of("two").acquire("k", lease_seconds=30) == Acquisition("owned")

    def test_completed_entry_is_not_released(self, store_of):
        store_of("one").acquire("k", lease_seconds=30)
        store_of("one").complete("k")
        store_of("one").release("k")

        assert store_of("two").acquire("k", lease_seconds=30).state == "done"

    @pytest.mark.parametrize("keep", [RETENTION_SECONDS, 60])
    def test_entry_expires_in_code_though_the_table_still_has_it(self, store_of, clock, keep):
        store_of("one").acquire("k", lease_seconds=30)
        store_of("one").complete("k", keep_seconds=keep)
        clock.now += keep + CLOCK_SKEW_SECONDS - 1
        assert store_of("two").acquire("k", lease_seconds=30).state == "done"
        clock.now += 2

        assert store_of("two").acquire("k", lease_seconds=30).state == "owned"

    @pytest.mark.parametrize("keep", [RETENTION_SECONDS, 60])
    def test_effect_is_done_until_it_expires_whoever_reads_it(self, store_of, clock, keep):
        store_of("one").acquire("k", lease_seconds=30)
        readers = (
            store_of("two").done,
            partial(IdempotencyReader(boto3.client("dynamodb"), clock=clock).done, "idempotency"),
        )
        assert [done("k") for done in readers] == [False, False]
        store_of("one").complete("k", keep_seconds=keep)
        clock.now += keep + CLOCK_SKEW_SECONDS - 1
        assert [done("k") for done in readers] == [True, True]
        clock.now += 2

        assert [done("k") for done in readers] == [False, False]

    def test_entry_released_between_put_and_read_is_in_progress_for_one_more_try(self, clock):
        class Racing:
            def put_item(self, **_):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")

            def get_item(self, **_):
                return {}

        assert DynamoIdempotencyStore(Racing(), "t", owner="o", clock=clock).acquire(
            "k", lease_seconds=1
        ) == Acquisition("in-progress")

    def test_absent_table_is_our_configuration(self, clock):
        idempotency = DynamoIdempotencyStore(boto3.client("dynamodb"), "nothing", owner="o", clock=clock)

        for call in (
            lambda: idempotency.acquire("k", lease_seconds=1),
            lambda: idempotency.complete("k"),
            lambda: idempotency.release("k"),
        ):
            with pytest.raises(PermanentConfigError):
                call()


def test_idempotency_store_keys_do_not_collide():
    keys = {
        record_key("a", "b|c", "d"),
        record_key("a|b", "c", "d"),
        record_key("a", "b", "c|d"),
        record_key("", "a|b|c", "d"),
    }

    assert len(keys) == 4


class TestSqsQueue:
    @pytest.fixture(name="sqs")
    def _sqs(self):
        return boto3.client("sqs")

    @pytest.fixture(name="dlq")
    def _dlq(self, sqs):
        return sqs.create_queue(QueueName="hop-dlq")["QueueUrl"]

    def received(self, sqs, url):
        answer = sqs.receive_message(
            QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], MaxNumberOfMessages=10
        )
        return answer.get("Messages", [])

    def test_dead_letter_has_body_attributes_and_failure(self, sqs, dlq):
        record = sqs_record(
            "the body",
            attributes={
                "redrivecount": {"stringValue": "2", "dataType": "Number"},
                "raw": {"binaryValue": base64.b64encode(b"\x00\xff").decode(), "dataType": "Binary"},
                **failure_attribute(FAILURE.as_class("poison", "older", "older")),
            },
        )

        SqsQueue(sqs, dead_letter_queue_url=dlq).dead_letter(Message.of(record), FAILURE)

        (message,) = self.received(sqs, dlq)
        attributes = message["MessageAttributes"]
        assert message["Body"] == "the body"
        assert attributes["redrivecount"] == {"StringValue": "2", "DataType": "Number"}
        assert attributes["raw"]["BinaryValue"] == b"\x00\xff"
        assert Failure.from_json(attributes["failure"]["StringValue"]) == FAILURE

    def test_tenth_attribute_gives_way_but_never_the_redrive_count(self, sqs, dlq):
        attributes = {f"a{i}": {"stringValue": "x", "dataType": "String"} for i in range(9)}
        record = sqs_record("b", attributes={**attributes, "redrivecount": {"stringValue": "1", "dataType": "Number"}})

        SqsQueue(sqs, dead_letter_queue_url=dlq).dead_letter(Message.of(record), FAILURE)

        (message,) = self.received(sqs, dlq)
        assert len(message["MessageAttributes"]) == 10
        assert {"failure", "redrivecount"} <= message["MessageAttributes"].keys()

    def test_reason_is_shortened_where_the_body_leaves_no_room(self, dlq):
        sent = []

        class Narrow:
            def send_message(self, **arguments):
                sent.append(arguments)
                if len(arguments["MessageAttributes"]["failure"]["StringValue"]) > 1000:
                    raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "SendMessage")

        SqsQueue(Narrow(), dead_letter_queue_url=dlq).send("b", FAILURE)

        kept = Failure.from_json(sent[-1]["MessageAttributes"]["failure"]["StringValue"])
        assert (kept.code, kept.message, kept.response) == ("http-503", "m" * 128, None)

    def test_body_that_does_not_fit_at_all_is_refused(self, sqs, dlq):
        with pytest.raises(ProcessingError):
            SqsQueue(sqs, dead_letter_queue_url=dlq).send("b" * 1_100_000, FAILURE)

    def test_fifo_dead_letter_keeps_its_group_and_is_not_doubled(self, sqs):
        url = sqs.create_queue(QueueName="hop-dlq.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        message = Message.of(sqs_record("b", "m-9", group_id="asset-1"))

        for _ in range(2):
            SqsQueue(sqs, dead_letter_queue_url=url).dead_letter(message, FAILURE)

        (received,) = self.received(sqs, url)
        assert received["Attributes"]["MessageGroupId"] == "asset-1"
        assert received["Attributes"]["MessageDeduplicationId"] == "m-9"

    def test_visibility_is_set(self, sqs, dlq):
        url = sqs.create_queue(QueueName="hop")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="b")
        (message,) = self.received(sqs, url)

        SqsQueue(sqs, dead_letter_queue_url=dlq, queue_url=url).set_visibility(message["ReceiptHandle"], 0)

        assert len(self.received(sqs, url)) == 1

    def test_queue_that_is_gone_is_our_configuration(self, sqs, dlq):
        gone = dlq + "-gone"

        with pytest.raises(PermanentConfigError):
            SqsQueue(sqs, dead_letter_queue_url=gone).send("b", FAILURE)
        with pytest.raises(ProcessingError):
            SqsQueue(sqs, dead_letter_queue_url=dlq, queue_url=gone).set_visibility("handle", 1)


class TestEventBus:
    @pytest.fixture(name="bus")
    def _bus(self):
        client = boto3.client("events")
        return EventBus(client, client.create_event_bus(Name="bus")["EventBusArn"])

    def test_accepted_entries_have_no_outcome(self, bus):
        assert bus.put([Entry("partner.mux", "asset.ready", '{"a": 1}')] * 3) == [None] * 3

    def test_malformed_entry_is_refused_alone(self, bus):
        outcomes = bus.put(
            [Entry("partner.mux", "t", "{}"), Entry("partner.mux", "t", "not json"), Entry("partner.mux", "t", "{}")]
        )

        assert outcomes[0] is None
        assert isinstance(outcomes[1], PermanentDataError)
        assert outcomes[2] is None

    def test_call_that_fails_raises(self, bus):
        with pytest.raises(PermanentDataError):
            bus.put([Entry("partner.mux", "t", "{}")] * 11)

    def test_entry_without_an_event_id_is_not_accepted(self):
        class Odd:
            def put_events(self, **_):
                return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}, {}, {"ErrorCode": "InternalFailure"}]}

        outcomes = EventBus(Odd(), "arn").put([Entry("s", "t", "{}")] * 3)

        assert [outcome and outcome.code for outcome in outcomes] == [None, "aws-NoEventId", "aws-InternalFailure"]


class TestS3:
    @pytest.fixture(name="s3")
    def _s3(self):
        client = boto3.client("s3")
        client.create_bucket(Bucket="kit", CreateBucketConfiguration={"LocationConstraint": REGION})
        return client

    def test_body_comes_back_by_its_pointer(self, s3):
        bodies = S3Bodies(s3, "s3://kit/bodies/events/")
        uri = bodies.put(b"content")

        assert uri.startswith("s3://kit/bodies/events/")
        assert bodies.get(uri) == b"content"
        assert bodies.put(b"content") == uri

    def test_base_without_a_slash_is_a_folder_too(self, s3):
        assert S3Bodies(s3, "s3://kit/bodies").put(b"x").startswith("s3://kit/bodies/")

    @pytest.mark.parametrize(
        "uri",
        [
            "s3://other/bodies/" + "0" * 64,
            "s3://kit/" + "0" * 64,
            "s3://kit/bodies/../" + "0" * 64,
            "s3://kit/bodies/",
            "s3://kit/bodies/" + "g" * 64,
            "s3://kit/bodies/" + "0" * 64 + "?x",
            "https://evil.example/",
            "",
            "0" * 64,
        ],
    )
    def test_pointer_that_we_did_not_mint_is_not_followed(self, uri):
        with pytest.raises(PermanentDataError) as caught:
            S3Bodies(None, "s3://kit/bodies/").get(uri)

        assert caught.value.code == "foreign-dataref"

    def test_body_that_is_gone_or_changed_is_told_apart(self, s3):
        bodies = S3Bodies(s3, "s3://kit/bodies/")
        uri = bodies.put(b"content")
        bucket, key = parse_uri(uri)
        s3.put_object(Bucket=bucket, Key=key, Body=b"tampered")
        with pytest.raises(PermanentDataError) as changed:
            bodies.get(uri)
        s3.delete_object(Bucket=bucket, Key=key)
        with pytest.raises(PermanentDataError) as gone:
            bodies.get(uri)

        assert (changed.value.code, gone.value.code) == ("body-changed", "body-missing")

    @pytest.mark.parametrize(
        ("refusal", "kind", "code"),
        [
            ("NoSuchKey", PermanentDataError, "body-missing"),
            ("AccessDenied", UnsettledConfigError, "aws-AccessDenied"),
        ],
    )
    def test_a_body_that_expired_and_one_that_may_not_be_read_are_told_apart(self, refusal, kind, code):
        class Refusing:
            def get_object(self, **_):
                raise ClientError({"Error": {"Code": refusal}}, "GetObject")

        with pytest.raises(ProcessingError) as refused:
            S3Bodies(Refusing(), "s3://kit/bodies/events/").get("s3://kit/bodies/events/" + "0" * 64)

        assert (type(refused.value), refused.value.code) == (kind, code)

    def test_absent_bucket_is_our_configuration(self, s3):
        with pytest.raises(PermanentConfigError):
            S3Bodies(s3, "s3://nothing/bodies/").put(b"x")

    def test_document_is_read(self, s3):
        s3.put_object(Bucket="kit", Key="configuration/f/x.json", Body=json.dumps({"a": 1}))

        assert S3Documents(s3).read("s3://kit/configuration/f/x.json") == b'{"a": 1}'
        with pytest.raises(ProcessingError):
            S3Documents(s3).read("s3://kit/nothing")

    @pytest.mark.parametrize("uri", ["", "kit/key", "https://kit/key", "s3://kit"])
    def test_what_is_no_s3_uri_is_refused(self, uri):
        with pytest.raises(ValueError, match="must be s3://bucket/key"):
            parse_uri(uri)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "x"), TransientError),
        (ClientError({"Error": {"Code": "InternalFailure"}}, "x"), TransientError),
        (ClientError({"Error": {}}, "x"), TransientError),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "x"), UnsettledConfigError),
        (ClientError({"Error": {"Code": "KMS.DisabledException"}}, "x"), UnsettledConfigError),
        (ClientError({"Error": {"Code": "UnrecognizedClientException"}}, "x"), UnsettledConfigError),
        (ClientError({"Error": {"Code": "ValidationException"}}, "x"), PermanentDataError),
        (EndpointConnectionError(endpoint_url="https://x"), TransientError),
        (NoCredentialsError(), UnsettledConfigError),
        (ParamValidationError(report="the payload says: sesame"), PermanentDataError),
    ],
)
def test_aws_s_errors_are_told_apart_and_quote_no_input(error, kind):
    judged = judge(error, "doing it")

    assert type(judged) is kind
    assert "sesame" not in judged.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", TransientError),
        ("MalformedDetail", PermanentDataError),
        ("AccessDeniedException", UnsettledConfigError),
    ],
)
def test_refusals_of_single_entries_are_told_apart(code, kind):
    assert type(rejection(code, "no")) is kind


def test_clients_are_made_once_and_can_not_hang():
    make_client.cache_clear()
    client = make_client("sqs")

    assert make_client("sqs") is client
    assert client.meta.config.read_timeout == 5
    assert client.meta.config.retries["mode"] == "standard"
    make_client.cache_clear()
