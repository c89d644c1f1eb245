"""The wiring on which promises hang and no type tells: whose claims they are, which stores, how often one is asked."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from media_events.adapters.delivery_factory import delivery_to
from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.s3.bodies import S3Bodies
from media_events.core.failures import ProcessingError, UnansweredError
from media_events.delivery.circuit_breaker import circuit_breaker_key
from media_events.delivery.config import parse_destination
from media_events.handlers import deliver, queue_ingress, redrive, transform, webhook
from media_events.recovery.review_item import item_id
from tests.fakes.dead_letters import record
from tests.fakes.dynamodb import create_review_table
from tests.fakes.events import make_event
from tests.fakes.handler_cloud import REGION
from tests.fakes.hop import bus_event, sqs_record
from tests.fakes.review_items import make_item
from tests.fakes.webhook_requests import BODY, Context, WebhookHarness, api_event

DAY = 86_400.0
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:taker"
DEAD_LETTERS = f"arn:aws:sqs:{REGION}:123456789012:media-dev-cms-dlq"


# --- whose claims ---------------------------------------------------------------------------------------------------


def deliver_from_a_queue(cloud):
    target = cloud.sqs.create_queue(QueueName="target")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:target"
    destination = {"name": "archive", "type": "sqs", "queue_arn": arn, "queue_url": target}
    cloud.configure("route/archive", {"destination": destination})
    return lambda number, request_id: deliver.handler(
        {"Records": [sqs_record(bus_event(make_event(id=f"e{number}")), f"m-{number}")]}, Context(request_id)
    )


def take_from_a_queue(cloud):
    cloud.setenv(INGRESS="sqs")
    specification = {"id": "body.id", "type": "body.type", "subject": "body.asset"}
    cloud.configure("ingress/mam", {"partners": {"mam": {"specification": specification}}})
    return lambda number, request_id: queue_ingress.handler(
        {"Records": [sqs_record(json.dumps({"id": f"e{number}", "type": "t", "asset": "a"}), f"m-{number}")]},
        Context(request_id),
    )


def take_a_webhook(cloud):
    partners = {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}
    cloud.configure("ingress/webhook", {"partners": partners})

    def send(number, request_id):
        body = BODY.replace("evt-1", f"e{number}").encode()
        headers = WebhookHarness().mux_headers(body, at=time.time())
        return webhook.handler(api_event(body, headers=headers), Context(request_id))

    return send


@pytest.mark.parametrize("wire", [deliver_from_a_queue, take_from_a_queue, take_a_webhook])
def test_each_invocation_owns_its_claims_so_that_no_other_can_complete_them(cloud, wire):
    handle = wire(cloud)

    for number in (1, 2):
        handle(number, f"request-{number}")

    assert owners(cloud, "e1") == {"request-1"}
    assert owners(cloud, "e2") == {"request-2"}


def owners(cloud, words):
    """Who owns the records whose keys have ``words``."""
    items = cloud.dynamodb.scan(TableName="idempotency")["Items"]
    return {item["owner"]["S"] for item in items if words in item["pk"]["S"]}


# --- copies of what waits -------------------------------------------------------------------------------------------


def test_a_message_that_sqs_hands_out_twice_waits_for_its_destination_as_one_copy(cloud):
    cloud.configure(
        "route/cms",
        {
            "destination": {
                "name": "cms",
                "type": "http",
                "url": "https://cms.example.com",
                "circuit_breaker": {"failures": 3, "delay_seconds": 60},
            }
        },
    )
    later = {"N": str(time.time() + 600)}
    opened = {"pk": {"S": circuit_breaker_key("cms")}, "open_until": later, "expires": later, "failures": {"N": "3"}}
    cloud.dynamodb.put_item(TableName="idempotency", Item=opened)
    message = sqs_record(bus_event(make_event()), "m-1")

    for number in (1, 2):
        assert deliver.handler({"Records": [message]}, Context(f"request-{number}")) == {"batchItemFailures": []}

    waiting = "ApproximateNumberOfMessagesDelayed"
    numbers = cloud.sqs.get_queue_attributes(QueueUrl=cloud.queue, AttributeNames=[waiting])["Attributes"]
    assert numbers[waiting] == "1"
    assert owners(cloud, "copy|0|m-1") == {"request-1"}


# --- the redrive function -------------------------------------------------------------------------------------------


@pytest.fixture(name="review")
def _review(cloud):
    """The review table, behind the redrive function."""
    create_review_table(cloud.dynamodb, "review")
    cloud.setenv(
        REVIEW_TABLE="review", BODIES_URI="s3://kit/bodies/review/", EVENT_BODIES_URI="s3://kit/bodies/events/"
    )
    dead = {
        "url": cloud.dlq,
        "hop": "route/cms",
        "destination": "cms",
        "redrive_target": "queue",
        "queue_url": cloud.queue,
        "redrive": {"max_count": 0},
    }
    cloud.configure("redrive", {"dead_letter_queues": {DEAD_LETTERS: dead}})
    return DynamoReviewTable(cloud.dynamodb, "review")


def test_an_open_item_has_a_copy_of_the_body_that_its_event_points_at(cloud, review):
    content = b'{"asset": "asset-1"}'
    uri = S3Bodies(cloud.s3, "s3://kit/bodies/events/").put(content)
    event = make_event(dataref=uri)
    dead = record("consumer") | {"body": bus_event(event), "eventSourceARN": DEAD_LETTERS}

    assert redrive.handler({"Records": [dead]}, Context()) == {"batchItemFailures": []}

    item = review.get(item_id(event.metadata.source, event.metadata.id, "cms"))
    copy = item.retained_bodies[uri]
    assert copy.startswith("s3://kit/bodies/review/")
    assert S3Bodies(cloud.s3, copy.rpartition("/")[0]).get(copy) == content


@pytest.mark.parametrize(("days", "left"), [(2, ["evt-1"]), (4, [])])
def test_a_closed_item_stays_for_as_many_days_as_are_set(cloud, review, days, left):
    cloud.setenv(CLOSED_RETENTION_DAYS="3")
    then = DynamoReviewTable(cloud.dynamodb, "review", clock=lambda: time.time() - days * DAY)
    item = make_item("evt-1")
    then.create(item)
    then.update(replace(item, status="ARCHIVED", version=item.version + 1), over=item)

    redrive.handler({}, Context())

    assert [found.event_id for found in [review.get(item.item_id)] if found is not None] == left


# --- functions that do not answer -----------------------------------------------------------------------------------


def redriven_alone(_cloud):
    redrive._Functions().consume(FUNCTION, "{}")


def inspected(_cloud):
    redrive._Functions().inspect(FUNCTION, "{}")


def delivered(_cloud):
    destination = {"name": "taker", "type": "lambda", "function_arn": FUNCTION}
    delivery_to(parse_destination({"destination": destination})).deliver(make_event(), seconds_left=30.0)


def asked_by_a_transform(cloud):
    cloud.configure("transform/t", {"steps": [{"call": {"function_arn": FUNCTION}}]})
    transform._ports().functions.answer(FUNCTION, "{}", timeout_seconds=3.0)


@pytest.mark.parametrize("invoke", [redriven_alone, inspected, delivered, asked_by_a_transform])
def test_a_function_that_does_not_answer_is_not_invoked_again_since_it_may_be_at_work(cloud, monkeypatch, invoke):
    asked = []

    def no_answer(_session, request):
        asked.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)

    # An address that moto leaves alone.
    cloud.setenv(AWS_ENDPOINT_URL_LAMBDA="https://functions.example.com")
    monkeypatch.setattr(URLLib3Session, "send", no_answer)

    with pytest.raises(ProcessingError):
        invoke(cloud)

    assert len(asked) == 1


# --- a bus that does not answer -------------------------------------------------------------------------------------


def published_by_a_webhook(cloud):
    take_a_webhook(cloud)
    return webhook.application().receiver.idempotent_publisher.publisher


def published_from_a_queue(cloud):
    take_from_a_queue(cloud)
    return queue_ingress.receiver().idempotent_publisher.publisher


def published_by_a_transform(cloud):
    cloud.configure("transform/slim", {"steps": []})
    return transform._transformer(Context()).handle.__self__.publisher


def published_by_a_redrive(_cloud):
    return redrive._redriver().events


@pytest.mark.parametrize(
    "publisher", [published_by_a_webhook, published_from_a_queue, published_by_a_transform, published_by_a_redrive]
)
@pytest.mark.usefixtures("review")
def test_an_event_is_put_on_the_bus_again_by_its_caller_alone_if_no_answer_came(cloud, monkeypatch, publisher):
    # EventBridge's entries carry no id of the sender's, so it knows no repetition:
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
    asked = []

    def no_answer(_session, request):
        asked.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)

    # An address that moto leaves alone.
    cloud.setenv(AWS_ENDPOINT_URL_EVENTBRIDGE="https://events.example.com")
    wired = publisher(cloud)
    monkeypatch.setattr(URLLib3Session, "send", no_answer)

    (outcome,) = wired.publish([make_event()])

    assert isinstance(outcome, UnansweredError)
    assert len(asked) == 1
