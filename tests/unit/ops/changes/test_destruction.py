"""What stops the end of a deployment, and what it takes with it."""

from __future__ import annotations

import pytest

from media_events_kit.ops.changes.destruction import NoStateError, judge_destruction, resources
from tests.fakes.changed_deployment import REVIEW, Aws, queue, route, table

BUCKET = "module.storage.aws_s3_bucket.this"


def existing(deployment):
    return [(address.split("aws_")[1].split(".")[0], address, values) for address, values in deployment.items()]


def judged(deployment, aws=None, prevented=()):
    made = [(f"aws_{kind}", address, values) for kind, address, values in existing(deployment)]
    return judge_destruction(made, aws, prevented)


def found(report):
    return [(finding.consequence, finding.subject) for finding in report.findings]


def test_an_empty_unprotected_deployment_may_go():
    unprotected = {"module.review.aws_dynamodb_table.items": table("media-dev-review-items")}
    bucket = {BUCKET: {"bucket": "media-dev-1", "force_destroy": True}}

    assert not judged(route() | unprotected | bucket, Aws()).at_risk


def test_protected_things_are_named_with_the_way_to_lift_each():
    bucket = {BUCKET: {"bucket": "media-dev-1", "force_destroy": False}}

    report = judged(REVIEW | bucket, Aws(buckets={"media-dev-1": True}), prevented=["aws_s3_bucket.mine"])

    assert found(report) == [
        ("fails", "module.review.aws_dynamodb_table.items"),
        ("fails", BUCKET),
        ("fails", "aws_s3_bucket.mine"),
    ]
    assert "deletion protection" in report.findings[0].what
    assert all(finding.do for finding in report.findings)


def test_an_empty_bucket_goes_without_force():
    report = judged({BUCKET: {"bucket": "media-dev-1", "force_destroy": False}}, Aws())

    assert found(report) == [("note", BUCKET)]


def test_object_lock_has_no_remedy_but_time():
    locked = {BUCKET: {"bucket": "b", "force_destroy": False, "object_lock_enabled": True}}

    (finding,) = judged(locked, Aws(buckets={"b": True})).findings

    assert "retention" in finding.do


def test_what_waits_is_counted():
    aws = Aws(queues={"media-dev-ready": 2}, items={None: 4}, archives={"media-dev": 9})
    archive = {"module.bus.aws_cloudwatch_event_archive.this[0]": {"name": "media-dev"}}
    unprotected = {address: {**values, "deletion_protection_enabled": False} for address, values in REVIEW.items()}

    report = judged(route() | archive | unprotected, aws)

    assert [(finding.subject, finding.what) for finding in report.findings] == [
        ("queue media-dev-ready", "goes with 2 messages"),
        ("archive media-dev", "goes with its 9 events: no archive replay can send them again"),
        ("review table media-dev-review-items", "goes with 4 items that wait"),
    ]


def test_offline_everything_may_hold_something_and_the_report_says_what_it_does_not_know():
    report = judged({"aws_sqs_queue.q": queue("q")}, None, prevented=None)

    assert found(report) == [("lost", "queue q")]
    assert report.unknown == ["messages in q", "prevent_destroy: a state does not tell"]


def test_a_secret_keeps_its_name_for_its_recovery_window():
    secret = {"aws_secretsmanager_secret.partner": {"name": "s", "recovery_window_in_days": None}}

    (finding,) = judged(secret, Aws()).findings

    assert (finding.consequence, "30 days" in finding.what) == ("note", True)


def test_resources_are_found_in_all_modules_of_a_state():
    inner = {"resources": [{"mode": "managed", "type": "aws_sqs_queue", "address": "m.q", "values": {"name": "q"}}]}
    data = {"mode": "data", "type": "aws_region", "address": "data.aws_region.current", "values": {}}
    state = {"format_version": "1.0", "values": {"root_module": {"resources": [data], "child_modules": [inner]}}}

    assert resources(state) == [("aws_sqs_queue", "m.q", {"name": "q"})]
    assert resources({"format_version": "1.0"}) == []


@pytest.mark.parametrize("document", [{}, {"format_version": "1.2", "resource_changes": []}])
def test_what_is_no_state_is_refused(document):
    with pytest.raises(NoStateError):
        resources(document)
