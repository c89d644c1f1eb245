"""The functions, wired from their environment, against moto."""

from __future__ import annotations

import json
import os
import time

import pytest

from media_events.delivery.deliverer import destination_key
from media_events.handlers import deliver, transform, webhook
from media_events.handlers.cold_start import during_init
from media_events.messaging.async_invocation import RetryableInvocationError
from tests.fakes.events import make_event
from tests.fakes.handler_cloud import REGION
from tests.fakes.hop import bus_event, sqs_record
from tests.fakes.webhook_requests import BODY, SECRET, Context, WebhookHarness, api_event


def signed(body, secret=SECRET):
    return api_event(body, headers=WebhookHarness().mux_headers(body, at=time.time(), secret=secret))


def test_webhook_takes_a_signed_event_to_the_bus(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )

    answers = [webhook.handler(signed(BODY.encode()), Context(f"r{i}"))["statusCode"] for i in range(2)]
    forged = webhook.handler(signed(BODY.encode(), secret="another"), Context("r3"))["statusCode"]

    (message,) = cloud.seen()
    event = json.loads(message["Body"])
    assert (answers, forged) == ([202, 202], 401)
    assert (event["source"], event["detail-type"]) == ("partner.mux", "asset.ready")
    assert event["detail"]["metadata"]["id"] == "evt-1"


def test_webhook_quarantines_a_request_that_it_can_not_process_and_processes_it_later(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )

    assert webhook.handler(signed(b"x" * 300_000), Context())["statusCode"] == 202

    (dead,) = cloud.seen(cloud.dlq)
    request = json.loads(dead["Body"])["request"]
    assert request["bodyref"].startswith("s3://kit/bodies/events/")
    with pytest.raises(Exception, match="not JSON"):
        webhook.handler({"request": request}, Context())


def test_rotated_secret_is_known_by_its_versions(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )
    cloud.secrets.put_secret_value(SecretId=cloud.secret_arn, SecretString="the-new-secret")

    replies = [
        webhook.handler(signed(BODY.encode(), secret=s), Context())["statusCode"] for s in (SECRET, "the-new-secret")
    ]

    assert replies == [202, 202]


def test_rotation_refuses_no_event_though_the_secret_was_read_a_moment_ago(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )
    statuses = []

    def send(secret):
        body = BODY.replace("evt-1", f"evt-{len(statuses)}").encode()
        statuses.append(webhook.handler(signed(body, secret=secret), Context(f"request-{len(statuses)}"))["statusCode"])

    send(SECRET)
    cloud.secrets.put_secret_value(SecretId=cloud.secret_arn, SecretString="the-new-secret")
    send(SECRET)
    send("the-new-secret")
    send(SECRET)
    send("the-new-secret")

    assert statuses == [202] * 5
    assert len(cloud.seen()) == 5


@pytest.mark.attack("C8")
def test_c8_bus_is_addressed_by_its_arn(cloud):
    cloud.configure(
        "ingress/webhook",
        {"partners": {"mux": {"specification": {"preset": "mux"}, "secret_arns": [cloud.secret_arn]}}},
    )
    calls = []
    events = webhook.application().receiver.idempotent_publisher.publisher.bus._client
    events.meta.events.register_first("before-send.*.PutEvents", lambda request, **_: calls.append(request.body))

    webhook.handler(signed(BODY.encode()), Context())

    # By its name EventBridge would drop the entry with a 200; an ARN that leads nowhere is refused.
    assert [entry["EventBusName"] for call in calls for entry in json.loads(call)["Entries"]] == [os.environ["BUS_ARN"]]
    assert os.environ["BUS_ARN"].startswith("arn:aws:events:")


def test_transform_takes_an_event_from_its_queue_to_the_bus(cloud):
    cloud.configure("transform/slim", {"steps": [{"map": {"id": "data.asset.id"}}]})
    records = [sqs_record(bus_event(make_event()), "a"), sqs_record("junk", "b")]

    assert transform.handler({"Records": records}, Context()) == {"batchItemFailures": []}

    (message,) = cloud.seen()
    (dead,) = cloud.seen(cloud.dlq)
    assert json.loads(message["Body"])["detail"]["data"] == {"id": "asset-1"}
    assert dead["Body"] == "junk"
    assert json.loads(dead["MessageAttributes"]["failure"]["StringValue"])["code"] == "not-an-event"


