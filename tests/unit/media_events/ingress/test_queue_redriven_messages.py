"""Dead letters of an ingress: without credentials, one review item each, and the same event after a redrive."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from media_events.core.failures import Failure, PermanentDataError, PoisonError, TransientError
from media_events.messaging.message import Message
from media_events.recovery.review_item import ReturnTo
from media_events_kit.ops.review.service import ReviewService
from tests.fakes.queue_ingress import (
    SENT_TIME,
    SPECIFICATION,
    IngressHarness,
    aws_event,
    dead_record,
    mam_event,
    sqs_record,
    text_attributes,
)
from tests.fakes.recovery import FUNCTION, FUNCTION_ROLE_ID, World, queue

OWN = queue("mam-dlq", hop="ingress/mam", destination="bus", function_arn=FUNCTION, consumer_arn=FUNCTION)
OWN_FIFO = replace(OWN, arn=f"{OWN.arn}.fifo", queue_url="https://sqs/mam.fifo")
FOREIGN = queue(
    "theirs-dlq", hop="ingress/mam", destination="bus", redrive_target="function", queue_url=None, function_arn=FUNCTION
)
BY_FUNCTION = f"{FUNCTION_ROLE_ID}:media-dev-mam"
# An id, a time and an order that all depend on the message's origin.
SENSITIVE = {"id": {"hash": ["body.id"], "bucket_seconds": 300}, "type": "body.type"}


@pytest.fixture(name="harness_of")
def _harness_of(monkeypatch):
    return lambda *arguments, **changes: IngressHarness(*arguments, **changes).install(monkeypatch)


@pytest.fixture(name="harness")
def _harness(harness_of):
    return harness_of(partners={"mam": {"specification": SENSITIVE}})


def body_of(identity="e-1", **changes):
    return json.dumps({"id": identity, "type": "asset.ready", **changes})


def dead_letter_by_attempts(harness, record):
    """The record's last allowed receive fails with a transient error."""
    harness.bus.failing = TransientError("bus-unreachable", "no answer")
    record["attributes"]["ApproximateReceiveCount"] = "5"
    assert harness.take(record) == []
    harness.bus.failing = None


def straight_through(harness_of, record, **changes):
    """The event as it would have been without any failure."""
    harness = harness_of(**changes)
    assert harness.take(record) == []
    return harness.bus.events[0]


def world_for(dlq, harness):
    return World(dlq, now=harness.clock.now + 3_000)


def review_service_of(world):
    return ReviewService(
        table=world.table,
        delivery_records=Effects(),
        queues=world.queues,
        bus=lambda _arn: world.events,
        functions=world.functions,
        bodies=lambda _uri: world.bodies,
        clock=world.clock,
    )


def passed_on(world, harness):
    """Let the ingress's function have what redrive has handed to it last; its answer."""
    assert world.queues.sent == []
    function, payload = world.functions.invoked[-1]
    assert function == FUNCTION
    return harness.invoke(json.loads(payload))


TAKEN = {"batchItemFailures": []}


def handle_batch(world, dlq, record):
    return world.handle_batch(record | {"eventSourceARN": dlq.arn})


# --- there and back ----------------------------------------------------------------------------------------------


def test_event_is_the_same_after_it_went_back_to_its_function(harness, harness_of):
    expected = straight_through(harness_of, sqs_record(body_of()), partners={"mam": {"specification": SENSITIVE}})
    harness = harness_of(partners={"mam": {"specification": SENSITIVE}})
    dead_letter_by_attempts(harness, sqs_record(body_of()))
    world = world_for(OWN, harness)

    assert handle_batch(world, OWN, dead_record(harness)) == []

    assert passed_on(world, harness) == TAKEN
    (event,) = harness.bus.events
    assert event == expected
    assert event.metadata.time == SENT_TIME


def test_fifo_event_keeps_its_group_and_its_place_in_it(harness):
    dead_letter_by_attempts(harness, sqs_record(body_of(), group_id="g"))
    world = world_for(OWN_FIFO, harness)

    assert handle_batch(world, OWN_FIFO, dead_record(harness)) == []

    assert passed_on(world, harness) == TAKEN
    metadata = harness.bus.events[0].metadata
    assert (metadata.partitionkey, metadata.sequence) == ("g", "18849496460467696128")


