"""Mutants of the adapters to DynamoDB."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_STORE: Final = "adapters/dynamodb/idempotency.py"
_RECORDS: Final = "adapters/dynamodb/records.py"
_STATEMENTS: Final = "adapters/dynamodb/statements.py"
_REVIEW: Final = "adapters/dynamodb/review_items.py"
_ADAPTER_TESTS: Final = "tests/unit/media_events/adapters"
_RECOVERY: Final = "tests/unit/media_events/recovery/test_review_maintenance.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "take a failed condition for a write",
        _RECORDS,
        "        return None if found.get(_WRITTEN_BY) == token else found\n",
        "        return None\n",
        harm="two attempts own one effect",
        seen=Seen("small"),
    ),
    mutant(
        "take our own write for somebody else's",
        _RECORDS,
        "        return None if found.get(_WRITTEN_BY) == token else found\n",
        "        return found\n",
        harm="an event waits out its own lease, a probe is held by nobody",
        test=f"{_ADAPTER_TESTS}/test_repeated_writes.py::test_claim_is_known_as_our_own_and_another_attempt_is_told_that_it_is_in_progress",
    ),
    mutant(
        "read no more than the first records",
        _RECORDS,
        '        remaining += unprocessed.get(table, {}).get("Keys", [])\n',
        "",
        harm="items are missing from a list, and nobody is told of them",
        test="tests/unit/media_events/adapters/test_records.py::test_keys_that_dynamodb_left_out_of_its_answer_are_asked_for_again",
    ),
    mutant(
        "give each statement the answer of another",
        _STATEMENTS,
        '    return [_refused(answer.get("Error")) for answer in answers]\n',
        '    return [_refused(answer.get("Error")) for answer in reversed(answers)]\n',
        harm="two attempts own one effect, and a claim of ours counts as somebody else's",
        seen=Seen("small", 2),
    ),
    mutant(
        "take a throttled statement for done",
        _STATEMENTS,
        "    return None if error is None else ",
        '    return None if error is None or error.get("Code") == "ThrottlingError" else ',
        harm="an effect that nobody has recorded happens again",
        seen=Seen("one key"),
    ),
    mutant(
        "take a refused batch for done",
        _STATEMENTS,
        "        return [answer] * len(statements)\n",
        "        return [None] * len(statements)\n",
        harm="two attempts own one effect, and no record says that it has happened",
        test=f"{_ADAPTER_TESTS}/test_statements.py::test_a_batch_that_is_throttled_or_not_answered_fails_as_a_whole",
    ),
    mutant(
        "execute no more than the first statements",
        _STATEMENTS,
        "    starts = range(0, len(statements), STATEMENTS_A_CALL)\n",
        "    starts = range(0, min(len(statements), STATEMENTS_A_CALL), STATEMENTS_A_CALL)\n",
        harm="the batch fails again and again",
        test=f"{_ADAPTER_TESTS}/test_statements.py::test_more_than_a_call_takes_goes_in_several",
    ),
    mutant(
        "take a record for somebody else's that our lost batch has written",
        _STORE,
        "    if is_of_same_write(found, claim):\n",
        "    if False:\n",
        also=[(_RECORDS, "    item = Item if _WRITTEN_BY in Item else signed(Item)\n", "    item = signed(Item)\n")],
        harm="an event waits out its own lease",
        test=f"{_ADAPTER_TESTS}/test_repeated_writes.py::test_claims_of_a_batch_are_known_as_our_own",
    ),
    mutant(
        "believe a record that a batch found though it has expired",
        _STORE,
        "    if is_expired(found, now) or (",
        "    if (",
        harm="an event that is sent again after its window counts as a duplicate: lost",
        test=f"{_ADAPTER_TESTS}/test_statements.py::test_what_a_batch_finds_expired_is_claimed_anew",
    ),
    mutant(
        "claim what has not expired",
        _STORE,
        "attribute_not_exists(pk) OR expires <= :now OR (",
        "attribute_not_exists(pk) OR expires >= :now OR (",
        harm="two attempts own one effect",
        seen=Seen("small"),
    ),
    mutant(
        "claim what another attempt is at work on",
        _STORE,
        "(#state = :started AND lease_expires <= :now)",
        "(#state = :started)",
        harm="two attempts own one effect",
        seen=Seen("small", 2),
    ),
    mutant(
        "forget effects at once",
        "messaging/idempotency.py",
        "RETENTION_SECONDS: Final = 158 * 86_400\n",
        "RETENTION_SECONDS: Final = 0\n",
        harm="a repeated message is delivered again",
        seen=Seen("small"),
    ),
    mutant(
        "believe a record that has expired",
        _STORE,
        '    return _state(record) == "done" and not is_expired(record, now)\n',
        '    return _state(record) == "done"\n',
        harm="an event that is delivered again on purpose counts as delivered: lost",
        test="tests/unit/media_events/adapters/test_aws_adapters.py::TestIdempotencyStore::test_effect_is_done_until_it_expires_whoever_reads_it",
    ),
    mutant(
        "believe a record of an attempt in progress",
        _STORE,
        '    return _state(record) == "done" and not is_expired(record, now)\n',
        "    return bool(record) and not is_expired(record, now)\n",
        harm="an event that is being delivered counts as delivered: lost",
        seen=Seen("small"),
    ),
    mutant(
        "complete a record of another attempt",
        _STORE,
        '                ConditionExpression="#owner = :owner",\n',
        '                ConditionExpression="#owner = :owner OR attribute_exists(#owner)",\n',
        harm="an effect of an attempt that failed counts as done: lost",
        test=f"{_ADAPTER_TESTS}/test_aws_adapters.py::TestIdempotencyStore::"
        "test_owner_that_lost_its_lease_can_not_complete_or_release",
    ),
    mutant(
        "release a record of another attempt",
        _STORE,
        '                ConditionExpression="#owner = :owner AND #state = :started",\n',
        '                ConditionExpression="#state = :started OR #owner = :owner",\n',
        harm="two attempts own one effect",
        test=f"{_ADAPTER_TESTS}/test_aws_adapters.py::TestIdempotencyStore::test_owner_that_lost_its_lease_can_not_complete_or_release",
    ),
    mutant(
        "give all scopes of an event one key",
        "messaging/idempotency.py",
        '    return f"{len(source)}:{source}|{len(event_id)}:{event_id}|{scope}"\n',
        '    return f"{len(source)}:{source}|{len(event_id)}:{event_id}|effect"\n',
        harm="what was delivered to one destination counts as delivered to all: lost",
        seen=Seen("small"),
    ),
    mutant(
        "write a new item over the one that is there",
        _REVIEW,
        '"Item": values, "ConditionExpression": "attribute_not_exists(item_id)"}',
        '"Item": values}',
        harm="a decision and the attempts before are forgotten",
        seen=Seen("small"),
    ),
    mutant(
        "change an item whatever version is there",
        _REVIEW,
        '            "UpdateExpression": update,\n            "ConditionExpression": "#version = :expected",\n',
        '            "UpdateExpression": update,\n            "ConditionExpression": "#version >= :expected",\n',
        harm="of two decisions at a time one is undone",
        test="tests/unit/media_events/adapters/test_dynamodb_review_items.py::test_only_the_version_that_was_read_can_be_written_over",
    ),
    mutant(
        "delete an item whatever version is there",
        _REVIEW,
        '            "Key": {"item_id": {"S": item.item_id}},\n            "ConditionExpression": "#version = :expected",\n',
        '            "Key": {"item_id": {"S": item.item_id}},\n            "ConditionExpression": "#version >= :expected",\n',
        harm="an item that was opened again is deleted: lost",
        test=f"{_RECOVERY}::test_an_item_that_is_opened_while_it_goes_keeps_its_bodies",
    ),
    mutant(
        "take a refused write of an item for written",
        _REVIEW,
        '                if "ConditionalCheckFailed" in codes:\n                    return False\n',
        '                if "ConditionalCheckFailed" in codes:\n                    return True\n',
        harm="a failure is recorded nowhere: lost",
        test=f"{_ADAPTER_TESTS}/test_dynamodb_review_items.py::test_only_the_version_that_was_read_can_be_written_over",
    ),
    mutant(
        "count no item in its groups",
        _REVIEW,
        '{"Put": put}, changes_of_counts(None, item))',
        '{"Put": put}, changes_of_counts(item, item))',
        harm="no list and no gauge tells of the item",
        seen=Seen("small"),
    ),
    mutant(
        "remember no item of a message",
        _REVIEW,
        '        return str(recorded["known_as"]["S"]) if recorded else item_id\n',
        "        return item_id\n",
        harm="an event has two items, and is replayed twice",
        test="tests/unit/media_events/adapters/test_dynamodb_review_items.py::test_a_message_has_the_item_that_it_was_given_first",
    ),
    mutant(
        "supersede whatever was delivered",
        "adapters/dynamodb/latest_positions.py",
        '        in_time = "attribute_not_exists(delivered_time) OR delivered_time <= :time"\n',
        '        in_time = "attribute_not_exists(delivered_time)"\n',
        harm="the latest state of a key is never delivered",
        test="tests/unit/media_events/delivery/ordering/test_latest_only.py::test_newer_events_follow",
    ),
)