def without_a_queue(cloud):
    """The function is invoked by the rule itself."""
    cloud.setenv(INVOCATION="direct")
    for variable in ("QUEUE_URL", "MAX_RECEIVE_COUNT"):
        cloud.environment.delenv(variable)


def test_transform_takes_an_event_from_its_rule_to_the_bus(cloud):
    cloud.configure("transform/slim", {"steps": [{"map": {"id": "data.asset.id"}}]})
    without_a_queue(cloud)

    assert transform.handler(json.loads(bus_event(make_event())), Context()) is None

    (message,) = cloud.seen()
    assert json.loads(message["Body"])["detail"]["data"] == {"id": "asset-1"}


def test_a_hop_that_changes_between_queue_and_rule_takes_events_of_both(cloud):
    cloud.configure("transform/slim", {"steps": [{"map": {"id": "data.asset.id"}}]})
    event = bus_event(make_event())

    # The rule's asynchronous invocation waits in Lambda's own queue when the hop gets one.
    late = transform.handler(json.loads(event), Context())
    # The queue of a hop that the rule invokes by now runs empty.
    cloud.setenv(INVOCATION="direct")
    batch = transform.handler({"Records": [sqs_record(event, "a")]}, Context())

    assert (late, batch) == (None, {"batchItemFailures": []})
    assert len(cloud.seen()) == 2


def test_transform_without_a_queue_says_why_it_gave_up(cloud):
    cloud.configure("transform/slim", {"steps": [{"map": {"id": "data.["}}]})
    without_a_queue(cloud)
    event = json.loads(bus_event(make_event()))

    transform.handler(event, Context())

    (dead,) = cloud.seen(cloud.dlq)
    assert json.loads(dead["Body"]) == event
    assert json.loads(dead["MessageAttributes"]["failure"]["StringValue"])["code"] == "configuration-unusable"


def test_delivery_takes_an_event_from_its_rule_once(cloud):
    target = cloud.sqs.create_queue(QueueName="target")["QueueUrl"]
    destination = {
        "name": "archive",
        "type": "sqs",
        "queue_arn": f"arn:aws:sqs:{REGION}:123456789012:target",
        "queue_url": target,
        "mode": "data",
    }
    cloud.configure("route/archive", {"destination": destination})
    without_a_queue(cloud)
    event = json.loads(bus_event(make_event({"take": 1})))

    answers = [deliver.handler(event, Context(f"r{i}")) for i in range(2)]

    assert answers == [None, None]
    assert [message["Body"] for message in cloud.seen(target)] == ['{"take":1}']


def test_delivery_without_a_queue_raises_transient_errors(cloud):
    destination = {
        "name": "archive",
        "type": "event-bus",
        "bus_arn": f"arn:aws:events:{REGION}:123456789012:event-bus/shared",
    }
    cloud.configure("route/archive", {"destination": destination})
    without_a_queue(cloud)
    event = make_event()
    later = {"N": str(int(time.time()) + 60)}
    claimed = {"pk": {"S": destination_key(event.metadata.source, event.metadata.id, "archive")}}
    claimed |= {"state": {"S": "started"}, "lease_expires": later, "expires": later, "owner": {"S": "another"}}
    cloud.dynamodb.put_item(TableName="idempotency", Item=claimed)

    with pytest.raises(RetryableInvocationError, match='"code":"idempotency-in-progress"'):
        deliver.handler(json.loads(bus_event(event)), Context())