def test_queue_that_is_not_ours_is_not_written_to(harness, harness_of):
    expected = straight_through(
        harness_of, sqs_record(body_of(), group_id="g"), partners={"mam": {"specification": SENSITIVE}}
    )
    harness = harness_of(partners={"mam": {"specification": SENSITIVE}})
    dead_letter_by_attempts(harness, sqs_record(body_of(), group_id="g"))
    world = world_for(FOREIGN, harness)

    assert handle_batch(world, FOREIGN, dead_record(harness)) == []

    ((function, payload),) = world.functions.invoked
    assert (function, world.queues.sent) == (FUNCTION, [])
    answer = harness.invoke(json.loads(payload))
    assert answer == {"status": "accepted", "ids": [expected.metadata.id]}
    assert harness.bus.events == [expected]


@pytest.mark.parametrize("dlq", [OWN, OWN_FIFO], ids=["standard", "fifo"])
def test_event_that_failed_again_has_the_same_item(harness, dlq):
    world = world_for(dlq, harness)
    dead_letter_by_attempts(harness, sqs_record(body_of(), group_id="g" if dlq is OWN_FIFO else None))
    for count in range(4):
        world.clock.now += 4_000
        assert handle_batch(world, dlq, dead_record(harness, message_id=f"dead-{count}")) == []
        if not world.table.items:
            harness.bus.failing = TransientError("bus-unreachable", "no answer")
            assert passed_on(world, harness) == TAKEN
            assert harness.queue.dead[-1].group_id == ("g" if dlq is OWN_FIFO else None)

    (item,) = world.table.items.values()
    assert (len(world.functions.invoked), item.redrive_count) == (3, 3)
    assert item.event_id.startswith("sha256:")


def test_messages_with_the_same_body_are_an_item_each(harness):
    for number in (1, 2):
        harness.take(sqs_record("{not json", f"m-{number}"))
    world = world_for(OWN, harness)

    for number in (0, 1):
        assert handle_batch(world, OWN, dead_record(harness, number, f"dead-{number}")) == []
        assert handle_batch(world, OWN, dead_record(harness, number, f"dead-{number}")) == []

    assert sorted(item.event_id for item in world.table.items.values()) == ["message-m-1", "message-m-2"]
    assert {(i.partner, i.error_code, i.status) for i in world.table.items.values()} == {
        ("mam", "json-invalid", "OPEN")
    }


def test_message_that_sqs_moved_is_the_item_that_it_would_be_by_the_consumer(harness):
    harness.take(sqs_record("{not json", "m-1"))
    world = world_for(OWN, harness)
    handle_batch(world, OWN, dead_record(harness))
    moved = sqs_record("{not json", "m-1", attributes={"redrivecount": {"stringValue": "1"}}, sender_id=BY_FUNCTION)

    handle_batch(world, OWN, moved)

    (item,) = world.table.items.values()
    assert [attempt.code for attempt in item.attempts] == ["json-invalid", "moved-by-sqs"]


def test_item_names_the_events_partner_if_it_is_known(harness_of):
    harness = harness_of()
    dead_letter_by_attempts(harness, sqs_record(mam_event()))
    harness.queue.dead[0].attributes["redrivecount"] = {"stringValue": "3", "dataType": "Number"}
    world = world_for(OWN, harness)

    handle_batch(world, OWN, dead_record(harness))

    (item,) = world.table.items.values()
    assert (item.event_id, item.partner, item.type, item.partition_key) == ("e-1", "mam", "asset.ready", "a-1")
    assert (item.source, item.hop, item.error_code) == ("ingress/mam", "ingress/mam", "bus-unreachable")


@pytest.mark.parametrize("dlq", [OWN, FOREIGN], ids=["own", "foreign"])
def test_retry_from_the_review_table_goes_the_same_way(harness_of, dlq):
    harness = harness_of(partners={"mam": {"specification": {**SPECIFICATION, "id": "body.id || body.number"}}})
    harness.take(sqs_record(json.dumps({"number": [7], "type": "t"})))
    world = world_for(dlq, harness)
    handle_batch(world, dlq, dead_record(harness))
    (item,) = world.table.items.values()

    assert [outcome.result for outcome in review_service_of(world).retry([item.item_id], wait_seconds=0)] == ["sent"]

    with pytest.raises(PermanentDataError, match="event id"):
        passed_on(world, harness)


