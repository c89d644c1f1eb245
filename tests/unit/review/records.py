"""Audit and operations in memory."""

from __future__ import annotations

from collections import defaultdict

from ops.desk.office import Office as Records

BY = "arn:aws:sts::123456789012:assumed-role/operator/ada"


class FakeRecords:
    """``meanwhile`` is what happens at each write of an operation, before it: another operator, or a kill."""

    def __init__(self):
        self.lines = []
        self.operations = {}
        self.meanwhile = lambda _operation: None

    def append(self, entry):
        self.lines.append(entry)

    def entries(self, subject):
        return (entry for entry in reversed(self.lines) if entry.subject == subject)

    def operation(self, operation_id):
        return self.operations.get(operation_id)

    def create(self, operation):
        self.operations[operation.operation_id] = operation

    def update(self, operation, *, expected_version):
        self.meanwhile(operation)
        if self.operations[operation.operation_id].version != expected_version:
            return False
        self.operations[operation.operation_id] = operation
        return True


class Oldest:
    """The items of the table at the time of the question, as an index that lags behind would have them."""

    def __init__(self, table):
        self.table = table

    def __call__(self, *, group, since, until):
        found = defaultdict(list)
        for item in self.table.items.values():
            if group in (None, item.group_id) and since <= item.last_failed_at <= until:
                found[item.last_failed_at].append(item)
        for time in sorted(found):
            yield from found[time]


def records_of(office):
    """The desk of ``office`` with audit and operations."""
    return Records(
        desk=office.desk(),
        oldest=Oldest(office.table),
        records=FakeRecords(),
        principal=lambda: BY,
        clock=office.clock,
        sleep=office.sleep,
    )
