"""The whole path, as `make demo` tells it, with every policy enforced."""

from __future__ import annotations

import json
from collections import Counter
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from media_events_kit.ops.demo import external_resources, review_page
from media_events_kit.ops.demo.external_resources import BUCKET
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.overview import open_review_items
from tests.system.polling import eventually

# What the demonstration itself judges


def test_every_event_is_accounted_for(demonstration):
    assert demonstration.result["faults"] == []
    assert demonstration.result["ok"]


@pytest.mark.parametrize(
    ("label", "destinations"),
    [
        ("Mux: asset created", {"planning": 1, "lake": 1}),
        ("Mux: asset ready", {"cms": 1, "ingest": 1, "planning": 1, "lake": 1}),
        ("Frame.io: upload completed", {"planning": 1, "lake": 1}),
        ("Frame.io: file ready", {"cms": 1, "ingest": 1, "planning": 1, "lake": 1}),
        ("Frame.io: comment", {"review-tool": 1, "lake": 1}),
        ("Ingest: Mux's asset published", {"cms": 1, "lake": 1}),
        ("Ingest: transcode ordered", {"transcoder": 1, "lake": 1}),
        ("Transcoder: job completed", {"transcodes": 1, "lake": 1}),
        ("Ingest: Frame.io's file published", {"cms": 1, "lake": 1}),
    ],
)
def test_each_event_has_one_effect_at_each_of_its_destinations(demonstration, label, destinations):
    event = next(event for event in demonstration.result["events"] if event["label"] == label)
    assert event["delivered"] == destinations


def test_the_failing_destination_was_retried_and_re_driven_before_a_person_was_asked(demonstration):
    comment = next(event for event in demonstration.result["events"] if event["label"] == "Frame.io: comment")
    assert comment["failed_attempts"] == 4
    assert comment["redrives"] == 1


def test_the_page_s_address_comes_first_and_lets_a_browser_in(demonstration):
    link = review_page.link(demonstration.paths)
    assert link
    assert demonstration.printed.index(link) < demonstration.printed.index("Partners announce")
    # Browsers know that every name below `localhost` is this machine; other programs may not.
    address = urlsplit(link)
    answer = httpx.get(
        f"http://127.0.0.1:{address.port}{address.path}?{address.query}",
        headers={"Host": address.netloc},
        trust_env=False,
    )
    assert answer.status_code == HTTPStatus.OK
    assert eventually(lambda: review_page.link(demonstration.paths) != link)


def test_the_map_says_what_became_of_the_events_at_each_destination(demonstration):
    shown = demonstration.printed.rpartition("The map")[2].partition("The path of every event")[0]
    rows = {line.split("▶ ")[-1].split("  ")[0].strip(): line for line in shown.splitlines() if "▶ " in line}
    delivered = {name: int(line.split()[-2]) for name, line in rows.items() if line.endswith("delivered")}
    effects = Counter(name for event in demonstration.result["events"] for name in event["delivered"])
    assert delivered == dict(effects)


def test_in_a_pipe_no_step_is_told_twice(demonstration):
    steps = [line for line in demonstration.printed.splitlines() if line.startswith("  ") and ": received" in line]
    assert len(steps) == len(set(steps)) == len(demonstration.result["events"])


def test_the_review_desk_named_the_reason(demonstration):
    listed = demonstration.printed.split("review list", 1)[1].split("review retry", 1)[0]
    assert "http-503" in listed
    assert "review-tool" in listed


def test_each_asset_s_steps_came_in_order(demonstration):
    assert demonstration.result["in_order"] == [
        ["Frame.io: upload completed", "Frame.io: file ready"],
        ["Mux: asset created", "Mux: asset ready"],
    ]


def test_the_workflow_waited_until_the_transcoder_told_that_it_was_done(demonstration):
    told_of = demonstration.printed.partition("A workflow waits for its transcode")[2]
    assert "waiting: " in told_of
    assert "Transcoder: job completed: answered 202" in told_of
    assert "Ingest: Frame.io's file published" not in demonstration.printed.partition("A workflow waits")[0]


def test_the_forgery_left_no_trace(demonstration):
    assert demonstration.result["forgery_traces"] == []


# What the parts say