class Effects:
    def done(self, _key):
        return False


# --- nothing in a partner's message is believed ------------------------------------------------------------------

LOOKALIKES = {
    "request": {"request": {"id": "request-1", "partner": "mux", "ingress": "webhook"}},
    "detail": {"metadata": {"id": "evt-1", "source": "partner.mux", "type": "t"}, "data": {}},
    "bus-report": {"failedMessages": [{"eventId": str(n)} for n in range(50)], "busArn": "b", "errorCode": "X"},
    "function-record": {"requestContext": {"condition": "EventAgeExceeded"}, "requestPayload": {"a": 1}},
    "enveloped-event": {
        "id": "evt-1",
        "source": "partner.mux",
        "detail-type": "t",
        "detail": {
            "metadata": {
                "id": "evt-1",
                "source": "partner.mux",
                "type": "t",
                "time": "2026-11-23T12:00:00Z",
                "partner": "mux",
                "ingress": "webhook",
                "nativetype": "t",
                "recordedtime": "2026-11-23T12:00:00Z",
                "partitionkey": "k",
            },
            "data": {},
        },
    },
}


@pytest.mark.parametrize("body", LOOKALIKES.values(), ids=LOOKALIKES)
@pytest.mark.parametrize("dlq", [OWN, FOREIGN], ids=["own", "foreign"])
def test_body_that_looks_like_one_of_ours_goes_back_to_its_function(harness, dlq, body):
    world = world_for(dlq, harness)
    moved = sqs_record(json.dumps(body), "m-1")
    again = sqs_record(
        json.dumps(body), "m-1", attributes={"redrivecount": {"stringValue": "1"}}, sender_id=BY_FUNCTION
    )

    assert handle_batch(world, dlq, moved) == []
    assert handle_batch(world, dlq, again) == []

    assert world.events.published == []
    assert len(world.queues.sent) + len(world.functions.invoked) == 1
    (item,) = world.table.items.values()
    assert (item.event_id, item.source, item.error_code) == ("message-m-1", "ingress/mam", "moved-by-sqs")
    assert item.return_to == ReturnTo(kind="record", function_arn=FUNCTION)


def test_senders_attributes_that_look_like_lambdas_are_preserved(harness):
    world = world_for(OWN, harness)
    attributes = text_attributes({"RequestID": "r-1", "ErrorMessage": "theirs", "ErrorCode": "200"})

    handle_batch(world, OWN, sqs_record(body_of(), "m-1", attributes=attributes))

    (record,) = json.loads(world.functions.invoked[0][1])["Records"]
    assert {"RequestID", "ErrorMessage", "ErrorCode"} <= set(record["messageAttributes"])


def test_event_that_a_rule_could_not_deliver_goes_to_the_hops_function_and_never_to_the_bus(harness_of):
    harness = harness_of("custom-bus", {"speaks": {"sources": ["com.speaks"]}})
    forged = {"specversion": "1.0", "id": "own-1", "type": "t", "source": "partner.mux", "partner": "mux"}
    body = aws_event("com.speaks", {"metadata": forged, "data": {}})
    attributes = text_attributes({"RULE_ARN": "arn:rule", "TARGET_ARN": "arn:queue", "ERROR_CODE": "THROTTLING"})
    own = replace(OWN, from_rules=True)
    world = world_for(own, harness)

    assert handle_batch(world, own, sqs_record(body, "m-1", attributes=attributes)) == []

    assert world.events.published == []
    (record,) = json.loads(world.functions.invoked[0][1])["Records"]
    assert set(record["messageAttributes"]) == {"origin", "redrivecount", "firstfailedtime"}
    passed_on(world, harness)
    assert [(e.metadata.id, e.metadata.partner) for e in harness.bus.events] == [("own-1", "speaks")]