def test_transform_with_an_unusable_step_says_which(cloud):
    cloud.configure("transform/slim", {"steps": [{"map": {"id": "data.["}}]})

    answer = transform.handler({"Records": [sqs_record(bus_event(make_event()), "a")]}, Context())

    (dead,) = cloud.seen(cloud.dlq)
    failure = json.loads(dead["MessageAttributes"]["failure"]["StringValue"])
    assert answer == {"batchItemFailures": []}
    assert (failure["class"], failure["code"]) == ("permanent-config", "configuration-unusable")
    assert "steps[0].map.id: 'data.[' is not JMESPath" in failure["message"]


def test_missing_python_function_of_a_transform_is_named(cloud):
    cloud.configure("transform/slim", {"steps": [{"python": {"function": "acme_steps_nowhere:tidy"}}]})

    transform.handler({"Records": [sqs_record(bus_event(make_event()), "a")]}, Context())

    (dead,) = cloud.seen(cloud.dlq)
    failure = json.loads(dead["MessageAttributes"]["failure"]["StringValue"])
    assert "steps[0].python.function: acme_steps_nowhere:tidy: there is no module" in failure["message"]
    assert "add a layer" in failure["message"]


@pytest.mark.parametrize(
    ("step", "made"),
    [({"set": {"a": 1}}, False), ({"lookup": {"into": "a", "s3": {"bucket": "inbox", "key": "c"}}}, True)],
)
def test_transform_makes_only_the_clients_that_its_steps_need(cloud, step, made):
    cloud.configure("transform/slim", {"steps": [step]})

    assert (transform._ports().partners is not None) is made


def test_transform_completes_events_from_a_table_and_a_bucket(cloud):
    cloud.dynamodb.create_table(
        TableName="titles",
        KeySchema=[{"AttributeName": "asset", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "asset", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cloud.dynamodb.put_item(TableName="titles", Item={"asset": {"S": "asset-1"}, "season": {"N": "3"}})
    cloud.s3.put_object(Bucket="kit", Key="in/asset-1.mov", Body=b"mov", Metadata={"Reel": "7"})
    cloud.s3.put_object(Bucket="kit", Key="in/asset-1.json", Body=b'{"title": "Dune"}')
    key = "join('', ['in/', data.asset.id, '.mov'])"
    steps = [
        {
            "lookup": {
                "dynamodb": {
                    "table_arn": f"arn:aws:dynamodb:{REGION}:123456789012:table/titles",
                    "key": {"asset": "data.asset.id"},
                },
                "into": "row",
            }
        },
        {"lookup": {"s3": {"bucket": "kit", "key": key}, "take": "[size, metadata.reel]", "into": "file"}},
        {"lookup": {"s3": {"bucket": "kit", "key": key, "sidecar": "{stem}.json"}, "into": "sidecar"}},
        {"lookup": {"s3": {"bucket": "kit", "key": "'none'"}, "into": "more", "missing": "pass"}},
    ]
    cloud.configure("transform/complete", {"steps": steps})

    assert transform.handler({"Records": [sqs_record(bus_event(make_event()), "a")]}, Context()) == {
        "batchItemFailures": []
    }

    (message,) = cloud.seen()
    assert json.loads(message["Body"])["detail"]["data"] == {
        "asset": {"id": "asset-1"},
        "row": {"asset": "asset-1", "season": 3},
        "file": [3, "7"],
        "sidecar": {"title": "Dune"},
    }


def test_transform_without_its_variables_names_them(cloud):
    cloud.configure("transform/slim", {"steps": []})
    cloud.environment.delenv("BUS_ARN")
    cloud.environment.setenv("MAX_RECEIVE_COUNT", "many")

    with pytest.raises(ValueError, match=r"MAX_RECEIVE_COUNT must be an integer.*BUS_ARN is not set"):
        transform.handler({"Records": []}, Context())


@pytest.mark.parametrize(("kind", "built"), [("on-demand", 1), ("provisioned-concurrency", 1), (None, 0)])
def test_init_phase_alone_wires_the_function(monkeypatch, kind, built):
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    if kind is not None:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    calls = []

    during_init(lambda: calls.append(1))

    assert len(calls) == built


def test_failure_in_the_init_phase_is_left_to_the_first_invocation(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")

    during_init(lambda: 1 / 0)