def test_the_receiver_got_a_cloudevent_in_structured_mode(receiver: Receiver):
    request = next(request for request in receiver.requests() if request.system == "cms")
    assert request.headers["content-type"].startswith("application/cloudevents+json")


def test_every_event_that_the_cms_took_was_signed_so_that_another_library_can_verify_it(receiver: Receiver):
    taken = [request for request in receiver.requests() if request.system == "cms" and request.status == 200]
    assert len(taken) == 4
    assert all(request.headers["webhook-signature"].startswith("v1,") for request in taken)
    assert receiver.refuses_unsigned_calls("cms")


def test_the_transcoder_got_its_order_with_the_key_and_nothing_else(receiver: Receiver):
    order = next(request for request in receiver.requests() if request.system == "transcoder")
    assert order.status == 201
    assert json.loads(order.body).keys() == {"order_id", "asset_id", "input", "output"}


def test_the_receiver_got_a_cloudevent_in_binary_mode(receiver: Receiver):
    request = next(request for request in receiver.requests() if request.system == "review-tool")
    assert request.headers["ce-specversion"] == "1.0"
    assert request.headers["ce-type"] == "comment.created"


def test_the_failing_destination_was_asked_no_more_than_it_was_tried(receiver: Receiver):
    asked = [request.status for request in receiver.requests() if request.system == "review-tool"]
    assert asked == [503, 503, 503, 503, 200]


def test_nothing_is_left_open_in_review(clients: Clients, outputs, demonstration):
    mine = {event["event_id"] for event in demonstration.result["events"]}
    items = open_review_items(clients, outputs["review_table_name"])
    assert [item for item in items if item.event_id in mine] == []


@pytest.fixture
def ingests(clients: Clients, outputs) -> list[Any]:
    arn = outputs["state_machine_arns"]["ingest"]
    executions = clients.stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    return [clients.stepfunctions.describe_execution(executionArn=each["executionArn"]) for each in executions]


def test_both_ingests_succeeded_each_by_its_own_way(ingests):
    assert [execution["status"] for execution in ingests] == ["SUCCEEDED"] * 2
    renditions = [json.loads(execution["output"])["rendition"] for execution in ingests]
    assert sorted(name for rendition in renditions for name in rendition) == ["playback_id", "url"]


def test_the_ingest_began_with_what_frameio_s_api_said_of_its_file(ingests):
    begun_with = [json.loads(execution["input"]) for execution in ingests]
    (data,) = [event["data"] for event in begun_with if event["metadata"]["partner"] == "frameio"]
    assert data["title"].startswith("reel-")
    assert data["media_url"].startswith("https://storage.example.com/")


def test_the_lake_is_partitioned_by_partner_type_and_day(clients: Clients):
    listed = clients.s3.list_objects_v2(Bucket=BUCKET, Prefix="events/")
    keys = [entry["Key"] for entry in listed["Contents"]]
    assert any(key.startswith("events/partner=ingest/type=asset.published/day=") for key in keys)
    assert any(key.startswith("events/partner=mux/type=asset.ready/day=2025-03-04/") for key in keys)
    assert "Contents" not in clients.s3.list_objects_v2(Bucket=BUCKET, Prefix="errors/")


# The cloud


def test_a_second_apply_changes_nothing(demonstration):
    again = lifecycle.up(
        demonstration.paths,
        lifecycle.UpOptions(check=True, variables=external_resources.variables(demonstration.paths)),
    )
    assert again.record == lifecycle.require_record(demonstration.paths)


def test_a_principal_without_a_policy_may_do_nothing(clients: Clients):
    """Enforcement is on; what the functions did above, their roles allowed."""
    iam = clients.session.client("iam", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=clients.record.region)
    sqs = nobody.client("sqs", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        sqs.list_queues()


def test_the_review_table_is_kept_in_order_and_measured_with_what_the_role_may_do(clients: Clients, outputs, log_lines):
    (name,) = [function for hop, function in outputs["functions"].items() if hop.startswith("review/")]

    answer = clients.lambda_.invoke(FunctionName=name, Payload=b'{"maintenance": true}')

    assert "FunctionError" not in answer, answer["Payload"].read()
    assert not [line for line in log_lines() if "review maintenance failed" in str(line)]