def test_event_that_can_not_be_redriven_goes_to_review_at_once_and_never_to_the_bus(harness):
    straight = queue("shop-dlq", hop="ingress/shop", destination="bus", redrive_target="none", queue_url=None)
    forged = {"specversion": "1.0", "id": "own-1", "type": "t", "source": "partner.mux", "partner": "mux"}
    body = aws_event("aws.partner/shop.example/1", {"metadata": forged, "data": {}})
    attributes = text_attributes({"RULE_ARN": "arn:rule", "TARGET_ARN": "arn:bus", "ERROR_CODE": "THROTTLING"})
    world = world_for(straight, harness)

    assert handle_batch(world, straight, sqs_record(body, "m-1", attributes=attributes)) == []

    assert (world.events.published, world.queues.sent, world.functions.invoked) == ([], [], [])
    (item,) = world.table.items.values()
    assert (item.source, item.error_code, item.return_to.kind) == ("ingress/shop", "rule-THROTTLING", "none")


def test_notification_that_sns_could_not_deliver_is_transient_and_goes_to_the_function(harness_of):
    harness = harness_of("sns-fifo")
    body = json.dumps(
        {"Type": "Notification", "TopicArn": "arn:topic", "Message": mam_event(), "Timestamp": "2026-11-23T12:00:00Z"}
    )
    world = world_for(OWN, harness)

    handle_batch(world, OWN, sqs_record(body, "m-1"))

    passed_on(world, harness)
    assert harness.ids == ["e-1"]


# --- nor what a sender says in the system's own attributes ---------------------------------------------------------

ORIGINS = {
    "another message and event": {
        "id": "m-7",
        "system": {"SenderId": "AROAKIT:kit", "SentTimestamp": "1"},
        "event": {"id": "victim", "source": "partner.mux", "partner": "mux"},
        "redacted": True,
    },
    "another's body": {"id": "x", "bodyref": "s3://bodies/kept/" + "0" * 64},
    "attributes": {"id": "x", "attributes": {"forged": {"stringValue": "true"}}},
}
FORGED = {
    "failure": Failure(
        failure_class="permanent-data",
        code="forged",
        message="",
        hop="route/cms",
        receivecount=1,
        firsttime="2026-11-23T12:00:00Z",
        lasttime="2026-11-23T12:00:00Z",
    ).to_json(),
    "redrivecount": "99",
    "firstfailedtime": "2020-01-01T00:00:00Z",
    "isolated": "true",
    "priorattempts": "99",
    "deferredsince": "1",
    "deferralof": "9/x",
}


@pytest.mark.attack("F1")
@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
def test_f1_the_system_s_attributes_are_believed_of_no_sender(harness_of, origin):
    specification = {**SPECIFICATION, "subject": "attributes.SenderId", "correlationid": "attributes.forged"}
    changes = {"partners": {"mam": {"specification": specification}}}
    expected = straight_through(harness_of, sqs_record(mam_event()), **changes)
    harness = harness_of(**changes)
    attributes = text_attributes({"origin": json.dumps(origin), **FORGED})

    assert harness.take(sqs_record(mam_event(), attributes=attributes)) == []

    assert harness.bus.events == [expected]
    harness.bus.failing = TransientError("bus-unreachable", "no answer")
    assert harness.take(sqs_record(mam_event("e-2"), "m-2", attributes=attributes)) == ["m-2"]
    assert harness.queue.dead == []


BY_RULE = {
    "RULE_ARN": "arn:aws:events:eu-west-1:123456789012:rule/x",
    "TARGET_ARN": "arn:aws:sqs:eu-west-1:123456789012:x",
    "ERROR_CODE": "NO_PERMISSIONS",
    "ERROR_MESSAGE": "forged",
}
IMPOSTORS = [
    "AIDAEXAMPLE",
    "AROAOTHER:media-dev-mam",
    f"{FUNCTION_ROLE_ID}X:media-dev-mam",
    "",
    FUNCTION_ROLE_ID.lower(),
]


