"""Mutants of the consumer of a queue: outcomes, dead letters, deferrals."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_CONSUMER: Final = "messaging/queue_consumer.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "give each record of a wave the outcome of another",
        _CONSUMER,
        "zip(ready, outcomes_of(handle, ready), strict=True)",
        "zip(reversed(ready), outcomes_of(handle, ready), strict=True)",
        harm="a failed record is deleted: lost",
        seen=Seen("small", 2),
    ),
    mutant(
        "name no failed record to Lambda",
        _CONSUMER,
        "if m.message_id and m.message_id in failed",
        "if m.message_id in ()",
        harm="failed records are deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take a dead letter that could not be sent for sent",
        _CONSUMER,
        '            "hop failed", **about, hop=consumer.hop, reason="dlq-unavailable", **error_location(error)\n        )\n        return False\n',
        '            "hop failed", **about, hop=consumer.hop, reason="dlq-unavailable", **error_location(error)\n        )\n        return True\n',
        harm="the record is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "delete the record after its last attempt, without a dead letter",
        _CONSUMER,
        "    if (last or no_retry_helps(error)) and dead_lettered(message, failure, consumer):\n",
        "    if last or no_retry_helps(error):\n",
        harm="the record is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "delete a record after a failure that may pass",
        _CONSUMER,
        "    _set_visibility(message, delay, consumer)\n    return delay\n",
        "    _set_visibility(message, delay, consumer)\n    return None\n",
        harm="the record is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "dead-letter the record and keep it, too",
        _CONSUMER,
        "dead_lettered(message, failure, consumer):\n        return None\n",
        "dead_lettered(message, failure, consumer):\n        return 0\n",
        harm="one failure becomes two review items, or a dead letter that comes again and again",
        seen=Seen("small"),
    ),
    mutant(
        "take a copy that could not be sent for sent",
        _CONSUMER,
        "        _close_record(idempotency, key, consumer, sent=False)\n        raise\n",
        "        _close_record(idempotency, key, consumer, sent=False)\n        return True\n",
        harm="an event that waits is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "record a copy that could not be sent as sent",
        _CONSUMER,
        "        _close_record(idempotency, key, consumer, sent=False)\n",
        "        _close_record(idempotency, key, consumer, sent=True)\n",
        harm="the next receive is taken for deferred: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take a copy that another invocation makes for made",
        _CONSUMER,
        '        if acquired.state == "in-progress":\n            raise TransientError("idempotency-in-progress", "the message is being',
        '        if acquired.state == "in-progress":\n            return True\n            raise TransientError("idempotency-in-progress", "the message is being',
        harm="the other invocation dies: lost",
        seen=Seen("small", 2),
    ),
    mutant(
        "defer a message as often as SQS hands it out",
        _CONSUMER,
        '        if acquired.state == "done":\n            return True\n',
        "",
        harm="copies multiply for as long as the destination is down",
        test="tests/unit/media_events/messaging/test_deferral.py::test_a_message_that_sqs_delivers_twice_is_deferred_once",
    ),
    mutant(
        "let an event wait for ever",
        _CONSUMER,
        "    return isinstance(error, DeferredError) and since is not None and consumer.clock() - since >= error.hold_seconds\n",
        "    return False\n",
        harm="an event waits, and nobody is told",
        seen=Seen("small"),
    ),
    mutant(
        "go on with a FIFO group whose record failed",
        _CONSUMER,
        "            if message.is_fifo and message.group_id in blocked:\n",
        "            if False:\n",
        harm="a later event overtakes the failed one",
        test="tests/unit/media_events/messaging/test_queue_consumer.py::test_fifo_failure_holds_back_its_own_group_only",
    ),
    mutant(
        "lose the count of attempts in a deferral",
        _CONSUMER,
        "prior_attempts=message.receive_count - 1, since=since",
        "prior_attempts=0, since=since",
        harm="a failing event that is deferred now and then is tried without end",
        test="tests/unit/media_events/messaging/test_deferral.py::test_even_the_last_receive_is_no_reason_for_a_dead_letter",
    ),
)
