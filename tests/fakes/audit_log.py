"""Audit and operations in memory, and the audit as Terraform makes it."""

from __future__ import annotations

from media_events_kit.ops.operations.audit import AUDIT_SETTINGS
from media_events_kit.ops.review.audited_service import AuditedReviewService


def create_audit(s3, dynamodb, table, bucket="audit"):
    """The bucket with the audit, and the review table's entry that names it."""
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    dynamodb.put_item(TableName=table, Item={"item_id": {"S": AUDIT_SETTINGS}, "audit": {"S": bucket}})


class FakeAudit:
    def __init__(self):
        self.lines = []

    def append(self, entry):
        self.lines.append(entry)

    def entries(self, subject):
        return (entry for entry in reversed(self.lines) if entry.subject == subject)


class FakeRecords:
    """``meanwhile`` is called before each write of an operation: another operator, or a kill."""

    def __init__(self):
        self.rows = {}
        self.meanwhile = lambda _operation: None
        self.edits = {}
        self.types = {}

    def operation(self, operation_id):
        return self.rows.get(operation_id)

    def operations(self):
        return iter(sorted(self.rows.values(), key=lambda operation: operation.created_at, reverse=True))

    def store_edit(self, edit):
        self.edits[edit.event_id] = edit

    def edit(self, event_id):
        return self.edits.get(event_id)

    def editable_types(self):
        return self.types

    def create(self, operation):
        self.rows[operation.operation_id] = operation

    def update(self, operation, *, expected_version):
        self.meanwhile(operation)
        if self.rows[operation.operation_id].version != expected_version:
            return False
        self.rows[operation.operation_id] = operation
        return True


def records_of(review):
    """The review service of ``review``, with an audit and operations in memory."""
    return AuditedReviewService(service=review.service(), records=FakeRecords(), audit=FakeAudit())