def crashed(sender_id, **texts):
    """A message of ``sender_id`` that crashed the function, so that SQS has moved it."""
    record = sqs_record(mam_event(), "m-1", attributes=text_attributes(texts), sender_id=sender_id)
    record["attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:123456789012:mam"
    return record


def _handed_over(world):
    """The attributes that the function gets, but for whom SQS names as the sender."""
    ((function, payload),) = world.functions.invoked
    document = json.loads(payload)
    attributes = (document["record"] if "record" in document else document["Records"][0])["messageAttributes"]
    origin = json.loads(attributes["origin"]["stringValue"])
    origin["system"].pop("SenderId", None)
    return function, attributes | {"origin": origin}


@pytest.mark.attack("F4")
@pytest.mark.parametrize("sender_id", IMPOSTORS)
@pytest.mark.parametrize("forged", [FORGED | {"origin": json.dumps(origin)} for origin in ORIGINS.values()] + [BY_RULE])
@pytest.mark.parametrize("dlq", [OWN, FOREIGN], ids=["own", "foreign"])
def test_f4_a_message_that_crashed_the_function_says_nothing_about_its_failure(harness, dlq, forged, sender_id):
    honest = world_for(dlq, harness)
    handle_batch(honest, dlq, crashed("AIDAEXAMPLE"))
    world = world_for(dlq, harness)

    assert handle_batch(world, dlq, crashed(sender_id, **forged)) == []

    assert world.table.items == {}
    assert _handed_over(world) == _handed_over(honest)


@pytest.mark.attack("F4")
def test_f4_nor_does_its_item(harness):
    world = world_for(OWN, harness)
    world.functions.error = PoisonError("function-crashed", "crashed again")

    handle_batch(world, OWN, crashed("AIDAEXAMPLE", **FORGED, origin=json.dumps(ORIGINS["another message and event"])))

    (item,) = world.table.items.values()
    assert (item.event_id, item.error_code, item.redrive_count) == ("message-m-1", "function-crashed", 0)


@pytest.mark.attack("F4")
def test_f4_what_the_function_itself_sent_is_believed(harness):
    world = world_for(OWN, harness)
    harness.take(sqs_record("{not json", "m-1"))

    handle_batch(world, OWN, crashed(BY_FUNCTION, failure=harness.queue.dead[0].failure.to_json()))

    assert [item.error_code for item in world.table.items.values()] == ["json-invalid"]


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"id": 7}',
        "[" * 100_000,
        '{"id": "x", "system": 7, "event": [], "attributes": 3, "bodyref": {}}',
        '{"id": "x", "attributes": {"a": 7}}',
    ],
)
def test_malformed_origin_does_no_harm(harness_of, origin):
    harness = harness_of()
    record = {"body": mam_event(), "messageAttributes": text_attributes({"origin": origin})}

    assert harness.invoke({"record": record})["ids"] == ["e-1"]


def test_origin_of_an_invocation_reaches_no_body_that_we_did_not_store_and_no_other_partners_item(harness_of):
    harness = harness_of()
    forged = {
        "id": "x",
        "bodyref": "s3://elsewhere/secret",
        "event": {"id": "victim", "source": "partner.mux", "partner": "mux"},
    }
    record = sqs_record(mam_event(), attributes=text_attributes({"origin": json.dumps(forged)}))

    harness.take({**record, "receiptHandle": ""})

    assert harness.queue.dead[0].failure.code == "foreign-dataref"
    world = world_for(OWN, harness)
    handle_batch(world, OWN, dead_record(harness))
    (item,) = world.table.items.values()
    assert item.source == "ingress/mam"


# --- what does not fit, and what must not be kept ----------------------------------------------------------------


def test_body_that_does_not_fit_waits_in_the_bucket_and_comes_back(harness_of):
    harness = harness_of()
    large = mam_event(notes="é" * 150_000)
    dead_letter_by_attempts(harness, sqs_record(large))

    (dead,) = harness.queue.dead
    assert len(dead.body) < 200
    assert large.encode() in harness.bodies.kept.values()
    world = world_for(OWN, harness)
    handle_batch(world, OWN, dead_record(harness))
    assert passed_on(world, harness) == TAKEN
    (event,) = harness.bus.events
    assert json.loads(harness.bodies.kept[event.metadata.dataref])["notes"] == "é" * 150_000


def test_body_makes_room_for_attributes(harness_of):
    harness = harness_of()
    record = sqs_record(mam_event(notes="x" * 200_000), attributes=text_attributes({"big": "y" * 60_000}))

    dead_letter_by_attempts(harness, record)

    assert len(harness.queue.dead[0].body) < 200
    assert harness.queue.dead[0].attributes["big"]["stringValue"] == "y" * 60_000


