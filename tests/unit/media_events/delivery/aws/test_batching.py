"""Events as queues, topics and streams take them: form, attributes, ids, batches, an outcome for each."""

from __future__ import annotations

import json
import re
from functools import partial

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from media_events.adapters.batch_channels import FirehoseChannel, SnsChannel, SqsChannel
from media_events.core.envelope import MAX_HOPS, Redrive
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.delivery.aws.batching import BusDelivery, ChannelDelivery, Parcel, fifo_id, line, message
from media_events.events.publisher import Publisher
from tests.fakes.events import make_event
from tests.fakes.hop import FakeBus

REGION = "eu-west-1"
ALLOWED = re.compile(r"[!-~]{1,128}")


# --- one event ---------------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=300))
def test_a_group_id_is_always_one_that_fifo_queues_take(text):
    assert ALLOWED.fullmatch(fifo_id(text))


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_two_keys_never_share_a_group(one, other):
    assert (fifo_id(one) == fifo_id(other)) == (one == other)


def test_a_key_that_may_be_a_group_is_the_group():
    assert message(make_event(partitionkey="asset-1"), "structured", fifo=True).group_id == "asset-1"


def test_events_of_two_partners_with_one_id_are_not_duplicates_of_one_another():
    ids = {
        message(make_event(id="17", source=source), "data", fifo=True).deduplication_id
        for source in ("partner.mux", "partner.zencoder")
    }
    assert len(ids) == 2


def test_a_standard_queue_gets_no_ids():
    parcel = message(make_event(), "structured", fifo=False)
    assert (parcel.group_id, parcel.deduplication_id) == (None, None)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("data", {"asset": {"id": "asset-1"}}),
        ("envelope", make_event().to_detail()),
        ("structured", {**make_event().metadata.to_dict(), "data": {"asset": {"id": "asset-1"}}}),
    ],
)
def test_an_event_leaves_in_the_form_that_was_asked_for(form, expected):
    assert json.loads(message(make_event(redrive=Redrive("route/x", 1)), form, fifo=False).text) == expected


def test_attributes_let_subscriptions_filter_and_empty_ones_are_left_out():
    attributes = message(make_event(), "data", fifo=False).attributes
    assert attributes["type"] == "asset.ready"
    assert attributes["partner"] == "mux"
    assert "subject" not in attributes


@given(st.text(max_size=50).filter(lambda text: text.encode("utf-8", "ignore").decode() == text))
def test_no_character_is_left_that_a_queue_refuses_and_none_of_the_data_is_lost(text):
    parcel = message(make_event({"x": text}, subject=text or None), "data", fifo=False)
    taken = "[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*"
    assert json.loads(parcel.text) == {"x": text}
    assert re.fullmatch(taken, parcel.text)
    assert all(re.fullmatch(taken, value) and value for value in parcel.attributes.values())


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": "\ud800"}])
@pytest.mark.parametrize("form", ["structured", "envelope", "data"])
def test_what_json_or_utf_8_can_not_say_is_the_events_fault(data, form):
    with pytest.raises(PermanentDataError) as refused:
        message(make_event(data), form, fifo=False)
    assert refused.value.code == "not-json"


def test_a_line_begins_with_what_the_lake_is_partitioned_by():
    event = make_event(type="asset/ready é", time="2026-11-23T23:59:59.5Z")
    parcel = line(event)
    document = json.loads(parcel.text)
    assert list(document)[:3] == ["partner", "type", "day"]
    assert (document["partner"], document["type"], document["day"]) == ("mux", "asset-ready-", "2026-11-23")
    assert document["metadata"]["type"] == "asset/ready é"
    assert document["data"] == event.data
    assert parcel.text.count("\n") == 1
    assert parcel.text.endswith("\n")


def test_a_time_that_is_none_gives_way_to_when_the_event_was_recorded():
    assert json.loads(line(make_event(time="yesterday")).text)["day"] == "2026-11-23"
    assert json.loads(line(make_event(time="yesterday", recordedtime="today")).text)["day"] == "unknown"


def test_a_line_that_can_not_be_written_is_the_events_fault():
    with pytest.raises(PermanentDataError):
        line(make_event({"x": float("inf")}))


# --- several events ----------------------------------------------------------------------------------------------


class Channel:
    """Refuses what ``refusals`` has by text; raises ``failing`` if a call has that many parcels or more."""

    max_parcels = 3
    max_bytes = 4000

    def __init__(self, refusals=(), failing=None, from_size=1):
        self.calls = []
        self.refusals = dict(refusals)
        self.failing, self.from_size = failing, from_size

    def send(self, parcels):
        self.calls.append([parcel.text for parcel in parcels])
        if self.failing is not None and len(parcels) >= self.from_size:
            raise self.failing
        return [self.refusals.get(parcel.text, f"id-{parcel.text}") for parcel in parcels]


def plain(event):
    if event.metadata.id == "bad":
        raise PermanentDataError("not-json", "no")
    return Parcel(text=event.metadata.id)


def sent(channel, *ids):
    return ChannelDelivery(channel, plain).deliver_all([make_event(id=event_id) for event_id in ids])


def test_events_go_out_in_as_few_calls_as_will_hold_them():
    channel = Channel()
    assert sent(channel, "a", "b", "c", "d") == [{"message_id": f"id-{name}"} for name in "abcd"]
    assert channel.calls == [["a", "b", "c"], ["d"]]


def test_a_call_is_kept_below_its_limit_of_bytes_and_a_larger_event_travels_alone():
    channel = Channel()
    names = ["a", "x" * 5000, "b", "y" * 3000, "c" * 900]
    sent(channel, *names)
    assert channel.calls == [[names[0]], [names[1]], [names[2], names[3]], [names[4]]]


