"""The whole path, as `make demo` tells it, with every policy enforced."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.demo.receiver_process import Receiver
from ops.local import cloud
from ops.local.clients import Clients
from ops.local.overview import open_review_items

# What the demonstration itself judges


def test_every_event_is_accounted_for(told):
    assert told.result["faults"] == []
    assert told.result["ok"]


@pytest.mark.parametrize(
    ("label", "destinations"),
    [
        ("Mux: asset created", {}),
        ("Mux: asset ready", {"cms": 1, "publish-asset": 1}),
        ("Frame.io: file ready", {"cms": 1}),
        ("Frame.io: comment", {"review-tool": 1}),
    ],
)
def test_each_event_has_one_effect_at_each_of_its_destinations(told, label, destinations):
    event = next(event for event in told.result["events"] if event["label"] == label)
    assert event["delivered"] == destinations


def test_the_failing_destination_was_retried_and_re_driven_before_a_person_was_asked(told):
    comment = next(event for event in told.result["events"] if event["label"] == "Frame.io: comment")
    assert comment["failed_attempts"] == 4
    assert comment["redrives"] == 1


def test_the_review_desk_named_the_reason(told):
    listed = told.printed.split("review list", 1)[1].split("review replay", 1)[0]
    assert "http-503" in listed
    assert "review-tool" in listed


def test_the_forgery_left_no_trace(told):
    assert told.result["forgery_traces"] == []


# What the parts say


def test_the_receiver_got_a_cloudevent_in_structured_mode(receiver: Receiver):
    request = next(request for request in receiver.requests() if request.system == "cms")
    assert request.headers["content-type"].startswith("application/cloudevents+json")


def test_the_receiver_got_a_cloudevent_in_binary_mode(receiver: Receiver):
    request = next(request for request in receiver.requests() if request.system == "review-tool")
    assert request.headers["ce-specversion"] == "1.0"
    assert request.headers["ce-type"] == "comment.created"


def test_the_failing_destination_was_asked_no_more_than_it_was_tried(receiver: Receiver):
    asked = [request.status for request in receiver.requests() if request.system == "review-tool"]
    assert asked == [503, 503, 503, 503, 200]


def test_nothing_is_left_open_in_review(clients: Clients, outputs, told):
    mine = {event["event_id"] for event in told.result["events"]}
    items = open_review_items(clients, outputs["review_table_name"])
    assert [item for item in items if item.event_id in mine] == []


def test_the_workflow_succeeded(clients: Clients, outputs):
    arn = outputs["state_machine_arns"]["publish-asset"]
    executions = clients.stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    assert [execution["status"] for execution in executions] == ["SUCCEEDED"]


# The cloud


def test_a_second_apply_changes_nothing(told, receiver: Receiver):
    again = cloud.up(
        told.paths, cloud.UpOptions(check=True, variables={"MEDIA_EVENTS_RECEIVER_PORT": str(receiver.port)})
    )
    assert again.record == cloud.require_record(told.paths)


def test_a_principal_without_a_policy_may_do_nothing(clients: Clients):
    """Enforcement is on; what the functions did above, their roles allowed."""
    iam = clients.session.client("iam", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=clients.record.region)
    sqs = nobody.client("sqs", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        sqs.list_queues()