def test_body_that_can_not_be_stored_keeps_its_message_in_the_queue(harness_of):
    harness = harness_of()
    harness.bodies.failing = TransientError("aws-unavailable", "no")

    assert harness.take(sqs_record("x" * 250_000)) == ["m-1"]
    assert not harness.queue.dead


def test_more_attributes_than_fit_beside_ours_are_not_lost(harness_of):
    types = {"id": "body.id", "type": "attributes.a9"}
    harness = harness_of(partners={"mam": {"specification": types}})
    record = sqs_record(mam_event(), attributes=text_attributes({f"a{n}": f"v{n}" for n in range(10)}))
    dead_letter_by_attempts(harness, record)
    assert set(harness.queue.dead[0].attributes) == {"origin"}
    world = world_for(OWN, harness)

    handle_batch(world, OWN, dead_record(harness))

    passed_on(world, harness)
    assert harness.bus.events[0].metadata.type == "v9"


@pytest.mark.parametrize(
    "body",
    [
        mam_event(context={"auth_token": "live-token"}),
        '{"auth_token": "live-token", "id": ',
        json.dumps({"Type": "Notification", "TopicArn": "t", "Message": mam_event(auth_token="live-token")}),
        json.dumps({"Type": "Notification", "TopicArn": "t", "Message": '{"auth_token": "live-token"'}),
    ],
)
def test_credentials_are_in_no_dead_letter_and_in_no_item(harness_of, body):
    harness = harness_of(partners={"mam": {"specification": {**SPECIFICATION, "redact": ["body.**.auth_token"]}}})

    dead_letter_by_attempts(harness, sqs_record(body))

    assert "live-token" not in harness.queue.dead[0].body + json.dumps(harness.queue.dead[0].attributes)
    world = world_for(OWN, harness)
    handle_batch(world, OWN, dead_record(harness))
    assert "live-token" not in repr(world.table.items) + repr(world.functions.invoked) + harness.report.text()


def test_event_of_an_unknown_source_loses_the_redactions_of_every_partner(harness_of):
    specification = {"id": "envelope.id", "type": 'envelope."detail-type"', "redact": ["body.secrets.key"]}
    harness = harness_of("custom-bus", {"acme": {"specification": specification, "sources": ["com.acme"]}})

    harness.take(sqs_record(aws_event("com.other", {"secrets": {"key": "live-key"}})))

    assert "live-key" not in harness.queue.dead[0].body


def test_id_that_is_made_of_a_credential_stays_when_the_credential_goes(harness_of):
    specification = {"id": {"hash": ["body"]}, "type": "body.type", "redact": ["body.token"]}
    changes = {"partners": {"mam": {"specification": specification}}}
    expected = straight_through(harness_of, sqs_record(body_of(token="live")), **changes)
    harness = harness_of(**changes)
    dead_letter_by_attempts(harness, sqs_record(body_of(token="live")))
    world = world_for(OWN, harness)
    handle_batch(world, OWN, dead_record(harness))

    passed_on(world, harness)

    assert harness.bus.events == [expected]


# --- what SQS moved ----------------------------------------------------------------------------------------------


def ask_about(world, harness):
    """Let the redrive function invoke the ingress's function."""

    def inspect(_function_arn, payload):
        answer = json.loads(json.dumps(harness.invoke(json.loads(payload))))
        return Message(
            body=answer["body"], message_id="", receipt_handle="", message_attributes=answer["messageAttributes"]
        )

    world.functions.inspector = inspect


