"""The ways into a deployment, by its functions' configuration; and how a message takes each."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from media_events.core.failures import ProcessingError
from media_events.partners.proof_parts import Request
from media_events.partners.specification import parse_specification
from media_events_kit.ops.send.message import Outgoing
from media_events_kit.ops.send.transport import Transport
from media_events_kit.ops.send.ways_in import WayIn, chosen, new_secret, secret_of, ways_in
from media_events_kit.ops.shared.console import OperatorError

HOUSE = {"title": "House", "id": "body.id", "type": "body.type"}
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-dev-webhook/mux"
SQS = "https://sqs.eu-west-1.amazonaws.com/123456789012/"


class Sqs:
    """Queues, by what their policies allow."""

    def __init__(self, bus):
        self.bus = bus
        self.sent = []

    def get_queue_attributes(self, **_):
        arn = f"arn:aws:events:eu-west-1:123456789012:rule/{self.bus}media-dev-in-*"
        statement = {"Effect": "Allow", "Condition": {"ArnEquals": {"aws:SourceArn": [arn]}}}
        return {"Attributes": {"Policy": json.dumps({"Statement": [statement]})}}

    def send_message(self, **message):
        self.sent.append(message)
        return {"MessageId": "m-1"}


class Deployed:
    """One ingress, as `Deployed` of verify shows it."""

    bus_name = "media-dev"

    def __init__(self, kind, partner, *, bus=""):
        self.kind, self.partner, self.bus = kind, partner, bus
        self.functions = {"ingress/media-dev-in": "media-dev-in", "route/cms": "media-dev-cms"}
        self.outputs = {
            "webhook_urls": {"acme": "https://api.example.com/webhooks/acme"},
            "ingress_topic_arns": {"in": "arn:aws:sns:eu-west-1:123456789012:in.fifo"},
        }

    def environment(self, _hop):
        return {} if self.kind == "webhook" else {"INGRESS": self.kind, "QUEUE_URL": f"{SQS}media-dev-in"}

    def document(self, _hop):
        return {"partners": {"acme": self.partner}}

    def client(self, _service):
        return Sqs(self.bus)


@pytest.mark.parametrize(
    ("kind", "partner", "bus", "address"),
    [
        ("webhook", {"specification": {"preset": "mux"}, "secret_arns": [ARN]}, "", "https://api.example.com/webhooks/acme"),
        ("sqs", {"specification": HOUSE}, "", f"{SQS}media-dev-in"),
        ("sns-fifo", {"specification": HOUSE}, "", "arn:aws:sns:eu-west-1:123456789012:in.fifo"),
        ("custom-bus", {"specification": HOUSE, "sources": ["acme"]}, "studio/", "studio"),
        ("custom-bus", {"specification": HOUSE, "sources": ["aws.s3"]}, "", "default"),
        ("partner-bus", {"specification": HOUSE, "sources": ["aws.partner/x/y"]}, "aws.partner/x/", "aws.partner/x"),
    ],
)  # fmt: skip
def test_each_ingress_has_its_address(kind, partner, bus, address):
    (way,) = ways_in(Deployed(kind, partner, bus=bus))
    assert (way.ingress, way.kind, way.partner, way.address, way.refusal) == ("in", kind, "acme", address, None)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"require_client_certificate": True}, "client certificate"),
    ],
)
def test_a_partner_that_nobody_else_can_play_says_why(settings, reason):
    ways = ways_in(Deployed("webhook", {"specification": {"preset": "mux"}, "secret_arns": [ARN], **settings}))
    with pytest.raises(OperatorError, match=reason):
        chosen(ways, "acme", None)


def test_an_unknown_partner_or_ingress_is_told_with_those_that_there_are():
    ways = ways_in(Deployed("sqs", {"specification": HOUSE}))
    with pytest.raises(OperatorError) as unknown:
        chosen(ways, "mux", None)
    with pytest.raises(OperatorError) as elsewhere:
        chosen(ways, "acme", "webhook")
    assert (unknown.value.exit_code, elsewhere.value.exit_code) == (2, 2)
    assert "acme" in unknown.value.hint
    assert elsewhere.value.hint == "its ingresses are: in"


class Secrets:
    """Secrets Manager with one secret."""

    def __init__(self, value=None):
        self.value = value

    def get_secret_value(self, **_):
        if self.value is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no value"}}, "GetSecretValue")
        return {"SecretString": self.value, "CreatedDate": datetime.now(UTC)}

    def put_secret_value(self, SecretString, **_):  # noqa: N803
        self.value = SecretString


def way_of(**changes):
    return WayIn(
        **{
            "ingress": "in",
            "kind": "webhook",
            "partner": "acme",
            "specification": parse_specification({"preset": "mux"}),
            "address": "https://api.example.com/webhooks/acme",
            "secret_arns": [ARN],
            **changes,
        }
    )


def test_a_secret_without_a_value_is_made_on_the_local_cloud_alone():
    local, aws = Secrets(), Secrets()
    made = secret_of(way_of(), local, make=True)
    assert made == (local.value, True)
    assert secret_of(way_of(), local, make=True) == (local.value, False)
    with pytest.raises(OperatorError, match="can't be read") as refused:
        secret_of(way_of(), aws, make=False)
    assert aws.value is None
    assert f"--secret-id {ARN}" in refused.value.hint


def test_a_new_secret_has_the_form_that_its_scheme_reads():
    standard, basic = (parse_specification({"preset": name}) for name in ("standard-webhooks", "vidicore"))
    assert new_secret(standard).startswith("whsec_")
    assert ":" in new_secret(basic)


class Services:
    """Clients that record what they are sent."""

    def __init__(self, **result):
        self.calls = []
        self.result = {"EventId": "e-1"} | result

    def client(self, service):
        self.service = service
        return self

    def send_message(self, **call):
        self.calls.append((self.service, call))
        return {"MessageId": "m-1"}

    def publish(self, **call):
        self.calls.append((self.service, call))
        return {"MessageId": "m-1"}

    def put_events(self, Entries):  # noqa: N803
        self.calls.append((self.service, Entries[0]))
        return {"Entries": [self.result]}


def transport(services, post=None):
    return Transport(client=services.client, post=post, random=lambda: "0" * 32)


EVENT = json.dumps({"source": "acme", "detail-type": "asset.ready", "detail": {"id": "1"}}).encode()


@pytest.mark.parametrize(
    ("way", "service", "call"),
    [
        (
            {"kind": "sqs", "address": f"{SQS}in.fifo"},
            "sqs",
            {
                "QueueUrl": f"{SQS}in.fifo",
                "MessageBody": EVENT.decode(),
                "MessageGroupId": "media-events-send",
                "MessageDeduplicationId": "0" * 32,
            },
        ),
        ({"kind": "sqs", "address": f"{SQS}in"}, "sqs", {"QueueUrl": f"{SQS}in", "MessageBody": EVENT.decode()}),
        (
            {"kind": "sns-fifo", "address": "arn:aws:sns:eu-west-1:1:in.fifo"},
            "sns",
            {
                "TopicArn": "arn:aws:sns:eu-west-1:1:in.fifo",
                "Message": EVENT.decode(),
                "MessageGroupId": "media-events-send",
                "MessageDeduplicationId": "0" * 32,
            },
        ),
        (
            {"kind": "custom-bus", "address": "studio", "sources": ["acme"]},
            "events",
            {"EventBusName": "studio", "Source": "acme", "DetailType": "asset.ready", "Detail": '{"id": "1"}'},
        ),
        (
            {"kind": "custom-bus", "address": "default", "sources": ["aws.s3"], "queue_url": f"{SQS}behind"},
            "sqs",
            {"QueueUrl": f"{SQS}behind", "MessageBody": EVENT.decode()},
        ),
    ],
)
def test_each_way_in_is_taken_as_its_sender_takes_it(way, service, call):
    services = Services()
    answer = transport(services).send(way_of(**way), Outgoing(body=EVENT, arrivals=[]))
    assert services.calls == [(service, call)]
    assert answer.accepted


def test_a_refusal_of_the_bus_is_no_acceptance():
    services = Services(EventId="", ErrorCode="ThrottlingException", ErrorMessage="slow down")
    del services.result["EventId"]
    way = way_of(kind="custom-bus", address="studio", sources=["acme"])
    answer = transport(services).send(way, Outgoing(body=EVENT, arrivals=[]))
    assert (answer.accepted, answer.text) == (False, "ThrottlingException: slow down")


@pytest.mark.parametrize(("status", "accepted"), [(202, True), (401, False), (503, False)])
def test_a_webhook_is_accepted_by_its_status(status, accepted):
    request = Request("POST", "https://api.example.com", [], b"{}")
    answer = transport(Services(), post=lambda _: (status, "body")).send(
        way_of(), Outgoing(body=b"{}", arrivals=[], request=request)
    )
    assert (answer.accepted, answer.text) == (accepted, f"{status} body")


def test_a_webhook_that_does_not_answer_is_told_with_its_address():
    def post(_):
        raise OSError("connection refused")

    request = Request("POST", "https://api.example.com", [], b"{}")
    with pytest.raises(ProcessingError, match=r"https://api\.example\.com/webhooks/acme does not answer: connection"):
        transport(Services(), post=post).send(way_of(), Outgoing(body=b"{}", arrivals=[], request=request))