def test_each_event_has_an_outcome_of_its_own():
    refusal = TransientError("aws-Throttled", "later")
    outcomes = sent(Channel({"b": refusal}), "a", "b", "bad", "c")
    assert [type(outcome) for outcome in outcomes] == [dict, TransientError, PermanentDataError, dict]


def test_a_call_that_fails_as_a_whole_fails_for_all_of_it():
    failing = TransientError("aws-down", "no answer")
    assert sent(Channel(failing=failing), "a", "b") == [failing, failing]


def test_one_event_that_spoils_a_call_does_not_take_the_others_with_it():
    channel = Channel(failing=PermanentDataError("aws-InvalidMessageContents", "no"), from_size=2)
    assert sent(channel, "a", "b", "c") == [{"message_id": f"id-{name}"} for name in "abc"]


def test_one_event_alone_is_delivered_or_raises():
    delivery = ChannelDelivery(Channel({"b": TransientError("aws-down", "no")}), plain)
    assert delivery.deliver(make_event(id="a"), seconds_left=1) == {"message_id": "id-a"}
    with pytest.raises(TransientError):
        delivery.deliver(make_event(id="b"), seconds_left=1)


# --- another bus -------------------------------------------------------------------------------------------------


def test_another_bus_gets_the_same_event_one_hop_on():
    bus = FakeBus()
    outcomes = BusDelivery(Publisher(bus=bus)).deliver_all([make_event(redrive=Redrive("route/x", 1), hops=3)])
    (entry,) = bus.entries
    assert outcomes == [{}]
    assert (entry.source, entry.detail_type) == ("partner.mux", "asset.ready")
    assert json.loads(entry.detail) == make_event(hops=4).to_detail()


def test_two_buses_that_feed_each_other_come_to_an_end():
    (outcome,) = BusDelivery(Publisher(bus=FakeBus())).deliver_all([make_event(hops=MAX_HOPS)])
    assert isinstance(outcome, PermanentDataError)
    assert outcome.code == "hop-limit"


# --- AWS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield partial(boto3.client, region_name=REGION)


def test_a_fifo_queue_keeps_the_order_of_a_key_and_drops_a_repetition(aws):
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="assets.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    delivery = ChannelDelivery(SqsChannel(sqs, url), partial(message, form="structured", fifo=True))
    events = [make_event(id=f"evt-{n}", partitionkey="asset-1") for n in (1, 2, 1, 3)]
    assert all("message_id" in outcome for outcome in delivery.deliver_all(events))
    received = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    )["Messages"]
    assert [json.loads(each["Body"])["id"] for each in received] == ["evt-1", "evt-2", "evt-3"]
    assert {each["Attributes"]["MessageGroupId"] for each in received} == {"asset-1"}
    assert received[0]["MessageAttributes"]["type"]["StringValue"] == "asset.ready"


def test_a_topic_gets_attributes_that_filter_policies_read(aws):
    sns, sqs = aws("sns"), aws("sqs")
    url = sqs.create_queue(QueueName="all")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="assets")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps({"partner": ["mux"]}), "RawMessageDelivery": "true"},
    )
    delivery = ChannelDelivery(SnsChannel(sns, topic), partial(message, form="data", fifo=False))
    delivery.deliver_all([make_event({"n": 1}), make_event({"n": 2}, id="evt-2", partner="frameio")])
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(each["Body"]) for each in received] == [{"n": 1}]


class Stub:
    """Answers every call with ``answer`` or raises it."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = []

    def __getattr__(self, operation):
        def call(**arguments):
            self.calls.append((operation, arguments))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


PARCELS = [Parcel(text="a"), Parcel(text="b"), Parcel(text="c")]
CHANNELS = {
    "queue": lambda stub: SqsChannel(stub, "https://queue"),
    "topic": lambda stub: SnsChannel(stub, "arn:topic"),
}


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_a_refusal_of_one_entry_is_judged_by_its_code(channel):
    answer = {
        "Successful": [{"Id": "1", "MessageId": "m-1"}],
        "Failed": [
            {"Id": "0", "Code": "InvalidMessageContents", "SenderFault": True},
            {"Id": "2", "Code": "InternalError", "SenderFault": False},
        ],
    }
    outcomes = channel(Stub(answer)).send(PARCELS)
    assert [type(each) for each in outcomes] == [PermanentDataError, str, TransientError]


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_an_entry_of_which_the_answer_says_nothing_was_not_taken(channel):
    outcomes = channel(Stub({"Successful": [{"Id": "0", "MessageId": "m-1"}]})).send(PARCELS)
    assert [type(each) for each in outcomes] == [str, TransientError, TransientError]


def test_a_stream_gets_lines_and_answers_for_each():
    stub = Stub({"RequestResponses": [{"RecordId": "r-1"}, {"ErrorCode": "ServiceUnavailableException"}]})
    outcomes = FirehoseChannel(stub, "lake").send(PARCELS)
    assert [type(each) for each in outcomes] == [str, TransientError, TransientError]
    assert stub.calls == [
        (
            "put_record_batch",
            {"DeliveryStreamName": "lake", "Records": [{"Data": b"a"}, {"Data": b"b"}, {"Data": b"c"}]},
        )
    ]


@pytest.mark.parametrize("channel", [*CHANNELS.values(), lambda stub: FirehoseChannel(stub, "lake")])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "Send"), PermanentConfigError),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "Send"), TransientError),
        (EndpointConnectionError(endpoint_url="https://aws"), TransientError),
    ],
)
def test_a_call_that_fails_is_judged_as_a_whole(channel, error, kind):
    with pytest.raises(kind):
        channel(Stub(error)).send(PARCELS)