def moved(body, message_id="m-1", **changes):
    """A copy, by the function, of a message after a redrive, that SQS moves."""
    attributes = {"redrivecount": {"stringValue": "1"}}
    record = sqs_record(body, message_id, attributes=attributes, sender_id=BY_FUNCTION, **changes)
    record["attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:eu-west-1:123456789012:mam"
    return record


@pytest.mark.parametrize(
    "body",
    [
        mam_event(auth_token="live"),
        json.dumps({"Type": "Notification", "TopicArn": "t", "Message": mam_event(auth_token="live")}),
    ],
)
def test_message_that_sqs_moved_is_the_event_that_it_would_have_been(harness_of, body):
    harness = harness_of(partners={"mam": {"specification": {**SPECIFICATION, "redact": ["body.auth_token"]}}})
    world = world_for(OWN, harness)
    ask_about(world, harness)

    assert handle_batch(world, OWN, moved(body)) == []

    (item,) = world.table.items.values()
    assert (item.event_id, item.partner, item.type, item.partition_key) == ("e-1", "mam", "asset.ready", "a-1")
    assert "live" not in repr(item)
    assert (harness.bus.events, harness.queue.dead, harness.table.items) == ([], [], {})


def test_moved_message_that_is_retried_is_the_event_that_it_would_have_been(harness_of):
    changes = {"partners": {"mam": {"specification": {**SENSITIVE, "redact": ["body.token"]}}}}
    expected = straight_through(harness_of, sqs_record(body_of(token="live")), **changes)
    harness = harness_of(**changes)
    world = world_for(OWN, harness)
    ask_about(world, harness)
    handle_batch(world, OWN, moved(body_of(token="live")))
    (item,) = world.table.items.values()

    assert [outcome.result for outcome in review_service_of(world).retry([item.item_id], wait_seconds=0)] == ["sent"]

    passed_on(world, harness)
    (event,) = harness.bus.events
    assert event.metadata == expected.metadata


def test_dead_letters_of_one_event_sent_and_moved_have_one_item(harness):
    dead_letter_by_attempts(harness, sqs_record(body_of()))
    world = world_for(OWN, harness)
    ask_about(world, harness)
    given_up = dead_record(harness)
    given_up["messageAttributes"]["redrivecount"] = {"stringValue": "3", "dataType": "Number"}

    handle_batch(world, OWN, given_up)
    handle_batch(world, OWN, moved(body_of()))
    handle_batch(world, OWN, moved(body_of(), "m-2"))

    (item,) = world.table.items.values()
    assert [attempt.code for attempt in item.attempts] == ["bus-unreachable", "moved-by-sqs", "moved-by-sqs"]


def test_message_with_several_events_is_called_by_itself(harness_of):
    specification = {**SPECIFICATION, "split": "body.events"}
    harness = harness_of(partners={"mam": {"specification": specification}})
    world = world_for(OWN, harness)
    ask_about(world, harness)

    handle_batch(world, OWN, moved(json.dumps({"events": [{"id": "e-1", "type": "t"}, {"id": "e-2", "type": "t"}]})))

    assert [(item.event_id, item.partner) for item in world.table.items.values()] == [("message-m-1", "mam")]


@pytest.mark.parametrize("record", [None, 7, {"body": 7}])
def test_malformed_record_is_not_inspected(harness, record):
    with pytest.raises(PermanentDataError, match="record must be an object with a body"):
        harness.invoke({"inspect": record})


def test_inspection_of_a_message_that_is_too_large_refers_to_its_body(harness):
    answer = harness.invoke({"inspect": sqs_record(body_of(filling="x" * 250_000))})

    assert set(json.loads(answer["body"])) == {"bodyref"}
    assert json.loads(answer["messageAttributes"]["origin"]["stringValue"])["event"]["partner"] == "mam"


# --- invoked with a record ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [None, 7, [], {}, {"body": 7}, {"body": "{}", "attributes": [1]}, {"body": "{}", "messageAttributes": {"a": "b"}}],
)
def test_malformed_record_is_refused_with_its_right_form(harness, record):
    with pytest.raises(PermanentDataError, match="record must be an object with a body"):
        harness.invoke({"record": record})


def test_record_that_can_not_be_published_now_raises(harness):
    harness.bus.failing = TransientError("bus-unreachable", "no answer")

    with pytest.raises(TransientError, match="no answer"):
        harness.invoke({"record": {"body": body_of()}})
    assert not harness.queue.dead


def test_record_that_has_been_published_is_not_published_again(harness):
    for _ in range(2):
        harness.invoke({"record": sqs_record(body_of())})

    assert len(harness.ids) == 1


def test_records_in_a_record_are_only_data(harness):
    harness.invoke({"Records": [sqs_record(body_of())], "record": {"body": body_of("forged")}})

    assert len(harness.ids) == 1
    assert harness.bus.events[0].data["id"] == "e-1"
