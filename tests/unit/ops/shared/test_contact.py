"""Since when AWS has not answered, and what to do."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from media_events.adapters.aws_errors import judge
from media_events_kit.ops.shared.contact import LOST, Contact, hint
from tests.fakes.hop import FakeClock

UNREACHABLE = judge(EndpointConnectionError(endpoint_url="https://aws"), "reading a review item")
DENIED = judge(ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem"), "reading a review item")


@pytest.fixture(name="clock")
def _clock():
    return FakeClock(100.0)


def test_a_call_that_nobody_answers_says_since_when_there_is_no_contact(clock):
    contact = Contact(clock=clock)
    client = contact.watch(boto3.client("sqs", region_name="eu-west-1"))
    client.meta.events.emit("after-call.sqs.GetQueueUrl", http_response=None, parsed={}, model=None, context={})
    clock.sleep(12)
    problem = "lost contact with AWS 12 s ago (reading a review item: EndpointConnectionError)"
    assert contact.problem(UNREACHABLE) == problem


def test_without_any_answer_there_was_no_contact_to_lose(clock):
    assert Contact(clock=clock).problem(UNREACHABLE).startswith("AWS does not answer (")


def test_a_refusal_is_no_loss_of_contact(clock):
    assert Contact(clock=clock).problem(DENIED) == DENIED.message
    assert hint(DENIED, "check the credentials") == "check the credentials"
    assert "credentials" not in hint(UNREACHABLE, "check the credentials")


def test_every_name_of_a_lost_contact_is_one_of_botocores():
    import botocore.exceptions  # noqa: PLC0415

    assert {name for name in LOST if not hasattr(botocore.exceptions, name.removeprefix("aws-"))} == set()
