"""The scenarios of ServiceControl and ServicePulse, tools for failed messages, and our tests of them.

The first table has the acceptance tests and edit-handler tests of ServiceControl by their names; the second what
ServicePulse's specifications leave unwritten (``test.todo``), as far as it concerns behaviour and not the look of
a page. Each line names tests that exist: this module fails if one does not.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from media_events_kit.kit_files import KIT

SERVICE = "tests/unit/ops/review/test_service.py"
OPERATIONS = "tests/unit/ops/review/test_bulk_operations.py"
EDITING = "tests/unit/ops/review/test_editing.py"
EDIT_COMMAND = "tests/unit/ops/review/test_cli_edit.py"
QUERIES = "tests/unit/ops/review/test_queries.py"
TABLE = "tests/unit/media_events/adapters/test_dynamodb_review_items.py"
COMMANDS = "tests/unit/ops/review/test_cli.py"
WHOLE_PATH = "tests/unit/scenarios/test_failed_event_to_delivery.py"
KILLED = "tests/system/test_killed_commands.py"
REDRIVER = "tests/unit/media_events/recovery/test_redriver.py"

WRITTEN = {
    "a message fails twice with different exceptions": [
        (TABLE, "test_an_item_that_fails_for_another_reason_moves_to_the_other_group"),
        (WHOLE_PATH, "test_a_replay_to_a_receiver_that_is_still_down_opens_the_item_again"),
    ],
    "two similar messages have failed": [(TABLE, "test_a_group_counts_its_items_by_status_through_every_change")],
    "a group is retried": [
        (OPERATIONS, "test_a_group_is_retried_and_audited"),
        (OPERATIONS, "test_of_ten_thousand_the_limit_goes_out_at_the_rate_and_none_twice"),
    ],
    "a single message fails in a batch": [
        (OPERATIONS, "test_a_single_message_that_can_not_be_sent_fails_and_the_others_go_out")
    ],
    "a retry fails to be sent": [(SERVICE, "test_a_queue_that_can_not_be_reached_leaves_the_item_open")],
    "a retry of an empty body": [(SERVICE, "test_an_empty_body_is_sent_as_it_is")],
    "a retry of a failed message fails": [(SERVICE, "test_a_retry_that_fails_again_is_reported_with_its_new_reason")],
    "a pending retry is retried": [(SERVICE, "test_a_retry_whose_command_died_can_be_made_again_after_a_while")],
    "messages are retried by queue and timeframe": [(OPERATIONS, "test_items_are_retried_by_their_properties")],
    "an edited message fails to process": [
        (EDITING, "test_an_edited_event_that_fails_is_a_new_item_linked_to_the_original")
    ],
    "a failed edit is resolved by a retry": [(EDITING, "test_a_failed_edit_is_resolved_by_a_retry")],
    "a re-edit solves a failed message": [(EDITING, "test_an_edit_of_an_edit_can_correct_the_first_one")],
    "the same unique id is imported twice": [
        (TABLE, "test_an_item_is_written_once_and_read_back_as_it_was"),
        (TABLE, "test_what_is_refused_or_repeated_is_not_counted"),
    ],
    "missing headers are ingested": [(WHOLE_PATH, "test_what_is_no_event_waits_for_a_person_with_its_bytes")],
    "an invalid id is sent to retry": [(OPERATIONS, "test_an_invalid_id_is_refused")],
    "a group is archived and unarchived": [(OPERATIONS, "test_a_group_is_archived_and_restored_as_operations")],
    "edit: discard when missing": [(EDITING, "test_there_is_nothing_to_edit_of_an_item_that_is_not_there")],
    "edit: discard when not unresolved": [(EDITING, "test_only_an_open_item_can_be_edited")],
    "edit: discard when another edit exists": [
        (EDITING, "test_of_two_edits_one_is_sent_and_the_loser_is_refused_with_the_winners_name")
    ],
    "edit: dispatch once": [(EDITING, "test_it_is_dispatched_once_to_the_hop_that_failed_as_a_new_event")],
    "edit: uses the incoming transaction": [
        (EDITING, "test_an_edit_that_is_killed_anywhere_is_neither_lost_nor_sent_as_two_events")
    ],
    "edit: new message id": [(EDITING, "test_an_edited_event_has_an_id_of_its_own_and_says_whose_edit_it_is")],
    "edit: marks edit info": [(EDITING, "test_the_original_stays_as_it_was_superseded_by_the_edited_event")],
}

UNWRITTEN = {
    # Failed messages and groups
    "nothing has failed": [(COMMANDS, "test_an_empty_review_table_is_reported")],
    "groups are listed with their counts, the largest first": [
        (QUERIES, "test_groups_come_largest_first_page_by_page_and_done_ones_not_at_all"),
        (OPERATIONS, "test_groups_are_counted_and_the_largest_comes_first"),
    ],
    "a group tells its first and last failure, and whether it still grows": [
        (QUERIES, "test_a_group_that_still_fails_grows")
    ],
    "a group that is done is no longer listed": [
        (QUERIES, "test_groups_come_largest_first_page_by_page_and_done_ones_not_at_all")
    ],
    "messages are paged": [
        (QUERIES, "test_pages_hold_every_item_once"),
        (QUERIES, "test_items_that_come_while_somebody_pages_shift_nothing"),
        (OPERATIONS, "test_a_cursor_continues_a_list"),
    ],
    "a page of many costs what a page of few does": [(QUERIES, "test_a_page_of_many_costs_what_a_page_of_few_does")],
    "messages are filtered and sorted": [
        (QUERIES, "test_items_are_found_by_their_properties"),
        (TABLE, "test_a_list_is_newest_first_and_goes_on_over_pages"),
    ],
    "messages are filtered by time": [(QUERIES, "test_times_are_read_as_people_write_them")],
    "a page beyond the last, or none at all": [(QUERIES, "test_a_cursor_that_no_page_gave_is_refused")],
    "counts are right after what happened meanwhile": [
        (QUERIES, "test_counts_close_items_that_were_confirmed_after_their_command_had_gone"),
        (QUERIES, "test_stats_tell_of_all_groups_without_reading_their_items"),
    ],
    # Retrying
    "selected messages are retried, each once": [(SERVICE, "test_one_event_named_twice_is_sent_once")],
    "only a part of a group is retried (ServicePulse #2764)": [
        (OPERATIONS, "test_of_ten_thousand_the_limit_goes_out_at_the_rate_and_none_twice")
    ],
    "the progress of a retry is shown, and who began it": [
        (OPERATIONS, "test_operations_are_listed_the_latest_first_with_operator_and_reason")
    ],
    "a running retry is cancelled": [(OPERATIONS, "test_a_slow_operation_is_cancelled_within_five_seconds")],
    "a retry goes on after a crash": [
        (OPERATIONS, "test_cancelled_and_resumed_and_killed_and_resumed_none_of_ten_thousand_is_sent_twice"),
        (OPERATIONS, "test_eight_at_a_time_send_none_twice_cancelled_or_killed"),
        (KILLED, "test_two_operators_a_kill_and_a_cancel_and_none_is_sent_twice"),
    ],
    "two people retry the same group": [(OPERATIONS, "test_two_operators_on_one_group_send_none_twice")],
    "a few are tried first": [
        (OPERATIONS, "test_a_canary_that_fails_again_stops_the_operation"),
        (OPERATIONS, "test_unconfirmed_canaries_stop_the_operation_and_resuming_waits_for_them_again"),
    ],
    "pending retries are visible": [(SERVICE, "test_a_list_has_open_items_and_retrying_ones")],
    "a pending retry is marked as resolved": [
        (SERVICE, "test_a_list_closes_items_that_were_delivered_after_the_command_had_gone")
    ],
    "what would be retried is told beforehand": [(OPERATIONS, "test_a_dry_run_sends_and_records_nothing")],
    # Archiving
    "a message is archived with a reason, and restored": [
        (OPERATIONS, "test_an_item_is_archived_for_a_reason_and_restored")
    ],
    "an archived message fails again": [
        (REDRIVER, "test_a_replay_that_fails_opens_the_item_again_unless_it_was_archived")
    ],
    "two people archive the same message": [(OPERATIONS, "test_the_loser_is_refused_with_the_winners_name")],
    "messages are exported": [
        (OPERATIONS, "test_an_export_for_programs_is_a_json_object_a_line_without_bodies"),
        (OPERATIONS, "test_an_export_for_spreadsheets_holds_no_formula"),
    ],
    "a note survives a retry": [(OPERATIONS, "test_a_note_survives_a_retry")],
    # Editing
    "editing is off by default": [(EDITING, "test_editing_is_off_by_default")],
    "locked headers can't be changed, sensitive ones warn": [
        (EDITING, "test_attributes_of_identity_are_locked"),
        (EDITING, "test_attributes_that_receivers_depend_on_are_changed_with_a_warning"),
    ],
    "the difference is shown before it is sent": [
        (EDIT_COMMAND, "test_an_editor_changes_the_event_and_the_difference_is_shown_before_it_is_sent"),
        (EDIT_COMMAND, "test_a_dry_run_shows_the_difference_and_records_nothing"),
    ],
    "an invalid body is refused": [
        (EDITING, "test_text_that_is_no_envelope_is_refused_with_a_reason"),
        (EDITING, "test_an_edited_event_must_fit_the_types_schema"),
    ],
    "a body that is no text, or too large, can't be edited": [
        (EDITING, "test_only_an_event_in_the_envelope_can_be_edited")
    ],
    "the message has changed since the editor was opened": [
        (EDITING, "test_an_item_that_was_retried_since_the_draft_is_not_edited"),
        (EDITING, "test_an_item_that_was_attempted_since_the_operator_looked_is_neither_edited_nor_retried"),
    ],
    "the loser of two edits is told who won (ServiceControl #5122)": [
        (EDIT_COMMAND, "test_the_loser_is_refused_with_the_winners_name")
    ],
    "an edited message can't be retried or archived": [
        (EDITING, "test_a_superseded_item_is_neither_retried_nor_archived")
    ],
    "the edited message links to the original and back": [
        (EDIT_COMMAND, "test_an_item_and_its_edit_name_each_other"),
        (EDITING, "test_an_edited_event_that_fails_is_a_new_item_linked_to_the_original"),
    ],
    # Access
    "without permission to change, what there is is shown": [
        (OPERATIONS, "test_an_operator_who_may_only_read_sees_an_unclosed_item_as_the_table_has_it"),
    ],
    "a refusal is recorded": [(EDITING, "test_an_operator_who_may_not_edit_is_refused_and_the_refusal_is_recorded")],
    "the service can't be reached": [(TABLE, "test_a_table_that_is_not_there_is_a_failure_with_a_class")],
}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse(Path(KIT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("scenario", "tests"), (WRITTEN | UNWRITTEN).items(), ids=(WRITTEN | UNWRITTEN).keys())
def test_every_scenario_of_the_reference_is_a_test_of_ours(scenario, tests):  # noqa: ARG001
    assert [f"{path}::{name}" for path, name in tests if name not in names_in(path)] == []
