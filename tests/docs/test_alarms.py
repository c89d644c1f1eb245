"""Every kind of alarm can go off: a test produces its metric, or AWS's page says what does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
GUIDE: Final = ROOT / "docs" / "how-to" / "respond-to-an-alarm.md"

REDRIVER: Final = "tests/unit/media_events/recovery/test_redriver.py"
MAINTENANCE: Final = "tests/unit/media_events/recovery/test_review_maintenance.py"
LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
SQS: Final = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
)
API: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"
EVENTS: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"
STATES: Final = "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"

CAUSES: Final[dict[str, str]] = {
    # Any alarm in their rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    "person-needed": "tests/synth/test_monitoring.py::test_more_alarms_than_a_rule_may_name_are_told_by_parts",
    "slow": "tests/synth/test_monitoring.py::test_more_alarms_than_a_rule_may_name_are_told_by_parts",
    "items-opened": f"{REDRIVER}::test_an_item_counts_as_opened_only_if_it_was_not_open_and_nobody_had_decided",
    "oldest-open": f"{MAINTENANCE}::test_what_waits_is_measured_from_counts_and_the_oldest_item_alone",
    "parked-too-long": "tests/unit/media_events/recovery/test_key_maintenance.py"
    "::test_what_is_parked_is_counted_and_the_oldest_is_told_only_while_something_is",
    "circuit-breaker-open": "tests/unit/media_events/delivery/test_circuit_breaker.py"
    "::test_who_waits_reports_since_when_nothing_is_delivered_over_all_openings_in_a_row",
    "events-waiting": "tests/unit/media_events/messaging/test_waiting.py"
    "::test_an_event_that_is_deferred_reports_its_age_at_each_deferral",
    "redrive-failed": f"{REDRIVER}::test_a_dead_letter_that_goes_nowhere_is_counted_since_lambda_sees_a_success",
    "dead-letters-unread": f"{MAINTENANCE}::test_dead_letters_that_nobody_reads_are_measured",
    "messages-waiting": f"{MAINTENANCE}::test_the_longest_queue_of_a_hop_is_measured_with_what_is_in_flight_or_delayed",
    # Messages that nobody reads are received less than three times, which is what the metric counts.
    "queue-age": f"{SQS} ApproximateAgeOfOldestMessage",
    "dlq-age": f"{SQS} ApproximateAgeOfOldestMessage",
    "event-age": f"{LAMBDA} AsyncEventAge",
    # Exceptions of the code and of the runtime, timeouts among them.
    "errors": f"{LAMBDA} Errors",
    "destination-failed": f"{LAMBDA} DestinationDeliveryFailures",
    "5xx": f"{API} 5xx",
    "4xx": f"{API} 4xx",
    "latency": f"{API} Latency",
    "outdated-secret": "tests/unit/media_events/ingress/test_webhook_signatures.py"
    "::test_a20_outdated_secret_proves_nothing_and_its_use_is_counted",
    # Permanent failures, and those that the dead-letter queue refused.
    "failed-invocations": f"{EVENTS} FailedInvocations",
    "rule-failed": f"{EVENTS} FailedInvocations",
    "dead-letters-lost": f"{EVENTS} InvocationsFailedToBeSentToDlq",
    # Sent only when it is not zero: no data is no event.
    "inactivity": f"{EVENTS} MatchedEvents",
    "notifications-failed": "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html "
    "NumberOfNotificationsFailed",
    "failed": f"{STATES} ExecutionsFailed",
    "throttled": f"{STATES} ExecutionThrottled",
}
"""By the end of the alarm's name: a test, or AWS's page and the metric on it."""


def alarm_kinds() -> set[str]:
    """The ends of alarms' names that the guide explains."""
    table = GUIDE.read_text(encoding="utf-8").partition("| the alarm's name ends with")[2].partition("\n\n")[0]
    return {kind for row in table.splitlines() for kind in re.findall(r"`-([a-z0-9-]+)`", row.split("|")[1])}


def module_facts() -> set[str]:
    """The facts that the modules' alarms are about, as far as their sources spell them."""
    found: set[str] = set()
    for file in (ROOT / "modules").glob("**/alarms.tf"):
        text = file.read_text(encoding="utf-8")
        found |= {
            name.rpartition("}-")[2] for name in re.findall(r'^ +"?([a-z0-9${}\[\]._-]+)"? += \{$', text, re.MULTILINE)
        }
        found |= set(re.findall(r'\$\{[^"]*\}-([a-z-]+)" => \{', text))
    return found - {"alarms", "metrics"}


def test_every_alarm_of_a_module_is_in_the_guide():
    assert module_facts() >= {"errors", "queue-age", "rule-failed", "items-opened", "5xx"}
    assert sorted(module_facts() - alarm_kinds()) == []


def test_every_kind_of_alarm_has_a_cause_and_no_other():
    assert sorted(CAUSES) == sorted(alarm_kinds())


@pytest.mark.parametrize("kind", sorted(kind for kind, cause in CAUSES.items() if "::" in cause))
def test_the_test_that_produces_the_cause_exists(kind):
    file, _, name = CAUSES[kind].partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(kind for kind, cause in CAUSES.items() if "::" not in cause))
def test_the_metric_that_aws_describes_is_the_alarms(kind):
    metric = CAUSES[kind].rpartition(" ")[2]
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "modules").glob("**/alarms.tf"))
    assert f'"{metric}"' in sources
