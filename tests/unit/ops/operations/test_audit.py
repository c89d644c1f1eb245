"""The audit in moto's S3: what is written, and what is believed of what somebody else has written."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from media_events.adapters.dynamodb.review_items import Selection
from media_events.core.clock import timestamp
from media_events.core.failures import PermanentConfigError, TransientError
from media_events_kit.ops.operations.audit import AT_ONCE, MAX_ENTRY_BYTES, Audit, Caller, Entry
from tests.fakes.audit_log import create_audit
from tests.fakes.review_items import make_item
from tests.unit.media_events.adapters.test_dynamodb_review_items import TABLE, _client, _table  # noqa: F401  # fixtures

ADA = Caller(arn="arn:aws:sts::123456789012:assumed-role/operators/ada", principal_id="AROAOPERATORS:ada")


@pytest.fixture(name="s3")
def _s3(client):
    s3 = boto3.client("s3", region_name="eu-west-1")
    create_audit(s3, client, TABLE)
    return s3


@pytest.fixture(name="audit")
def _audit(s3, client):
    return Audit(s3, client, TABLE, caller=lambda: ADA)


def entry(subject="i-1", *, ago=0.0, **changes):
    at = timestamp(datetime.now(UTC).timestamp() - ago)
    values = {"subject": subject, "at": at, "by": ADA.arn, "action": "note", "allowed": True, "result": "x"}
    return Entry(**values | changes)


def test_entries_of_a_subject_come_newest_first_and_no_others(audit):
    for ago in range(AT_ONCE + 2, 0, -1):
        audit.append(entry(ago=ago, result=str(ago)))
    audit.append(entry("i-10"))
    assert [one.result for one in audit.entries("i-1")] == [str(ago) for ago in range(1, AT_ONCE + 3)]


def test_key_ends_with_the_id_that_aws_has_of_the_writer(audit, s3):
    audit.append(entry("op/1"))
    (key,) = [one["Key"] for one in s3.list_objects_v2(Bucket="audit")["Contents"]]
    assert re.fullmatch(r"op%2F1/[0-9TZ:.-]+-[0-9a-f]{32}/AROAOPERATORS:ada", key)
    (read,) = audit.entries("op/1")
    assert (read.by, read.principal_id) == (ADA.arn, ADA.principal_id)


def test_each_write_is_refused_where_something_is(audit, s3):
    sent = []
    s3.meta.events.register("before-parameter-build.s3.PutObject", lambda params, **_: sent.append(dict(params)))
    audit.append(entry())
    assert sent[0].pop("IfNoneMatch") == "*"
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**sent[0], IfNoneMatch="*")


@pytest.mark.parametrize("code", ["PreconditionFailed", "SlowDown"])
def test_a_repeated_request_that_finds_its_own_entry_has_written_it(audit, monkeypatch, code):
    class Refusing:
        def put_object(self, **_):
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "PutObject")

    monkeypatch.setattr(audit, "_s3", Refusing())
    if code == "PreconditionFailed":
        audit.append(entry())
    else:
        with pytest.raises(TransientError, match="writing the audit"):
            audit.append(entry())


def test_old_entries_of_the_table_are_read_behind_the_new_ones_and_are_no_items(audit, client, table):
    hostile = make_item("audit/i-1")
    table.create(hostile)
    for number, ago in enumerate((7200, 3600)):
        old = vars_of(entry(ago=ago, result=f"old {ago}"))
        columns = {
            "event_id": {"S": "audit/i-1"},
            "first_failed_at": {"S": old["at"]},
            "ingress": {"S": json.dumps(old)},
        }
        client.put_item(TableName=TABLE, Item={"item_id": {"S": f"audit/{number}"}, **columns})
    audit.append(entry(result="new"))
    read = [(one.result, one.principal_id) for one in audit.entries("i-1")]
    assert read == [("new", ADA.principal_id), ("old 3600", ""), ("old 7200", "")]
    (listed,) = table.page(Selection(index="by-event", value="audit/i-1"), limit=5).items
    assert listed.item_id == hostile.item_id


def vars_of(one):
    return {name: getattr(one, name) for name in Entry.__slots__ if name != "principal_id"}


def test_without_the_bucket_s_name_nothing_is_recorded(client, table):  # noqa: ARG001  # made before
    audit = Audit(boto3.client("s3", region_name="eu-west-1"), client, TABLE, caller=lambda: ADA)
    with pytest.raises(PermanentConfigError, match="apply this version of dlq-review"):
        audit.append(entry())


# --- who writes by himself what the review service would not -------------------------------------------------------


def forge(s3, body, *, key="i-1/2020-01-01T00:00:00.000Z-f/AROAOTHERS:mallory"):
    s3.put_object(Bucket="audit", Key=key, Body=body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.attack("E2")
def test_another_s_name_and_another_time_are_not_believed(audit, s3):
    forge(s3, vars_of(entry(ago=86_400 * 9)))
    (read,) = audit.entries("i-1")
    assert (read.by, read.principal_id) == ("AROAOTHERS:mallory", "AROAOTHERS:mallory")
    assert datetime.now(UTC) - datetime.fromisoformat(read.at) < timedelta(minutes=1)


@pytest.mark.attack("E2")
def test_another_s_id_in_the_entry_is_not_believed(audit, s3):
    forge(s3, {**vars_of(entry()), "principal_id": ADA.principal_id, "subject": "i-2"})
    (read,) = audit.entries("i-1")
    assert (read.subject, read.principal_id) == ("i-1", "AROAOTHERS:mallory")


@pytest.mark.attack("E3")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 50_000,
        b"{}",
        {"at": 1},
        [],
        {**vars_of(entry()), "more": "x"},
        {**vars_of(entry()), "by": None},
        b"x" * (MAX_ENTRY_BYTES + 1),
    ],
    ids=lambda body: str(body)[:20],
)
def test_an_entry_of_another_form_hides_no_other_entry(audit, s3, body):
    forge(s3, body)
    audit.append(entry())
    read = list(audit.entries("i-1"))
    assert [one.action for one in read if one.principal_id == ADA.principal_id] == ["note"]
    assert [one.result for one in read if one.principal_id != ADA.principal_id] == ["the entry is not readable"]
