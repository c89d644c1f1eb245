"""Mutants of the recovery: redrives, review items, their maintenance, and a person's decisions."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_REDRIVER: Final = "recovery/redriver.py"
_MESSAGES: Final = "recovery/redrive_messages.py"
_POLICY: Final = "recovery/redrive_policy.py"
_OPENER: Final = "recovery/review_opener.py"
_MAINTENANCE: Final = "recovery/review_maintenance.py"
_ITEM: Final = "recovery/review_item.py"
_RECOVERY_TESTS: Final = "tests/unit/media_events/recovery"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "complete a dead letter before its review item is written",
        _REDRIVER,
        "            return False, None\n        return True, None\n",
        "            return True, None\n        return True, None\n",
        harm="the write fails: lost",
        seen=Seen("small"),
    ),
    mutant(
        "open no review item",
        _REDRIVER,
        "                if delay is None:\n                    self._review(dead_letter, failure, queue)\n",
        "",
        harm="a dead letter that nothing can help is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "complete a dead letter that could not be sent back",
        _REDRIVER,
        "            return max(1, int(queue.policy.delay(message.receive_count, dead_letter.message_id)))\n",
        "            return None\n",
        harm="the dead letter is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "complete a dead letter that its hop refuses for good",
        _REDRIVER,
        "                self._review(dead_letter, failure, queue)\n                return None\n",
        "                return None\n",
        harm="the dead letter is deleted: lost",
        test=f"{_RECOVERY_TESTS}/test_redriver.py::"
        "test_what_the_bus_refuses_for_good_goes_to_a_person_with_that_reason",
    ),
    mutant(
        "send a dead letter back and keep it",
        _REDRIVER,
        '        self.report.count("EventsRedriven")\n        return None\n',
        '        self.report.count("EventsRedriven")\n        return 60\n',
        harm="one dead letter goes back again and again",
        seen=Seen("small"),
    ),
    mutant(
        "complete a dead letter that waits",
        _REDRIVER,
        "            case Wait(seconds=seconds):\n                return seconds\n",
        "            case Wait():\n                return None\n",
        harm="the dead letter is deleted before it goes back: lost",
        seen=Seen("small"),
    ),
    mutant(
        "complete a dead letter that its circuit breaker holds back",
        _REDRIVER,
        "        return pause_seconds(seconds, dead_letter.message_id)\n",
        "        return None\n",
        harm="it uses up its redrives in an outage",
        test=f"{_RECOVERY_TESTS}/test_redriver_open_breaker.py::"
        "test_a_dead_letter_waits_until_deliveries_are_tried_again",
    ),
    mutant(
        "let a dead letter of a FIFO queue overtake the one that stays",
        _REDRIVER,
        "            if group in blocked:\n",
        "            if group in ():\n",
        harm="events of one group are published out of order",
        test=f"{_RECOVERY_TESTS}/test_redriver.py::"
        "test_what_follows_a_dead_letter_that_stays_does_not_overtake_it_in_its_group",
    ),
    mutant(
        "open an item for the first event of a report alone",
        _REDRIVER,
        "            for dead_letter in dead_letters:\n",
        "            for dead_letter in dead_letters[:1]:\n",
        harm="the other events of the report are deleted: lost",
        test=f"{_RECOVERY_TESTS}/test_redriver.py::test_every_event_of_a_report_becomes_an_item",
    ),
    mutant(
        "re-put to the whole bus instead of the failed route",
        _MESSAGES,
        "    redrive = None if route is None else Redrive(route=route, count=count)\n",
        "    redrive = None\n",
        harm="the other routes deliver the event again",
        seen=Seen("small"),
    ),
    mutant(
        "lose the redrive count",
        _MESSAGES,
        'REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": str(count)},',
        'REDRIVE_COUNT_ATTRIBUTE: {"dataType": "Number", "stringValue": "0"},',
        harm="a dead letter goes back without end",
        seen=Seen("small"),
    ),
    mutant(
        "lose the redrive count on the bus",
        _MESSAGES,
        "Redrive(route=route, count=count)",
        "Redrive(route=route, count=1)",
        harm="a dead letter goes back without end",
        test="tests/unit/media_events/recovery/test_redriver.py::test_dead_letters_of_a_function_without_a_queue_go_back_on_the_bus_for_it_alone",
    ),
    mutant(
        "lose the time of the first failure",
        _MESSAGES,
        "    added = {FIRST_FAILED_ATTRIBUTE: text_attribute(timestamp(first_failed(dead_letter)))}\n",
        "    added = dict[str, Mapping[str, Any]]()\n",
        harm="a dead letter never expires, and SQS deletes it",
        test=f"{_RECOVERY_TESTS}/test_redrive_policy.py::test_the_count_and_the_first_failure_travel_with_the_original_attributes",
    ),
    mutant(
        "redrive without end",
        _POLICY,
        '    if dead_letter.redrive_count >= _limit(failure, policy) or to.kind == "none":\n',
        '    if to.kind == "none":\n',
        harm="a dead letter goes back without end, and nobody is told",
        seen=Seen("small"),
    ),
    mutant(
        "send what crashed a function back to the live queue",
        _POLICY,
        '(is_suspected(dead_letter) and to.kind == "queue"',
        '(failure.failure_class == "never" and to.kind == "queue"',
        harm="it crashes batches of live events again",
        test=f"{_RECOVERY_TESTS}/test_redriver_rate_limit.py::"
        "test_what_crashed_a_function_is_tried_once_more_without_others_and_past_the_queue",
    ),
    mutant(
        "give the items of all destinations one id",
        _OPENER,
        "item_id(dead_letter.identity.source, event_id, queue.destination),",
        'item_id(dead_letter.identity.source, event_id, ""),',
        harm="an item hides the same event's failure at another destination: lost",
        seen=Seen("small"),
    ),
    mutant(
        "keep an item closed whose retry fails",
        _ITEM,
        '            status=self.status if keeps_status else "OPEN",\n',
        "            status=self.status,\n",
        harm="the event failed once more, and nobody is told: lost",
        test="tests/unit/media_events/recovery/test_redriver.py::test_a_replay_that_fails_opens_the_item_again_unless_it_was_archived",
    ),
    mutant(
        "add no second failure to an item",
        _OPENER,
        "            if merged is None:\n                return None, existing\n",
        "            if merged is not None:\n                return None, existing\n",
        harm="the event failed once more, and nobody is told: lost",
        seen=Seen("harsh"),
    ),
    mutant(
        "let an archived event that comes again hold up its key",
        _OPENER,
        '        if item.status in DECIDED and queue.ordered and item.return_to.kind == "queue":\n',
        "        if queue is None:\n",
        harm="the later events of its key wait, and nobody is told: stuck",
        test=f"{_RECOVERY_TESTS}/test_redriver.py::test_key_goes_on_without_an_archived_event_that_came_again_and_was_dead_lettered_while_it_waited",
    ),
    mutant(
        "open an item for each message of an event",
        _OPENER,
        "            return replace(item, item_id=recorded), None\n",
        "            return item, None\n",
        harm="an event has two items, and is replayed twice",
        test=f"{_RECOVERY_TESTS}/test_one_item_per_message.py::test_what_was_given_up_and_then_moved_is_the_event_that_its_function_told",
    ),
    mutant(
        "do not ask which event a message is",
        _OPENER,
        "        if not dead_letter.unidentified or function_arn is None:\n",
        "        if dead_letter is not None:\n",
        harm="an event has two items, and is replayed twice",
        test=f"{_RECOVERY_TESTS}/test_inspection.py::test_what_sqs_moved_is_asked_about_and_has_its_events_name",
    ),
    mutant(
        "drop a large body",
        _OPENER,
        'item = replace(item, body=None, bodyref=bodies.put(item.body.encode(errors="replace")))',
        "item = replace(item, body=None)",
        harm="the event can't be replayed: lost",
        test=f"{_RECOVERY_TESTS}/test_redriver.py::test_a_large_body_goes_to_the_bucket_with_its_digest",
    ),
    mutant(
        "keep no copy of an event's body",
        _OPENER,
        "        return replace(item, retained_bodies={dead_letter.bodyref: copy})\n",
        "        return item\n",
        harm="the body expires while the item is open: lost",
        test=f"{_RECOVERY_TESTS}/test_redriver_bodies.py::"
        "test_an_item_keeps_a_copy_of_the_body_that_its_event_points_at",
    ),
    mutant(
        "delete items a moment after they were closed",
        _MAINTENANCE,
        "        until = timestamp(self.clock() - self.keep_seconds)\n",
        "        until = timestamp(self.clock())\n",
        harm="what a person decided, and the event's body, are gone",
        test=f"{_RECOVERY_TESTS}/test_review_maintenance.py::test_nothing_goes_sooner_and_what_is_open_never",
    ),
    mutant(
        "delete an item that was opened again",
        _MAINTENANCE,
        "        if item is None or item.status not in CLOSED or item.closed_at is None or item.closed_at >= until:\n",
        "        if item is None:\n",
        harm="an open item is deleted: lost",
        test="tests/unit/media_events/recovery/test_review_maintenance.py::test_what_was_opened_again_after_it_was_listed_stays",
    ),
    mutant(
        "leave a retry that nothing confirms to itself",
        _MAINTENANCE,
        "        return until is None or until <= now\n",
        "        return False\n",
        harm="the retried event got lost on its way, and nobody is told",
        test=f"{_RECOVERY_TESTS}/test_review_maintenance.py::"
        "test_a_replay_that_nothing_confirmed_for_an_hour_is_a_persons_again",
    ),
    mutant(
        "resolve a retry that nothing confirms",
        _MAINTENANCE,
        "            if self._is_done(item):\n",
        "            if self._is_done(item) or self._is_overdue(item):\n",
        harm="the event was not delivered, and nobody is told: lost",
        test=f"{_RECOVERY_TESTS}/test_review_maintenance.py::"
        "test_a_replay_that_nothing_confirmed_for_an_hour_is_a_persons_again",
    ),
    mutant(
        "replay without the event's body",
        "/media_events_kit/ops/review/service.py",
        "        restore(item.retained_bodies, self.bodies)\n",
        "",
        harm="the body has expired: the event can't be delivered any more",
        test="tests/unit/ops/review/test_service.py::test_an_event_whose_body_has_expired_is_sent_only_after_its_copy_was_put_back",
    ),
    mutant(
        "abandon an edit whose event is in review itself",
        "/media_events_kit/ops/review/editing.py",
        "    if sent is not None:\n",
        "    if False:\n",
        harm="both the original and the edited event wait for a person, and both take effect",
        test="tests/unit/ops/review/test_editing.py::test_an_edit_whose_event_is_in_review_itself_is_finished_and_not_abandoned",
    ),
    mutant(
        "send an edited event although its edit was abandoned",
        "/media_events_kit/ops/review/service.py",
        "        return original_in_its_place(self, item)\n",
        "        return None\n",
        harm="both the original and the edited event take effect",
        test="tests/unit/ops/review/test_editing.py::test_an_edited_event_that_gets_to_review_after_its_edit_was_abandoned_is_never_sent",
    ),
)
